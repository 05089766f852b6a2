"""What can be wrong with a service outside, by what it asks of us: wait, a person, or neither."""

from __future__ import annotations

from alsct_gui.model.errors import AlsctError


class OutsideError(AlsctError):
    """A service outside did not do what was asked of it.

    Parameters
    ----------
    what, where, fix, name
        As for every error.
    link
        Address of the page where a person sees more or acts; empty when there is none.
    """

    def __init__(
        self, what: str, *, where: str = "", fix: str = "", name: str = "", link: str = ""
    ) -> None:
        self.link = link
        super().__init__(what, where=where, fix=fix, name=name)


class LinkDownError(OutsideError):
    """It cannot be reached, does not answer in time or answers with nonsense: try later.

    Whether what was asked has been done is not known.

    Parameters
    ----------
    retry_after_s
        How long the service asks us to wait; None when it does not say.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        fix: str = "",
        name: str = "",
        link: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(what, where=where, fix=fix, name=name, link=link)


class NeedsPersonError(OutsideError):
    """It waits for a person: a login, a consent, a key that has expired."""


class RefusedError(OutsideError):
    """It says no, and will say so again: no right, no such thing, not allowed."""


class NotThereError(RefusedError):
    """What is asked for does not exist there."""
