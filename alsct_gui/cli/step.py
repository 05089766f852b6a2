"""`alsct step`: analysis steps, from volumes and labels to others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alsct_gui.cli.console import JsonFlag, emit_json, err, out, progress_bars
from alsct_gui.cli.options import (
    Assignments,
    MemoryOption,
    ThreadsOption,
    apply_assignments,
    thread_count,
)
from alsct_gui.cli.running import cancelled_by_signals
from alsct_gui.model.codec import to_plain
from alsct_gui.model.errors import AlsctError, OutputError, RecipeError, UsageError
from alsct_gui.model.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alsct_gui.steps.batch import Ended
    from alsct_gui.steps.registry import Found
    from alsct_gui.steps.settings import Setting
    from alsct_gui.steps.step import Step

StepName = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="A step of `alsct step list`, or a file of your own: mine.py."
    ),
]

step = typer.Typer(
    name="step",
    help="Analysis steps: filters, segmentation, measures; from files to files.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@step.command("list")
def listing(json: JsonFlag = False) -> None:
    """List the steps that are installed."""
    from alsct_gui.steps.registry import list_steps

    rows = list_steps()
    if json:
        emit_json({"steps": [step_facts(found) for found in rows]})
        return
    if not rows:
        out.print("no steps; plugins bring them: pip install ./plugins/napari-alsct-filter")
    for found in rows:
        if found.step is None:
            out.print(f"{found.name}  (not available: {found.error})", style="dim", markup=False)
        else:
            out.print(found.name, style="bold", markup=False)
            own = f" ({found.step.source})" if found.step.source else ""
            out.print(f"    {found.step.sentence}{own}", markup=False)


@step.command()
def show(name: StepName, json: JsonFlag = False) -> None:
    """Show what a step takes, makes, and lets one choose."""
    from alsct_gui.steps.registry import Found, get_step, package_of
    from alsct_gui.steps.settings import settings_of

    found = Found(name, package_of(name), get_step(name))
    if json:
        emit_json(step_facts(found))
        return
    step = get_step(name)
    out.print(f"{name}: {step.title}", style="bold", markup=False)
    out.print(f"  {step.sentence}", markup=False)
    for word, ports in (("takes", step.inputs), ("makes", step.outputs)):
        for port in ports:
            extra = ", optional" if port.optional else ""
            out.print(f"  {word}  {port.name} ({port.kind}{extra}): {port.title}", markup=False)
    for setting in settings_of(step.parameters):
        out.print(f"  --set {_setting_words(setting)}", markup=False)
    for preset in step.presets:
        out.print(f"  --preset {preset.name!r}  {preset.sentence}".rstrip(), markup=False)
    if step.reference:
        out.print(f"  after  {step.reference}", markup=False)


@step.command()
def run(
    name: StepName,
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="INPUT… OUTPUT", help="Inputs in order, then output; with --into volumes alone."
        ),
    ],
    into: Annotated[
        Path | None,
        typer.Option("--into", help="Run it on every volume by itself; products go in here."),
    ] = None,
    given: Annotated[
        list[str] | None, typer.Option("--input", help="An input by its name: markers=PATH.")
    ] = None,
    preset: Annotated[str, typer.Option("--preset", help="A preset; the first if none.")] = "",
    params: Annotated[
        Path | None, typer.Option("--params", help="Parameters as a JSON or YAML file.")
    ] = None,
    settings: Assignments = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Move what has the output's name aside.")
    ] = False,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with what a killed run left; pass over what is done."),
    ] = False,
    threads: ThreadsOption = 0,
    memory_gb: MemoryOption = 4.0,
    progress_file: Annotated[
        Path | None,
        typer.Option("--progress-file", help="Keep one line of JSON there: how far the run is."),
    ] = None,
    code: Annotated[
        Path | None,
        typer.Option("--code", help="Refuse code of your own that is not as this JSON file says."),
    ] = None,
    as_policy: Annotated[
        bool,
        typer.Option("--as-policy", help="Print what wants this of every scan, and do nothing."),
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Run a step on files: on one, or with --into on many."""
    from alsct_gui.steps.batch import Piece, plan_batch, run_batch
    from alsct_gui.steps.registry import get_step
    from alsct_gui.steps.reporter import Reporter
    from alsct_gui.steps.running import run_step
    from alsct_gui.steps.settings import parameters_to_plain
    from alsct_gui.superfacility.compute.progress import ProgressFile

    if into is not None and (progress_file is not None or as_policy):
        raise UsageError("goes with one run, not with many", where="--into")
    said: list[str] = []

    def say(sentence: str) -> None:
        said.append(sentence)
        err.print(sentence, markup=False)

    with (
        cancelled_by_signals() as token,
        ProgressFile(progress_file) as told,
        progress_bars(quiet=json) as show,
    ):
        step = get_step(name)
        parameters = _parameters(step, preset, params, settings or [])
        if code is not None:
            _require_code(step, parameters, code)
        inputs = _inputs(step, paths if into else paths[:-1], given or [], many=into is not None)
        if as_policy:
            from alsct_gui.cli.sheets import policy_lines

            print(policy_lines(step, parameters, inputs), end="")  # noqa: T201 (as it is)
            return

        def tell(stage: Progress) -> None:
            show(stage)
            told.show(stage)

        def reporter(_: Piece | None = None) -> Reporter:
            return Reporter(
                progress=tell, cancel=token, say=say, threads=thread_count(threads),
                memory_bytes=int(memory_gb * 1e9),
            )  # fmt: skip

        if into is not None:
            pieces = plan_batch(step, paths, into)
            ends = run_batch(
                step, parameters, pieces, others=inputs, reporter=reporter, overwrite=overwrite,
                resume=resume,
            )  # fmt: skip
            _tell_batch(step, parameters, ends, len(pieces), as_json=json)
            return
        result = run_step(
            step, parameters, inputs=inputs, output=paths[-1], overwrite=overwrite, resume=resume,
            reporter=reporter(),
        )  # fmt: skip
        told.finish()
    if json:
        emit_json(
            {
                "step": step.name,
                "parameters": parameters_to_plain(parameters),
                "inputs": {key: Path(value).absolute() for key, value in inputs.items()},
                "outputs": dict(result.outputs),
                "said": said,
                "seconds": result.seconds,
            }
        )
        return
    for key, path in result.outputs.items():
        out.print(f"{path}: {step.output(key).title}, {result.seconds:.1f} s", markup=False)


