"""Agents that are killed: a process that forks one agent for each line it is given.

A line names a facility's folder and how many turns the agent takes. The variable
``ALSCT_TEST_BOUNDARY`` of the agent, ``name`` or ``name:n``, names the boundary at which it
kills itself with SIGKILL, the n-th time that it comes there. The answer is its wait status.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from tests.placement.crashing import facility_of

VARIABLE = "ALSCT_TEST_BOUNDARY"


class KillAt:
    """Ends the process at a boundary, as a power cut would."""

    def __init__(self, boundary: str) -> None:
        self._name, _, count = boundary.partition(":")
        self._left = int(count or 1)

    def __call__(self, boundary: str) -> None:
        if boundary == self._name:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def live(case: dict[str, Any]) -> None:
    """Be an agent for some turns."""
    facility = facility_of(Path(case["root"]), case["kind"])
    facility.watch.now_s = case["now_s"]
    with facility.ledger() as ledger:
        agent = facility.agent(ledger, KillAt(os.environ.get(VARIABLE, "")))
        for _ in range(case["turns"]):
            agent.turn()
            facility.step()


def main() -> None:
    for line in sys.stdin:
        case = json.loads(line)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.environ[VARIABLE] = case["boundary"]
                live(case)
                code = 0
            except BaseException:  # noqa: BLE001 - the child ends here, whatever it is
                traceback.print_exc()
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        print(status, flush=True)  # noqa: T201 (the answer)


if __name__ == "__main__":
    main()
