"""Webhook, e-mail and the post room against real servers on loopback."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from alsct_gui.model.message import Message
from alsct_gui.model.notify import HookAddress, Mail, Notify
from alsct_gui.superfacility.credentials import FileCredentials
from alsct_gui.superfacility.errors import LinkDownError, NeedsPersonError, RefusedError
from alsct_gui.superfacility.notify.mail import MailSender, letter_of
from alsct_gui.superfacility.notify.post import Post, senders_of
from alsct_gui.superfacility.notify.webhook import Webhook

CANARY = "T0KEN-canary"
MESSAGE = Message("Perlmutter is down", "maintenance\nuntil 18:00 — über", 1_800_000_000.0, True)
HOSTILE = Message("a\r\nBcc: x@y\n.\r\nb", ".\r\nQUIT\r\n.." + "é" * 300, 1.0)
WAIT_S = 20.0


class Hooks(ThreadingHTTPServer):
    """Takes posts; answers with the statuses that it was given, then 200."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.taken: list[tuple[str, dict[str, Any]]] = []
        self.statuses: list[int] = []
        self.came = threading.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook/{CANARY}?x=1"

    def until(self, count: int) -> None:
        with self.came:
            assert self.came.wait_for(lambda: len(self.taken) >= count, WAIT_S)


class _Hook(BaseHTTPRequestHandler):
    server: Hooks

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.send_response(status)
        if status in (301, 302):
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()
        with self.server.came:
            self.server.taken.append((self.path, body))
            self.server.came.notify_all()

    def log_message(self, *_: object) -> None:
        pass


