from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from alsct_gui.superfacility.compute.keyfile import read_key
from alsct_gui.superfacility.errors import NeedsPersonError

PEM = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"
WEB_KEY = {"kty": "RSA", "n": "x"}


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.touch(mode=mode)
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("name", "text", "secret"),
    [
        ("key.pem", f"abcdefghij123\n{PEM}", PEM),
        ("key.pem", f" abcdefghij123 \r\n\n{PEM}", PEM),
        ("key", f"abcdefghij123\n{json.dumps(WEB_KEY)}", WEB_KEY),
        ("key.json", json.dumps({"client_id": "abcdefghij123", "secret": WEB_KEY}), WEB_KEY),
    ],
)
def test_the_forms_of_a_key(tmp_path: Path, name: str, text: str, secret: object) -> None:
    key = read_key(write(tmp_path / name, text))
    assert (key.client_id, key.secret) == ("abcdefghij123", secret)
    assert "PRIVATE" not in repr(key)
    assert "secret" not in repr(key)


@pytest.mark.parametrize(
    "text",
    ["", "short\n" + PEM, "abcdefghij1234\n" + PEM, PEM, "abcdefghij123", "abcdefghij123\n{"],
)
def test_what_is_no_key_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(NeedsPersonError, match="13 characters") as said:
        read_key(write(tmp_path / "key", text))
    assert "c2VjcmV0" not in str(said.value)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(NeedsPersonError, match="chmod 600"):
        read_key(write(tmp_path / "key", f"abcdefghij123\n{PEM}", mode))


def test_a_key_that_is_not_there_or_no_file(tmp_path: Path) -> None:
    with pytest.raises(NeedsPersonError, match="cannot be read"):
        read_key(tmp_path / "none")
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(NeedsPersonError, match="not a file"):
        read_key(tmp_path / "pipe")
