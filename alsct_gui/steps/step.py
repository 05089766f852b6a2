"""What an analysis step is: a name, parameters, inputs, outputs, and a plain function.

A package offers one by the entry-point group ``alsct_gui.steps``: the entry's name is the
step's, its value names the `Step`. The module should import nothing heavy; `Step.run` does so
when it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from alsct_gui.model.errors import InputError, RecipeError
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.settings import parameters_from, parameters_to_plain
from alsct_gui.steps.values import as_input

P = TypeVar("P")

Kind = Literal["volume", "labels", "table", "report", "model", "scan"]
Preview = Literal["lazy", "slab", "none"]


@dataclass(frozen=True, slots=True)
class Port:
    """Something that a step takes or makes."""

    name: str
    """Key in the mappings of `Step.run`."""
    kind: Kind
    """As an input: ``volume`` and ``labels`` come as `model.volume.Volume` (labels with
    integers), ``table`` as `model.table.Table`, ``scan`` as `model.scan.Scan`, ``report`` and
    ``model`` as the file's path. As an output: see `alsct_gui.steps.values`."""
    title: str
    """A noun, for people."""
    optional: bool = False
    """Whether the step works without it, or may leave it out."""


@dataclass(frozen=True, slots=True)
class Preset:
    """Parameters that suit a purpose."""

    name: str
    """For people: "standard"."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """What differs from the defaults; plain data."""
    sentence: str = ""
    """When to take it."""


@dataclass(frozen=True)
class Step(Generic[P]):
    """An analysis step."""

    name: str
    """Family and step: ``filter.median``."""
    title: str
    """A noun, for people."""
    sentence: str
    """What it does."""
    parameters: type[P]
    """A frozen dataclass whose fields are made by `steps.settings.setting`."""
    inputs: tuple[Port, ...]
    """What it takes; the first is what it is about."""
    outputs: tuple[Port, ...]
    """What it makes; the first is the main thing."""
    run: Callable[[Mapping[str, Any], P, Reporter], Mapping[str, Any]]
    """The function: inputs by name (optional ones may be absent), parameters, reporter; returns
    outputs by name. What it returns for a volume may be a `steps.blockwise.Blockwise`, which
    is computed block by block while it is written."""
    presets: tuple[Preset, ...] = (Preset("standard"),)
    """The first is what a person who asks for nothing gets."""
    preview: Preview = "lazy"
    """How one slice is made. ``lazy``: the step is run as it is, and one slice read of what it
    returns, which is quick when that is a `Blockwise`. ``slab``: it is run on a few slices.
    ``none``: it makes no sense on one slice."""
    slab_halo: int = 0
    """With ``slab``: slices on either side that the step gets besides the one."""
    reference: str = ""
    """Paper or document that the method comes from."""
    source: str = ""
    """File of one's own code that it was read from; empty for installed steps."""

    @property
    def key(self) -> str:
        """By what `steps.registry.get_step` finds it: the file of one's own code, or its name."""
        return self.source or self.name

    def __call__(
        self, parameters: P | None = None, reporter: Reporter | None = None, **inputs: Any
    ) -> Mapping[str, Any]:
        """Run it in this process: ``MEDIAN(Median(size_px=5), volume=array)``.

        Arrays of shape (slice, y, x) are taken as volumes without a voxel size.

        Raises
        ------
        InputError
            An input is missing, or the step has none of this name.
        """
        given = {port.name: as_input(inputs.pop(port.name)) for port in self.inputs
                 if port.name in inputs}  # fmt: skip
        missing = [port.name for port in self.inputs
                   if not port.optional and port.name not in given]  # fmt: skip
        if missing or inputs:
            raise InputError(
                f"takes {', '.join(port.name for port in self.inputs)}, was given "
                f"{', '.join([*given, *inputs]) or 'nothing'}", where=self.name,
            )  # fmt: skip
        return self.run(given, parameters or self.parameters(), reporter or Reporter())

    def output(self, name: str) -> Port:
        """Return an output by its name."""
        return next(port for port in self.outputs if port.name == name)

    def preset(self, name: str = "") -> P:
        """Return the parameters of a preset; of the first when none is named.

        Raises
        ------
        RecipeError
            There is none of this name.
        """
        for preset in self.presets:
            if preset.name == name or not name:
                base = parameters_to_plain(self.parameters())
                return parameters_from(self.parameters, {**base, **preset.values})
        known = ", ".join(preset.name for preset in self.presets)
        raise RecipeError(f"there is no preset {name!r}", where=self.name, fix=f"Known: {known}")
