"""`alsct demo`: the main job from end to end, on a scan whose truth is known."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alsct_gui.cli.console import (
    JsonFlag,
    counted,
    emit_json,
    err,
    out,
    progress_bars,
    show_table,
)
from alsct_gui.cli.options import ThreadsOption, build_recipe, thread_count
from alsct_gui.model.errors import OutputError
from alsct_gui.screen import has_screen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from alsct_gui.simulator.truth import Truth

MARKER = ".alsct-demo"
"""A folder with this file in it was made by the demo, and may be emptied by it."""

DEMO_SETTINGS = [
    "zingers={}",
    # Windows in proportion to the detector: 61 and 21 are meant for 2560 columns.
    "rings=[{method: vo-all, size_large_px: 21, size_small_px: 7}]",
]
"""What the demo changes of the standard recipe."""

CENTER_TOLERANCE_PX = 0.25
SCALE_TOLERANCE = 0.02
DEMO_FAILED = 1


def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for the pictures and the report.")
    ] = Path("demo-output"),
    threads: ThreadsOption = 0,
    story: Annotated[
        bool, typer.Option(help="Then play an outage of NERSC, and how the debt is paid.")
    ] = True,
    window: Annotated[
        bool, typer.Option(help="Then drive the window; without a screen it leaves pictures.")
    ] = True,
    json: JsonFlag = False,
) -> int:
    """Simulate, check, reconstruct, compare with the truth; an outage of NERSC; the window."""
    from alsct_gui.files.check import check_scan
    from alsct_gui.files.montage import montage
    from alsct_gui.files.open import open_scan, open_volume
    from alsct_gui.model.finding import Severity
    from alsct_gui.recon.job import prepare_job
    from alsct_gui.recon.pipeline import run_job
    from alsct_gui.simulator.truth import load_truth
    from alsct_gui.simulator.write import simulate_scan

    _empty(output)
    workers = thread_count(threads)
    seconds: dict[str, float] = {}
    from alsct_gui.simulator.examples import demo_scan

    spec = demo_scan()
    with progress_bars(quiet=json) as show:
        with _timed(seconds, "simulate"):
            scan_path = simulate_scan(
                output / spec.file_name, spec, progress=counted(show, "frames"), threads=workers
            )
        with _timed(seconds, "check"):
            findings = check_scan(scan_path)
        whole = not any(item.severity is Severity.ERROR for item in findings)
        with open_scan(scan_path) as scan:
            recipe = build_recipe("standard-8.3.2", DEMO_SETTINGS)
            with _timed(seconds, "find the axis, plan"):
                job = prepare_job(scan, recipe, threads=workers)
            with _timed(seconds, "reconstruct"):
                result = run_job(job, output / "recdemo.zarr", progress=show)
    truth = load_truth(scan_path)
    with open_volume(result.output) as volume:
        middle = result.shape[0] // 2
        picture = volume.levels[0][middle]
        quarter = result.shape[0] // 4
        picture, other = volume.levels[0][middle], volume.levels[0][quarter]
    true = truth.slices(slice(middle, middle + 1), oversample=2)[0]
    accuracy = compare(picture, true, truth, result.provenance.center.center_px)
    sheet = montage(
        [picture, true, other],
        [f"slice {middle}", f"slice {middle}, truth", f"slice {quarter}"],
        output / "slices.png",
        columns=3,
        pixel_um=job.voxel_um,
        title=f"Foam, {spec.n_angles} projections: reconstruction and truth",
    )
    ok = whole and accuracy["ok"]
    stages = {**seconds, **{f"  {k}": v for k, v in result.seconds.items() if k != "total"}}
    report = _report(stages, accuracy, result.shape, result.output, ok)
    (output / "report.txt").write_text(report, encoding="utf-8")
    if not json:
        show_table(("stage", "seconds"), ((k, round(v, 2)) for k, v in stages.items()))
        out.print(report.split("\n\n", 1)[1].strip(), markup=False)
        out.print(f"pictures: {sheet}", markup=False)
    told = _play_story(output, threads, quiet=json) if ok and story else None
    ok = ok and (told is None or told["ok"])
    if json:
        emit_json(
            {"output": result.output, "pictures": [sheet], "seconds": stages,
             "accuracy": accuracy, "story": told, "ok": ok}
        )  # fmt: skip
    if not ok:
        return DEMO_FAILED
    return _drive_window(scan_path, output / "window", quiet=json) if window else 0


def _play_story(output: Path, threads: int, *, quiet: bool) -> dict[str, Any] | None:
    """Play the story of an outage; returns its report, None where it cannot be played."""
    lacks = [name for name in ("globus_sdk", "sfapi_client", "scitacean") if not find_spec(name)]
    if lacks:
        err.print("The outage is left out: pip install 'alsct-gui[facility]'", markup=False)
        return None
    from alsct_gui.simulator.story.acts import Story
    from alsct_gui.simulator.story.report import headline, report_plain, write_report

    began = time.monotonic()

    def say(title: str) -> None:
        if not quiet:
            out.print(f"{time.monotonic() - began:6.0f} s  {title}", markup=False)

    outcome = Story(output / "story", threads=threads, say=say).play()
    paths = write_report(outcome, output / "report")
    if not quiet:
        out.print(headline(outcome), markup=False)
        out.print(f"report: {paths['text']}, picture: {paths['picture']}", markup=False)
    return {**report_plain(outcome), "report": paths}


def _drive_window(scan: Path, pictures: Path, *, quiet: bool) -> int:
    """Show the window in a process of its own; returns its exit code."""
    if find_spec("PySide6") is None or find_spec("napari") is None:
        err.print("The window is not installed: pip install 'alsct-gui[app]'", markup=False)
        return 0
    stays = has_screen()
    if not quiet:
        words = "close it to end the demo" if stays else f"pictures go to {pictures}"
        out.print(f"the window: {words}", markup=False)
    command = [sys.executable, "-m", "alsct_gui.app", "--selftest", "--pictures", str(pictures)]
    finished = subprocess.run(  # noqa: S603 (our own program)
        [*command, *(["--stay"] if stays else []), str(scan)],
        check=False, stdout=subprocess.DEVNULL if quiet else None,
    )  # fmt: skip
    return finished.returncode


def compare(
    picture: NDArray[np.float32], truth: NDArray[np.float32], known: Truth, center_px: float
) -> dict[str, Any]:
    """Compare a slice with the truth, in 1/cm, within nine tenths of the field of view."""
    import numpy as np

    n = picture.shape[0]
    axis = np.arange(n) - (n - 1) / 2
    inside = np.hypot(axis[:, None], axis[None, :]) < 0.45 * n
    seen, true = picture[inside].astype(float), truth[inside].astype(float)
    slope = float(
        np.sum((seen - seen.mean()) * (true - true.mean())) / np.sum((true - true.mean()) ** 2)
    )
    error_px = center_px - known.detector.center_px
    mean_ratio = float(seen.mean() / true.mean())
    return {
        "center_error_px": error_px,
        "mean_ratio": mean_ratio,
        "contrast": slope,
        "rmse_of_maximum": float(np.sqrt(np.mean((seen - true) ** 2)) / true.max()),
        "correlation": float(np.corrcoef(seen, true)[0, 1]),
        "ok": abs(error_px) <= CENTER_TOLERANCE_PX and abs(mean_ratio - 1) <= SCALE_TOLERANCE,
    }


def _report(
    stages: dict[str, float], accuracy: dict[str, Any], shape: tuple[int, int, int],
    product: Path, ok: bool,
) -> str:  # fmt: skip
    times = "\n".join(f"{name:<24}{value:8.2f} s" for name, value in stages.items())
    verdict = "as it should be" if ok else "NOT as it should be"
    return (
        f"Time of every stage\n{times}\n\n"
        f"{product.name}: {shape[0]} slices of {shape[1]} x {shape[2]}, {verdict}\n"
        f"  axis off by {accuracy['center_error_px']:+.3f} columns\n"
        f"  mean attenuation {accuracy['mean_ratio']:.4f} of the truth, "
        f"contrast {accuracy['contrast']:.3f}, correlation {accuracy['correlation']:.3f}\n"
    )


def _empty(folder: Path) -> None:
    """Make the folder, or empty one that an earlier demo made; nothing else is removed."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARKER).exists():
            raise OutputError(
                "is not empty and was not made by the demo", where=str(folder),
                fix="Give another folder with --output",
            )  # fmt: skip
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).touch()


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - began
