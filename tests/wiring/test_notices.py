"""From a profile to a message at a webhook and a mailbox, through the agent's own wiring."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from alsct_gui.files.profiles import load_profile
from alsct_gui.model.notify import HookAddress, Mail, Notify
from alsct_gui.model.placement import Health, LinkState
from alsct_gui.placement.agent import Agent
from alsct_gui.placement.ledger import Ledger
from alsct_gui.placement.policy import load_policy
from alsct_gui.superfacility.credentials import FileCredentials
from alsct_gui.wiring.agent import Wiring
from tests.placement.placing import Watch
from tests.superfacility.notify.servers import CANARY, WAIT_S, Hooks, Letters, serving


def test_an_agent_tells_those_whom_the_profile_names(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    watch, path = Watch(), tmp_path / "ledger.sqlite"
    secrets = FileCredentials(tmp_path / "secrets")
    with serving(Hooks()) as hooks, serving(Letters()) as letters:
        hooks.statuses = [404]
        secrets.put("notify-chat", hooks.url)
        mail = Mail("crew", "127.0.0.1", "a@b.example", ("c@b.example",), letters.port,
                    encrypt=False)  # fmt: skip
        profile = replace(load_profile(), notify=Notify((HookAddress("chat"),), (mail,)))
        down = {"perlmutter": Health("perlmutter", LinkState.DOWN, watch())}
        wiring = Wiring(profile, load_policy(), path, runs=tmp_path / "runs",
                        secrets=lambda: secrets, clock=watch)  # fmt: skip
        with Ledger(path, clock=watch) as ledger, wiring._post:
            services = replace(wiring.services, health=lambda: down)
            agent = Agent(ledger, services)
            agent.turn()
            assert (hooks.taken, letters.taken) == ([], []), "it has to last for a minute"
            watch.advance(61.0)
            for _ in range(2):
                agent.turn()
                assert wiring._post.settle(WAIT_S)
                watch.advance(5.0)
            notes = ledger.notes()
    assert [body["title"] for _, body in hooks.taken] == ["Perlmutter is down"]
    assert b"Subject: [8.3.2] Perlmutter is down" in letters.taken[0]
    assert CANARY not in str(notes)
    log = capfd.readouterr().err
    assert log.startswith("alsct agent: notify: chat: the webhook answers 404.")
    assert log.endswith("Not told: Perlmutter is down.\n")
    assert CANARY not in log


def test_an_agent_for_one_owner_tells_nobody(tmp_path: Path) -> None:
    watch, path = Watch(), tmp_path / "ledger.sqlite"
    with serving(Hooks()) as hooks:
        profile = replace(load_profile(), notify=Notify((HookAddress("chat", hooks.url),)))
        wiring = Wiring(profile, load_policy(), path, runs=tmp_path / "runs", clock=watch)
        down = {"perlmutter": Health("perlmutter", LinkState.DOWN, watch() - 999)}
        with Ledger(path, clock=watch) as ledger, wiring._post:
            agent = Agent(ledger, replace(wiring.services, health=lambda: down), owner="prefect")
            agent.turn()
            assert wiring._post.settle(WAIT_S)
    assert hooks.taken == []
