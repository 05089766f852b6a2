"""Errors as plain data: what goes wrong in one process is raised in another."""

from __future__ import annotations

import traceback
from typing import Any

from alsct_gui.model import errors
from alsct_gui.model.errors import AlsctError, RemoteError

_CLASSES = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, AlsctError)
}
_PARTS = ("what", "where", "fix", "name")
_MAX_TEXT = 4000


def error_to_plain(error: BaseException) -> dict[str, str]:
    """Return an error's class and words; of one that is not ours the traceback as well."""
    if isinstance(error, AlsctError):
        plain = {part: str(getattr(error, part)) for part in _PARTS}
        details = error.details if isinstance(error, RemoteError) else ""
        return {"class": _known_class(type(error)), **plain, "details": details}
    return {
        "class": RemoteError.__name__,
        "what": f"a mistake in the program ({type(error).__name__}: {error})"[:_MAX_TEXT],
        "where": "",
        "fix": "Copy the details and report them",
        "name": "",
        "details": "".join(traceback.format_exception(error)),
    }


def error_from_plain(data: Any) -> AlsctError:
    """Build the error that `error_to_plain` described; never raises."""
    rows = data if isinstance(data, dict) else {"what": f"an error without words: {data!r}"}
    words = {part: str(rows.get(part, ""))[:_MAX_TEXT] for part in _PARTS}
    kind = _CLASSES.get(str(rows.get("class")), RemoteError)
    what = words.pop("what")
    if issubclass(kind, RemoteError):
        return kind(what, **words, details=str(rows.get("details", "")))
    return kind(what, **words)


def _known_class(kind: type[AlsctError]) -> str:
    """Name of the class, or of the nearest one above it that is known everywhere."""
    return next(base.__name__ for base in kind.__mro__ if base.__name__ in _CLASSES)
