"""`alsct facility`: the simulated facility, and what goes wrong there."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alsct_gui.cli.console import JsonFlag, emit_json, out, show_table
from alsct_gui.model.errors import RemoteError, UsageError

if TYPE_CHECKING:
    from alsct_gui.simulator.facility.desk import Desk
    from alsct_gui.simulator.facility.tree import Tree

FOLDER_VARIABLE = "ALSCT_FACILITY"
"""Environment variable that names the folder of the facility."""
_STOP_S = 30.0

RootOption = Annotated[
    Path | None,
    typer.Option("--at", help=f"Folder of the facility; ${FOLDER_VARIABLE}, or that of this user."),
]

facility = typer.Typer(
    name="facility",
    help="A simulated facility on this machine: Globus, NERSC, a detector, and their faults.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@facility.command()
def run(
    at: RootOption = None,
    speed: Annotated[
        float, typer.Option("--speed", min=0.1, max=1000.0, help="Its seconds in one of ours.")
    ] = 1.0,
    rate: Annotated[
        float, typer.Option("--rate-mb-s", min=0.0, help="Of each transfer; 0 for no limit.")
    ] = 20.0,
    queue_wait: Annotated[
        float, typer.Option("--queue-wait-s", min=0.0, help="How long jobs wait.")
    ] = 1.0,
    slurm: Annotated[
        bool, typer.Option("--slurm", help="Run jobs by Debian's Slurm, which is started.")
    ] = False,
    scans: Annotated[
        int, typer.Option("--scans", min=0, help="Scans that the detector takes meanwhile.")
    ] = 0,
    every: Annotated[
        float, typer.Option("--every-s", min=0.0, help="Time between two scans.")
    ] = 10.0,
    seed: Annotated[int, typer.Option("--seed", help="Of the scans.")] = 0,
) -> None:
    """Be the facility until stopped (Ctrl-C, SIGTERM or `alsct facility stop`)."""
    from alsct_gui.simulator.acquisition import Acquisition, planned_scans
    from alsct_gui.simulator.facility.serve import serve
    from alsct_gui.simulator.facility.world import Pace

    root = _root(at)
    root.mkdir(parents=True, exist_ok=True)
    pace = Pace(speed, rate * 1e6 or None, queue_wait, slurm=slurm)
    taking = planned_scans(scans, seed) if scans else ()
    serve(root, pace, [lambda tree: Acquisition(tree.raw, taking, every)] if scans else [])


@facility.command()
def status(at: RootOption = None, json: JsonFlag = False) -> None:
    """Say how the facility is: addresses, transfers, jobs, faults."""
    facts = _desk(at).status()
    if json:
        emit_json(facts)
        return
    out.print(f"facility: process {facts['pid']} in {facts['root']}", markup=False)
    for name, port in facts["ports"].items():
        out.print(f"  {name:<9} 127.0.0.1:{port}", markup=False)
    for what in ("transfers", "jobs"):
        words = ", ".join(f"{count} {state}" for state, count in sorted(facts[what].items()))
        out.print(f"{what}: {words or 'none'}", markup=False)
    for row in facts["faults"]:
        out.print(f"fault {row['number']}: {row['name']} at {row['where']}", markup=False)
    out.print(
        f"set -a; . {facts['root']}/environment; set +a\n"
        f"alsct agent run --profile {facts['profile']} --policy {facts['policy']}",
        markup=False,
    )


@facility.command()
def stop(at: RootOption = None) -> None:
    """End the facility; its jobs are killed."""
    tree = _tree(at)
    try:
        pid = int(_desk(at).status()["pid"])  # a card may be of one that was killed long ago
    except RemoteError:
        tree.card.unlink(missing_ok=True)
        return
    os.kill(pid, signal.SIGTERM)
    until_s, pause = time.monotonic() + _STOP_S, threading.Event()
    while tree.card.exists():
        if time.monotonic() > until_s:
            raise UsageError("the facility does not end", where=f"process {pid}", fix="Kill it")
        pause.wait(0.05)


@facility.command()
def faults(
    at: RootOption = None,
    known: Annotated[
        bool, typer.Option("--known", help="List every fault there is, not those on the desk.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """List the faults that are on the desk, or all that could be."""
    from alsct_gui.simulator.facility.kinds import KINDS

    if known:
        rows = [
            {"name": str(k.name), "title": k.title, "means": k.means, "where": k.where,
             "places": list(k.places)} for k in KINDS
        ]  # fmt: skip
        if json:
            emit_json({"known": rows})
            return
        show_table(("fault", "what happens", "where"),
                   ((r["name"], r["means"], r["where"]) for r in rows))  # fmt: skip
        return
    found = {number: fault.to_plain() for number, fault in _desk(at).faults().items()}
    if json:
        emit_json({"faults": [{"number": number, **fault} for number, fault in found.items()]})
        return
    if not found:
        out.print("no faults")
        return
    columns = ("number", "name", "where", "count", "start_s", "end_s")
    show_table(columns, ([n, *("" if f[c] is None else f[c] for c in columns[1:])]
                         for n, f in found.items()))  # fmt: skip


@facility.command()
def put(
    name: Annotated[str, typer.Argument(help="Fault, as `faults --known` lists them.")],
    at: RootOption = None,
    where: Annotated[
        str | None, typer.Option("--where", help="Pattern of places; the usual ones of the fault.")
    ] = None,
    count: Annotated[
        int | None, typer.Option("--count", min=1, help="How often it strikes; no end.")
    ] = None,
    in_s: Annotated[
        float | None, typer.Option("--in-s", min=0.0, help="When it begins; now.")
    ] = None,
    for_s: Annotated[
        float | None, typer.Option("--for-s", min=0.0, help="How long it lasts; until cleared.")
    ] = None,
    value: Annotated[
        float | None, typer.Option("--value", help="Retry-After of 429 and 503, in seconds.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Put a fault on the desk."""
    number = _desk(at).put(
        name, where=where, count=count, in_s=in_s, for_s=for_s, value=value
    )  # fmt: skip
    if json:
        emit_json({"number": number})
    else:
        out.print(f"fault {number}: {name}", markup=False)


@facility.command()
def clear(
    numbers: Annotated[
        list[int] | None, typer.Argument(metavar="[NUMBER]…", help="Which; all if none is given.")
    ] = None,
    at: RootOption = None,
) -> None:
    """Take faults off the desk."""
    desk = _desk(at)
    if not numbers:
        desk.clear()
    for number in numbers or ():
        desk.take(number)


def _root(at: Path | None) -> Path:
    named = os.environ.get(FOLDER_VARIABLE)
    if at is None and not named:
        data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
        at = Path(data).expanduser() / "alsct-gui" / "facility"
    return (at or Path(named or "")).absolute()


def _tree(at: Path | None) -> Tree:
    from alsct_gui.simulator.facility.tree import Tree

    return Tree(_root(at).resolve())


def _desk(at: Path | None) -> Desk:
    from alsct_gui.simulator.facility.desk import Desk, read_card

    return Desk(read_card(_tree(at).card).control)
