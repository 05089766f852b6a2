from __future__ import annotations

import threading

import pytest

from alsct_gui.recon.parallel import run_split, split


@pytest.mark.parametrize(("count", "parts"), [(0, 3), (1, 3), (7, 3), (9, 3), (2, 8)])
def test_split_covers_the_range_in_order(count: int, parts: int) -> None:
    ranges = split(count, parts)
    assert [i for a, b in ranges for i in range(a, b)] == list(range(count))
    sizes = [b - a for a, b in ranges]
    assert not sizes or max(sizes) - min(sizes) <= 1


def test_work_is_shared_among_threads_and_errors_come_out() -> None:
    seen: dict[int, int] = {}
    both = threading.Barrier(2, timeout=30)

    def work(start: int, stop: int) -> None:
        both.wait()  # passes only when two threads are at work at once
        seen.update(dict.fromkeys(range(start, stop), threading.get_ident()))

    run_split(10, 2, work)
    assert sorted(seen) == list(range(10))
    assert len(set(seen.values())) == 2

    def fail(start: int, stop: int) -> None:
        raise ValueError(f"part {start}")

    with pytest.raises(ValueError, match="part 0"):
        run_split(10, 2, fail)
