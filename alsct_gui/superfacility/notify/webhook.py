"""Messages as JSON, posted to an address: chat systems and many others take them."""

from __future__ import annotations

import http.client
import json
import re
from urllib.parse import urlsplit

from alsct_gui.model.message import Message
from alsct_gui.superfacility.bounded import bounded
from alsct_gui.superfacility.errors import LinkDownError, RefusedError

_TIMEOUT_S = 10.0
_AT_MOST_S = 30.0
_ANSWER_BYTES = 1 << 16
_TARGET = re.compile(r"[!-~]*")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Webhook:
    """Posts ``{"text", "title", "words", "grave", "time_s"}`` as JSON; follows no redirection.

    Parameters
    ----------
    name
        In the profile.
    url
        Where to. The address itself is a secret with many chat systems: it is told to nobody.

    Raises
    ------
    RefusedError
        It is no address, or would carry the message unencrypted over a network.
    """

    def __init__(self, name: str, url: str) -> None:
        self._name = name
        parts = urlsplit(url)
        host = parts.hostname or ""
        if (
            parts.scheme not in ("http", "https") or not host
            or _TARGET.fullmatch(parts.path + parts.query) is None
        ):  # fmt: skip
            raise RefusedError(
                "the address of the webhook is no https address", where=f"notify: {name}",
                fix="Give the address as the chat system shows it",
            )  # fmt: skip
        if parts.scheme == "http" and host not in _LOOPBACK:
            raise RefusedError(
                "the webhook would be called unencrypted", where=f"notify: {name}",
                fix="Take an address that begins with https",
            )  # fmt: skip
        self._https, self._host, self._port = parts.scheme == "https", host, parts.port
        self._path = parts.path + (f"?{parts.query}" if parts.query else "") or "/"

    @property
    def name(self) -> str:
        """Its name in the profile."""
        return self._name

    def send(self, message: Message) -> None:
        """Post a message.

        Raises
        ------
        LinkDownError
            Nobody answers, or the service says that it is busy or broken.
        RefusedError
            The service does not take it.
        """
        status = bounded(lambda: self._post(message), _AT_MOST_S, where=f"notify: {self._name}")
        if 200 <= status < 300:
            return
        if status == 429 or status >= 500:
            raise LinkDownError(f"the webhook answers {status}", where=f"notify: {self._name}")
        raise RefusedError(
            f"the webhook answers {status}", where=f"notify: {self._name}",
            fix="See whether its address still holds",
        )  # fmt: skip

    def _post(self, message: Message) -> int:
        body = json.dumps({
            "text": message.text, "title": message.title, "words": message.words,
            "grave": message.grave, "time_s": message.time_s,
        }).encode()  # fmt: skip
        kind = http.client.HTTPSConnection if self._https else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=_TIMEOUT_S)
        try:
            headers = {"Content-Type": "application/json", "User-Agent": "alsct-gui"}
            connection.request("POST", self._path, body, headers)
            answer = connection.getresponse()
            answer.read(_ANSWER_BYTES)
            return answer.status
        except (OSError, http.client.HTTPException) as error:
            raise LinkDownError(
                f"the webhook does not answer ({type(error).__name__})",
                where=f"notify: {self._name}", fix="It is tried again by itself",
            ) from error  # fmt: skip
        finally:
            connection.close()
