"""Colours by what they mean. The style sheet, the icons and the plots take them from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ThemeName = Literal["dark", "light"]

GRID_PX = 8
"""Everything keeps to multiples of this."""
CONTROL_PX = 30
"""Height of buttons and fields."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """One theme."""

    name: ThemeName
    canvas: str
    """Behind pictures."""
    window: str
    """Between panels."""
    panel: str
    """Panels."""
    raised: str
    """Fields and buttons."""
    hover: str
    """Fields and buttons under the mouse, and the row that is selected."""
    line: str
    """Borders and separators."""
    text: str
    """Words."""
    faint: str
    """Labels and hints; at least 4.5 : 1 against the panel."""
    disabled: str
    """What cannot be used now."""
    accent: str
    """The one colour that asks for a click, and focus."""
    on_accent: str
    """Words upon it."""
    met: str
    """State: as wanted."""
    moving: str
    """State: under way."""
    waiting: str
    """State: its turn will come."""
    blocked: str
    """State: something must be seen to."""
    failed: str
    """State: did not work."""
    unknown: str
    """State: nobody knows."""


# The states' hues are those of Okabe and Ito's palette, which colour-blind people can tell
# apart, lightened or darkened to read upon the panel.
DARK = Tokens(
    name="dark", canvas="#0e0f11", window="#16181b", panel="#1d2024", raised="#282c31",
    hover="#333940", line="#343a41", text="#e4e7ea", faint="#a0a8b1", disabled="#646c75",
    accent="#4aa3df", on_accent="#071019", met="#2bb58e", moving="#56b4e9", waiting="#a0a8b1",
    blocked="#e69f00", failed="#f0743e", unknown="#8a929b",
)  # fmt: skip

LIGHT = Tokens(
    name="light", canvas="#dfe2e6", window="#e9ebee", panel="#f7f8f9", raised="#ffffff",
    hover="#e3e8ee", line="#c9ced5", text="#1c2126", faint="#565f69", disabled="#9aa2ab",
    accent="#0a6fb3", on_accent="#ffffff", met="#00795a", moving="#0a6fb3", waiting="#565f69",
    blocked="#a86200", failed="#c24100", unknown="#6b747e",
)  # fmt: skip

THEMES: dict[str, Tokens] = {"dark": DARK, "light": LIGHT}
