"""Films as the window asks for them: a process that begins with the first one."""

from __future__ import annotations

from concurrent.futures import Future

from alsct_gui.files.movie import MovieSpec
from alsct_gui.model.codec import to_plain
from alsct_gui.model.progress import ProgressCallback
from alsct_gui.remote.client import Answer, Remote

MODULE = "alsct_gui.recon.movie"
SILENCE_S = 120.0
"""A process that does not finish a frame for so long is taken for hung."""


class MovieMaker:
    """Makes one film at a time, gently: it steps back for reconstructions."""

    def __init__(self) -> None:
        self._remote = Remote(MODULE, name="film", nice=5)

    def make(self, spec: MovieSpec, on_progress: ProgressCallback) -> Future[Answer]:
        """Make a film; cancelling the future ends it and leaves nothing.

        Parameters
        ----------
        spec
            What film.
        on_progress
            Called in the reading thread, once for each frame.
        """
        return self._remote.ask(
            "make", to_plain(spec), on_progress=on_progress, silence_s=SILENCE_S
        )

    def close(self) -> None:
        """End the process."""
        self._remote.close()
