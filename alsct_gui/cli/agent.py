"""`alsct agent`: sees to it that every scan gets to where it belongs."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alsct_gui.cli import ways
from alsct_gui.cli.console import JsonFlag, emit_json, out
from alsct_gui.cli.ledgers import (
    LedgerOption,
    PolicyOption,
    ProfileOption,
    ledger_path,
    open_ledger,
)
from alsct_gui.cli.options import ThreadsOption
from alsct_gui.model.errors import UsageError

if TYPE_CHECKING:
    from alsct_gui.model.policy import Policy, Product
    from alsct_gui.placement.ledger import Ledger

VIOLATED = 8
"""Exit code of `alsct agent check` when something is not as it must be."""
_STOP_S = 60.0

RunsOption = Annotated[
    Path | None, typer.Option("--runs", help="Folder of the runs; that of this user.")
]
Keys = Annotated[list[str], typer.Argument(metavar="GOAL…", help="Goals, as status lists.")]
Scans = Annotated[
    list[str],
    typer.Argument(metavar="SCAN…", help="Files, or beginnings of the goals that status lists."),
]
ProductOption = Annotated[
    str,
    typer.Option("--product", help="raw, reconstruction, analysis, metadata, access or catalogue."),
]
PlaceOption = Annotated[str, typer.Option("--place", help="Place of the policy.")]
RecipeOption = Annotated[
    str, typer.Option("--recipe", help="Recipe of a reconstruction: a preset's name or a file.")
]
AnalysisOption = Annotated[
    str, typer.Option("--analysis", help="Which analysis of the policy, for the product analysis.")
]

agent = typer.Typer(
    name="agent",
    help="Every scan gets to where it belongs: run the agent, ask it, check its ledger.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@agent.command()
def run(
    ledger: LedgerOption = None,
    policy: PolicyOption = "als-8.3.2",
    profile: ProfileOption = "als-8.3.2",
    runs: RunsOption = None,
    threads: ThreadsOption = 0,
) -> None:
    """Work until stopped (Ctrl-C, SIGTERM or `alsct agent stop`); one for each ledger."""
    from alsct_gui.wiring.agent import serve

    serve(ledger_path(ledger), policy, profile, runs, threads)


@agent.command()
def status(ledger: LedgerOption = None, json: JsonFlag = False) -> None:
    """Say whether the agent runs, and how it stands with all goals."""
    from alsct_gui.placement.onlyone import agent_pid

    path = ledger_path(ledger)
    with open_ledger(ledger) as opened:
        facts = _facts(opened)
    facts = {"ledger": path, "pid": agent_pid(path), **facts}
    if json:
        emit_json(facts)
        return
    pid = facts["pid"]
    out.print(f"agent: {f'process {pid}' if pid else 'does not run'}")
    counts = Counter(goal["state"] for goal in facts["goals"])
    words = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    out.print(f"{facts['scans']} scans; goals: {words or 'none'}")
    for goal in facts["goals"]:
        if goal["state"] not in ("met", "not wanted"):
            why = goal["cause"] or goal["waits_for"]
            out.print(f"  {goal['key']}  {goal['state']}: {why}. {goal['fix']}", markup=False)
    for arrival in facts["arrivals"]:
        why = arrival["cause"] or arrival["waits_for"]
        out.print(f"  {arrival['path']!r}  {arrival['state']}: {why}", markup=False)


@agent.command()
def stop(ledger: LedgerOption = None) -> None:
    """End the agent; what runs outside goes on, and is taken up by the next one."""
    from alsct_gui.placement.onlyone import agent_pid

    path = ledger_path(ledger)
    pid = agent_pid(path)
    if pid is None:
        raise UsageError("no agent works on this ledger", where=str(path))
    os.kill(pid, signal.SIGTERM)
    until_s = time.monotonic() + _STOP_S
    while agent_pid(path) == pid:
        if time.monotonic() > until_s:
            raise UsageError(
                "the agent does not end", where=f"process {pid}",
                fix="It may be reading a large file; wait, or kill it: nothing is lost",
            )  # fmt: skip
        time.sleep(0.05)


@agent.command()
def check(
    ledger: LedgerOption = None,
    policy: PolicyOption = "als-8.3.2",
    quick: Annotated[
        bool, typer.Option("--quick", help="Compare sizes of raw files, do not read them.")
    ] = False,
    json: JsonFlag = False,
) -> int:
    """Check that nothing is lost, done twice, silent or forbidden."""
    from alsct_gui.placement.invariants import check as check_all
    from alsct_gui.placement.policy import load_policy

    wanted = load_policy(policy)
    with open_ledger(ledger) as opened:
        found = check_all(opened, wanted, now_s=time.time(), read_files=not quick)
    if json:
        rows = [{"rule": v.rule, "where": v.where, "what": v.what} for v in found]
        emit_json({"ledger": ledger_path(ledger), "violations": rows})
    else:
        for item in found:
            out.print(f"{item.rule}: {item.where!r} {item.what}", style="red", markup=False)
        out.print(f"{len(found)} violations")
    return VIOLATED if found else 0


@agent.command()
def admit(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Raw scans.")],
    ledger: LedgerOption = None,
    proposal: Annotated[
        str, typer.Option("--proposal", help="Proposal; as the file says if not given.")
    ] = "",
    export_controlled: Annotated[
        bool, typer.Option("--export-controlled", help="These scans never leave.")
    ] = False,
) -> None:
    """Hand files over to the agent; each becomes a scan once it is whole."""
    from alsct_gui.placement.asking import ask_admit
    from alsct_gui.placement.ledger import Ledger

    with Ledger(ledger_path(ledger)) as opened:
        for path in paths:
            ask_admit(opened, path, proposal=proposal, export_controlled=export_controlled)


@agent.command()
def retry(keys: Keys, ledger: LedgerOption = None) -> None:
    """Try goals again at once."""
    _ask("retry", keys, ledger)


@agent.command()
def hold(keys: Keys, ledger: LedgerOption = None) -> None:
    """Begin nothing for these goals; what is under way goes on."""
    _ask("hold", keys, ledger)


@agent.command()
def release(keys: Keys, ledger: LedgerOption = None) -> None:
    """Take a hold back."""
    _ask("release", keys, ledger)


@agent.command()
def cancel(keys: Keys, ledger: LedgerOption = None) -> None:
    """End what is under way for these goals, and hold them."""
    _ask("cancel", keys, ledger)


@agent.command()
def want(
    scans: Scans,
    product: ProductOption,
    place: PlaceOption,
    recipe: RecipeOption = "",
    analysis: AnalysisOption = "",
    ledger: LedgerOption = None,
    policy: PolicyOption = "als-8.3.2",
) -> None:
    """Want a product of scans at a place, beside what the policy wants; bans still hold."""
    from alsct_gui.files.recipes import load_recipe
    from alsct_gui.placement.asking import analysis_of, ask_want
    from alsct_gui.placement.policy import load_policy

    wanted = load_policy(policy)
    with open_ledger(ledger) as opened:
        found = analysis_of(wanted, analysis, opened.observed().recipes) if analysis else None
        ask_want(
            opened, _scans(opened, scans), _product(product), _place(wanted, place),
            load_recipe(recipe) if recipe else None,
            analysis=found,
        )  # fmt: skip


@agent.command()
def unwant(
    scans: Scans,
    product: ProductOption,
    place: PlaceOption,
    recipe: RecipeOption = "",
    analysis: AnalysisOption = "",
    ledger: LedgerOption = None,
    policy: PolicyOption = "als-8.3.2",
) -> None:
    """Take a wish for scans back, the policy's too; what is there already stays."""
    from alsct_gui.files.recipes import load_recipe
    from alsct_gui.placement.asking import analysis_of, ask_unwant
    from alsct_gui.placement.policy import load_policy, recipe_hash

    mark = recipe_hash(load_recipe(recipe)) if recipe else "-"
    with open_ledger(ledger) as opened:
        if analysis:
            kept = opened.observed().recipes
            mark = analysis_of(load_policy(policy), analysis, kept).sheet.mark
        ask_unwant(opened, _scans(opened, scans), _product(product), place, mark)


