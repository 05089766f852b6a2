"""Agents with the real clients that are killed or stopped, forked one for each line.

A line is a case as JSON. The variable part of an agent's life is the boundary at which it ends
itself: ``name`` or ``name:n`` of the agent's hooks, or one of `INNER`, between two effects of
a goal itself. ``how`` is a signal: SIGKILL, or SIGSTOP, of which the parent tells and then
waits for a line before it lets the agent go on. The answer is its wait status.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

# What every life needs, and would import anew after each fork.
import anyio._backends._asyncio  # noqa: F401
import h5py  # noqa: F401
import httpcore  # noqa: F401

import alsct_gui.catalog.preview
import alsct_gui.superfacility.metadata.scicat
import alsct_gui.superfacility.transfer.globus  # noqa: F401
from alsct_gui.placement.goals import broughtanalysis
from alsct_gui.placement.goals.bringing import BroughtGoals
from alsct_gui.placement.goals.broughtanalysis import BroughtAnalyses
from alsct_gui.placement.onlyone import AgentLock
from alsct_gui.simulator.facility.clock import ManualClock
from alsct_gui.simulator.facility.faults import FaultDesk
from alsct_gui.simulator.facility.papers import Addresses
from alsct_gui.simulator.facility.tree import Tree
from alsct_gui.superfacility.compute.keyfile import read_key
from alsct_gui.superfacility.compute.nersc import Nersc
from alsct_gui.superfacility.compute.session import private_key
from tests.wiring.loopback import TURN_S, Life, Loopback

STOPPED = "stopped"
MOST_TURNS = 400
PAUSE_S = 0.02


class EndAt:
    """Ends or stops the process at a boundary."""

    def __init__(self, boundary: str, how: int) -> None:
        self._name, _, count = boundary.partition(":")
        self._left, self._how = int(count or 1), how

    def __call__(self, boundary: str) -> None:
        if boundary == self._name:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), self._how)

    def inside(self) -> None:
        """Watch boundaries that lie within the goals themselves."""

        def before(owner: Any, name: str, boundary: str) -> None:
            method: Callable[..., Any] = getattr(owner, name)

            def watched(*args: Any, **more: Any) -> Any:
                self(boundary)
                return method(*args, **more)

            setattr(owner, name, watched)

        def after(owner: Any, name: str, boundary: str) -> None:
            method: Callable[..., Any] = getattr(owner, name)

            def watched(*args: Any, **more: Any) -> Any:
                answer = method(*args, **more)
                self(boundary)
                return answer

            setattr(owner, name, watched)

        after(Nersc, "_prepare", "prepared")
        after(BroughtGoals, "_expect", "listed")
        after(BroughtAnalyses, "_sum", "summed")
        after(broughtanalysis, "make_way", "way")
        before(shutil, "rmtree", "renamed")


INNER = ("prepared", "listed", "summed", "way", "renamed")


def live(case: dict[str, Any]) -> None:
    """Be an agent until everything is there."""
    clock = ManualClock(case["now_s"])
    place = Loopback(Path(case["root"]), clock, FaultDesk(clock), Addresses(**case["addresses"]))
    place.restrict(case["wishes"])
    hook = EndAt(case["boundary"], case["how"])
    hook.inside()
    pause = threading.Event()
    with AgentLock(place.ledger_path):
        life = Life(place, hook)
        for _ in range(MOST_TURNS):
            life.turn()
            clock.advance(TURN_S)
            if len(life.observed.goals) > 1 and not life.open_goals():
                break
            pause.wait(PAUSE_S)  # jobs are processes, which take their time
        life.turn()  # a look at what was met


def main() -> None:
    for line in sys.stdin:
        case = json.loads(line)
        key = Tree(Path(case["root"])).key
        private_key(read_key(key), key)  # checked here, each life has it
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.environ.update(case["environment"])
                live(case)
                code = 0
            except BaseException:  # noqa: BLE001 - the child ends here, whatever it is
                traceback.print_exc()
            finally:
                os._exit(code)
        _, status = os.waitpid(child, os.WUNTRACED)
        while os.WIFSTOPPED(status):
            print(STOPPED, flush=True)  # noqa: T201 (the answer)
            sys.stdin.readline()
            os.kill(child, signal.SIGCONT)
            _, status = os.waitpid(child, os.WUNTRACED)
        print(status, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
