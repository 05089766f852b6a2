"""Faults of a simulated facility are switched from the menu bar."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from alsct_gui.simulating import DeskSwitches
from alsct_gui.simulator.facility.desk import Desk
from alsct_gui.simulator.facility.faults import FaultName
from alsct_gui.simulator.facility.world import Pace, World
from tests.ui.board.making import in_outage
from tests.ui.board.windows import board_window
from tests.ui.conftest import until

QUICK = Pace(rate_bytes_per_s=None, queue_wait_s=0.0, rest_s=0.0)
Drive = Callable[..., Any]


def test_a_fault_is_ticked_while_it_is_on(
    app: Any, desk: Any, drive: Drive, tmp_path: Path, tmp_path_factory: Any
) -> None:
    async def main() -> None:
        with World(tmp_path_factory.mktemp("facility") / "root", QUICK) as world:
            faults = {"faults": DeskSwitches(Desk(world.card.control))}
            async with board_window(app, desk, tmp_path, in_outage(1), facility=faults) as program:
                simulator = program.parts.board.simulator
                assert simulator is not None
                titles = [action.text() for action in program.topbar.bar.actions()]
                assert titles[-2:] == ["Simulator", "Help"]
                outage = simulator.faults["outage"]
                outage.trigger()
                await until(lambda: world.desk.faults(), "the fault on the desk")
                (fault,) = world.desk.faults().values()
                assert fault.name is FaultName.OUTAGE
                await until(outage.isChecked, "the tick")
                world.desk.clear()
                simulator.menu.aboutToShow.emit()
                await until(lambda: not outage.isChecked(), "no tick")
                simulator.faults["node-fail"].trigger()
                await until(simulator.faults["node-fail"].isChecked, "another tick")
                simulator.clear.trigger()
                await until(lambda: not world.desk.faults(), "an empty desk")
                await until(lambda: not simulator.faults["node-fail"].isChecked(), "no tick")

    drive(main())


def test_it_is_grey_without_a_facility_and_absent_without_simulation(
    app: Any, desk: Any, drive: Drive, tmp_path: Path
) -> None:
    async def main() -> None:
        faults = {"faults": DeskSwitches(None, "No facility runs.")}
        async with board_window(app, desk, tmp_path, in_outage(1), facility=faults) as program:
            simulator = program.parts.board.simulator
            assert simulator is not None
            assert simulator.menu.actions()[0].text() == "No facility runs."
            assert not any(action.isEnabled() for action in simulator.faults.values())
            assert not simulator.clear.isEnabled()

    async def usual() -> None:
        async with board_window(app, desk, tmp_path, None) as program:
            assert program.parts.board.simulator is None
            titles = [action.text() for action in program.topbar.bar.actions()]
            assert "Simulator" not in titles

    drive(main())
    drive(usual())
