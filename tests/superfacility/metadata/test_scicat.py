"""Records through the real client: made once, read back, mended, never taken from anybody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alsct_gui.simulator.facility.scicat import TOKEN_LIFE_S
from alsct_gui.superfacility.errors import (
    LinkDownError,
    NeedsPersonError,
    RefusedError,
)
from alsct_gui.superfacility.metadata.base import (
    MetadataCatalogue,
    Record,
    RecordFile,
    differences,
)
from alsct_gui.superfacility.metadata.scicat import Scicat
from alsct_gui.superfacility.metadata.scicat_session import ScicatAccess
from alsct_gui.superfacility.metadata.scicat_words import FILES_AT_ONCE
from tests.superfacility.metadata.conftest import CANARY, MODIFIED, PRIVILEGED, Catalogue

VERSIONS = pytest.mark.parametrize("api", ["v3", "v4"])


def derived_of(record: Record, **changes: object) -> Record:
    """A reconstruction of the scan."""
    derived = replace(
        record, pid=record.pid[:-1] + "x", kind="derived", data_format="",
        files=(RecordFile("0/c/0", 5, MODIFIED), RecordFile("zarr.json", 2, MODIFIED)),
        scientific={"voxel_size": {"value": 0.65, "unit": "um"}}, inputs=(record.pid,),
        software=("alsct-gui 0.1.0",), parameters={"recipe": {"rings": [{"sigma": 3.0}]}},
    )  # fmt: skip
    return replace(derived, **changes)  # type: ignore[arg-type]


@VERSIONS
def test_a_raw_record_is_made_once_and_read_back(
    catalogue: Catalogue, record: Record, api: str
) -> None:
    scicat = catalogue.make(api=api)
    assert isinstance(scicat, MetadataCatalogue)
    assert scicat.read(record.pid) is None
    stored = scicat.upsert(record)
    assert differences(record, stored) == ()
    assert stored.words == record.words
    assert not stored.published
    assert scicat.upsert(record) == stored == scicat.read(record.pid)
    (plain,) = catalogue.service.datasets.values()
    assert plain["principalInvestigators"] == ["Ada Example"]
    assert plain["proposalIds"] == ["BLS-00564"]
    assert plain["instrumentIds"] == ["ALS 8.3.2 simulator"]
    assert plain["sampleIds"] == [record.words.sample]
    assert (plain["isPublished"], plain["ownerGroup"]) == (False, "BLS-00564")
    assert (plain["size"], plain["numberOfFiles"]) == (record.files[0].size_bytes, 1)
    (block,) = catalogue.service.blocks_of(record.pid)
    assert (block["chkAlg"], block["dataFileList"][0]["chk"]) == ("sha256", "ab" * 32)
    assert block["accessGroups"] == ["832"]


@VERSIONS
def test_a_derived_record_is_made_once_and_read_back(
    catalogue: Catalogue, record: Record, api: str
) -> None:
    scicat, derived = catalogue.make(api=api), derived_of(record)
    stored = scicat.upsert(derived)
    assert differences(derived, stored) == ()
    assert scicat.upsert(derived) == stored
    assert len(catalogue.service.datasets) == len(catalogue.service.blocks) == 1


@VERSIONS
def test_what_has_changed_is_mended_and_what_others_added_stays(
    catalogue: Catalogue, record: Record, api: str
) -> None:
    scicat = catalogue.make(api=api)
    scicat.upsert(record)
    plain = catalogue.service.datasets[record.pid]
    plain["sourceFolder"] = "/elsewhere"
    plain["scientificMetadata"]["porosity"] = {"value": 3.0, "unit": "mm", "valueSI": 0.003}
    del plain["scientificMetadata"]["scan_identity"]
    plain["accessGroups"] = ["friends"]
    plain |= {"description": "wet foam", "isPublished": True, "keywords": ["foam"]}
    catalogue.service.blocks_of(record.pid)[0]["dataFileList"][0]["size"] += 1
    stored = scicat.upsert(record)
    assert differences(record, stored) == ()
    assert stored.scientific["porosity"] == {"value": 3.0, "unit": "mm"}
    assert set(stored.access_groups) == {"832", "friends"}
    assert (stored.words.description, stored.words.keywords) == ("wet foam", ("foam",))
    assert stored.published  # somebody has published it there; that is not undone
    assert len(catalogue.service.blocks) == 1


@VERSIONS
@pytest.mark.parametrize(
    ("field", "value"), [("ownerGroup", "BLS-00001"), ("proposalIds", ["BLS-00001"])]
)
def test_a_record_that_belongs_to_others_is_left_to_a_person(
    catalogue: Catalogue, record: Record, api: str, field: str, value: object
) -> None:
    scicat = catalogue.make(api=api)
    scicat.upsert(record)
    plain = catalogue.service.datasets[record.pid]
    plain[field] = value
    before = dict(plain)
    with pytest.raises(NeedsPersonError, match="BLS-00001") as failure:
        scicat.upsert(replace(record, folder="/elsewhere"))
    assert failure.value.link
    assert catalogue.service.datasets[record.pid] == before


@VERSIONS
def test_a_list_of_files_that_is_there_twice_is_taken_away(
    catalogue: Catalogue, record: Record, api: str
) -> None:
    scicat = catalogue.make(api=api)
    scicat.upsert(record)
    (block,) = catalogue.service.blocks_of(record.pid)
    catalogue.service.blocks["late"] = {**block, "_id": "late"}
    assert differences(record, scicat.upsert(record)) == ()
    assert len(catalogue.service.blocks_of(record.pid)) == 1


def test_many_files_go_into_several_lists(catalogue: Catalogue, record: Record) -> None:
    count = FILES_AT_ONCE + 3
    files = tuple(RecordFile(f"{number}.tiff", number, MODIFIED) for number in range(count))
    scicat, derived = catalogue.make(), derived_of(record, files=files)
    scicat.upsert(derived)
    blocks = catalogue.service.blocks_of(derived.pid)
    assert sorted(len(block["dataFileList"]) for block in blocks) == [3, FILES_AT_ONCE]
    assert catalogue.service.datasets[derived.pid]["size"] == sum(range(count))
    del catalogue.service.blocks[blocks[1]["_id"]]  # as after a kill between the two
    scicat.upsert(derived)
    assert len(catalogue.service.blocks_of(derived.pid)) == 2


def test_odd_names_and_keys_come_back_as_they_went(catalogue: Catalogue, record: Record) -> None:
    odd = "a b'c\"d$(touch x)`id`\n\t../é日本\\"
    wanted = replace(
        record, proposal="BLS-00564", folder=f"/raw/{odd}",
        files=(RecordFile(odd, 1, MODIFIED, "00" * 32),),
        scientific={f"/{odd}": odd, "a.b$c": {"value": 1.0, "unit": "furlong"}},
        words=replace(record.words, sample=odd, name=odd),
    )  # fmt: skip
    for api in ("v3", "v4"):
        stored = catalogue.make(api=api).upsert(wanted)
        assert differences(wanted, stored) == ()
        assert stored.words.sample == odd


def test_a_token_that_has_expired_is_renewed(catalogue: Catalogue, record: Record) -> None:
    """SciCat answers 403 to it, as to a stranger."""
    scicat = catalogue.make()
    scicat.upsert(record)
    catalogue.clock.advance(TOKEN_LIFE_S + 1)
    assert scicat.read(record.pid) is not None
    catalogue.service.revoke()
    scicat.upsert(replace(record, folder="/elsewhere"))
    assert len(catalogue.service.issued) == 3
    assert len(catalogue.service.blocks) == 1


def test_a_token_of_a_person_is_used_until_it_ends(catalogue: Catalogue, record: Record) -> None:
    by_name = catalogue.make()
    by_name.upsert(record)
    catalogue.credentials.put("a token", catalogue.service.issued[0])
    scicat = catalogue.make(user="", secret="a token")  # noqa: S106 (its name)
    assert scicat.read(record.pid) is not None
    catalogue.service.revoke()
    with pytest.raises(NeedsPersonError, match="Unauthorized access"):
        scicat.read(record.pid)
    assert len(catalogue.service.issued) == 1


@pytest.mark.parametrize("secret", ["wrong", None])
def test_without_the_right_password_a_person_is_asked(
    catalogue: Catalogue, record: Record, secret: str | None
) -> None:
    if secret:
        catalogue.credentials.put("scicat", secret)
    else:
        catalogue.credentials.remove("scicat")
    with pytest.raises(NeedsPersonError) as failure:
        catalogue.make().upsert(record)
    assert failure.value.name == "login"
    assert catalogue.service.datasets == {}


def test_an_account_without_the_right_is_told_so(catalogue: Catalogue, record: Record) -> None:
    """An account that may make records for everybody may change only its own groups'."""
    scicat = catalogue.make(user=PRIVILEGED.name)
    scicat.upsert(record)
    with pytest.raises(NeedsPersonError, match="Unauthorized to update"):
        scicat.upsert(replace(record, folder="/elsewhere"))
    hidden = replace(record, pid="p/1", access_groups=())
    with pytest.raises(NeedsPersonError, match="Unauthorized access"):
        scicat.upsert(hidden)
    assert catalogue.service.datasets["p/1"]["isPublished"] is False


