"""Icons of one set (Material Design Icons, through qtawesome), by what they mean here."""

from __future__ import annotations

from functools import cache

import qtawesome
from PySide6.QtGui import QIcon

from alsct_gui.ui.theme.style import tokens

ICONS: dict[str, str] = {
    "open": "mdi6.folder-open-outline",
    "settings": "mdi6.cog-outline",
    "undo": "mdi6.undo",
    "redo": "mdi6.redo",
    "fit": "mdi6.fit-to-page-outline",
    "contrast": "mdi6.contrast-circle",
    "panel-left": "mdi6.dock-left",
    "panel-right": "mdi6.dock-right",
    "panel-bottom": "mdi6.dock-bottom",
    "center": "mdi6.axis-z-rotate-clockwise",
    "overlay": "mdi6.vector-difference",
    "preview": "mdi6.image-outline",
    "sweep": "mdi6.view-grid-outline",
    "run": "mdi6.play",
    "pause": "mdi6.pause",
    "layers": "mdi6.layers-outline",
    "runs": "mdi6.format-list-checks",
    "histogram": "mdi6.chart-histogram",
    "line": "mdi6.chart-line",
    "region": "mdi6.select",
    "camera": "mdi6.camera-outline",
    "movie": "mdi6.filmstrip",
    "metadata": "mdi6.text-box-search-outline",
    "search": "mdi6.magnify",
    "close": "mdi6.close",
    "copy": "mdi6.content-copy",
    "cancel": "mdi6.stop-circle-outline",
    "retry": "mdi6.restart",
    "hold": "mdi6.pause-circle-outline",
    "release": "mdi6.play-circle-outline",
    "prioritise": "mdi6.arrow-up-bold-circle-outline",
    "unwatch": "mdi6.eye-off-outline",
    "up": "mdi6.arrow-up",
    "down": "mdi6.arrow-down",
    "more": "mdi6.dots-horizontal",
    "folded": "mdi6.chevron-right",
    "unfolded": "mdi6.chevron-down",
    "first": "mdi6.page-first",
    "last": "mdi6.page-last",
    "info": "mdi6.information-outline",
    "warning": "mdi6.alert-outline",
    "error": "mdi6.close-circle-outline",
    "done": "mdi6.check-circle-outline",
    "cuts": "mdi6.view-dashboard-outline",
    "cube": "mdi6.cube-outline",
    "crosshair": "mdi6.crosshairs",
    "swap": "mdi6.swap-horizontal",
    "blink": "mdi6.eye-outline",
    "side-by-side": "mdi6.view-split-vertical",
    "difference": "mdi6.plus-minus-variant",
    "scan": "mdi6.radiology-box-outline",
    "volume": "mdi6.cube-scan",
}


def icon(name: str, color: str = "") -> QIcon:
    """Return an icon in the theme's colours.

    Parameters
    ----------
    name
        One of `ICONS`.
    color
        Another colour than that of words.
    """
    now = tokens()
    return _made(ICONS[name], color or now.text, now.disabled)


@cache
def _made(glyph: str, color: str, disabled: str) -> QIcon:
    """Make an icon once: it takes longer than to paint it, and lists ask for it in every row."""
    made: QIcon = qtawesome.icon(glyph, color=color, color_disabled=disabled)
    return made