@step.command()
def script(
    product: Annotated[Path, typer.Argument(help="A volume, labels, a table or a report.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Script to write; ending in .py it is Python."),
    ] = None,
    python: Annotated[
        bool, typer.Option("--python", help="Python, not the shell's commands.")
    ] = False,
) -> None:
    """Print a script that makes a product again, from the scan on."""
    from alsct_gui.cli.scripts import python_script, shell_script
    from alsct_gui.files.writers.partial import refuse_taken
    from alsct_gui.steps.chain import chain_of, changed_code

    chain = chain_of(product)
    known = {link.path for link in chain}
    for path in dict.fromkeys(path for link in chain for path in link.inputs.values()):
        if path not in known and not path.exists():
            err.print(f"warning: {path} is not there any more", style="yellow", markup=False)
    for link in chain:
        for file in changed_code(to_plain(link.made)):
            err.print(f"warning: {file} is not what it was", style="yellow", markup=False)
    is_python = python or (output is not None and output.suffix == ".py")
    text = python_script(chain) if is_python else shell_script(chain)
    if output is None:
        print(text, end="")  # noqa: T201 (as it is, whatever the width of the terminal)
        return
    refuse_taken(output)
    try:
        output.write_text(text, encoding="utf-8")
        output.chmod(0o755 if not is_python else 0o644)
    except OSError as error:
        raise OutputError(f"it cannot be written ({error.strerror})", where=str(output)) from error
    out.print(str(output), markup=False)


