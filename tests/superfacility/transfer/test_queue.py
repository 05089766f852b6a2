"""Batches: nothing lost, nothing twice, never two proposals in one."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.superfacility.transfer.base import TransferItem, TransferRequest
from alsct_gui.superfacility.transfer.queue import Limits, batch, next_batches

_requests = st.lists(
    st.builds(
        lambda key, source, proposal, names, size: TransferRequest(
            f"k{key}", source, "there",
            tuple(TransferItem(f"{source}/{n}/{size}", f"t{n}", size) for n in sorted(names)),
            proposal,
        ),
        st.integers(0, 12), st.sampled_from(["a", "b"]), st.sampled_from(["P1", "P2", ""]),
        st.sets(st.integers(0, 20), min_size=1, max_size=6), st.integers(0, 50),
    ),
    max_size=20,
)  # fmt: skip
_limits = st.builds(Limits, st.integers(1, 4), st.integers(1, 12), st.integers(1, 400))


@given(_requests, _limits)
def test_every_request_is_in_one_batch_whole(
    requests: list[TransferRequest], limits: Limits
) -> None:
    batches = batch(requests, limits)
    first: dict[str, TransferRequest] = {}
    for request in requests:
        first.setdefault(request.key, request)
    assert Counter(key for one in batches for key in one.keys) == Counter(list(first))
    for one in batches:
        members = [first[key] for key in one.keys]
        ways = {(m.source, m.target, m.proposal) for m in members}
        assert ways == {(one.request.source, one.request.target, one.request.proposal)}
        assert set(one.request.items) == {item for m in members for item in m.items}
        targets = [item.target for item in one.request.items]
        assert len(targets) == len(set(targets))


@given(_requests, _limits)
def test_limits_hold_unless_one_request_alone_exceeds_them(
    requests: list[TransferRequest], limits: Limits
) -> None:
    for one in batch(requests, limits):
        if len(one.keys) > 1:
            assert len(one.request.items) <= limits.max_files
            assert one.request.bytes_total <= limits.max_bytes


@given(_requests, _limits, st.integers(0, 6))
def test_never_more_under_way_than_allowed(
    requests: list[TransferRequest], limits: Limits, n_active: int
) -> None:
    now = next_batches(requests, n_active, limits)
    assert now == batch(requests, limits)[: len(now)]
    assert len(now) <= max(0, limits.max_active - n_active)


@given(_requests, _limits)
def test_the_same_requests_make_the_same_keys(
    requests: list[TransferRequest], limits: Limits
) -> None:
    one, two = batch(requests, limits), batch(list(requests), limits)
    assert [b.request.key for b in one] == [b.request.key for b in two]
    assert len({b.request.key for b in one}) == len(one)


def test_a_backlog_of_one_proposal_is_few_transfers() -> None:
    requests = [
        TransferRequest(f"k{n}", "a", "b", (TransferItem(f"s{n}", f"t{n}", 10**9),), f"P{n % 2}")
        for n in range(300)
    ]
    batches = batch(requests, Limits())
    assert [len(one.keys) for one in batches] == [150, 150]
    assert [one.request.proposal for one in batches] == ["P0", "P1"]
