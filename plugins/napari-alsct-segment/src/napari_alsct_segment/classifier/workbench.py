"""One volume on the bench: learn from strokes and show a slice, as quickly as can be.

Features are remembered, those of marked voxels for good, those of the last slice while they
fit into memory: a further stroke costs no more than growing the forest and sending the slice
through it. A slice can be made ready before there is anything to learn from.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.volume import LazyArray
from alsct_gui.steps.reporter import Reporter
from napari_alsct_segment.classifier.apply import doubt
from napari_alsct_segment.classifier.learn import fit, training_of
from napari_alsct_segment.classifier.model import PixelModel, Training
from napari_alsct_segment.classifier.samples import Scribbles, features_at, grey_scale
from napari_alsct_segment.classifier.suggest import Spot, suggest_spots
from napari_alsct_segment.features.compute import compute_features
from napari_alsct_segment.features.recipe import FeatureRecipe
from napari_alsct_segment.forest.grow import ForestSettings
from napari_alsct_segment.surrounded import Mirrored

Float32Array = NDArray[np.float32]
Tile = tuple[slice, slice]

KEPT_BYTES = 1_000_000_000
"""Features of a slice that are remembered at most."""
_TILE_PX = 128
_SEARCHED_SLICES, _SEARCHED_TILES = 12, 4


@dataclass(frozen=True, eq=False)
class Seen:
    """One slice as a model sees it."""

    labels: NDArray[np.uint8]
    """Label of the likeliest class, shape (y, x)."""
    doubt: Float32Array
    """See `classifier.apply.doubt`; shape (y, x)."""
    spots: tuple[Spot, ...]
    """Where to scribble next."""
    seconds: float
    """Time it took."""


class WorkBench:
    """Learns from the strokes on one volume.

    Parameters
    ----------
    array
        Grey values, shape (slice, y, x).
    name, identity
        Of the volume, for the record.
    earlier
        A model whose samples are learnt from too; its features and grey scale are taken.
    """

    def __init__(
        self,
        array: LazyArray | NDArray[Any],
        *,
        name: str = "volume",
        identity: str = "",
        earlier: PixelModel | None = None,
    ) -> None:
        self._array, self._name, self._identity = array, name, identity
        self._earlier = earlier
        self._grey = grey_scale(array) if earlier is None else earlier.grey
        self._recipe: FeatureRecipe | None = None
        self._known: dict[tuple[int, int, int], Float32Array] = {}
        self._slice: tuple[int, list[Float32Array | None]] | None = None

    def learn(
        self,
        strokes: Scribbles,
        recipe: FeatureRecipe,
        settings: ForestSettings,
        reporter: Reporter | None = None,
    ) -> PixelModel:
        """Train a model on the strokes, and on what an earlier model has learnt from.

        Raises
        ------
        InputError
            Fewer than two phases are marked, or marks lie outside of the volume.
        """
        earlier = self._earlier
        recipe = recipe if earlier is None else earlier.features
        self._forget_others(recipe)
        found = self._samples(strokes, recipe, reporter or Reporter())
        values = strokes.values
        before: tuple[Training, ...] = ()
        if earlier is not None:
            found = np.concatenate([earlier.samples.features, found])
            values = np.concatenate([earlier.sample_labels, values])
            before = earlier.trained
        record = training_of(strokes, self._name, self._identity)
        return fit(found, values, recipe, self._grey, settings, trained=(*before, record))

    def prepare(self, index: int, recipe: FeatureRecipe, reporter: Reporter | None = None) -> None:
        """Compute the features of a slice; what is done when it is cancelled stays."""
        recipe = recipe if self._earlier is None else self._earlier.features
        self._forget_others(recipe)
        self._kept_features(index, self._tiles(), recipe, reporter or Reporter())

    def look(
        self, model: PixelModel, index: int, strokes: Scribbles, reporter: Reporter | None = None
    ) -> Seen:
        """Apply a model of `learn` to one slice."""
        began, reporter = time.perf_counter(), reporter or Reporter()
        rows, columns = self._array.shape[1:]
        tiles = self._tiles()
        kept = self._kept_features(index, tiles, model.features, reporter)
        shares = np.empty((len(model.labels), rows, columns), np.float32)

        def apply(number: int) -> None:
            reporter.check()
            features = kept[number] if kept else None
            if features is None:
                features = self._tile(index, tiles[number], model.features)
            shares[(slice(None), *tiles[number])] = model.forest.predict(features)

        _for_all(apply, len(tiles))
        torn = doubt(shares)
        labels = np.array(model.labels, np.uint8)[shares.argmax(axis=0)]
        spots = suggest_spots(torn, _marked(strokes, index, (rows, columns)))
        return Seen(labels, torn, spots, time.perf_counter() - began)

    def most_doubtful(
        self, model: PixelModel, strokes: Scribbles, reporter: Reporter | None = None
    ) -> int:
        """Return the slice without strokes where a model is torn most.

        Some pieces of some slices are looked at, always the same ones.
        """
        reporter = reporter or Reporter()
        slices, rows, columns = self._array.shape
        marked = {int(index) for index in np.unique(strokes.places[:, 0])}
        free = [index for index in range(slices) if index not in marked] or list(range(slices))
        chosen = free[:: max(1, len(free) // _SEARCHED_SLICES)][:_SEARCHED_SLICES]
        rng = np.random.default_rng(0)
        corners = [
            (
                int(rng.integers(max(1, rows - _TILE_PX))),
                int(rng.integers(max(1, columns - _TILE_PX))),
            )
            for _ in range(_SEARCHED_TILES)
        ]
        found = np.zeros((len(chosen), len(corners)))

        def search(number: int) -> None:
            reporter.check()
            place, corner = divmod(number, len(corners))
            y, x = corners[corner]
            tile = slice(y, min(y + _TILE_PX, rows)), slice(x, min(x + _TILE_PX, columns))
            features = self._tile(chosen[place], tile, model.features)
            found[place, corner] = doubt(model.forest.predict(features)).mean()

        _for_all(search, found.size)
        return chosen[int(found.mean(axis=1).argmax())]

    def _forget_others(self, recipe: FeatureRecipe) -> None:
        if recipe != self._recipe:
            self._recipe = recipe
            self._known.clear()
            self._slice = None

    def _samples(
        self, strokes: Scribbles, recipe: FeatureRecipe, reporter: Reporter
    ) -> Float32Array:
        """Features of all strokes, computed for the new ones."""
        places: list[tuple[int, int, int]] = [(z, y, x) for z, y, x in strokes.places.tolist()]
        missing = [number for number, place in enumerate(places) if place not in self._known]
        if missing:
            new = features_at(self._array, strokes.places[missing], recipe, self._grey, reporter)
            for number, values in zip(missing, new, strict=True):
                self._known[places[number]] = values
        return np.stack([self._known[place] for place in places])

    def _tiles(self) -> list[Tile]:
        rows, columns = self._array.shape[1:]
        return [
            (slice(y, min(y + _TILE_PX, rows)), slice(x, min(x + _TILE_PX, columns)))
            for y in range(0, rows, _TILE_PX)
            for x in range(0, columns, _TILE_PX)
        ]

    def _kept_features(
        self, index: int, tiles: list[Tile], recipe: FeatureRecipe, reporter: Reporter
    ) -> Sequence[Float32Array | None]:
        """Features of a slice, tile by tile; none when they are too many to be remembered."""
        if self._slice is None or self._slice[0] != index:
            self._slice = index, [None] * len(tiles)
        found = self._slice[1]
        n_bytes = 4 * len(recipe.names) * self._array.shape[1] * self._array.shape[2]
        if n_bytes > KEPT_BYTES:
            return []

        def make(number: int) -> None:
            reporter.check()
            if found[number] is None:
                found[number] = self._tile(index, tiles[number], recipe)

        _for_all(make, len(tiles))
        return found

    def _tile(self, index: int, tile: Tile, recipe: FeatureRecipe) -> Float32Array:
        """Features of a part of a slice, shape (feature, y, x)."""
        z, y, x = (
            slice(axis.start, axis.stop + 2 * r)
            for axis, r in zip((slice(index, index + 1), *tile), recipe.reach_px, strict=True)
        )
        block = Mirrored(self._array, recipe.reach_px)[z, y, x]
        return compute_features(self._grey.normalise(block), recipe)[:, 0]


def _marked(strokes: Scribbles, index: int, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """What is marked in a slice."""
    marked = np.zeros(shape, np.bool_)
    here = strokes.places[strokes.places[:, 0] == index]
    marked[here[:, 1], here[:, 2]] = True
    return marked


def _for_all(work: Callable[[int], None], count: int) -> None:
    """Call a function with every number, on all processors."""
    with ThreadPoolExecutor(len(os.sched_getaffinity(0)), "alsct-tile") as pool:
        for future in [pool.submit(work, number) for number in range(count)]:
            future.result()
