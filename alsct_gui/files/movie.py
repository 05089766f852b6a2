"""A film of a volume's slices, or the same slices as numbered PNG files.

How films are encoded, and why so, is said in docs/decisions/0012-movie.md: by the ffmpeg of
the system when there is one, else by OpenCV (``pip install alsct-gui[movie]``).
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import shutil
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.volumes import open_volume
from alsct_gui.model.errors import OutputError, RecipeError, ResourceError
from alsct_gui.model.progress import CancelToken, Progress, ProgressCallback
from alsct_gui.model.volume import Volume, to_physical

Axis = Literal["slices", "y", "x"]
AXES: tuple[Axis, ...] = ("slices", "y", "x")
UInt8Array = NDArray[np.uint8]

INSTALL = "Install ffmpeg, or the package opencv-python-headless, or save a PNG sequence"
_WORDS_BYTES = 2000
"""Of an encoder's last words, for the error."""


@dataclass(frozen=True, slots=True)
class MovieSpec:
    """What film is made."""

    volume: str
    """Path of the volume."""
    output: str
    """``….mp4`` for a film; anything else is a folder of PNG files, made anew."""
    low: float
    """Physical value shown as black."""
    high: float
    """Physical value shown as white."""
    axis: Axis = "slices"
    """Through which axis it goes."""
    first: int = field(default=0, metadata={"min": 0})
    last: int = field(default=0, metadata={"min": 0})
    """Included."""
    step: int = field(default=1, metadata={"min": 1})
    per_second: int = field(default=20, metadata={"min": 1, "max": 120})
    """Frames per second."""
    size_px: int = field(default=1080, metadata={"min": 16, "max": 8192})
    """Longer edge of a frame, at most; the picture is never enlarged."""
    overwrite: bool = False
    """Whether a film of that name may be replaced."""

    @property
    def is_film(self) -> bool:
        """Whether it is a film and no folder of pictures."""
        return Path(self.output).suffix.casefold() == ".mp4"

    @property
    def indices(self) -> range:
        """Planes of the finest level that are shown."""
        return range(self.first, self.last + 1, self.step)


def to_gray(values: NDArray[Any], low: float, high: float) -> UInt8Array:
    """Turn values into greys; what is not finite is black.

    Parameters
    ----------
    values
        Physical values, any shape.
    low, high
        Values shown as black and white.
    """
    span = high - low if high != low else 1.0
    with np.errstate(invalid="ignore", over="ignore"):
        share = (values.astype(np.float32) - np.float32(low)) / np.float32(span)
    share = np.nan_to_num(share, nan=0.0, posinf=0.0, neginf=0.0)
    gray: UInt8Array = np.rint(np.clip(share, 0.0, 1.0) * 255).astype(np.uint8)
    return gray


def level_for(volume: Volume, axis: Axis, size_px: int) -> int:
    """Return the coarsest level whose frames are still as large as they are wanted."""
    chosen = 0
    for number, level in enumerate(volume.levels):
        if max(_plane_shape(level.shape, axis)) >= size_px:
            chosen = number
    return chosen


