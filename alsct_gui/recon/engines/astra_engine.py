"""The ASTRA toolbox: filtered backprojection, SIRT and CGLS, on a GPU when there is one.

ASTRA is under the GPL 3: it is an optional extra, and no other module imports it. The
geometry is given as vectors (ASTRA's ``parallel_vec``), whose ray and detector axes are
those of `alsct_gui.model.geometry`, with the rotation axis where it is; nothing is shifted
or interpolated. ASTRA's own filtered backprojection does not take vectors, so projections
are filtered here, with the windows and weights of every other engine, and ASTRA
backprojects.
"""

from __future__ import annotations

import importlib.util
import re
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import numpy as np
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
from alsct_gui.recon.engines.filtering import FilterPlan, filter_projections, plan_filter
from alsct_gui.recon.engines.filters import FILTERS
from alsct_gui.recon.engines.weights import angle_weights

_UPSAMPLE = 2
_MODULE = "astra"
_INSTALL = (
    "pip install 'alsct-gui[astra]', or conda install -c astra-toolbox -c nvidia astra-toolbox"
)
_CUDA_WHEELS = "nvidia-cuda-runtime-cu12 nvidia-cufft-cu12"


class AstraEngine:
    """Reconstruct by the ASTRA toolbox."""

    def capabilities(self) -> Capabilities:
        """See `Engine.capabilities`."""
        return Capabilities(
            name="astra",
            title="ASTRA toolbox: filtered backprojection, SIRT, CGLS",
            algorithms=("fbp", "sirt", "cgls"),
            filters=FILTERS,
            iterative=True,
            device="cpu",
            note=(
                "Takes a GPU by itself when ASTRA finds one. On CPUs a full-size slice takes "
                "a minute (fbp) to hours (sirt, cgls). ASTRA is under the GPL 3."
            ),
        )

    def check(self) -> Availability:
        """See `Engine.check`."""
        if importlib.util.find_spec(_MODULE) is None:
            return Availability(
                ok=False, reason="The ASTRA toolbox is not installed.", fix=f"{_INSTALL}."
            )
        try:
            astra = _astra()
        except EngineUnavailableError as error:
            return unavailable(error)
        device = "gpu" if _has_gpu(astra) else "cpu"
        return Availability(ok=True, version=str(astra.__version__), details={"device": device})

    def memory_needed(
        self, geometry: SliceGeometry, n_slices: int, settings: EngineSettings
    ) -> int:
        """See `Engine.memory_needed`; ASTRA works on one slice per thread at a time."""
        plan = plan_filter(geometry, settings, _UPSAMPLE)
        # Padded and transformed projections, the fine ones, and for SIRT and CGLS three
        # images and three sinograms of work space.
        per_angle = 4 * (plan.columns + 2 * plan.length + 2 * plan.length * plan.upsample)
        return n_slices * (geometry.angles_deg.size * per_angle + 3 * 4 * geometry.size**2)

    def reconstruct(
        self,
        sinograms: Float32Array,
        geometry: SliceGeometry,
        settings: EngineSettings,
        *,
        out: Float32Array | None = None,
        threads: int = 1,
    ) -> Float32Array:
        """See `Engine.reconstruct`; the threads share the slices.

        Raises
        ------
        EngineUnavailableError
            ASTRA cannot be imported.
        """
        algorithm = choose_algorithm(settings, self.capabilities())
        check_shapes(sinograms, geometry)
        out = prepare_output(out, len(sinograms), geometry)
        astra = _astra()
        gpu = _has_gpu(astra)
        centers = geometry.centers(len(sinograms))
        plan = plan_filter(geometry, settings, _UPSAMPLE)
        weights = angle_weights(geometry.angles_deg).astype(np.float32)

        def one(index: int) -> None:
            sinogram, center = np.ascontiguousarray(sinograms[index]), float(centers[index])
            if algorithm == "fbp":
                fine = filter_projections(sinogram, plan)
                fine *= weights[:, np.newaxis]
                out[index] = _backproject(astra, fine, geometry, plan, center, gpu=gpu)
            else:
                out[index] = _iterate(
                    astra, algorithm, sinogram, geometry, center, settings.iterations, gpu=gpu
                )

        with ThreadPoolExecutor(1 if gpu else max(1, threads), "alsct-astra") as pool:
            for _ in pool.map(one, range(len(sinograms))):
                pass
        return out


