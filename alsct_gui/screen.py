"""A screen where there is none: Xvfb, for pictures and tests of the real window."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from alsct_gui.model.errors import ResourceError

DEFAULT_SIZE_PX = (1920, 1200)


def has_screen() -> bool:
    """Whether a window could be shown to a person here."""
    if sys.platform != "linux":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@contextmanager
def virtual_screen(size_px: tuple[int, int] = DEFAULT_SIZE_PX) -> Iterator[str]:
    """Run an X server without a screen for as long as the block lasts.

    ``DISPLAY`` names it meanwhile; Mesa draws OpenGL in software. Qt must not have been
    started before.

    Parameters
    ----------
    size_px
        Width and height of the screen.

    Yields
    ------
    str
        The display's name, such as ``:7``.

    Raises
    ------
    ResourceError
        Xvfb is not installed, or does not start.
    """
    program = shutil.which("Xvfb")
    if program is None:
        raise ResourceError(
            "there is no screen, and Xvfb, which stands in for one, is not installed",
            where="screen", fix="Install the package xvfb, or start it on a desktop",
        )  # fmt: skip
    reading, writing = os.pipe()
    command = [
        program, "-displayfd", str(writing), "-screen", "0", f"{size_px[0]}x{size_px[1]}x24",
        "-nolisten", "tcp", "-noreset", "+extension", "GLX",
    ]  # fmt: skip
    server = subprocess.Popen(  # noqa: S603 (a program of the system, arguments of ours)
        command, pass_fds=(writing,), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writing)
    try:
        with os.fdopen(reading) as numbers:
            number = numbers.readline().strip()
        if not number:
            raise ResourceError(
                f"Xvfb ended with code {server.wait()} before it was ready", where="screen"
            )
        display = f":{number}"
        # PyOpenGL takes any WAYLAND_DISPLAY, an empty one too, for a reason to speak EGL.
        with _environment({"DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "WAYLAND_DISPLAY": None}):
            yield display
    finally:
        server.terminate()
        server.wait()


@contextmanager
def _environment(changes: dict[str, str | None]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in changes}
    _set(changes)
    try:
        yield
    finally:
        _set(before)


def _set(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
