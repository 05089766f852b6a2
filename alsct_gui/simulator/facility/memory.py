"""What a stand-in remembers when it is killed: as the real service does."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from alsct_gui.simulator.facility.auth import AuthService, Token
from alsct_gui.simulator.facility.tasks import Item, Mover, Task


class Memory:
    """Tasks, access rules and tokens in a file, which is read when it is there.

    Parameters
    ----------
    path
        The file.
    mover, auth
        Whose memory it is.
    """

    def __init__(self, path: Path, mover: Mover, auth: AuthService) -> None:
        self._path, self._mover, self._auth = path, mover, auth
        self._lock = threading.Lock()
        self._kept = ""
        if path.exists():
            self._recall(json.loads(path.read_text(encoding="utf-8")))

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
