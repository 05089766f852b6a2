"""The bounded cache and what it keeps."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.recon.desk.cache import BoundedCache


def test_what_is_kept_is_not_made_again() -> None:
    cache, made = BoundedCache(100), []

    def make() -> str:
        made.append(1)
        return "value"

    assert cache.get("a", make, len) == cache.get("a", make, len) == "value"
    assert len(made) == 1


def test_what_was_used_longest_ago_goes_first() -> None:
    cache = BoundedCache(10)
    made: list[str] = []

    def get(key: str) -> None:
        def make() -> str:
            made.append(key)
            return key

        cache.get(key, make, lambda _: 4)

    for key in ("a", "b", "a", "c", "a", "b"):
        get(key)
    assert made == ["a", "b", "c", "b"]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 30)), max_size=40))
def test_it_never_holds_more_than_its_bound(wanted: list[tuple[int, int]]) -> None:
    cache = BoundedCache(50)
    for key, size in wanted:
        assert cache.get((key, size), lambda key=key: key, lambda _, size=size: size) == key
        assert cache.used_bytes <= 50


def test_something_too_large_is_made_and_not_kept() -> None:
    cache = BoundedCache(10)
    assert cache.get("small", lambda: 1, lambda _: 10) == 1
    assert cache.get("large", lambda: 2, lambda _: 11) == 2
    assert cache.get("small", lambda: 3, lambda _: 10) == 1
