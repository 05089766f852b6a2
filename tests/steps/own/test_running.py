"""One's own code runs as a step: here in a fresh interpreter, in perl, in a shell."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from alsct_gui.files.identity import file_checksum
from alsct_gui.files.labels import load_labels
from alsct_gui.files.open import open_volume
from alsct_gui.files.provenance import read_made
from alsct_gui.files.resources import resource_path
from alsct_gui.files.tables import read_about, read_table
from alsct_gui.files.writers.base import create_volume
from alsct_gui.model.errors import (
    CancelledError,
    EngineUnavailableError,
    OutputError,
    RecipeError,
    RemoteError,
)
from alsct_gui.model.product import StepProvenance
from alsct_gui.model.progress import CancelToken, Progress
from alsct_gui.steps.jobs import StepJob, StepRequest
from alsct_gui.steps.own import driver
from alsct_gui.steps.own.load import example_files, own_files, own_step, step_files
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
    assert about.record["sha256"] == {str(path): file_checksum(path)}
    assert about.record["packages"]["python"] == sys.version.split()[0]
    assert "scipy" in about.record["packages"]
    assert about.record["file"] == str(path)


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
    bad = write(tmp_path / "worse.py", "def run(v): raise KeyError('here')")
    with pytest.raises(RemoteError, match="KeyError: 'here'"):
        run_step(str(bad), inputs={"v": volume_path}, output=tmp_path / "never.zarr")
    assert not list(tmp_path.glob("*never*"))


def is_gone(pid: int, within_s: float = 20) -> bool:
    """Whether a process ends; a zombie has."""
    end_s = time.monotonic() + within_s
    while time.monotonic() < end_s:
        try:
            text = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return True
        if text.rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.01)
    return False


def test_cancel_ends_the_whole_group(volume_path: Path, tmp_path: Path) -> None:
    script = write(
        tmp_path / "slow.sh",
        "trap '' TERM\nsh -c 'trap \"\" TERM; sleep 600 & echo $! > pid2; wait; wait' &\n"
        f"echo $! > {tmp_path}/pid1; while ! test -s pid2; do sleep 0.02; done\n"
        f"cp pid2 {tmp_path}; echo PROGRESS 0.5; wait; wait\n",
    )
    path = write(tmp_path / "slow.step.yaml", f"command: sh {script}")
    token = CancelToken()

    def told(step: Progress) -> None:
        assert (step.done, step.total) == (500, 1000)
        token.cancel()

    with pytest.raises(CancelledError):
        run_step(str(path), inputs={"volume": volume_path}, output=tmp_path / "never.zarr",
                 reporter=Reporter(progress=told, cancel=token))  # fmt: skip
    for name in ("pid1", "pid2"):
        assert is_gone(int((tmp_path / name).read_text()))


def test_it_ends_with_a_worker_that_is_killed(volume_path: Path, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    script = write(tmp_path / "s.sh", f"sleep 600 & echo $! > {pid}; echo PROGRESS 0.5; wait")
    path = write(tmp_path / "slow.step.yaml", f"command: sh {script}")
    request = StepRequest(str(path), {}, {"volume": str(volume_path)}, str(tmp_path / "o.zarr"))
    job = StepJob(request, tmp_path / "jobs")
    end_s = time.monotonic() + 60
    while job.look().progress is None:
        assert not job.look().ended, job.log.read_text()
        assert time.monotonic() < end_s
        time.sleep(0.01)
    os.kill(job._child.pid, signal.SIGKILL)
    assert is_gone(int(pid.read_text()))
    job.close()


def test_what_it_leaves_behind_ends_with_it(volume_path: Path, tmp_path: Path) -> None:
    """A child in the background that holds its output keeps nobody waiting."""
    pid = tmp_path / "pid"
    script = write(
        tmp_path / "s.sh", f"sleep 600 & echo $! > {pid}; echo z > $1; echo 1 >> $1; echo last"
    )
    path = write(
        tmp_path / "s.step.yaml", f"command: sh {script} {{input}} {{output}}\noutput: table"
    )
    text = path.read_text().replace("{input} ", "")
    path.write_text(text)
    made = run_step(str(path), inputs={"volume": volume_path}, output=tmp_path / "t.csv")
    assert read_table(made.outputs["made"]).column("z").tolist() == [1]
    assert read_about(made.outputs["made"])["record"]["printed"] == "last"
    assert is_gone(int(pid.read_text()))


def test_garbage_is_no_progress_and_its_words_are_kept(volume_path: Path, tmp_path: Path) -> None:
    told: list[Progress] = []
    script = write(
        tmp_path / "noise.py",
        "import sys\nout = sys.stdout.buffer\n"
        "for line in (b'PROGRESS', b'PROGRESS x', b'PROGRESS nan', b'PROGRESS 1.2.3',\n"
        "             b'PROGRESS 0.5 [red]st\\x1bage', b'PROGRESS 7', b'PROGRESS -1e9',\n"
        "             b'PROGRESSIVE', b'\\xff\\xfe', b'\\0', b'1%\\r2%\\r3%'):\n"
        "    out.write(line + b'\\n')\n"
        "out.write(b'a' * 300_000)\nout.flush()\nsys.stderr.write('no end of line')\n"
        "open(sys.argv[1], 'w').write('a,b\\n1,x\\n')\n",
    )
    path = write(
        tmp_path / "n.step.yaml",
        f"output: table\ncommand: {json.dumps(f'{sys.executable} {script} {{output}}')}",
    )
    made = run_step(str(path), inputs={"volume": volume_path}, output=tmp_path / "t.csv",
                    reporter=Reporter(progress=told.append))  # fmt: skip
    assert [(step.stage, step.done) for step in told] == [
        ("[red]stage", 500), ("own code", 1000), ("own code", 0),
    ]  # fmt: skip
    printed = read_about(made.outputs["made"])["record"]["printed"]
    assert len(printed) <= 20_000
    assert "no end of line" in printed


CASES = {
    "return None": "returns nothing",
    "return numpy.zeros((2, 3, 4, 5))": "its shape is",
    "return numpy.zeros((0, 3, 4))": "its shape is",
    "return numpy.zeros((2, 3, 4), complex)": "of type complex128",
    "return {'a': 1}": "is no volume",
    "raise SystemExit(3)": "exit code 3",
    "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)": "was ended by SIGSEGV",
}


@pytest.mark.parametrize(("body", "words"), CASES.items())
def test_functions_that_return_something_else(
    volume_path: Path, tmp_path: Path, body: str, words: str
) -> None:
    code = write(tmp_path / "f.py", f"import numpy\ndef run(v): {body}")
    with pytest.raises((OutputError, RemoteError), match=words):
        run_step(str(code), inputs={"v": volume_path}, output=tmp_path / "never.zarr")
    assert not list(tmp_path.glob("*never*"))


@pytest.mark.parametrize(
    "text", ["", "a,b\n1\n", "a,a\n1,2\n", "\n\n", '{"a": 1}', "[1]", '{"a": [1], "b": []}']
)
def test_tables_that_are_none(volume_path: Path, tmp_path: Path, text: str) -> None:
    source = write(tmp_path / "source", text)
    suffix = ".json" if text[:1] in ("{", "[") else ".csv"
    path = write(
        tmp_path / "t.step.yaml",
        f"output: table\noutput_suffix: {suffix}\ncommand: cp {source} {{output}}",
    )
    with pytest.raises(OutputError, match="is no table"):
        run_step(str(path), inputs={"volume": volume_path}, output=tmp_path / "never.csv")


def test_a_volume_of_another_shape_has_no_voxel_size_of_its_input(
    volume_path: Path, tmp_path: Path
) -> None:
    code = write(tmp_path / "f.py", "def run(v): return v[::2, ::2, ::2]")
    made = run_step(str(code), inputs={"v": volume_path}, output=tmp_path / "half.zarr")
    with open_volume(made.outputs["made"]) as volume:
        assert volume.shape == (10, 45, 55)
        assert volume.voxel_um is None


def test_labels_and_tables_go_in(volume_path: Path, tmp_path: Path) -> None:
    mask = write(tmp_path / "m.py", "OUTPUT = 'labels'\ndef run(v): return v > 0.7")
    masked = run_step(str(mask), inputs={"v": volume_path}, output=tmp_path / "m.labels.zarr")
    count = write(
        tmp_path / "c.py",
        "OUTPUT = 'table'\ndef run(mask): return {'n': int((mask > 0).sum())}",
    )
    counted = run_step(
        str(count), inputs={"mask": masked.outputs["made"]}, output=tmp_path / "c.csv"
    )
    twice = write(
        tmp_path / "d.py",
        "import csv\nOUTPUT = 'table'\ndef run(table):\n"
        "    return {'n': [2 * int(r['n']) for r in csv.DictReader(open(table))]}",
    )
    made = run_step(
        str(twice), inputs={"table": counted.outputs["made"]}, output=tmp_path / "d.csv"
    )
    labels = load_labels(masked.outputs["made"]).labels[:]
    assert read_table(made.outputs["made"]).column("n").tolist() == [2 * int((labels > 0).sum())]


def test_names_that_a_shell_would_read_as_words(tmp_path: Path, values: Array) -> None:
    folder = tmp_path / "a b'c\"d\n$(touch pwned);`touch pwned`"
    folder.mkdir()
    with create_volume(folder / "{output} *.zarr", shape=values.shape, dtype="float32") as writer:
        writer.write(0, values)
        volume = writer.finish()
    script = write(folder / "copy $HOME.sh", 'cp -r "$1" "$2"')
    path = write(
        folder / "copy.step.yaml",
        "command: sh '{here}/copy $HOME.sh' {input} {output}\noutput_suffix: .zarr",
    )
    made = run_step(str(path), inputs={"volume": volume}, output=folder / "o.zarr")
    with open_volume(made.outputs["made"]) as copied:
        np.testing.assert_array_equal(copied.levels[0][:], values)
    about = read_made(made.outputs["made"])
    assert isinstance(about, StepProvenance)
    assert about.record["sha256"][str(script)] == file_checksum(script)
    assert not list(tmp_path.rglob("pwned"))
    assert not Path("pwned").exists()


def test_an_interpreter_that_is_absent(volume_path: Path, tmp_path: Path) -> None:
    code = write(tmp_path / "f.py", "def run(v): return v")
    write(tmp_path / "f.step.yaml", "environment: {python: /no/such/python}")
    with pytest.raises(EngineUnavailableError, match="/no/such/python: cannot be started"):
        run_step(str(code), inputs={"v": volume_path}, output=tmp_path / "never.zarr")


def test_a_container_is_started_and_ended_by_its_name(
    volume_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that writes down what it is told, and works here."""
    said = tmp_path / "said"
    engine = tmp_path / "bin" / "podman"
    engine.parent.mkdir()
    write(
        engine,
        f'#!/bin/sh\necho "$@" >> {said}\ntest "$1" = run || exit 0\n'
        "echo PROGRESS 0.5; exec sleep 600\n",
    )
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{engine.parent}:{os.environ['PATH']}")
    code = write(tmp_path / "f.py", "def run(v): return v")
    write(tmp_path / "f.step.yaml", "environment: {container: example/ct}")
    token = CancelToken()
    with pytest.raises(CancelledError):
        run_step(str(code), inputs={"v": volume_path}, output=tmp_path / "never.zarr",
                 reporter=Reporter(cancel=token, progress=lambda step: token.cancel()
                                   if step.stage == "own code" else None))  # fmt: skip
    started, ended = said.read_text().splitlines()
    name = started.split()[started.split().index("--name") + 1]
    assert f"example/ct python {Path(driver.__file__)}" in started
    assert ended == f"kill {name}"


