"""Where the keys of a file go: none is lost, none is made up, nothing breaks the catalogue."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from alsct_gui.files.open import open_scan
from alsct_gui.files.readers.als832 import CATALOGUE_KEYS, PER_FRAME
from alsct_gui.model.errors import RecipeError
from alsct_gui.model.placement import ScanFacts
from alsct_gui.simulator import layout_832
from alsct_gui.superfacility.metadata.base import Record
from alsct_gui.superfacility.metadata.build import IDENTITY, raw_record
from alsct_gui.superfacility.metadata.mapping import (
    MAX_OTHER,
    MAX_TEXT,
    load_table,
    scientific_of,
    summary,
)
from tests.superfacility.metadata.conftest import MODIFIED, RULES

TABLE = load_table("als-8.3.2")
FRAMES = set(layout_832.DATASETS.values())
WORDS = {
    "proposal": lambda r: r.proposal, "sample": lambda r: r.words.sample,
    "principal_investigator": lambda r: r.words.investigator,
    "email": lambda r: r.words.contact, "instrument": lambda r: r.words.instrument,
}  # fmt: skip


def keys_of(path: Path) -> dict[str, object]:
    """Every dataset of a file."""
    found: dict[str, object] = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: (
                found.update({f"/{name}": item[()]}) if isinstance(item, h5py.Dataset) else None
            )
        )
    return found


def record_of(path: Path, facts: ScanFacts) -> Record:
    with open_scan(path) as scan:
        return raw_record(scan, facts, RULES, load_table(scan.layout), "/raw", MODIFIED)


def test_every_key_of_the_full_file_lands_somewhere(scan_file: Path, record: Record) -> None:
    keys = keys_of(scan_file)
    assert set(keys) <= set(TABLE.keys)
    for key, value in keys.items():
        entry = TABLE.keys[key]
        if not entry.field:
            assert key in record.scientific
            continue
        told = WORDS[entry.field](record)
        text = np.ravel(value)[0].decode()  # type: ignore[call-overload]
        # The ledger's proposal counts, for a person may have put it right.
        assert told == ("BLS-00564" if entry.field == "proposal" else text)
    assert record.scientific[IDENTITY]


def test_the_table_knows_what_the_reader_wants() -> None:
    assert set(CATALOGUE_KEYS) | set(PER_FRAME) <= set(TABLE.keys)
    assert {key for key, entry in TABLE.keys.items() if entry.series} >= set(PER_FRAME)
    assert {entry.field for entry in TABLE.keys.values()} - {""} == set(WORDS)


def test_units_stand_beside_their_values(record: Record) -> None:
    told = record.scientific
    size = told["/measurement/instrument/detector/pixel_size"]
    assert (size["value"], size["unit"]) == (pytest.approx(0.00065), "mm")
    assert told["/measurement/instrument/monochromator/energy"] == {"value": 25e3, "unit": "eV"}
    angles = told["/exchange/theta"]
    assert (angles["count"], angles["first"], angles["last"], angles["unit"]) == (
        31, 0.0, 180.0, "deg",
    )  # fmt: skip


def test_a_missing_key_is_absent(scan_file: Path, tmp_path: Path, facts: ScanFacts) -> None:
    whole = set(record_of(scan_file, facts).scientific)
    for key in ("/measurement/instrument", "/process", "/measurement/sample"):
        path = tmp_path / scan_file.name
        shutil.copyfile(scan_file, path)
        with h5py.File(path, "r+") as file:
            del file[key]
        left = record_of(path, facts)
        assert set(left.scientific) == {k for k in whole if not k.startswith(f"{key}/")}
        assert left.words.owner
        assert left.words.contact


def test_strange_keys_and_values_go_in_unharmed(
    scan_file: Path, tmp_path: Path, facts: ScanFacts
) -> None:
    path = tmp_path / scan_file.name
    shutil.copyfile(scan_file, path)
    with h5py.File(path, "r+") as file:
        file["/odd/$where.x%2E"] = np.array([1.0])
        file["/odd/nan"] = np.array([np.nan])
        file["/odd/long"] = np.bytes_(b"x" * 9000)
        file["/odd/big"] = np.array([2**60], dtype=np.int64)
        file["/odd/bytes"] = np.bytes_(b"caf\xe9")
        file["/odd"].attrs["note"] = "kept"
        for number in range(MAX_OTHER + 50):
            file[f"/zz/{number:04}"] = number
    told = record_of(path, facts).scientific
    assert told["/odd/$where.x."] == 1.0
    assert "/odd/nan" not in told
    assert len(told["/odd/long"]) == MAX_TEXT
    assert told["/odd/big"] == str(2**60)
    assert told["/odd@note"] == "kept"
    assert len([key for key in told if key.startswith(("/odd", "/zz"))]) <= MAX_OTHER
    json.dumps(told, allow_nan=False).encode("utf-8")


def test_a_layout_without_a_table_keeps_the_names_of_its_keys(
    scan_file: Path, facts: ScanFacts
) -> None:
    table = load_table("no-such-layout")
    with open_scan(scan_file) as scan:
        told = scientific_of(table, scan)
        record = raw_record(scan, facts, RULES, table, "/raw", MODIFIED)
    assert told["/measurement/instrument/detector/pixel_size"] == pytest.approx(0.00065)
    assert record.words.investigator == "Ada Example"
    assert record.data_format == "als-8.3.2"


def test_nothing_that_is_summed_up_looks_like_a_value_to_scicat() -> None:
    told = summary([1.0, 3.0, float("nan")])
    assert (told["min"], told["max"], told["mean"]) == (1.0, 3.0, 2.0)
    assert summary(["2026-02-03T04:05:06", "x"]) == {
        "count": 2, "first": "2026-02-03T04:05:06", "last": "x",
    }  # fmt: skip
    assert summary([]) == {"count": 0}
    assert not [name for name in told if name.startswith(("u", "v"))]


def test_a_table_that_is_wrong_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import alsct_gui.superfacility.metadata.mapping as module

    (tmp_path / "bad.yaml").write_text("layout: bad\nkeys:\n  /a: {unti: mm}\n")
    monkeypatch.setattr(module, "resource_names", lambda _: ("bad",))
    monkeypatch.setattr(module, "resource_path", lambda *_: tmp_path / "bad.yaml")
    with pytest.raises(RecipeError, match="Did you mean 'unit'"):
        load_table("bad")
