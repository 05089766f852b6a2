"""What a stand-in remembers when it is killed: as the real service does."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from alsct_gui.simulator.facility.auth import AuthService, Token
from alsct_gui.simulator.facility.tasks import Item, Mover, Task


class Kept:
    """Plain data in a file, which outlive the process; safe to use from several threads.

    Parameters
    ----------
    path
        The file.
    plain
        Returns what is to be kept.
    """

    def __init__(self, path: Path, plain: Callable[[], dict[str, Any]]) -> None:
        self._path, self._plain = path, plain
        self._lock = threading.Lock()
        self._kept = ""

    def recall(self) -> dict[str, Any] | None:
        """Return what was kept before; None at first."""
        if not self._path.exists():
            return None
        plain: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
        return plain

    def keep(self) -> None:
        """Write what has changed; it is on the disk when this returns."""
        with self._lock:
            text = json.dumps(self._plain())
            if text == self._kept:
                return
            fresh = self._path.with_suffix(".new")
            with fresh.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
            self._kept = text


class Memory:
    """Tasks, access rules and tokens of the stand-in for Globus.

    Parameters
    ----------
    path
        The file, which is read when it is there.
    mover, auth
        Whose memory it is.
    """

    def __init__(self, path: Path, mover: Mover, auth: AuthService) -> None:
        self._mover, self._auth = mover, auth
        self._kept = Kept(path, self._plain)
        known = self._kept.recall()
        if known is not None:
            self._recall(known)

    def keep(self) -> None:
        """Write what has changed; it is on the disk when this returns."""
        self._kept.keep()

    def _plain(self) -> dict[str, Any]:
        auth, mover = self._auth, self._mover
        return {
            **mover.plain(),
            "rules": {place.id: dict(place.rules) for place in mover.collections.values()},
            "person": auth.person,
            "tokens": {text: asdict(token) for text, token in list(auth.tokens.items())},
            "refresh": dict(auth.refresh), "issued": list(auth.issued),
            "consents": {who: sorted(scopes) for who, scopes in list(auth.consents.items())},
        }  # fmt: skip

    def _recall(self, plain: dict[str, Any]) -> None:
        auth, mover = self._auth, self._mover
        for row in plain["tasks"]:
            items, nice = [Item(**item) for item in row.pop("items")], tuple(row.pop("nice"))
            mover.restore(Task(**row, items=items, nice=nice))
        mover.written.update({(place, path): n for place, path, n in plain["written"]})
        for place, rules in plain["rules"].items():
            if place in mover.collections:
                mover.collections[place].rules.update(rules)
        auth.person = plain["person"]
        auth.tokens.update({text: Token(**row) for text, row in plain["tokens"].items()})
        auth.refresh.update(
            {text: (who, server) for text, (who, server) in plain["refresh"].items()}
        )
        auth.issued.extend(plain["issued"])
        auth.consents.update({who: set(scopes) for who, scopes in plain["consents"].items()})
