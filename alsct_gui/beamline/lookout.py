"""The watching process: ``python -m alsct_gui.beamline.lookout``.

It answers ``watch`` and ``forget``, and sends two kinds of events unasked: ``change``, one
for each scan or volume that changed, with a small picture where there is a new one; and
``state``, how many there are and which folders cannot be listed. ``stay`` is answered when
the process ends, so that whoever asked learns when it is lost.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from alsct_gui.beamline.eye import Eye
from alsct_gui.beamline.messages import change_to_facts, paths_from, state_to_facts
from alsct_gui.beamline.watching import Step, Watch
from alsct_gui.remote.server import Call, Server, serve

MODULE = "alsct_gui.beamline.lookout"

Emit = Callable[[Mapping[str, Any], Mapping[str, NDArray[Any]]], None]


class Lookout:
    """Steps a watch in a thread of its own, and sends what it brings.

    Parameters
    ----------
    watch
        Stepped from that thread alone.
    emit
        Called there with facts and arrays of each event.
    """

    def __init__(self, watch: Watch, emit: Emit) -> None:
        self._watch = watch
        self._emit = emit
        self._wishes: list[Callable[[], None]] = []
        self._wake = threading.Condition()
        self._closed = False
        self._said: dict[str, Any] = {}
        self._thread = threading.Thread(target=self._run, name="lookout", daemon=True)
        self.ended = threading.Event()
        """Set when nothing more is sent."""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def closed(self) -> bool:
        """Whether its end was asked for."""
        return self._closed

    def watch(self, folders: Sequence[Path], paths: Sequence[Path] = ()) -> None:
        """Watch these too, from the next step on; returns at once."""
        self._wish(lambda: self._watch.watch(folders, paths))

    def forget(self, folders: Sequence[Path]) -> None:
        """Stop watching these, from the next step on; returns at once."""
        for folder in folders:
            self._wish(partial(self._watch.forget, folder))

    def _wish(self, change: Callable[[], None]) -> None:
        with self._wake:
            self._wishes.append(change)
            self._wake.notify()

    def close(self) -> None:
        """Stop after the present step; ends the reader, so that the step ends soon."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._watch.looker.close()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            while self._grant():
                step = self._watch.step()
                self._send(step)
                with self._wake:
                    if step.rest_s and not self._wishes and not self._closed:
                        self._wake.wait(step.rest_s)
        finally:
            self._watch.close()
            self.ended.set()

    def _grant(self) -> bool:
        """Do what was wished for; False when it is over."""
        with self._wake:
            wishes, self._wishes = self._wishes, []
            if self._closed:
                return False
        for wish in wishes:
            wish()
        return True

    def _send(self, step: Step) -> None:
        for change in step.changes:
            picture = step.pictures.get(change.sighting.path)
            self._emit(change_to_facts(change), {} if picture is None else {"thumbnail": picture})
        state = state_to_facts(step)
        if state != self._said:
            self._said = state
            self._emit(state, {})


def main() -> None:
    """Run until stdin closes."""
    lookouts: list[Lookout] = []

    def begin(server: Server) -> None:
        lookouts.append(Lookout(Watch(Eye()), server.emit))
        lookouts[0].start()

    def end() -> None:
        lookouts[0].close()

    def watch(arguments: dict[str, Any], _: Call) -> tuple[dict[str, Any], dict[str, Any]]:
        folders, paths = (paths_from(arguments.get(key, ())) for key in ("folders", "paths"))
        lookouts[0].watch(folders, paths)
        return {}, {}

    def forget(arguments: dict[str, Any], _: Call) -> tuple[dict[str, Any], dict[str, Any]]:
        lookouts[0].forget(paths_from(arguments.get("folders")))
        return {}, {}

    def stay(_: dict[str, Any], call: Call) -> tuple[dict[str, Any], dict[str, Any]]:
        while not lookouts[0].ended.wait(1.0):
            call.cancel.check()
        if not lookouts[0].closed:
            os._exit(1)  # the watch failed, its traceback is on stderr: whoever asked starts anew
        return {}, {}

    serve({"watch": watch, "forget": forget, "stay": stay}, on_start=begin, on_close=end)


if __name__ == "__main__":
    main()
