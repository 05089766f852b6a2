"""Reading files at a place where only commands can be run, without keeping the agent waiting.

What is wanted is read in a thread beside the agent, many files in one look; whoever asks again
gets what was read. A reading is given out once, so that each is a fresh one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

from alsct_gui.model.errors import AlsctError
from alsct_gui.model.placement import Evidence, ScanFacts
from alsct_gui.placement.goals.base import Clock, NotYetError
from alsct_gui.superfacility.compute.look import Answer, Looker, Question
from alsct_gui.superfacility.transfer.base import check_path

FRESH_S = 3600.0
"""How long a reading counts that nobody has asked for."""
_AT_ONCE = 200


class LaterReader:
    """A `Reader` that says `NotYetError` until the files were read.

    Parameters
    ----------
    looker
        What is run at the place.
    root
        Folder of the place, on its own machine.
    clock
        Seconds since 1970.
    """

    def __init__(self, looker: Looker, root: str, clock: Clock) -> None:
        self._looker, self._root, self._clock = looker, root.rstrip("/"), clock
        self._lock = threading.Lock()
        self._waiting: dict[str, None] = {}
        self._read: dict[str, tuple[float, Evidence | None]] = {}
        self._trouble = ""
        self._thread: threading.Thread | None = None

    def read(self, wanted: Mapping[str, ScanFacts]) -> Mapping[str, Evidence]:
        """Return what was read of the files that are there, by their relative path.

        Raises
        ------
        NotYetError
            Some have not been read; they are meanwhile.
        """
        self._forget_old()
        with self._lock:
            lacking = [path for path in wanted if path not in self._read]
            trouble = self._trouble
        if lacking:
            self._ask(lacking)
            raise NotYetError(
                trouble or "its bytes are read again where they lie", where=self._root,
                fix="Nothing has to be done",
            )  # fmt: skip
        return self.take(wanted)

    def take(self, paths: Iterable[str]) -> dict[str, Evidence]:
        """Return what was read of files, once; what was not is read meanwhile."""
        self._forget_old()
        found, lacking = {}, []
        with self._lock:
            for path in paths:
                if path not in self._read:
                    lacking.append(path)
                    continue
                _, evidence = self._read.pop(path)
                if evidence is not None:
                    found[path] = evidence
        self._ask(lacking)
        return found

    def wait(self) -> None:
        """Wait until all that was asked for has been read, or cannot be."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join()

    def _ask(self, paths: list[str]) -> None:
        for path in paths:
            check_path(path)
        with self._lock:
            self._waiting.update(dict.fromkeys(paths))
            if not self._waiting or self._thread is not None:
                return
            # A command that never answers is given up with the process.
            self._thread = threading.Thread(target=self._work, name="alsct-reading", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            with self._lock:
                batch = list(self._waiting)[:_AT_ONCE]
                if not batch:
                    self._thread = None
                    return
            try:
                seen = self._looker.look(Question(files=tuple(self._path(p) for p in batch)))
            except AlsctError as error:
                with self._lock:  # they are asked for again, and then tried again
                    self._trouble, self._waiting, self._thread = error.what, {}, None
                return
            self._keep(batch, seen)

    def _keep(self, batch: list[str], seen: Answer) -> None:
        now_s = self._clock()
        with self._lock:
            self._trouble = next(iter(seen.errors.values()), "")
            for relative in batch:
                path = self._path(relative)
                if path in seen.files:
                    bytes_ = seen.files[path]
                    evidence = None if bytes_ is None else Evidence(
                        path, now_s, size_bytes=bytes_.size_bytes, sha256=bytes_.sha256
                    )  # fmt: skip
                    self._read[relative] = now_s, evidence
                elif path not in seen.errors:
                    continue  # there was no time for it
                self._waiting.pop(relative, None)

    def _path(self, relative: str) -> str:
        return f"{self._root}/{relative}"

    def _forget_old(self) -> None:
        oldest_s = self._clock() - FRESH_S
        with self._lock:
            self._read = {path: read for path, read in self._read.items() if read[0] >= oldest_s}
