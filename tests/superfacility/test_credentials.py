"""Where secrets live, and who may read them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from alsct_gui.superfacility.credentials import (
    CredentialError,
    Credentials,
    FileCredentials,
    KeyringCredentials,
    open_credentials,
    read_private,
)

SECRET = "canary-71ab"  # noqa: S105 (looked for where it must not be)


class Ring(KeyringBackend):
    """A keyring that keeps everything in memory."""

    priority = 1.0  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked(f"locked; {self.kept}")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.mark.parametrize("name", ["globus", "a/../b", "ü\n$(id)", " "])
def test_a_secret_is_kept_replaced_and_forgotten(tmp_path: Path, name: str) -> None:
    for place in (KeyringCredentials(Ring()), FileCredentials(tmp_path / "s")):
        keep_replace_and_forget(place, name)


def keep_replace_and_forget(place: Credentials, name: str) -> None:
    assert place.get(name) is None
    place.remove(name)
    place.put(name, SECRET)
    place.put(name, SECRET + "ü\n2")
    place.put("another", "x")
    assert place.get(name) == SECRET + "ü\n2"
    place.remove(name)
    assert place.get(name) is None
    assert place.get("another") == "x"


def test_files_are_for_the_owner_alone_and_that_is_warned_of(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        place = FileCredentials(tmp_path / "deep" / "s")
        place.put("n", SECRET)
    finally:
        os.umask(before)
    (path,) = (tmp_path / "deep" / "s").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert "unencrypted" in place.warning
    assert KeyringCredentials(Ring()).warning == ""


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o666])
def test_a_file_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    place = FileCredentials(tmp_path / "s")
    place.put("n", SECRET)
    (path,) = (tmp_path / "s").iterdir()
    path.chmod(mode)
    with pytest.raises(CredentialError, match="others may read") as failure:
        place.get("n")
    assert "chmod 600" in failure.value.fix
    assert SECRET not in failure.value.sentence


def test_a_folder_that_others_may_touch_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir(mode=0o755)
    (tmp_path / "s").chmod(0o755)
    with pytest.raises(CredentialError, match="chmod 700"):
        FileCredentials(tmp_path / "s")


def test_links_folders_pipes_and_long_files_are_refused(tmp_path: Path) -> None:
    good = tmp_path / "good"
    good.write_bytes(b"key")
    good.chmod(0o600)
    assert read_private(good) == b"key"
    (tmp_path / "link").symlink_to(good)
    (tmp_path / "folder").mkdir(mode=0o700)
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "long").write_bytes(bytes((1 << 20) + 1))
    (tmp_path / "long").chmod(0o600)
    for name in ("link", "folder", "pipe", "long", "missing"):
        with pytest.raises(CredentialError):
            read_private(tmp_path / name)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "n"}', f'"{SECRET}"', '{"name": 1}'])
def test_a_file_that_is_not_ours_is_refused_without_quoting_it(tmp_path: Path, text: str) -> None:
    place = FileCredentials(tmp_path / "s")
    place.put("n", "x")
    (path,) = (tmp_path / "s").iterdir()
    path.write_text(text)
    with pytest.raises(CredentialError, match="no secret of ours") as failure:
        place.get("n")
    assert SECRET not in failure.value.sentence


def test_a_keyring_that_fails_says_so_without_its_words() -> None:
    ring = Ring()
    place = KeyringCredentials(ring)
    place.put("n", SECRET)
    ring.locked = True
    with pytest.raises(CredentialError, match="KeyringLocked") as failure:
        place.get("n")
    assert SECRET not in failure.value.sentence
    assert failure.value.__cause__ is None


def test_without_a_secret_service_files_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert isinstance(open_credentials(tmp_path / "s"), FileCredentials)
    assert isinstance(open_credentials(tmp_path / "s", keyring=Ring()), KeyringCredentials)
