"""The watch itself: lists folders, looks at what is due, and says what changed.

One step at a time and without threads or waiting, so that a test can take every step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from alsct_gui.beamline.eye import Looker
from alsct_gui.beamline.folder import Entry, Trouble
from alsct_gui.beamline.looking import Picture
from alsct_gui.beamline.looks import STALLED_S, Depth, Look, judge
from alsct_gui.beamline.sightings import Change, Sighting, diff, sighting_of
from alsct_gui.beamline.watches import Watches

BUSY_S = 1.0
"""Folders are listed so often while something arrives."""
IDLE_S = 5.0
"""And so often otherwise."""
LOOK_AGAIN_S = 2.0
"""A file that is still arriving is looked at, and pictured, at most so often."""
LOOKING_S = 1.0
"""After so long a step ends; what is still due waits for the next."""
OLD_S = 86_400.0
"""What did not change for so long before it was first seen is only looked at lightly."""


@dataclass(eq=False)
class Track:
    """What the watch remembers of one path."""

    entry: Entry
    """As its directory tells it."""
    quiet_since_s: float
    """When it last changed, by the watch's clock."""
    look: Look | None = None
    """The latest look."""
    looked_at: Entry | None = None
    """The entry as it was at the latest look."""
    looked_s: float = -inf
    """When that was."""
    pictured: tuple[int, float] = (-1, -inf)
    """Frames when the latest picture was made, and when that was."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one step brought."""

    changes: tuple[Change, ...]
    """What changed since the step before."""
    pictures: Mapping[Path, Picture]
    """Small pictures of some of the paths in `changes`."""
    troubles: tuple[Trouble, ...]
    """Folders that cannot be listed at present."""
    known: int
    """Scans and volumes there are."""
    waiting: int
    """Those of them that are still to be looked at."""
    listed: bool
    """Whether every folder has been listed to its end at least once."""
    rest_s: float
    """How long nothing need be done."""