def test_what_scicat_finds_wrong_is_told_in_its_words(catalogue: Catalogue, record: Record) -> None:
    wrong = replace(record, words=replace(record.words, contact="nobody"))
    with pytest.raises(RefusedError, match="contactEmail") as failure:
        catalogue.make().upsert(wrong)
    assert failure.value.name == "http-400"
    with pytest.raises(RefusedError, match="no such thing"):
        catalogue.make(login="auth/ldap")._session.call("get", "nothing/here", "test")


def test_a_catalogue_that_forgets_is_told_and_not_asked_for_ever(
    catalogue: Catalogue, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    scicat = catalogue.make()
    scicat.upsert(record)
    monkeypatch.setattr(catalogue.service, "_patch", lambda *_: _nothing())
    with pytest.raises(RefusedError, match="does not keep it: the folder") as failure:
        scicat.upsert(replace(record, folder="/elsewhere"))
    assert failure.value.name == "not-kept"


def _nothing() -> object:
    from alsct_gui.simulator.facility.http import Reply

    return Reply({})


def test_answers_that_are_no_record_are_nonsense(
    catalogue: Catalogue, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    scicat = catalogue.make()
    scicat.upsert(record)
    monkeypatch.setitem(catalogue.service.datasets[record.pid], "scientificMetadata", [1])
    with pytest.raises(LinkDownError):
        scicat.read(record.pid)


def test_it_is_where_it_was_after_a_kill(catalogue: Catalogue, record: Record) -> None:
    from alsct_gui.simulator.facility.scicat import ScicatStandIn

    catalogue.make().upsert(record)
    again = ScicatStandIn(catalogue.desk, memory=catalogue.service._path)
    assert again.datasets == catalogue.service.datasets
    assert again.blocks == catalogue.service.blocks
    again.server.close()


@pytest.mark.parametrize(
    "url", ["http://scicat.example.org/api", "https://me:secret@scicat.example.org/api", "x", ""]
)
def test_nothing_is_told_to_an_address_that_is_not_encrypted(url: str) -> None:
    with pytest.raises(RefusedError):
        ScicatAccess(url)


def test_the_page_of_a_record_is_told(catalogue: Catalogue) -> None:
    scicat: Scicat = catalogue.make(page="https://scicat.example.org/")
    assert scicat.address("p/1") == "https://scicat.example.org/datasets/p%2F1"
    assert catalogue.make().address("p/1") == f"{catalogue.service.url}/v3/datasets/p%2F1"
    for url in ("https://a.org", "https://a.org/api/", "https://a.org/api/v3"):
        assert ScicatAccess(url, api="v4").base == "https://a.org/api/v4"
    assert CANARY not in repr(scicat._access)