def test_a_command_beside_a_script_of_its_name(volume_path: Path, tmp_path: Path) -> None:
    script = write(tmp_path / "mine.py", "import sys\nopen(sys.argv[1], 'w').write('a\\n5\\n')")
    path = write(
        tmp_path / "mine.step.yaml",
        f"output: table\ncommand: '{sys.executable} {{here}}/mine.py {{output}}'",
    )
    assert step_files(tmp_path) == [path]
    assert own_step(script).key == str(path)
    made = run_step(str(path), inputs={"volume": volume_path}, output=tmp_path / "t.csv")
    assert read_table(made.outputs["made"]).column("a").tolist() == [5]


def test_a_function_that_takes_anything(volume_path: Path, tmp_path: Path) -> None:
    code = write(
        tmp_path / "f.py", "OUTPUT = 'table'\ndef run(v, **given): return {'n': given['n']}"
    )
    write(tmp_path / "f.step.yaml", "parameters: {n: {type: int, default: 4}}")
    made = run_step(str(code), {"n": 7}, inputs={"v": volume_path}, output=tmp_path / "t.csv")
    assert read_table(made.outputs["made"]).column("n").tolist() == [7]
    code.write_text("def run(v): return v")
    with pytest.raises(RecipeError, match="has no 'n'"):
        own_step(code)


