"""Whole windows on ledgers of a test's own, with an agent that is alive but does nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from alsct_gui.app import services_for
from alsct_gui.model.policy import Policy
from alsct_gui.placement.ledger import Ledger
from alsct_gui.placement.onlyone import AgentLock
from alsct_gui.recon.desk.client import Desk
from alsct_gui.ui.program import Program
from alsct_gui.ui.services import Facility
from tests.ui.board.making import Made
from tests.ui.conftest import until
from tests.ui.programs import settings_in


@asynccontextmanager
async def board_window(
    app: Any, desk: Desk | None, folder: Path, made: Made | None, *, policy: Policy | None = None,
    agent: bool = True, shown: bool = True, facility: dict[str, Any] | None = None,
    **changes: Any,
) -> AsyncIterator[Program]:  # fmt: skip
    """Show a window whose ledger says what was made; at the board unless `shown` is false."""
    path = folder / "ledger.sqlite"
    if made is not None:
        made.write(path)
    settings = settings_in(folder, **changes)
    policy = policy or (made.policy if made is not None else Made().policy)
    known = {"configured": True, **(facility or {})}
    with ExitStack() as stack:
        if agent:
            stack.enter_context(AgentLock(path))
        services = stack.enter_context(services_for(settings, desk=desk))
        services = replace(services, facility=Facility(path, policy, **known))
        program = Program(app, services, settings, folder / "settings.json")
        program.window.show()
        await program.start()
        try:
            if shown:
                program.book.trigger("workspace.board")
            await until(lambda: program.session.board is not None, "the board")
            yield program
        finally:
            await program.close()


def written(program: Program, read: Callable[[Ledger], Any]) -> Any:
    """Read something from the window's ledger."""
    with Ledger(program.services.facility.ledger, write=False) as ledger:
        return read(ledger)
