"""How quickly the agent starts and thinks: the difference over many scans, opening a ledger."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

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
from alsct_gui.placement.ledger import Ledger
from alsct_gui.placement.policy import load_policy
from alsct_gui.placement.runs.processes import module_command, module_environment
from alsct_gui.placement.starting import AGENT
from alsct_gui.placement.wanted import Wanted

GROUP = "placement"
_SCANS = 10_000
_REPEATS = 5
_NOW_S = 1.8e9
_POLICY = {
    "name": "here",
    "sites": [{"name": "here", "outside": False}],
    "lanes": [{"name": "here"}],
    "places": [
        {"name": "raw", "site": "here", "lane": "here", "root": "/raw"},
        {"name": "made", "site": "here", "lane": "here", "root": "/made"},
    ],
    "admitted": "raw",
    "wishes": [{"name": "a volume", "product": "reconstruction", "places": ["made"],
                "recipe": "standard-8.3.2"}],
}  # fmt: skip
"""Of this machine alone, so that nothing outside is asked."""
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
    yield _start(bench)


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


def _start(bench: Bench) -> Measurement:
    """How long it takes from the start of the agent's process until it works.

    Bytecode is kept, as an installed program has it, whatever this process does.
    """
    times = []
    with tempfile.TemporaryDirectory(dir=bench.folder, prefix="agent-") as name:
        folder = Path(name)
        policy, profile = folder / "policy.yaml", folder / "profile.yaml"
        write_plain(policy, _POLICY)
        plain = {**read_plain(resource_path("profiles", "als-8.3.2.yaml")), "hosts": {}}
        write_plain(profile, plain)
        kept = {**module_environment(), "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        for number in range(_REPEATS + 1):
            words = [folder / f"{number}.sqlite", policy, profile, folder / "runs", "1"]
            start = perf_counter()
            with subprocess.Popen(
                module_command(AGENT, *map(str, words)), env=kept, stderr=subprocess.PIPE
            ) as agent:
                said = agent.stderr.readline() if agent.stderr is not None else b""
                times.append(perf_counter() - start)
                agent.terminate()
            if b"works on" not in said:
                raise RuntimeError(f"the agent does not start: {os.fsdecode(said)}")
    return _row("an agent, from the start of its process to work", times[1:], 0.5)


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
