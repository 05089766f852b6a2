"""One's own code runs as a step: here in a fresh interpreter, in perl, in a shell."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from alsct_gui.face.ownface import example_files
from alsct_gui.files.labels import load_labels
from alsct_gui.files.open import open_volume
from alsct_gui.files.provenance import read_made
from alsct_gui.files.resources import resource_path
from alsct_gui.files.tables import read_table
from alsct_gui.model.errors import CancelledError, EngineUnavailableError, OutputError, RemoteError
from alsct_gui.model.product import StepProvenance
from alsct_gui.model.progress import CancelToken, Progress
from alsct_gui.steps.own.load import own_files, own_step
from alsct_gui.steps.registry import get_step, list_steps
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.running import run_step
from tests.steps.own.test_source import notebook, write

Array = np.ndarray[Any, Any]
EXAMPLES = resource_path("examples")


def test_the_example_of_a_function(volume_path: Path, values: Array, tmp_path: Path) -> None:
    told: list[Progress] = []
    path = EXAMPLES / "local_contrast.py"
    result = run_step(
        str(path), {"window": 5, "strength": 1.0}, inputs={"volume": volume_path},
        output=tmp_path / "out.zarr", reporter=Reporter(progress=told.append),
    )  # fmt: skip
    with open_volume(result.outputs["made"]) as made:
        flat = np.stack([uniform_filter(plane, 5) for plane in values])
        np.testing.assert_allclose(made.levels[0][:], values - flat + values[10].mean(), atol=1e-4)
        assert made.voxel_um == (2.0, 0.65, 0.65)
        assert made.units == "1/cm"
    shares = [step.done / step.total for step in told if step.stage == "slices"]
    assert shares[-1] == 1.0
    assert len(shares) >= 20
    about = read_made(tmp_path / "out.zarr")
    assert isinstance(about, StepProvenance)
    assert about.step == "own.local-contrast"
    assert about.parameters["window"] == 5
    assert len(about.versions["own code sha256"]) == 64
    assert about.versions["python"] == sys.version.split()[0]
    assert "scipy" in about.versions


def test_the_example_that_is_not_python(volume_path: Path, values: Array, tmp_path: Path) -> None:
    result = run_step(
        str(EXAMPLES / "porosity.step.yaml"), {"threshold": 0.125},
        inputs={"volume": volume_path}, output=tmp_path / "porosity.csv",
    )  # fmt: skip
    table = read_table(result.outputs["made"])
    expected = (values < np.float32(0.125)).mean(axis=(1, 2))
    np.testing.assert_allclose(table.column("porosity"), expected, atol=1e-6)
    assert table.column("slice").tolist() == list(range(20))


def test_the_example_of_a_notebook(volume_path: Path, values: Array, tmp_path: Path) -> None:
    result = run_step(
        str(EXAMPLES / "grey_values.ipynb"), {"percentile": 90.0, "every": 2},
        inputs={"volume": volume_path}, output=tmp_path / "grey.csv",
    )  # fmt: skip
    table = read_table(result.outputs["made"])
    assert table.column("slice").tolist() == list(range(0, 20, 2))
    np.testing.assert_allclose(
        table.column("percentile_90"), np.percentile(values[::2], 90, axis=(1, 2)), rtol=1e-5
    )


def test_every_example_is_a_step() -> None:
    names = {path.name for path in example_files()}
    assert names == {"local_contrast.py", "porosity.step.yaml", "grey_values.ipynb"}
    for path in example_files():
        assert own_step(path).sentence.endswith(".")


def test_labels_tables_and_reports_of_functions(volume_path: Path, tmp_path: Path) -> None:
    labels = write(tmp_path / "l.py", "OUTPUT='labels'\ndef run(v, t: float = 0.7): return v > t")
    made = run_step(str(labels), inputs={"v": volume_path}, output=tmp_path / "l.labels.zarr")
    assert set(np.unique(load_labels(made.outputs["made"]).labels[:])) == {0, 1}
    table = write(
        tmp_path / "t.py",
        "OUTPUT = 'table'\ndef run(v):\n    return {'z': [0, 1], 'mean': v[:2].mean(axis=(1, 2))}",
    )
    made = run_step(str(table), inputs={"v": volume_path}, output=tmp_path / "t.csv")
    assert read_table(made.outputs["made"]).column("z").tolist() == [0, 1]
    report = write(
        tmp_path / "r.py",
        "OUTPUT='report'\ndef run(v):\n    open('r.html', 'w').write('<p>hi')\n    return 'r.html'",
    )
    made = run_step(str(report), inputs={"v": volume_path}, output=tmp_path / "r.html")
    assert made.outputs["made"].read_text() == "<p>hi"


@pytest.mark.parametrize("wanted", ["zarr", "tiff", "npy", ""])
def test_volumes_are_handed_over_as_wanted(volume_path: Path, tmp_path: Path, wanted: str) -> None:
    script = write(
        tmp_path / "copy.sh",
        'case "$3" in npy) head -c 6 "$1" | tail -c 5 | grep -q NUMPY || exit 4;;\n'
        ' tiff) ls "$1"/*.tif* >/dev/null || exit 5;; *) test -f "$1/zarr.json" || exit 6;; esac\n'
        'cp -r "$1" "$2"\n',
    )
    suffix = {"npy": ".npy", "tiff": ""}.get(wanted, ".zarr")
    text = f"command: sh {script} {{input}} {{output}} '{wanted}'\noutput_suffix: '{suffix}'\n"
    if wanted:
        text += f"input_format: {wanted}\n"
    path = write(tmp_path / "copy.step.yaml", text)
    if wanted == "tiff":  # without an ending the usual one is taken
        path.write_text(text.replace("output_suffix: ''\n", ""))
    result = run_step(str(path), inputs={"volume": volume_path}, output=tmp_path / "o.zarr")
    with open_volume(result.outputs["made"]) as made, open_volume(volume_path) as before:
        np.testing.assert_array_equal(made.levels[0][:], before.levels[0][:])


def test_what_goes_wrong_says_so(volume_path: Path, tmp_path: Path) -> None:
    cases = (
        ("sh -c 'echo first; echo the reason >&2; exit 3'", RemoteError, "code 3: the reason"),
        ("sh -c 'true'", OutputError, "nothing was written there"),
        ("sh -c 'echo no > $0' {output}", OutputError, "is no volume"),
        ("no-such-program {input}", EngineUnavailableError, "cannot be started"),
    )
    for command, kind, words in cases:
        path = write(tmp_path / "bad.step.yaml", f"command: {json.dumps(command)}")
        with pytest.raises(kind, match=words):
            run_step(str(path), inputs={"volume": volume_path}, output=tmp_path / "never.zarr")
    bad = write(tmp_path / "bad.py", "def run(v): raise KeyError('here')")
    with pytest.raises(RemoteError, match="KeyError: 'here'"):
        run_step(str(bad), inputs={"v": volume_path}, output=tmp_path / "never.zarr")
    assert not list(tmp_path.glob("*never*"))


def test_cancel_ends_the_whole_group(volume_path: Path, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    command = f"sh -c 'trap \"\" TERM; sleep 600 & echo $! > {pid}; echo PROGRESS 0.5; wait; wait'"
    path = write(tmp_path / "slow.step.yaml", f"command: {json.dumps(command)}")
    token = CancelToken()

    def told(step: Progress) -> None:
        assert (step.done, step.total) == (500, 1000)
        token.cancel()

    with pytest.raises(CancelledError):
        run_step(str(path), inputs={"volume": volume_path}, output=tmp_path / "never.zarr",
                 reporter=Reporter(progress=told, cancel=token))  # fmt: skip
    grandchild = int(pid.read_text())
    end_s = time.monotonic() + 20
    while Path(f"/proc/{grandchild}/stat").exists():
        state = Path(f"/proc/{grandchild}/stat").read_text().rpartition(")")[2].split()[0]
        if state == "Z":
            break
        assert time.monotonic() < end_s
        time.sleep(0.01)


def test_another_interpreter_sees_none_of_our_modules(volume_path: Path, tmp_path: Path) -> None:
    """The code runs in an interpreter that it names, which has numpy by a path of its own."""
    site = Path(np.__file__).parents[1]
    mine = tmp_path / "python"
    mine.write_text(
        f'#!/bin/sh\nPYTHONPATH={site} exec {sys.executable} -S "$@"\n', encoding="utf-8"
    )
    mine.chmod(0o755)
    code = write(
        tmp_path / "seen.py",
        "OUTPUT = 'table'\ndef run(v):\n    import sys\n"
        "    return {'site': ['-S' if not sys.flags.no_site == 0 else 'with site']}",
    )
    write(tmp_path / "seen.step.yaml", f"environment: {{python: {mine}}}")
    made = run_step(str(code), inputs={"v": volume_path}, output=tmp_path / "t.csv")
    assert read_table(made.outputs["made"]).column("site").tolist() == ["-S"]
    about = read_made_of_table(made.outputs["made"])
    assert about["versions"]["own code interpreter"] == str(mine)


def read_made_of_table(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.with_suffix(".json").read_text()))


def test_a_notebook_with_magic_lines_asks_for_papermill(
    volume_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("numpy")
    cell = f'input = "{volume_path}"\noutput = "b.csv"\n'
    path = notebook(tmp_path / "m.ipynb", (cell, ["parameters"]), ("%matplotlib inline", []))
    hidden = tmp_path / "hidden"
    (hidden / "sitecustomize").mkdir(parents=True)
    (hidden / "sitecustomize" / "__init__.py").write_text(
        "import sys\nsys.modules['papermill'] = None\n"
    )
    mine = tmp_path / "python"
    mine.write_text(f'#!/bin/sh\nPYTHONPATH={hidden} exec {sys.executable} "$@"\n')
    mine.chmod(0o755)
    write(tmp_path / "m.step.yaml", f"environment: {{python: {mine}}}")
    with pytest.raises(RemoteError, match=r"install papermill|papermill\.__spec__"):
        run_step(str(path), inputs={"volume": volume_path}, output=tmp_path / "b.csv")


def test_papermill_executes_a_notebook(volume_path: Path, tmp_path: Path) -> None:
    pytest.importorskip("papermill", reason="the extra notebook is not installed")
    cell = 'input = ""\noutput = "b.csv"\nsize = 1\n'
    work = "with open(output, 'w') as f:\n    f.write(f'size\\n{size}\\n')"
    path = notebook(tmp_path / "p.ipynb", (cell, ["parameters"]), (work, []))
    made = run_step(str(path), {"size": 7}, inputs={"volume": volume_path},
                    output=tmp_path / "b.csv")  # fmt: skip
    assert read_table(made.outputs["made"]).column("size").tolist() == [7]


def test_ones_own_folder_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALSCT_OWN_STEPS", str(tmp_path))
    write(tmp_path / "My Filter.py", "def run(volume, size: int = 3): return volume")
    write(tmp_path / "My Filter.step.yaml", "title: Mine")
    write(tmp_path / "bad.py", "def go(): pass")
    write(tmp_path / "notes.txt", "no step")
    assert [path.name for path in own_files()] == ["My Filter.py", "bad.py"]
    rows = {found.name: found for found in list_steps()}
    assert rows["own.my-filter"].step is not None
    assert "has no function run" in rows["bad.py"].error
    assert get_step("own.my-filter").title == "Mine"
    assert os.fspath(tmp_path / "My Filter.py") == get_step("own.my-filter").key
