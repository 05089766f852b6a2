"""How others reach a facility that runs: its card, and the port of its fault desk."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alsct_gui.model.errors import InputError, RemoteError, UsageError
from alsct_gui.simulator.facility.faults import Fault, FaultName, fault_from_plain
from alsct_gui.simulator.facility.kinds import KIND

ANSWER_S = 10.0
"""Longest time for one answer."""


@dataclass(frozen=True, slots=True)
class Card:
    """What a facility tells of itself in a file while it runs."""

    pid: int
    """Its process."""
    control: str
    """Address of the fault desk."""
    environment: Mapping[str, str]
    """Variables with which the client libraries talk to it."""
    profile: str
    """Path of the profile."""
    policy: str
    """Path of the policy."""
    ports: Mapping[str, int]
    """Port of each stand-in."""


def read_card(path: Path) -> Card:
    """Read a facility's card.

    Raises
    ------
    InputError
        There is none, or it is none.
    """
    fix = "Start one: alsct facility run"
    try:
        return Card(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise InputError("no facility runs there", where=str(path.parent), fix=fix) from error
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"this is no card ({error})", where=str(path), fix=fix) from error


class Desk:
    """The fault desk of a facility in another process.

    Parameters
    ----------
    url
        Its address, as in `Card.control`.
    """

    def __init__(self, url: str) -> None:
        if not url.startswith("http://127.0.0.1:"):
            raise UsageError("a fault desk is on this machine alone", where=url)
        self._url = url

    def status(self) -> dict[str, Any]:
        """Tell how the facility is, as plain data."""
        return self._ask("GET", "/status")

    def faults(self) -> dict[int, Fault]:
        """Faults that are on the desk, by number."""
        rows = self._ask("GET", "/faults")["faults"]
        return {row.pop("number"): fault_from_plain(row) for row in rows}

    def put(
        self,
        name: FaultName | str,
        *,
        where: str | None = None,
        count: int | None = None,
        in_s: float | None = None,
        for_s: float | None = None,
        value: float | None = None,
    ) -> int:
        """Put a fault on the desk; returns its number.

        Parameters
        ----------
        name
            Which.
        where
            Pattern of places; None takes the usual ones of that fault (`kinds`).
        count
            How often it strikes; None is until it is taken off.
        in_s, for_s
            When it begins and how long it lasts, in seconds of the facility's clock.
        value
            Number whose meaning the fault tells.

        Raises
        ------
        UsageError
            It is no fault.
        """
        if where is None and name in KIND:
            where = KIND[FaultName(name)].where
        words = {"name": str(name), "where": where or "*", "count": count, "in_s": in_s,
                 "for_s": for_s, "value": value}  # fmt: skip
        body = {word: given for word, given in words.items() if given is not None}
        return int(self._ask("POST", "/faults", body)["number"])

    def take(self, number: int) -> None:
        """Take a fault off; one that is not there is no error."""
        self._ask("DELETE", f"/faults/{number}")

    def clear(self) -> None:
        """Take all faults off."""
        self._ask("DELETE", "/faults")

    def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Ask, and read the answer.

        Raises
        ------
        UsageError
            The desk refuses.
        RemoteError
            It does not answer.
        """
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, method=method)  # noqa: S310 (checked)
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:  # noqa: S310
                found: dict[str, Any] = json.loads(answer.read())
                return found
        except urllib.error.HTTPError as error:
            said = json.loads(error.read()).get("error", "")
            error.close()
            raise UsageError(str(said).rstrip("."), where="fault desk") from error
        except (OSError, ValueError) as error:
            raise RemoteError(
                f"the facility does not answer ({error})", where=self._url,
                fix="See whether it runs: alsct facility status",
            ) from error  # fmt: skip