def _scans(ledger: Ledger, words: list[str]) -> list[str]:
    """Find scans by their file, or by the beginning of their identity."""
    known, found = ledger.observed().scans, []
    for word in words:
        path = str(Path(word).absolute())
        fitting = [part for part, scan in known.items()
                   if scan.path == path or (len(word) >= 4 and part.startswith(word))]  # fmt: skip
        if len(fitting) != 1:
            many = "several scans begin so" if fitting else "there is no such scan"
            raise UsageError(many, where=word, fix="Give its file, or its goals' first 32 digits")
        found += fitting
    return found


def _product(word: str) -> Product:
    from alsct_gui.model.policy import WISHABLE, Product

    if word not in WISHABLE:
        raise UsageError(
            f"{word[:80]!r} is not a product", fix=f"Take one of {', '.join(WISHABLE)}"
        )
    return Product(word)


def _place(policy: Policy, word: str) -> str:
    names = [place.name for place in policy.places]
    if word not in names:
        raise UsageError(
            f"the policy has no place {word[:80]!r}", fix=f"Take one of {', '.join(names)}"
        )
    return word


@agent.command(name="hand-over")
def hand_over(
    scans: Scans,
    deployment: Annotated[
        str, typer.Option("--deployment", help="As flow/deployment; the profile names some.")
    ],
    ledger: LedgerOption = None,
) -> None:
    """Hand scans over to a flow of Prefect; the agent leaves them alone until it has ended."""
    from alsct_gui.placement.asking import ask_hand_over

    with open_ledger(ledger) as opened:
        ask_hand_over(opened, _scans(opened, scans), deployment)


