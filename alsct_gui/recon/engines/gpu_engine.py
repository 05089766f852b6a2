"""Filtered backprojection on a GPU, through torch.

Each pixel takes, for each angle, the filtered projection at the column where that angle
sees it, interpolated between fine columns. The same code runs on torch's CPU device, which
the tests use; an engine for people it is on a GPU alone, where it is fast.
"""

from __future__ import annotations

import importlib.util
from types import ModuleType
from typing import Any

import numpy as np

from alsct_gui.model.errors import EngineUnavailableError
from alsct_gui.model.recipe import EngineSettings
from alsct_gui.recon.engines.arguments import (
    center_runs,
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
from alsct_gui.recon.engines.filtering import FilterPlan, plan_filter
from alsct_gui.recon.engines.filters import FILTERS
from alsct_gui.recon.engines.weights import angle_weights

_UPSAMPLE = 2
_MODULE = "torch"
_SHARE = 0.6  # of the device's free memory that a batch may take
_FILTER_BYTES = 1 << 28  # of work space for filtering some angles at once


class GpuEngine:
    """Reconstruct on a CUDA device.

    Parameters
    ----------
    device
        torch's name of the device; ``cpu`` serves tests.
    """

    def __init__(self, device: str = "cuda") -> None:
        self._device = device

    def capabilities(self) -> Capabilities:
        """See `Engine.capabilities`."""
        return Capabilities(
            name="gpu",
            title="Filtered backprojection on a GPU (torch)",
            algorithms=("fbp",),
            filters=FILTERS,
            device="gpu",
        )

    def check(self) -> Availability:
        """See `Engine.check`."""
        if importlib.util.find_spec(_MODULE) is None:
            return Availability(
                ok=False, reason="torch is not installed.", fix="pip install 'alsct-gui[gpu]'."
            )
        try:
            torch = _torch()
        except EngineUnavailableError as error:
            return unavailable(error)
        if self._device != "cpu" and not torch.cuda.is_available():
            built = getattr(torch.version, "cuda", None)
            return Availability(
                ok=False,
                version=str(torch.__version__),
                reason="torch finds no CUDA device."
                if built
                else "torch is installed, but a build for CPUs only.",
                fix="Check the NVIDIA driver with nvidia-smi, or take the engine fourier."
                if built
                else "Install a torch that is built for CUDA, or take the engine fourier.",
            )
        name = "cpu" if self._device == "cpu" else torch.cuda.get_device_name(self._device)
        return Availability(ok=True, version=str(torch.__version__), details={"device": name})

    def memory_needed(
        self, geometry: SliceGeometry, n_slices: int, settings: EngineSettings
    ) -> int:
        """See `Engine.memory_needed`; of the device, if all slices go in one batch."""
        plan = plan_filter(geometry, settings, _UPSAMPLE)
        return _FILTER_BYTES + _fixed_bytes(geometry) + n_slices * _slice_bytes(geometry, plan)

    def reconstruct(
        self,
        sinograms: Float32Array,
        geometry: SliceGeometry,
        settings: EngineSettings,
        *,
        out: Float32Array | None = None,
        threads: int = 1,
    ) -> Float32Array:
        """See `Engine.reconstruct`; in batches that fit the device's free memory.

        Raises
        ------
        EngineUnavailableError
            torch cannot be imported.
        """
        choose_algorithm(settings, self.capabilities())
        check_shapes(sinograms, geometry)
        out = prepare_output(out, len(sinograms), geometry)
        torch = _torch()
        plan = plan_filter(geometry, settings, _UPSAMPLE)
        centers = geometry.centers(len(sinograms))
        batch = _batch_size(torch, self._device, geometry, plan)
        with torch.inference_mode():
            # Slices of one batch share a centre, hence the columns that a pixel is seen in.
            for start, stop in center_runs(centers, batch):
                fine = _filter(torch, self._device, sinograms[start:stop], geometry, plan)
                slices = _backproject(torch, fine, geometry, plan, float(centers[start]))
                out[start:stop] = slices.cpu().numpy()
        return out


def _torch() -> ModuleType:
    try:
        import torch
    except Exception as error:
        raise EngineUnavailableError(
            f"torch is installed but cannot be imported: {type(error).__name__}: {error}",
            where="engine 'gpu'", fix="pip install 'alsct-gui[gpu]', or take the engine fourier",
        ) from error  # fmt: skip
    return torch


def _slice_bytes(geometry: SliceGeometry, plan: FilterPlan) -> int:
    """Memory that a slice needs: raw and fine projections, the slice and two more like it."""
    per_angle = geometry.n_columns + plan.fine_columns
    return 4 * (geometry.angles_deg.size * per_angle + 3 * geometry.size**2)


def _fixed_bytes(geometry: SliceGeometry) -> int:
    """Memory for the columns that the pixels of a slice are seen in."""
    return 4 * 4 * geometry.size**2


def _batch_size(torch: ModuleType, device: str, geometry: SliceGeometry, plan: FilterPlan) -> int:
    if device == "cpu":
        return 4
    free, _ = torch.cuda.mem_get_info(device)
    room = _SHARE * free - _FILTER_BYTES - _fixed_bytes(geometry)
    return max(1, int(room // _slice_bytes(geometry, plan)))


def _filter(
    torch: ModuleType,
    device: str,
    sinograms: Float32Array,
    geometry: SliceGeometry,
    plan: FilterPlan,
) -> Any:
    """Filtered, weighted projections on the device, shape (angle, slice, fine column)."""
    n_slices, n_angles, _ = sinograms.shape
    response = torch.from_numpy(plan.response).to(device)
    weights = torch.from_numpy(angle_weights(geometry.angles_deg).astype(np.float32)).to(device)
    fine = torch.empty((n_angles, n_slices, plan.fine_columns), device=device)
    step = max(1, _FILTER_BYTES // (4 * n_slices * plan.length * (2 + 2 * plan.upsample)))
    for start in range(0, n_angles, step):
        part = slice(start, min(start + step, n_angles))
        raw = sinograms[:, part].transpose(1, 0, 2).copy()
        rows = torch.from_numpy(raw).to(device)
        if plan.edge:
            rows = torch.nn.functional.pad(rows, (plan.pad, plan.pad), mode="replicate")
        spectrum = torch.fft.rfft(rows, plan.length) * response
        long = torch.fft.irfft(spectrum, plan.length * plan.upsample)
        fine[part] = long[..., : plan.fine_columns] * weights[part, None, None]
    return fine


def _backproject(
    torch: ModuleType, fine: Any, geometry: SliceGeometry, plan: FilterPlan, center_px: float
) -> Any:
    """Sum over angles of what each pixel is seen as, shape (slice, y, x)."""
    size, device = geometry.size, fine.device
    axis = torch.arange(size, device=device, dtype=torch.float32) - (size - 1) / 2
    x, y = axis[None, :], -axis[:, None]  # row 0 is the top
    # grid_sample wants columns as -1 (centre of the first) to 1 (centre of the last).
    scale = 2.0 / (plan.fine_columns - 1)
    origin = plan.fine_center(center_px) * scale - 1.0
    grid = torch.zeros((1, size, size, 2), device=device)
    slices = torch.zeros((1, fine.shape[1], size, size), device=device)
    for row, angle in zip(fine, np.deg2rad(geometry.angles_deg), strict=True):
        step = plan.upsample * scale
        grid[0, :, :, 0] = x * (np.cos(angle) * step) + (y * (np.sin(angle) * step) + origin)
        slices += torch.nn.functional.grid_sample(
            row[None, :, None, :], grid, mode="bilinear", padding_mode="zeros", align_corners=True
        )
    return slices[0]
