"""`alsct info`: what a scan or a volume is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alsct_gui.cli.console import JsonFlag, emit_json, finding_rows, out, show_findings
from alsct_gui.cli.options import (
    QuantityOption,
    RangeOption,
    SinogramFlag,
)
from alsct_gui.files.checked import opened
from alsct_gui.files.provenance import made_by_step, made_from_plain
from alsct_gui.model.product import StepProvenance

if TYPE_CHECKING:
    from alsct_gui.model.scan import Scan
    from alsct_gui.model.volume import Volume


def info(
    path: Annotated[Path, typer.Argument(help="A scan or a reconstructed volume.")],
    everything: Annotated[
        bool, typer.Option("--all", "-a", help="Also every metadata key of the file.")
    ] = False,
    range_deg: RangeOption = None,
    quantity: QuantityOption = None,
    sinogram: SinogramFlag = False,
    json: JsonFlag = False,
) -> None:
    """Show what a scan or a volume is: sizes, angles, who and what, warnings."""
    from alsct_gui.files.open import is_volume, open_volume

    if is_volume(path):
        with open_volume(path) as volume:
            _show_volume(volume, as_json=json)
        return
    with opened(path, range_deg, quantity, sinogram) as scan:
        facts = scan_facts(scan, everything=everything or json)
        if json:
            emit_json(facts)
            return
        _show_scan(scan, everything=everything)


def scan_facts(scan: Scan, *, everything: bool) -> dict[str, Any]:
    """A scan's facts as plain data."""
    geometry = scan.geometry
    facts: dict[str, Any] = {
        "path": scan.path,
        "layout": scan.layout,
        "quantity": scan.quantity,
        "shape": list(scan.projections.shape),
        "axes": ["angle", "row", "column"],
        "dtype": str(scan.projections.dtype),
        "flats": scan.flats.shape[0] if scan.flats else 0,
        "darks": scan.darks.shape[0] if scan.darks else 0,
        "flat_groups": [
            {"first": g.first, "count": g.count, "at_projection": g.at_projection}
            for g in scan.flat_groups
        ],
        "geometry": {
            "first_angle_deg": float(geometry.angles_deg[0]) if geometry.n_angles else None,
            "last_angle_deg": float(geometry.angles_deg[-1]) if geometry.n_angles else None,
            "range_deg": geometry.range_deg,
            "pixel_size_um": geometry.pixel_size_um,
            "distance_mm": geometry.distance_mm,
            "energy_kev": geometry.energy_kev,
            "white_beam": geometry.white_beam,
            "tilt_deg": geometry.tilt_deg,
        },
        "people": {name: getattr(scan.people, name) for name in scan.people.__slots__},
        "per_frame": {
            key: {"first": float(v[0]), "last": float(v[-1]), "count": int(v.size)}
            for key, v in scan.per_frame.items()
            if v.size
        },
        "warnings": finding_rows(scan.warnings),
    }
    if everything:
        facts["metadata"] = dict(scan.metadata)
    return facts


def _show_scan(scan: Scan, *, everything: bool) -> None:
    geometry, people = scan.geometry, scan.people
    n_angles, n_rows, n_columns = scan.projections.shape
    raw_gb = n_angles * n_rows * n_columns * scan.projections.dtype.itemsize / 1e9
    rows = [
        ("layout", scan.layout),
        (
            "projections",
            f"{n_angles} of {n_rows} rows x {n_columns} columns, "
            f"{scan.projections.dtype}, {raw_gb:.3g} GB",
        ),
        (
            "flats, darks",
            f"{scan.flats.shape[0] if scan.flats else 0} in {len(scan.flat_groups)} groups, "
            f"{scan.darks.shape[0] if scan.darks else 0}",
        ),
        ("turn", f"{geometry.range_deg:.6g} deg"),
        ("pixel", _unit(geometry.pixel_size_um, "um")),
        ("distance", _unit(geometry.distance_mm, "mm")),
        ("energy", _unit(geometry.energy_kev, "keV") + (", white beam" * geometry.white_beam)),
        ("sample", people.sample),
        ("proposal", people.proposal),
        ("people", ", ".join(filter(None, (people.experimenter, people.principal_investigator)))),
        ("started", people.start_time),
    ]
    out.print(str(scan.path), style="bold", markup=False)
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        out.print(f"  {name:<{width}}  {value or 'not recorded'}", markup=False)
    show_findings(scan.warnings)
    if everything:
        for key, value in scan.metadata.items():
            out.print(f"  {key}  {_short(value)}", markup=False)


def _show_volume(volume: Volume, *, as_json: bool) -> None:
    provenance = volume.provenance or {}
    if as_json:
        emit_json(
            {
                "path": volume.path,
                "layout": volume.layout,
                "shape": list(volume.levels[0].shape),
                "axes": ["slice", "y", "x"],
                "dtype": str(volume.levels[0].dtype),
                "voxel_um": volume.voxel_um,
                "units": volume.units,
                "provenance": provenance,
            }
        )
        return
    out.print(str(volume.path), style="bold", markup=False)
    n_slices, n_y, n_x = volume.levels[0].shape
    out.print(
        f"  volume    {n_slices} slices of {n_y} x {n_x}, {volume.levels[0].dtype}, {volume.layout}"
    )
    voxel = " x ".join(f"{edge:.4g}" for edge in volume.voxel_um) if volume.voxel_um else ""
    out.print(f"  voxel     {voxel + ' um' if voxel else 'not recorded'}")
    out.print(f"  values    {volume.units or 'unit not recorded'}", markup=False)
    if made_by_step(provenance):
        for word, text in step_rows(provenance):
            out.print(f"  {word:<9} {text}", markup=False)
    elif provenance:
        out.print(f"  made from {provenance.get('input_path', 'unknown')}", markup=False)
        out.print(f"  engine    {provenance.get('engine', 'unknown')}", markup=False)


def step_rows(provenance: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a step's product tells of its making, down the whole chain: word and text."""
    rows = []
    told: Any = provenance
    while made_by_step(told):
        made = made_from_plain(told)
        if not isinstance(made, StepProvenance):
            break
        settings = ", ".join(f"{name} {value}" for name, value in made.parameters.items())
        rows.append(("step", f"{made.step} ({settings})" if settings else made.step))
        rows += [("made from", mark.path) for mark in made.inputs]
        told = made.inputs[0].made if made.inputs else {}
    if told:
        rows.append(("made from", str(told.get("input_path", "unknown"))))
        rows.append(("engine", str(told.get("engine", "unknown"))))
    return rows


def _unit(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.6g} {unit}"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 100 else text[:97] + "…"