def _astra() -> ModuleType:
    """Import ASTRA; a missing CUDA library is named."""
    try:
        import astra
    except Exception as error:
        library = re.search(r"lib[\w+-]+\.so[.\d]*", str(error))
        if library is not None:
            raise EngineUnavailableError(
                f"ASTRA is installed but cannot be imported: the library {library.group()} is "
                "missing (its wheel needs the CUDA runtime even to work on CPUs)",
                where="engine 'astra'",
                fix=f"pip install {_CUDA_WHEELS} (no GPU is needed for it), or conda install "
                "-c astra-toolbox -c nvidia astra-toolbox",
            ) from error
        raise EngineUnavailableError(
            f"ASTRA cannot be imported: {type(error).__name__}: {error}",
            where="engine 'astra'", fix=_INSTALL,
        ) from error  # fmt: skip
    return astra


def _has_gpu(astra: ModuleType) -> bool:
    """Whether ASTRA is built for CUDA and finds a device."""
    return bool(astra.use_cuda())


def _vectors(
    angles_deg: NDArray[np.float64], n_columns: int, center_px: float, spacing: float
) -> NDArray[np.float64]:
    """ASTRA's rows (ray, detector centre, detector axis); the rotation axis is the origin."""
    a = np.deg2rad(angles_deg)
    cos, sin = np.cos(a), np.sin(a)
    middle = ((n_columns - 1) / 2 - center_px) * spacing
    return np.stack([sin, -cos, middle * cos, middle * sin, spacing * cos, spacing * sin], axis=1)


def _run(
    astra: ModuleType,
    algorithm: str,
    sinogram: Float32Array,
    vectors: NDArray[np.float64],
    size: int,
    iterations: int,
    *,
    gpu: bool,
) -> Float32Array:
    """Run one of ASTRA's algorithms on one slice and free what it made."""
    slice_ = np.zeros((size, size), np.float32)
    projections = astra.create_proj_geom("parallel_vec", sinogram.shape[1], vectors)
    volume = astra.create_vol_geom(size, size)
    projector = astra.create_projector("cuda" if gpu else "linear", projections, volume)
    data = astra.data2d.link("-sino", projections, sinogram)
    image = astra.data2d.link("-vol", volume, slice_)
    config: dict[str, Any] = astra.astra_dict(algorithm + ("_CUDA" if gpu else ""))
    config |= {"ProjectorId": projector, "ProjectionDataId": data, "ReconstructionDataId": image}
    runner = astra.algorithm.create(config)
    try:
        astra.algorithm.run(runner, iterations)
    finally:
        astra.algorithm.delete(runner)
        astra.data2d.delete([data, image])
        astra.projector.delete(projector)
    return slice_


def _backproject(
    astra: ModuleType,
    fine: Float32Array,
    geometry: SliceGeometry,
    plan: FilterPlan,
    center_px: float,
    *,
    gpu: bool,
) -> Float32Array:
    """Sum over angles of the filtered projections at each pixel."""
    spacing = 1.0 / plan.upsample
    vectors = _vectors(geometry.angles_deg, plan.fine_columns, plan.fine_center(center_px), spacing)
    slice_ = _run(astra, "BP", fine, vectors, geometry.size, 1, gpu=gpu)
    slice_ /= _gain(astra, spacing, gpu=gpu)
    return slice_


def _gain(astra: ModuleType, spacing: float, *, gpu: bool) -> float:
    """What ASTRA gives a pixel for one projection of ones; an interpolation would give 1.

    ASTRA's backprojectors are transposes of its projectors, up to a factor that differs
    between devices and versions; so it is measured, on a small slice.
    """
    size = 16
    angles = np.linspace(0.0, 180.0, 32, endpoint=False)
    ones = np.ones((angles.size, 8 * size), np.float32)
    vectors = _vectors(angles, ones.shape[1], (ones.shape[1] - 1) / 2, spacing)
    slice_ = _run(astra, "BP", ones, vectors, size, 1, gpu=gpu)
    return float(slice_.mean()) / angles.size


def _iterate(
    astra: ModuleType,
    algorithm: str,
    sinogram: Float32Array,
    geometry: SliceGeometry,
    center_px: float,
    iterations: int,
    *,
    gpu: bool,
) -> Float32Array:
    vectors = _vectors(geometry.angles_deg, geometry.n_columns, center_px, 1.0)
    return _run(astra, algorithm.upper(), sinogram, vectors, geometry.size, iterations, gpu=gpu)
