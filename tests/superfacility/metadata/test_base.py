"""Records compared, and plain data that every reader of JSON gives back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.superfacility.metadata.base import (
    MAX_WHOLE,
    Record,
    RecordFile,
    clean,
    differences,
    digest,
    escape_key,
    unescape_key,
)

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_a_record_does_not_differ_from_itself(record: Record) -> None:
    assert differences(record, record) == ()
    assert digest(record) == digest(replace(record, words=replace(record.words, name="other")))


@pytest.mark.parametrize(
    ("changes", "what", "by_person"),
    [
        ({"kind": "derived"}, "the kind", True),
        ({"owner_group": "BLS-00001"}, "the group", True),
        ({"proposal": "BLS-00001"}, "the proposal", True),
        ({"folder": "/elsewhere"}, "the folder", False),
        ({"files": ()}, "the files", False),
        ({"files": (RecordFile("a", 1, "x"), RecordFile("a", 1, "x"))}, "the files", False),
        ({"data_format": "TIFF"}, "the format", False),
        ({"scientific": {}}, "scan_identity", False),
        ({"access_groups": ()}, "who may see it", False),
    ],
)
def test_what_is_otherwise_is_told(
    record: Record, changes: dict[str, object], what: str, by_person: bool
) -> None:
    found = replace(record, **changes)  # type: ignore[arg-type]
    told = {item.what: item for item in differences(record, found)}
    assert told[what].by_person is by_person
    assert "should be" in told[what].sentence
    assert digest(found) != digest(record)


def test_what_others_have_added_or_put_into_words_is_theirs(record: Record) -> None:
    found = replace(
        record,
        words=replace(record.words, description="foam, wet", keywords=("foam",), owner="X"),
        access_groups=(*record.access_groups, "friends"),
        scientific={**record.scientific, "porosity": 0.4},
        published=True,
    )
    assert differences(record, found) == ()


def test_what_is_left_empty_is_not_asked_for(record: Record) -> None:
    bare = replace(record, data_format="", scientific={}, access_groups=())
    assert differences(bare, record) == ()


@given(plain)
def test_cleaned_data_come_back_from_json_as_they_were(value: object) -> None:
    cleaned = clean(value)
    text = json.dumps(cleaned, allow_nan=False)
    text.encode("utf-8")
    assert json.loads(text) == cleaned
    assert clean(cleaned) == cleaned


def test_whole_numbers_that_javascript_rounds_become_texts() -> None:
    assert clean([MAX_WHOLE, MAX_WHOLE + 1, True]) == [MAX_WHOLE, str(MAX_WHOLE + 1), True]


@given(st.text(st.characters(blacklist_categories=("Cs",)), max_size=30))
def test_keys_survive_services_that_decode_them_and_such_that_do_not(key: str) -> None:
    wanted = unescape_key(key)
    sent = escape_key(wanted)
    assert not set(sent) & set(".$\0")
    assert unescape_key(sent) == wanted
    assert unescape_key(unescape_key(sent)) == wanted
