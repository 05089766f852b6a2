"""The queue of runs as the window and the command line use it.

Nothing of it lives in this process: requests, intents and events are files, the work is done
by a keeper and its workers. So any number of windows may look at, and change, one queue, and
closing them stops nothing.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from alsct_gui.model.errors import UsageError
from alsct_gui.placement.runs.folder import (
    PATIENCE_S,
    RunBusyError,
    RunFolder,
    cannot_write,
    default_folder,
    read_order,
    write_order,
)
from alsct_gui.placement.runs.keeper import keeper_alive, start_keeper
from alsct_gui.placement.runs.model import RunRequest, RunState, RunView
from alsct_gui.placement.runs.products import discard_partial, free_output
from alsct_gui.placement.runs.reading import RunsReader, queue_order, read_view

_LOG_BYTES = 1 << 16


class RunQueue:
    """The runs of one folder. Not for several threads at once.

    `views` is quick enough for a timer of the window; the others may start a process, which
    takes about 0.1 s, and wait for the disk: call them beside the event loop.

    Parameters
    ----------
    folder
        The runs folder, which is made when needed; None for that of the user.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = (folder or default_folder()).absolute()
        self._reader = RunsReader(self.folder)

    def submit(self, request: RunRequest) -> str:
        """Put a run at the end of the queue; it begins by itself. Returns its id.

        A name of the product that is taken, or promised to another run, gets a number.

        Raises
        ------
        OutputError
            The runs folder cannot be written.
        ResourceError
            The process that works off the queue cannot be started.
        """
        with self._submitting():
            promised = {
                view.request.output
                for view in self.views()
                if view.request is not None and not view.state.ended
            }
            request = replace(
                request,
                scan=request.scan.absolute(),
                output=free_output(request.output.absolute(), promised),
                created=request.created or datetime.now(UTC).isoformat(timespec="seconds"),
            )
            run_id = RunFolder.create(self.folder, request).id
        self.wake()
        return run_id

    def views(self) -> tuple[RunView, ...]:
        """Return how all runs are, newest first; reads what is new, and nothing else."""
        return self._reader.poll()

    def running(self) -> int:
        """Return how many runs are queued or running, hence go on without the window."""
        return sum(not view.state.ended for view in self.views())

    def wake(self) -> None:
        """See that the queue is worked off: start a keeper if there is work and none lives.

        Call it when the window starts, and every few seconds while runs are under way: a
        keeper that was killed is replaced, and what was lost meanwhile is told.

        Raises
        ------
        ResourceError
            The process cannot be started.
        """
        if self.running() and not keeper_alive(self.folder):
            start_keeper(self.folder)

    def cancel(self, run_id: str) -> None:
        """Ask a queued or running run to end; its partial product goes with it.

        Raises
        ------
        UsageError
            There is no such run, or it has ended.
        """
        folder, view = self._find(run_id)
        if view.state.ended:
            raise UsageError(f"the run has ended ({view.state})", where=run_id)
        folder.ask_cancel()
        self.wake()

    def retry(self, run_id: str, *, anew: bool = False) -> None:
        """Put a run that failed, was lost or cancelled at the end of the queue again.

        It goes on with the slices that the last attempt stored.

        Parameters
        ----------
        run_id
            Which run.
        anew
            Start from the beginning: for a partial product of another version.

        Raises
        ------
        UsageError
            There is no such run, or it is finished, queued or running.
        RunBusyError
            Its worker has not ended yet.
        """
        folder, view = self._find(run_id)
        if not view.state.ended or view.state is RunState.FINISHED:
            raise UsageError(
                f"the run is {view.state}", where=run_id, fix="Submit the scan again for a new one"
            )
        self._set_order(tuple(name for name in read_order(self.folder) if name != run_id))
        with folder.open_log(PATIENCE_S) as log:
            folder.drop_cancel()
            log.append("queued", resume=not anew)
        self.wake()

    def move(self, run_id: str, place: int) -> None:
        """Give a queued run another place in the queue, 0 for the next.

        Raises
        ------
        UsageError
            It is not queued.
        """
        order = list(queue_order(self.views(), read_order(self.folder)))
        if run_id not in order:
            raise UsageError("the run is not queued", where=run_id[:80])
        order.remove(run_id)
        order.insert(max(0, place), run_id)
        self._set_order(tuple(order))

    def forget(self, run_id: str) -> None:
        """Remove a run that has ended from the list; its product stays.

        What a failed or lost run left of a product goes, for nothing else would find it.

        Raises
        ------
        UsageError
            There is no such run, or it has not ended.
        RunBusyError
            Its worker has not ended yet.
        """
        folder, view = self._find(run_id)
        if not view.state.ended:
            raise UsageError(f"the run is {view.state}", where=run_id, fix="Cancel it first")
        folder.remove()
        if view.state in (RunState.FAILED, RunState.LOST) and view.partial_path is not None:
            self._discard(view)

    def log(self, run_id: str) -> str:
        """Return the end of what the worker printed.

        Raises
        ------
        UsageError
            There is no such run.
        """
        folder, _ = self._find(run_id)
        if not folder.log.exists():
            return ""
        with folder.log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _LOG_BYTES))
            return file.read().decode("utf-8", "replace")

    def _discard(self, view: RunView) -> None:
        """Remove a partial product, unless another run of this queue goes on with it."""
        if view.request is None:
            return
        others = {other.request.output for other in self.views() if other.request is not None}
        if view.request.output not in others:
            discard_partial(view.request.output)

    def _find(self, run_id: str) -> tuple[RunFolder, RunView]:
        folder = RunFolder(self.folder, run_id)
        return folder, read_view(folder)

    def _set_order(self, order: tuple[str, ...]) -> None:
        if order != read_order(self.folder):
            write_order(self.folder, order)

    @contextmanager
    def _submitting(self) -> Iterator[None]:
        """Keep others from choosing the same name of a product meanwhile."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / "submit.lock").open("ab")
        except OSError as error:
            raise cannot_write(self.folder, error) from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


__all__ = ["RunBusyError", "RunQueue"]
