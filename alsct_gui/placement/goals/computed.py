"""Reconstructions that are made by jobs, at NERSC or wherever there is a `Compute`.

A product lies in a folder that is named after its recipe, so that two recipes never meet under
one name, and a job that follows one that was cut off goes on with what that has left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from alsct_gui.files.names import product_name
from alsct_gui.files.provenance import TIFF_FILE, ZARR_FILE, parse_provenance
from alsct_gui.model.errors import InputError
from alsct_gui.model.placement import (
    MET,
    Evidence,
    GoalKey,
    ScanFacts,
    StateKind,
    StepState,
    Work,
    blocked,
    failed,
    waiting,
)
from alsct_gui.model.policy import Place, Product
from alsct_gui.model.recipe import Recipe, recipe_to_dict
from alsct_gui.placement.goals.base import BlockedError, Intent, Record, World
from alsct_gui.placement.goals.products import expected_slices, is_of
from alsct_gui.placement.goals.slices import ARRAY_FILE, count_listed
from alsct_gui.superfacility.compute.base import (
    Compute,
    JobRequest,
    JobStatus,
    Resources,
    job_name,
    outcome,
)
from alsct_gui.superfacility.compute.look import Answer, Looker, Question
from alsct_gui.superfacility.compute.progress import RunProgress
from alsct_gui.superfacility.compute.states import JobState
from alsct_gui.superfacility.errors import NotThereError

LOST_S = 3600.0
"""For how long a queue may not know a job before another is submitted."""
_WAITS = (
    JobState.PENDING, JobState.CONFIGURING, JobState.REQUEUED, JobState.REQUEUE_FED,
    JobState.SUSPENDED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Computer:
    """A place where reconstructions run, and how they are asked for there."""

    compute: Compute
    """Runs jobs."""
    looker: Looker
    """Looks at files there."""
    resources: Callable[[ScanFacts], Resources]
    """What the job of a scan asks of the machine."""
    stage: bool = False
    """Whether jobs copy the scan to a quick disk first."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A whole product at a place, as it was listed."""

    path: str
    """Where it lies."""
    slices: int
    """Counted by its files."""
    files: Mapping[str, int]
    """Size in bytes of each file, by its path in the product."""


