"""Where tokens and keys live: in the desktop's keyring, or in files for the owner alone."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from alsct_gui.model.errors import AlsctError
from alsct_gui.superfacility.bounded import bounded
from alsct_gui.superfacility.errors import LinkDownError

SERVICE = "alsct-gui"
"""Name under which the keyring keeps what is ours."""
GLOBUS_SECRET = "globus-client"  # noqa: S105 (the name of it)
"""Name under which the secret of the beamline's Globus client is kept."""
SCICAT_SECRET = "scicat"  # noqa: S105 (the name of it)
"""Name under which SciCat's password or token is kept."""
PREFECT_SECRET = "prefect"  # noqa: S105 (the name of it)
"""Name under which the key of a Prefect server is kept, if it asks for one."""
SECRETS_VARIABLE = "ALSCT_SECRETS"
"""Environment variable that names a folder of secrets, instead of the desktop's keyring."""
_KEYRING_TIMEOUT_S = 20.0
"""How long the keyring may take: a person may be asked to unlock it."""
_MAX_BYTES = 1 << 20


class CredentialError(AlsctError):
    """A secret cannot be kept or read safely."""

    exit_code = 3


class Credentials(Protocol):
    """A place for secrets, each a text with a name."""

    @property
    def warning(self) -> str:
        """What a person should know about this place; empty when it is as it should be."""
        ...

    def get(self, name: str) -> str | None:
        """Return a secret; None when there is none of that name."""
        ...

    def put(self, name: str, secret: str) -> None:
        """Keep a secret; it replaces the one before it."""
        ...

    def remove(self, name: str) -> None:
        """Forget a secret; one that is not there is no error."""
        ...


def open_credentials(folder: Path, *, keyring: Any = None) -> Credentials:
    """Return the desktop's keyring where there is one, else files in a folder.

    Parameters
    ----------
    folder
        For the files, if it comes to that; made for the owner alone.
    keyring
        A backend of the library keyring; None is the one that it finds.

    Raises
    ------
    CredentialError
        The folder is open to others.
    """
    backend = _secret_service() if keyring is None else keyring
    if backend is not None:
        return KeyringCredentials(backend)
    return FileCredentials(folder)


def open_secrets() -> Credentials:
    """Return where this user's secrets are: a folder that is named, the keyring, or files.

    Raises
    ------
    CredentialError
        The folder is open to others.
    """
    named = os.environ.get(SECRETS_VARIABLE)
    if named:
        return FileCredentials(Path(named))
    config = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return open_credentials(Path(config).expanduser() / "alsct-gui" / "secrets")


def read_private(path: Path) -> bytes:
    """Read a file that holds a secret, if nobody but its owner can.

    Raises
    ------
    CredentialError
        It is not there, is open to others, belongs to somebody else, is a link or too long.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise CredentialError(
            f"the secret cannot be read ({error.strerror})", where=str(path),
            fix="Give the path of a file of yours that is no link",
        ) from error  # fmt: skip
    try:
        _check(os.fstat(handle), path, folder=False)
    except CredentialError:
        os.close(handle)
        raise
    with os.fdopen(handle, "rb") as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise CredentialError("the file is too long for a secret", where=str(path))
    return data


class FileCredentials:
    """Secrets in files with mode 0600, in a folder with mode 0700.

    Parameters
    ----------
    folder
        Made if need be.

    Raises
    ------
    CredentialError
        The folder is open to others.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _check(folder.lstat(), folder, folder=True)

    @property
    def warning(self) -> str:
        """Says that the secrets lie on the disk."""
        return (
            f"No keyring (Secret Service) runs here: tokens lie unencrypted in {self._folder}, "
            "readable by you and the administrator alone"
        )

    def get(self, name: str) -> str | None:
        """Return a secret; None when there is none of that name."""
        path = self._path(name)
        if not path.exists() and not path.is_symlink():
            return None
        data = read_private(path)
        try:
            plain = json.loads(data)
            if plain["name"] == name and isinstance(plain["secret"], str):
                return str(plain["secret"])
        except (ValueError, KeyError, TypeError):
            pass  # told below, without the words of the parser: they may quote the secret
        raise CredentialError(
            "the file holds no secret of ours", where=str(path), fix="Remove it and log in again"
        )

    def put(self, name: str, secret: str) -> None:
        """Write a secret beside its file and rename it."""
        path = self._path(name)
        fresh = path.with_suffix(f".{os.getpid()}.new")
        fresh.unlink(missing_ok=True)  # of a process that was killed here and had our number
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump({"name": name, "secret": secret}, file)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except BaseException:
            with suppress(FileNotFoundError):
                fresh.unlink()
            raise

    def remove(self, name: str) -> None:
        """Remove the file."""
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.json"


class KeyringCredentials:
    """Secrets in the desktop's keyring; every call ends in time.

    Parameters
    ----------
    backend
        A backend of the library keyring.
    timeout_s
        How long a call may take.
    """

    warning = ""

    def __init__(self, backend: Any, *, timeout_s: float = _KEYRING_TIMEOUT_S) -> None:
        self._backend, self._timeout_s = backend, timeout_s

    def get(self, name: str) -> str | None:
        """Return a secret; None when there is none of that name."""
        secret = self._ask("get_password", name)
        return None if secret is None else str(secret)

    def put(self, name: str, secret: str) -> None:
        """Keep a secret."""
        self._ask("set_password", name, secret)

    def remove(self, name: str) -> None:
        """Forget a secret."""
        if self.get(name) is not None:
            self._ask("delete_password", name)

    def _ask(self, word: str, *arguments: str) -> Any:
        method = getattr(self._backend, word)
        try:
            return bounded(
                lambda: method(SERVICE, *arguments), self._timeout_s, where="the keyring"
            )
        except LinkDownError as error:
            raise CredentialError(
                "the keyring does not answer", where="Secret Service",
                fix="Unlock it and try again",
            ) from error  # fmt: skip
        except Exception as error:  # noqa: BLE001 - a backend may raise anything
            # Only the kind of the error: its words belong to the backend and may say too much.
            raise CredentialError(
                f"the keyring failed ({type(error).__name__})", where="Secret Service",
                fix="Unlock it and try again",
            ) from None  # fmt: skip


def _secret_service() -> Any | None:
    """The Secret Service, if one answers here."""
    try:
        from keyring.backends import SecretService
    except ImportError:
        return None
    kind: Any = SecretService.Keyring
    try:
        # Its priority is worked out by talking to the session's bus; it raises without one.
        if bounded(lambda: kind.priority > 0, 5.0, where="the keyring"):
            return kind()
    except (RuntimeError, LinkDownError):
        return None
    return None


def _check(facts: os.stat_result, path: Path, *, folder: bool) -> None:
    """Refuse what others may read or write."""
    right_kind = stat.S_ISDIR(facts.st_mode) if folder else stat.S_ISREG(facts.st_mode)
    if not right_kind:
        raise CredentialError("this is no plain file or folder", where=str(path))
    if facts.st_uid != os.geteuid():
        raise CredentialError("it belongs to somebody else", where=str(path))
    open_to_others = stat.S_IMODE(facts.st_mode) & 0o077
    if open_to_others:
        mode = "700" if folder else "600"
        raise CredentialError(
            f"others may read or change it (mode {stat.S_IMODE(facts.st_mode):04o})",
            where=str(path), fix=f"Run chmod {mode} on it, and renew the secret if others are "
            "not trusted",
        )  # fmt: skip
