"""Reconstructions that were made elsewhere and are brought here, file by file.

::

    .alsct-brought-<mark>/       beside the name, while files arrive
        rec<scan>.zarr/          what becomes the product, renamed when whole
        files.json               what it must hold: path and size of each file

The mark is made from the goal, so another transfer goes on where the last one ended.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from alsct_gui.model.errors import OutputError
from alsct_gui.model.placement import (
    MET,
    Evidence,
    GoalKey,
    StateKind,
    StepState,
    failed,
)
from alsct_gui.model.policy import Place
from alsct_gui.model.recipe import Recipe
from alsct_gui.placement.goals.base import Intent, Record, World
from alsct_gui.placement.goals.computed import ComputedReconstructions, Seen
from alsct_gui.placement.goals.products import find_product, output_of, whole_slices
from alsct_gui.placement.goals.raw import transfer_state
from alsct_gui.placement.runs.products import free_output
from alsct_gui.superfacility.transfer.base import (
    Transfer,
    TransferItem,
    TransferRequest,
    TransferState,
    key_digest,
)

_LISTING = "files.json"


class BroughtReconstructions:
    """Products of another place, in a folder of this machine.

    Parameters
    ----------
    world
        What is known.
    place
        The place; its root is a folder of this machine.
    recipes
        Finds a recipe by its hash.
    made
        What sees to the products where they are made.
    transfer
        What moves files.
    source, target
        How the transfer calls the other place and this one.
    source_root
        Folder of the other place, on its own machine.
    """

    def __init__(
        self, world: World, place: Place, recipes: Callable[[str], Recipe],
        made: ComputedReconstructions, transfer: Transfer,
        *, source: str, target: str, source_root: str,
    ) -> None:  # fmt: skip
        self._world, self._place, self._recipes = world, place, recipes
        self._made, self._transfer = made, transfer
        self._source, self._target, self._source_root = source, target, source_root

    def observe(self, keys: Sequence[str]) -> Mapping[str, Evidence]:
        """Count the slices here, of whatever product is of that scan and recipe."""
        found = {}
        for key in keys:
            mark = GoalKey.parse(key).recipe
            scan = self._world.scan(key)
            evidence = find_product(self._output(key), scan, mark, self._world.clock)
            if evidence is not None:
                found[key] = evidence
        return found

    def act(self, intent: Intent, record: Record) -> str:
        """List the product where it was made, and submit a transfer of its files."""
        products = {key: self._there(key) for key in intent.keys}
        items = []
        for key, seen in products.items():
            self._keep_listing(key, seen.files)
            source = PurePosixPath(seen.path).relative_to(self._source_root)
            target = self._aside(key).relative_to(self._place.root) / source.name
            items += [
                TransferItem(f"{source}/{name}", f"{target}/{name}", size)
                for name, size in sorted(seen.files.items())
            ]
        request = TransferRequest(
            key=intent.work, source=self._source, target=self._target, items=tuple(items),
            proposal=self._world.scan(intent.keys[0]).proposal,
            label=f"reconstruction to {self._place.name}", submission=intent.submission or None,
        )  # fmt: skip
        return self._transfer.submit(request, record)

    def poll(self, outside_id: str) -> StepState:
        """Ask the transfer; what has arrived whole gets its name."""
        status = self._transfer.status(outside_id)
        if status.state is TransferState.STALLED and not status.reason.needs_person:
            self._transfer.cancel(outside_id)
            return failed(status.cause or "nothing moved for too long", status.fix)
        state = transfer_state(status)
        if state.kind is not StateKind.MET:
            return state
        works = self._world.observed.works.values()
        keys = next((work.keys for work in works if work.outside_id == outside_id), ())
        for key in keys:
            lack = self._settle(key)
            if lack:
                return failed(lack)
        return MET

    def cancel(self, outside_id: str) -> None:
        """End the transfer; what has arrived stays aside for the next time."""
        self._transfer.cancel(outside_id)

    def _there(self, key: str) -> Seen:
        goal = GoalKey.parse(key)
        there = GoalKey(goal.scan, goal.product, self._place.source, goal.recipe).text
        seen = self._made.look((there,)).get(there)
        if seen is None:
            raise OutputError(
                "the product is not there any more as it was", where=self._place.source,
                fix="Nothing has to be done: it is looked at again there",
            )  # fmt: skip
        return seen

    def _settle(self, key: str) -> str:
        """Give a product its name; returns what it lacks, or nothing."""
        aside, mark = self._aside(key), GoalKey.parse(key).recipe
        try:
            listed: Mapping[str, int] = json.loads((aside / _LISTING).read_bytes())["files"]
        except FileNotFoundError:
            return ""  # it has its name already, or whoever looks sees that it has not
        except (OSError, ValueError, KeyError) as error:
            return f"what was to arrive is not known any more ({error})"
        content = aside / self._output(key).name
        if not content.exists() and self.observe((key,)):
            shutil.rmtree(aside)  # a kill fell between the new name and the end
            return ""
        for name, size_bytes in listed.items():
            found = _size_bytes(content / name)
            if found != size_bytes:
                return f"{name!r} has {found} bytes of {size_bytes}"
        if not whole_slices(content, self._world.scan(key), mark):
            return "the product that has arrived is not whole"
        try:
            content.rename(free_output(self._output(key), ()))
            shutil.rmtree(aside)
        except OSError as error:
            raise OutputError(
                f"the product cannot be given its name ({error.strerror})", where=str(content)
            ) from error
        return ""

    def _keep_listing(self, key: str, files: Mapping[str, int]) -> None:
        aside = self._aside(key)
        part = aside / f"{_LISTING}.part"
        try:
            aside.mkdir(parents=True, exist_ok=True)
            with part.open("w", encoding="ascii") as file:
                json.dump({"files": dict(files)}, file)
                file.flush()
                os.fsync(file.fileno())
            part.replace(aside / _LISTING)
        except OSError as error:
            raise OutputError(
                f"the folder cannot be written ({error.strerror})", where=str(aside),
                fix="See whether it is mounted and has room",
            ) from error  # fmt: skip

    def _aside(self, key: str) -> Path:
        return self._output(key).parent / f".alsct-brought-{key_digest(key)}"

    def _output(self, key: str) -> Path:
        recipe = self._recipes(GoalKey.parse(key).recipe)
        return output_of(self._world, Path(self._place.root), self._world.scan(key), recipe)


def _size_bytes(file: Path) -> int:
    try:
        return file.lstat().st_size
    except OSError:
        return -1
