"""Analyses as products: where they lie, and which is of which scan and sheet.

What is known of a product is what was listed and read of it, here as at a place where only
commands can be run. A product gets its name when it is whole (`steps.writing`); of volumes the
slices are counted all the same. Whose it is stands in its provenance, which is followed back
through whatever it was made of to the raw scan.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from alsct_gui.files.names import safe_stem
from alsct_gui.files.provenance import (
    ATTRIBUTE,
    ZARR_FILE,
    made_from_plain,
    provenance_from_plain,
)
from alsct_gui.files.shardread import parse_layout
from alsct_gui.model.errors import InputError, RecipeError
from alsct_gui.model.placement import Evidence, ScanFacts
from alsct_gui.model.policy import Output, Product, Sheet, Source
from alsct_gui.model.product import StepProvenance
from alsct_gui.placement.goals.base import World
from alsct_gui.placement.goals.products import is_of
from alsct_gui.placement.goals.slices import ARRAY_FILE, count_listed
from alsct_gui.placement.sheets import FindSheet
from alsct_gui.steps.own.run import checksums_of
from alsct_gui.superfacility.compute.look import Answer, Looker, Question

_VOLUMES = ("volume", "labels")
_MOST_S = 1e7
"""Longest that a step may say it has taken."""
_GUESSED = (".html", ".pdf")
"""Endings of a report whose name only its step knows."""


def analysis_path(root: str, relative: str, sheet: Sheet) -> str:
    """Return where an analysis of a scan lies: a product, or the folder of several.

    Parameters
    ----------
    root
        Folder of the place, on its own machine.
    relative
        The raw file, below the place where raw files are admitted.
    sheet
        The analysis; its mark is in the name, so that two never meet under one.
    """
    scan = PurePosixPath(relative)
    step = safe_stem(sheet.step.rpartition(".")[2])
    suffix = sheet.outputs[0].suffix if len(sheet.outputs) == 1 else ""
    name = f"{safe_stem(scan.stem)}.{step}-{sheet.mark}{suffix}"
    return str(PurePosixPath(root) / scan.parent / name)


def output_path(where: str, sheet: Sheet, name: str) -> str:
    """Return where one output of an analysis lies that has a place of its own."""
    output = next(output for output in sheet.outputs if output.name == name)
    return where if len(sheet.outputs) == 1 else f"{where}/{name}{output.suffix}"


def question_of(paths: Mapping[str, Sheet]) -> Question:
    """Return what is to be looked at to know about analyses, by the paths where they lie."""
    folders, files, texts = [], [], []
    for path, sheet in paths.items():
        folders.append(path)
        if len(sheet.outputs) == 1 and sheet.outputs[0].kind not in _VOLUMES:
            files += [path, *_accounts(path, sheet)]
        texts += _accounts(path, sheet)
        texts += [f"{item}/{ARRAY_FILE}" for item in _volumes(path, sheet).values()]
    return Question(tuple(folders), tuple(texts), tuple(files))


def whole_analysis(
    answer: Answer, path: str, sheet: Sheet, scan: ScanFacts, find: FindSheet, now_s: float
) -> Evidence | None:
    """Return evidence of an analysis, when it is whole and of that very scan and sheet.

    Parameters
    ----------
    answer
        What was seen, by `question_of`.
    path, sheet, scan
        Where it should lie, and what it should be.
    find
        Finds the sheets of what it is made of.
    now_s
        When it was seen, seconds since 1970.

    Raises
    ------
    InputError
        It could not be looked at, so that nothing is known.
    """
    asked = question_of({path: sheet})
    for name in (*asked.folders, *asked.texts, *asked.files):
        if name in answer.errors:
            raise InputError(f"cannot be looked at ({answer.errors[name]})", where=name)
    told = next((text for name in _accounts(path, sheet) if (text := answer.texts.get(name))), "")
    account = _plain(told)
    if not told or not is_of_sheet(account, sheet, scan, find):
        return None
    seconds = _seconds(account)
    if asked.files:
        late = [name for name in asked.files if name not in answer.files]
        if late:
            raise InputError("could not be read in time", where=late[0])
        file = answer.files[path]
        if file is None:
            return None
        return Evidence(
            path, now_s, size_bytes=file.size_bytes, sha256=file.sha256, seconds=seconds
        )
    files = answer.folders.get(path)
    if not files or not all(_is_there(output, sheet, files) for output in sheet.outputs):
        return None
    slices = [_slices(answer, path, item, files) for item in _volumes(path, sheet).values()]
    if 0 in slices:
        return None
    return Evidence(
        path, now_s, size_bytes=sum(files.values()), slices=slices[0] if slices else None,
        seconds=seconds,
    )  # fmt: skip


def look_at_analyses(
    looker: Looker, paths: Mapping[str, str], sheets: Mapping[str, Sheet], world: World,
    find: FindSheet,
) -> tuple[dict[str, Evidence], Answer]:  # fmt: skip
    """Look at products; returns evidence of those that are whole, by their goals, and all seen.

    Parameters
    ----------
    looker
        What looks at files of that place.
    paths, sheets
        Where the product of each goal lies, and what it is of.
    world
        Knows the scans, and the time.
    find
        Finds other analyses.
    """
    answer = looker.look(question_of({paths[key]: sheet for key, sheet in sheets.items()}))
    now_s = world.clock()
    seen = {
        key: whole_analysis(answer, paths[key], sheet, world.scan(key), find, now_s)
        for key, sheet in sheets.items()
    }
    return {key: evidence for key, evidence in seen.items() if evidence is not None}, answer


def files_of(answer: Answer, path: str, sheet: Sheet) -> dict[str, int]:
    """Return the size in bytes of each file of a whole analysis, by its path beside it.

    Parameters
    ----------
    answer, path, sheet
        As for `whole_analysis`, which has found it.
    """
    where = PurePosixPath(path)
    listed = answer.folders.get(path) or {}
    found = {f"{where.name}/{name}": size_bytes for name, size_bytes in listed.items()}
    for name in question_of({path: sheet}).files:
        file = answer.files.get(name)
        if file is not None:
            found[PurePosixPath(name).name] = file.size_bytes
    return found


def is_of_sheet(told: Any, sheet: Sheet, scan: ScanFacts, find: FindSheet) -> bool:
    """Whether what a product tells of its making is that of an analysis of a scan.

    Parameters
    ----------
    told
        Plain data, from outside.
    sheet, scan, find
        As for `whole_analysis`.
    """
    try:
        made = made_from_plain(told)
    except RecipeError:
        return False
    if not isinstance(made, StepProvenance) or made.seconds is None:
        return False
    if made.step != sheet.step or made.parameters != sheet.parameters:
        return False
    if checksums_of(made.record) != sheet.code:
        return False
    marks = {mark.name: mark for mark in made.inputs}
    ports = {source.port for source in sheet.inputs} | {file.port for file in sheet.given}
    if marks.keys() != ports:
        return False
    if any(marks[item.port].sha256 != item.sha256 for item in sheet.given):
        return False
    return all(_is_source(marks[item.port].made, item, scan, find) for item in sheet.inputs)


def _is_source(
    told: Mapping[str, object], source: Source, scan: ScanFacts, find: FindSheet
) -> bool:
    if source.product is Product.ANALYSIS:
        same = told.get("output") == source.output
        return same and is_of_sheet(told, find(source.mark), scan, find)
    try:
        return is_of(provenance_from_plain(told), scan, source.mark)
    except RecipeError:
        return False


def _accounts(path: str, sheet: Sheet) -> list[str]:
    """Files that may tell how an analysis was made, of each of its outputs; they tell the same."""
    if len(sheet.outputs) == 1:
        return [_account(path, sheet.outputs[0].kind)]
    return [
        _account(f"{path}/{output.name}{suffix}", output.kind)
        for output in sheet.outputs
        for suffix in ([output.suffix] if output.suffix else _GUESSED)
    ]


def _account(path: str, kind: str) -> str:
    if kind in _VOLUMES:
        return f"{path}/{ZARR_FILE}"
    return str(PurePosixPath(path).with_suffix(".json")) if kind == "table" else f"{path}.json"


def _plain(text: str) -> Any:
    """What a file tells of the making of its product; None when it is no such file."""
    try:
        plain = json.loads(text)
        return plain["attributes"][ATTRIBUTE] if "attributes" in plain else plain
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _seconds(told: Mapping[str, Any]) -> float | None:
    """Wall time that an analysis tells of its making; None where that is no time."""
    seconds = told.get("seconds")
    is_time = isinstance(seconds, int | float) and 0 < seconds <= _MOST_S
    return float(seconds) if is_time and seconds is not None else None


def _volumes(path: str, sheet: Sheet) -> dict[str, str]:
    """Paths of the volumes of an analysis, whose slices can be counted, by their names."""
    kept = [output for output in sheet.outputs if output.kind == "volume" and not output.optional]
    return {output.name: output_path(path, sheet, output.name) for output in kept}


def _is_there(output: Output, sheet: Sheet, files: Mapping[str, int]) -> bool:
    """Whether a folder of several outputs holds one, or need not."""
    if output.optional or len(sheet.outputs) == 1:
        return True
    start = f"{output.name}{output.suffix or '.'}"
    return any(name.startswith(start) for name in files)


def _slices(answer: Answer, path: str, volume: str, files: Mapping[str, int]) -> int:
    """Count the slices of a volume; 0 when some are missing, or it declares what no volume is."""
    text = answer.texts.get(f"{volume}/{ARRAY_FILE}")
    inner = volume.removeprefix(path).lstrip("/")
    own = {
        name.removeprefix(inner).lstrip("/"): size
        for name, size in files.items()
        if name.startswith(inner)
    }
    try:
        layout = parse_layout(text, volume) if text is not None else None
        count = count_listed(own, text, volume)
    except InputError:
        return 0
    return count if layout is not None and count == layout.shape[0] else 0
