"""Webhook, e-mail and the post room against real servers on loopback."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from alsct_gui.model.message import Message
from alsct_gui.model.notify import HookAddress, Mail, Notify
from alsct_gui.superfacility.credentials import FileCredentials
from alsct_gui.superfacility.errors import LinkDownError, NeedsPersonError, RefusedError
from alsct_gui.superfacility.notify.mail import MailSender, letter_of
from alsct_gui.superfacility.notify.post import PERSON_S, RETRY_S, Post, ways_of
from alsct_gui.superfacility.notify.webhook import Webhook
from tests.superfacility.notify.servers import CANARY, WAIT_S, Hooks, Letters, serving

MESSAGE = Message("Perlmutter is down", "maintenance\nuntil 18:00 — über", 1_800_000_000.0, True)
HOSTILE = Message("a\r\nBcc: x@y\n.\r\nb", ".\r\nQUIT\r\n.." + "é" * 300, 1.0)


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


def test_the_post_room_tells_how_it_went_and_nobody_waits(hooks: Hooks, letters: Letters) -> None:
    hooks.statuses = [503, 200, 404]
    letters.refuses = {"AUTH": "535 no"}
    mail = MailSender(mail_to(letters, user="ct"), lambda: CANARY)
    with Post({"chat": lambda: Webhook("chat", hooks.url), "crew": lambda: mail}) as post:
        assert post.ways == ("chat", "crew")
        for _ in range(3):
            post.put("chat", MESSAGE)
        post.put("crew", MESSAGE)
        assert post.settle(WAIT_S)
        busy, sent, refused, person = post.outcomes()
        assert post.outcomes() == ()
    assert (busy.way, busy.message, busy.again_s) == ("chat", MESSAGE, RETRY_S)
    assert "503" in busy.why
    assert (sent.why, sent.again_s) == ("", None)
    assert ("404" in refused.why, refused.again_s) == (True, None)
    assert (person.way, person.again_s) == ("crew", PERSON_S)
    assert CANARY not in "".join(outcome.why for outcome in (busy, refused, person))


def test_a_way_that_cannot_be_built_is_built_later(tmp_path: Path, hooks: Hooks) -> None:
    secrets = FileCredentials(tmp_path / "secrets")
    ways = ways_of(Notify((HookAddress("chat"),)), lambda: secrets)
    with Post(ways) as post:
        post.put("chat", MESSAGE)
        assert post.settle(WAIT_S)
        (lacking,) = post.outcomes()
        assert lacking.again_s == RETRY_S
        assert "notify: chat" in lacking.why
        secrets.put("notify-chat", hooks.url)
        post.put("chat", MESSAGE)
        assert post.settle(WAIT_S)
        assert [outcome.why for outcome in post.outcomes()] == [""]
    assert len(hooks.taken) == 1


def test_a_mistake_in_a_way_is_told_and_stops_nothing(hooks: Hooks) -> None:
    class Broken:
        name = "broken"

        def send(self, message: Message) -> None:
            raise ZeroDivisionError(CANARY)

    with Post({"broken": Broken, "chat": lambda: Webhook("chat", hooks.url)}) as post:
        post.put("broken", MESSAGE)
        post.put("chat", MESSAGE)
        assert post.settle(WAIT_S)
        broken, sent = post.outcomes()
    assert broken.why == "broken: a mistake in the program (ZeroDivisionError)."
    assert (broken.again_s, sent.why, len(hooks.taken)) == (None, "", 1)


def test_ways_are_made_from_the_profile(tmp_path: Path, hooks: Hooks, letters: Letters) -> None:
    secrets = FileCredentials(tmp_path / "secrets")
    secrets.put("notify-chat", hooks.url)
    secrets.put("notify-crew", CANARY)
    notify = Notify(
        (HookAddress("chat"), HookAddress("log", hooks.url)), (mail_to(letters, user="ct"),)
    )
    ways = ways_of(notify, lambda: secrets)
    assert list(ways) == ["chat", "log", "crew"]
    for name, way in ways.items():
        sender = way()
        assert sender.name == name
        sender.send(MESSAGE)
    assert (len(hooks.taken), len(letters.taken)) == (2, 1)
    none = ways_of(Notify((HookAddress("none"),)), lambda: secrets)
    with pytest.raises(RefusedError):
        none["none"]()
    assert ways_of(Notify(), lambda: pytest.fail("no secret is needed")) == {}
