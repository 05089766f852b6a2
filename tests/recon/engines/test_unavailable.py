"""What the engines say where their library is absent or broken: in real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECK = """
import json, sys
{before}
from alsct_gui.recon.engines.registry import get_engine, load_engine
from alsct_gui.model.errors import EngineUnavailableError
state = load_engine({name!r}).check()
try:
    get_engine({name!r})
except EngineUnavailableError as error:
    sentence = error.sentence
print(json.dumps([state.ok, state.reason, state.fix, sentence]))
"""


def check(name: str, before: str = "", path: Path | None = None) -> tuple[str, str]:
    """Reason and fix that an engine gives in a fresh process; it must not be available."""
    environment = dict(os.environ)
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    done = subprocess.run(
        [sys.executable, "-c", CHECK.format(before=before, name=name)],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    ok, reason, fix, sentence = json.loads(done.stdout)
    assert not ok
    assert sentence == f"engine '{name}': {reason} {fix}"
    return reason, fix


@pytest.mark.parametrize(
    ("name", "module", "reason", "fix"),
    [
        ("tomopy", "tomopy", "tomopy is not installed.", "conda install -c conda-forge tomopy"),
        ("astra", "astra", "The ASTRA toolbox is not installed.", "alsct-gui[astra]"),
        ("mbir", "svmbir", "svmbir is not installed.", "alsct-gui[mbir]"),
        ("gpu", "torch", "torch is not installed.", "alsct-gui[gpu]"),
    ],
)
def test_a_missing_library_is_named_with_the_way_to_get_it(
    name: str, module: str, reason: str, fix: str
) -> None:
    said, advice = check(name, before=f"sys.modules[{module!r}] = None")
    assert said == reason
    assert fix in advice


def test_astra_without_the_cuda_runtime_names_the_library(tmp_path: Path) -> None:
    # What the dynamic loader says when ASTRA's wheel is installed without its CUDA wheels.
    loader = "libcudart.so.12: cannot open shared object file: No such file or directory"
    (tmp_path / "astra").mkdir()
    (tmp_path / "astra" / "__init__.py").write_text(f"raise ImportError({loader!r})\n")
    reason, fix = check("astra", path=tmp_path)
    assert "libcudart.so.12 is missing" in reason
    assert "even to work on CPUs" in reason
    assert "nvidia-cuda-runtime-cu12" in fix
    assert "conda install" in fix


@pytest.mark.parametrize(
    ("name", "module"),
    [("tomopy", "tomopy"), ("astra", "astra"), ("mbir", "svmbir"), ("gpu", "torch")],
)
def test_a_library_that_breaks_on_import_is_told_with_its_error(
    name: str, module: str, tmp_path: Path
) -> None:
    (tmp_path / f"{module}.py").write_text("raise RuntimeError('built for another numpy')\n")
    reason, fix = check(name, path=tmp_path)
    assert "RuntimeError: built for another numpy" in reason
    assert fix


def test_a_torch_for_cpus_only_is_told_from_a_missing_gpu(tmp_path: Path) -> None:
    torch = (
        "from types import SimpleNamespace as N\n"
        "__version__ = '9.9'\n"
        "version = N(cuda={cuda})\n"
        "cuda = N(is_available=lambda: False)\n"
    )
    (tmp_path / "torch.py").write_text(torch.format(cuda=None))
    assert "a build for CPUs only" in check("gpu", path=tmp_path)[0]
    (tmp_path / "torch.py").write_text(torch.format(cuda="'13.0'"))
    reason, fix = check("gpu", path=tmp_path)
    assert reason == "torch finds no CUDA device."
    assert "nvidia-smi" in fix