class ComputedReconstructions:
    """Reconstructions at a place with a `Compute`.

    Parameters
    ----------
    world
        What is known.
    place
        The place; its root is the folder below which products lie, on its own machine.
    recipes
        Finds a recipe by its hash.
    computer
        What runs jobs there.
    """

    def __init__(
        self, world: World, place: Place, recipes: Callable[[str], Recipe], computer: Computer
    ) -> None:
        if not place.root:
            raise BlockedError(
                "it is not known where products lie there", where=place.name,
                fix="Give the place a root in the policy, or its collection one in the profile",
            )  # fmt: skip
        self._world, self._place, self._recipes = world, place, recipes
        self._computer, self._compute = computer, computer.compute

    def observe(self, keys: Sequence[str]) -> Mapping[str, Evidence]:
        """List the products there, and count the slices by their files."""
        now_s = self._world.clock()
        return {
            key: Evidence(seen.path, now_s, size_bytes=sum(seen.files.values()), slices=seen.slices)
            for key, seen in self.look(keys).items()
        }

    def look(self, keys: Sequence[str]) -> Mapping[str, Seen]:
        """Return the whole products of goals, by their key."""
        paths = {key: self._output(key) for key in keys}
        names = (ZARR_FILE, ARRAY_FILE, TIFF_FILE)
        answer = self._computer.looker.look(Question(
            folders=tuple(paths.values()),
            texts=tuple(f"{path}/{name}" for path in paths.values() for name in names),
        ))  # fmt: skip
        found = {}
        for key, path in paths.items():
            mark = GoalKey.parse(key).recipe
            seen = whole_product(answer, path, self._world.scan(key), mark)
            if seen is not None:
                found[key] = seen
        return found

    def act(self, intent: Intent, record: Record) -> str:
        """Submit a job, or find the one that was."""
        (key,) = intent.keys
        return self._compute.submit(self._job(key))

    def poll(self, outside_id: str) -> StepState:
        """Ask the queue, and read the progress file."""
        status = self._compute.status(outside_id)
        work = self._work(outside_id)
        name = status.name or (self._name(work.keys[0]) if work is not None else "")
        progress = self._compute.progress(name) if name else None
        state = job_state(status, progress, self._compute.place)
        is_lost = status.state is JobState.UNKNOWN and state.kind is StateKind.WAITING
        if is_lost and work is not None and self._waited_s(work, state) > LOST_S:
            return failed("the queue has not known the job for an hour")
        return state

    def cancel(self, outside_id: str) -> None:
        """End the job there."""
        try:
            self._compute.cancel(outside_id)
        except NotThereError:
            if self._compute.status(outside_id).listed:
                raise

    def _job(self, key: str) -> JobRequest:
        scan, recipe = self._world.scan(key), self._recipes(GoalKey.parse(key).recipe)
        return JobRequest(
            key, self._raw(key, scan), self._output(key), self._computer.resources(scan),
            recipe_to_dict(recipe), stage=self._computer.stage, attempt=self._attempt(key),
        )  # fmt: skip

    def _attempt(self, key: str) -> int:
        """Number of the piece of work that was decided on last; the first is 1."""
        record = self._world.observed.goals.get(key)
        return max(1, record.tries) if record is not None else 1

    def _name(self, key: str) -> str:
        return job_name(key, self._attempt(key))

    def _raw(self, key: str, scan: ScanFacts) -> str:
        """Path of the raw file at the site of this place.

        Raises
        ------
        BlockedError
            It is at none of the site's places.
        """
        world, part = self._world, key.partition("/")[0]
        for place in world.policy.places:
            raw = world.observed.goals.get(GoalKey(part, Product.RAW, place.name).text)
            met = raw is not None and raw.state.kind is StateKind.MET
            if met and place.site == self._place.site and place.root:
                return f"{place.root.rstrip('/')}/{world.relative(scan)}"
        raise BlockedError(
            f"the raw file is at no place of {self._place.site}", where=scan.path,
            fix="Want it there as well",
        )  # fmt: skip

    def _output(self, key: str) -> str:
        scan, mark = self._world.scan(key), GoalKey.parse(key).recipe
        relative = PurePosixPath(self._world.relative(scan))
        name = product_name(relative.stem, self._recipes(mark).output.format)
        return str(PurePosixPath(self._place.root) / relative.parent / mark / name)

    def _work(self, outside_id: str) -> Work | None:
        works = self._world.observed.works.values()
        return next((work for work in works if work.outside_id == outside_id), None)

    def _waited_s(self, work: Work, state: StepState) -> float:
        """For how long it has stood so."""
        record = self._world.observed.goals.get(work.keys[0])
        if record is None or record.state != state:
            return 0.0
        return self._world.clock() - record.since_s


def whole_product(answer: Answer, path: str, scan: ScanFacts, mark: str) -> Seen | None:
    """Return the product at a path, when all its slices are there and it is of that recipe.

    Raises
    ------
    InputError
        It could not be looked at, so that nothing is known.
    """
    files = answer.folders.get(path)
    for name in (path, *(f"{path}/{file}" for file in (ZARR_FILE, ARRAY_FILE, TIFF_FILE))):
        if name in answer.errors:
            raise InputError(f"cannot be looked at ({answer.errors[name]})", where=name)
    if files is None:
        return None
    zarr, tiff = (answer.texts.get(f"{path}/{file}") for file in (ZARR_FILE, TIFF_FILE))
    text = zarr if zarr is not None else tiff
    if text is None:
        return None
    try:
        made = parse_provenance(text, path, zarr=zarr is not None)
        array = answer.texts.get(f"{path}/{ARRAY_FILE}") if zarr is not None else None
        if zarr is not None and array is None:
            return None
        slices = count_listed(files, array, path)
    except InputError:
        return None  # something else has the name
    if not is_of(made, scan, mark) or slices != expected_slices(made) or slices == 0:
        return None
    return Seen(path, slices, files)


def job_state(status: JobStatus, progress: RunProgress | None, place: str) -> StepState:
    """Return what a job's status means for its goal.

    Parameters
    ----------
    status
        What the queue says.
    progress
        What its progress file says; None when there is none.
    place
        Name of the place, for people.
    """
    found = outcome(status, progress)
    if found.verdict == "done":
        return MET
    if found.verdict != "going":
        return failed(found.sentence, found.fix)
    if status.state is JobState.UNKNOWN:
        if progress is not None and progress.state == "finished":
            return MET  # it says so; whoever asks looks for itself
        return waiting(f"the queue of {place}", "it does not list the job")
    if status.is_held:
        return blocked(status.cause or status.sentence, status.fix or "Look at the job there")
    if status.state in _WAITS:
        return waiting(f"the queue of {place}", status.cause or status.sentence)
    if progress is None or progress.stage != "slices":
        return StepState(StateKind.MOVING)
    return StepState(StateKind.MOVING, done=progress.done, total=progress.total)
