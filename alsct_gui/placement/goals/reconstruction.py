"""Reconstructions that this workstation makes, through its queue of runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from alsct_gui.model.errors import UsageError
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
from alsct_gui.model.recipe import Recipe
from alsct_gui.placement.goals.base import Intent, Record, World
from alsct_gui.placement.goals.products import find_product, output_of
from alsct_gui.placement.policy import recipe_hash
from alsct_gui.placement.runs.model import RunRequest, RunState, RunView
from alsct_gui.placement.runs.queue import RunQueue


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
            scan, mark = self._world.scan(key), GoalKey.parse(key).recipe
            output = self._output(scan, self._recipes(mark))
            evidence = find_product(output, scan, mark, self._world.clock)
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

    def _output(self, scan: ScanFacts, recipe: Recipe) -> Path:
        return output_of(self._world, self._root, scan, recipe)

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
