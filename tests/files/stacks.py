"""Frame stacks that lie in memory, for tests that need no file."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from alsct_gui.files.frames import PagedStack


def memory_stack(values: NDArray[Any]) -> PagedStack:
    """Return a lazy stack over an array (frame, row, column)."""
    return PagedStack(lambda index: values[index], values.shape, values.dtype)
