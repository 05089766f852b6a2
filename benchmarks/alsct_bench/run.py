"""A run of the bench: set-up, groups one after the other, and its record."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alsct_bench.context import FULL, QUICK, Bench, Size
from alsct_bench.driver import Peers
from alsct_bench.groups import AT_REQUEST, GROUPS, SETS, load_group
from alsct_bench.machine import core_count, machine_facts
from alsct_bench.measurement import Measurement
from alsct_bench.report import markdown
from alsct_bench.timing import blas_can_be_held
from alsct_gui.model.errors import RecipeError


@dataclass(frozen=True, slots=True)
class Record:
    """All that a run found, and on what."""

    rows: tuple[Measurement, ...]
    size: Size
    quick: bool
    threads: int
    machine: dict[str, Any]
    peers: dict[str, str]
    """Version of each peer that took part."""
    missing: dict[str, str]
    """Why the others did not."""
    started: str
    """ISO 8601, UTC."""

    def plain(self) -> dict[str, Any]:
        """Return the record as plain data, as documented for ``--json``."""
        return {
            "rows": [row.row(full_size=not self.quick) for row in self.rows],
            "size": {"columns": self.size.n_columns, "angles": self.size.n_angles},
            "quick": self.quick,
            "threads": self.threads,
            "machine": self.machine,
            "peers": self.peers,
            "peers_missing": self.missing,
            "started": self.started,
        }


def run_bench(
    groups: Sequence[str] = (),
    *,
    quick: bool = False,
    threads: int = 0,
    peer_pythons: Sequence[Path] = (),
    workdir: Path | None = None,
    full: bool = False,
    seed: int | None = None,
    show: Callable[[Measurement], None] | None = None,
) -> Record:
    """Run groups of measurements.

    Parameters
    ----------
    groups
        Names of `GROUPS` or `SETS`; none for all but those of `AT_REQUEST`.
    quick
        Small sizes and few repeats: shows that everything works, its times mean little.
    threads
        Threads of the measurements on several threads; 0 for all.
    peer_pythons
        Further interpreters in which peers are looked for.
    workdir
        Folder for the scans that are made, kept for the next run; None for a temporary one.
    full
        Give the soak its full length.
    seed
        Of the soak; None for another one each time.
    show
        Called with each row as it is taken.

    Raises
    ------
    RecipeError
        There is no group of that name.
    """
    groups = [name for given in groups for name in SETS.get(given, (given,))]
    for name in groups:
        if name not in GROUPS:
            raise RecipeError(
                f"there is no group {name!r}", where="bench",
                fix=f"Take of {', '.join([*GROUPS, *SETS])}",
            )  # fmt: skip
    started = datetime.now(UTC).isoformat(timespec="seconds")
    rows: list[Measurement] = []
    with ExitStack() as stack:
        hand_over = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="alsct-bench-")))
        if workdir is not None:
            workdir.mkdir(parents=True, exist_ok=True)
        peers = stack.enter_context(Peers(peer_pythons, hand_over))
        bench = Bench(
            size=QUICK if quick else FULL,
            quick=quick,
            threads=threads or core_count(),
            folder=workdir or hand_over,
            peers=peers,
            full=full,
            seed=seed,
        )
        for name in groups or [name for name in GROUPS if name not in AT_REQUEST]:
            for row in load_group(name)(bench):
                rows.append(row)
                if show is not None:
                    show(row)
    return Record(
        rows=tuple(rows),
        size=bench.size,
        quick=quick,
        threads=bench.threads,
        machine={**machine_facts(), "blas_held": blas_can_be_held()},
        peers=peers.versions,
        missing=peers.missing,
        started=started,
    )


def store_record(record: Record, folder: Path) -> tuple[Path, Path]:
    """Write a record as JSON and as a table in Markdown; returns both paths."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = "bench-" + record.started.replace(":", "").replace("+0000", "Z")
    data, table = folder / f"{stem}.json", folder / f"{stem}.md"
    data.write_text(json.dumps(record.plain(), indent=1) + "\n", encoding="utf-8")
    table.write_text(markdown(record.rows, full_size=not record.quick), encoding="utf-8")
    return data, table
