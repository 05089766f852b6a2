"""The agent's process: ``python -m alsct_gui.wiring.serve LEDGER POLICY PROFILE [RUNS [THREADS]]``.

`alsct agent run` does the same in its own process; a window starts this one, apart from
itself, because it is quicker to start than the whole command line.
"""

from __future__ import annotations

import sys
from pathlib import Path

from alsct_gui.model.errors import AlsctError
from alsct_gui.wiring.agent import serve


def main(arguments: list[str]) -> int:
    """Serve; return the exit code."""
    ledger, policy, profile, *more = arguments
    runs = Path(more[0]) if more and more[0] else None
    try:
        serve(Path(ledger), policy, profile, runs, int(more[1]) if len(more) > 1 else 0)
    except AlsctError as error:
        sys.stderr.write(f"alsct agent: {error.sentence}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
