"""One connection to the Superfacility API: bounded, renewed after errors, errors in our words.

`sfapi_client` is used as it is, with its repetitions taken off: it repeats a POST whose answer
did not come in time, without any key that would tell the second from a new wish, and hides an
outage for a minute. Who tries again here is the caller, who looks first.
"""

from __future__ import annotations

import json
import threading
import warnings
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from alsct_gui.superfacility.compute.keyfile import KEYS_PAGE, ClientKey, read_key
from alsct_gui.superfacility.compute.loop import LoopThread
from alsct_gui.superfacility.errors import (
    LinkDownError,
    NeedsPersonError,
    NotThereError,
    OutsideError,
    RefusedError,
)

with warnings.catch_warnings():
    # authlib speaks of its own next version to whoever imports it; that is not for operators.
    # Its first import sets a filter of its own, which ours has to come after.
    import authlib.deprecate  # type: ignore[import-untyped]  # noqa: F401

    warnings.simplefilter("ignore")
    import httpx
    import pydantic
    import tenacity
    from authlib.integrations.base_client import OAuthError  # type: ignore[import-untyped]
    from sfapi_client import AsyncClient  # type: ignore[import-untyped]
    from sfapi_client.exceptions import SfApiError  # type: ignore[import-untyped]

T = TypeVar("T")

_KEY_REFUSED = ("invalid_client", "invalid_grant", "unauthorized_client", "access_denied")
"""What a token service says of a key; anything else it says is not about the key."""
STATUS_PAGE = "https://www.nersc.gov/live-status/motd/"
"""Where NERSC tells people how it is."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where the service is and who asks; from the profile."""

    api_url: str = "https://api.nersc.gov/api/v1.2"
    """Address of the API."""
    token_url: str = "https://oidc.nersc.gov/c2id/token"  # noqa: S105 (an address)
    """Where access tokens are given out."""
    key_path: Path | None = None
    """Key of the client; None for what needs none: status and outages."""
    machine: str = "perlmutter"
    """Machine that jobs run on."""
    answer_s: float = 30.0
    """Longest time for one answer."""
    submit_s: float = 120.0
    """Longest time for a submission, which the service carries out as a task."""


def _once(method: Any) -> Any:
    """Take the repetitions off a method of the client."""
    return method.retry_with(stop=tenacity.stop_after_attempt(1), reraise=True)


class OneAttemptClient(AsyncClient):
    """The client without repetitions."""

    get = _once(AsyncClient.get)
    post = _once(AsyncClient.post)
    put = _once(AsyncClient.put)
    delete = _once(AsyncClient.delete)


