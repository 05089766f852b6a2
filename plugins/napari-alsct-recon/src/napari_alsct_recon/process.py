"""A reconstruction in a process of its own: `alsct recon`, followed by its progress file."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from alsct_gui.model.errors import RemoteError
from alsct_gui.model.progress import Progress
from alsct_gui.model.recipe import Recipe
from alsct_gui.recon.export import command_line

PATIENCE_S = 10.0
"""How long it may take to stop before its process group is killed."""


@dataclass(frozen=True, slots=True)
class ReconView:
    """How far it is."""

    state: Literal["running", "finished", "failed", "cancelled"] = "running"
    progress: Progress | None = None
    output: Path | None = None
    """The volume, once it is whole."""
    error: str = ""
    """Why it failed; a sentence."""


class ReconProcess:
    """Ask `look` now and then.

    Raises
    ------
    RemoteError
        It cannot be started.
    """

    def __init__(self, recipe: Recipe, scan: Path, output: Path) -> None:
        self._output = output
        self._folder = tempfile.TemporaryDirectory(prefix="alsct-recon-")
        folder = Path(self._folder.name)
        self._told, self._log = folder / "progress.json", folder / "log.txt"
        words = shlex.split(command_line(recipe, scan, output))[1:]
        command = [sys.executable, "-m", "alsct_gui", *words, "--progress-file", str(self._told)]
        self._cancelled_s: float | None = None
        try:
            with self._log.open("wb") as log:
                self._child = subprocess.Popen(  # noqa: S603 (a command of ours)
                    command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
                    start_new_session=True,
                )  # fmt: skip
        except OSError as error:
            self._folder.cleanup()
            raise RemoteError(f"it cannot be started ({error})", where=sys.executable) from error

    def look(self) -> ReconView:
        """Say how far it is."""
        code = self._child.poll()
        if code is None:
            over = self._cancelled_s is not None and time.monotonic() - self._cancelled_s
            if over and over > PATIENCE_S:
                self._signal(signal.SIGKILL)
            return ReconView(progress=self._progress())
        if self._cancelled_s is not None or code == 130:
            return ReconView("cancelled")
        if code == 0:
            return ReconView("finished", output=self._output)
        said = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        words = said[-1].removeprefix("alsct: ") if said else f"It ended with code {code}."
        return ReconView("failed", error=words)

    def cancel(self) -> None:
        """Tell it to stop; nothing half-written is left."""
        if self._cancelled_s is None:
            self._cancelled_s = time.monotonic()
            self._signal(signal.SIGTERM)

    def close(self, patience_s: float = 2.0) -> None:
        """End it and remove what it was followed by."""
        if self._child.poll() is None:
            self.cancel()
            try:
                self._child.wait(patience_s)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
                self._child.wait()
        self._folder.cleanup()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            if number is signal.SIGKILL:
                os.killpg(self._child.pid, number)
            else:
                self._child.send_signal(number)

    def _progress(self) -> Progress | None:
        try:
            told = json.loads(self._told.read_text(encoding="utf-8"))
            if told["total"]:
                return Progress(told["stage"], told["done"], told["total"], told["elapsed_s"],
                                told["eta_s"])  # fmt: skip
        except (OSError, ValueError, KeyError):
            return None  # it has not begun yet
        return None
