"""The stand-in for Globus, asked by the bare library: files, rules of submission, memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from globus_sdk import (
    AccessTokenAuthorizer,
    ConfidentialAppAuthClient,
    TransferAPIError,
    TransferClient,
    TransferData,
)
from globus_sdk.transport import RetryConfig

from alsct_gui.simulator.facility.auth import TRANSFER_SCOPE
from alsct_gui.simulator.facility.clock import ManualClock
from alsct_gui.simulator.facility.faults import FaultDesk
from alsct_gui.simulator.facility.globus import Globus, collection_id

HERE, THERE = collection_id("here"), collection_id("there")


class Stand:
    """The stand-in on two folders."""

    def __init__(self, path: Path) -> None:
        self.path, self.clock = path, ManualClock()
        for name in ("here", "there"):
            (path / name).mkdir()

    @contextmanager
    def running(self, ports: tuple[int, int] = (0, 0)) -> Iterator[Globus]:
        folders = {name: self.path / name for name in ("here", "there")}
        memory = self.path / "memory.json"
        with Globus(
            folders, FaultDesk(self.clock), rate_bytes_per_s=10.0, memory=memory, ports=ports
        ) as globus:
            globus.add_client("c", "s")
            yield globus

    @contextmanager
    def client(self, globus: Globus, token: str | None = None) -> Iterator[TransferClient]:
        url = globus.transfer_server.url + "/"
        given = AccessTokenAuthorizer(token or self.token(globus))
        with TransferClient(
            base_url=url, authorizer=given, retry_config=RetryConfig(max_retries=0)
        ) as client:
            yield client

    def token(self, globus: Globus) -> str:
        with ConfidentialAppAuthClient("c", "s", base_url=globus.auth_server.url + "/") as auth:
            answer = auth.oauth2_client_credentials_tokens(requested_scopes=TRANSFER_SCOPE)
            return str(answer.by_resource_server["transfer.api.globus.org"]["access_token"])


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    return Stand(tmp_path)


def refused(error: pytest.ExceptionInfo[TransferAPIError]) -> tuple[int, str | None]:
    return error.value.http_status, error.value.code


def test_files_are_listed_made_and_renamed(stand: Stand) -> None:
    (stand.path / "here" / "a b").write_bytes(b"123")
    with stand.running() as globus, stand.client(globus) as client:
        client.operation_mkdir(HERE, "/sub $(x)")
        client.operation_rename(HERE, "/a b", "/sub $(x)/ü\n")
        rows = {row["name"]: row["size"] for row in client.operation_ls(HERE, "/sub $(x)/")}
        assert rows == {"ü\n": 3}
        assert client.operation_stat(HERE, "/sub $(x)/ü\n")["type"] == "file"
        assert client.get_endpoint(HERE)["display_name"] == "here"


def test_what_is_wrong_is_answered_as_globus_does(stand: Stand) -> None:
    (stand.path / "here" / "a").write_bytes(b"1")
    (stand.path / "here" / "b").write_bytes(b"1")
    with stand.running() as globus, stand.client(globus) as client:
        for call, expected in [
            (lambda: client.operation_stat(HERE, "/missing"), (404, "ClientError.NotFound")),
            (lambda: client.operation_ls(HERE, "/../there"), (403, "EndpointPermissionDenied")),
            (lambda: client.operation_ls("x", "/"), (404, "EndpointNotFound")),
            (lambda: client.operation_mkdir(HERE, "/a"), (502, "ExternalError.MkdirFailed.Exists")),
            (
                lambda: client.operation_rename(HERE, "/a", "/b"),
                (502, "ExternalError.RenameFailed.Exists"),
            ),
            (lambda: client.get_task("none"), (404, "ClientError.NotFound")),
        ]:
            with pytest.raises(TransferAPIError) as error:
                call()
            assert refused(error) == expected
    with stand.running() as globus, stand.client(globus, "stranger") as client:
        with pytest.raises(TransferAPIError) as error:
            client.get_submission_id()
        assert refused(error) == (401, "AuthenticationFailed")


def test_a_transfer_of_nothing_and_a_long_label_are_refused(stand: Stand) -> None:
    with stand.running() as globus, stand.client(globus) as client:
        with pytest.raises(TransferAPIError) as error:
            client.submit_transfer(TransferData(HERE, THERE))
        assert refused(error) == (400, "ClientError.BadRequest.NoTransferItems")
        long = TransferData(HERE, THERE, label="x" * 129)
        long.add_item("/a", "/a")
        with pytest.raises(TransferAPIError):
            client.submit_transfer(long)


def test_killed_and_started_again_it_remembers(stand: Stand) -> None:
    """The same submission is the same task, tokens are good, and half a file is gone on with."""
    (stand.path / "here" / "a").write_bytes(b"x" * 40)
    data = TransferData(HERE, THERE, verify_checksum=True)
    data.add_item("/a", "/sub/a")
    with stand.running() as globus:
        ports = globus.transfer_server.port, globus.auth_server.port
        token = stand.token(globus)
        with stand.client(globus, token) as client:
            data["submission_id"] = client.get_submission_id()["value"]
            task = client.submit_transfer(data)["task_id"]
            stand.clock.advance(2)
            assert client.get_task(task)["bytes_transferred"] == 20
    with stand.running(ports) as globus, stand.client(globus, token) as client:
        again = client.submit_transfer(data)
        assert (again["code"], again["task_id"]) == ("Duplicate", task)
        stand.clock.advance(10)
        assert client.get_task(task)["status"] == "SUCCEEDED"
        codes = [row["code"] for row in client.task_event_list(task)]
        assert codes == ["SUCCEEDED", "STARTED"]
        moved = [row["destination_path"] for row in client.task_successful_transfers(task)]
        assert moved == ["/sub/a"]
        assert list(globus.mover.written.values()) == [1]
    assert (stand.path / "there" / "sub" / "a").read_bytes() == b"x" * 40
