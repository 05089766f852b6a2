"""`alsct catalog`: every dataset that was ever seen, found by words, tags and notes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alsct_gui.cli.console import JsonFlag, emit_json, out
from alsct_gui.model.errors import UsageError

if TYPE_CHECKING:
    from alsct_gui.catalog.model import Found
    from alsct_gui.catalog.store import Catalog

CatalogOption = Annotated[
    Path | None, typer.Option("--catalog", help="Catalogue file; that of this user if not given.")
]
Words = Annotated[
    list[str] | None, typer.Argument(metavar="WORD…", help="Beginnings of words, in any order.")
]
TagsOption = Annotated[
    list[str] | None, typer.Option("--tag", help="Only datasets with this tag; may be repeated.")
]
DatasetName = Annotated[
    str, typer.Argument(metavar="DATASET", help="Identity, or the beginning of it.")
]

catalog = typer.Typer(
    name="catalog",
    help="Every dataset that was ever seen: search it, add notes and tags.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@catalog.command()
def search(
    words: Words = None,
    tags: TagsOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most datasets.")] = 50,
    catalog_file: CatalogOption = None,
    json: JsonFlag = False,
) -> None:
    """Find datasets; without words and tags the newest are listed."""
    with _open(catalog_file) as opened:
        found = opened.search(" ".join(words or ()), tags or (), limit=limit)
    if json:
        emit_json({"datasets": [_plain(item) for item in found]})
        return
    for item in found:
        marks = f"  [{', '.join(item.tags)}]" if item.tags else ""
        out.print(f"{item.dataset.id[:12]}  {item.dataset.path!r}{marks}", markup=False)
        for note in item.notes:
            out.print(f"              {note.text}", markup=False)
    out.print(f"{len(found)} datasets")


@catalog.command()
def note(
    dataset: DatasetName,
    text: Annotated[str, typer.Argument(help="What is to be said of it.")],
    catalog_file: CatalogOption = None,
) -> None:
    """Add a note to a dataset."""
    with _open(catalog_file) as opened:
        opened.note(_find(opened, dataset), text)


@catalog.command()
def tag(
    dataset: DatasetName,
    tag: Annotated[str, typer.Argument(help="A word.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take it away.")] = False,
    catalog_file: CatalogOption = None,
) -> None:
    """Give a dataset a tag, or take it away."""
    with _open(catalog_file) as opened:
        identity = _find(opened, dataset)
        if remove:
            opened.untag(identity, tag)
        else:
            opened.tag(identity, tag)


def _find(opened: Catalog, word: str) -> str:
    fitting = [
        item.dataset.id for item in opened.search(limit=1 << 30) if item.dataset.id.startswith(word)
    ]
    if len(word) < 4 or len(fitting) != 1:
        many = "several datasets begin so" if fitting else "there is no such dataset"
        raise UsageError(many, where=word[:80], fix="See alsct catalog search")
    return fitting[0]


def _plain(found: Found) -> dict[str, object]:
    dataset = found.dataset
    shown = dataset.path.encode("utf-8", "backslashreplace").decode()
    return {
        "id": dataset.id, "kind": dataset.kind, "path": shown, "proposal": dataset.proposal,
        "size_bytes": dataset.size_bytes, "sha256": dataset.sha256, "seen_s": dataset.seen_s,
        "metadata": dict(dataset.metadata), "tags": list(found.tags),
        "notes": [{"time_s": n.time_s, "text": n.text, "author": n.author} for n in found.notes],
    }  # fmt: skip


def _open(path: Path | None) -> Catalog:
    from alsct_gui.catalog.store import Catalog, default_catalog

    return Catalog(path or default_catalog())
