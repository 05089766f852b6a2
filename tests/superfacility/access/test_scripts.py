"""Scripts: fixed text under a name of its own, data in an alphabet that means nothing."""

from __future__ import annotations

import base64
import logging
import re
import shutil
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.files.resources import resource_path
from alsct_gui.simulator.facility.faults import Fault, FaultName
from alsct_gui.superfacility.compute.nersc import Nersc
from alsct_gui.superfacility.compute.script import Site
from alsct_gui.superfacility.errors import LinkDownError, OutsideError, RefusedError
from alsct_gui.superfacility.scripts import MAX_WORD_BYTES, HereScripts, Scripts, word_of
from tests.superfacility.access.conftest import There


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


def test_what_runs_is_what_is_in_the_resources(nersc: There) -> None:
    assert isinstance(nersc.scripts, Scripts)
    assert nersc.scripts.run_script("rights", ["x"]).startswith("failed usage")
    (script,) = (nersc.root / "alsct").iterdir()
    assert script.read_bytes() == resource_path("nersc", "rights.sh").read_bytes()
    served = nersc.service.server.served
    nersc.scripts.run_script("rights", ["y"])
    assert nersc.service.server.served - served <= 4  # it has not gone up again
    here = HereScripts().run_script("rights", ["x"])
    assert here == nersc.scripts.run_script("rights", ["x"])


def test_a_script_that_was_cleaned_away_goes_up_again(nersc: There) -> None:
    nersc.scripts.run_script("rights", ["x"])
    shutil.rmtree(nersc.root / "alsct")
    assert nersc.scripts.run_script("rights", ["x"]).startswith("failed usage")


def test_a_place_that_cannot_be_written_is_told(nersc: There) -> None:
    (nersc.root / "file").touch()
    scripts = Nersc(nersc.access, Site(f"{nersc.root}/file/below"))
    with pytest.raises(RefusedError, match="mkdir"):
        scripts.run_script("rights", ["x"])
    scripts.close()


def test_nothing_secret_is_told(nersc: There, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[str] = []
    for name in (FaultName.UNAUTHORIZED, FaultName.UNAVAILABLE, FaultName.TRUNCATED):
        number = nersc.desk.put(Fault(name, "sfapi POST */command/*"))
        with pytest.raises((OutsideError, LinkDownError)) as failure:
            nersc.scripts.run_script("rights", ["x"])
        told += traceback.format_exception(failure.value)
        nersc.desk.take(number)
    told += [nersc.scripts.run_script("rights", ["x"]), caplog.text]
    key = nersc.access.key_path
    assert key is not None
    body = Path(key).read_text().splitlines()[2]
    tokens = nersc.service.tokens._tokens
    assert tokens
    for secret in (body, *tokens):
        assert secret not in "\n".join(told)
