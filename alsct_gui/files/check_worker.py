"""The process in which `check_scan` looks at a file: prints a dot per frame, then JSON."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from alsct_gui.files.check import inspect_scan


def main(arguments: list[str]) -> None:
    """Check ``arguments[0]``; thoroughly when ``arguments[1]`` is ``thorough``."""

    def beat() -> None:
        os.write(1, b".")

    findings = inspect_scan(Path(arguments[0]), thorough=arguments[1] == "thorough", beat=beat)
    text = json.dumps([asdict(item) for item in findings])
    sys.stdout.write(f"\n{text}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