def _tell_batch(
    step: Step[Any], parameters: Any, ends: Iterator[Ended], count: int, *, as_json: bool
) -> None:
    """Say how each piece ended as it ends; leave with the first error's exit code."""
    from alsct_gui.steps.settings import parameters_to_plain

    rows: list[dict[str, Any]] = []
    first: AlsctError | None = None
    for ended in ends:
        source, where = str(ended.piece.source), f"{len(rows) + 1} of {count}"
        rows.append({
            "input": ended.piece.source.absolute(),
            "outputs": dict(ended.result.outputs) if ended.result else {},
            "seconds": ended.result.seconds if ended.result else None,
            "error": ended.error.sentence if ended.error else "",
            "was_there": ended.result is None and ended.error is None,
        })  # fmt: skip
        if ended.error is not None:
            first = first or ended.error
            err.print(f"{where}  {source}: {ended.error.sentence}", style="red", markup=False)
        elif not as_json and ended.result is None:
            out.print(f"{where}  {ended.piece.output}: was there", style="dim", markup=False)
        elif not as_json and ended.result is not None:
            seconds = f"{ended.result.seconds:.1f} s"
            out.print(f"{where}  {ended.piece.output}: {step.title}, {seconds}", markup=False)
    if as_json:
        emit_json(
            {"step": step.name, "parameters": parameters_to_plain(parameters), "pieces": rows}
        )
    if first is not None:
        raise typer.Exit(first.exit_code)


def step_facts(found: Found) -> dict[str, Any]:
    """A step as plain data."""
    from alsct_gui.steps.settings import parameters_to_plain, settings_of

    step = found.step
    if step is None:
        return {"name": found.name, "package": found.package, "error": found.error}
    return {
        "name": step.name, "package": found.package, "title": step.title,
        "sentence": step.sentence, "inputs": to_plain(step.inputs),
        "outputs": to_plain(step.outputs), "settings": to_plain(settings_of(step.parameters)),
        "presets": {preset.name: parameters_to_plain(step.preset(preset.name))
                    for preset in step.presets},
        "preview": step.preview, "reference": step.reference,
    }  # fmt: skip


def _inputs(
    step: Step[Any], paths: list[Path], given: list[str], *, many: bool
) -> dict[str, str | Path]:
    """Inputs by name: those in order, unless many are run one by one, then those that are named."""
    names = [port.name for port in step.inputs]
    if not many and len(paths) > len(names):
        raise UsageError(
            f"takes {len(names)} inputs and an output, {len(paths) + 1} paths were given",
            where=step.name, fix=f"Its inputs: {', '.join(names)}; with --into many volumes",
        )  # fmt: skip
    inputs: dict[str, str | Path] = {} if many else dict(zip(names, paths, strict=False))
    for text in given:
        name, equals, path = text.partition("=")
        if not equals:
            raise UsageError(f"{text!r} has no '='", where="--input", fix="Write it as NAME=PATH")
        inputs[name.strip()] = path
    return inputs


def _parameters(step: Step[Any], preset: str, params: Path | None, settings: list[str]) -> Any:
    """A preset, changed by a file, changed by single settings."""
    from alsct_gui.files.plaintext import read_plain
    from alsct_gui.steps.settings import parameters_from, parameters_to_plain

    data = parameters_to_plain(step.preset(preset))
    if params is not None:
        named = read_plain(params)
        if not isinstance(named, dict):
            raise RecipeError("holds no parameters by name", where=str(params))
        data.update(named)
    return parameters_from(step.parameters, apply_assignments(data, settings))


def _require_code(step: Step[Any], parameters: Any, expected: Path) -> None:
    """Refuse code that is another than whoever asks for it has seen."""
    from alsct_gui.files.plaintext import read_plain
    from alsct_gui.steps.own.load import own_code
    from alsct_gui.steps.own.run import code_checksums
    from alsct_gui.steps.settings import parameters_to_plain

    if not step.source:
        raise UsageError("is no code of your own", where=step.name, fix="Leave --code out")
    found = code_checksums(own_code(step.source), parameters_to_plain(parameters))
    if found != read_plain(expected):
        raise UsageError(
            "the code is not what was asked for: a file has changed, is missing or was added",
            where=step.source, fix="Ask for the analysis again",
        )  # fmt: skip


def _setting_words(setting: Setting) -> str:
    unit = f" {setting.unit}" if setting.unit else ""
    bounds = [
        f"{word} {bound:g}" for word, bound in
        (("from", setting.minimum), ("to", setting.maximum)) if bound is not None
    ]  # fmt: skip
    if setting.choices:
        bounds = [", ".join(value for value, _ in setting.choices)]
    inside = f" ({' '.join(bounds)})" if bounds else ""
    return f"{setting.name}={setting.default}{unit}{inside}  {setting.help}".rstrip()
