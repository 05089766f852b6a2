"""What is stored inside a product tells how it was made, in full."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alsct_gui.files.provenance import (
    provenance_from_plain,
    provenance_to_plain,
    read_provenance,
)
from alsct_gui.files.writers.base import VolumeFormat, create_volume
from alsct_gui.model.center import CenterEstimate, CenterResult
from alsct_gui.model.errors import InputError, RecipeError
from alsct_gui.model.finding import Finding, Severity
from alsct_gui.model.product import Provenance, Quality
from alsct_gui.model.recipe import Recipe, RingFilter

PROVENANCE = Provenance(
    recipe=Recipe(name="standard", rings=(RingFilter(),)),
    resolved=Recipe(name="standard"),
    input_path="/data/raw/20240101_ü.h5",
    input_identity="2024-01-01 ab",
    input_sha256="0" * 64,
    center=CenterResult(1280.25, 0.9, (CenterEstimate("sinogram", 1280.25, 0.9),), 0.0),
    versions={"alsct-gui": "0.1.0", "numpy": "2.2"},
    engine="fourier 0.1.0",
    batch_slices=8,
    created="2024-01-01T00:00:00Z",
    pixel_size_um=1.3,
    units="1/cm",
    scale=(-1.0, 0.25),
    quality=Quality(2, 2, 0.9, 0.1, 0.5, 0.0, 0.01, 0),
    findings=(Finding("flats-saturated", Severity.WARNING, "Too bright"),),
    seconds={"read": 1.5},
)


def through_json(provenance: Provenance) -> Provenance:
    return provenance_from_plain(json.loads(json.dumps(provenance_to_plain(provenance))))


def test_comes_back_as_it_was() -> None:
    assert through_json(PROVENANCE) == PROVENANCE
    bare = replace(PROVENANCE, quality=None, scale=None, pixel_size_um=None)
    assert through_json(bare) == bare


def test_a_figure_that_could_not_be_computed_stays_unknown() -> None:
    assert PROVENANCE.quality is not None
    quality = replace(PROVENANCE.quality, noise=math.nan)
    back = through_json(replace(PROVENANCE, quality=quality)).quality
    assert back is not None
    assert math.isnan(back.noise)
    assert replace(back, noise=0.5) == PROVENANCE.quality


def test_what_is_wrong_is_named_by_its_path() -> None:
    plain = provenance_to_plain(PROVENANCE)
    for broken, where in [
        (plain | {"versions": {"numpy": 2}}, "provenance.versions.numpy"),
        (plain | {"seconds": [1]}, "provenance.seconds"),
        (plain | {"findings": [plain["findings"][0] | {"severity": "bad"}]}, r"findings\[0\].sev"),
        (plain | {"quality": {"noise": None}}, "provenance.quality"),
        ([], "provenance"),
    ]:
        with pytest.raises(RecipeError, match=where):
            provenance_from_plain(broken)


@pytest.mark.parametrize("kind", ["ome-zarr", "tiff"])
def test_read_from_a_product(tmp_path: Path, kind: VolumeFormat) -> None:
    with create_volume(tmp_path / "rec", shape=(1, 2, 3), dtype="uint8", format=kind) as writer:
        writer.write(0, np.zeros((1, 2, 3), np.uint8))
        path = writer.finish(provenance_to_plain(PROVENANCE))
    assert read_provenance(path) == PROVENANCE
    if kind == "tiff":
        assert read_provenance(next(path.glob("*.tiff"))) == PROVENANCE


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", "null", '{"attributes": 3}', '{"attributes": {"alsct": {}}}',
             "\xff", "[" * 100_000],
)  # fmt: skip
def test_products_that_do_not_tell(tmp_path: Path, text: str) -> None:
    for name in ("zarr.json", "provenance.json"):
        folder = tmp_path / name.removesuffix(".json")
        folder.mkdir()
        (folder / name).write_bytes(text.encode("latin-1"))
        with pytest.raises(InputError):
            read_provenance(folder)


def test_absent(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not tell"):
        read_provenance(tmp_path / "none" / "rec.zarr")
