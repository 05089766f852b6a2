"""The step on files: tables, their facts, the report, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from alsct_gui.files.tables import read_about, read_table
from alsct_gui.model.errors import InputError
from alsct_gui.simulator.specimens.judge import judge_breaks
from napari_alsct_fibers.steps.breaks import BREAKS, FibreBreaks
from tests.plugins.fibers.conftest import PLAIN, SECOND, Painted


def test_breaks_are_told_in_micrometres(results: dict[str, Path], painted: Painted) -> None:
    specimen = painted(PLAIN, SECOND)
    table = read_table(results["151"] / "breaks.csv")
    places = np.column_stack([table.column(name) for name in ("z_um", "y_um", "x_um")])
    verdict = judge_breaks(
        specimen.tables["breaks"], places, beside_um=PLAIN.radius_px * specimen.voxel_um
    )
    assert verdict.missed_share <= 0.03
    assert verdict.false_share <= 0.03
    assert table.facts["axis"] == "z"
    assert table.facts["voxel_um"] == [1.3, 1.3, 1.3]
    np.testing.assert_allclose(table.column("along_um"), table.column("z_um"))
    assert (np.diff(table.column("along_um")) >= 0).all()
    assert table.column("certainty").min() >= 0
    assert table.column("certainty").max() <= 1


def test_fibres_know_their_breaks(results: dict[str, Path]) -> None:
    breaks, fibres = (read_table(results["151"] / f"{name}.csv") for name in ("breaks", "fibres"))
    counted = np.bincount(breaks.column("fibre").astype(int), minlength=fibres.n_rows + 1)[1:]
    np.testing.assert_array_equal(fibres.column("n_breaks"), counted)
    assert fibres.facts["diameter_um"] == pytest.approx(2 * PLAIN.radius_px * 1.3, rel=0.08)
    assert np.median(fibres.column("tilt_deg")) < 2
    about = read_about(results["151"] / "breaks.csv")
    assert about["step"] == "fibers.breaks"
    assert len(about["inputs"][0]["sha256"]) == 64


def test_counts_add_up(results: dict[str, Path]) -> None:
    counts, breaks = (read_table(results["151"] / f"{name}.csv") for name in ("counts", "breaks"))
    assert counts.column("breaks").sum() == breaks.n_rows


def test_the_report_shows_breaks(results: dict[str, Path]) -> None:
    text = (results["151"] / "report.html").read_text(encoding="utf-8")
    assert text.count("data:image/png") == 6
    assert text.count("<svg") == 2
    assert "Breaks over the height" in text
    assert (results["151"] / "printed.pdf").read_bytes().startswith(b"%PDF-")


def test_without_a_voxel_there_are_no_micrometres(painted: Painted) -> None:
    with pytest.raises(InputError, match="how large a voxel is"):
        BREAKS(volume=painted(PLAIN).values)


def test_parameters_reach_the_method(painted: Painted) -> None:
    values = painted(PLAIN).values
    wary = FibreBreaks(voxel_um=1.3, diameter_um=11.7, least_depth=0.98, axis="z")
    assert BREAKS(wary, volume=values)["breaks"].n_rows < 30
