"""Filling in what a recipe leaves open: the turn, the rotation centre, the axis' neighbours.

`resolve` looks at a few rows of a scan and returns a recipe with nothing left to find about
its geometry: run again, on the same scan, it gives the same slices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.center import CenterEstimate, CenterResult
from alsct_gui.model.errors import RecipeError
from alsct_gui.model.finding import Finding
from alsct_gui.model.geometry import Window
from alsct_gui.model.progress import CancelToken
from alsct_gui.model.recipe import EngineSettings, Recipe, RingFilter
from alsct_gui.model.scan import Scan
from alsct_gui.recon.center.find import CenterInput, FoundCenter, find_center
from alsct_gui.recon.center.image_metric import Reconstruct
from alsct_gui.recon.center.phase_correlation import OppositeViews, choose_pairs
from alsct_gui.recon.center.turns import is_full_turn, range_deg
from alsct_gui.recon.engines.base import Engine, SliceGeometry
from alsct_gui.recon.engines.registry import get_engine
from alsct_gui.recon.plan import Extent, resolve_extent
from alsct_gui.recon.preprocess.stitch import StitchPlan, plan_stitch
from alsct_gui.recon.preprocess.tilt import center_after_turning, center_before_turning
from alsct_gui.recon.source import SinogramSource

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

_QUICK_VIEW_ROWS = 128
_VIEW_ROWS = 512  # rows of opposite views that are compared, around the middle


@dataclass(frozen=True, eq=False)
class Resolved:
    """A recipe with its geometry filled in for one scan."""

    recipe: Recipe
    """The centre is manual, the rotation kind is not auto."""
    extent: Extent
    """What is used of the scan."""
    stitching: StitchPlan | None
    """How the half turns of an offset scan are joined; None for other scans."""
    center: CenterResult
    """In full-detector columns, and who said so."""
    detector_columns: int
    """Columns of the full detector."""
    findings: tuple[Finding, ...]
    """About the centre."""

    @property
    def window(self) -> Window:
        """Full-detector columns that a sinogram holds before stitching."""
        return Window(self.extent.columns[0], self.extent.binning)

    @property
    def n_columns(self) -> int:
        """Columns of a sinogram as the engine gets it."""
        return self.extent.n_columns if self.stitching is None else self.stitching.width

    @property
    def turned_center_px(self) -> float:
        """The centre, in full-detector columns, after the tilt has been taken out."""
        return center_after_turning(
            self.center.center_px, self.detector_columns, self.recipe.rotation.tilt_deg
        )

    def geometry(self, angles_deg: Float64Array) -> SliceGeometry:
        """Geometry of the slices; angles as the source gives them."""
        if self.stitching is not None:
            local = self.stitching.new_center
        else:
            local = self.window.to_local(self.turned_center_px)
        return SliceGeometry(angles_deg, self.n_columns, local)


def resolve(
    scan: Scan,
    recipe: Recipe,
    *,
    threads: int = 1,
    quick: bool = False,
    cancel: CancelToken | None = None,
    on_estimate: Callable[[CenterEstimate], None] | None = None,
) -> Resolved:
    """Fill in a recipe's geometry for a scan.

    Parameters
    ----------
    scan
        An open scan.
    recipe
        What is asked for.
    threads
        Threads to use.
    quick
        Find the centre by phase correlation alone where that applies; for previews.
    cancel
        Ends the search between its parts.
    on_estimate
        Called with each method's answer about the centre as soon as there is one.

    Raises
    ------
    RecipeError
        The region lies outside the scan, or the centre cannot be found.
    InputError
        The scan cannot be read.
    """
    token = cancel or CancelToken()
    extent = resolve_extent(recipe.region, scan.projections.shape)
    angles_deg = _angles_deg(scan, recipe, extent)
    found = _center(scan, recipe, extent, threads, quick, token, on_estimate)
    center_px = found.result.center_px
    kind = _rotation_kind(recipe, angles_deg, found)
    recipe = replace(
        recipe,
        center=replace(recipe.center, method="manual", center_px=center_px, search_px=None),
        rotation=replace(recipe.rotation, kind=kind),
    )
    resolved = Resolved(
        recipe, extent, None, found.result, scan.projections.shape[2], found.findings
    )
    if kind != "360-offset":
        return resolved
    local = resolved.window.to_local(resolved.turned_center_px)
    return replace(resolved, stitching=plan_stitch(angles_deg, extent.n_columns, local))


def _rotation_kind(
    recipe: Recipe, angles_deg: Float64Array, found: FoundCenter
) -> Literal["180", "360", "360-offset"]:
    kind = recipe.rotation.kind
    if kind == "auto":
        if not is_full_turn(angles_deg):
            return "180"
        return "360" if found.side is None else "360-offset"
    if kind == "360-offset" and not is_full_turn(angles_deg):
        raise RecipeError(
            f"projections over {range_deg(angles_deg):.1f} degrees are too few to stitch",
            where="recipe.rotation.kind",
            fix="Take 180, or check region.angles and the angles of the scan",
        )
    return kind


def _center(
    scan: Scan,
    recipe: Recipe,
    extent: Extent,
    threads: int,
    quick: bool,
    cancel: CancelToken,
    on_estimate: Callable[[CenterEstimate], None] | None,
) -> FoundCenter:
    """Find the centre on a few rows, without the slow filters of the recipe."""
    angles_deg = _angles_deg(scan, recipe, extent)
    window = Window(extent.columns[0], extent.binning)
    if recipe.center.method == "manual":
        nothing = np.zeros((0, len(angles_deg), extent.n_columns), np.float32)
        return find_center(CenterInput(nothing, angles_deg, window), recipe.center)

    quick = quick and recipe.center.method == "auto" and not is_full_turn(angles_deg)
    plain = replace(
        recipe,
        phase=None,
        zingers=None,
        beam_hardening=None,
        rings=(RingFilter("sorting"),) if recipe.rings and not quick else (),
        rotation=replace(recipe.rotation, kind="180"),
    )
    shares = (0.5,) if quick or extent.n_slices < 3 else (0.25, 0.5, 0.75)
    rows = []
    for share in shares:
        index = min(extent.n_slices - 1, int(extent.n_slices * share))
        source = SinogramSource(
            scan, plain, extent, rows=extent.detector_rows(index), threads=threads
        )
        rows.append(source.sinograms(index, index + 1, cancel)[0])
        cancel.check()
    data = CenterInput(
        np.stack(rows),
        angles_deg,
        window,
        _views(scan, plain, extent, threads, _QUICK_VIEW_ROWS if quick else _VIEW_ROWS),
    )
    cancel.check()
    tilt_deg, n_columns = recipe.rotation.tilt_deg, scan.projections.shape[2]
    settings = replace(recipe.center, method="phase-correlation") if quick else recipe.center
    if settings.center_px is not None:
        start_px = center_after_turning(settings.center_px, n_columns, tilt_deg)
        settings = replace(settings, center_px=start_px)

    def tell(estimate: CenterEstimate) -> None:
        cancel.check()
        if on_estimate is not None:
            taken_px = center_before_turning(estimate.center_px, n_columns, tilt_deg)
            on_estimate(replace(estimate, center_px=taken_px))

    found = find_center(
        data, settings, reconstruct=_trial(get_engine("fourier"), threads), threads=threads,
        on_estimate=tell,
    )  # fmt: skip
    return replace(found, result=_before_turning(found.result, n_columns, tilt_deg))


def _before_turning(result: CenterResult, n_columns: int, tilt_deg: float) -> CenterResult:
    """The same with columns at the middle row of frames as taken."""

    def back(center_px: float) -> float:
        return center_before_turning(center_px, n_columns, tilt_deg)

    return replace(
        result,
        center_px=back(result.center_px),
        estimates=tuple(replace(e, center_px=back(e.center_px)) for e in result.estimates),
    )


def _views(
    scan: Scan, recipe: Recipe, extent: Extent, threads: int, most_rows: int
) -> tuple[OppositeViews, ...]:
    """Opposite projections as line integrals, over rows around the middle."""
    if scan.quantity == "line-integrals" or extent.n_slices < 2:
        return ()  # the rows of the sinograms serve
    middle = (extent.rows[0] + extent.rows[1]) // 2
    half = min(most_rows, extent.rows[1] - extent.rows[0]) // 2
    binned = max(1, 2 * half // extent.binning)
    first = max(extent.rows[0], middle - half)
    rows = (first, min(extent.rows[1], first + binned * extent.binning))
    source = SinogramSource(scan, recipe, extent, rows=rows, threads=threads)

    def line_integrals(projection: int) -> Float32Array:
        return source.frames(slice(projection, projection + 1))[0]

    return tuple(
        OppositeViews(line_integrals(pair.first), line_integrals(pair.second), pair.mismatch_deg)
        for pair in choose_pairs(source.angles_deg)
    )


def _trial(engine: Engine, threads: int) -> Reconstruct:
    def reconstruct(
        sinogram: Float32Array, angles_deg: Float64Array, centers: Float64Array
    ) -> Float32Array:
        batch = np.ascontiguousarray(np.broadcast_to(sinogram, (len(centers), *sinogram.shape)))
        geometry = SliceGeometry(angles_deg, sinogram.shape[1], centers)
        return engine.reconstruct(batch, geometry, EngineSettings(), threads=threads)

    return reconstruct


def _angles_deg(scan: Scan, recipe: Recipe, extent: Extent) -> Float64Array:
    sense = -1.0 if recipe.rotation.reverse else 1.0
    used = slice(extent.angles[0], extent.angles[1], extent.angle_step)
    return sense * scan.geometry.angles_deg[used]
