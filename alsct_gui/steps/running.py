"""From files to files: open the inputs, run the step, write what it makes."""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from alsct_gui import __version__
from alsct_gui.files.provenance import provenance_to_plain
from alsct_gui.files.writers.partial import Partial
from alsct_gui.model.errors import CancelledError, OutputError
from alsct_gui.model.product import InputMark, StepProvenance
from alsct_gui.model.progress import CancelToken
from alsct_gui.model.volume import Volume
from alsct_gui.steps.inputs import checksum_of, input_paths, mark_of, opened_inputs
from alsct_gui.steps.registry import get_step, package_of
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.settings import parameters_from, parameters_to_plain
from alsct_gui.steps.step import Port, Step
from alsct_gui.steps.writing import product_name, write_product

_LIBRARIES = ("numpy", "scipy", "numba", "scikit-image", "scikit-learn", "torch", "zarr")


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step made on the disk."""

    outputs: Mapping[str, Path]
    """Products by the names of the step's outputs."""
    seconds: float
    """Wall time."""


def run_step(
    step: Step[Any] | str,
    parameters: Any = None,
    *,
    inputs: Mapping[str, str | Path],
    output: str | Path,
    reporter: Reporter | None = None,
    overwrite: bool = False,
    resume: bool = False,
) -> StepResult:
    """Run a step on files.

    Parameters
    ----------
    step
        A step, or the name of an installed one.
    parameters
        Of the step's type, or plain data; None takes its first preset.
    inputs
        Paths by the names of the step's inputs.
    output
        Final name of the product. A step with several outputs makes a folder of this name, in
        which they are called after the outputs.
    reporter
        Progress, cancel, processors, memory.
    overwrite
        Move what has the name aside.
    resume
        Go on with what a killed run left; for steps with one volume as output. What it left of
        other inputs or parameters is refused, or with `overwrite` thrown away.

    Raises
    ------
    AlsctError
        As the modules of files and the step itself do.
    """
    step = get_step(step) if isinstance(step, str) else step
    reporter = reporter or Reporter()
    if parameters is None:
        parameters = step.preset()
    elif not isinstance(parameters, step.parameters):
        parameters = parameters_from(step.parameters, parameters)
    paths, final = input_paths(step, inputs), Path(output).absolute()
    _refuse_inside(final, paths)
    began_s = time.monotonic()
    with opened_inputs(step, paths) as given:
        reporter.check()
        marks = tuple(
            mark_of(port, paths[port.name], given[port.name])
            for port in step.inputs if port.name in given
        )  # fmt: skip
        run = _Run(step, parameters, marks, given, reporter, began_s)
        with _Checksums(paths, given, reporter.cancel) as sums:
            made = step.run(given, parameters, reporter)
            outputs = run.write(made, final, sums, overwrite=overwrite, resume=resume)
    return StepResult(outputs, time.monotonic() - began_s)


@dataclass(frozen=True, eq=False)
class _Run:
    """One run of a step."""

    step: Step[Any]
    parameters: Any
    marks: tuple[InputMark, ...]
    given: Mapping[str, Any]
    reporter: Reporter
    began_s: float

    def write(
        self, made: Mapping[str, Any], final: Path, sums: _Checksums, *, overwrite: bool,
        resume: bool,
    ) -> dict[str, Path]:  # fmt: skip
        """Write what the step returned; its one product, or a folder of them."""
        ports = [port for port in self.step.outputs if port.name in made]
        lost = [port.name for port in self.step.outputs
                if not port.optional and port.name not in made]  # fmt: skip
        if lost:
            raise OutputError(f"the step made no {lost[0]}", where=self.step.name,
                              fix="Report it to the authors of its package")  # fmt: skip
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"the folder cannot be made ({error.strerror})", where=str(final.parent),
                fix="Give another folder",
            ) from error  # fmt: skip
        if len(self.step.outputs) == 1:
            port = ports[0]
            path = self._write_one(port, made[port.name], final, sums, overwrite, resume)
            return {port.name: path}
        folder = Partial.open(final, "step", resume=False, anew=True, replace=overwrite)
        try:
            names = {}
            for port in ports:
                names[port.name] = product_name(port, made[port.name])
                self._write_one(
                    port, made[port.name], folder.content / names[port.name], sums, False, False
                )
            folder.publish()
        except BaseException:
            folder.discard()
            raise
        return {name: final / file for name, file in names.items()}

    def _write_one(
        self, port: Port, value: Any, path: Path, sums: _Checksums, overwrite: bool, resume: bool
    ) -> Path:
        source = next((item for item in self.given.values() if isinstance(item, Volume)), None)
        about = self._provenance(port, source)

        def finished() -> dict[str, Any]:
            marks = tuple(
                replace(mark, sha256=found)
                for mark, found in zip(self.marks, sums.result(), strict=True)
            )
            seconds = time.monotonic() - self.began_s
            record = {**self.reporter.recorded}
            return provenance_to_plain(replace(about, inputs=marks, seconds=seconds, record=record))

        return write_product(
            port, value, path, source=source, provenance=provenance_to_plain(about),
            finished=finished, reporter=self.reporter, replace=overwrite, resume=resume,
        )  # fmt: skip

    def _provenance(self, port: Port, source: Volume | None) -> StepProvenance:
        return StepProvenance(
            step=self.step.name,
            title=self.step.title,
            parameters=parameters_to_plain(self.parameters),
            inputs=self.marks,
            output=port.name,
            versions=software_versions(self.step.name),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            voxel_um=source.voxel_um if source is not None else None,
        )


class _Checksums:
    """Checksums of the inputs, worked out beside the step."""

    def __init__(
        self, paths: Mapping[str, Path], given: Mapping[str, Any], cancel: CancelToken
    ) -> None:
        self._paths, self._given, self._outer = paths, given, cancel
        self._stop = CancelToken()
        self._sums: list[str] = []
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._work, name="alsct-checksum", daemon=True)

    def result(self) -> tuple[str, ...]:
        """One for each input that was given, in order; waits for them."""
        while self._thread.is_alive():
            self._outer.check()
            self._thread.join(0.05)
        if self._error is not None:
            raise self._error
        return tuple(self._sums)

    def __enter__(self) -> _Checksums:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.cancel()
        self._thread.join()

    def _work(self) -> None:
        try:
            for name, given in self._given.items():
                self._sums.append(checksum_of(self._paths[name], given, self._stop))
        except CancelledError:
            return  # the run ends without them
        except Exception as error:  # noqa: BLE001 - raised again by result
            self._error = error


def software_versions(step: str) -> dict[str, str]:
    """Return name and version of all that touches the values of a step's products."""
    found = {"alsct-gui": __version__, "python": platform.python_version()}
    package, _, number = package_of(step).partition(" ")
    if package:
        found[package] = number
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # a library that is optional in this environment
            continue
    return found


def _refuse_inside(final: Path, paths: Mapping[str, Path]) -> None:
    for path in paths.values():
        if final.parent.resolve().is_relative_to(path.resolve()):
            raise OutputError(
                "the output would lie inside an input", where=str(final), fix="Give another place"
            )
