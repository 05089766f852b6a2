"""Applying a model: labels, probabilities and doubt of a whole volume, block by block."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import DTypeLike, NDArray

from alsct_gui.model.errors import RecipeError
from alsct_gui.model.volume import LazyArray
from napari_alsct_segment.classifier.model import PixelModel
from napari_alsct_segment.classifier.samples import GreyScale
from napari_alsct_segment.features.compute import compute_features
from napari_alsct_segment.surrounded import Surrounded

Float32Array = NDArray[np.float32]

_WORK_BYTES = 24
"""Memory that computing features takes for each voxel, beside the features themselves."""


class Applied:
    """A model at work on one volume.

    Parameters
    ----------
    array
        Grey values, shape (slice, y, x).
    model
        A model that was checked.
    grey
        How values are counted; None for as in training.
    """

    def __init__(
        self, array: LazyArray | NDArray[Any], model: PixelModel, grey: GreyScale | None = None
    ) -> None:
        self._array, self._model, self._grey = array, model, grey or model.grey
        self._values = np.array(model.labels, np.uint8)

    def labels(self) -> Surrounded:
        """Return the label of the likeliest class, uint8."""
        return self._lazily(self._labels, np.uint8)

    def probability(self, label: int) -> Surrounded:
        """Return how likely a class is, float32 from 0 to 1.

        Raises
        ------
        RecipeError
            The model has no such class.
        """
        if label not in self._model.labels:
            known = ", ".join(map(str, self._model.labels))
            raise RecipeError(
                f"the model has no label {label}", where="parameters.label",
                fix=f"Take one of {known}",
            )  # fmt: skip
        index = self._model.labels.index(label)
        return self._lazily(lambda block: self.probabilities(block)[index], np.float32)

    def uncertainty(self) -> Surrounded:
        """Return how far the two likeliest classes are from being told apart; see `doubt`."""
        return self._lazily(lambda block: doubt(self.probabilities(block)), np.float32)

    def probabilities(self, block: Float32Array) -> Float32Array:
        """Return the probabilities of all classes in a block.

        Parameters
        ----------
        block
            float32, shape (slice, y, x) with the surroundings that the features look at; it
            is not changed.

        Returns
        -------
        probabilities
            float32, shape (class, slice, y, x).
        """
        features = compute_features(self._grey.normalise(block), self._model.features)
        return self._model.forest.predict(features)

    def _labels(self, block: Float32Array) -> NDArray[np.uint8]:
        return self._values[self.probabilities(block).argmax(axis=0)]

    def _lazily(self, work: Callable[[Float32Array], NDArray[Any]], dtype: DTypeLike) -> Surrounded:
        model = self._model
        taken = _WORK_BYTES + 4 * (len(model.features.names) + 2 * len(model.labels))
        return Surrounded(
            work, self._array, reach=model.features.reach_px, dtype=dtype, voxel_bytes=taken
        )


def doubt(probabilities: Float32Array) -> Float32Array:
    """Say where a model is torn.

    Parameters
    ----------
    probabilities
        Shape (class, …).

    Returns
    -------
    doubt
        float32, shape (…): 1 less the distance of the likeliest class from the second; 0 where
        it is certain, 1 where two classes are equally likely.
    """
    flat = np.ascontiguousarray(probabilities).reshape(len(probabilities), -1)
    out = np.empty(flat.shape[1], np.float32)
    _margin(flat, out)
    return out.reshape(probabilities.shape[1:])


@njit(nogil=True, cache=True)
def _margin(shares: Float32Array, out: Float32Array) -> None:
    for v in range(out.size):
        first, second = np.float32(0), np.float32(0)
        for c in range(shares.shape[0]):
            share = shares[c, v]
            if share > first:
                first, second = share, first
            elif share > second:
                second = share
        out[v] = np.float32(1) - (first - second)
