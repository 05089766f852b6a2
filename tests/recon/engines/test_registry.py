"""Finding engines by entry point, and engines of other packages that are broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from alsct_gui.model.errors import EngineUnavailableError
from alsct_gui.recon.engines.base import Cancellable, Engine, Estimating
from alsct_gui.recon.engines.registry import engine_names, get_engine, list_engines, load_engine

OWN = ["fourier", "astra", "gpu", "mbir", "tomopy"]

FOREIGN = """
import numpy as np
from alsct_gui.recon.engines.base import Availability, Capabilities

class Good:
    def capabilities(self): return Capabilities("good", "A guest", ("zero",))
    def check(self): return Availability(ok=True, version="7")
    def memory_needed(self, geometry, n_slices, settings): return n_slices
    def reconstruct(self, sinograms, geometry, settings, *, out=None, threads=1):
        return np.zeros((len(sinograms), geometry.size, geometry.size), np.float32)

class Incomplete:
    def capabilities(self): return Capabilities("incomplete", "Half an engine", ("none",))

class Explodes:
    def __init__(self): raise ZeroDivisionError("at the worst moment")

class CheckExplodes(Good):
    def check(self): raise OSError("no such device")
"""

ENTRY_POINTS = """[alsct_gui.engines]
good = foreign_engines:Good
incomplete = foreign_engines:Incomplete
explodes = foreign_engines:Explodes
checks-badly = foreign_engines:CheckExplodes
missing = foreign_engines:NotThere
no-module = foreign_engines_absent:Anything
fourier = foreign_engines:Good
"""

LIST = """
import json
from alsct_gui.recon.engines.registry import list_engines, load_engine
rows = {c.name: [a.ok, a.version, a.reason, a.fix] for c, a in list_engines()}
rows["fourier is"] = type(load_engine("fourier")).__module__
print(json.dumps(rows))
"""


def test_own_engines_are_found_with_fourier_first() -> None:
    names = engine_names()
    assert names[0] == "fourier"
    assert set(OWN) <= set(names)


def test_every_engine_keeps_the_protocol_and_says_what_it_is() -> None:
    rows = list_engines()
    assert [can.name for can, _ in rows] == engine_names()
    for can, here in rows:
        assert isinstance(load_engine(can.name), Engine)
        assert can.title
        assert can.algorithms
        if here.ok:
            assert not here.reason
        else:
            assert here.reason.endswith(".")
            assert here.fix.endswith(".")
            assert not here.reason.endswith("..")


def test_the_note_of_tomopy_says_that_gridrec_is_not_quantitative() -> None:
    capabilities = load_engine("tomopy").capabilities()
    assert not capabilities.quantitative
    assert "not quantitative" in capabilities.note


def test_mbir_can_tell_its_cost_and_be_cancelled() -> None:
    engine = load_engine("mbir")
    assert isinstance(engine, Estimating)
    assert isinstance(engine, Cancellable)
    assert engine.capabilities().own_process


def test_a_wrong_name_gets_the_near_one_and_all_names() -> None:
    with pytest.raises(EngineUnavailableError) as caught:
        get_engine("furier")
    assert "Did you mean 'fourier'?" in caught.value.sentence
    for name in OWN:
        assert name in caught.value.sentence


def test_an_engine_that_cannot_run_is_refused_with_its_reason() -> None:
    absent = [(can, here) for can, here in list_engines() if not here.ok]
    if not absent:
        pytest.skip("every engine can run on this machine")
    for can, here in absent:
        with pytest.raises(EngineUnavailableError) as caught:
            get_engine(can.name)
        assert here.reason.rstrip(".") in caught.value.sentence
        assert here.fix.rstrip(".") in caught.value.sentence
        assert ".." not in caught.value.sentence


def test_broken_engines_of_other_packages_are_listed_and_harm_none(tmp_path: Path) -> None:
    (tmp_path / "foreign_engines.py").write_text(FOREIGN)
    info = tmp_path / "foreign_engines-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign-engines\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    done = subprocess.run(
        [sys.executable, "-c", LIST],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = json.loads(done.stdout)
    assert rows["good"][:2] == [True, "7"]
    assert set(OWN) <= set(rows)
    assert rows["fourier is"] == "alsct_gui.recon.engines.fourier"
    expected = {
        "incomplete": "lacks some of capabilities, check, memory_needed and reconstruct",
        "explodes": "ZeroDivisionError: at the worst moment",
        "checks-badly": "OSError: no such device",
        "missing": "AttributeError",
        "no-module": "ModuleNotFoundError",
    }
    for name, words in expected.items():
        ok, _, reason, fix = rows[name]
        assert not ok
        assert words in reason
        assert "foreign-engines" in fix
