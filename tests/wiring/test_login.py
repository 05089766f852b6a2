"""A person logs in to Globus from the window or a terminal, and what waited for it goes on."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace

import pytest
import requests

from alsct_gui.files.plaintext import write_plain
from alsct_gui.model.codec import to_plain
from alsct_gui.model.errors import CancelledError, UsageError
from alsct_gui.model.placement import GoalKey
from alsct_gui.model.policy import Product
from alsct_gui.placement.events import EventKind
from alsct_gui.placement.starting import log_in as log_in_process
from alsct_gui.simulator.facility.globus import collection_id
from alsct_gui.superfacility.credentials import FileCredentials
from alsct_gui.superfacility.errors import NeedsPersonError
from alsct_gui.superfacility.transfer.globus_login import Patience
from alsct_gui.wiring.login import log_in, waits_for_login
from tests.superfacility.transfer.conftest import PERSON_CLIENT
from tests.wiring.conftest import Stage

QUICK = Patience(http_s=2.0, call_s=8.0, login_s=8.0, retries=1, backoff_s=0.0)
YES = "requests.get(address, timeout=10).raise_for_status()"
NO = """
asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))
requests.get(asked["redirect_uri"] + "/?error=access_denied", timeout=10)
"""
LATER = "open(sys.argv[0] + '.shown', 'w').close()"


@pytest.fixture
def person(stage: Stage) -> Stage:
    """A beamline whose transfers are a person's."""
    known = replace(stage.place.profile.globus, account="person", client_id=PERSON_CLIENT)
    stage.place.profile = replace(stage.place.profile, globus=known)
    return stage


def test_a_login_gives_the_consents_of_all_places_too(person: Stage) -> None:
    person.globus.collections[collection_id("nersc832_alsdev_raw")].data_access = True
    person.globus.collections[collection_id("data832_raw")].data_access = True
    secrets = FileCredentials(person.place.root / "secrets")
    pages: list[str] = []

    def browser(address: str) -> None:
        pages.append(address)
        requests.get(address, timeout=10).raise_for_status()

    reached = log_in(
        person.place.profile, person.place.policy, secrets, open_page=browser, patience=QUICK
    )
    assert len(pages) == 2
    assert {place.place: place.trouble for place in reached} == dict.fromkeys(
        ("raw", "cfs", "recon", "back"), ""
    )


def test_a_place_that_is_not_allowed_is_named_with_its_reason(person: Stage) -> None:
    gone = replace(
        person.place.profile.collections[0], name="data832_raw", uuid=collection_id("nobody")
    )
    others = [c for c in person.place.profile.collections if c.name != "data832_raw"]
    profile = replace(person.place.profile, collections=(*others, replace(gone, root="")))
    secrets = FileCredentials(person.place.root / "secrets")
    reached = log_in(profile, person.place.policy, secrets, ask_code=_copied, patience=QUICK)
    troubles = {place.place: place.trouble for place in reached}
    assert "does not find it" in troubles["raw"]
    assert troubles["cfs"] == ""


def test_where_no_person_is_needed_it_says_so(stage: Stage) -> None:
    secrets = FileCredentials(stage.place.root / "secrets")
    with pytest.raises(UsageError, match="by itself"):
        log_in(stage.place.profile, stage.place.policy, secrets)
    nobody = replace(stage.place.profile.globus, client_id="")
    with pytest.raises(UsageError, match="not set up"):
        log_in(replace(stage.place.profile, globus=nobody), stage.place.policy, secrets)


def test_the_windows_login_lets_waiting_goals_be_tried_again(
    person: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = person.begin()
    life.turn()
    (scan,) = life.observed.scans
    at_nersc = GoalKey(scan, Product.RAW, "cfs").text
    assert life.observed.goals[at_nersc].state.cause == "a login is needed"
    with person.place.ledger() as ledger:
        assert at_nersc in waits_for_login(ledger.observed(), person.place.policy)
    _run_login(person, monkeypatch, YES, threading.Event())
    with person.place.ledger() as ledger:
        (*_, last) = (item for item in ledger.tail(0) if at_nersc in item.keys)
    assert (last.kind, last.data["what"]) == (EventKind.ASKED, "retry")
    secrets = FileCredentials(person.place.root / "secrets")
    assert secrets.get(f"globus-person-{PERSON_CLIENT}") is not None


def test_a_login_that_is_refused_says_why(person: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NeedsPersonError, match="access_denied"):
        _run_login(person, monkeypatch, NO, threading.Event())


def test_a_login_that_is_given_up_leaves_no_process(
    person: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_up = threading.Event()
    shown = person.place.root / "browser.shown"

    def give_up() -> None:
        while not shown.exists() and not given_up.wait(0.02):
            pass
        given_up.set()

    watch = threading.Thread(target=give_up)
    watch.start()
    try:
        with pytest.raises(CancelledError):
            _run_login(person, monkeypatch, LATER, given_up)
        assert shown.exists()
    finally:
        given_up.set()
        watch.join()


def _run_login(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, does: str, given_up: threading.Event
) -> None:
    """Run the window's login with a browser that does something with the page."""
    browser = stage.place.root / "browser"
    head = "import sys, urllib.parse, requests\naddress = sys.argv[1]\n"
    browser.write_text(f"#!{sys.executable}\n{head}{does}\n")
    browser.chmod(0o700)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    monkeypatch.setenv("ALSCT_SECRETS", str(stage.place.root / "secrets"))
    profile, policy = stage.place.root / "profile.json", stage.place.root / "policy.json"
    write_plain(profile, to_plain(stage.place.profile))
    write_plain(policy, to_plain(replace(stage.place.policy, recipes={})))
    log_in_process(stage.place.ledger_path, str(policy), str(profile), given_up)


def _copied(address: str) -> str:
    return str(requests.get(address, timeout=10).json()["code"])
