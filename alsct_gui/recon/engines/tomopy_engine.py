"""tomopy: gridrec as the beamline's production runs it, and SIRT.

Three things differ between tomopy (measured with 1.15) and `alsct_gui.model.geometry`, and
are made up for here:

* gridrec puts the rotation axis of a slice of N pixels half a pixel (N even) or one pixel
  (N odd) too far right and too high. Each projection is shifted by as much, in Fourier
  space, before gridrec sees it.
* SIRT counts the centre from the left edge of the first column, not from its middle.
* Its Hann, Hamming and Parzen windows have no effect or rise again beyond their cutoff, so
  gridrec gets the windows of `filters` as a custom filter.

What is not made up for: gridrec's values. See `GRIDREC_NOTE`.
"""

from __future__ import annotations

import importlib.util
import math
import warnings
from types import ModuleType

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from alsct_gui.model.errors import EngineUnavailableError
from alsct_gui.model.recipe import EngineSettings
from alsct_gui.recon.engines.arguments import (
    check_shapes,
    choose_algorithm,
    prepare_output,
    unavailable,
)
from alsct_gui.recon.engines.base import (
    Availability,
    Capabilities,
    Float32Array,
    SliceGeometry,
)
from alsct_gui.recon.engines.filters import FILTERS, edge_columns, window
from alsct_gui.recon.engines.weights import angle_weights

GRIDREC_NOTE = (
    "gridrec is not quantitative: a uniform disk at the axis comes out at 1.05 to 1.12 of its "
    "value with the production padding, at 0.80 to 1.11 without, by its size in the field "
    "of view. For values that mean something take fourier."
)
_MODULE = "tomopy"
_FIX = "conda install -c conda-forge tomopy (it is not on PyPI), or take the engine fourier"


class TomopyEngine:
    """Reconstruct by tomopy."""

    def capabilities(self) -> Capabilities:
        """See `Engine.capabilities`."""
        return Capabilities(
            name="tomopy",
            title="tomopy: gridrec, SIRT",
            algorithms=("gridrec", "sirt"),
            filters=FILTERS,
            quantitative=False,
            note=GRIDREC_NOTE,
        )

    def check(self) -> Availability:
        """See `Engine.check`."""
        if importlib.util.find_spec(_MODULE) is None:
            return Availability(ok=False, reason="tomopy is not installed.", fix=f"{_FIX}.")
        try:
            tomopy = _tomopy()
        except EngineUnavailableError as error:
            return unavailable(error)
        return Availability(ok=True, version=str(tomopy.__version__))

    def memory_needed(
        self, geometry: SliceGeometry, n_slices: int, settings: EngineSettings
    ) -> int:
        """See `Engine.memory_needed`; counts one thread for every two slices."""
        if settings.algorithm == "sirt":
            return n_slices * 4 * (geometry.angles_deg.size * geometry.n_columns + geometry.size**2)
        _, columns = _padding(geometry, settings)
        grid = _grid_size(columns)
        padded = n_slices * geometry.angles_deg.size * columns * 4
        spectra = 4 * padded // max(1, n_slices)
        work = 8 * (grid**2 + 2 * geometry.angles_deg.size * grid)
        return padded + spectra + math.ceil(n_slices / 2) * work + n_slices * 4 * geometry.size**2

    def reconstruct(
        self,
        sinograms: Float32Array,
        geometry: SliceGeometry,
        settings: EngineSettings,
        *,
        out: Float32Array | None = None,
        threads: int = 1,
    ) -> Float32Array:
        """See `Engine.reconstruct`; gridrec pairs neighbouring slices.

        Raises
        ------
        EngineUnavailableError
            tomopy cannot be imported.
        """
        algorithm = choose_algorithm(settings, self.capabilities())
        check_shapes(sinograms, geometry)
        out = prepare_output(out, len(sinograms), geometry)
        run = _gridrec if algorithm == "gridrec" else _sirt
        out[:] = run(_tomopy(), sinograms, geometry, settings, max(1, threads))
        return out


def _tomopy() -> ModuleType:
    try:
        with warnings.catch_warnings():
            # It warns that its optional GPU library is absent, which is not used here.
            warnings.simplefilter("ignore", ImportWarning)
            import tomopy
    except Exception as error:
        raise EngineUnavailableError(
            f"tomopy is installed but cannot be imported: {type(error).__name__}: {error}",
            where="engine 'tomopy'", fix=_FIX,
        ) from error  # fmt: skip
    return tomopy


