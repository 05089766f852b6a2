"""Our side of the peers: one process for each interpreter and thread count."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from alsct_bench import peers as script
from alsct_gui.model.errors import AlsctError, InputError

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


class PeerError(AlsctError):
    """A peer failed at a task; the bench goes on and says so."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A library that can do a task, in the interpreter that has it."""

    library: str
    version: str
    python: str
    task: str

    @property
    def label(self) -> str:
        """Library and version."""
        return f"{self.library} {self.version}"


@dataclass(frozen=True, eq=False)
class Answer:
    """What a peer did."""

    seconds: float
    """Time of the call itself, without the way there and back."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Further figures of the task."""
    result: NDArray[Any] | None = None
    """The array it made, when that was asked for."""


class Peers:
    """All peers that can be imported by this interpreter and the given ones.

    Parameters
    ----------
    pythons
        Further interpreters, for example of a conda environment with tomopy. A library is
        taken from the first interpreter that has it, this one first.
    folder
        Where arrays are handed over.
    """

    def __init__(self, pythons: Sequence[Path], folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()
        self._workers: dict[tuple[str, int], _Worker] = {}
        self.versions: dict[str, str] = {}
        """Version of every peer that was found."""
        self.missing: dict[str, str] = {}
        """Why a peer was not found."""
        self._python: dict[str, str] = {}
        for python in [sys.executable, *map(str, pythons)]:
            with _Worker(python, 1) as worker:
                reply = worker.ask({"task": "available"})
            for library, found in reply.items():
                if library in self._python:
                    continue
                if "version" in found:
                    self._python[library] = python
                    self.versions[library] = found["version"]
                    self.missing.pop(library, None)
                else:
                    self.missing[library] = found["reason"]

    def offering(self, task: str) -> list[Peer]:
        """Return the peers that can do a task here."""
        return [
            Peer(library, self.versions[library], self._python[library], task)
            for library in script.TASKS[task]
            if library in self._python
        ]

    def store(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, str]:
        """Write arrays where the peers' processes find them; returns name -> path."""
        paths = {}
        for name, array in arrays.items():
            path = self._folder / f"{next(self._numbers)}-{name}.npy"
            np.save(path, array)
            paths[name] = str(path)
        return paths

    def call(
        self,
        peer: Peer,
        inputs: Mapping[str, str],
        options: Mapping[str, Any],
        *,
        threads: int,
        keep: bool = False,
    ) -> Answer:
        """Let a peer do its task once.

        Parameters
        ----------
        peer
            One of `offering`.
        inputs
            Paths from `store`.
        options
            Settings of the task.
        threads
            Threads that the peer's process may use.
        keep
            Whether the resulting array is brought back.

        Raises
        ------
        PeerError
            The peer raised an error, or its process died.
        """
        worker = self._workers.get((peer.python, threads))
        if worker is None:
            worker = self._workers[peer.python, threads] = _Worker(peer.python, threads)
        path = self._folder / f"{next(self._numbers)}-result.npy"
        reply = worker.ask(
            {
                "task": peer.task,
                "library": peer.library,
                "inputs": dict(inputs),
                "options": {**options, "threads": threads},
                "output": str(path) if keep else "",
            }
        )
        if "error" in reply:
            raise PeerError(reply["error"], where=f"{peer.label}, {peer.task}")
        result = None
        if path.exists():
            result = np.load(path)
            path.unlink()
        return Answer(reply["seconds"], reply["facts"], result)

    def close(self) -> None:
        """End all processes."""
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _Worker:
    """One interpreter that runs `peers` as a script."""

    def __init__(self, python: str, threads: int) -> None:
        environment = {
            **os.environ,
            **dict.fromkeys(_THREAD_VARIABLES, str(threads)),
            "OMP_WAIT_POLICY": "passive",  # idle threads must not spin during another's turn
        }
        self._python = python
        self._words = tempfile.TemporaryFile(  # noqa: SIM115 - closed in `close`
            "w+", encoding="utf-8", errors="replace"
        )
        try:
            self._process = subprocess.Popen(
                [python, script.__file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._words,
                text=True,
                encoding="utf-8",
                env=environment,
            )
        except OSError as error:
            self._words.close()
            raise InputError(
                f"cannot be started ({error})", where=python,
                fix="Give the path of a Python interpreter to --peer-python",
            ) from error  # fmt: skip

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send a request and wait for its answer."""
        assert self._process.stdin is not None  # noqa: S101 - both are pipes by construction
        assert self._process.stdout is not None  # noqa: S101
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise PeerError(f"its process ended: {self._last_words()}", where=self._python)
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _last_words(self) -> str:
        self._words.seek(0)
        lines = self._words.read().strip().splitlines()
        return lines[-1] if lines else "without a word"

    def close(self) -> None:
        """End the process and wait for it."""
        self._process.kill()
        self._process.communicate()
        self._words.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
