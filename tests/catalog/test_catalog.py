"""A dataset that was seen is found again, by what anybody remembers of it."""

from __future__ import annotations

import io
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from alsct_gui.catalog.model import Dataset, dataset_from_text, dataset_text
from alsct_gui.catalog.preview import SIDE_PX, png_of, preview_of
from alsct_gui.catalog.store import Catalog, _query
from alsct_gui.model.errors import InputError, OutputError, UsageError
from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.write import simulate_scan

PNG = png_of(np.arange(16.0).reshape(4, 4))


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog(tmp_path / "a 'b' é" / "catalog.sqlite", clock=lambda: 7.0) as opened:
        yield opened


def dataset(number: int, **words: object) -> Dataset:
    known: dict[str, object] = {
        "id": f"{number:064x}", "path": f"/data/raw/BLS-00564_kim/2026_{number}_foam.h5",
        "title": f"foam {number}", "proposal": "BLS-00564", "seen_s": float(number),
        "metadata": {"sample": "Gießharz, poröse Keramik"},
    }  # fmt: skip
    return Dataset(**{**known, **words})  # type: ignore[arg-type]


def ids(catalog: Catalog, text: str = "", *tags: str) -> list[int]:
    return [int(found.dataset.id, 16) for found in catalog.search(text, tags)]


def test_what_was_entered_is_read_back_and_found(catalog: Catalog) -> None:
    for number in (1, 2, 3):
        catalog.enter(dataset(number), PNG if number == 1 else None)
    found = catalog.get(dataset(2).id)
    assert found is not None
    assert found.dataset == dataset(2)
    assert catalog.get("f" * 64) is None
    assert ids(catalog) == [3, 2, 1], "the newest first"
    assert ids(catalog, "PORO kera") == [3, 2, 1], "beginnings, whatever their case or accents"
    assert ids(catalog, "foam 2") == [3, 2, 1], "2 is in 2026, too"
    assert ids(catalog, "kim nothing") == []
    assert catalog.preview(dataset(1).id) == PNG
    assert catalog.preview(dataset(2).id) is None
    assert len(catalog.search(limit=2)) == 2
    assert catalog.count() == 3


def test_entering_again_changes_what_changed_and_keeps_what_persons_wrote(catalog: Catalog) -> None:
    catalog.enter(dataset(1), PNG)
    catalog.tag(dataset(1).id, "Rings?")
    catalog.note(dataset(1).id, "the stage drifted $(x) 'é'", "kim")
    catalog.enter(dataset(1, title="wood"))
    found = catalog.get(dataset(1).id)
    assert found is not None
    assert (found.dataset.title, found.tags) == ("wood", ("Rings?",))
    assert [(n.time_s, n.text, n.author) for n in found.notes] == [
        (7.0, "the stage drifted $(x) 'é'", "kim")
    ]
    assert catalog.preview(dataset(1).id) == PNG
    assert (ids(catalog, "drift"), ids(catalog, "rings"), ids(catalog, "wood")) == ([1], [1], [1])
    assert ids(catalog, "foam") == [1], "its file is still called so"


def test_tags_select(catalog: Catalog) -> None:
    for number in (1, 2, 3):
        catalog.enter(dataset(number))
        catalog.tag(dataset(number).id, "all")
    catalog.tag(dataset(2).id, "good")
    catalog.tag(dataset(2).id, "good")
    assert ids(catalog, "", "all", "good") == [2]
    assert catalog.tags() == {"all": 3, "good": 1}
    catalog.untag(dataset(2).id, "good")
    catalog.untag(dataset(2).id, "good")
    assert ids(catalog, "good") == ids(catalog, "", "good") == []
    for tag in ("", " ", "a\nb", "x" * 61, "\udcff"):
        with pytest.raises(UsageError):
            catalog.tag(dataset(1).id, tag)
    with pytest.raises(UsageError, match="no dataset"):
        catalog.tag("f" * 64, "x")
    with pytest.raises(UsageError, match="no dataset"):
        catalog.note("f" * 64, "x")
    with pytest.raises(UsageError, match="empty"):
        catalog.note(dataset(1).id, " \n")


