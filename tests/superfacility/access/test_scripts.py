"""Scripts: fixed text under a name of its own, data in an alphabet that means nothing."""

from __future__ import annotations

import base64
import logging
import re
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.files.resources import resource_path
from alsct_gui.simulator.facility.faults import Fault, FaultName
from alsct_gui.superfacility.compute.session import Access
from alsct_gui.superfacility.errors import LinkDownError, OutsideError, RefusedError
from alsct_gui.superfacility.scripts import MAX_WORD_BYTES, HereScripts, NerscScripts, word_of
from tests.superfacility.access.conftest import Nersc


@given(st.lists(st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",))),
                min_size=1, max_size=5))  # fmt: skip
def test_parts_come_back_from_the_word(parts: list[str]) -> None:
    word = word_of(parts)
    assert re.fullmatch(r"[A-Za-z0-9+/=]+", word)
    assert base64.b64decode(word).decode().split("\0")[:-1] == parts


@pytest.mark.parametrize("parts", [[], ["a\0b"], ["\ud800"], ["x" * MAX_WORD_BYTES]])
def test_what_cannot_be_handed_over_is_refused(parts: list[str]) -> None:
    with pytest.raises(RefusedError):
        word_of(parts)


@pytest.mark.parametrize("folder", ["relative", "/a b", "/$(id)", "/a/../b", ""])
def test_a_folder_that_a_shell_could_misread_is_refused(folder: str) -> None:
    with pytest.raises(RefusedError):
        NerscScripts(Access(), folder)


def test_what_runs_is_what_is_in_the_resources(nersc: Nersc) -> None:
    assert nersc.scripts.run("rights", ["x"]).startswith("failed usage")
    (script,) = (nersc.root / "alsct").iterdir()
    assert script.read_bytes() == resource_path("nersc", "rights.sh").read_bytes()
    served = nersc.service.server.served
    nersc.scripts.run("rights", ["y"])
    assert nersc.service.server.served - served <= 4  # it has not gone up again
    assert HereScripts().run("rights", ["x"]) == nersc.scripts.run("rights", ["x"])


def test_a_place_that_cannot_be_written_is_told(nersc: Nersc) -> None:
    (nersc.root / "file").touch()
    scripts = NerscScripts(nersc.scripts._access, f"{nersc.root}/file/below")
    with pytest.raises(RefusedError, match="does not take the script"):
        scripts.run("rights", ["x"])
    scripts.close()


def test_nothing_secret_is_told(nersc: Nersc, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[str] = []
    for name in (FaultName.UNAUTHORIZED, FaultName.UNAVAILABLE, FaultName.TRUNCATED):
        number = nersc.desk.put(Fault(name, "sfapi POST */command/*"))
        with pytest.raises((OutsideError, LinkDownError)) as failure:
            nersc.scripts.run("rights", ["x"])
        told += traceback.format_exception(failure.value)
        nersc.desk.take(number)
    told += [nersc.scripts.run("rights", ["x"]), caplog.text]
    key = nersc.scripts._access.key_path
    assert key is not None
    body = Path(key).read_text().splitlines()[2]
    tokens = nersc.service.tokens._tokens
    assert tokens
    for secret in (body, *tokens):
        assert secret not in "\n".join(told)
