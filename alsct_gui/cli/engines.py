"""`alsct engines`: which reconstruction engines there are, and which can run here."""

from __future__ import annotations

from alsct_gui.cli.console import JsonFlag, emit_json, out


def engines(json: JsonFlag = False) -> None:
    """List the reconstruction engines, what each can do, and whether it can run here."""
    from alsct_gui.recon.engines.registry import list_engines

    rows = list_engines()
    if json:
        emit_json(
            {
                "engines": [
                    {
                        "name": can.name,
                        "title": can.title,
                        "available": here.ok,
                        "version": here.version,
                        "reason": here.reason,
                        "fix": here.fix,
                        "algorithms": can.algorithms,
                        "filters": can.filters,
                        "iterative": can.iterative,
                        "device": can.device,
                        "quantitative": can.quantitative,
                        "note": can.note,
                    }
                    for can, here in rows
                ]
            }
        )
        return
    for can, here in rows:
        state = f"ready, {here.version}" if here.ok else "not available here"
        out.print(f"{can.name}  ({state})", style="bold" if here.ok else "dim", markup=False)
        out.print(f"    {can.title}", markup=False)
        out.print(f"    algorithms: {', '.join(can.algorithms)}", markup=False)
        if can.filters:
            out.print(f"    filters: {', '.join(can.filters)}", markup=False)
        if can.note:
            out.print(f"    {can.note}", markup=False)
        if not here.ok:
            out.print(f"    {here.reason} {here.fix}".rstrip(), style="yellow", markup=False)