def test_the_scratch_goes_with_the_result(
    volume_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: Array
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    path = write(
        tmp_path / "copy.step.yaml", "command: cp -r {input} {output}\noutput_suffix: .zarr"
    )
    with open_volume(volume_path) as volume:
        made = own_step(path)(None, Reporter(scratch=scratch), volume=volume)
        np.testing.assert_array_equal(made["made"].values[3], values[3])
        assert len(list(scratch.iterdir())) == 1
        del made
        gc.collect()
        assert not list(scratch.iterdir())


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
    assert about["record"]["environment"]["python"] == str(mine)
    assert about["record"]["packages"]["python"] == sys.version.split()[0]


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


def test_cancel_ends_the_kernel_of_a_notebook(volume_path: Path, tmp_path: Path) -> None:
    pytest.importorskip("papermill", reason="the extra notebook is not installed")
    pid = tmp_path / "pid"
    work = (
        f"import os, time\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\n"
        "print('PROGRESS 0.25 kernel', flush=True)\ntime.sleep(600)"
    )
    cell = 'input = ""\noutput = "b.csv"\n'
    path = notebook(tmp_path / "p.ipynb", (cell, ["parameters"]), (work, []))
    token = CancelToken()
    with pytest.raises(CancelledError):
        run_step(str(path), inputs={"volume": volume_path}, output=tmp_path / "b.csv",
                 reporter=Reporter(cancel=token, progress=lambda step: token.cancel()
                                   if step.stage == "kernel" else None))  # fmt: skip
    assert is_gone(int(pid.read_text()))


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
