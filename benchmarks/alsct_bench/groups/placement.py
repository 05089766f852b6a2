"""How quickly the agent thinks: the difference over many scans, and opening a ledger."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from time import perf_counter, sleep

from alsct_bench.context import Bench
from alsct_bench.measurement import Measurement, Target
from alsct_gui.files.plaintext import read_plain, write_plain
from alsct_gui.files.resources import resource_path
from alsct_gui.model.placement import (
    MET,
    Evidence,
    GoalRecord,
    Health,
    LinkState,
    Observed,
    ScanFacts,
    scan_part,
)
from alsct_gui.placement.diff import diff
from alsct_gui.placement.events import EventKind, event, lean
from alsct_gui.placement.feed import Feed
from alsct_gui.placement.ledger import Ledger
from alsct_gui.placement.policy import load_policy
from alsct_gui.placement.runs.processes import module_command, module_environment
from alsct_gui.placement.starting import AGENT
from alsct_gui.placement.wanted import Wanted

GROUP = "placement"
_SCANS = 10_000
_REPEATS = 5
_NOW_S = 1.8e9
_DOWN = {name: Health(name, LinkState.DOWN) for name in ("perlmutter", "globus", "scicat")}


def measure(bench: Bench) -> Iterator[Measurement]:
    """Measure a facility with ten thousand scans, before, during and after an outage."""
    policy = load_policy()
    met, fresh = _observed(met=True), _observed(met=False)
    cases: tuple[tuple[str, Observed, dict[str, Health]], ...] = (
        ("all met", met, {}),
        ("nothing begun", fresh, {}),
        ("an outage", fresh, _DOWN),
    )
    for name, observed, health in cases:
        times = []
        for _ in range(_REPEATS):
            start = perf_counter()
            diff(policy, observed, health, _NOW_S)
            times.append(perf_counter() - start)
        yield _row(f"difference over {_SCANS} scans, {name}", times, 0.2)
    yield from _ledger(bench, met)
    with tempfile.TemporaryDirectory(dir=bench.folder, prefix="agent-") as name:
        yield from _agent(Path(name), bench.repeats)


def _agent(folder: Path, repeats: int) -> Iterator[Measurement]:
    """Measure an agent's start, and how soon a reader hears what it writes.

    Bytecode is kept, as an installed program has it, whatever this process does.
    """
    times = []
    words = _papers(folder)
    kept = {**module_environment(), "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    for number in range(repeats + 1):
        ledger = folder / f"{number}.sqlite"
        with Ledger(ledger) as opened:
            start = perf_counter()
            agent = subprocess.Popen(
                module_command(AGENT, str(ledger), *words, str(folder / "runs")),
                env=kept, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            try:
                while not any(item.kind == EventKind.AGENT for item in opened.tail(0)):
                    if agent.poll() is not None:
                        raise RuntimeError(f"the agent does not start: {agent.returncode}")
                    sleep(0.002)
                times.append(perf_counter() - start)
            finally:
                agent.terminate()
                agent.wait()
    times = times[1:]  # the first one has made the bytecode
    yield _row("an agent's start, to its first event", times, 0.5)
    yield _row("an event, to whoever follows the ledger", _delays(folder, 10 * repeats), 0.2)


def _papers(folder: Path) -> tuple[str, str]:
    """Write a policy and a profile of this machine alone, so that nothing outside is asked."""
    policy, profile = folder / "policy.yaml", folder / "profile.yaml"
    wish = {"name": "a volume", "product": "reconstruction", "places": ["made"],
            "recipe": "standard-8.3.2"}  # fmt: skip
    write_plain(policy, {
        "name": "here", "sites": [{"name": "here", "outside": False}],
        "lanes": [{"name": "here"}], "admitted": "raw", "wishes": [wish],
        "places": [{"name": name, "site": "here", "lane": "here", "root": str(folder / name)}
                   for name in ("raw", "made")],
    })  # fmt: skip
    known = read_plain(resource_path("profiles", "als-8.3.2.yaml"))
    write_plain(profile, {**known, "hosts": {}})
    return str(policy), str(profile)


def _delays(folder: Path, count: int) -> list[float]:
    """Times from a commit until the feed of a window has handed it out."""
    times: list[float] = []
    with Ledger(folder / "followed.sqlite") as ledger:
        ledger.append([event(EventKind.AGENT, what="started")])
        heard: Queue[int] = Queue()
        feed = Feed(ledger.path, lambda snapshot: heard.put(snapshot.observed.seq))
        feed.start()
        try:
            while heard.get(timeout=10.0) < 1:
                pass
            for number in range(count):
                sleep(0.003 * (number % 17))  # so that the feed's own pauses play no part
                (stored,) = ledger.append([event(EventKind.AGENT, what="started")])
                start = perf_counter()
                while heard.get(timeout=10.0) < stored.seq:
                    pass
                times.append(perf_counter() - start)
        finally:
            feed.close()
    return times


def _ledger(bench: Bench, observed: Observed) -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory(dir=bench.folder, prefix="ledger-") as name:
        path = Path(name) / "ledger.sqlite"
        with Ledger(path) as ledger:
            scans = observed.scans.values()
            ledger.append([event(EventKind.SCAN, scan=lean(s), path=s.path) for s in scans])
            told = [
                event(EventKind.MET, keys=[key], evidence=lean(record.evidence))
                for key, record in observed.goals.items()
                if record.evidence is not None
            ]
            ledger.append(told)
            ledger.keep_snapshot(ledger.observed())
        times = []
        for _ in range(_REPEATS):
            start = perf_counter()
            with Ledger(path) as ledger:
                ledger.observed()
            times.append(perf_counter() - start)
        yield _row(f"opening a ledger of {len(observed.goals)} goals", times, 0.5)
        yield Measurement(
            GROUP, "ledger for each goal that was met", path.stat().st_size / len(observed.goals),
            "bytes", target=Target("value", 2000), note="history, index and snapshot",
        )  # fmt: skip


def _row(name: str, times: list[float], bound_s: float) -> Measurement:
    middle = sorted(times)[len(times) // 2]
    spread = (max(times) - min(times)) / middle
    return Measurement(GROUP, name, middle, "s", spread=spread, target=Target("value", bound_s))


def _observed(*, met: bool) -> Observed:
    observed, wanted = Observed(), Wanted(load_policy())
    for number in range(_SCANS):
        identity = f"{number:064x}"[::-1]
        scan = ScanFacts(
            identity, f"/data/raw/BLS-{number % 50:05d}_someone/scan {number}.h5", 8_500_000_000,
            identity, f"BLS-{number % 50:05d}", admitted_s=float(number),
        )  # fmt: skip
        part = scan_part(identity)
        observed.scans[part] = scan
        for aim in wanted.plan(scan).every if met else ():
            key = part + aim.suffix
            evidence = Evidence(scan.path, _NOW_S, scan.size_bytes, scan.sha256)
            observed.goals[key] = GoalRecord(key, MET, 0.0, evidence)
    return observed
