"""What a person has set: kept between starts, versioned, never in the way of a start."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from alsct_gui.model.codec import from_plain, to_plain
from alsct_gui.model.errors import AlsctError, OutputError
from alsct_gui.model.finding import Finding, Severity

SETTINGS_VERSION = 1
RECENT_KEPT = 20

Tier = Literal["simple", "more", "all"]
Theme = Literal["dark", "light"]


@dataclass(frozen=True, slots=True)
class Layout:
    """How the window was left."""

    width_px: int = field(default=1600, metadata={"min": 640, "max": 20000})
    """Width of the window."""
    height_px: int = field(default=960, metadata={"min": 480, "max": 20000})
    """Height of the window."""
    maximized: bool = False
    """Whether it filled the screen."""
    left_px: int = field(default=300, metadata={"min": 0, "max": 4000})
    """Width of the list at the left; 0 when it is folded."""
    right_px: int = field(default=340, metadata={"min": 0, "max": 4000})
    """Width of the panel at the right; 0 when it is folded."""
    drawer_px: int = field(default=0, metadata={"min": 0, "max": 4000})
    """Height of the drawer below the picture; 0 when it is folded."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is remembered."""

    version: int = field(default=SETTINGS_VERSION, metadata={"min": 1, "max": SETTINGS_VERSION})
    """Version of this format."""
    theme: Theme = "dark"
    """Colours of the window."""
    profile: str = "als-8.3.2"
    """Beamline profile."""
    watched: tuple[str, ...] = ()
    """Folders that are watched for scans; empty for the profile's."""
    output_folder: str = ""
    """Where products go; empty for beside the scan, or the profile's scratch folder."""
    runs_folder: str = ""
    """Where runs keep their requests and logs; empty for the usual place."""
    threads: int = field(default=0, metadata={"min": 0, "max": 1024})
    """Processor threads of a run; 0 for all."""
    ledger: str = ""
    """Ledger of what is where; empty for that of this user."""
    policy: str = "als-8.3.2"
    """Policy of what is wanted where: a name or a file."""
    start_agent: bool = True
    """Whether the window starts the agent when none works on the ledger."""
    notify: bool = True
    """Whether the desktop is told of what is worth telling while the window is out of sight."""
    tier: Tier = "simple"
    """How many parameters the reconstruct panel shows."""
    recent: tuple[str, ...] = ()
    """Files and folders opened last, newest first."""
    tour_done: bool = False
    """Whether the first-run tour was taken or dismissed."""
    layout: Layout = field(default_factory=Layout)
    """How the window was left."""


def settings_path() -> Path:
    """Return where the settings are kept: the platform's folder for configuration."""
    known = os.environ.get("ALSCT_SETTINGS")
    if known:
        return Path(known)
    root = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(root) / "alsct-gui" / "settings.json"


def load_settings(path: Path) -> tuple[Settings, tuple[Finding, ...]]:
    """Read the settings; what cannot be read is set aside and the defaults are taken.

    Returns
    -------
    tuple
        The settings, and what was wrong with the file; nothing when it is absent.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings(), ()
    except (OSError, UnicodeDecodeError) as error:
        return Settings(), (_unusable(path, str(error)),)
    try:
        return from_plain(Settings, json.loads(text)), ()
    except (AlsctError, ValueError, RecursionError) as error:
        aside = path.with_suffix(".broken.json")
        try:
            path.replace(aside)
        except OSError:
            aside = path
        return Settings(), (_unusable(aside, str(error)),)


def save_settings(settings: Settings, path: Path) -> None:
    """Write the settings beside their place and rename them when whole.

    Raises
    ------
    OutputError
        They cannot be written.
    """
    beside = path.with_suffix(f".{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(to_plain(settings), indent=1), encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise OutputError(
            f"the settings cannot be saved ({error.strerror})",
            where=str(path), fix="They hold until the program ends",
        ) from error  # fmt: skip


def with_recent(recent: tuple[str, ...], path: str) -> tuple[str, ...]:
    """Return the list of recent files with one put first."""
    return (path, *(known for known in recent if known != path))[:RECENT_KEPT]


def _unusable(path: Path, why: str) -> Finding:
    return Finding(
        "settings-unusable",
        Severity.WARNING,
        f"The settings could not be read, so the usual ones are taken ({why}).",
        f"The old ones lie in {path}",
    )
