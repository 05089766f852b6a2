"""One connection to SciCat: logged in, bounded in time, errors in our words.

The client library is scitacean. It sends the token in a header and nowhere else, and speaks to
what is not encrypted only where that is allowed: on this machine. Its errors hold the status
in their text alone, so that it is read from there.

SciCat answers 403, not 401, to a token that has expired: it then takes whoever asks for a
stranger. So after either a name and a password log in once more, and only the second answer
counts.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx
import pydantic
from scitacean.client import ScicatClient
from scitacean.error import ScicatCommError
from scitacean.util.credentials import SecretStr

from alsct_gui.superfacility.bounded import bounded
from alsct_gui.superfacility.credentials import Credentials
from alsct_gui.superfacility.errors import (
    LinkDownError,
    NeedsPersonError,
    NotThereError,
    OutsideError,
    RefusedError,
)
from alsct_gui.superfacility.metadata.scicat_words import Api

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_STATUS = re.compile(r"Error in operation '[^']*': (\d{3}) [^:]*: ?(.*)", re.DOTALL)
_STRANGER = (401, 403)

# The library tells every refusal to its log; whoever asks here raises it, in words.
logging.getLogger("scitacean").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class ScicatAccess:
    """Where the catalogue is and who asks; from the profile.

    Raises
    ------
    RefusedError
        The address is not encrypted, or is none.
    """

    url: str
    """Address of the API, such as ``https://scicat.als.lbl.gov/api``."""
    user: str = ""
    """Name of the account; empty for a token that a person has put among the secrets."""
    secret: str = "scicat"  # noqa: S105 (the name of it)
    """Name under which the password or the token is kept (`superfacility.credentials`)."""
    api: Api = "v3"
    """Version of the API; v3 is what all backends of version 4 have."""
    login: Literal["auth/login", "auth/ldap"] = "auth/login"
    """Where a name and a password log in: service accounts, or people."""
    page: str = ""
    """Address of the pages for people; empty when they are not known."""
    answer_s: float = 20.0
    """Longest time between two bytes of an answer, in whole seconds."""
    call_s: float = 60.0
    """Longest time of a call."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if not parts.hostname or not (parts.scheme == "https" or self.is_loopback):
            raise RefusedError(
                f"{self.url[:200]!r} is no address that begins with https", where="profile: scicat",
                fix="Give the address of SciCat's API",
            )  # fmt: skip
        if parts.username or parts.password or parts.query:
            raise RefusedError(
                "the address holds more than a host and a path", where="profile: scicat",
                fix="Keep names and passwords among the secrets",
            )  # fmt: skip

    @property
    def base(self) -> str:
        """Address of this version of the API, which may stand in `url` or not."""
        url = self.url.rstrip("/").removesuffix("/v3").removesuffix("/v4")
        return f"{url}/{self.api}" if url.endswith("/api") else f"{url}/api/{self.api}"

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine, where nothing needs to be encrypted."""
        return urlsplit(self.url).hostname in _LOOPBACK


class _Body(pydantic.RootModel[dict[str, Any]]):
    """A body that is plain data already."""


class _Login(pydantic.BaseModel):
    username: str = pydantic.Field(repr=False)
    password: str = pydantic.Field(repr=False)


