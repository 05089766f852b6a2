"""What is worth telling reaches the desktop, once, and only when nobody looks at the window."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alsct_gui.model.message import Message
from alsct_gui.model.placement import LinkState
from alsct_gui.placement.feed import FeedState, Snapshot
from alsct_gui.recon.desk.client import Desk
from alsct_gui.ui.board.desktop import Desktop, send_over_bus
from alsct_gui.ui.board.view import BoardView, view_of
from alsct_gui.ui.session import Level, Notice
from tests.ui.board.making import Made, in_outage
from tests.ui.board.windows import board_window
from tests.ui.conftest import until

MESSAGE = Message("Perlmutter is down", "maintenance <b>until</b> 18:00", 1.0, True)
_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={path}</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/>
<allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
"""


def view(made: Made) -> BoardView:
    snapshot = Snapshot(FeedState.OPEN, observed=made.observed, agent=1, time_s=made.now_s)
    return view_of(made.maker(), snapshot, made.now_s)


def test_news_are_told_old_things_are_not(
    app: Any, desk: Desk, drive: Callable[..., Any], tmp_path: Path
) -> None:
    sent: list[Message] = []
    notices: list[Notice] = []

    async def main() -> None:
        made = in_outage(3, time.time())
        async with board_window(app, desk, tmp_path, made, shown=False) as program:
            session, window = program.session, program.window
            desktop = Desktop(
                session, program.tasks, made.policy, window, lambda m: bool(sent.append(m))
            )
            session.noticed.connect(notices.append)

            async def see(shown: BoardView) -> None:
                desktop._take(shown)
                desktop._timer.stop()
                desktop._decide()
                await until(lambda: "Looking for news" not in program.tasks.names, "a decision")

            await see(view(made))
            await see(view(made))
            assert notices == []
            made.link("globus", LinkState.DOWN, why="no answer")
            await see(view(made))
            assert [n.sentence for n in notices] == ["Globus is down. no answer."]
            assert notices[0].level is Level.WARNING
            if not window.isActiveWindow():
                await until(lambda: sent, "the message on the desktop")
                assert sent[0].title == "Globus is down"
            session.remember(notify=False)
            made.link("cfs", LinkState.DOWN)
            count = len(sent)
            await see(view(made))
            assert len(notices) == 2
            await until(lambda: "Telling the desktop" not in program.tasks.names, "no task")
            assert len(sent) == count
            bad = replace(view(made), snapshot=Snapshot(FeedState.LOCKED))
            await see(bad)
            assert len(notices) == 2
            desktop.close()

    drive(main())


class Notifications(threading.Thread):
    """The desktop's part of the conversation, on a bus of the test's own."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address, self.taken = address, list[tuple[Any, ...]]()
        self.ready = threading.Event()

    def run(self) -> None:
        from jeepney import HeaderFields, new_method_return
        from jeepney.bus_messages import message_bus
        from jeepney.io.blocking import Proxy, open_dbus_connection

        with open_dbus_connection(self.address) as connection:
            Proxy(message_bus, connection).RequestName("org.freedesktop.Notifications")
            self.ready.set()
            while not self.taken:
                message = connection.receive(timeout=30)
                if message.header.fields.get(HeaderFields.member) == "Notify":
                    self.taken.append(message.body)
                    connection.send(new_method_return(message, "u", (7,)))


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[str]:
    if shutil.which("dbus-daemon") is None:
        pytest.skip("dbus-daemon is not installed")
    path = tmp_path / "bus"
    config = tmp_path / "bus.conf"
    config.write_text(_CONFIG.format(path=path))
    daemon = subprocess.Popen(
        ["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address=1"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert daemon.stdout is not None
        yield daemon.stdout.readline().strip()
    finally:
        daemon.terminate()
        daemon.wait()
        if daemon.stdout is not None:
            daemon.stdout.close()


def test_the_desktop_takes_a_message_over_its_bus(
    bus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus)
    assert not send_over_bus(MESSAGE, 5.0), "nobody listens yet"
    desktop = Notifications(bus)
    desktop.start()
    assert desktop.ready.wait(30)
    assert send_over_bus(MESSAGE, 20.0)
    desktop.join()
    ((name, replaces, _, title, words, actions, hints, _),) = desktop.taken
    assert (name, replaces, title, actions) == ("alsct-gui", 0, MESSAGE.title, [])
    assert words == "maintenance &lt;b&gt;until&lt;/b&gt; 18:00"
    assert hints["urgency"] == ("y", 2)


def test_without_a_bus_nothing_is_lost(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    assert not send_over_bus(MESSAGE)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    assert not send_over_bus(MESSAGE)
