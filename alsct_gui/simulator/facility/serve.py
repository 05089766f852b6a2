"""The facility's process: ``python -m alsct_gui.simulator.facility.serve ROOT [PACE as JSON]``."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict
from pathlib import Path

from alsct_gui.model.errors import AlsctError, ResourceError
from alsct_gui.placement.runs.processes import module_command, module_environment
from alsct_gui.simulator.facility.desk import Card, Desk, read_card
from alsct_gui.simulator.facility.tree import Tree
from alsct_gui.simulator.facility.world import Pace, World

START_S = 60.0
"""Longest time from the start of the process until the facility answers."""
_END_S = 60.0


Extra = Callable[[Tree], AbstractContextManager[object]]
"""Something that goes on at a facility while it runs, such as a detector."""


def serve(root: Path, pace: Pace, extras: Sequence[Extra] = ()) -> None:
    """Be a facility until SIGTERM or SIGINT.

    Raises
    ------
    UsageError
        The folder cannot be used, or another facility runs there.
    """
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    with World(root, pace) as world, ExitStack() as stack:
        for extra in extras:
            stack.enter_context(extra(world.tree))
        sys.stderr.write(f"alsct facility: runs in {world.tree.root}\n")
        sys.stderr.flush()
        stop.wait()


class FacilityProcess:
    """A facility in a process of its own; use it as a context, which ends it.

    Parameters
    ----------
    root
        Its folder.
    pace
        How quick it is.
    """

    def __init__(self, root: Path, pace: Pace | None = None) -> None:
        self.tree, self._pace = Tree(root.resolve()), pace or Pace()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def card(self) -> Card:
        """How it is reached."""
        return read_card(self.tree.card)

    @property
    def desk(self) -> Desk:
        """Its fault desk."""
        return Desk(self.card.control)

    def start(self) -> Card:
        """Start it and wait until it answers.

        Raises
        ------
        ResourceError
            It does not start.
        """
        root = self.tree.root
        root.mkdir(parents=True, exist_ok=True)
        self.tree.card.unlink(missing_ok=True)
        words = json.dumps(asdict(self._pace))
        with (root / "facility.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 (this program's own module)
                module_command("alsct_gui.simulator.facility.serve", str(root), words),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=module_environment(),
                start_new_session=True,
            )  # fmt: skip
        pause = threading.Event()
        for _ in range(int(START_S / 0.02)):
            if self.tree.card.exists():
                return self.card
            if self._process.poll() is not None:
                break
            pause.wait(0.02)
        self.stop()
        raise ResourceError(
            "the facility does not start", where=str(root / "facility.log"),
            fix="Read what it says there",
        )  # fmt: skip

    def kill(self) -> None:
        """End it at once, as a power cut would; its jobs go on."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in good order; its jobs are killed."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            try:
                self._process.wait(_END_S)
            finally:
                self._process.kill()
                self._process.wait()
                self._process = None

    def __enter__(self) -> FacilityProcess:
        """Start it."""
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Stop it."""
        self.stop()


def main(arguments: list[str]) -> int:
    """Serve; return the exit code."""
    root, *more = arguments
    try:
        serve(Path(root), Pace(**json.loads(more[0])) if more else Pace())
    except AlsctError as error:
        sys.stderr.write(f"alsct facility: {error.sentence}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
