"""Groups and access lists with real bash: opened, read back, closed; names do no harm."""

from __future__ import annotations

import shutil
import stat
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from alsct_gui.simulator.facility.faults import Fault, FaultName
from alsct_gui.superfacility.access.base import AccessGate, Grant
from alsct_gui.superfacility.access.posix import AT_ONCE_BYTES, PosixGate, PosixRules, read_things
from alsct_gui.superfacility.errors import (
    LinkDownError,
    NeedsPersonError,
    NotThereError,
    RefusedError,
)
from alsct_gui.superfacility.proposals import ProposalGroups
from alsct_gui.superfacility.scripts import HereScripts
from tests.superfacility.access.conftest import There, gate_of, laid

NAMES = [
    "a scan.h5", "it's \"odd\".h5", "$(touch harm) `touch harm`.h5", "a\nb\tc.h5", "-rf", "--",
    "*?[a]{b,c}~!#;|&<>.h5", "é日本😀.h5", "..h5", "\\n\\0.h5", "=.h5", "\x1b[31m.h5",
]  # fmt: skip
has_acl = pytest.mark.skipif(
    shutil.which("setfacl") is None, reason="setfacl and getfacl (package acl) are not installed"
)
part = (
    st.text(st.characters(blacklist_characters="/\0", blacklist_categories=("Cs",)), min_size=1)
    .map(lambda text: text.encode()[:60].decode("utf-8", "ignore"))
    .filter(lambda text: text not in ("", ".", ".."))
)


def mode_of(path: Path) -> str:
    found = path.stat()
    return f"{stat.S_IMODE(found.st_mode):o} {path.group()}"


def test_a_file_and_its_folders_are_opened_and_nothing_else(
    tmp_path: Path, groups: ProposalGroups, group: str
) -> None:
    gate = gate_of(tmp_path, groups)
    assert isinstance(gate, AccessGate)
    path, other = laid(tmp_path, "BLS-00564_x/deep/a.h5"), laid(tmp_path, "BLS-2_y/b.h5")
    before = (mode_of(tmp_path), mode_of(other))
    grant = Grant("BLS-00564_x/deep/a.h5", "BLS-00564")
    assert gate.seen([grant]) == ("",)
    gate.give([grant])
    gate.give([grant])
    assert mode_of(path) == f"640 {group}"
    assert mode_of(path.parent) == mode_of(path.parent.parent) == f"2750 {group}"
    assert (mode_of(tmp_path), mode_of(other)) == before
    assert gate.seen([grant]) == (f"{group} by group",)
    gate.take([grant])
    gate.take([grant])
    assert mode_of(path) == f"600 {group}"
    assert gate.seen([grant]) == ("",)


def test_what_is_new_in_an_opened_folder_is_of_the_group(
    tmp_path: Path, groups: ProposalGroups, group: str
) -> None:
    laid(tmp_path, "p/a.h5")
    gate_of(tmp_path, groups).give([Grant("p/a.h5", "BLS-00564")])
    late = laid(tmp_path / "p", "b.h5")
    assert late.group() == group


@pytest.mark.parametrize(
    "change", [lambda p: p.chmod(0o600), lambda p: p.chmod(0o644), lambda p: p.parent.chmod(0o700),
               lambda p: p.parent.chmod(0o750), lambda p: p.parent.chmod(0o2755)]
)  # fmt: skip
def test_what_is_shut_or_open_to_others_is_seen(
    tmp_path: Path, groups: ProposalGroups, change: Callable[[Path], None]
) -> None:
    path, grant = laid(tmp_path, "p/a.h5"), Grant("p/a.h5", "BLS-00564")
    gate = gate_of(tmp_path, groups)
    gate.give([grant])
    change(path)
    assert gate.seen([grant]) == ("",)


