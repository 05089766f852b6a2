"""One real Prefect server for all tests here, with its database in a folder of the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from alsct_gui.simulator.facility.faults import FaultDesk
from alsct_gui.simulator.facility.http import Server
from alsct_gui.simulator.facility.prefect import PrefectServer, prefect_is_there, prefect_line
from alsct_gui.superfacility.orchestrator.prefect import Prefect, PrefectAccess


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    """Prefect's own server on SQLite."""
    if not prefect_is_there():
        pytest.skip("prefect is not installed")
    with PrefectServer(tmp_path_factory.mktemp("prefect")) as started:
        yield started


@pytest.fixture
def desk() -> FaultDesk:
    """Faults of the line."""
    return FaultDesk()


@pytest.fixture
def line(server: PrefectServer, desk: FaultDesk) -> Iterator[Server]:
    """The line between us and the server."""
    with prefect_line(server.port, desk) as started:
        yield started
        desk.clear()


@pytest.fixture
def prefect(line: Server) -> Prefect:
    """Ours, over the line."""
    return Prefect(PrefectAccess(f"{line.url}/api", key="canary-7c1d", http_s=3.0, call_s=15.0))


@pytest.fixture(scope="session")
def deployment(server: PrefectServer) -> str:
    """The beamline's deployment, as it is registered there."""
    from prefect.client.orchestration import SyncPrefectClient

    schema = {
        "type": "object",
        "properties": {
            "file_path": {"type": "string"},
            "is_export_control": {"type": "boolean"},
            "send_to_nersc": {"type": "boolean"},
        },
        "required": ["file_path"],
    }
    with SyncPrefectClient(server.api) as client:
        flow = client.create_flow_from_name("new_832_file_flow")
        client.create_deployment(
            flow, "new_file_832", parameter_openapi_schema=schema, enforce_parameter_schema=True
        )
    return "new_832_file_flow/new_file_832"
