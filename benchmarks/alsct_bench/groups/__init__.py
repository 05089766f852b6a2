"""The groups of `alsct bench`, each a module with a function ``measure(bench)``.

A further group is a module here (or anywhere that can be imported) and a line in `GROUPS`.
"""

from __future__ import annotations

from importlib import import_module

from alsct_bench.context import Group

GROUPS = {
    "engine": "alsct_bench.groups.engine",
    "correction": "alsct_bench.groups.correction",
    "rings": "alsct_bench.groups.rings",
    "phase": "alsct_bench.groups.phase",
    "center": "alsct_bench.groups.center",
    "preview": "alsct_bench.groups.preview",
    "end-to-end": "alsct_bench.groups.end_to_end",
    "memory": "alsct_bench.groups.memory",
    "write": "alsct_bench.groups.write",
    "placement": "alsct_bench.groups.placement",
    "ui": "alsct_bench.groups.ui",
    "board": "alsct_bench.groups.board",
    "soak": "alsct_bench.groups.soak",
    "measure": "alsct_bench.groups.measure",
    "fibers": "alsct_bench.groups.fibers",
    "segment": "alsct_bench.groups.segment",
    "views": "alsct_bench.groups.views",
    "budget": "alsct_bench.groups.budget",
}
"""Name of each group and the module that measures it, in the order of a full run."""
AT_REQUEST = ("soak",)
"""Groups that are measured only when they are named: they take minutes, and compare nothing."""

SETS = {"analysis": ("fibers", "segment", "measure", "views", "budget")}
"""Names that stand for several groups."""


def load_group(name: str) -> Group:
    """Return the function of a group of `GROUPS`."""
    measure: Group = import_module(GROUPS[name]).measure
    return measure
