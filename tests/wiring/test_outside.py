"""From a profile to clients: addresses, roots, what is lacking, and that nothing is built early."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from alsct_gui.files.profiles import load_profile
from alsct_gui.model.errors import RecipeError
from alsct_gui.model.placement import Observed, ScanFacts
from alsct_gui.model.policy import Place
from alsct_gui.model.profile import Collection, Groups, Hosts, Profile, split_host
from alsct_gui.placement.goals.base import BlockedError
from alsct_gui.placement.policy import load_policy
from alsct_gui.superfacility.credentials import FileCredentials
from alsct_gui.superfacility.errors import RefusedError
from alsct_gui.superfacility.health.model import LinkName
from alsct_gui.wiring.links import Links, Slips
from alsct_gui.wiring.outside import Outside, groups_of, placed

UUID = "12345678-0000-4000-8000-000000000001"
SCAN = ScanFacts("ab" * 32, "/data/raw/BLS-00001_kim/a.h5", 8_500_000_000, "", "BLS-00001")


@pytest.fixture
def profile() -> Profile:
    bare = load_profile()
    collections = (
        Collection("cfs", "/global/cfs", UUID), Collection("raw", "/data/raw"),
        Collection("all", "/", UUID),
    )  # fmt: skip
    nersc = replace(bare.nersc, key_file="/none/key.pem", jobs_folder="/pscratch/jobs")
    return replace(bare, collections=collections, nersc=nersc)


@pytest.fixture
def outside(profile: Profile, tmp_path: Path) -> Outside:
    return Outside(profile, lambda: 0.0, lambda: FileCredentials(tmp_path / "secrets"))


@pytest.mark.parametrize(
    ("collection", "root", "address"),
    [("cfs", "/global/cfs/raw", f"{UUID}:/raw"), ("cfs", "/global/cfs", f"{UUID}:/"),
     ("cfs", "", f"{UUID}:/"), ("all", "/data/raw", f"{UUID}:/data/raw")],
)  # fmt: skip
def test_what_globus_calls_a_place(
    collection: str, root: str, address: str, outside: Outside
) -> None:
    assert outside.address(Place("p", "s", "l", root, collection=collection)) == address


@pytest.mark.parametrize(
    ("collection", "root", "said"),
    [("raw", "/data/raw", "has no UUID"), ("none", "/x", "has no UUID"),
     ("cfs", "/global/cfs2/raw", "does not hold the folder")],
)  # fmt: skip
def test_a_place_that_globus_cannot_reach_says_so(
    collection: str, root: str, said: str, outside: Outside
) -> None:
    with pytest.raises(BlockedError, match=said):
        outside.address(Place("p", "s", "l", root, collection=collection))


def test_places_without_a_root_have_that_of_their_collection(profile: Profile) -> None:
    policy = load_policy()
    places = (Place("a", "here", "here", collection="cfs"), Place("b", "here", "here", "/own",
              collection="cfs"), Place("c", "here", "here"))  # fmt: skip
    found = placed(replace(policy, places=places), profile)
    assert [place.root for place in found.places] == ["/global/cfs", "/own", ""]


def test_what_is_lacking_is_said_with_where_to_write_it(profile: Profile, outside: Outside) -> None:
    bare = Outside(load_profile(), lambda: 0.0)
    for ask, where in (
        (bare.globus, "globus.client_id"), (bare.nersc, "nersc.key_file"),
        (bare.site, "nersc.jobs_folder"), (bare.scicat, "scicat.url"),
    ):  # fmt: skip
        with pytest.raises(BlockedError) as told:
            ask()
        assert where in told.value.where
        assert told.value.fix
    assert (bare.has_globus, bare.has_nersc, outside.has_nersc) == (False, False, True)
    named = replace(profile, globus=replace(profile.globus, client_id=UUID))
    transfer = Outside(named, lambda: 0.0, outside._open_secrets)
    with pytest.raises(BlockedError, match="secret of the Globus client"):
        transfer.globus().count_active()
    transfer.close()


def test_steps_run_where_the_ledger_lies(outside: Outside, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="beside its ledger"):
        outside.here(tmp_path / "a b")
    folder = tmp_path / "ledger.steps"
    assert outside.here(folder) is outside.here(folder)
    known = outside.step_resources(SCAN)
    assert (known.queue, known.time_s) == ("realtime", 4 * 3600)
    outside.close()


def test_what_a_job_asks_for(outside: Outside) -> None:
    size = {"n_angles": "1313", "n_rows": "2160", "n_columns": "2560"}
    known = outside.resources(replace(SCAN, metadata=size))
    guessed = outside.resources(SCAN)
    assert (known.queue, known.account, known.constraint) == ("realtime", "als", "cpu")
    assert known.time_s % 300 == 0
    assert abs(known.time_s - guessed.time_s) <= 300, "a usual scan is guessed well"
    huge = replace(SCAN, metadata={**size, "n_rows": "2160000"})
    with pytest.raises(RefusedError, match="minutes"):
        outside.resources(huge)


def test_groups_that_cannot_be_understood_are_refused() -> None:
    assert groups_of(Groups(r"BLS-(\d{5})", r"als-\1")).group_of("BLS-00001") == "als-00001"
    with pytest.raises(RefusedError):
        groups_of(Groups("BLS-(", "x"))


def test_addresses_in_profiles_are_checked(tmp_path: Path) -> None:
    assert split_host("127.0.0.1:443") == ("127.0.0.1", 443)
    for text in ("host", ":1", "host:0", "host:70000", "host:x"):
        with pytest.raises(ValueError, match="host:port"):
            split_host(text)
    base = Path(__file__).parents[2] / "resources/profiles/als-8.3.2.yaml"
    for line, where in (
        ("hosts: {network: nowhere}", "profile.hosts.network"),
        ("scicat: {url: 'ftp://x'}", "profile.scicat.url"),
    ):
        kept = [row for row in base.read_text().splitlines()
                if not row.startswith(line.split(":")[0])]  # fmt: skip
        (tmp_path / "p.yaml").write_text("\n".join([*kept, line]))
        with pytest.raises(RecipeError) as told:
            load_profile(tmp_path / "p.yaml")
        assert told.value.where == where


def test_every_link_that_a_policy_needs_is_looked_at(profile: Profile) -> None:
    policy = placed(load_policy(), profile)
    named = replace(
        profile, scicat=replace(profile.scicat, url="https://scicat.example.org/api"),
        hosts=Hosts("a:1", "b:2", "c:3"), prefect=replace(profile.prefect, url="http://p:1/api"),
    )  # fmt: skip
    outside = Outside(named, lambda: 0.0)
    links = Links(outside, policy, Slips(named), lambda: 0.0)
    probed = {probe.name for probe in links._probes()}
    assert probed == set(LinkName)
    needed = {link for place in policy.places for link in place.links}
    assert needed <= {name.value for name in probed}
    bare = Links(Outside(load_profile(), lambda: 0.0), policy, Slips(named), lambda: 0.0)
    assert {p.name for p in bare._probes()} >= {LinkName.PERLMUTTER, LinkName.WRITING}


def test_slips_are_read_off_the_ledger(profile: Profile) -> None:
    slips = Slips(profile)
    assert (slips.last_scan(), slips.proposals(), slips.denied()) == (None, (None, None), ())
    later = replace(SCAN, admitted_s=5.0, path="/data/raw/odd/b.h5", proposal="")
    slips.update(Observed(scans={"a": SCAN}))
    assert slips.last_scan() == Path(SCAN.path)
    assert slips.proposals() == ("BLS-00001", "BLS-00001")
    slips.update(Observed(scans={"a": SCAN, "b": later}))
    assert slips.proposals() == (None, None)


def test_an_agent_starts_without_the_libraries_of_its_services() -> None:
    heavy = (
        "globus_sdk", "sfapi_client", "scitacean", "prefect", "h5py", "numpy", "scipy", "smtplib",
    )  # fmt: skip
    code = f"import sys, alsct_gui.wiring.agent; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