def frames_of(volume: Volume, spec: MovieSpec) -> Iterator[UInt8Array]:
    """Read and scale the frames one after the other, shape (row, column), even edges.

    Raises
    ------
    RecipeError
        The range lies outside the volume.
    InputError
        A plane cannot be read.
    """
    axis = AXES.index(spec.axis)
    count = volume.shape[axis]
    if not spec.indices or spec.last >= count:
        raise RecipeError(
            f"the film goes from {spec.first} to {spec.last}, the volume has {count} planes",
            where=spec.axis, fix="Choose a range within the volume",
        )  # fmt: skip
    level = volume.levels[level_for(volume, spec.axis, spec.size_px)]
    for index in spec.indices:
        # The same place in a coarser level, whose planes are fewer.
        place = min(level.shape[axis] - 1, index * level.shape[axis] // count)
        key: list[Any] = [slice(None)] * 3
        key[axis] = place
        plane = to_physical(level[tuple(key)], volume.scale)
        yield fitted(to_gray(plane, spec.low, spec.high), spec.size_px)


def fitted(gray: UInt8Array, size_px: int) -> UInt8Array:
    """Make a frame no larger than wanted, with even edges, as films need them."""
    from PIL import Image

    rows, columns = gray.shape
    share = min(1.0, size_px / max(rows, columns))
    even = tuple(max(2, 2 * math.floor(edge * share / 2 + 0.25)) for edge in (columns, rows))
    if even == (columns, rows):
        return gray
    small = Image.fromarray(gray).resize((even[0], even[1]), Image.Resampling.BOX)
    return np.asarray(small, np.uint8)


class Encoder(ABC):
    """Takes frames, one after the other."""

    @abstractmethod
    def write(self, frame: UInt8Array) -> None:
        """Take a frame, shape (row, column).

        Raises
        ------
        OutputError
            It cannot be written.
        """

    @abstractmethod
    def finish(self) -> None:
        """Write what is left.

        Raises
        ------
        OutputError
            The film is not whole.
        """

    @abstractmethod
    def abandon(self) -> None:
        """Stop; what was written is removed by the caller."""


class FfmpegEncoder(Encoder):
    """The system's ffmpeg, fed through a pipe: H.264 where it can, else MPEG-4."""

    def __init__(self, path: Path, shape: tuple[int, int], per_second: int) -> None:
        self._path = path
        program = shutil.which("ffmpeg") or "ffmpeg"
        codec = (
            ["-c:v", "libx264", "-crf", "18", "-preset", "medium"]
            if "libx264" in _encoders(program)
            else ["-c:v", "mpeg4", "-q:v", "2"]
        )
        command = [
            program, "-nostdin", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "gray",
            "-s", f"{shape[1]}x{shape[0]}", "-r", str(per_second), "-i", "pipe:0", *codec,
            "-pix_fmt", "yuv420p", "-movflags", "+faststart", str(path),
        ]  # fmt: skip
        self._words = (path.parent / f"{path.name}.log").open("w+b")
        self._process = subprocess.Popen(  # noqa: S603 (a program of the system, words of ours)
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._words
        )

    def write(self, frame: UInt8Array) -> None:
        try:
            self._pipe.write(np.ascontiguousarray(frame).tobytes())
        except OSError as error:
            raise self._failed() from error

    def finish(self) -> None:
        try:
            self._pipe.close()
        except OSError as error:
            raise self._failed() from error
        if self._process.wait():
            raise self._failed()
        self._close()

    def abandon(self) -> None:
        self._process.kill()
        self._process.wait()
        self._close()

    @property
    def _pipe(self) -> IO[bytes]:
        pipe = self._process.stdin
        if pipe is None:
            raise OutputError("the film's pipe is closed", where=str(self._path))
        return pipe

    def _failed(self) -> OutputError:
        self._process.kill()
        self._process.wait()
        self._words.seek(0)
        said = self._words.read(_WORDS_BYTES).decode("utf-8", "replace").strip()
        return OutputError(f"ffmpeg says: {said or 'nothing'}", where=str(self._path),
                           fix="Free space, or save a PNG sequence")  # fmt: skip

    def _close(self) -> None:
        if self._process.stdin is not None and not self._process.stdin.closed:
            try:
                self._process.stdin.close()
            except BrokenPipeError:
                self._process.stdin = None  # the rest had no reader any more
        self._words.close()
        Path(self._words.name).unlink(missing_ok=True)


class OpencvEncoder(Encoder):
    """OpenCV's writer: MPEG-4 part 2 in mp4."""

    def __init__(self, path: Path, shape: tuple[int, int], per_second: int) -> None:
        cv2: Any = importlib.import_module("cv2")  # of the extra [movie]
        self._cv2 = cv2
        fourcc = cv2.VideoWriter_fourcc(*"mp4v")
        self._writer = cv2.VideoWriter(str(path), fourcc, float(per_second), (shape[1], shape[0]))
        if not self._writer.isOpened():
            raise OutputError("OpenCV cannot write this film", where=str(path), fix=INSTALL)

    def write(self, frame: UInt8Array) -> None:
        self._writer.write(self._cv2.cvtColor(frame, self._cv2.COLOR_GRAY2BGR))

    def finish(self) -> None:
        self._writer.release()

    def abandon(self) -> None:
        self._writer.release()


class PngEncoder(Encoder):
    """Numbered PNG files in a folder."""

    def __init__(self, path: Path, _shape: tuple[int, int], _per_second: int) -> None:
        self._folder, self._count = path, 0
        path.mkdir()

    def write(self, frame: UInt8Array) -> None:
        from PIL import Image

        Image.fromarray(frame).save(self._folder / f"frame_{self._count:05d}.png")
        self._count += 1

    def finish(self) -> None:
        """Every file is whole already."""

    def abandon(self) -> None:
        """Nothing is open."""


MakeEncoder = Callable[[Path, tuple[int, int], int], Encoder]


def film_encoder() -> tuple[str, MakeEncoder] | None:
    """Return what encodes films here, with its name; None when nothing can."""
    if shutil.which("ffmpeg"):
        return "ffmpeg", FfmpegEncoder
    if importlib.util.find_spec("cv2") is not None:
        return "OpenCV", OpencvEncoder
    return None


def write_movie(
    spec: MovieSpec, *, on_progress: ProgressCallback | None = None,
    cancel: CancelToken | None = None,
) -> Path:  # fmt: skip
    """Make a film; it has its name only when it is whole.

    Raises
    ------
    ResourceError
        There is nothing to encode films with.
    OutputError
        It cannot be written, or something has its name already.
    InputError, RecipeError
        The volume cannot be read, or the range lies outside it.
    CancelledError
        It was cancelled; nothing is left.
    """
    target = Path(spec.output).absolute()
    if target.exists() and not (spec.overwrite and spec.is_film and target.is_file()):
        raise OutputError("there is something of that name", where=str(target),
                          fix="Choose another name")  # fmt: skip
    make: MakeEncoder = PngEncoder
    if spec.is_film:
        found = film_encoder()
        if found is None:
            raise ResourceError("nothing here can encode a film", where=target.name, fix=INSTALL)
        make = found[1]
    beside = target.parent / f".{uuid4().hex[:8]}{'.mp4' if spec.is_film else '.partial'}"
    try:
        with open_volume(spec.volume) as volume:
            _encode(volume, spec, beside, make, on_progress, cancel or CancelToken())
        beside.replace(target)
    except OSError as error:
        raise OutputError(f"it cannot be written: {error.strerror or error}", where=str(target),
                          fix="Free space, or choose another folder") from error  # fmt: skip
    finally:
        if beside.is_dir():
            shutil.rmtree(beside)
        beside.unlink(missing_ok=True)
    return target


def _encode(
    volume: Volume, spec: MovieSpec, path: Path, make: MakeEncoder,
    on_progress: ProgressCallback | None, cancel: CancelToken,
) -> None:  # fmt: skip
    encoder: Encoder | None = None
    total, begun_s = len(spec.indices), time.monotonic()
    try:
        for done, frame in enumerate(frames_of(volume, spec), start=1):
            cancel.check()
            if encoder is None:
                rows, columns = frame.shape
                encoder = make(path, (rows, columns), spec.per_second)
            encoder.write(frame)
            if on_progress is not None:
                elapsed_s = time.monotonic() - begun_s
                left_s = elapsed_s / done * (total - done)
                on_progress(Progress("film", done, total, elapsed_s, left_s))
        if encoder is not None:
            encoder.finish()
    except BaseException:
        if encoder is not None:
            encoder.abandon()
        raise


def _plane_shape(shape: tuple[int, ...], axis: Axis) -> tuple[int, ...]:
    skip = AXES.index(axis)
    return tuple(size for number, size in enumerate(shape) if number != skip)


def _encoders(program: str) -> str:
    """Names of what ffmpeg can encode with."""
    asked = subprocess.run(  # noqa: S603 (a program of the system, words of ours)
        [program, "-hide_banner", "-encoders"], capture_output=True, text=True, timeout=20,
        check=False,
    )  # fmt: skip
    return asked.stdout