@agent.command(name="take-back")
def take_back(scans: Scans, ledger: LedgerOption = None) -> None:
    """Take scans back from whoever they were handed over to; a flow run is cancelled there."""
    from alsct_gui.placement.asking import ask_take_back

    with open_ledger(ledger) as opened:
        ask_take_back(opened, _scans(opened, scans))


@agent.command(name="serve-flow")
def serve_flow(
    name: Annotated[str, typer.Option("--name", help="Of the deployment.")] = "als-8.3.2",
    ledger: LedgerOption = None,
    policy: PolicyOption = "als-8.3.2",
    profile: ProfileOption = "als-8.3.2",
    runs: RunsOption = None,
) -> None:
    """Be a worker of Prefect that pursues the goals of scans handed over to it.

    PREFECT_API_URL names the server.
    """
    if find_spec("prefect") is None:
        raise UsageError("prefect is not installed", fix="pip install 'alsct-gui[prefect]'")
    from alsct_gui.wiring.flows import serve_flow as serve

    serve(name, ledger_path(ledger), policy, profile, runs)


def _ask(what: str, keys: list[str], ledger: Path | None) -> None:
    from alsct_gui.placement.asking import ask_of_goals

    with open_ledger(ledger) as opened:
        ask_of_goals(opened, what, keys)


def _facts(ledger: Ledger) -> dict[str, Any]:
    """What the ledger knows, as plain data."""
    observed, progress = ledger.observed(), ledger.progress()
    goals = []
    for key, record in sorted(observed.goals.items()):
        state, work = record.state, observed.works.get(record.work)
        scan = observed.scans.get(key.partition("/")[0])
        goals.append(
            {
                "key": key, "scan": _shown(scan.path) if scan else None, "state": str(state.kind),
                "waits_for": state.waits_for, "cause": state.cause, "fix": state.fix,
                "until_s": state.until_s, "attempts": record.attempts, "held": record.held,
                "outside_id": work.outside_id if work else None,
                "progress": progress.get(record.work),
            }
        )  # fmt: skip
    arrivals = [
        {
            "path": _shown(item.path), "state": str(item.state.kind),
            "waits_for": item.state.waits_for, "cause": item.state.cause, "fix": item.state.fix,
        }
        for item in observed.arrivals.values()
    ]  # fmt: skip
    return {
        "seq": observed.seq, "scans": len(observed.scans), "goals": goals, "arrivals": arrivals,
    }  # fmt: skip


def _shown(name: str) -> str:
    """Return a name that any terminal can print: bytes that are no unicode are escaped."""
    return name.encode("utf-8", "backslashreplace").decode()


for command in (ways.secret, ways.login, ways.tell):
    agent.command()(command)