hostile = st.text(st.characters(exclude_categories=()), max_size=30)


@given(hostile, hostile)
def test_any_name_comes_back(path: str, value: str) -> None:
    entered = Dataset("ab" * 32, path, title=value, metadata={"sample": value})
    assert dataset_text(entered).isascii()
    assert dataset_from_text(dataset_text(entered)) == entered


@given(hostile)
def test_a_query_is_words_and_nothing_else(text: str) -> None:
    with sqlite3.connect(":memory:") as db:
        db.execute("CREATE VIRTUAL TABLE words USING fts5 (text)")
        query = _query(text)
        if query:
            db.execute("SELECT * FROM words WHERE words MATCH ?", (query,)).fetchall()
    db.close()


def test_hostile_names_go_through_the_file(catalog: Catalog) -> None:
    names = ["$(rm -rf /)\n'\"; DROP TABLE datasets; --", os.fsdecode(b"/\xff\x80 ann"), "a\0b ann"]
    for number, name in enumerate(names):
        catalog.enter(dataset(number, path=name, proposal=name))
    assert [catalog.get(dataset(n).id).dataset.path for n in range(3)] == names  # type: ignore[union-attr]
    assert ids(catalog, "ann") == [2, 1]
    assert ids(catalog, 'drop" OR NEAR(table, 1) -- *') == []


def test_pictures_are_small_pngs(catalog: Catalog, tmp_path: Path) -> None:
    spec = SimulationSpec(n_columns=300, n_rows=40, n_angles=21)
    preview = preview_of(simulate_scan(tmp_path / "scan.h5", spec))
    assert preview is not None
    with Image.open(io.BytesIO(preview)) as image:
        assert image.format == "PNG"
        assert max(image.size) <= SIDE_PX
        assert image.size == (150, 20)
        grey = np.asarray(image)
    assert grey.min() < 20 < 200 < grey.max(), "it uses the range"
    assert preview_of(tmp_path / "absent.h5") is None
    (tmp_path / "text.h5").write_text("no scan")
    assert preview_of(tmp_path / "text.h5") is None
    for bad in (b"GIF89a", PNG[:8] + bytes(1 << 20)):
        with pytest.raises(UsageError, match="PNG"):
            catalog.enter(dataset(1), bad)
    assert catalog.count() == 0


_WRITER = """
import sys
from pathlib import Path
from alsct_gui.catalog.model import Dataset
from alsct_gui.catalog.store import Catalog
with Catalog(Path(sys.argv[1])) as opened:
    for number in range(20):
        opened.enter(Dataset(f"{sys.argv[2]}{number}", "/p"))
"""


def test_several_writers_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    command = [sys.executable, "-c", _WRITER, str(path)]
    writers = [subprocess.Popen([*command, name]) for name in "abc"]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    with Catalog(path) as opened:
        assert opened.count() == 60


def test_what_is_no_catalogue_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello " * 999)
    with pytest.raises(InputError, match="cannot be read"):
        Catalog(tmp_path / "text")
    for name, statement in (("later", "PRAGMA user_version = 99"), ("other", "CREATE TABLE a (b)")):
        with sqlite3.connect(tmp_path / name) as db:
            db.execute(statement)
        db.close()
        with pytest.raises(InputError, match=r"newer program|another program"):
            Catalog(tmp_path / name)


def test_a_catalogue_that_was_brought_further_is_not_written(catalog: Catalog) -> None:
    catalog.enter(dataset(1))
    newer = sqlite3.connect(catalog.path)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(OutputError, match="Use the newer program"):
        catalog.enter(dataset(2))
    assert catalog.count() == 1
