"""Tables come back as they were, and say when they cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from alsct_gui.files.tables import read_about, read_table, write_table
from alsct_gui.model.errors import InputError, OutputError
from alsct_gui.model.table import Column, Table

TABLE = Table(
    (Column("label"), Column("diameter_um", "µm", "Of the sphere of equal volume."), Column("at")),
    (np.array([1, 2]), np.array([3.25, np.nan]), np.array(["edge, left", 'in"side'])),
    {"porosity": np.float64(0.25), "lost": np.nan}, "labels",
)  # fmt: skip


def test_comes_back_as_it_was(tmp_path: Path) -> None:
    path = write_table(tmp_path / "sizes.csv", TABLE, {"step": "toy.count"})
    back = read_table(path)
    assert back.columns == TABLE.columns
    assert back.column("label").tolist() == [1, 2]
    np.testing.assert_array_equal(back.column("diameter_um"), [3.25, np.nan])
    assert back.column("at").tolist() == ["edge, left", 'in"side']
    assert (back.facts, back.objects) == ({"porosity": 0.25, "lost": None}, "labels")
    assert read_about(path)["step"] == "toy.count"
    assert path.read_text().splitlines()[:2] == ["label,diameter_um,at", '1,3.25,"edge, left"']
    empty = Table((Column("label"),), (np.zeros(0, int),))
    assert read_table(write_table(tmp_path / "none.csv", empty)).n_rows == 0


def test_what_has_the_name_is_kept(tmp_path: Path) -> None:
    path = write_table(tmp_path / "sizes.csv", TABLE)
    with pytest.raises(OutputError, match="exists already"):
        write_table(path, TABLE)
    write_table(path, TABLE, replace=True)
    assert len(list(tmp_path.glob("*.old-*"))) == 2


@pytest.mark.parametrize(
    ("file", "text"),
    [("a.json", "[]"), ("a.json", '{"kind": "labels"}'), ("a.json", "{"), ("a.csv", "x,y\n1,2\n"),
     ("a.csv", "label,diameter_um,at\n1\n"), ("a.csv", "")],
)  # fmt: skip
def test_what_is_no_table(tmp_path: Path, file: str, text: str) -> None:
    write_table(tmp_path / "a.csv", TABLE)
    (tmp_path / file).write_text(text)
    with pytest.raises(InputError):
        read_table(tmp_path / "a.csv")


def test_columns_must_fit() -> None:
    with pytest.raises(ValueError, match="equally long"):
        Table((Column("a"), Column("b")), (np.zeros(2), np.zeros(3)))
    with pytest.raises(ValueError, match="1 columns, 0 arrays"):
        Table((Column("a"),), ())
    with pytest.raises(KeyError):
        TABLE.column("none")
