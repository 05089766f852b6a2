"""Reconstructions that this workstation makes, through its queue of runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from alsct_gui.files.names import product_name
from alsct_gui.files.provenance import read_provenance
from alsct_gui.model.errors import InputError, UsageError
from alsct_gui.model.placement import (
    MET,
    Evidence,
    GoalKey,
    ScanFacts,
    StateKind,
    StepState,
    blocked,
    failed,
    waiting,
)
from alsct_gui.model.product import Provenance
from alsct_gui.model.recipe import Recipe
from alsct_gui.placement.goals.base import Intent, Record, World
from alsct_gui.placement.goals.slices import count_slices
from alsct_gui.placement.policy import recipe_hash
from alsct_gui.placement.runs.model import RunRequest, RunState, RunView
from alsct_gui.placement.runs.queue import RunQueue

_MOST_NAMES = 100
"""Numbered names of a product that are looked at."""


class LocalReconstructions:
    """Reconstructions in a folder of this machine.

    A run is known again by its scan, its recipe and the folder of its product; so the same
    reconstruction, asked for in the window, is taken for what it is.

    Parameters
    ----------
    world
        What is known.
    root
        Folder below which products lie.
    recipes
        Finds a recipe by its hash.
    queue
        The runs of this machine.
    threads, memory_bytes
        What a run may use; 0 threads for all.
    """

    def __init__(
        self, world: World, root: Path, recipes: Callable[[str], Recipe], queue: RunQueue,
        *, threads: int = 0, memory_bytes: int = 4_000_000_000,
    ) -> None:  # fmt: skip
        self._world, self._root, self._recipes, self._queue = world, root, recipes, queue
        self._threads, self._memory_bytes = threads, memory_bytes

    def observe(self, keys: Sequence[str]) -> Mapping[str, Evidence]:
        """Count the slices of products of that very scan and recipe."""
        found = {}
        for key in keys:
            evidence = self._look(self._world.scan(key), GoalKey.parse(key).recipe)
            if evidence is not None:
                found[key] = evidence
        return found

    def act(self, intent: Intent, record: Record) -> str:
        """Submit a run, or take up the one that there is."""
        (key,) = intent.keys
        scan, recipe = self._world.scan(key), self._recipes(GoalKey.parse(key).recipe)
        output = self._output(scan, recipe)
        for view in self._queue.views():
            if not self._is_it(view, scan, recipe, output) or view.state is RunState.FINISHED:
                continue
            if view.state.ended:
                self._queue.retry(view.id)
            return view.id
        output.parent.mkdir(parents=True, exist_ok=True)
        request = RunRequest(
            scan=Path(scan.path), recipe=recipe, output=output, title=Path(scan.path).stem,
            threads=self._threads, memory_bytes=self._memory_bytes,
        )  # fmt: skip
        return self._queue.submit(request)

    def poll(self, outside_id: str) -> StepState:
        """Look at the run; one whose keeper was killed is taken up again."""
        self._queue.wake()
        view = self._view(outside_id)
        if view is None:
            return failed("the run was taken off the list")
        error = view.error
        match view.state:
            case RunState.QUEUED:
                return waiting("its turn on this workstation")
            case RunState.RUNNING:
                return StepState(StateKind.MOVING, done=view.slices_done, total=view.slices_total)
            case RunState.FINISHED:
                return MET
            case RunState.CANCELLED:
                return blocked("the run was cancelled on the list of runs", "Retry it there")
            case RunState.FAILED | RunState.LOST:
                what = error.what if error else "the run failed"
                return failed(what, error.fix if error else "")

    def cancel(self, outside_id: str) -> None:
        """End the run; nothing half-written is left."""
        view = self._view(outside_id)
        if view is None or view.state.ended or view.cancelling:
            return
        try:
            self._queue.cancel(outside_id)
        except UsageError:
            return  # it has ended meanwhile

    def _look(self, scan: ScanFacts, recipe: str) -> Evidence | None:
        for path in _names(self._output(scan, self._recipes(recipe))):
            try:
                made = read_provenance(path)
                if not _is_of(made, scan, recipe):
                    continue
                slices = count_slices(path)
            except InputError:
                continue  # something else has the name
            expected = made.quality.slices_expected if made.quality else 0
            if slices == expected > 0:
                return Evidence(str(path), self._world.clock(), slices=slices)
        return None

    def _output(self, scan: ScanFacts, recipe: Recipe) -> Path:
        relative = PurePosixPath(self._world.relative(scan))
        name = product_name(relative.stem, recipe.output.format)
        return self._root / relative.parent / name

    def _is_it(self, view: RunView, scan: ScanFacts, recipe: Recipe, output: Path) -> bool:
        """Whether a run makes this reconstruction."""
        request = view.request
        return (
            request is not None
            and request.scan == Path(scan.path).absolute()
            and recipe_hash(request.recipe) == recipe_hash(recipe)
            and request.output.parent == output.parent.absolute()
        )

    def _view(self, run_id: str) -> RunView | None:
        return next((view for view in self._queue.views() if view.id == run_id), None)


def _is_of(made: Provenance, scan: ScanFacts, recipe: str) -> bool:
    whole = made.quality is not None
    return whole and made.input_identity == scan.id and recipe_hash(made.recipe) == recipe


def _names(output: Path) -> Iterator[Path]:
    """Names that a product got, as `runs.products.free_output` gives them, while there are."""
    stem, suffix = output.name, ""
    if output.suffix == ".zarr":
        stem, suffix = output.stem, output.suffix
    names = (
        output if n == 1 else output.with_name(f"{stem}-{n}{suffix}")
        for n in range(1, _MOST_NAMES + 1)
    )
    return (name for name in names if name.exists())