def _gridrec(
    tomopy: ModuleType,
    sinograms: Float32Array,
    geometry: SliceGeometry,
    settings: EngineSettings,
    threads: int,
) -> Float32Array:
    pad, columns = _padding(geometry, settings)
    size = geometry.size
    angles = np.deg2rad(geometry.angles_deg)
    # gridrec takes all projections to weigh the same, pi over their number.
    weights = angle_weights(geometry.angles_deg) * angles.size / math.pi
    shift = (0.5 if size % 2 == 0 else 1.0) * (np.cos(angles) + np.sin(angles))
    padded = np.empty((len(sinograms), angles.size, columns), np.float32)
    mode = "edge" if settings.padding == "edge" else "constant"
    for index, sinogram in enumerate(sinograms):
        wide = np.pad(sinogram, ((0, 0), (pad, pad)), mode=mode)  # type: ignore[call-overload]
        padded[index] = shift_columns(wide, shift)
    padded *= weights.astype(np.float32)[:, np.newaxis]
    slices: Float32Array = tomopy.recon(
        padded, angles, center=geometry.centers(len(sinograms)) + pad, sinogram_order=True,
        algorithm="gridrec", num_gridx=size, num_gridy=size, ncore=threads,
        filter_name="custom", filter_par=_gridrec_filter(_grid_size(columns), settings),
    )  # fmt: skip
    return slices


def _sirt(
    tomopy: ModuleType,
    sinograms: Float32Array,
    geometry: SliceGeometry,
    settings: EngineSettings,
    threads: int,
) -> Float32Array:
    slices: Float32Array = tomopy.recon(
        np.ascontiguousarray(sinograms), np.deg2rad(geometry.angles_deg),
        center=geometry.centers(len(sinograms)) + 0.5, sinogram_order=True, algorithm="sirt",
        num_gridx=geometry.size, num_gridy=geometry.size, num_iter=settings.iterations,
        ncore=threads,
    )  # fmt: skip
    return slices


def _padding(geometry: SliceGeometry, settings: EngineSettings) -> tuple[int, int]:
    """Columns added on either side, and columns after that: at least the slice's edge."""
    pad = edge_columns(geometry.n_columns) if settings.padding == "edge" else 0
    pad = max(pad, math.ceil((geometry.size - geometry.n_columns) / 2))
    return pad, geometry.n_columns + 2 * pad


def _grid_size(columns: int) -> int:
    """Edge of gridrec's Fourier grid: the next power of two, 16 at least."""
    return max(16, 1 << (columns - 1).bit_length())


def _gridrec_filter(grid: int, settings: EngineSettings) -> NDArray[np.float32]:
    """The filter at gridrec's frequencies 0, 1/grid, ..., in its scale (2 |f|)."""
    frequency = np.arange(grid // 2) / grid
    if settings.filter == "none":
        return np.full(grid // 2, 2.0, np.float32)
    shape = window(settings.filter, frequency, settings.cutoff, settings.order)
    return (2.0 * frequency * shape).astype(np.float32)


def shift_columns(sinogram: Float32Array, shift_px: NDArray[np.float64]) -> Float32Array:
    """Shift each projection to the left by a fraction of a column, in Fourier space.

    Parameters
    ----------
    sinogram
        Shape (angle, column).
    shift_px
        Shape (angle,); the result at column j is the projection at ``j + shift_px``.
    """
    n_columns = sinogram.shape[1]
    length = int(scipy.fft.next_fast_len(n_columns + n_columns // 4 + 8, real=True))
    # From the last value back to the first along a line: no step, hence no ringing.
    way = np.linspace(0.0, 1.0, length - n_columns + 2)[1:-1]
    tail = sinogram[:, -1:] * (1.0 - way) + sinogram[:, :1] * way
    spectrum = scipy.fft.rfft(np.concatenate([sinogram, tail.astype(np.float32)], axis=1), axis=1)
    turn = 2j * np.pi * scipy.fft.rfftfreq(length)
    spectrum *= np.exp(turn * shift_px[:, np.newaxis]).astype(np.complex64)
    shifted: Float32Array = scipy.fft.irfft(spectrum, length, axis=1)[:, :n_columns]
    return shifted
