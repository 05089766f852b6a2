"""What a run would need, beside what there is."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from alsct_gui.files.recipes import load_recipe, preset_names
from alsct_gui.files.space import volume_bytes
from alsct_gui.model.errors import EngineUnavailableError, RecipeError, ResourceError
from alsct_gui.model.progress import CancelToken
from alsct_gui.model.recipe import Recipe
from alsct_gui.recon.desk.answers import (
    EngineRow,
    Engines,
    PlanView,
    PresetRow,
    Presets,
)
from alsct_gui.recon.desk.shelf import OpenScan
from alsct_gui.recon.desk.stages import Slicer
from alsct_gui.recon.engines.base import Capabilities
from alsct_gui.recon.engines.registry import list_engines
from alsct_gui.recon.estimate import estimate_job_s


def available_memory_bytes() -> int:
    """Memory that can be had without paging, by the kernel's own estimate; 0 when unknown."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 0
    row = next((line for line in lines if line.startswith("MemAvailable:")), "")
    return int(row.split()[1]) * 1024 if row else 0


def free_disk_bytes(path: Path) -> int:
    """Free space of the disk that will hold a path, which need not exist yet."""
    place = path.absolute()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free


def plan_view(
    slicer: Slicer, opened: OpenScan, recipe: Recipe, output: Path, cancel: CancelToken
) -> PlanView:
    """Plan a run and say whether it will fit; nothing is written."""
    view = PlanView(
        slices=0, size_px=0, memory_bytes=0, memory_available_bytes=available_memory_bytes(),
        output_bytes=0, scratch_bytes=0, disk_free_bytes=free_disk_bytes(output),
        seconds_estimate=None, engine=recipe.engine.name, slow_engine=False,
        center_px=recipe.center.center_px or 0.0, refusal="", findings=opened.scan.warnings,
    )  # fmt: skip
    wanted = recipe.output
    if wanted.dtype != "float32" and wanted.value_range is None:
        wanted = replace(wanted, value_range=(0.0, 1.0))  # sizes do not depend on the range
    try:
        job = slicer.job(opened, recipe, cancel, output=wanted)
    except (ResourceError, RecipeError, EngineUnavailableError) as error:
        return replace(view, refusal=error.sentence)
    plan = job.plan
    shape = (plan.n_slices, plan.size_px, plan.size_px)
    pyramid = wanted.format == "ome-zarr"
    view = replace(
        view, slices=plan.n_slices, size_px=plan.size_px, memory_bytes=plan.memory_bytes,
        output_bytes=volume_bytes(shape, wanted.dtype, pyramid=pyramid),
        scratch_bytes=plan.scratch_bytes, seconds_estimate=estimate_job_s(job),
        slow_engine=is_slow(job.engine.capabilities()),
        center_px=job.resolved.center.center_px, findings=job.findings,
    )  # fmt: skip
    return replace(view, refusal=refusal(view))


def refusal(view: PlanView) -> str:
    """Why a run will not fit, a sentence; empty when it will."""
    on_disk = view.output_bytes + view.scratch_bytes
    if on_disk > view.disk_free_bytes:
        return (
            f"It needs {on_disk / 1e9:.1f} GB of disk space, {view.disk_free_bytes / 1e9:.1f} GB "
            "are free. Free space, choose another folder, or store uint16 or uint8."
        )
    if 0 < view.memory_available_bytes < view.memory_bytes:
        return (
            f"It needs {view.memory_bytes / 1e9:.1f} GB of memory, "
            f"{view.memory_available_bytes / 1e9:.1f} GB are free. Close other programs, bin, or "
            "take a smaller region."
        )
    return ""


def is_slow(capabilities: Capabilities) -> bool:
    """Whether an engine takes seconds a slice rather than milliseconds."""
    return capabilities.iterative or capabilities.own_process


def engine_rows() -> Engines:
    """All engines, and whether they can run here."""
    return Engines(
        tuple(
            EngineRow(
                can.name, can.title, can.algorithms, can.filters, state.ok, state.version,
                state.reason, state.fix, is_slow(can), can.quantitative, can.device, can.note,
            )
            for can, state in list_engines()
        )
    )  # fmt: skip


def preset_rows() -> Presets:
    """All presets."""
    recipes = [(name, load_recipe(name)) for name in preset_names()]
    return Presets(tuple(PresetRow(name, recipe.description, recipe) for name, recipe in recipes))
