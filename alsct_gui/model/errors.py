"""Errors that say what is wrong, where, and what to do about it.

Each class carries the exit code of the command line, so that one table
(`docs/command-line.md`) is true for every command.
"""

from __future__ import annotations

from typing import ClassVar


class AlsctError(Exception):
    """Something a person can act on.

    Parameters
    ----------
    what
        What is wrong, a sentence without a full stop.
    where
        The file, dataset, parameter or link it is about; empty when there is none.
    fix
        What to do next, a sentence without a full stop; empty when nothing can be done.
    name
        Name of the finding it amounts to, as `alsct check` lists it; empty when there is none.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, where: str = "", fix: str = "", name: str = "") -> None:
        self.what, self.where, self.fix, self.name = what, where, fix, name
        super().__init__(self.sentence)

    @property
    def sentence(self) -> str:
        """The whole message on one line: where, what, what to do."""
        text = f"{self.where}: {self.what}" if self.where else self.what
        text = f"{text}. {self.fix}." if self.fix else f"{text}."
        return " ".join(text.split())


class UsageError(AlsctError):
    """The command line itself is wrong."""

    exit_code = 2


class InputError(AlsctError):
    """A file or folder cannot be read as a scan or a volume."""

    exit_code = 3


class UnsafeInputError(InputError):
    """A file tries to reach outside the scan's own folder."""


class RecipeError(AlsctError):
    """A recipe, or a value given for one, is not valid."""

    exit_code = 4


class EngineUnavailableError(AlsctError):
    """The reconstruction engine that was asked for cannot run here."""

    exit_code = 5


class ResourceError(AlsctError):
    """Memory or disk space does not suffice for the work as planned."""

    exit_code = 6


class OutputError(AlsctError):
    """The output cannot be written, or would overwrite something."""

    exit_code = 7


class CancelledError(AlsctError):
    """The work was cancelled; nothing half-written is left."""

    exit_code = 130


class RemoteError(AlsctError):
    """A process of the program's own was lost, or failed in a way nobody foresaw.

    Parameters
    ----------
    what, where, fix, name
        As for every error.
    details
        Text for a report: a traceback, or the last words of the process.
    """

    def __init__(
        self, what: str, *, where: str = "", fix: str = "", name: str = "", details: str = ""
    ) -> None:
        self.details = details
        super().__init__(what, where=where, fix=fix, name=name)
