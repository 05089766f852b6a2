"""A server for tests: ``python -m tests.remote.answering``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from alsct_gui.model.errors import RecipeError
from alsct_gui.model.progress import Progress
from alsct_gui.remote.server import Arrays, Call, Facts, Server, serve

_servers: list[Server] = []
_gate = threading.Event()


def echo(arguments: dict[str, Any], call: Call) -> tuple[Facts, Arrays]:
    sys.stdout.write("a stray word\n")
    os.write(1, b"another\n")
    return {"given": arguments, "pid": os.getpid()}, {}


def arrays(arguments: dict[str, Any], call: Call) -> tuple[Facts, Arrays]:
    rng = np.random.default_rng(arguments["seed"])
    return {}, {
        "large": rng.integers(0, 2**32, (int(arguments["mega"]), 1 << 18), dtype=np.uint32),
        "turned": np.arange(12, dtype=np.float32).reshape(3, 4).T,
        "empty": np.zeros((0, 5), np.uint16),
        "one": np.array(np.nan),
    }


def steps(arguments: dict[str, Any], call: Call) -> tuple[Facts, Arrays]:
    for done in range(1, 4):
        call.progress(Progress("steps", done, 3, 0.5 * done, None))
        call.partial({"step": done}, {"x": np.full(done, done)})
    return {"steps": 3}, {}


def until_cancelled(arguments: dict[str, Any], call: Call) -> tuple[Facts, Arrays]:
    call.partial({"begun": True})
    while not call.cancel.cancelled:
        time.sleep(0.002)
    if "trace" in arguments:
        with Path(arguments["trace"]).open("a") as file:
            file.write(f"{call.id}\n")
    call.cancel.check()
    raise AssertionError("not reached")


def fail(arguments: dict[str, Any], call: Call) -> tuple[Facts, Arrays]:
    if arguments["how"] == "recipe":
        raise RecipeError("is too small", where="recipe.x", fix="Take more", name="small")
    raise ZeroDivisionError("no such thing")


def wait_at_gate(arguments: dict[str, Any], call: Call) -> tuple[Facts, Arrays]:
    call.partial({"waits": True})
    _gate.wait()
    return {}, {}


def open_gate(arguments: dict[str, Any], call: Call) -> tuple[Facts, Arrays]:
    _gate.set()
    return {}, {}


def die(arguments: dict[str, Any], call: Call) -> tuple[Facts, Arrays]:
    sys.stderr.write("last words\n")
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("not reached")


def leave(arguments: dict[str, Any], call: Call) -> tuple[Facts, Arrays]:
    os._exit(int(arguments["code"]))


def garbage(arguments: dict[str, Any], call: Call) -> tuple[Facts, Arrays]:
    os.write(_servers[0]._out.fileno(), b"x" * 4096)
    return {}, {}


def hold(arguments: dict[str, Any], call: Call) -> tuple[Facts, Arrays]:
    """Hold the interpreter's lock, as a library in C does that loops."""
    import re

    re.match(r"(a+)+$", "a" * 60 + "b")
    raise AssertionError("not reached")


def event(arguments: dict[str, Any], call: Call) -> tuple[Facts, Arrays]:
    _servers[0].emit({"said": arguments["word"]}, {"x": np.arange(3)})
    return {}, {}


def child(arguments: dict[str, Any], call: Call) -> tuple[Facts, Arrays]:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    return {"pid": other.pid}, {}


def unsendable(arguments: dict[str, Any], call: Call) -> tuple[Facts, Arrays]:
    return {"x": object()}, {}


def main() -> None:
    closed = Path(sys.argv[1]) if len(sys.argv) > 1 else None

    def on_close() -> None:
        if closed is not None:
            closed.write_text("closed")

    kinds = (
        echo, arrays, steps, until_cancelled, fail, wait_at_gate, open_gate, die, leave,
        garbage, hold, event, child, unsendable,
    )  # fmt: skip
    serve({kind.__name__: kind for kind in kinds}, on_start=_servers.append, on_close=on_close)


if __name__ == "__main__":
    main()
