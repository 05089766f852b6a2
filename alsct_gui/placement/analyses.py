"""Analyses of a policy, settled when it is loaded: steps found, parameters checked, code read.

What decides the values is in the mark: step, all parameters, the bytes of one's own code, and
what it is made of. So a wish is the same goal after any restart, and changed code is another.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from alsct_gui.files.identity import file_checksum
from alsct_gui.files.provenance import json_safe
from alsct_gui.files.recipes import load_recipe
from alsct_gui.model.codec import from_plain
from alsct_gui.model.errors import AlsctError, RecipeError
from alsct_gui.model.policy import Analysis, GivenFile, Output, Product, Sheet, Source
from alsct_gui.placement.policy import MARK_CHARS, recipe_hash
from alsct_gui.steps.own.exchange import output_suffix
from alsct_gui.steps.own.load import ENDINGS, own_code
from alsct_gui.steps.own.run import code_checksums
from alsct_gui.steps.registry import get_step
from alsct_gui.steps.settings import parameters_to_plain
from alsct_gui.steps.step import Port, Step
from alsct_gui.steps.writing import suffix_of

_KINDS = ("volume", "labels", "table")
"""Inputs that tell how they were made, so that a chain can be followed."""
_MODEL = "model"
"""Inputs that are files of this machine, known by their bytes."""


def settled(analyses: Sequence[Analysis], folder: Path) -> tuple[dict[str, Sheet], dict[str, str]]:
    """Settle everything that analyses leave open.

    Parameters
    ----------
    analyses
        As they were written; their names are known to be good (`policy.check_policy`).
    folder
        That of the policy's file: one's own code may be named from there.

    Returns
    -------
    sheets, recipes
        By the names of the analyses; and the hash of each recipe that they name.

    Raises
    ------
    RecipeError
        Names what does not fit by its path.
    """
    work = _Settling(analyses, folder)
    return {item.name: work.sheet(item.name) for item in analyses}, work.recipes


def sheet_mark(sheet: Sheet) -> str:
    """Return 12 hexadecimal digits over all that decides the values of an analysis."""
    plain = {
        "step": sheet.step, "parameters": sheet.parameters, "code": sheet.code,
        "given": [[item.port, item.sha256] for item in sheet.given],
        "inputs": [[item.port, item.product, item.mark, item.output] for item in sheet.inputs],
    }  # fmt: skip
    text = json.dumps(plain, sort_keys=True)
    return hashlib.sha256(b"alsct analysis 1\n" + text.encode()).hexdigest()[:MARK_CHARS]


class _Settling:
    """One policy's analyses, each settled after those that it is made of."""

    def __init__(self, analyses: Sequence[Analysis], folder: Path) -> None:
        self._folder = folder
        self._named = {
            item.name: (f"policy.analyses[{number}]", item) for number, item in enumerate(analyses)
        }
        self._sheets: dict[str, Sheet] = {}
        self._open: list[str] = []
        self.recipes: dict[str, str] = {}

    def sheet(self, name: str) -> Sheet:
        if name not in self._sheets:
            where, item = self._named[name]
            if name in self._open:
                circle = [*self._open[self._open.index(name) :], name]
                raise RecipeError(
                    f"{' is made of '.join(circle)}: that is a circle", where=f"{where}.of",
                    fix="Let one of them be made of a reconstruction",
                )  # fmt: skip
            self._open.append(name)
            self._sheets[name] = self._settle(item, where)
            self._open.pop()
        return self._sheets[name]

    def _settle(self, item: Analysis, where: str) -> Sheet:
        step = self._step(item, where)
        parameters = _parameters(step, item.parameters, f"{where}.parameters")
        inputs, given = self._inputs(item, step, where)
        own, code = "", {}
        if step.source:
            with _told(f"{where}.step"):
                mine = own_code(step.source)
                own = mine.output_suffix or output_suffix(mine.output)
                code = code_checksums(mine, parameters)
        outputs = tuple(
            Output(port.name, port.kind, _suffix(port, own), port.optional) for port in step.outputs
        )
        sheet = Sheet(item.name, step.name, parameters, inputs, outputs, step.source, code, given)
        return replace(sheet, mark=sheet_mark(sheet))

    def _step(self, item: Analysis, where: str) -> Step[Any]:
        name = item.step
        if name.endswith(ENDINGS) or "/" in name:
            name = str(self._path(name))
        with _told(f"{where}.step"):
            return get_step(name)

    def _inputs(
        self, item: Analysis, step: Step[Any], where: str
    ) -> tuple[tuple[Source, ...], tuple[GivenFile, ...]]:
        """What a step gets: products of the scan, and files that are the same for every scan."""
        first, *others = step.inputs
        given = {first.name: item.of, **item.also}
        places = {first.name: f"{where}.of"}
        ports = {port.name: port for port in step.inputs}
        for name in item.also:
            places[name] = f"{where}.also.{name[:80]}"
            if name not in ports or name == first.name:
                known = ", ".join(port.name for port in others) or "none"
                raise RecipeError(
                    f"{step.name} has no further input {name[:80]!r}", where=places[name],
                    fix=f"Its further inputs: {known}",
                )  # fmt: skip
        missing = [port.name for port in others if not port.optional and port.name not in given]
        if missing:
            raise RecipeError(
                f"{step.name} needs the input {missing[0]!r}, too", where=f"{where}.also",
                fix=f"Write also: {{{missing[0]}: …}} with a recipe, an analysis or a model's file",
            )  # fmt: skip
        asked = [port for port in step.inputs if port.name in given]
        return tuple(
            self._source(port, given[port.name], places[port.name])
            for port in asked
            if port.kind != _MODEL
        ), tuple(
            self._given(port, given[port.name], places[port.name])
            for port in asked
            if port.kind == _MODEL
        )

    def _given(self, port: Port, name: str, where: str) -> GivenFile:
        path = self._path(name)
        try:
            return GivenFile(port.name, str(path), file_checksum(path))
        except OSError as error:
            raise RecipeError(
                f"the file cannot be read ({error.strerror})", where=where, fix="Check the path"
            ) from error

    def _path(self, name: str) -> Path:
        """A file that a person names, from the policy's folder or from here."""
        path = Path(name).expanduser()
        beside = self._folder / path
        return (beside if beside.is_file() else path).absolute()

    def _source(self, port: Port, name: str, where: str) -> Source:
        """What an input is, once it is known to be of the kind that the step takes."""
        if port.kind not in _KINDS:
            raise RecipeError(
                f"the input {port.name} is a {port.kind}, which no analysis of a policy takes",
                where=where, fix=f"Take a step whose inputs are {', '.join(_KINDS)}",
            )  # fmt: skip
        if name in self._named:
            sheet = self.sheet(name)
            fits = [output for output in sheet.outputs
                    if output.kind == port.kind and not output.optional]  # fmt: skip
            if not fits:
                made = ", ".join(output.kind for output in sheet.outputs)
                raise RecipeError(
                    f"{name} makes {made}, and the input {port.name} is a {port.kind}",
                    where=where, fix="Name an analysis that makes one",
                )  # fmt: skip
            return Source(port.name, Product.ANALYSIS, sheet.mark, fits[0].name)
        if port.kind != "volume":
            raise RecipeError(
                f"the input {port.name} is a {port.kind}, which no reconstruction is", where=where,
                fix=f"Name an analysis: {', '.join(self._named)}",
            )  # fmt: skip
        if name not in self.recipes:
            with _told(where):
                self.recipes[name] = recipe_hash(load_recipe(name))
        return Source(port.name, Product.RECONSTRUCTION, self.recipes[name])


@contextmanager
def _told(where: str) -> Iterator[None]:
    """Say what is wrong as something of the policy."""
    try:
        yield
    except AlsctError as error:
        raise RecipeError(error.what, where=where, fix=error.fix) from error


def _parameters(step: Step[Any], given: Mapping[str, object], where: str) -> dict[str, object]:
    """All parameters of a step as plain data: its first preset's, changed by those given."""
    base = parameters_to_plain(step.preset())
    try:
        whole = from_plain(step.parameters, {**base, **given}, where=where)
    except RecipeError as error:
        inside = error.where.removeprefix("parameters").removeprefix(where)
        raise RecipeError(error.what, where=f"{where}{inside}", fix=error.fix) from error
    plain: dict[str, object] = json_safe(parameters_to_plain(whole))
    return plain


def _suffix(port: Port, own: str) -> str:
    """Ending of an output's name; of one's own report as its description says."""
    return suffix_of(port.kind) or (own if port.kind == "report" else "")
