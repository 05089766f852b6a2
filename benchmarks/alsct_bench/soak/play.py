"""A soak: the moves of a plan, one after the other, then peace, then the account."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from alsct_bench.soak.account import open_goals, own_account, sha256_of, size_bytes
from alsct_bench.soak.plan import KILLS, LONGEST_S, Move, MoveKind, Size, Window, plan
from alsct_gui.files.plaintext import read_plain, write_plain
from alsct_gui.model.errors import UsageError
from alsct_gui.model.placement import StateKind
from alsct_gui.model.policy import Policy
from alsct_gui.placement.asking import ask_admit
from alsct_gui.placement.events import EventKind
from alsct_gui.placement.invariants import Violation, check
from alsct_gui.placement.ledger import Ledger
from alsct_gui.placement.onlyone import agent_pid
from alsct_gui.placement.policy import load_policy
from alsct_gui.placement.runs.processes import module_command, module_environment
from alsct_gui.simulator.acquisition import PlannedScan, planned_scans, take_scan, tiny_scan
from alsct_gui.simulator.facility.serve import FacilityProcess
from alsct_gui.simulator.facility.tree import Tree
from alsct_gui.simulator.facility.world import Pace

Say = Callable[[str], None]
_CLOSED_S = 60.0  # how long ago files were closed that are handed over
_START_S = 30.0
_LOOK_S = 0.5
_PATIENCE_S = 90.0  # after all faults, something must come to be met in this time
_IDLE_S = 4.0  # longest time that an agent's next events are waited for
_SCAN_IDLE_S = 0.5  # the same before another scan arrives
_CONTROLLED_EVERY = 10
_MADE = "* made/*"


@dataclass
class Result:
    """What a soak came to."""

    seed: int
    violations: tuple[Violation, ...] = ()
    """What must not be."""
    backlog: int = 0
    """Goals that were still open when patience ended."""
    counts: Counter[str] = field(default_factory=Counter)
    """Scans, kills, windows, events, transfers, goals."""
    seconds: float = 0.0
    """All of it."""
    quiet_s: float = 0.0
    """From the end of all faults until nothing was owed."""


def soak_policy(tree: Tree) -> dict[str, Any]:
    """Return what is wanted in a soak: all that is wanted at a beamline, with little patience.

    Beside that a mirror on another disk; and reconstructions of a few scans only, which take
    seconds each.
    """
    plain: dict[str, Any] = read_plain(tree.policy)
    few = {"scans": {"path": _MADE}}
    lanes = [{**lane, "poll_s": 0.3, "items": min(lane.get("items", 1), 8)}
             for lane in plain["lanes"]]  # fmt: skip
    mirror = {"name": "mirror", "site": "here", "lane": "disk", "root": str(tree.root / "mirror")}
    wishes = [{**wish, **(few if "recipe" in wish else {})}
              for wish in plain["wishes"]]  # fmt: skip
    return {
        **plain,
        "name": "soak",
        "lanes": [*lanes, {"name": "disk", "active": 2, "items": 8, "poll_s": 0.1}],
        "places": [*plain["places"], mirror],
        "wishes": [*wishes, {"name": "a mirror", "product": "raw", "places": ["mirror"]}],
        "patience": {"first_s": 0.3, "factor": 2, "most_s": 4, "attempts": 5},
        "audit_days": 0.01,
    }


class Soak:
    """One soak.

    Parameters
    ----------
    folder
        For everything; empty or absent.
    seed
        Of the plan.
    size
        How long it is.
    say
        Is told how it goes.
    """

    def __init__(self, folder: Path, seed: int, size: Size, say: Say = lambda _: None) -> None:
        self._seed, self._size, self._say = seed, size, say
        self._facility = FacilityProcess(folder / "facility", Pace(1.0, 100e3, 0.0, 0.3))
        self._tree = self._facility.tree
        self._ledger_path, self._policy_path = folder / "ledger.sqlite", folder / "policy.yaml"
        self._log = folder / "agent.log"
        self._agent: subprocess.Popen[bytes] | None = None
        self._environment: dict[str, str] = {}
        self._policy: Policy | None = None
        self._sums: dict[Path, str] = {}
        self._controlled: set[Path] = set()
        self._windows: dict[int, tuple[int, float]] = {}
        """Faults on the desk: the event, and the time, at which each is taken off."""
        self._pause = threading.Event()
        self.result = Result(seed)

    def play(self) -> Result:
        """Play it to its end; everything that it started has ended then."""
        began = time.monotonic()
        try:
            self._prepare()
            with Ledger(self._ledger_path) as ledger:
                self._start_agent()
                self._moves(ledger)
                self._peace(ledger)
                self._end_agent(signal.SIGTERM)
                self._account(ledger)
        finally:
            self._end_agent(signal.SIGKILL)
            self._facility.stop()
            self._end_workers(signal.SIGTERM)
        self.result.seconds = time.monotonic() - began
        return self.result

    def _prepare(self) -> None:
        """Start the facility, and say what is wanted."""
        card = self._facility.start()
        (self._tree.root / "mirror").mkdir(exist_ok=True)
        write_plain(self._policy_path, soak_policy(self._tree))
        self._policy = load_policy(self._policy_path)
        # One trusted certificate instead of all: httpx reads them anew for each record.
        one = self._ledger_path.with_name("one.pem")
        one.write_text(_first_certificate(), encoding="ascii")
        self._environment = {
            **module_environment(), **card.environment, "SSL_CERT_FILE": str(one),
        }  # fmt: skip

    def _moves(self, ledger: Ledger) -> None:
        scans = iter(self._scans())
        moves = plan(self._seed, self._size)
        for number, move in enumerate(moves, 1):
            self._say(f"{number}/{len(moves)} {move.kind}")
            idle_s = _SCAN_IDLE_S if move.kind is MoveKind.SCAN else _IDLE_S
            self._wait_events(ledger, move.after_events, idle_s)
            self._pause.wait(move.delay_s)
            self._make(move, scans, ledger)
            self.result.counts["kills"] += KILLS.get(move.kind, 0)

    def _wait_events(self, ledger: Ledger, count: int, idle_s: float) -> None:
        """Wait until the agent has written so many events, or has nothing to write."""
        wanted, until_s = ledger.last_seq() + count, time.monotonic() + idle_s
        while (seq := ledger.last_seq()) < wanted and time.monotonic() < until_s:
            self._close_windows(seq)
            self._pause.wait(0.005)
        self._close_windows(seq)

    def _open(self, window: Window, seq: int) -> None:
        """Put a fault on the desk."""
        number = self._facility.desk.put(window.name, where=window.where, count=window.count)
        self._windows[number] = (seq + window.for_events, time.monotonic() + LONGEST_S)
        self.result.counts["fault windows"] += 1

    def _close_windows(self, seq: int) -> None:
        """Take off the faults whose time has passed."""
        for number, (last, until_s) in list(self._windows.items()):
            if seq >= last or time.monotonic() >= until_s:
                self._facility.desk.take(number)
                del self._windows[number]

    def _make(self, move: Move, scans: Iterator[PlannedScan], ledger: Ledger) -> None:
        match move.kind:
            case MoveKind.SCAN:
                self._arrive(next(scans), ledger)
            case MoveKind.KILL:
                self._end_agent(signal.SIGKILL)
                self._start_agent()
            case MoveKind.KILL_TWICE:
                self._end_agent(signal.SIGKILL)
                self._start_agent()
                self._pause.wait(move.hold_s)
                self._end_agent(signal.SIGKILL)
                self._start_agent()
            case MoveKind.PAUSE:
                if self._agent is not None:
                    self._agent.send_signal(signal.SIGSTOP)
                    self._pause.wait(move.hold_s)
                    self._agent.send_signal(signal.SIGCONT)
                    self.result.counts["pauses"] += 1
            case MoveKind.SECOND:
                self._second_agent()
            case MoveKind.FACILITY:
                self._facility.kill()
                self._pause.wait(move.hold_s)
                self._facility.start()
                self._windows.clear()
            case MoveKind.WORKER:
                self._end_workers(signal.SIGKILL)
            case MoveKind.FAULT:
                if move.window is not None:
                    self._open(move.window, ledger.last_seq())

    def _scans(self) -> Iterator[PlannedScan]:
        size = self._size
        every = max(1, size.scans // max(1, size.reconstructed))
        for number, scan in enumerate(planned_scans(size.scans, self._seed, spec=tiny_scan())):
            if size.reconstructed and number % every == 0:
                # Less than this is no volume worth the name.
                larger = replace(scan.spec, n_columns=64, n_rows=8, n_angles=61)
                yield PlannedScan(f"{scan.folder} made", larger)
            else:
                yield scan

    def _arrive(self, scan: PlannedScan, ledger: Ledger) -> None:
        path = take_scan(scan, self._tree.raw)
        closed_s = time.time() - _CLOSED_S
        os.utime(path, (closed_s, closed_s))
        self._sums[path] = sha256_of(path)
        self.result.counts["scans"] += 1
        controlled = self.result.counts["scans"] % _CONTROLLED_EVERY == 0
        if controlled:
            self._controlled.add(path)
        ask_admit(ledger, path, export_controlled=controlled)

    def _peace(self, ledger: Ledger) -> None:
        """No more faults: what is owed must be paid unaided."""
        self._facility.desk.clear()
        if self._agent is None or self._agent.poll() is not None:
            raise RuntimeError(f"the agent has ended by itself: see {self._log}")
        began = time.monotonic()
        self._say("peace")
        met, met_s = 0, began
        while open_goals(ledger, self._wanted) and time.monotonic() - met_s < _PATIENCE_S:
            self._pause.wait(_LOOK_S)
            records = ledger.observed().goals.values()
            now_met = sum(record.state.kind is StateKind.MET for record in records)
            if now_met > met:
                met, met_s = now_met, time.monotonic()
        self.result.quiet_s = time.monotonic() - began
        self.result.backlog = len(open_goals(ledger, self._wanted))

    @property
    def _wanted(self) -> Policy:
        if self._policy is None:
            raise RuntimeError("the soak has not begun")
        return self._policy

    def _account(self, ledger: Ledger) -> None:
        found = list(check(ledger, self._wanted, now_s=time.time()))
        found += [Violation("backlog", key, "is still owed")
                  for key in open_goals(ledger, self._wanted)]  # fmt: skip
        found += own_account(ledger, self._wanted, self._tree.raw, self._sums, self._controlled)
        self.result.violations = tuple(found)
        observed = ledger.observed()
        kinds = Counter(item.kind for item in ledger.tail(0))
        counts = self.result.counts
        counts["events"] = ledger.last_seq()
        counts["goals"] = len(observed.goals)
        counts["pieces of work"] = kinds[EventKind.INTENT]
        counts["failures"] = kinds[EventKind.FAILED]
        counts["ledger bytes"] = size_bytes(self._ledger_path)

    def _start_agent(self) -> None:
        self._agent = self._new_agent()

    def _new_agent(self) -> subprocess.Popen[bytes]:
        words = [str(word) for word in (self._tree.root, self._ledger_path, self._policy_path)]
        with self._log.open("ab") as log:
            return subprocess.Popen(
                module_command("alsct_bench.soak.agent", *words), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env=self._environment, start_new_session=True,
            )  # fmt: skip

    def _end_agent(self, how: signal.Signals) -> None:
        if self._agent is not None:
            with suppress(ProcessLookupError):
                self._agent.send_signal(how)
            self._agent.wait(_START_S)
            self._agent = None

    def _second_agent(self) -> None:
        """Another agent must end by itself; the first one goes on."""
        self._until(lambda: agent_pid(self._ledger_path) is not None, "the first agent works")
        if self._new_agent().wait(_START_S) != UsageError.exit_code:
            raise RuntimeError(f"two agents work on {self._ledger_path}")
        self.result.counts["second agents"] += 1

    def _end_workers(self, how: signal.Signals) -> None:
        """End what works for the agent in processes of its own."""
        own = {os.getpid(), agent_pid(self._ledger_path)}
        for pid, words in processes():
            works = any(part in words for part in (b"local_worker", b"placement.runs"))
            if works and str(self._tree.root.parent).encode() in words and pid not in own:
                with suppress(ProcessLookupError):
                    os.kill(pid, how)

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        until_s = time.monotonic() + _START_S
        while not condition():
            if time.monotonic() > until_s:
                raise RuntimeError(f"waited in vain until {what}")
            self._pause.wait(0.05)


def processes() -> Iterator[tuple[int, bytes]]:
    """Yield every process with its words."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with suppress(OSError):
                yield int(folder.name), (folder / "cmdline").read_bytes()


def _first_certificate() -> str:
    import certifi

    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----\n"
    text = Path(certifi.where()).read_text(encoding="utf-8")
    return text[text.index(begin) : text.index(end) + len(end)]


def main(arguments: list[str]) -> int:
    """``python -m alsct_bench.soak.play FOLDER SEED SIZE``: one soak, told as it goes."""
    from alsct_bench.soak import plan as sizes

    folder, seed, name = arguments
    size: Size = getattr(sizes, name.upper())
    result = Soak(Path(folder), int(seed), size, lambda text: print(text, flush=True)).play()
    print(result.counts, f"{result.seconds:.1f} s, quiet after {result.quiet_s:.1f} s")
    for item in result.violations:
        print(item)
    return 1 if result.violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
