"""Transfers by Globus: the adapter on globus-sdk.

The library is synchronous, retries by itself and is not safe for several threads at once. So
each call runs in a thread of its own that is given up after a time (`bounded`), calls go one
after the other, and after a call that was given up everything is built anew.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from globus_sdk import TransferClient

from alsct_gui.superfacility.bounded import bounded
from alsct_gui.superfacility.errors import LinkDownError, NotThereError
from alsct_gui.superfacility.transfer.base import (
    Capabilities,
    Evidence,
    Record,
    TransferItem,
    TransferRequest,
    TransferState,
    TransferStatus,
    check_path,
    check_request,
)
from alsct_gui.superfacility.transfer.globus_login import Account, Patience
from alsct_gui.superfacility.transfer.globus_request import parse_place, transfer_document
from alsct_gui.superfacility.transfer.globus_words import (
    ConsentError,
    plain_words,
    read_task,
    say_error,
    task_mark,
)
from alsct_gui.superfacility.transfer.watch import Motion, follow

T = TypeVar("T")
STALL_S = 900.0
"""For how long nothing may move before a task counts as stalled."""
_EVENTS = 30
_CAPABILITIES = Capabilities(
    name="Globus", reads_back=False, verifies_itself=True, max_active=3, max_files=2000,
    max_bytes=5_000_000_000_000,
)  # fmt: skip


class GlobusTransfer:
    """Copies files between two collections.

    A place is the id of a collection, or ``id:/folder`` for what lies in one of its folders.

    Parameters
    ----------
    make_account
        Builds a person's or a service account (see `globus_login`); called again after a call
        that was given up.
    clock
        Seconds since 1970 UTC.
    stall_s
        For how long nothing may move.
    patience
        How long Globus may take.
    """

    def __init__(
        self,
        make_account: Callable[[], Account],
        *,
        clock: Callable[[], float] = time.time,
        stall_s: float = STALL_S,
        patience: Patience | None = None,
    ) -> None:
        self._make_account, self._clock, self._stall_s = make_account, clock, stall_s
        self._patience = patience or Patience()
        self._session: _Session | None = None
        self._lock = threading.Lock()
        self._motions: dict[str, Motion] = {}
        self._totals: dict[str, int] = {}

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        return _CAPABILITIES

    def submit(self, request: TransferRequest, record: Record) -> str:
        """Set a transfer in motion; see `Transfer.submit`.

        The submission id comes from Globus and is recorded before anything else: Globus
        carries out an id once, however often it is sent.
        """
        check_request(request)
        submission = request.submission
        if submission is None:
            submission = self._ask(
                "submission id", lambda client: _word(client.get_submission_id(), "value")
            )
            record(submission)
        document = transfer_document(request, submission)
        where = f"transfer {request.label or request.key}"

        def send(client: TransferClient) -> str:
            answer = client.submit_transfer(document)
            if answer["code"] not in ("Accepted", "Duplicate"):
                raise ValueError("neither accepted nor known already")
            return _word(answer, "task_id")

        task = self._ask(where, send)
        with self._lock:
            self._totals[task] = request.bytes_total
        return task

    def status(self, id: str) -> TransferStatus:  # noqa: A002 (the word of the Protocol)
        """Say where a transfer stands."""
        try:
            document = self._ask(f"task {id}", lambda client: _mapping(client.get_task(id)))
        except NotThereError:
            return TransferStatus(id, TransferState.UNKNOWN, sentence="Globus does not know it")
        now_s = self._clock()
        with self._lock:
            arrived = document.get("bytes_transferred")
            motion = follow(
                self._motions.get(id), task_mark(document),
                arrived if type(arrived) is int else 0, now_s,
            )  # fmt: skip
            self._motions[id] = motion
            total = self._totals.get(id)
        status = read_task(document, total, motion, now_s=now_s, stall_s=self._stall_s)
        if status.cause or status.state is TransferState.FAILED:
            words = self._last_error(id)
            status = read_task(
                document, total, motion, now_s=now_s, stall_s=self._stall_s, last_error=words
            )
        if status.state is TransferState.PAUSED:
            status = replace(status, cause=self._pause_words(id) or status.cause)
        if status.state.is_final:
            with self._lock:
                self._motions.pop(id, None)
        return status

    def cancel(self, id: str) -> None:  # noqa: A002
        """Ask for its end."""
        self._ask(f"task {id}", lambda client: client.cancel_task(id))

    def verify(self, target: str, items: Sequence[TransferItem]) -> tuple[Evidence, ...]:
        """List the target's folders; the size is what Globus sees there, a checksum it is not.

        That the bytes are right is shown by the task itself: it succeeds only after the
        checksums at both ends agreed, with ours where an item has one.
        """
        collection, base = parse_place(target)
        for item in items:
            check_path(item.target)
        folders: dict[str, list[str]] = {}
        for item in items:
            folder, _, name = f"{base}{item.target}".rpartition("/")
            folders.setdefault(folder, []).append(name)
        sizes: dict[str, int] = {}
        for folder, names in folders.items():
            sizes.update(self._sizes(collection, folder, names))
        now_s = self._clock()
        return tuple(
            Evidence(
                item.target, f"{base}{item.target}" in sizes, sizes.get(f"{base}{item.target}"),
                None, now_s, "listed by Globus",
            )
            for item in items
        )  # fmt: skip

    def events(self, id: str, limit: int = _EVENTS) -> tuple[Mapping[str, Any], ...]:  # noqa: A002
        """Return the newest events of a task: code, is_error, description, details, time."""

        def read(client: TransferClient) -> tuple[Mapping[str, Any], ...]:
            rows = client.task_event_list(id, limit=limit).data["DATA"]
            return tuple(row for row in rows if isinstance(row, Mapping))

        return self._ask(f"task {id}", read)

    def count_active(self) -> int:
        """How many transfers of this account are under way, whoever began them."""

        def read(client: TransferClient) -> int:
            wanted = "status:ACTIVE,INACTIVE/type:TRANSFER"
            return int(client.task_list(limit=1, filter=wanted).data["total"])

        return self._ask("list of tasks", read)

    def login(self, scopes: Sequence[str] = ()) -> None:
        """Log in, and agree to scopes that a `ConsentError` named.

        For a person it takes as long as they take; it is begun by their click.

        Raises
        ------
        NeedsPersonError
            Nobody logged in.
        """
        longest_s = self._patience.login_s + self._patience.call_s
        self._bounded("login", lambda account, _: account.login(scopes), longest_s)

    def login_required(self) -> bool:
        """Whether a person has to log in before anything can be asked."""
        return self._bounded(
            "login", lambda account, _: not account.logs_in_alone and account.app.login_required(),
            self._patience.call_s,
        )  # fmt: skip

    def ask(self, where: str, call: Callable[[TransferClient], T]) -> T:
        """Call the client in a bounded time, with our errors; for `globus_access`."""
        return self._ask(where, call)

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            session.close()

    def _last_error(self, id: str) -> str:  # noqa: A002
        """Words of the newest error event; they explain more than the task does."""
        for row in self.events(id):
            if row.get("is_error") is True:
                return plain_words(f"{row.get('description', '')}: {row.get('details', '')}")
        return ""

    def _pause_words(self, id: str) -> str:  # noqa: A002
        """What those who paused it say."""
        rows = self._ask(f"task {id}", lambda client: _mapping(client.task_pause_info(id)))
        sides = ("source_pause_message", "destination_pause_message")
        return "; ".join(plain_words(rows[side]) for side in sides if rows.get(side))

    def _sizes(self, collection: str, folder: str, names: list[str]) -> dict[str, int]:
        """Sizes of the files of these names that are in a folder, by path."""

        def read(client: TransferClient) -> list[Any]:
            if len(names) == 1:
                path = f"{folder}/{names[0]}"
                row = dict(_mapping(client.operation_stat(collection, path)))
                return [{**row, "name": names[0]}]
            return list(client.operation_ls(collection, folder or "/").data["DATA"])

        try:
            rows = self._ask(f"{collection}:{folder}", read)
        except NotThereError:
            return {}
        wanted = set(names)
        return {
            f"{folder}/{row['name']}": row["size"]
            for row in rows
            if isinstance(row, Mapping) and row.get("type") == "file"
            and row.get("name") in wanted and type(row.get("size")) is int
        }  # fmt: skip

    def _ask(self, where: str, call: Callable[[TransferClient], T]) -> T:
        """Call the client; a service account gives a missing consent by itself, once."""

        def run(account: Account, client: TransferClient) -> T:
            try:
                return call(client)
            except Exception as error:
                said = say_error(error, where)
                if not isinstance(said, ConsentError) or not account.logs_in_alone:
                    raise
                account.login(said.scopes)
                return call(client)

        return self._bounded(where, run, self._patience.call_s)

    def _bounded(
        self, where: str, call: Callable[[Account, TransferClient], T], timeout_s: float
    ) -> T:
        with self._lock:
            if self._session is None:
                self._session = _Session(self._make_account, self._patience)
            session = self._session
        try:
            return bounded(lambda: session.run(call), timeout_s, where=f"Globus, {where}")
        except LinkDownError:
            self._drop(session)
            raise
        except Exception as error:
            said = say_error(error, where)
            if said is error:
                raise
            raise said from error

    def _drop(self, session: _Session) -> None:
        """Build everything anew for the next call."""
        with self._lock:
            if self._session is session:
                self._session = None
        session.close()


class _Session:
    """An account and its client, used by one thread at a time."""

    def __init__(self, make_account: Callable[[], Account], patience: Patience) -> None:
        self._make_account, self._patience = make_account, patience
        self._using = threading.Lock()
        self._account: Account | None = None
        self._client: TransferClient | None = None
        self._closed = False

    def run(self, call: Callable[[Account, TransferClient], T]) -> T:
        """Call something with both."""
        with self._using:
            try:
                if self._account is None:
                    self._account = self._make_account()
                if self._client is None:
                    self._client = self._patience.apply(
                        TransferClient(
                            app=self._account.app, retry_config=self._patience.retry_config()
                        )
                    )
                return call(self._account, self._client)
            finally:
                if self._closed:
                    self._release()

    def close(self) -> None:
        """Close the connections now, or when the call that uses them ends."""
        self._closed = True
        if self._using.acquire(blocking=False):
            try:
                self._release()
            finally:
                self._using.release()

    def _release(self) -> None:
        client, self._client = self._client, None
        account, self._account = self._account, None
        if client is not None:
            client.close()
        if account is not None:
            account.close()


def _mapping(answer: Any) -> Mapping[str, Any]:
    if not isinstance(answer.data, Mapping):
        raise ValueError("no document")  # noqa: TRY004 (said to the caller as an answer)
    return answer.data


def _word(answer: Any, name: str) -> str:
    word = _mapping(answer)[name]
    if not isinstance(word, str) or not 0 < len(word) <= 200:
        raise ValueError("no id")
    return word