@pytest.mark.parametrize("name", NAMES)
def test_odd_names_are_opened_as_they_are(
    tmp_path: Path, groups: ProposalGroups, group: str, name: str
) -> None:
    root = tmp_path / "root"
    path, grant = laid(root, f"{name}/{name}"), Grant(f"{name}/{name}", "BLS-00564")
    gate = gate_of(root, groups)
    gate.give([grant])
    assert mode_of(path) == f"640 {group}"
    assert gate.seen([grant]) == (f"{group} by group",)
    gate.take([grant])
    assert mode_of(path) == f"600 {group}"
    assert {p.name for p in tmp_path.rglob("*")} == {"root", name}


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(part, part), min_size=1, max_size=6))
@example([("$(id)", "`id`;rm -rf ."), ("..a", "a\n1 81a0 root r--\ndone")])
def test_names_of_any_kind_reach_the_file_system_unharmed(
    tmp_path_factory: pytest.TempPathFactory, groups: ProposalGroups, group: str,
    names: list[tuple[str, str]],
) -> None:  # fmt: skip
    root = tmp_path_factory.mktemp("root")
    grants = []
    for number, (folder, name) in enumerate(names):
        laid(root, f"{number}{folder}/{name}")
        grants.append(Grant(f"{number}{folder}/{name}", "BLS-00564"))
    gate = gate_of(root, groups)
    assert set(gate.seen(grants)) == {""}
    gate.give(grants)
    assert gate.seen(grants) == (f"{group} by group",) * len(grants)
    for grant in grants:
        assert mode_of(root / grant.path) == f"640 {group}"
    assert len([path for path in root.rglob("*") if path.is_file()]) == len(names)


@pytest.mark.parametrize("path", ["../a", "/a", "a/../../b", "a//b", "./a", "", "a\0b", "\ud800"])
def test_a_path_that_leaves_is_refused_before_anything(path: str) -> None:
    with pytest.raises(RefusedError):
        Grant(path, "BLS-00564")


def test_a_script_that_is_handed_a_climbing_path_refuses_it_too(tmp_path: Path, group: str) -> None:
    outside = laid(tmp_path, "outside.h5")
    (tmp_path / "root").mkdir()
    for path in ("../outside.h5", "a/../../outside.h5", "/etc/passwd", "a//b"):
        text = HereScripts().run_script(
            "rights", ["give", str(tmp_path / "root"), group, "auto", path]
        )
        assert text.startswith("failed unsafe")
    for parts in (["give"], ["rm", "/", group, "auto", "a"], ["give", "x", group, "auto", "a"]):
        assert HereScripts().run_script("rights", parts).startswith("failed usage")
    assert stat.S_IMODE(outside.stat().st_mode) == 0o664


def test_links_are_not_followed(tmp_path: Path, groups: ProposalGroups) -> None:
    outside = laid(tmp_path, "outside/a.h5")
    root = tmp_path / "root"
    (root / "p").mkdir(parents=True)
    (root / "p" / "a.h5").symlink_to(outside)
    (root / "q").symlink_to(outside.parent)
    for path in ("p/a.h5", "q/a.h5"):
        with pytest.raises(RefusedError, match="link"):
            gate_of(root, groups).give([Grant(path, "BLS-00564")])
    assert stat.S_IMODE(outside.stat().st_mode) == 0o664


@pytest.mark.parametrize("proposal", ["", "None", "BLS-00001", "BLS-99999"])
def test_a_missing_or_wrong_proposal_fails_closed_and_asks(
    tmp_path: Path, groups: ProposalGroups, proposal: str
) -> None:
    path = laid(tmp_path, "p/a.h5")
    before = mode_of(path)
    for act in (gate_of(tmp_path, groups).give, gate_of(tmp_path, groups).seen):
        with pytest.raises(NeedsPersonError) as failure:
            act([Grant("p/a.h5", proposal)])
        assert failure.value.name == "proposal"
    assert mode_of(path) == before


@pytest.mark.parametrize(
    "wide", ["root", "users", "everyone", "a b", "$(id)", "Staff", "-r", "x" * 40]
)
def test_a_group_that_is_no_proposals_fails_closed(tmp_path: Path, wide: str) -> None:
    laid(tmp_path, "p/a.h5")
    gate = gate_of(tmp_path, ProposalGroups(table={"BLS-1": wide}))
    with pytest.raises(NeedsPersonError):
        gate.give([Grant("p/a.h5", "BLS-1")])


@pytest.mark.parametrize("root", ["", "/", "relative", "/a/../b"])
def test_a_root_that_is_too_wide_is_refused(root: str) -> None:
    with pytest.raises(RefusedError):
        PosixRules(root)


def test_what_is_not_there_is_told(tmp_path: Path, groups: ProposalGroups) -> None:
    gate, grant = gate_of(tmp_path, groups), Grant("p/a.h5", "BLS-00564")
    assert gate.seen([grant]) == ("",)
    gate.take([grant])
    with pytest.raises(NotThereError, match=r"p/a\.h5"):
        gate.give([grant])


