"""A reader that hangs or dies on files of certain names, as a damaged file makes HDF5 do."""

import ctypes
import os
import signal
import threading
from typing import Any

from alsct_gui.beamline import eye
from alsct_gui.remote.server import Call, serve


def look(arguments: dict[str, Any], call: Call) -> Any:
    if "crash" in arguments["path"]:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "hang" in arguments["path"]:
        ctypes.PyDLL(None).pause()  # keeps the interpreter's lock, as HDF5 does
    if "wait" in arguments["path"]:
        threading.Event().wait()
    return eye._look(arguments, call)


if __name__ == "__main__":
    serve({"look": look})
