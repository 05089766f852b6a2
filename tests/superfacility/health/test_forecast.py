"""What is to be expected: asked of the stand-in, and told where it cannot be asked."""

from __future__ import annotations

import json
from pathlib import Path

from alsct_gui.simulator.facility.clock import ManualClock
from alsct_gui.simulator.facility.faults import Fault, FaultDesk, FaultName
from alsct_gui.simulator.facility.sfapi import SuperfacilityStandIn
from alsct_gui.superfacility.compute.session import Access
from alsct_gui.superfacility.errors import LinkDownError
from alsct_gui.superfacility.health.forecast import AnnouncedOutage, Forecast, Forecaster
from alsct_gui.superfacility.health.nersc import NerscStatus


def test_outages_and_the_wait_are_asked_and_what_is_not_known_is_told(tmp_path: Path) -> None:
    clock = ManualClock()
    desk = FaultDesk(clock)
    now_s = clock()
    with SuperfacilityStandIn(tmp_path / "nersc", desk) as service:
        status = NerscStatus(Access(service.api_url, service.token_url, answer_s=5))
        ask = Forecaster("perlmutter", status, lambda: 120.0, clock).ask
        assert ask() == Forecast("perlmutter", 120.0, (), now_s)
        desk.put(Fault(FaultName.PLANNED_OUTAGE, start_s=now_s + 60, end_s=now_s + 3600))
        desk.put(Fault(FaultName.OUTAGE))
        found = ask()
        assert found.outages == (
            AnnouncedOutage(now_s, None, "Unplanned Outage", False),
            AnnouncedOutage(now_s + 60, now_s + 3600, "Scheduled Maintenance", True),
        )
        assert json.loads(json.dumps(found.to_plain()))["outages"][1]["planned"] is True
        desk.clear()
        desk.put(Fault(FaultName.UNAVAILABLE))

        def wait_s() -> float:
            raise LinkDownError("no answer")

        silent = Forecaster("perlmutter", status, wait_s, clock).ask()
        assert (silent.wait_s, silent.outages) == (None, ())
        assert "HTTP 503" in silent.why
        assert "no answer" in silent.why
        status.close()