class Letters(socketserver.ThreadingTCPServer):
    """A small mail server; `refuses` is a code that it answers a command with."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Letter)
        self.taken: list[bytes] = []
        self.to: list[str] = []
        self.refuses: dict[str, str] = {}
        self.offers = ["AUTH PLAIN"]

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Letter(socketserver.StreamRequestHandler):
    server: Letters

    def handle(self) -> None:
        self._say("220 loopback")
        while line := self.rfile.readline():
            word = line.decode().strip()
            verb = word.split(" ")[0].upper()
            if verb in self.server.refuses:
                self._say(self.server.refuses[verb])
            elif verb == "EHLO":
                self._say("250-loopback")
                for offer in self.server.offers:
                    self._say(f"250-{offer}")
                self._say("250 OK")
            elif verb == "DATA":
                self._say("354 go on")
                self.server.taken.append(self._letter())
                self._say("250 taken")
            elif verb == "AUTH":
                self._say("235 welcome")
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                if verb == "RCPT":
                    self.server.to.append(word)
                self._say("250 OK")

    def _letter(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


@contextmanager
def serving(server: Any) -> Iterator[Any]:
    thread = threading.Thread(target=lambda: server.serve_forever(0.02))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def hooks() -> Iterator[Hooks]:
    with serving(Hooks()) as server:
        yield server


@pytest.fixture
def letters() -> Iterator[Letters]:
    with serving(Letters()) as server:
        yield server


def mail_to(letters: Letters, **changes: Any) -> Mail:
    known = {
        "name": "crew", "host": "127.0.0.1", "sender": "ct@beamline.example",
        "recipients": ("ada@example.org", "bob@example.org"), "port": letters.port,
        "encrypt": False,
    }  # fmt: skip
    return Mail(**{**known, **changes})


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_webhook_gets_json(hooks: Hooks) -> None:
    Webhook("chat", hooks.url).send(MESSAGE)
    Webhook("chat", hooks.url).send(HOSTILE)
    path, body = hooks.taken[0]
    assert path == f"/hook/{CANARY}?x=1"
    assert body == {
        "text": MESSAGE.text, "title": MESSAGE.title, "words": MESSAGE.words, "grave": True,
        "time_s": MESSAGE.time_s,
    }  # fmt: skip
    assert hooks.taken[1][1]["title"] == HOSTILE.title


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, LinkDownError), (503, LinkDownError), (429, LinkDownError), (404, RefusedError),
     (403, RefusedError), (302, RefusedError)],
)  # fmt: skip
def test_a_webhook_that_does_not_take_it(hooks: Hooks, status: int, error: type[Exception]) -> None:
    hooks.statuses = [status]
    with pytest.raises(error) as caught:
        Webhook("chat", hooks.url).send(MESSAGE)
    assert str(status) in str(caught.value)
    assert CANARY not in str(caught.value)


def test_a_webhook_that_is_away_does_not_tell_its_address() -> None:
    hook = Webhook("chat", f"http://127.0.0.1:{closed_port()}/{CANARY}")
    with pytest.raises(LinkDownError) as caught:
        hook.send(MESSAGE)
    assert CANARY not in caught.value.sentence
    assert caught.value.where == "notify: chat"


@pytest.mark.parametrize(
    "url",
    ["", "ftp://x/y", "http://chat.example/hook", "https://", "/only/a/path",
     "http://127.0.0.1/a b", "https://x/\nHost: y"],
)  # fmt: skip
def test_what_is_no_safe_address_is_refused(url: str) -> None:
    with pytest.raises(RefusedError) as caught:
        Webhook("chat", url)
    assert caught.value.fix


def test_a_letter_arrives_whole(letters: Letters) -> None:
    MailSender(mail_to(letters), lambda: None).send(MESSAGE)
    letter = message_from_bytes(letters.taken[0], policy=policy.default)
    assert letter["Subject"] == "[8.3.2] Perlmutter is down"
    assert letter["To"] == "ada@example.org, bob@example.org"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter.get_content().splitlines() == MESSAGE.text.splitlines()
    assert len(letters.to) == 2


def test_a_hostile_title_stays_a_title(letters: Letters) -> None:
    MailSender(mail_to(letters), lambda: None).send(HOSTILE)
    letter = message_from_bytes(letters.taken[0], policy=policy.default)
    assert letter["Bcc"] is None
    assert letter["Subject"] == "[8.3.2] a Bcc: x@y . b"
    assert "QUIT" in letter.get_content()
    assert len(letters.to) == 2
    assert letter_of(HOSTILE, mail_to(letters, tag=""))["Subject"] == "a Bcc: x@y . b"


def test_an_account_needs_its_password(letters: Letters) -> None:
    mail = mail_to(letters, user="ct")
    with pytest.raises(NeedsPersonError, match="alsct agent secret notify-crew"):
        MailSender(mail, lambda: None).send(MESSAGE)
    MailSender(mail, lambda: CANARY).send(MESSAGE)
    assert len(letters.taken) == 1
    letters.offers = []
    with pytest.raises(RefusedError, match="takes no accounts"):
        MailSender(mail_to(letters, user="ct"), lambda: CANARY).send(MESSAGE)
    letters.offers = ["AUTH PLAIN"]
    letters.refuses = {"AUTH": "535 no"}
    with pytest.raises(NeedsPersonError) as caught:
        MailSender(mail, lambda: CANARY).send(MESSAGE)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("refuses", "error"),
    [({"MAIL": "550 no"}, RefusedError), ({"MAIL": "451 later"}, LinkDownError),
     ({"RCPT": "550 who"}, RefusedError), ({"RCPT": "450 busy"}, LinkDownError),
     ({"DATA": "554 spam"}, RefusedError), ({"EHLO": "421 later", "HELO": "421 later"},
                                            LinkDownError)],
)  # fmt: skip
def test_a_mail_server_that_does_not_take_it(
    letters: Letters, refuses: dict[str, str], error: type[Exception]
) -> None:
    letters.refuses = refuses
    with pytest.raises(error):
        MailSender(mail_to(letters), lambda: None).send(MESSAGE)
    assert letters.taken == []


def test_without_encryption_nothing_is_sent_unless_that_is_meant(letters: Letters) -> None:
    with pytest.raises(RefusedError, match="no encryption"):
        MailSender(mail_to(letters, encrypt=True), lambda: None).send(MESSAGE)
    assert letters.taken == []
    with pytest.raises(LinkDownError):
        MailSender(mail_to(letters, port=closed_port()), lambda: None).send(MESSAGE)


def test_the_post_room_tries_again_and_nobody_waits(hooks: Hooks) -> None:
    said: list[str] = []
    failed = threading.Event()

    def say(sentence: str) -> None:
        said.append(sentence)
        failed.set()

    hooks.statuses = [503, 200, 404]
    now_s = [MESSAGE.time_s]
    with Post((Webhook("chat", hooks.url),), say, lambda: now_s[0]) as post:
        post.put(MESSAGE)
        assert failed.wait(WAIT_S)
        now_s[0] += 61  # the way is tried again
        post.put(Message("Perlmutter is back", "", now_s[0]))
        hooks.until(3)
        post.put(Message("Done", "", now_s[0]))
        hooks.until(4)
    titles = [body["title"] for _, body in hooks.taken]
    assert titles == [
        "Perlmutter is down", "Perlmutter is down", "Perlmutter is back", "Done",
    ]  # fmt: skip
    assert len(said) == 2
    assert said[1].endswith("Not told: Perlmutter is back.")
    assert CANARY not in "".join(said)


def test_what_is_old_is_not_told(hooks: Hooks) -> None:
    said: list[str] = []
    with Post((Webhook("chat", hooks.url),), said.append) as post:
        post.put(MESSAGE.__class__("Old", "", 1.0))
        post.put(Message("New", "", 4e9))
        hooks.until(1)
    assert [body["title"] for _, body in hooks.taken] == ["New"]
    assert "Too old" in said[0]


def test_ways_are_made_from_the_profile(tmp_path: Path, hooks: Hooks, letters: Letters) -> None:
    secrets = FileCredentials(tmp_path / "secrets")
    secrets.put("notify-chat", hooks.url)
    secrets.put("notify-crew", CANARY)
    notify = Notify(
        (HookAddress("chat"), HookAddress("log", hooks.url)), (mail_to(letters, user="ct"),)
    )
    ways = senders_of(notify, lambda: secrets)
    assert [way.name for way in ways] == ["chat", "log", "crew"]
    for way in ways:
        way.send(MESSAGE)
    assert (len(hooks.taken), len(letters.taken)) == (2, 1)
    with pytest.raises(RefusedError):
        senders_of(Notify((HookAddress("none"),)), lambda: secrets)
    assert senders_of(Notify(), lambda: pytest.fail("no secret is needed")) == ()
