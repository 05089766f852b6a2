"""Who we are to Globus: a person with a browser, or the beamline's service account.

Tokens live in `superfacility.credentials`. Where the library would block on a login of its
own, it raises `NeedsPersonError` here: a login begins when a person asks for it.
"""

from __future__ import annotations

import html
import json
import threading
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

from globus_sdk import (
    BaseClient,
    ClientApp,
    ConfidentialAppAuthClient,
    GlobusApp,
    GlobusAppConfig,
    NativeAppAuthClient,
    OAuthTokenResponse,
    UserApp,
)
from globus_sdk.gare import GlobusAuthorizationParameters
from globus_sdk.login_flows import LoginFlowManager
from globus_sdk.token_storage import TokenStorage, TokenStorageData, TokenValidationError
from globus_sdk.transport import RetryConfig

from alsct_gui.superfacility.credentials import CredentialError, Credentials
from alsct_gui.superfacility.errors import NeedsPersonError

Client = TypeVar("Client", bound=BaseClient)
APP_NAME = "alsct-gui"
"""Name under which Globus shows us to people."""
CODE_PAGE = "https://auth.globus.org/v2/web/auth-code"
"""Page that shows a code for copying, for a machine without a browser."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long Globus may take."""

    http_s: float = 20.0
    """For one read or one connection."""
    call_s: float = 60.0
    """For one call, all its retries included."""
    login_s: float = 600.0
    """For a person to log in."""
    retries: int = 2
    """How often the library tries again by itself."""
    backoff_s: float = 0.5
    """How long it waits before it does; twice as long each time."""

    def apply(self, client: Client) -> Client:
        """Have a client give up in time; returns it."""
        client.transport.http_timeout = self.http_s
        return client

    def retry_config(self) -> RetryConfig:
        """Retries as they are set here."""
        return RetryConfig(
            max_retries=self.retries, max_sleep=8 * self.backoff_s,
            backoff=lambda context: self.backoff_s * 2**context.attempt,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody whom Globus knows."""

    app: GlobusApp
    """Keeps the tokens."""
    client: BaseClient
    """Gets them."""

    @property
    def logs_in_alone(self) -> bool:
        """Whether no person is needed for a login."""
        return isinstance(self.app, ClientApp)

    def login(self, scopes: Sequence[str] = ()) -> None:
        """Log in, and agree to scopes."""
        wanted = GlobusAuthorizationParameters(required_scopes=list(scopes)) if scopes else None
        self.app.login(auth_params=wanted, force=True)

    def close(self) -> None:
        """Close the connections."""
        self.app.close()
        self.client.close()


def person_account(
    client_id: str,
    credentials: Credentials,
    patience: Patience,
    *,
    open_page: Callable[[str], None] | None = None,
    ask_code: Callable[[str], str] | None = None,
) -> Account:
    """Return the account of a person at a workstation.

    Parameters
    ----------
    client_id
        Of our native app, as registered with Globus.
    credentials
        Where the tokens live.
    patience
        How long Globus may take.
    open_page
        Opens a page in the browser; the browser then brings the code by itself.
    ask_code
        Shows the address of a page to a person, and returns the code that they found there;
        for machines without a browser. Used when `open_page` is None.
    """
    client = patience.apply(NativeAppAuthClient(client_id, retry_config=patience.retry_config()))
    flow: LoginFlowManager | None = None
    if open_page is not None:
        flow = BrowserLogin(client, open_page, patience.login_s)
    elif ask_code is not None:
        flow = CodeLogin(client, ask_code)
    config = GlobusAppConfig(
        token_storage=CredentialTokenStorage(credentials, f"globus-person-{client_id}"),
        request_refresh_tokens=True, login_flow_manager=flow,
        token_validation_error_handler=_ask_person,
    )  # fmt: skip
    return Account(UserApp(APP_NAME, login_client=client, config=config), client)


def service_account(
    client_id: str, secret: str, credentials: Credentials, patience: Patience
) -> Account:
    """Return the beamline's service account; it gets its tokens by itself."""
    client = patience.apply(
        ConfidentialAppAuthClient(client_id, secret, retry_config=patience.retry_config())
    )
    config = GlobusAppConfig(
        token_storage=CredentialTokenStorage(credentials, f"globus-service-{client_id}"),
        token_validation_error_handler=_renew,
    )
    return Account(ClientApp(APP_NAME, login_client=client, config=config), client)


def _ask_person(app: GlobusApp, error: TokenValidationError) -> None:
    raise NeedsPersonError(
        "a login is needed", where="Globus", fix="Log in to Globus", name="login"
    ) from error


def _renew(app: GlobusApp, error: TokenValidationError) -> None:
    """A service account needs no person: one call, which ends in time."""
    app.login(force=True)


class CredentialTokenStorage(TokenStorage):
    """Tokens of one account, as one secret.

    Parameters
    ----------
    credentials
        Where it lives.
    name
        Its name there.
    """

    def __init__(self, credentials: Credentials, name: str) -> None:
        super().__init__()
        self._credentials, self._name = credentials, name

    def store_token_data_by_resource_server(
        self, token_data_by_resource_server: Mapping[str, TokenStorageData]
    ) -> None:
        """Keep tokens; those of other resource servers stay."""
        rows = self._rows()
        rows.update({s: data.to_dict() for s, data in token_data_by_resource_server.items()})
        self._credentials.put(self._name, json.dumps(rows))

    def get_token_data_by_resource_server(self) -> dict[str, TokenStorageData]:
        """Return all tokens, by resource server."""
        try:
            return {s: TokenStorageData.from_dict(row) for s, row in self._rows().items()}
        except (TypeError, KeyError, ValueError):
            raise self._broken() from None

    def remove_token_data(self, resource_server: str) -> bool:
        """Forget the tokens of a resource server; False when there are none."""
        rows = self._rows()
        if rows.pop(resource_server, None) is None:
            return False
        self._credentials.put(self._name, json.dumps(rows))
        return True

    def close(self) -> None:
        """Nothing is open."""

    def _rows(self) -> dict[str, dict[str, Any]]:
        text = self._credentials.get(self._name)
        if text is None:
            return {}
        try:
            rows = json.loads(text)
        except ValueError:
            raise self._broken() from None  # the parser's words may quote the tokens
        if not isinstance(rows, dict):
            raise self._broken()
        return rows

    def _broken(self) -> CredentialError:
        return CredentialError(
            "the stored login cannot be read", where=self._name, fix="Log in to Globus again"
        )


class BrowserLogin(LoginFlowManager):
    """A login in the browser, which brings the code to a port of ours.

    Parameters
    ----------
    client
        Who asks.
    open_page
        Opens a page in the browser.
    timeout_s
        How long the person may take.
    """

    def __init__(
        self, client: NativeAppAuthClient, open_page: Callable[[str], None], timeout_s: float
    ) -> None:
        super().__init__(client, request_refresh_tokens=True)
        self._open_page, self._timeout_s = open_page, timeout_s

    def run_login_flow(self, auth_parameters: GlobusAuthorizationParameters) -> OAuthTokenResponse:
        """Open the page, wait for the code, get the tokens.

        Raises
        ------
        NeedsPersonError
            Nobody logged in in time, or Globus said no.
        """
        with _Catcher() as catcher:
            address = f"http://127.0.0.1:{catcher.server_address[1]}"
            self._open_page(self._get_authorize_url(auth_parameters, address))
            code = catcher.wait(self._timeout_s)
        return self.login_client.oauth2_exchange_code_for_tokens(code)


class CodeLogin(LoginFlowManager):
    """A login on another machine, from which a person copies a code.

    Parameters
    ----------
    client
        Who asks.
    ask_code
        Shows an address and returns the code.
    """

    def __init__(self, client: NativeAppAuthClient, ask_code: Callable[[str], str]) -> None:
        super().__init__(client, request_refresh_tokens=True)
        self._ask_code = ask_code

    def run_login_flow(self, auth_parameters: GlobusAuthorizationParameters) -> OAuthTokenResponse:
        """Show the address, take the code, get the tokens."""
        code = self._ask_code(self._get_authorize_url(auth_parameters, CODE_PAGE)).strip()
        return self.login_client.oauth2_exchange_code_for_tokens(code)


class _Catcher(ThreadingHTTPServer):
    """Waits on a port of this machine for the browser to come back with a code."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Caught)
        self._came = threading.Event()
        self._answer: dict[str, str] = {}
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.05,), name="globus-login", daemon=True
        )

    def __enter__(self) -> _Catcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def take(self, answer: dict[str, str]) -> None:
        """Take what the browser brings; only the first counts."""
        if not self._came.is_set():
            self._answer = answer
            self._came.set()

    def wait(self, timeout_s: float) -> str:
        """Return the code."""
        if not self._came.wait(timeout_s):
            raise NeedsPersonError(
                f"nobody has logged in within {timeout_s / 60:.0f} min", where="Globus",
                fix="Begin the login again", name="login",
            )  # fmt: skip
        if "code" not in self._answer:
            said = self._answer.get("error_description") or self._answer.get("error", "")
            raise NeedsPersonError(
                f"the login was not completed ({' '.join(said.split())[:200]})", where="Globus",
                fix="Begin the login again", name="login",
            )  # fmt: skip
        return self._answer["code"]


class _Caught(BaseHTTPRequestHandler):
    timeout = 10.0
    server: _Catcher

    def do_GET(self) -> None:
        """Take code or error from the address; anything else (an icon) is not for us."""
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        known = "code" in query or "error" in query
        words = "You are logged in. Close this page." if "code" in query else "No login."
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(f"<p>{html.escape(words)}</p>".encode())
        if known:
            self.server.take(query)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base's name)
        """Say nothing: the address holds the code."""
