"""A stand-in for Globus Auth: tokens, consents, and a login page that says yes."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
import urllib.parse
import uuid
from dataclasses import dataclass, field
from typing import Any

from alsct_gui.simulator.facility.clock import Clock
from alsct_gui.simulator.facility.http import Reply, Request

TRANSFER = "transfer.api.globus.org"
"""Resource server of Globus Transfer."""
AUTH = "auth.globus.org"
"""Resource server of Globus Auth."""
TRANSFER_SCOPE = "urn:globus:auth:scope:transfer.api.globus.org:all"
"""Scope of Globus Transfer."""
TOKEN_LIFE_S = 172_800.0
"""How long an access token is good."""


@dataclass
class Token:
    """One access token."""

    subject: str
    """Identity it stands for."""
    server: str
    """Resource server it is for."""
    expires_s: float
    """Until when it is good, seconds since 1970 UTC."""


@dataclass
class AuthService:
    """Gives out tokens and says whose they are; safe to use from several threads."""

    clock: Clock
    """By which tokens expire."""
    clients: dict[str, str] = field(default_factory=dict)
    """Secrets of service accounts, by client id."""
    person: str = field(default_factory=lambda: str(uuid.uuid4()))
    """Identity of whoever logs in."""
    tokens: dict[str, Token] = field(default_factory=dict)
    """Access tokens that were given out."""
    refresh: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Refresh tokens: subject and scope of each."""
    issued: list[str] = field(default_factory=list)
    """Every token that was ever given out: for tests that look for leaks."""
    consents: dict[str, set[str]] = field(default_factory=dict)
    """Scopes each identity has consented to, as they were asked for."""

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._codes: dict[str, dict[str, str]] = {}
        self._key: Any = None

    def subject(self, request: Request, server: str) -> str | None:
        """Identity of a request's bearer token; None when it is not good for a server."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        with self._lock:
            known = self.tokens.get(token)
        good = known is not None and known.server == server and known.expires_s > self.clock()
        return known.subject if known is not None and kind == "Bearer" and good else None

    def revoke_all(self) -> None:
        """Forget all access and refresh tokens: as after a change of password."""
        with self._lock:
            self.tokens.clear()
            self.refresh.clear()

    def has_consented(self, subject: str, collection: str) -> bool:
        """Whether an identity has consented to access to a collection's data."""
        with self._lock:
            asked = self.consents.get(subject, set())
        return any(f"scopes/{collection}/data_access" in scope for scope in asked)

    def handle(self, request: Request) -> Reply:
        """Answer a request to Globus Auth."""
        routes = {
            ("POST", "/v2/oauth2/token"): self._token,
            ("POST", "/v2/oauth2/token/revoke"): self._revoke,
            ("GET", "/v2/oauth2/authorize"): self._authorize,
            ("GET", "/.well-known/openid-configuration"): self._openid,
            ("GET", "/jwk.json"): self._keys,
        }
        route = routes.get((request.method, request.path))
        if route is not None:
            return route(request)
        if request.path.endswith("/consents"):
            return Reply({"consents": []})
        return Reply({"errors": [{"status": "404", "code": "NOT_FOUND", "title": "?"}]}, 404)

    def _authorize(self, request: Request) -> Reply:
        """Say yes: send the browser back with a code."""
        query = dict(request.query)
        code = secrets.token_urlsafe(16)
        with self._lock:
            self._codes[code] = query
        words = urllib.parse.urlencode({"code": code, "state": query.get("state", "")})
        if "/v2/web/auth-code" in query.get("redirect_uri", ""):
            return Reply({"code": code})  # where the real page shows it for copying
        return Reply(status=302, headers={"Location": f"{query['redirect_uri']}?{words}"})

    def _token(self, request: Request) -> Reply:
        form = request.form()
        kind = form.get("grant_type")
        if kind == "client_credentials":
            client = self._client(request)
            if client is None:
                return _refused(401, "invalid_client")
            return self._grant(client, form.get("scope", ""), client, refresh=False)
        if kind == "refresh_token":
            with self._lock:
                known = self.refresh.get(form.get("refresh_token", ""))
            if known is None:
                return _refused(400, "invalid_grant")
            return self._renewed(*known, form["refresh_token"])
        if kind == "authorization_code":
            return self._exchange(form)
        return _refused(400, "unsupported_grant_type")

    def _exchange(self, form: dict[str, str]) -> Reply:
        """A code for tokens, once, with the proof that PKCE (RFC 7636) wants."""
        with self._lock:
            asked = self._codes.pop(form.get("code", ""), None)
        proof = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if asked is None or asked.get("code_challenge") != _b64(proof):
            return _refused(400, "invalid_grant")
        offline = asked.get("access_type") == "offline"
        return self._grant(self.person, asked["scope"], asked["client_id"], refresh=offline)

    def _grant(self, subject: str, scope: str, client: str, *, refresh: bool) -> Reply:
        """Tokens for each resource server that the scopes name."""
        with self._lock:
            self.consents.setdefault(subject, set()).add(scope)
        rows = []
        if TRANSFER_SCOPE in scope:
            rows.append(self._row(subject, TRANSFER, TRANSFER_SCOPE, refresh=refresh))
        if "openid" in scope or not rows:
            rows.append(self._row(subject, AUTH, "openid", refresh=refresh))
        first = {**rows[0], "other_tokens": rows[1:], "state": "_default"}
        if "openid" in scope:
            first["id_token"] = self._id_token(subject, client)
        return Reply(first)

    def _renewed(self, subject: str, server: str, refresh: str) -> Reply:
        scope = TRANSFER_SCOPE if server == TRANSFER else "openid"
        row = self._row(subject, server, scope, refresh=False)
        return Reply({**row, "refresh_token": refresh, "other_tokens": []})

    def _row(self, subject: str, server: str, scope: str, *, refresh: bool) -> dict[str, Any]:
        token, row = secrets.token_urlsafe(32), {}
        with self._lock:
            self.issued.append(token)
            self.tokens[token] = Token(subject, server, self.clock() + TOKEN_LIFE_S)
            if refresh:
                again = secrets.token_urlsafe(32)
                self.refresh[again] = (subject, server)
                self.issued.append(again)
                row["refresh_token"] = again
        return {
            "access_token": token, "scope": scope, "expires_in": int(TOKEN_LIFE_S),
            "token_type": "Bearer", "resource_server": server, **row,
        }  # fmt: skip

    def _client(self, request: Request) -> str | None:
        """Client id of a request with a good secret."""
        kind, _, words = request.headers.get("authorization", "").partition(" ")
        try:
            client, _, secret = base64.b64decode(words).decode().partition(":")
        except ValueError:
            return None
        return client if kind == "Basic" and self.clients.get(client) == secret else None

    def _revoke(self, request: Request) -> Reply:
        token = request.form().get("token", "")
        with self._lock:
            self.tokens.pop(token, None)
            self.refresh.pop(token, None)
        return Reply({"active": False})

    def _openid(self, request: Request) -> Reply:
        base = f"http://{request.headers.get('host', '')}"
        return Reply({
            "issuer": base, "jwks_uri": f"{base}/jwk.json",
            "id_token_signing_alg_values_supported": ["RS512"],
        })  # fmt: skip

    def _keys(self, request: Request) -> Reply:
        return Reply({"keys": [self._signer()[1]]})

    def _signer(self) -> tuple[Any, dict[str, Any]]:
        """Key that signs, and its public half as a JWK."""
        from cryptography.hazmat.primitives.asymmetric import rsa
        from jwt.algorithms import RSAAlgorithm

        with self._lock:
            if self._key is None:
                self._key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
        public = json.loads(RSAAlgorithm.to_jwk(self._key.public_key()))
        return self._key, {**public, "alg": "RS512", "use": "sig", "kid": "simulated"}

    def _id_token(self, subject: str, client: str) -> str:
        import jwt

        now = int(time.time())  # the client's library checks it by the machine's own clock
        facts = {"sub": subject, "aud": client, "iat": now, "exp": now + 3600}
        return jwt.encode(facts, self._signer()[0], algorithm="RS512")


def _refused(status: int, error: str) -> Reply:
    return Reply({"error": error}, status)


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
