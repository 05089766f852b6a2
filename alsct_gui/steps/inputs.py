"""A step's inputs as files: opened, and told from others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from alsct_gui.files.checked import opened
from alsct_gui.files.identity import array_checksum, file_checksum, quick_identity, scan_checksum
from alsct_gui.files.labels import volume_identity
from alsct_gui.files.open import open_volume
from alsct_gui.files.provenance import json_safe
from alsct_gui.files.tables import read_about, read_table
from alsct_gui.model.errors import InputError, UsageError
from alsct_gui.model.product import InputMark
from alsct_gui.model.progress import CancelToken
from alsct_gui.model.scan import Scan
from alsct_gui.model.volume import Volume
from alsct_gui.steps.step import Port, Step


def input_paths(step: Step[Any], paths: Mapping[str, str | Path]) -> dict[str, Path]:
    """Return the inputs of a step as paths, once they are known to be what it takes.

    Raises
    ------
    UsageError
        An input is missing, or the step has none of this name.
    """
    ports = {port.name: port for port in step.inputs}
    unknown = [name for name in paths if name not in ports]
    missing = [port.name for port in step.inputs if not port.optional and port.name not in paths]
    if unknown or missing:
        what = f"has no input {unknown[0]!r}" if unknown else f"needs the input {missing[0]!r}"
        raise UsageError(what, where=step.name, fix=f"Its inputs: {', '.join(ports)}")
    return {name: Path(path).absolute() for name, path in paths.items()}


@contextmanager
def opened_inputs(step: Step[Any], paths: Mapping[str, Path]) -> Iterator[dict[str, Any]]:
    """Open a step's inputs for as long as the block lasts.

    Raises
    ------
    InputError
        One cannot be read as what the step takes.
    """
    with ExitStack() as stack:
        given = {}
        for port in step.inputs:
            if port.name in paths:
                given[port.name] = _open(port, paths[port.name], stack)
        yield given


def mark_of(port: Port, path: Path, given: Any) -> InputMark:
    """Return what tells an input from others, without reading all of it."""
    identity, made = "", {}
    if isinstance(given, Volume):
        identity, made = volume_identity(given), json_safe(given.provenance)
    elif isinstance(given, Scan):
        identity = quick_identity(given)
    else:
        facts = path.stat()
        text = json.dumps([path.name, facts.st_size, facts.st_mtime_ns])
        identity = hashlib.sha256(text.encode()).hexdigest()
        made = read_about(path) if port.kind == "table" else {}
    return InputMark(port.name, port.kind, str(path), identity, made=made)


def checksum_of(path: Path, given: Any, cancel: CancelToken) -> str:
    """SHA-256 over all values of an input, or over the bytes of a file.

    Raises
    ------
    InputError
        It cannot be read.
    CancelledError
        By `cancel`.
    """
    if isinstance(given, Volume):
        return array_checksum(given.levels[0], cancel=cancel)
    if isinstance(given, Scan):
        return scan_checksum(given, cancel=cancel)
    try:
        return file_checksum(path)
    except OSError as error:
        raise InputError(f"it cannot be read ({error.strerror})", where=str(path)) from error


def _open(port: Port, path: Path, stack: ExitStack) -> Any:
    if not path.exists():
        raise InputError("there is no such file or folder", where=str(path), fix="Check the path")
    if port.kind == "volume":
        return stack.enter_context(open_volume(path))
    if port.kind == "labels":
        return _whole_numbers(stack.enter_context(open_volume(path)))
    if port.kind == "scan":
        return stack.enter_context(opened(path))
    return read_table(path) if port.kind == "table" else path


def _whole_numbers(volume: Volume) -> Volume:
    if volume.dtype.kind not in "iub":
        raise InputError(
            f"holds {volume.dtype}, labels are whole numbers", where=str(volume.path),
            fix="Give labels, or make them of the volume with a segmentation",
        )  # fmt: skip
    return volume
