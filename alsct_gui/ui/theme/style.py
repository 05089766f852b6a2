"""The theme as it is now, and the style sheet made from it."""

from __future__ import annotations

import re
from dataclasses import fields

from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication

from alsct_gui.files.resources import resource_path
from alsct_gui.ui.theme.tokens import DARK, THEMES, Tokens

_now = [DARK]
_THEME = "alsct_theme"
"""Property of the application that tells which theme it wears."""


def tokens() -> Tokens:
    """Return the colours of the theme that is on."""
    return _now[0]


def apply_theme(app: QApplication, name: str) -> Tokens:
    """Turn a theme on for the whole program."""
    chosen = THEMES.get(name, DARK)
    _now[0] = chosen
    before = app.property(_THEME)
    if before == chosen.name:
        return chosen  # every widget would be dressed anew for nothing
    if before is None:
        # Once: a style that is replaced is deleted under widgets that may still be painted.
        app.setStyle("Fusion")
    app.setPalette(_palette(chosen))
    app.setStyleSheet(style_sheet(chosen))
    app.setProperty(_THEME, chosen.name)
    return chosen


def style_sheet(chosen: Tokens) -> str:
    """Return the style sheet with the theme's colours in place of ``@names``.

    Raises
    ------
    KeyError
        The sheet names a colour that there is not.
    """
    values = {field.name: str(getattr(chosen, field.name)) for field in fields(chosen)}
    values["icons"] = resource_path("style").as_posix()
    text = resource_path("style", "window.qss").read_text(encoding="utf-8")
    return re.sub(r"@([a-z_]+)", lambda found: values[found[1]], text)


def digits_font(font: QFont) -> QFont:
    """Return the font with figures that are all equally wide."""
    tabular = QFont(font)
    tabular.setFeature(QFont.Tag("tnum"), 1)
    return tabular


def _palette(chosen: Tokens) -> QPalette:
    roles = QPalette.ColorRole
    palette = QPalette()
    for role, color in (
        (roles.Window, chosen.panel), (roles.WindowText, chosen.text),
        (roles.Base, chosen.raised), (roles.AlternateBase, chosen.panel),
        (roles.Text, chosen.text), (roles.Button, chosen.raised),
        (roles.ButtonText, chosen.text), (roles.Highlight, chosen.accent),
        (roles.HighlightedText, chosen.on_accent), (roles.ToolTipBase, chosen.raised),
        (roles.ToolTipText, chosen.text), (roles.PlaceholderText, chosen.faint),
        (roles.Link, chosen.accent),
    ):  # fmt: skip
        palette.setColor(role, QColor(color))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(chosen.disabled))
    return palette
