"""The job's script with real bash: names of any kind reach the reconstruction unharmed."""

from __future__ import annotations

import json
import os
import stat
import string
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from alsct_gui.superfacility.compute.base import (
    MOST_ALONG_BYTES,
    JobRequest,
    Resources,
    StepCall,
    job_name,
)
from alsct_gui.superfacility.compute.script import (
    Site,
    body,
    job_contents,
    job_files,
    manifest_bytes,
    manifest_of,
    script_text,
)
from alsct_gui.superfacility.errors import RefusedError

RESOURCES = Resources("realtime", "als", "cpu", time_s=900)
SITE = Site("/global/cfs/cdirs/als/jobs")

# What is run instead of the reconstruction: it tells the words it was given.
TELL = "import json, os, sys; print(json.dumps([list(os.fsencode(w)) for w in sys.argv[1:]]))"

hostile = st.text(
    st.characters(blacklist_characters="/\0", blacklist_categories=()), min_size=1, max_size=30
).filter(lambda name: name not in (".", "..") and _encodes(name))


def _encodes(name: str) -> bool:
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return False
    return True


def run(script: str, manifest: str, job: str = "1") -> subprocess.CompletedProcess[str]:
    """Run the script as Slurm does: from a copy, with its argument and the job's id."""
    return subprocess.run(
        ["bash", script, manifest], capture_output=True, text=True,
        env={"PATH": os.environ["PATH"], "SLURM_JOB_ID": job}, timeout=60,
    )  # fmt: skip


def prepared(folder: Path, job: JobRequest, program: tuple[str, ...]) -> tuple[str, str]:
    """Write script and manifest of a job that runs a program in place of a container."""
    site = Site(str(folder), runtime="none", mounts=(), program=program)
    files = job_files(site, job.name)
    Path(files.script).write_text(script_text(job.name, job.resources, site))
    Path(files.manifest).write_bytes(manifest_bytes(manifest_of(job, site)))
    return files.script, files.manifest


@pytest.fixture(scope="module")
def safe_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("jobs")


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(hostile, hostile, st.lists(hostile, min_size=20, max_size=60))
@example("a b'c\"d", "$(touch /tmp/x)`id`", ["\n\t;|&<>*?[]{}~!#\\", "../x", "--", "-rf"])
@example("..x..", "é\u202e🧪", ["\udcff\udc80", " ", "-n", "\n"])
def test_hostile_names_arrive_byte_for_byte(
    safe_folder: Path, sample: str, proposal: str, options: list[str]
) -> None:
    scan, output = f"/data/{proposal}/{sample}.h5", f"/data/{proposal}/rec{sample}.zarr"
    key = f"{sample}\0{proposal}\0{options}"
    job = JobRequest(key, scan, output, RESOURCES, options=tuple(options))
    script, manifest = prepared(safe_folder, job, (sys.executable, "-c", TELL))
    done = run(script, manifest)
    assert done.returncode == 0, done.stderr
    words = [bytes(word) for word in json.loads(done.stdout)]
    assert words[0] == b"--output=" + os.fsencode(output)
    assert words[-2:] == [b"--", os.fsencode(scan)]
    assert words[5:-2] == [os.fsencode(option) for option in options]
    assert (safe_folder / f"{job.name}.end").read_text() == "0\n"


def test_the_manifest_may_lie_in_a_hostile_folder(tmp_path: Path) -> None:
    folder = tmp_path / "safe"
    folder.mkdir()
    script, manifest = prepared(
        folder, JobRequest("k", "/a/b", "/a/c", RESOURCES), (sys.executable, "-c", TELL)
    )
    odd = tmp_path / "a $(touch x) 'b\"\nc"
    odd.mkdir()
    moved = Path(manifest).rename(odd / "-m.json")
    assert run(script, str(moved)).returncode == 0
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ("{", "cannot be read"), ('{"version": 2}', "cannot be read"),
        ('{"version": 1}', "lacks entries"),
        ('{"version": 1, "name": "../x", "folder": "/tmp", "program": ["true"]}', "not one"),
        ('{"version": 1, "name": "a\\u0000b"}', "cannot be read"),
    ],
)  # fmt: skip
def test_a_broken_manifest_is_refused(tmp_path: Path, manifest: str, said: str) -> None:
    (tmp_path / "m.json").write_text(manifest)
    (tmp_path / "s").write_text(body())
    done = run(str(tmp_path / "s"), str(tmp_path / "m.json"))
    assert done.returncode == 64
    assert said in done.stderr


def test_work_is_done_once_however_many_jobs_have_it(tmp_path: Path) -> None:
    log = tmp_path / "done.log"
    program = (sys.executable, "-c", f"open({str(log)!r}, 'a').write('x')")
    script, manifest = prepared(tmp_path, JobRequest("k", "/a/b", "/a/c", RESOURCES), program)
    assert run(script, manifest, "7").returncode == 0
    second = run(script, manifest, "8")
    assert second.returncode == 0
    assert "job 7 has this work" in second.stdout
    assert log.read_text() == "x"
    assert run(script, manifest, "7").returncode == 0, "the same job may go on after a requeue"
    assert log.read_text() == "xx"


