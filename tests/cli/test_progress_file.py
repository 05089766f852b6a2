"""`alsct recon --progress-file`: whoever watches from outside sees how far a run is."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Alsct


def test_recon_keeps_a_progress_file(alsct: Alsct, foam: Path, tmp_path: Path) -> None:
    place, told = tmp_path / "rec.zarr", tmp_path / "a $(b) 'c.json"
    words = ("-s", "rings=[]", "--rows", "2:6", "--center", "66.3", "--progress-file", told)
    assert alsct("recon", foam, "-o", place, *words, "--json").code == 0
    seen = json.loads(told.read_text())
    assert (seen["state"], seen["stage"], seen["slices"]) == ("finished", "slices", 4)
    assert alsct("recon", foam, "-o", place, *words).code == 7
    seen = json.loads(told.read_text())
    assert seen["state"] == "failed"
    assert str(place) in seen["message"]
    assert seen["slices"] is None
    assert [path for path in tmp_path.iterdir() if "partial" in path.name] == []
