"""Work beside the window: layers written to files, and the process of a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from alsct_gui.face.later import Later
from alsct_gui.face.sources import Spills, file_of
from alsct_gui.model.errors import AlsctError
from alsct_gui.steps.desk import StepDesk
from alsct_gui.steps.jobs import JobView, StepJob, StepRequest

LOOK_MS = 100


class Ears:
    """What is listened to in the viewer, which lives longer than a widget."""

    def __init__(self) -> None:
        self._heard: list[tuple[Any, Callable[..., None]]] = []

    def listen(self, emitter: Any, callback: Callable[..., None]) -> None:
        """Have a method called with every event."""
        emitter.connect(callback)
        self._heard.append((emitter, callback))

    def close(self) -> None:
        """Hear nothing more."""
        for emitter, callback in self._heard:
            emitter.disconnect(callback)
        self._heard.clear()


class Backstage:
    """What goes on behind a widget: files of layers, processes, a thread."""

    def __init__(self) -> None:
        self.spills = Spills()
        self.ears = Ears()
        self._thread: ThreadPoolExecutor | None = None
        self.job: StepJob | None = None
        self._desk: StepDesk | None = None

    @property
    def desk(self) -> StepDesk:
        """What makes previews; its process starts with the first."""
        if self._desk is None:
            self._desk = StepDesk()
        return self._desk

    @property
    def thread(self) -> ThreadPoolExecutor:
        """What writes layers to files."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "alsct-spill")
        return self._thread

    def rest(self) -> None:
        """End all of it; it begins anew when it is needed again."""
        if self._desk is not None:
            self._desk.close()
            self._desk = None
        if self.job is not None:
            self.job.close()
            self.job = None
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)
            self._thread = None
        self.spills.close()

    def close(self) -> None:
        """End all of it for good."""
        self.ears.close()
        self.rest()


class Files:
    """Finds or writes the files of layers, then calls back in the window's thread."""

    def __init__(self, backstage: Backstage, parent: QObject) -> None:
        self._backstage = backstage
        self._later = Later(parent)

    def of(
        self, layers: Mapping[str, Any], then: Callable[[dict[str, Path] | AlsctError], None]
    ) -> None:
        """Call `then` with the files, at once when no layer must be written first."""
        spills = self._backstage.spills
        known: dict[str, Path | None] = {}
        for name, layer in layers.items():
            spills.watch(layer)
            known[name] = file_of(layer) or spills.known(layer)
        missing = {name: layers[name] for name, path in known.items() if path is None}
        found = {name: path for name, path in known.items() if path is not None}
        if not missing:
            then(found)
            return

        def write() -> dict[str, Path]:
            return found | {name: spills.write(layer) for name, layer in missing.items()}

        def written(done: Future[dict[str, Path]]) -> None:
            error = done.exception()
            if error is None:
                then(done.result())
            elif isinstance(error, AlsctError):
                then(error)
            else:
                then(AlsctError(f"the layer cannot be written ({error})"))

        self._later.when(self._backstage.thread.submit(write), written)


class Work(QObject):
    """Runs a step in its process and tells how far it is."""

    changed = Signal(object)
    """A `JobView`, ten times a second while it runs, and once when it has ended."""

    def __init__(self, backstage: Backstage, parent: QObject) -> None:
        super().__init__(parent)
        self._backstage = backstage
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._look)

    @property
    def running(self) -> bool:
        """Whether a step is at work."""
        return self._backstage.job is not None

    def start(self, request: StepRequest) -> None:
        """Start it.

        Raises
        ------
        AlsctError
            Its process cannot be started.
        """
        self._backstage.job = StepJob(request)
        self._timer.start()

    def cancel(self) -> None:
        """Tell it to stop."""
        if self._backstage.job is not None:
            self._backstage.job.cancel()

    def _look(self) -> None:
        job = self._backstage.job
        if job is None:
            return
        view: JobView = job.look()
        if view.ended:
            self._timer.stop()
            self._backstage.job = None
            job.close()
        self.changed.emit(view)
