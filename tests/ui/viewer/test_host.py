"""napari inside the program's window: what it must keep to, and that nothing of it is left."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.long


@pytest.fixture
def host(app: Any) -> Iterator[Any]:
    """A host with an open viewer."""
    from alsct_gui.ui.theme.style import apply_theme
    from alsct_gui.ui.viewer.host import NapariHost

    apply_theme(app, "dark")
    made = NapariHost()
    made.resize(640, 480)
    made.show()
    made.open()
    yield made
    made.shut()
    made.close()
    made.deleteLater()
    _let_go(app)


def _let_go(app: Any) -> None:
    """Let Qt delete what it was told to delete."""
    from PySide6.QtCore import QCoreApplication, QEvent

    for _ in range(3):
        app.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_the_private_parts_of_napari_are_where_they_were(host: Any) -> None:
    """Fails first when napari changes them: then `host.py` must be looked at."""
    from PySide6.QtWidgets import QMainWindow, QWidget

    window = host.viewer.window._qt_window
    assert isinstance(window, QMainWindow)
    assert isinstance(window._qt_viewer, QWidget)
    assert isinstance(window._qt_viewer.canvas.native, QWidget)
    assert isinstance(window._qt_viewer.dims, QWidget)
    layer = host.viewer.add_image(np.zeros((4, 6), np.float32), scale=(2, 2))
    visual = window._qt_viewer.canvas.layer_to_visual[layer]
    assert tuple(visual._world_to_layer_units_scale) == (1, 1)
    np.testing.assert_allclose(np.diag(visual.node.transform.matrix), (2, 2, 1, 1))
    np.testing.assert_allclose(visual.node.transform.matrix[3, :2], (-1, -1))


def test_a_glimpse_is_seen_where_the_picture_is(host: Any, app: Any) -> None:
    from alsct_gui.ui.viewer.layers import Shelf

    def seen() -> Any:
        while not host.is_quiet:
            app.processEvents()
        return host.screenshot().astype(int)

    def share_equal(first: Any, second: Any) -> float:
        return float(np.mean(np.abs(first - second).max(axis=-1) <= 2))

    rng = np.random.default_rng(1)
    coarse, next_one = rng.random((2, 20, 30), np.float32)
    fine = np.repeat(np.repeat(coarse, 2, axis=0), 2, axis=1)
    slot = Shelf(host).slot("Slice")
    assert not slot.glimpse(coarse, pixel_um=(1.0, 1.0))
    slot.show(fine, (0.0, 1.0), pixel_um=(0.5, 0.5))
    whole = seen()
    assert slot.glimpse(next_one, pixel_um=(1.0, 1.0), offset_px=(0.25, 0.25))
    assert share_equal(whole, seen()) < 0.5
    assert slot.pixel_at((19.2, 29.2)) == (19, 29)
    assert slot.pixel_at((19.9, 29.2)) is None
    assert slot.glimpse(coarse, pixel_um=(1.0, 1.0), offset_px=(0.25, 0.25))
    assert share_equal(whole, seen()) > 0.999
    assert slot.layer.data is fine
    assert slot.glimpse(next_one, pixel_um=(1.0, 1.0), offset_px=(0.25, 0.25))
    slot.show(fine, (0.0, 1.0), pixel_um=(0.5, 0.5))
    assert share_equal(whole, seen()) > 0.999
    assert slot.pixel_at((19.4, 29.2)) == (39, 58)
    assert not slot.glimpse(coarse.astype(np.float64), pixel_um=(1.0, 1.0))


def test_icons_are_written_only_where_they_lack_or_differ(host: Any) -> None:
    from napari.resources import _icons

    folder = Path(_icons.build_theme_svgs("dark", "builtin"))
    icons = sorted(folder.glob("*.svg"))
    assert len(icons) > 100
    icons[0].unlink()
    icons[1].write_text("another")
    written = {path: path.stat().st_mtime_ns for path in icons[2:]}
    assert Path(_icons.build_theme_svgs("dark", "builtin")) == folder
    assert {path: path.stat().st_mtime_ns for path in icons[2:]} == written
    assert all("</svg>" in path.read_text() for path in icons[:2])


def test_napari_takes_this_viewer_for_its_own(host: Any) -> None:
    import napari

    from alsct_gui.ui.viewer.host import viewer_facts

    assert napari.current_viewer() is host.viewer
    assert viewer_facts(host) == {"napari": napari.__version__, "current": True}


def test_napari_shows_its_canvas_alone(app: Any, host: Any) -> None:
    from PySide6.QtWidgets import QDockWidget

    app.processEvents()
    window = host.viewer.window._qt_window
    assert window.menuBar().isHidden()
    assert window.statusBar().isHidden()
    assert window._qt_viewer.dims.isHidden()
    assert not window._qt_viewer._welcome_widget.isVisible()
    assert not [dock for dock in window.findChildren(QDockWidget) if dock.isVisible()]
    assert host.canvas.size() == host.size()
    host.show_layers(True)
    shown = {dock.objectName() for dock in window.findChildren(QDockWidget) if dock.isVisible()}
    assert shown == {"layer list", "layer controls"}
    host.show_layers(False)
    assert not [dock for dock in window.findChildren(QDockWidget) if dock.isVisible()]


def test_plugins_have_their_menu_and_their_docks(app: Any, host: Any) -> None:
    from PySide6.QtWidgets import QLabel, QMenu

    menu = host.plugins_menu()
    assert isinstance(menu, QMenu)
    assert menu.actions()
    words = QLabel("from a plugin")
    host.viewer.window.add_dock_widget(words, name="of a plugin")
    app.processEvents()
    assert words.isVisible()
    assert host.isAncestorOf(words)


def test_the_canvas_has_the_colours_of_the_theme(app: Any, host: Any) -> None:
    from alsct_gui.ui.theme.style import apply_theme

    for name in ("dark", "light"):
        now = apply_theme(app, name)
        host.renew_theme()
        wanted = [int(now.canvas[k : k + 2], 16) for k in (1, 3, 5)]
        corner = host.screenshot()[2, 2, :3].astype(int)
        assert np.abs(corner - wanted).max() <= 1


def test_napari_is_coloured_once_and_again_with_the_theme(app: Any, monkeypatch: Any) -> None:
    from napari._qt.qt_main_window import _QtMainWindow

    from alsct_gui.ui.theme.style import apply_theme
    from alsct_gui.ui.viewer.host import NapariHost

    sheets: list[str] = []
    dress = _QtMainWindow.setStyleSheet
    monkeypatch.setattr(
        _QtMainWindow,
        "setStyleSheet",
        lambda self, sheet: (sheets.append(sheet), dress(self, sheet)),
    )
    dark = apply_theme(app, "dark")
    host = NapariHost()
    host.show()
    host.open()
    (sheet,) = sheets
    assert host.viewer.window._qt_window.styleSheet() == sheet
    assert _as_napari_writes(dark.panel) in sheet
    light = apply_theme(app, "light")
    host.renew_theme()
    assert len(sheets) == 2
    assert _as_napari_writes(light.panel) in sheets[1]
    host.shut()
    host.close()
    host.deleteLater()
    _let_go(app)


def _as_napari_writes(color: str) -> str:
    red, green, blue = (int(color[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"


def test_a_screenshot_becomes_an_image(host: Any) -> None:
    from alsct_gui.ui.viewer.host import to_image

    pixels = host.screenshot()
    image = to_image(pixels)
    assert (image.width(), image.height()) == (pixels.shape[1], pixels.shape[0])
    assert image.pixelColor(3, 4).red() == pixels[4, 3, 0]


def test_a_host_without_viewer_says_so(app: Any) -> None:
    from alsct_gui.ui.viewer.host import NapariHost

    empty = NapariHost()
    assert not empty.is_open
    empty.renew_theme()
    empty.shut()
    with pytest.raises(RuntimeError, match="not open"):
        _ = empty.viewer


def test_opened_and_shut_twenty_times_leaves_nothing(app: Any) -> None:
    from napari._qt.qt_main_window import _QtMainWindow
    from napari._qt.qt_viewer import QtViewer
    from PySide6.QtCore import QThread

    from alsct_gui.ui.viewer.host import NapariHost

    canvases: weakref.WeakSet[Any] = weakref.WeakSet()
    threads = set(threading.enumerate())
    timers = _active_timers()
    for turn in range(20):
        host = NapariHost()
        host.resize(320, 240)
        host.show()
        viewer = host.open()
        viewer.add_image(np.full((16, 16), turn, np.float32), contrast_limits=(0, 40))
        app.processEvents()
        canvases.add(host.canvas)
        host.shut()
        host.close()
        host.deleteLater()
        del host, viewer
        _let_go(app)
    gc.collect()
    _let_go(app)
    assert _QtMainWindow._instances == []
    assert len(QtViewer._instances) == 0
    assert len(canvases) == 0
    assert _tops(app) == []
    left = gc.get_objects()
    assert [t for t in left if isinstance(t, QThread) and _is_running(t)] == []
    assert _active_timers() == timers
    assert set(threading.enumerate()) <= threads | _pools()


def _tops(app: Any) -> list[str]:
    return [type(w).__name__ for w in app.topLevelWidgets() if w.isVisible()]


def _is_running(thread: Any) -> bool:
    import shiboken6
    from PySide6.QtCore import QCoreApplication

    own = QCoreApplication.instance().thread()
    return shiboken6.isValid(thread) and thread is not own and bool(thread.isRunning())


def _active_timers() -> set[Any]:
    import shiboken6
    from PySide6.QtCore import QTimer

    timers = [t for t in gc.get_objects() if isinstance(t, QTimer) and shiboken6.isValid(t)]
    return {timer for timer in timers if timer.isActive()}


def _pools() -> set[threading.Thread]:
    """Threads of dask's and numba's pools, which live as long as the process."""
    return {t for t in threading.enumerate() if "pool" in t.name.casefold() and t.daemon}


def test_a_picture_that_is_seen_whole_stays_whole_in_another_size(app: Any, host: Any) -> None:
    from alsct_gui.ui.viewer.fitting import fit_flat

    layer = host.viewer.add_image(np.zeros((100, 200), np.float32))
    host.outgrown.connect(lambda: fit_flat(host, [layer]))
    app.processEvents()
    fit_flat(host, [layer])
    zoom = host.viewer.scene.camera.zoom
    host.resize(host.width() // 2, host.height())
    app.processEvents()
    app.processEvents()
    assert host.viewer.scene.camera.zoom == pytest.approx(zoom / 2, rel=0.1)
    host.viewer.scene.camera.zoom = 5.0  # a person looks at a part
    host.resize(host.width() * 2, host.height())
    app.processEvents()
    app.processEvents()
    assert host.viewer.scene.camera.zoom == pytest.approx(5.0)