@dataclass(eq=False)
class Watch:
    """Watches folders; to be stepped from one thread."""

    looker: Looker
    """Opens the files."""
    watches: Watches = field(default_factory=Watches)
    """Lists the folders, and looks at single paths."""
    clock: Callable[[], float] = time.monotonic
    """Time in seconds that only goes forward."""
    wall: Callable[[], float] = time.time
    """Seconds since 1970."""
    _tracks: dict[Path, Track] = field(default_factory=dict)
    _sightings: dict[Path, Sighting] = field(default_factory=dict)
    _listed_s: float = -inf
    _listed: bool = False
    _whole: bool = True
    _troubles: tuple[Trouble, ...] = ()

    def watch(self, folders: Sequence[Path], paths: Sequence[Path] = ()) -> None:
        """Watch these folders too, and these single scans and volumes."""
        self.watches.watch(folders, paths)
        self._listed_s, self._listed = -inf, False

    def forget(self, folder: Path) -> None:
        """Stop watching a folder; nothing more is said of what lies in it."""
        self.watches.forget(folder)
        for path in [path for path in self._tracks if not self._is_watched(path)]:
            del self._tracks[path]
            self._sightings.pop(path, None)

    def close(self) -> None:
        """End the listing and the reader."""
        self.watches.close()
        self.looker.close()

    def step(self) -> Step:
        """List what is due, look at what is due, and tell the difference."""
        before = dict(self._sightings)
        self._list()
        pictures = self._look()
        changes = diff(before, self._sightings) if before != self._sightings else ()
        waiting = sum(track.look is None for track in self._tracks.values())
        return Step(
            changes, {change.sighting.path: pictures[change.sighting.path] for change in changes
                      if change.sighting.path in pictures},
            self._troubles, len(self._tracks), waiting, self._listed, self._rest(),
        )  # fmt: skip

    def _is_watched(self, path: Path) -> bool:
        return any(path.is_relative_to(place) for place in self.watches.places)

    def _list(self) -> None:
        now_s = self.clock()
        interval_s = BUSY_S if self._arriving() else IDLE_S
        if self._whole and now_s - self._listed_s < interval_s:
            return
        found = self.watches.next_pass()
        self._whole, self._troubles, self._listed_s = found.whole, found.troubles, now_s
        self._listed = bool(self.watches.places) and (self._listed or found.whole)
        for entry in found.changed:
            track = self._tracks.get(entry.path)
            if track is None:
                age_s = max(0.0, self.wall() - entry.modified_ns / 1e9)
                self._tracks[entry.path] = Track(entry, now_s - age_s)
            elif entry != track.entry:
                track.entry, track.quiet_since_s = entry, now_s
        for path in found.gone:
            self._tracks.pop(path, None)
            self._sightings.pop(path, None)

    def _look(self) -> dict[Path, Picture]:
        """Look at what is due, newest first, for a limited time; and judge anew what waits."""
        began_s = self.clock()
        pictures = {}
        for track in due(self._tracks.values(), self._sightings, began_s):
            picture = self._look_at(track)
            if picture is not None:
                pictures[track.entry.path] = picture
            if self.clock() - began_s > LOOKING_S:
                break
        for path in self._arriving():
            self._judge(self._tracks[path])
        return pictures

    def _look_at(self, track: Track) -> Picture | None:
        """Look once, and more closely when only that is missing for it to be complete."""
        quiet_s = self.clock() - track.quiet_since_s
        depth: Depth = "count"
        if track.look is None and quiet_s > STALLED_S:
            depth = "light" if quiet_s > OLD_S else "full"
        picture = self._look_once(track, depth)
        look = track.look
        if look is not None and look.depth == "count":
            quiet_s = self.clock() - track.quiet_since_s
            if judge(look, quiet_s).state == "complete":
                closer = self._look_once(track, "full")
                picture = picture if closer is None else closer
        self._judge(track)
        return picture

    def _look_once(self, track: Track, depth: Depth) -> Picture | None:
        entry, now_s = track.entry, self.clock()
        wanted = depth != "count" or now_s - track.pictured[1] >= LOOK_AGAIN_S
        found = self.looker.look(entry.path, entry.kind, depth=depth, thumbnail=wanted)
        track.looked_s = self.clock()
        track.looked_at = entry
        if found is None:  # gone meanwhile, which the next listing tells
            return None
        look, picture = found
        same = track.look is not None and not _differs(track.look, look)
        if not same and (track.look is not None or _is_newer(look, entry)):
            track.quiet_since_s = track.looked_s
        if not (same and depth == "count"):  # counting again adds nothing to a closer look
            track.look = look
        done = look.main.done if look.main else 0
        if picture is None or (depth == "count" and done == track.pictured[0]):
            return None
        track.pictured = (done, now_s)
        return picture

    def _judge(self, track: Track) -> None:
        if track.look is not None:
            quiet_s = self.clock() - track.quiet_since_s
            path = track.entry.path
            self._sightings[path] = sighting_of(path, track.look, quiet_s)

    def _arriving(self) -> list[Path]:
        return [path for path, item in self._sightings.items() if item.state == "arriving"]

    def _rest(self) -> float:
        now_s = self.clock()
        if not self._whole or due(self._tracks.values(), self._sightings, now_s):
            return 0.0
        interval_s = BUSY_S if self._arriving() else IDLE_S
        return max(0.0, self._listed_s + interval_s - now_s)


def due(tracks: Iterable[Track], sightings: Mapping[Path, Sighting], now_s: float) -> list[Track]:
    """Choose what is to be looked at now, newest first.

    That is what was never looked at, what its directory tells to be different, and what is
    still arriving; each not before `LOOK_AGAIN_S` after the latest look.
    """
    chosen = []
    for track in tracks:
        known = sightings.get(track.entry.path)
        waits = known is None or known.state == "arriving" or track.entry != track.looked_at
        if waits and now_s - track.looked_s >= LOOK_AGAIN_S:
            chosen.append(track)
    return sorted(chosen, key=lambda track: track.entry.modified_ns, reverse=True)


def _differs(one: Look, other: Look) -> bool:
    """Whether the file itself changed between two looks."""
    return (one.size_bytes, one.modified_ns, one.stacks, one.locked) != (
        other.size_bytes, other.modified_ns, other.stacks, other.locked,
    )  # fmt: skip


def _is_newer(look: Look, entry: Entry) -> bool:
    """Whether a scan changed between the listing of its folder and the look at it."""
    listed = (entry.size_bytes, entry.modified_ns)
    return look.kind == "scan" and (look.size_bytes, look.modified_ns) != listed