def test_many_files_go_in_several_scripts(tmp_path: Path, groups: ProposalGroups) -> None:
    class Counting(HereScripts):
        calls = 0

        def run_script(self, name: str, parts: Sequence[str]) -> str:
            self.calls += 1
            return super().run_script(name, parts)

    long = "n" * 200
    grants = [Grant(f"{number}{long}", "BLS-00564") for number in range(200)]
    for grant in grants:
        laid(tmp_path, grant.path)
    scripts = Counting()
    gate = PosixGate(scripts, PosixRules(str(tmp_path), groups, "group"))
    gate.give(grants)
    assert scripts.calls == -(-200 * 204 // AT_ONCE_BYTES)
    assert all(gate.seen([*grants[:3], *grants[-3:]]))


@has_acl
def test_where_groups_do_not_do_an_access_list_does(
    tmp_path: Path, groups: ProposalGroups, group: str
) -> None:
    path, grant = laid(tmp_path, "p/a b.h5"), Grant("p/a b.h5", "BLS-00564")
    probe = subprocess.run(["setfacl", "-m", f"g:{group}:r", "--", path], capture_output=True)
    if probe.returncode != 0:
        pytest.skip("this file system has no access lists")
    subprocess.run(["setfacl", "-b", "--", path], check=True)
    gate = gate_of(tmp_path, groups, "acl")
    gate.give([grant])
    assert gate.seen([grant]) == (f"{group} by acl",)
    assert stat.S_IMODE(path.stat().st_mode) & 0o007 == 0
    path.chmod(0o600)  # the mask goes with the group's bits, and the list means nothing then
    assert gate.seen([grant]) == ("",)
    gate.give([grant])
    gate.take([grant])
    assert gate.seen([grant]) == ("",)


def test_without_access_lists_it_says_what_is_missing(
    tmp_path: Path, groups: ProposalGroups, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = tmp_path / "bin"
    bare.mkdir()
    for name in ("bash", "base64", "getent", "stat", "chmod", "chgrp"):
        (bare / name).symlink_to(shutil.which(name) or "")
    monkeypatch.setenv("PATH", str(bare))
    laid(tmp_path, "p/a.h5")
    with pytest.raises(NeedsPersonError, match="cannot be opened"):
        gate_of(tmp_path, groups, "acl").give([Grant("p/a.h5", "BLS-00564")])


@pytest.mark.parametrize(
    "text", ["", "0 81a4 als r--\n", "0 81a4 als rwxx\ndone\n", "hello\ndone\n", "done\n0 missing"]
)
def test_what_is_no_answer_of_the_script_is_nonsense(text: str) -> None:
    with pytest.raises(LinkDownError):
        read_things(text, "als", [Grant("a", "p")])


def test_it_works_the_same_at_nersc(nersc: There, groups: ProposalGroups, group: str) -> None:
    root = nersc.root / "raw"
    gate = PosixGate(nersc.scripts, PosixRules(str(root), groups, "group"))
    grants = [Grant(f"BLS-00564_x/{name}", "BLS-00564") for name in NAMES]
    for grant in grants:
        laid(root, grant.path)
    gate.give(grants)
    assert set(gate.seen(grants)) == {f"{group} by group"}
    gate.take(grants[:1])
    assert gate.seen(grants[:2]) == ("", f"{group} by group")
    assert not list(nersc.root.rglob("harm"))
    (script,) = (nersc.root / "alsct").iterdir()
    assert script.name.startswith("alsct-rights-")


@pytest.mark.parametrize(
    "name", [FaultName.REFUSED, FaultName.RESET_BEFORE, FaultName.RESET_AFTER, FaultName.TRUNCATED,
             FaultName.GARBLED, FaultName.TOO_MANY, FaultName.UNAVAILABLE, FaultName.OUTAGE]
)  # fmt: skip
def test_a_fault_at_nersc_leads_to_access_when_it_is_over(
    nersc: There, groups: ProposalGroups, group: str, name: FaultName
) -> None:
    root = nersc.root / "raw"
    laid(root, "p/a.h5")
    gate = PosixGate(nersc.scripts, PosixRules(str(root), groups, "group"))
    where = "sfapi" if name in (FaultName.REFUSED, FaultName.OUTAGE) else "sfapi POST */command/*"
    number = nersc.desk.put(Fault(name, where))
    with pytest.raises(LinkDownError):
        gate.give([Grant("p/a.h5", "BLS-00564")])
    nersc.desk.take(number)
    gate.give([Grant("p/a.h5", "BLS-00564")])
    assert gate.seen([Grant("p/a.h5", "BLS-00564")]) == (f"{group} by group",)
