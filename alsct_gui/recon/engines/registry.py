"""Which engines there are: entry points of the group ``alsct_gui.engines``.

Any installed package may add one; its entry point names a class that fulfils
`alsct_gui.recon.engines.base.Engine` and takes no arguments. An engine that cannot be
loaded is listed with the reason, and never keeps another one from working.
"""

from __future__ import annotations

import difflib
from importlib.metadata import EntryPoint, entry_points

from alsct_gui.model.errors import EngineUnavailableError
from alsct_gui.recon.engines.base import Availability, Capabilities, Engine

GROUP = "alsct_gui.engines"
_OWN = "alsct_gui."


def engine_names() -> list[str]:
    """Return the names of all engines that are installed, in the order in which they are shown."""
    return list(_entry_points())


def list_engines() -> list[tuple[Capabilities, Availability]]:
    """Return what every installed engine can do, and whether it can run here."""
    rows = []
    for name, entry in _entry_points().items():
        try:
            engine = _load(entry)
            rows.append((engine.capabilities(), engine.check()))
        except EngineUnavailableError as error:
            rows.append(_broken(name, error))
        except Exception as error:  # noqa: BLE001 - foreign code; the row says what it raised
            rows.append(_broken(name, _foreign_error(entry, error)))
    return rows


def load_engine(name: str) -> Engine:
    """Return an engine by its name, whether or not it can run here.

    Raises
    ------
    EngineUnavailableError
        There is no engine of this name, or it cannot be loaded.
    """
    found = _entry_points()
    if name not in found:
        near = difflib.get_close_matches(name, found, n=1)
        raise EngineUnavailableError(
            f"there is no engine of this name; installed are {', '.join(found) or 'none'}",
            where=f"engine {name!r}",
            fix=f"Did you mean {near[0]!r}?" if near else "Choose one of these",
        )
    return _load(found[name])


def get_engine(name: str) -> Engine:
    """Return an engine that can run here.

    Raises
    ------
    EngineUnavailableError
        There is no engine of this name, it cannot be loaded, or it cannot run on this
        machine.
    """
    engine = load_engine(name)
    state = engine.check()
    if not state.ok:
        raise EngineUnavailableError(
            state.reason.rstrip("."), where=f"engine {name!r}", fix=state.fix.rstrip(".")
        )
    return engine


def _entry_points() -> dict[str, EntryPoint]:
    """Entry points by name: this program's own first, which no other package can replace."""
    found: dict[str, EntryPoint] = {}
    for entry in sorted(entry_points(group=GROUP), key=_rank):
        found.setdefault(entry.name, entry)
    return found


def _rank(entry: EntryPoint) -> tuple[bool, bool, str]:
    return not entry.value.startswith(_OWN), entry.name != "fourier", entry.name


def _load(entry: EntryPoint) -> Engine:
    try:
        engine = entry.load()()
    except Exception as error:
        raise _foreign_error(entry, error) from error
    if not isinstance(engine, Engine):
        raise EngineUnavailableError(
            f"{entry.value} lacks some of capabilities, check, memory_needed and reconstruct",
            where=f"engine {entry.name!r}", fix=_ask_package(entry),
        )  # fmt: skip
    return engine


def _foreign_error(entry: EntryPoint, error: Exception) -> EngineUnavailableError:
    return EngineUnavailableError(
        f"{entry.value} failed with {type(error).__name__}: {error}",
        where=f"engine {entry.name!r}", fix=_ask_package(entry),
    )  # fmt: skip


def _ask_package(entry: EntryPoint) -> str:
    package = entry.dist.name if entry.dist is not None else entry.value.partition(":")[0]
    return f"Update or remove the package {package}, or ask its authors"


def _broken(name: str, error: EngineUnavailableError) -> tuple[Capabilities, Availability]:
    capabilities = Capabilities(name=name, title="could not be loaded", algorithms=())
    return capabilities, Availability(ok=False, reason=error.what, fix=error.fix)
