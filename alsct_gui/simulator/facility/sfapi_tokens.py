"""Who may ask the stand-in of the Superfacility API: keys, signed assertions, tokens."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from alsct_gui.simulator.facility.http import Reply, Request

CLIENT_ID = "simulatedkey1"
"""13 characters, as NERSC's are."""
TOKEN_S = 600
"""How long an access token lasts."""
_JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Tokens:
    """Gives out tokens to who signs with the key.

    Parameters
    ----------
    clock
        By which the key expires, 48 hours from now.
    key_file
        Key of the client, as `write_key` writes it; None, or one that is not there, has the
        key of this process.
    """

    def __init__(self, clock: Callable[[], float], key_file: Path | None = None) -> None:
        self._clock = clock
        known = key_file is not None and key_file.exists()
        self._key = _read_key(key_file) if key_file is not None and known else _client_key()
        self._lock = threading.Lock()
        self._tokens: set[str] = set()
        self._seen: set[str] = set()
        self.expires_s = clock() + 48 * 3600
        """When the key expires."""
        self.given = 0
        """Tokens that were given out."""

    def write_key(self, path: Path) -> Path:
        """Write the key file of a client, for its owner alone."""
        pem = self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.touch(mode=0o600)
        path.write_text(f"{CLIENT_ID}\n{pem.decode()}")
        return path

    def revoke(self) -> None:
        """Withdraw all tokens before their time."""
        with self._lock:
            self._tokens.clear()

    def accepts(self, request: Request) -> bool:
        """Whether a request carries a token that was given out."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        with self._lock:
            return scheme == "Bearer" and token in self._tokens and self._clock() < self.expires_s

    def endpoint(self, request: Request, token_url: str) -> Reply:
        """Answer a request for a token (RFC 6749, 4.4, with RFC 7523, 2.2)."""
        form = request.form()
        if form.get("grant_type") != "client_credentials":
            return Reply({"error": "unsupported_grant_type"}, 400)
        if form.get("client_assertion_type") != _JWT_BEARER:
            return Reply({"error": "invalid_request"}, 400)
        wrong = self._wrong(form.get("client_assertion", ""), token_url)
        if wrong:
            return Reply({"error": "invalid_client", "error_description": wrong}, 401)
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._tokens.add(token)
            self.given += 1
        return Reply({"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_S})

    def _wrong(self, assertion: str, token_url: str) -> str:
        """What is wrong with a signed assertion; empty when nothing."""
        try:
            head, body, signature = assertion.split(".")
            header, claims = _part(head), _part(body)
            self._key.public_key().verify(
                _bytes(signature), f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256()
            )
        except (ValueError, InvalidSignature):
            return "the assertion is not signed by the client's key"
        unique = str(claims.get("jti"))
        checks = {
            "algorithm": header.get("alg") == "RS256",
            "issuer": claims.get("iss") == claims.get("sub") == CLIENT_ID,
            "audience": token_url in (claims.get("aud"), *_list(claims.get("aud"))),
            # The client signs by the computer's time, whatever the story's clock shows.
            "time": isinstance(claims.get("exp"), int | float) and claims["exp"] > time.time(),
            "jti": "jti" in claims and unique not in self._seen,
            "key: it has expired": self._clock() < self.expires_s,
        }
        self._seen.add(unique)
        return next((f"wrong {name}" for name, right in checks.items() if not right), "")


@cache
def _client_key() -> rsa.RSAPrivateKey:
    """Return the one key of this process: making one takes longer than a test should."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _read_key(path: Path) -> rsa.RSAPrivateKey:
    _, _, pem = path.read_bytes().partition(b"\n")
    return _made(pem)


@cache
def _made(pem: bytes) -> rsa.RSAPrivateKey:
    """Make a key of its file's words, once: checking its primes takes 50 ms."""
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("no RSA key")
    return key


def _part(text: str) -> dict[str, Any]:
    data = json.loads(_bytes(text))
    if not isinstance(data, dict):
        raise ValueError("no object")  # noqa: TRY004 (as for every other wrong form)
    return data


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
