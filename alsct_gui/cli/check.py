"""`alsct check`: is the file whole?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from alsct_gui.cli.console import JsonFlag, emit_json, finding_rows, out, show_findings
from alsct_gui.model.finding import Severity

CHECK_FAILED = 8
"""Exit code when a scan has a finding of severity error."""


def check(
    path: Annotated[Path, typer.Argument(help="Scan to check.")],
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Read every frame, not a sample.")
    ] = False,
    json: JsonFlag = False,
) -> int:
    """Check whether a scan is whole; each finding says what it means and what to do."""
    from alsct_gui.files.check import check_scan

    findings = check_scan(path, thorough=thorough)
    ok = not any(item.severity is Severity.ERROR for item in findings)
    if json:
        emit_json({"path": path, "ok": ok, "findings": finding_rows(findings)})
    else:
        show_findings(findings)
        if ok:
            count = sum(item.severity is Severity.WARNING for item in findings)
            note = f", {count} warning{'s' * (count != 1)}" if count else ""
            out.print(f"{path}: whole{note}", markup=False)
        else:
            out.print(f"{path}: not fit for reconstruction", style="red", markup=False)
    return 0 if ok else CHECK_FAILED