class Session:
    """A connection; may be used from several threads.

    Parameters
    ----------
    access
        Where the service is and who asks.
    """

    def __init__(self, access: Access) -> None:
        self.access = access
        self._loop = LoopThread("alsct-sfapi")
        self._lock = threading.Lock()
        self._client: AsyncClient | None = None
        self._key_stamp: tuple[int, int] | None = None

    @property
    def client_id(self) -> str | None:
        """Id of the client that asks; None without a key.

        Raises
        ------
        NeedsPersonError
            The key file is not usable.
        """
        path = self.access.key_path
        return None if path is None else read_key(path).client_id

    def call(
        self,
        what: str,
        work: Callable[[AsyncClient], Awaitable[T]],
        within_s: float | None = None,
    ) -> T:
        """Do something with the client.

        Parameters
        ----------
        what
            What is done, for errors: a noun.
        work
            Called with the client, perhaps twice when a token was refused.
        within_s
            Longest time; None for that of one answer.

        Raises
        ------
        OutsideError
            `LinkDownError`, `NeedsPersonError` or `RefusedError`.
        """
        try:
            return self._attempt(what, work, within_s)
        except NeedsPersonError as error:
            if error.name != "token-refused":
                raise
            # The token may have been withdrawn before its time: a new one decides.
            return self._attempt(what, work, within_s)

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """Ask for JSON.

        Raises
        ------
        OutsideError
            As for `call`.
        """

        async def ask(client: AsyncClient) -> Any:
            return (await client.get(path, dict(query or {}))).json()

        return self.call(path.split("/")[0], ask)

    def close(self) -> None:
        """End the connection and its thread; idempotent."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            # What cannot be closed in good order goes with its thread.
            with suppress(RuntimeError, TimeoutError, httpx.HTTPError):
                self._loop.run(client.close(), self.access.answer_s)
        self._loop.close()

    def _attempt(
        self, what: str, work: Callable[[AsyncClient], Awaitable[T]], within_s: float | None
    ) -> T:
        client = self._current()

        async def bounded() -> T:
            return await work(client)

        try:
            return self._loop.run(bounded(), within_s or self.access.answer_s)
        except OutsideError:
            raise
        except Exception as error:
            # Whatever it was, the client and what hangs on it are not trusted any more.
            self._drop(client)
            raise in_our_words(error, what, self.access) from error

    def _current(self) -> AsyncClient:
        """Client with the key as it is now: a person may have put a new one there."""
        path = self.access.key_path
        try:
            found = None if path is None else path.stat()
        except OSError:
            found = None
        stamp = None if found is None else (found.st_mtime_ns, found.st_ino)
        with self._lock:
            stale = self._client if stamp != self._key_stamp else None
        if stale is not None:
            self._drop(stale)
        client_id = secret = None
        if path is not None:
            key = read_key(path)
            client_id, secret = key.client_id, private_key(key, path)
        with self._lock:
            if self._client is None:
                self._key_stamp = stamp
                self._client = OneAttemptClient(
                    client_id,
                    secret,
                    api_base_url=self.access.api_url,
                    token_url=self.access.token_url,
                )
            return self._client

    def _drop(self, client: AsyncClient) -> None:
        with self._lock:
            if self._client is client:
                self._client = None
        with suppress(RuntimeError, TimeoutError, httpx.HTTPError):
            self._loop.run(client.close(), self.access.answer_s)


def private_key(key: ClientKey, path: Path) -> RSAKey:
    """Return a key as an object, which is checked once; as text it would be for every token.

    Parameters
    ----------
    key, path
        What was read, and from where.

    Raises
    ------
    NeedsPersonError
        It is no private RSA key.
    """
    try:
        found = _made(json.dumps(key.secret))
    except (ValueError, TypeError, JoseError) as error:
        raise _no_rsa_key(path) from error
    if not found.is_private:
        raise _no_rsa_key(path)
    return found


@lru_cache(maxsize=4)
def _made(secret: str) -> RSAKey:
    """Make a key of what is in its file, as JSON: checking its primes takes 50 ms."""
    return RSAKey.import_key(json.loads(secret))


def _no_rsa_key(path: Path) -> NeedsPersonError:
    return NeedsPersonError(
        "the key file holds no private RSA key", where=str(path),
        fix=f"Make a new key at {KEYS_PAGE} and put it there as it is", name="nersc-key",
        link=KEYS_PAGE,
    )  # fmt: skip


def in_our_words(error: BaseException, what: str, access: Access) -> OutsideError:
    """Say an error of the client, of the line or of the service in our words.

    Parameters
    ----------
    error
        As it was raised.
    what
        What was being done.
    access
        Where.
    """
    where = f"NERSC {what}"
    if isinstance(error, httpx.HTTPStatusError):
        return _of_status(error.response, where)
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return LinkDownError(
            "NERSC's API does not answer in time", where=where, fix="It is tried again later",
            name="no-answer", link=STATUS_PAGE,
        )  # fmt: skip
    if isinstance(error, httpx.TransportError):
        return LinkDownError(
            f"NERSC's API cannot be reached ({type(error).__name__})", where=where,
            fix="See whether the network is up; it is tried again later",
            name="not-reached", link=STATUS_PAGE,
        )  # fmt: skip
    if isinstance(error, OAuthError) and error.error in _KEY_REFUSED:
        return NeedsPersonError(
            f"NERSC does not take the key ({error.error})", where=str(access.key_path),
            fix=f"Make a new key at {KEYS_PAGE}: a red one lasts 48 hours", name="key-refused",
            link=KEYS_PAGE,
        )  # fmt: skip
    if isinstance(error, SfApiError):
        return RefusedError(
            f"NERSC refuses: {' '.join(str(error.message).split())[:500]}", where=where,
            fix="Read what it says; the profile may name a wrong account or queue",
            name="refused",
        )  # fmt: skip
    if isinstance(error, json.JSONDecodeError | pydantic.ValidationError | OAuthError | TypeError |
                  KeyError | AttributeError | UnicodeDecodeError | RecursionError |
                  ValueError):  # fmt: skip
        return LinkDownError(
            f"NERSC's API answers with something that is not understood ({type(error).__name__})",
            where=where, fix="It is tried again later", name="nonsense", link=STATUS_PAGE,
        )  # fmt: skip
    return LinkDownError(
        f"the connection to NERSC is broken ({type(error).__name__}: {error})", where=where,
        fix="It is tried again later", name="broken",
    )  # fmt: skip


def _of_status(response: httpx.Response, where: str) -> OutsideError:
    status = response.status_code
    if status == 401:
        return NeedsPersonError(
            "NERSC does not accept the token", where=where,
            fix=f"The key has expired or was withdrawn: make a new one at {KEYS_PAGE}",
            name="token-refused", link=KEYS_PAGE,
        )  # fmt: skip
    if status == 403:
        return NeedsPersonError(
            "NERSC does not allow it with this key", where=where,
            fix=f"Jobs need a red key, used from the addresses it was made for: see {KEYS_PAGE}",
            name="not-allowed", link=KEYS_PAGE,
        )  # fmt: skip
    if status == 404:
        return NotThereError("NERSC has no such thing", where=where, name="not-there")
    if status == 429 or status >= 500:
        return LinkDownError(
            f"NERSC's API is {'overloaded' if status == 429 else 'out of order'} (HTTP {status})",
            where=where, fix="It is tried again later", name=f"http-{status}",
            link=STATUS_PAGE, retry_after_s=_seconds(response.headers.get("retry-after")),
        )  # fmt: skip
    return RefusedError(
        f"NERSC refuses the request (HTTP {status})", where=where, name=f"http-{status}"
    )


def _seconds(text: str | None) -> float | None:
    """Retry-After in seconds; a date is not used by this service."""
    return float(text) if text and text.isdecimal() and len(text) < 6 else None
