"""Analyses: what a step makes of a reconstruction or of another analysis, here or at NERSC.

Each is a job of `alsct step run`, whose input lies at the same site. One's own code runs where
it lies on this workstation, and goes along with the job elsewhere.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from alsct_gui.model.errors import AlsctError, EngineUnavailableError
from alsct_gui.model.placement import Evidence, GoalKey, ScanFacts, StateKind, StepState
from alsct_gui.model.policy import Place, Product, Sheet, Source
from alsct_gui.placement.goals.analysed import (
    analysis_path,
    files_of,
    look_at_analyses,
    output_path,
)
from alsct_gui.placement.goals.base import BlockedError, World
from alsct_gui.placement.goals.bringing import Parcel
from alsct_gui.placement.goals.jobs import Computer, JobGoals
from alsct_gui.placement.goals.stepruns import bytes_in, runs_of, sizes_of
from alsct_gui.placement.sheets import Sheets
from alsct_gui.steps.own.description import OwnCode
from alsct_gui.steps.own.environment import require_environment
from alsct_gui.steps.own.load import own_code
from alsct_gui.steps.own.run import code_checksums, code_files, require_portable
from alsct_gui.superfacility.compute.base import JobRequest, Resources, StepCall
from alsct_gui.superfacility.compute.here import Here
from alsct_gui.superfacility.compute.look import Answer
from alsct_gui.superfacility.compute.steptime import StepTime, step_time

_CHANGED = "Restart the agent, which takes it as it is now; a wish of your own ask again"
_MEMORY_GB = 4.0
_PATIENCE_S = 5.0
_LONGEST_S = 7 * 86400


def this_workstation(here: Here, threads: int = 0) -> Computer:
    """Return this workstation as a place where steps run.

    Parameters
    ----------
    here
        Runs them.
    threads
        Processors that a step may use; 0 for all.
    """
    cpus = threads or len(os.sched_getaffinity(0))
    resources = Resources("here", "none", "cpu", _LONGEST_S, cpus=cpus, memory_gb=_MEMORY_GB)

    def asked(_: ScanFacts) -> Resources:
        return resources

    return Computer(here, here, asked, is_here=True, patience_s=_PATIENCE_S)


class Analyses(JobGoals):
    """Analyses at a place.

    Parameters
    ----------
    world
        What is known.
    place
        The place; its root is the folder below which products lie, on its own machine.
    computer
        What runs jobs there.
    """

    def __init__(self, world: World, place: Place, computer: Computer) -> None:
        super().__init__(world, place, computer)
        self._sheets = Sheets(world.policy, world.observed.recipes)
        self._times: dict[str, StepTime] = {}  # that jobs of this process ask for, by their names

    def observe(self, keys: Sequence[str]) -> Mapping[str, Evidence]:
        """List the products, and read how they were made."""
        return self._look(keys)[0]

    def list_files(self, keys: Sequence[str]) -> Mapping[str, Parcel]:
        """Return the files of whole products, by the goals' keys."""
        evidence, answer = self._look(keys)
        return {
            key: Parcel(
                str(PurePosixPath(seen.where).parent),
                files_of(answer, seen.where, self._sheet(key)),
            )
            for key, seen in evidence.items()
        }  # fmt: skip

    def output(self, key: str) -> str:
        """Return where a product lies: a file, or the folder of several."""
        relative = self._world.relative(self._world.scan(key))
        return analysis_path(self._place.root, relative, self._sheet(key))

    def _look(self, keys: Sequence[str]) -> tuple[dict[str, Evidence], Answer]:
        """Look at the place; returns evidence of what is whole, and all that was seen."""
        paths = {key: self.output(key) for key in keys}
        sheets = {key: self._sheet(key) for key in keys}
        looker, find = self._computer.looker, self._sheets.find
        return look_at_analyses(looker, paths, sheets, self._world, find)

    def _told(self, name: str, state: StepState) -> StepState:
        """Say what a job asks for while it waits in its queue."""
        time = self._times.get(name)
        if state.kind is not StateKind.WAITING or time is None:
            return state
        return replace(state, cause=f"{state.cause}; it {time.why}")

    def _job(self, key: str) -> JobRequest:
        sheet, part = self._sheet(key), key.partition("/")[0]
        inputs = {source.port: self._input(part, source) for source in sheet.inputs}
        call = self._with_given(sheet, self._call(sheet, inputs))
        resources = self._computer.resources(self._world.scan(key))
        if not self._computer.is_here:
            time = self._times[self._name(key)] = self._time(key, sheet, resources.time_s)
            resources = replace(resources, time_s=time.limit_s)
        return JobRequest(
            key, "", self.output(key), resources, attempt=self._attempt(key), call=call
        )

    def _time(self, key: str, sheet: Sheet, longest_s: int) -> StepTime:
        """How long the job of an analysis may take, from what is known of its step."""
        observed, scan = self._world.observed, key.partition("/")[0]
        sizes = sizes_of(observed)
        places = {place.name: place for place in self._world.policy.places}
        runs = runs_of(observed, sizes, self._sheets, places, sheet, self._place.name)
        record = observed.goals.get(key)
        return step_time(
            bytes_in(sizes, scan, sheet.inputs), runs, longest_s=longest_s,
            failures=record.attempts if record is not None else 0,
        )  # fmt: skip

    def _sheet(self, key: str) -> Sheet:
        return self._sheets.find(GoalKey.parse(key).recipe)

    def _input(self, part: str, source: Source) -> str:
        """Path of an input: at this place, else at another one of its site.

        Raises
        ------
        BlockedError
            It is at none of them.
        """
        site = [p for p in self._world.policy.places if p.site == self._place.site and p.root]
        for place in sorted(site, key=lambda p: p.name != self._place.name):
            key = GoalKey(part, source.product, place.name, source.mark).text
            record = self._world.observed.goals.get(key)
            if record is None or record.state.kind is not StateKind.MET or record.evidence is None:
                continue
            where = record.evidence.where
            if source.product is Product.ANALYSIS:
                return output_path(where, self._sheets.find(source.mark), source.output)
            return where
        raise BlockedError(
            f"the {source.product} that it is made of is at no place of {self._place.site}",
            where=part, fix="Want it there as well",
        )  # fmt: skip

    def _call(self, sheet: Sheet, inputs: Mapping[str, str]) -> StepCall:
        if not sheet.file:
            return StepCall(sheet.step, inputs, sheet.parameters)
        code = self._code(sheet)
        if self._computer.is_here:
            try:
                require_environment(code.environment, *code.command[:1])
            except EngineUnavailableError as error:
                raise _refused(error) from error
            return StepCall(sheet.file, inputs, sheet.parameters, sheet.code)
        wanted = code.environment
        special = wanted.container or wanted.conda or wanted.python
        if special:
            raise BlockedError(
                f"the code wants {special}, which jobs at {self._compute.place} do not have",
                where=sheet.file, fix="Want it here, or let the code do without",
            )  # fmt: skip
        try:
            require_portable(code, sheet.parameters)
        except AlsctError as error:
            raise _refused(error) from error
        files = code_files(code, sheet.parameters)
        contents = {name: path.read_bytes() for name, path in files.items()}
        return StepCall(code.path.name, inputs, sheet.parameters, sheet.code, contents)

    def _with_given(self, sheet: Sheet, call: StepCall) -> StepCall:
        """Add the files that are the same for every scan: here by their paths, else they go along.

        Raises
        ------
        BlockedError
            One is gone, or another one by now.
        """
        inputs, files, along = dict(call.inputs), dict(call.files), {}
        for item in sheet.given:
            path = Path(item.path)
            try:
                content = path.read_bytes()
            except OSError as error:
                raise BlockedError(
                    f"the {item.port} cannot be read ({error.strerror})", where=item.path,
                    fix="Put it back",
                ) from error  # fmt: skip
            if hashlib.sha256(content).hexdigest() != item.sha256:
                raise BlockedError(
                    f"the {item.port} has changed since it was asked for", where=item.path,
                    fix=_CHANGED,
                )  # fmt: skip
            if self._computer.is_here:
                inputs[item.port] = item.path
            else:
                along[item.port] = f"inputs/{item.port}{path.suffix}"
                files[along[item.port]] = content
        return replace(call, inputs=inputs, files=files, along=along)

    def _code(self, sheet: Sheet) -> OwnCode:
        """Somebody's code, once it is known to be what was asked for.

        Raises
        ------
        BlockedError
            It is gone, or another one by now.
        """
        try:
            code = own_code(sheet.file)
            found = code_checksums(code, sheet.parameters)
        except AlsctError as error:
            raise _refused(error) from error
        if found != sheet.code:
            raise BlockedError(
                "the code has changed since it was asked for", where=sheet.file,
                fix=_CHANGED,
            )  # fmt: skip
        return code


def _refused(error: AlsctError) -> BlockedError:
    return BlockedError(error.what, where=error.where, fix=error.fix or "Put it right")
