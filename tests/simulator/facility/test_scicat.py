"""The stand-in for SciCat answers as the real backend does: rights, names, errors, filters."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
import requests

from alsct_gui.simulator.facility.clock import ManualClock
from alsct_gui.simulator.facility.faults import FaultDesk
from alsct_gui.simulator.facility.scicat import TOKEN_LIFE_S, ScicatStandIn
from alsct_gui.simulator.facility.scicat_rules import User

PID = "20.500.12345/a b"
ADMIN = User("admin", "pw-admin", ("staff",), admin=True, deletes=True)
HELPER = User("helper", "pw-helper", ("832",), privileged=True)
MEMBER = User("member", "pw-member", ("BLS-1",))
RAW = {
    "pid": PID, "type": "raw", "ownerGroup": "BLS-1", "owner": "Ada", "datasetName": "a",
    "contactEmail": "a@b.org", "sourceFolder": "/raw/", "creationTime": "2026-02-03T04:05:06Z",
    "principalInvestigator": "Ada", "creationLocation": "/ALS/8.3.2", "proposalId": "BLS-1",
    "scientificMetadata": {"/a/b.c": {"value": 2.0, "unit": "mm"}, "list": [1, 2]},
}  # fmt: skip
Ask = Callable[..., requests.Response]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def service(clock: ManualClock) -> Iterator[ScicatStandIn]:
    with ScicatStandIn(FaultDesk(clock), users=(ADMIN, HELPER, MEMBER)) as service:
        yield service


@pytest.fixture
def ask(service: ScicatStandIn) -> Iterator[Ask]:
    """Ask as somebody, or as a stranger."""
    tokens: dict[str, str] = {}
    with requests.Session() as session:

        def call(method: str, path: str, user: User | None = ADMIN, **more: Any) -> Any:
            headers = {}
            if user is not None:
                if user.name not in tokens:
                    words = {"username": user.name, "password": user.password}
                    answer = session.post(f"{service.url}/v3/auth/login", json=words, timeout=5)
                    assert answer.status_code == 201
                    tokens[user.name] = answer.json()["id"]
                headers["Authorization"] = f"Bearer {tokens[user.name]}"
            return session.request(
                method, f"{service.url}/{path}", headers=headers, timeout=5, **more
            )

        yield call


def path_of(api: str = "v3") -> str:
    return f"{api}/datasets/{quote(PID, safe='')}"


def v4(body: dict[str, Any]) -> dict[str, Any]:
    plain = {k: v for k, v in body.items() if k not in ("principalInvestigator", "proposalId")}
    return {**plain, "principalInvestigators": ["Ada"], "proposalIds": ["BLS-1"]}


def test_versions_tell_the_same_dataset_under_other_names(ask: Ask) -> None:
    made = ask("POST", "v3/datasets", json=RAW)
    assert made.status_code == 201
    old, new = ask("GET", path_of("v3")).json(), ask("GET", path_of("v4")).json()
    assert (old["proposalId"], old["principalInvestigator"]) == ("BLS-1", "Ada")
    assert (new["proposalIds"], new["principalInvestigators"]) == (["BLS-1"], ["Ada"])
    assert new["sourceFolder"] == "/raw"
    assert new["isPublished"] is False
    assert new["scientificMetadata"]["/a/b.c"] == {
        "value": 2.0, "unit": "mm", "valueSI": 0.002, "unitSI": "m",
    }  # fmt: skip
    assert new["scientificMetadata"]["list"] == [1, 2]


def test_a_key_is_taken_once_and_its_slash_must_be_encoded(ask: Ask) -> None:
    assert ask("POST", "v4/datasets", json=v4(RAW)).status_code == 201
    again = ask("POST", "v3/datasets", json=RAW)
    assert (again.status_code, again.json()["error"]) == (409, "Conflict")
    assert ask("GET", f"v3/datasets/{PID}").status_code == 404
    assert ask("GET", f"v3/datasets/{quote('p/other', safe='')}").status_code == 404
    without = ask("POST", "v3/datasets", json={k: v for k, v in RAW.items() if k != "pid"})
    assert "/" in without.json()["pid"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"surprise": 1}, "property surprise should not exist"),
        ({"contactEmail": "nobody"}, "contactEmail"),
        ({"creationTime": "yesterday"}, "creationTime"),
        ({"ownerGroup": None}, "ownerGroup"),
        ({"keywords": "a"}, "keywords"),
        ({"size": "1"}, "size"),
        ({"isPublished": "no"}, "isPublished"),
        ({"scientificMetadata": []}, "scientificMetadata"),
        ({"techniques": 1}, "techniques"),
        ({"type": "cooked"}, "Invalid dataset type"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_with_words(
    ask: Ask, service: ScicatStandIn, change: dict[str, Any], word: str
) -> None:
    answer = ask("POST", "v3/datasets", json={**RAW, **change})
    assert answer.status_code == 400
    assert word in str(answer.json()["message"])
    assert service.datasets == {}


def test_derived_datasets_have_other_fields_in_the_older_version(ask: Ask) -> None:
    body = {k: v for k, v in RAW.items() if k not in ("principalInvestigator", "creationLocation")}
    body |= {"type": "derived", "investigator": "Ada", "inputDatasets": ["p/1"]}
    assert "usedSoftware" in ask("POST", "v3/datasets", json=body).text
    body["usedSoftware"] = ["alsct"]
    assert "dataFormat" in ask("POST", "v3/datasets", json={**body, "dataFormat": "x"}).text
    assert ask("POST", "v3/datasets", json=body).status_code == 201
    assert ask("GET", path_of()).json()["principalInvestigator"] == "Ada"


def test_who_may_do_what(ask: Ask, service: ScicatStandIn) -> None:
    assert ask("POST", "v3/datasets", None, json=RAW).status_code == 403
    assert ask("POST", "v3/datasets", MEMBER, json=RAW).status_code == 403
    assert ask("POST", "v3/datasets", HELPER, json=RAW).status_code == 201
    for user, read, change in ((None, 403, 403), (HELPER, 403, 403), (MEMBER, 200, 200)):
        assert ask("GET", path_of(), user).status_code == read
        assert ask("PATCH", path_of(), user, json={"comment": "x"}).status_code == change
        assert ask("DELETE", path_of(), user).status_code == 403
        assert len(ask("GET", "v3/datasets", user).json()) == (1 if read == 200 else 0)
    service.datasets[PID]["isPublished"] = True
    assert ask("GET", path_of(), None).status_code == 200
    assert ask("DELETE", path_of()).status_code == 200
    assert ask("DELETE", path_of()).status_code == 404


def test_a_token_that_is_over_makes_a_stranger(
    ask: Ask, service: ScicatStandIn, clock: ManualClock
) -> None:
    ask("POST", "v3/datasets", json=RAW)
    clock.advance(TOKEN_LIFE_S + 1)
    assert ask("GET", path_of()).status_code == 403
    wrong = {"username": "admin", "password": "wrong"}
    answer = requests.post(f"{service.url}/v3/auth/login", json=wrong, timeout=5)
    assert (answer.status_code, answer.json()["message"]) == (401, "Unauthorized")
    answer.close()


def test_a_change_keeps_the_rest_and_a_replacement_does_not(ask: Ask) -> None:
    ask("POST", "v3/datasets", json={**RAW, "description": "old"})
    assert ask("PATCH", path_of(), json={"keywords": ["a"]}).json()["description"] == "old"
    assert ask("PATCH", path_of(), json={"pid": "p/2"}).status_code == 400
    half = {"scientificMetadata": {"/a/b.c": {"value": 1.0}}}
    assert "Please provide both" in ask("PATCH", path_of("v4"), json=half).text
    body = {k: v for k, v in RAW.items() if k not in ("pid", "type")}
    replaced = ask("PUT", path_of(), json=body).json()
    assert "description" not in replaced
    assert replaced["pid"] == PID


def test_filters_find_by_field(ask: Ask) -> None:
    for number in range(12):
        ask("POST", "v3/datasets", json={**RAW, "pid": f"p/{number}", "owner": f"o{number % 2}"})
    where = {"filter": json.dumps({"where": {"owner": "o1"}, "limits": {"limit": 3}})}
    assert [row["owner"] for row in ask("GET", "v3/datasets", params=where).json()] == ["o1"] * 3
    words = {"fields": json.dumps({"proposalIds": "BLS-1"}), "limits": '{"limit": 2}'}
    assert len(ask("GET", "v3/datasets/fullquery", params=words).json()) == 2
    assert len(ask("GET", "v3/datasets").json()) == 12
    assert len(ask("GET", "v4/datasets").json()) == 10  # unless it is asked for more
    assert ask("GET", "v3/datasets", params={"filter": "{"}).status_code == 400
    assert ask("GET", "v3/datasets", params={"filter": "[]"}).status_code == 400


def test_lists_of_files_are_counted_and_the_older_way_counts_twice(
    ask: Ask, service: ScicatStandIn
) -> None:
    ask("POST", "v3/datasets", json={**RAW, "size": 7})
    block = {"size": 7, "chkAlg": "sha256", "dataFileList": [
        {"path": "a", "size": 7, "time": "2026-02-03T04:05:06Z", "chk": "00"}]}  # fmt: skip
    assert ask("POST", f"{path_of()}/origdatablocks", json=block).status_code == 201
    assert service.datasets[PID]["size"] == 14
    made = ask("POST", "v4/origdatablocks", json={**block, "datasetId": PID}).json()
    assert (service.datasets[PID]["size"], service.datasets[PID]["numberOfFiles"]) == (14, 2)
    assert made["ownerGroup"] == "BLS-1"
    number = made["_id"]
    assert ask("PATCH", f"v3/origdatablocks/{number}", json={"size": 9}).json()["size"] == 9
    assert ask("GET", f"v3/origdatablocks/{number}").json()["size"] == 9
    assert ask("PATCH", f"v3/origdatablocks/{number}", json={"dataFileList": []}).status_code == 400
    assert ask("DELETE", f"v3/origdatablocks/{number}", MEMBER).status_code == 403
    assert ask("DELETE", f"v3/origdatablocks/{number}").status_code == 200
    assert ask("DELETE", f"v3/origdatablocks/{number}").status_code == 404
    assert service.datasets[PID]["size"] == 7
    where = {"filter": json.dumps({"where": {"datasetId": PID}})}
    assert len(ask("GET", "v4/origdatablocks", params=where).json()) == 1
    assert ask("GET", "v4/origdatablocks", None, params=where).json() == []
    included = ask("GET", path_of("v4"), params={"include": "origdatablocks"}).json()
    assert len(included["origdatablocks"]) == 1
    assert len(ask("GET", f"{path_of()}/origdatablocks").json()) == 1
    assert ask("GET", f"{path_of()}/origdatablocks", None).status_code == 403
    absent = ask("POST", "v3/origdatablocks", json={**block, "datasetId": "p/9"})
    assert absent.status_code == 404


@pytest.mark.parametrize("path", ["v3", "v5/datasets", "v3/nothing", "v3/auth/msad", "x"])
def test_what_is_not_there_is_not_found(ask: Ask, path: str) -> None:
    assert ask("GET", path, None).status_code == 404
