"""The self-test: start, open the simulated scan, reconstruct it, take pictures, end."""

from __future__ import annotations

import sys
from pathlib import Path

from alsct_gui.model.errors import AlsctError
from alsct_gui.ui.gallery import Gallery
from alsct_gui.ui.program import Program


async def selftest(
    program: Program, folder: Path, scan: Path | None = None, *, stay: bool = False
) -> int:
    """Drive the window through its main job.

    Parameters
    ----------
    program
        As it was built; it is closed at the end.
    folder
        Where the pictures go.
    scan
        What to open; None for the simulated scan.
    stay
        Leave the window open when all went well.

    Returns
    -------
    int
        0 when every stop was reached, else the exit code of what went wrong.
    """
    code = 0
    try:
        program.window.show()
        await program.start()
        pictures = await Gallery(program, folder, scan).all()
        sys.stdout.write(f"alsct-gui works; {len(pictures)} pictures in {folder}\n")
        if stay:
            await program.until_closed()
    except AlsctError as error:
        sys.stderr.write(f"alsct-gui: {error.sentence}\n")
        code = error.exit_code
    finally:
        await program.close()
    return code