class ScicatSession:
    """A connection; may be used from several threads.

    Parameters
    ----------
    access
        Where the catalogue is and who asks.
    credentials
        Where the password or the token is.
    """

    def __init__(self, access: ScicatAccess, credentials: Credentials) -> None:
        self.access = access
        self._credentials = credentials
        self._lock = threading.Lock()
        self._client: ScicatClient | None = None

    def call(
        self,
        method: str,
        path: str,
        what: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> Any:
        """Ask for something, logged in.

        Parameters
        ----------
        method, path
            Such as ``get`` and ``datasets/…``; every part of the path is quoted already.
        what
            What it is about, for errors: a noun.
        body, query
            Plain data.

        Returns
        -------
        Any
            What the JSON of the answer holds; None when it is empty.

        Raises
        ------
        NotThereError
            There is no such thing.
        OutsideError
            `LinkDownError`, `NeedsPersonError` or `RefusedError`.
        """
        with self._lock:
            client, is_new = self._logged_in()
            try:
                return self._ask(client, method, path, what, body, query)
            except NeedsPersonError:
                self._client = None
                if is_new or not self.access.user:
                    raise
            client, _ = self._logged_in()
            return self._ask(client, method, path, what, body, query)

    def close(self) -> None:
        """Forget the token."""
        with self._lock:
            self._client = None

    def _logged_in(self) -> tuple[ScicatClient, bool]:
        """Return a client with a token, and whether it has just been given out."""
        if self._client is not None:
            return self._client, False
        secret = self._credentials.get(self.access.secret)
        if not secret:
            raise NeedsPersonError(
                "no password or token for SciCat is known", where=self.access.url, name="login",
                fix="Give it in the settings", link=self.access.page,
            )  # fmt: skip
        token = self._token(secret) if self.access.user else secret
        try:
            self._client = ScicatClient.from_token(
                self.access.url, SecretStr(token),
                timeout=self._timeout, allow_http=self.access.is_loopback,
            )  # fmt: skip
        except RuntimeError:
            raise self._expired() from None
        return self._client, True

    def _token(self, password: str) -> str:
        """Log in with name and password."""
        stranger = ScicatClient.without_login(
            self.access.url, timeout=self._timeout, allow_http=self.access.is_loopback
        )
        words = {"username": self.access.user, "password": password}
        try:
            answer = self._ask(stranger, "post", self.access.login, "login", words, None, _Login)
        except (NeedsPersonError, NotThereError) as error:
            raise NeedsPersonError(
                f"SciCat does not take the password of {self.access.user}", where=error.where,
                fix="Put the right one into the settings", name="login", link=self.access.page,
            ) from error  # fmt: skip
        token = answer.get("id") or answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str):
            raise _nonsense(f"SciCat {self.access.url} login", "no token")
        return token

    def _ask(
        self,
        client: ScicatClient,
        method: str,
        path: str,
        what: str,
        body: Mapping[str, Any] | None,
        query: Mapping[str, Any] | None,
        kind: type[pydantic.BaseModel] | None = None,
    ) -> Any:
        where = f"SciCat {what}"
        data: pydantic.BaseModel | None = None
        if body is not None:
            data = _Body(dict(body)) if kind is None else kind(**body)

        def send() -> Any:
            return client.call_endpoint(
                cmd=method, url=path, operation=what.replace("'", ""), data=data,
                params=dict(query) if query else None, version=self.access.api,
            )  # fmt: skip

        try:
            return bounded(send, self.access.call_s, where=where)
        except OutsideError:
            raise
        except Exception as error:
            raise self._in_our_words(error, where) from error

    def _in_our_words(self, error: Exception, where: str) -> OutsideError:
        if isinstance(error, ScicatCommError):
            found = _STATUS.match(str(error))
            if found is not None:
                return self._of_status(int(found[1]), _message(found[2]), where)
        elif isinstance(error, RuntimeError) and "expired" in str(error):
            return self._expired()
        if isinstance(error, httpx.TimeoutException):
            return LinkDownError(
                "SciCat does not answer in time", where=where, name="no-answer",
                fix="It is tried again later",
            )  # fmt: skip
        if isinstance(error, httpx.TransportError):
            return LinkDownError(
                f"SciCat cannot be reached ({type(error).__name__})", where=where,
                fix="See whether the network is up; it is tried again later", name="not-reached",
            )  # fmt: skip
        return _nonsense(where, type(error).__name__)

    def _of_status(self, status: int, said: str, where: str) -> OutsideError:
        if status in _STRANGER:
            return NeedsPersonError(
                f"SciCat does not allow it ({said or status})", where=where, name="not-allowed",
                fix="The account must be of SciCat's ADMIN_GROUPS, or write records and be of "
                "their groups; a token may have expired", link=self.access.page,
            )  # fmt: skip
        if status == 404:
            return NotThereError("SciCat has no such thing", where=where, name="not-there")
        if status == 429 or status >= 500:
            return LinkDownError(
                f"SciCat is {'overloaded' if status == 429 else 'out of order'} (HTTP {status})",
                where=where, fix="It is tried again later", name=f"http-{status}",
            )  # fmt: skip
        return RefusedError(
            f"SciCat refuses the request (HTTP {status}): {said}", where=where,
            fix="Report it with this message; the profile may name another version of its API",
            name=f"http-{status}",
        )  # fmt: skip

    def _expired(self) -> NeedsPersonError:
        return NeedsPersonError(
            "the token for SciCat has expired", where=self.access.url, name="login",
            fix="Take a new one from its page", link=self.access.page,
        )  # fmt: skip

    @property
    def _timeout(self) -> dt.timedelta:
        return dt.timedelta(seconds=max(1, round(self.access.answer_s)))


def _message(text: str) -> str:
    """Take the words out of SciCat's JSON of an error, on one line."""
    try:
        plain = json.loads(text)
    except ValueError:
        plain = text
    said = plain.get("message", "") if isinstance(plain, dict) else plain
    return " ".join(str(said).split())[:500]


def _nonsense(where: str, what: str) -> LinkDownError:
    return LinkDownError(
        f"SciCat answers with something that is not understood ({what})", where=where,
        fix="It is tried again later", name="nonsense",
    )  # fmt: skip
