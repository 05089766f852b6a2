"""`alsct agent` as processes: it works, is killed, is one, and is told what to do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from alsct_gui.model.placement import ScanFacts
from alsct_gui.placement.events import EventKind, event, lean
from alsct_gui.placement.ledger import Ledger
from alsct_gui.placement.onlyone import agent_pid
from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.write import simulate_scan
from tests.cli.conftest import Alsct
from tests.placement.conftest import wait_until
from tests.superfacility.notify.servers import Hooks, Letters, serving

WAIT_S = 60


@pytest.fixture
def facility(tmp_path: Path) -> Path:
    """A folder of raw files, a folder for copies, and a wish that nobody can fulfil."""
    for name in ("raw", "mirror"):
        (tmp_path / name).mkdir()
    policy = {
        "name": "test",
        "sites": [{"name": "here", "outside": False}, {"name": "nersc"}],
        "lanes": [
            {"name": "here", "active": 4, "poll_s": 0.1},
            {"name": "disk", "poll_s": 0.1},
            {"name": "globus"},
        ],
        "places": [
            {"name": "raw", "site": "here", "lane": "here", "root": str(tmp_path / "raw")},
            {"name": "mirror", "site": "here", "lane": "disk", "root": str(tmp_path / "mirror")},
            {"name": "cfs", "site": "nersc", "lane": "globus", "links": ["globus"]},
        ],
        "admitted": "raw",
        "wishes": [{"name": "raw", "product": "raw", "places": ["mirror", "cfs"]}],
    }
    (tmp_path / "policy.yaml").write_text(yaml.safe_dump(policy))
    return tmp_path


Start = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def start(facility: Path) -> Iterator[Start]:
    """Start agents; those that still live at the end are ended."""
    started: list[subprocess.Popen[bytes]] = []

    def call() -> subprocess.Popen[bytes]:
        words = ["agent", "run", "--ledger", str(facility / "ledger"), "--policy",
                 str(facility / "policy.yaml"), "--runs", str(facility / "runs")]  # fmt: skip
        code = "import sys; from alsct_gui.cli import main; main()"
        process = subprocess.Popen([sys.executable, "-c", code, *words], stderr=subprocess.DEVNULL)
        started.append(process)
        wait_until(
            lambda: agent_pid(facility / "ledger") == process.pid or process.poll() is not None,
            "the agent has begun",
        )
        return process

    yield call
    for process in started:
        process.kill()
        process.wait()


def status(alsct: Alsct, facility: Path) -> dict[str, Any]:
    return alsct("agent", "status", "--ledger", facility / "ledger", "--json").data


def test_an_agent_lives_dies_and_is_followed_by_another(
    facility: Path, start: Start, alsct: Alsct
) -> None:
    spec = SimulationSpec(n_columns=32, n_rows=4, n_angles=21)
    name = "a 'scan' $(x) é.h5"
    path = simulate_scan(facility / "raw" / name, spec)
    os.utime(path, (1e9, 1e9))  # nobody has written to it for long
    ledger = facility / "ledger"
    first = start()
    assert alsct("agent", "admit", path, "--ledger", ledger).code == 0
    wait_until(lambda: len(status(alsct, facility)["goals"]) == 3, "the scan is admitted")
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert status(alsct, facility)["pid"] is None
    second = start()
    assert status(alsct, facility)["pid"] == second.pid
    third = start()
    assert third.wait() == 2, "another agent works on this ledger"
    facts = status(alsct, facility)
    assert facts["scans"] == 1
    stands = {goal["key"].split("/")[2]: goal for goal in facts["goals"]}
    assert stands["raw"]["state"] == "met"
    wait_until(
        lambda: {g["state"] for g in status(alsct, facility)["goals"]} == {"met", "blocked"},
        "the copy is there, and for the other one there is no way",
    )
    assert (facility / "mirror" / name).read_bytes() == path.read_bytes()
    key = stands["cfs"]["key"]
    assert alsct("agent", "hold", key, "--ledger", ledger).code == 0
    wait_until(
        lambda: "you" in {g["waits_for"] for g in status(alsct, facility)["goals"]},
        "the agent has heard",
    )
    assert alsct("agent", "stop", "--ledger", ledger).code == 0
    assert second.wait() == 0
    assert alsct("agent", "stop", "--ledger", ledger).code == 2
    checked = alsct("agent", "check", "--ledger", ledger, "--policy", facility / "policy.yaml",
                    "--json")  # fmt: skip
    assert (checked.code, checked.data["violations"]) == (0, [])
    printed = alsct("agent", "status", "--ledger", ledger).out
    assert "does not run" in printed
    assert "held back by a person" in printed
    path.write_bytes(b"another")
    checked = alsct("agent", "check", "--ledger", ledger, "--policy", facility / "policy.yaml")
    assert checked.code == 8
    assert "raw-changed" in checked.out


def test_without_a_ledger_there_is_nothing_to_say(tmp_path: Path, alsct: Alsct) -> None:
    for words in (["status"], ["check"], ["hold", "x"]):
        answer = alsct("agent", *words, "--ledger", tmp_path / "absent")
        assert answer.code == 3
        assert "alsct agent run" in answer.err
    assert list(tmp_path.iterdir()) == []


def test_names_that_are_no_unicode_are_shown(tmp_path: Path, alsct: Alsct) -> None:
    ledger = tmp_path / "ledger"
    name = os.fsdecode(b"\xff\xfe.h5")
    assert alsct("agent", "admit", tmp_path / name, "--ledger", ledger).code == 0
    answer = alsct("agent", "status", "--ledger", ledger, "--json")
    assert answer.data["arrivals"][0]["path"].endswith("\\udcff\\udcfe.h5")
    assert json.loads(answer.out)["arrivals"][0]["state"] == "waiting"


def test_a_person_wants_and_takes_back(facility: Path, alsct: Alsct) -> None:
    path = facility / "raw" / "a b.h5"
    with Ledger(facility / "ledger") as opened:
        scan = ScanFacts("ab" * 32, str(path), 3, "0" * 64)
        opened.append([event(EventKind.SCAN, scan=lean(scan), path=scan.path)])

    def ask(*words: object) -> int:
        return alsct("agent", *words, "--ledger", facility / "ledger").code

    policy = ["--policy", facility / "policy.yaml"]
    assert ask("want", path, "--product", "raw", "--place", "mirror", *policy) == 0
    words = ["--product", "reconstruction", "--place", "mirror", "--recipe", "quick-look"]
    assert ask("want", "abab", *words, *policy) == 0
    assert ask("unwant", "abab", "--product", "raw", "--place", "mirror") == 0
    with Ledger(facility / "ledger") as opened:
        asked, recipes = opened.observed().asked["ab" * 16], opened.observed().recipes
    (mark,) = recipes
    assert asked.wanted == {f"/reconstruction/mirror/{mark}"}
    assert asked.unwanted == {"/raw/mirror/-"}
    assert recipes[mark]["name"] == "quick-look"
    wrong = [("want", "cdcd", "--product", "raw", "--place", "mirror", *policy),
             ("want", path, "--product", "tea", "--place", "mirror", *policy),
             ("want", path, "--product", "raw", "--place", "tape", *policy),
             ("want", path, "--product", "raw", "--place", "mirror", "--recipe", "noisy", *policy),
             ("unwant", path, "--product", "pruned", "--place", "raw")]  # fmt: skip
    assert [ask(*words) for words in wrong] == [2] * len(wrong)


def test_a_person_wants_an_analysis_and_takes_it_back(facility: Path, alsct: Alsct) -> None:
    (facility / "mine.py").write_text("OUTPUT = 'table'\n\ndef run(volume):\n    return {}\n")
    plain = yaml.safe_load((facility / "policy.yaml").read_text())
    analysis = {"name": "porosity", "step": "mine.py", "of": "quick-look"}
    (facility / "policy.yaml").write_text(yaml.safe_dump({**plain, "analyses": [analysis]}))
    scan = ScanFacts("ab" * 32, str(facility / "raw" / "a.h5"), 3, "0" * 64)
    with Ledger(facility / "ledger") as opened:
        opened.append([event(EventKind.SCAN, scan=lean(scan), path=scan.path)])
    where = ["--ledger", facility / "ledger", "--policy", facility / "policy.yaml"]
    words = ["abab", "--product", "analysis", "--place", "mirror"]
    assert alsct("agent", "want", *words, "--analysis", "porosity", *where).code == 0
    with Ledger(facility / "ledger") as opened:
        observed = opened.observed()
    (suffix,) = observed.asked["ab" * 16].wanted
    mark = suffix.rpartition("/")[2]
    assert observed.recipes[mark]["step"] == "own.mine"
    assert {plain["name"] for plain in observed.recipes.values()} == {"porosity", "quick-look"}
    assert alsct("agent", "unwant", *words, "--analysis", "porosity", *where).code == 0
    with Ledger(facility / "ledger") as opened:
        assert opened.observed().asked["ab" * 16].unwanted == {suffix}
    assert alsct("agent", "want", *words, *where).code == 2
    assert alsct("agent", "want", *words, "--analysis", "density", *where).code == 2


def test_a_trial_message_says_how_each_way_took_it(alsct: Alsct, tmp_path: Path) -> None:
    base = Path(__file__).parents[2] / "resources/profiles/als-8.3.2.yaml"
    plain = yaml.safe_load(base.read_text())
    with serving(Hooks()) as hooks, serving(Letters()) as letters:
        mail = {"name": "crew", "host": "127.0.0.1", "sender": "a@b.example", "encrypt": False,
                "recipients": ["c@d.example"], "port": letters.port}  # fmt: skip
        plain["notify"] = {"webhooks": [{"name": "chat", "url": hooks.url}], "mails": [mail]}
        profile = tmp_path / "profile.yaml"
        profile.write_text(yaml.safe_dump(plain))
        both = alsct("agent", "tell", "--profile", profile)
        hooks.statuses = [404]
        one = alsct("agent", "tell", "--profile", profile)
    assert (both.code, both.out.splitlines()) == (0, ["chat: sent", "crew: sent"])
    assert one.code == 1
    assert "the webhook answers 404" in one.out
    assert (len(hooks.taken), len(letters.taken)) == (2, 2)
    nobody = alsct("agent", "tell")
    assert nobody.code == 2
    assert "names nobody" in nobody.err


def test_ways_to_people_have_names_of_their_own(alsct: Alsct, tmp_path: Path) -> None:
    base = Path(__file__).parents[2] / "resources/profiles/als-8.3.2.yaml"
    plain = {
        **yaml.safe_load(base.read_text()),
        "notify": {"webhooks": [{"name": "a"}, {"name": "a"}]},
    }
    profile = tmp_path / "profile.yaml"
    profile.write_text(yaml.safe_dump(plain))
    refused = alsct("agent", "tell", "--profile", profile)
    assert refused.code == 4
    assert "'a' is there twice" in refused.err
