"""`alsct center`: where the rotation axis is, by every method."""

from __future__ import annotations

from dataclasses import replace

from alsct_gui.cli.console import JsonFlag, emit_json, finding_rows, out, show_findings, show_table
from alsct_gui.cli.options import (
    Assignments,
    QuantityOption,
    RangeOption,
    RecipeName,
    ScanPath,
    SinogramFlag,
    ThreadsOption,
    build_recipe,
    thread_count,
)
from alsct_gui.files.checked import opened


def center(
    path: ScanPath,
    recipe: RecipeName = "standard-8.3.2",
    settings: Assignments = None,
    threads: ThreadsOption = 0,
    range_deg: RangeOption = None,
    quantity: QuantityOption = None,
    sinogram: SinogramFlag = False,
    json: JsonFlag = False,
) -> None:
    """Find the rotation axis by every method, and tell how far they agree."""
    from alsct_gui.recon.resolve import resolve

    wanted = build_recipe(recipe, settings)
    with opened(path, range_deg, quantity, sinogram) as scan:
        if wanted.center.method == "manual":
            wanted = replace(wanted, center=replace(wanted.center, method="auto"))
        found = resolve(scan, wanted, threads=thread_count(threads))
    result = found.center
    if json:
        emit_json(
            {
                "path": path,
                "center_px": result.center_px,
                "confidence": result.confidence,
                "disagreement_px": result.disagreement_px,
                "rotation": found.recipe.rotation.kind,
                "estimates": [
                    {"method": e.method, "center_px": e.center_px, "confidence": e.confidence}
                    for e in result.estimates
                ],
                "findings": finding_rows(found.findings),
            }
        )
        return
    out.print(
        f"rotation axis at column {result.center_px:.2f} of {scan.projections.shape[2]}, "
        f"confidence {result.confidence:.2f}, {found.recipe.rotation.kind} degrees"
    )
    show_table(
        ("method", "column", "confidence"),
        ((e.method, f"{e.center_px:.2f}", round(e.confidence, 2)) for e in result.estimates),
    )
    show_findings(found.findings)
