"""The process in which files of strangers are opened, and the asking end of it.

`python -m alsct_gui.beamline.eye` answers one request, ``look``. It lives on between
requests, for starting one for each of thousands of files would take half a second each;
a file that makes it hang or crash costs that process alone, and becomes a finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import CancelledError as FutureCancelledError
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from alsct_gui.beamline.looking import THUMBNAIL_PX, Picture, look_at
from alsct_gui.beamline.looks import Depth, Kind, Look
from alsct_gui.files.findings import finding
from alsct_gui.model.codec import from_plain, to_plain
from alsct_gui.model.errors import AlsctError, InputError, RecipeError, RemoteError
from alsct_gui.model.progress import Progress
from alsct_gui.remote.client import Remote
from alsct_gui.remote.server import Call, serve

SILENCE_S = 30.0
"""A look that reads no frame for so long is taken for hung."""
MODULE = "alsct_gui.beamline.eye"


class Looker(Protocol):
    """Looks at files, wherever that happens."""

    def look(
        self, path: Path, kind: Kind, *, depth: Depth, thumbnail: bool
    ) -> tuple[Look, Picture | None] | None:
        """Look at a path; None when there is nothing any more. See `looking.look_at`."""

    def close(self) -> None:
        """End whatever it runs."""


class Eye:
    """Looks at files in a process of its own, which is started anew when a file kills it."""

    def __init__(self, *, silence_s: float = SILENCE_S, module: str = MODULE) -> None:
        self._remote = Remote(module, name="file reader", nice=5)
        self._silence_s = silence_s

    def look(
        self, path: Path, kind: Kind, *, depth: Depth, thumbnail: bool
    ) -> tuple[Look, Picture | None] | None:
        """Look at a path; see `Looker`. A lost process is a finding of the file.

        Raises
        ------
        RemoteError
            The eye was closed meanwhile.
        """
        words = {"path": str(path), "kind": kind, "depth": depth, "thumbnail": thumbnail}
        answer = self._remote.ask("look", words, silence_s=self._silence_s)
        try:
            found = answer.result()
            return look_from_facts(found.facts), picture_from(found.arrays)
        except FutureCancelledError as error:
            raise RemoteError("it was closed meanwhile", where="file reader") from error
        except RemoteError as error:
            return _lost(path, kind, error)
        except InputError:
            return None

    def close(self) -> None:
        """End the process."""
        self._remote.close()


def look_from_facts(facts: Mapping[str, Any]) -> Look:
    """Check and build a look that came from another process.

    Raises
    ------
    RemoteError
        It is none.
    """
    try:
        return from_plain(Look, facts, where="look")
    except RecipeError as error:
        raise RemoteError(error.what, where=error.where) from error


def picture_from(arrays: Mapping[str, NDArray[Any]]) -> Picture | None:
    """Take a small picture out of an answer; None when there is none.

    Raises
    ------
    RemoteError
        It is no small picture.
    """
    picture = arrays.get("thumbnail")
    if picture is None:
        return None
    if picture.dtype != np.uint8 or picture.ndim != 2 or max(picture.shape) > THUMBNAIL_PX:
        raise RemoteError(f"a thumbnail is {picture.shape} {picture.dtype}", where="file reader")
    return picture


def _lost(path: Path, kind: Kind, error: AlsctError) -> tuple[Look, None] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    found = finding("reader-lost", f"While it was read, {error.what}", where=path.name)
    size_bytes = status.st_size if kind == "scan" else 0
    return Look(kind, size_bytes, status.st_mtime_ns, findings=(found,)), None


def _look(arguments: dict[str, Any], call: Call) -> tuple[dict[str, Any], dict[str, Picture]]:
    frames = 0

    def beat() -> None:
        nonlocal frames
        frames += 1
        call.progress(Progress("frames", frames, frames, 0.0))

    look, picture = look_at(
        Path(arguments["path"]), arguments["kind"], depth=arguments["depth"],
        thumbnail=bool(arguments["thumbnail"]), beat=beat,
    )  # fmt: skip
    return to_plain(look), {} if picture is None else {"thumbnail": picture}


if __name__ == "__main__":
    serve({"look": _look})
