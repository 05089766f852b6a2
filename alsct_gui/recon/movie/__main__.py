"""`python -m alsct_gui.recon.movie`: makes films until its stdin closes."""

from __future__ import annotations

from typing import Any

from alsct_gui.files.movie import MovieSpec, write_movie
from alsct_gui.model.codec import from_plain
from alsct_gui.remote.server import Arrays, Call, Facts, serve


def _make(arguments: dict[str, Any], call: Call) -> tuple[Facts, Arrays]:
    spec = from_plain(MovieSpec, arguments, where="film")
    made = write_movie(spec, on_progress=call.progress, cancel=call.cancel)
    return {"path": str(made)}, {}


if __name__ == "__main__":
    serve({"make": _make})