def test_the_exit_code_is_the_programs_and_a_signal_reaches_it(tmp_path: Path) -> None:
    script, manifest = prepared(
        tmp_path, JobRequest("a", "/a/b", "/a/c", RESOURCES), ("bash", "-c", "exit 6")
    )
    assert run(script, manifest).returncode == 6
    job = JobRequest("b", "/a/b", "/a/c", RESOURCES)
    wait = "trap 'exit 130' TERM; echo up; while :; do read -t 0.05 <> <(:) ; done"
    script, manifest = prepared(tmp_path, job, ("bash", "-c", wait))
    with subprocess.Popen(
        ["bash", script, manifest], env={"PATH": os.environ["PATH"], "SLURM_JOB_ID": "9"},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.terminate()
        assert process.wait(20) == 130
    assert (tmp_path / f"{job.name}.end").read_text() == "130\n"


def test_a_staged_scan_is_copied_and_the_copy_goes(tmp_path: Path) -> None:
    raw = tmp_path / "raw $x"
    raw.mkdir()
    scan = raw / "a 'b'.h5"
    scan.write_bytes(b"frames")
    folder = tmp_path / "jobs"
    folder.mkdir()
    job = JobRequest("k", str(scan), "/a/c", RESOURCES, stage=True)
    read = "import sys; print(sys.argv[-1], open(sys.argv[-1]).read())"
    script, manifest = prepared(folder, job, (sys.executable, "-c", read))
    done = run(script, manifest)
    assert done.stdout == f"{folder}/{job.name}.work/a 'b'.h5 frames\n"
    assert not (folder / f"{job.name}.work").exists()
    assert scan.read_bytes() == b"frames"
    gone = JobRequest("l", str(raw / "none.h5"), "/a/c", RESOURCES, stage=True)
    done = run(*prepared(folder, gone, ("true",)))
    assert done.returncode == 74
    assert "cannot be copied" in done.stderr


SHIM = '#!/bin/bash\nprintf \'%s\\0\' "${NUMBA_CACHE_DIR:-}" "${0##*/}" "$@"\n'


def contained(folder: Path, runtime: str, **own: str) -> tuple[list[str], JobRequest, Site]:
    """Run a job whose `srun` says its words: where compiled code lies, its name, all others."""
    shims = folder / "bin"
    shims.mkdir()
    shim = shims / "srun"
    shim.write_text(SHIM)
    shim.chmod(0o755)
    site = Site(str(folder), runtime=runtime, mounts=(str(folder), "/cfs"))  # type: ignore[arg-type]
    job = JobRequest("k", "/cfs/a $(b) 'c.h5", f"{folder}/r", RESOURCES)
    files = job_files(site, job.name)
    Path(files.script).write_text(script_text(job.name, RESOURCES, site))
    Path(files.manifest).write_bytes(manifest_bytes(manifest_of(job, site)))
    done = subprocess.run(
        ["bash", files.script, files.manifest], capture_output=True,
        env={"PATH": f"{shims}:{os.environ['PATH']}", "SLURM_JOB_ID": "1", **own}, check=True,
    )  # fmt: skip
    return done.stdout.decode().split("\0")[:-1], job, site


@pytest.mark.parametrize("runtime", ["podman-hpc", "shifter"])
def test_containers_get_the_words_as_they_are(tmp_path: Path, runtime: str) -> None:
    (compiled, *words), job, site = contained(tmp_path, runtime)
    assert compiled == ""
    assert words[:3] == ["srun", "--ntasks=1", runtime]
    assert ("--image=docker:" + site.image if runtime == "shifter" else site.image) in words
    assert words[words.index("alsct") :][:2] == ["alsct", "recon"]
    assert words[-1] == job.scan
    if runtime == "podman-hpc":
        assert words[4:10] == ["--rm", "--volume", f"{tmp_path}:{tmp_path}", "--volume",
                               "/cfs:/cfs", site.image]  # fmt: skip


@pytest.mark.parametrize("runtime", ["podman-hpc", "shifter"])
def test_compiled_code_stays_in_a_place_of_the_users_own(tmp_path: Path, runtime: str) -> None:
    (compiled, *words), _, site = contained(tmp_path, runtime, SCRATCH=str(tmp_path), HOME="/")
    place = tmp_path / ".alsct-gui-compiled"
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    if runtime == "shifter":
        assert compiled == str(place)
    else:
        assert words[5:9] == ["--volume", f"{place}:{place}", "--env", f"NUMBA_CACHE_DIR={place}"]
        assert words[words.index(site.image) + 1] == "alsct"


def test_the_script_is_fixed_but_for_a_header_of_checked_words() -> None:
    alphabet = set(string.ascii_letters + string.digits + "@-_=:./%&,# !@\n")
    first = script_text(job_name("a"), RESOURCES, SITE)
    second = script_text(job_name("$(b)\n#SBATCH --uid=0"), RESOURCES, SITE)
    assert first.endswith(body())
    assert second.endswith(body())
    head = second.removesuffix(body())
    assert set(head) <= alphabet
    lines = head.splitlines()
    assert lines[0] == "#!/bin/bash"
    assert all(line.startswith("#SBATCH --") for line in lines[1:])
    assert "#SBATCH --qos=realtime" in lines
    assert "#SBATCH --time=00:15:00" in lines
    assert "#SBATCH --no-requeue" in lines


@given(st.text(min_size=1, max_size=20))
def test_words_of_the_header_are_of_a_closed_alphabet(word: str) -> None:
    allowed = set(string.ascii_letters + string.digits + "_.,&-")
    try:
        Resources(word, "als", "cpu", time_s=60)
    except RefusedError:
        return
    assert set(word) <= allowed
    assert word[0] in string.ascii_letters + string.digits


@pytest.mark.parametrize(
    "path", ["rel.h5", "/global/cfs/cdirs/als/../x", "/etc/passwd", "/global/cfs/cdirs/als/a\0b",
             "/global/cfs/cdirs/als/" + "x" * 5000],
)  # fmt: skip
def test_paths_that_climb_or_hide_are_refused(path: str) -> None:
    with pytest.raises(RefusedError, match="path of the scan"):
        manifest_of(JobRequest("k", path, "/pscratch/x", RESOURCES), SITE)


@pytest.mark.parametrize(
    "name", ["", "x", "alsct-0-1", "../" + job_name("k"), job_name("k") + "\n"]
)
def test_foreign_names_name_no_files(name: str) -> None:
    with pytest.raises(RefusedError):
        job_files(SITE, name)


def test_folders_of_the_profile_are_checked() -> None:
    for folder in ("", "rel", "/a b", "/a/../b", "/a:b", "/a/", "/$(x)", "/a\n"):
        with pytest.raises(RefusedError):
            Site(folder)


CALL = StepCall(
    "a.pl", {"volume": "/data/a '$(x)'.zarr", "mask": "/data/m=1.zarr"}, {"above": 0.5},
    {"a.pl": "0" * 64, "lib/b.pl": "1" * 64},
    {"a.pl": b"1", "lib/b.pl": b"2", "inputs/model.bin": b"3"}, {"model": "inputs/model.bin"},
)  # fmt: skip


def test_a_step_is_run_by_the_same_script_with_its_code_beside_it(tmp_path: Path) -> None:
    job = JobRequest("k", "", "/data/out 'x.csv", RESOURCES, call=CALL)
    site = Site(str(tmp_path), runtime="none", mounts=(), steps=(sys.executable, "-c", TELL))
    files = job_files(site, job.name)
    for path, content in job_contents(job, site).items():
        Path(path).parent.mkdir(exist_ok=True, parents=True)
        Path(path).write_bytes(content)
    Path(files.script).write_text(script_text(job.name, job.resources, site))
    done = run(files.script, files.manifest)
    assert done.returncode == 0, done.stderr
    words = [bytes(word).decode() for word in json.loads(done.stdout)]
    assert words[3:] == [
        "--input=volume=/data/a '$(x)'.zarr", "--input=mask=/data/m=1.zarr",
        f"--input=model={files.along}/inputs/model.bin", f"--params={files.recipe}",
        f"--code={files.checksums}", "--overwrite", "--resume", "--",
        f"{files.along}/a.pl", "/data/out 'x.csv",
    ]  # fmt: skip
    assert json.loads(Path(files.recipe).read_text()) == {"above": 0.5}
    assert json.loads(Path(files.checksums).read_text()) == CALL.checksums
    assert Path(files.along, "lib", "b.pl").read_bytes() == b"2"


def test_inputs_and_files_of_a_step_are_checked() -> None:
    outside = replace(CALL, inputs={"volume": "/home/me/a.zarr"})
    with pytest.raises(RefusedError, match="input volume lies outside"):
        manifest_of(JobRequest("k", "", "/pscratch/a", RESOURCES, call=outside), SITE)
    replace(CALL, files={"_pack/__init__.py": b"", "a-b/c.d_e": b""})
    for name in ("../a", "a b", "a;b", "/a", "", "-a", "a/-b", ".a", "a/", "a//b", "a\n", "é"):
        with pytest.raises(RefusedError, match="cannot go along"):
            replace(CALL, files={name: b""})
    with pytest.raises(RefusedError, match="too much to go along"):
        replace(CALL, files={"a": bytes(MOST_ALONG_BYTES + 1)})
