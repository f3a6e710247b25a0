"""Kept answers are the function's own, and bounded whatever the keys are."""

from __future__ import annotations

import pytest

from bot_bottle.base.memo import MAX_ENTRIES, MAX_SIZE, Memo


def test_the_function_is_asked_once() -> None:
    asked = []
    memo: Memo[str, str] = Memo(lambda key: asked.append(key) or key.upper())
    assert [memo["a"], memo["a"], memo["b"]] == ["A", "A", "B"]
    assert asked == ["a", "b"]


def test_what_it_raises_is_not_kept() -> None:
    asked = []

    def refuse(key: str) -> str:
        asked.append(key)
        raise ValueError(key)

    memo = Memo(refuse)
    for _ in range(2):
        with pytest.raises(ValueError, match="a"):
            memo["a"]
    assert asked == ["a", "a"] and not memo


@pytest.mark.parametrize("key", ["x" * (MAX_SIZE + 1), ("x" * MAX_SIZE, "y")])
def test_long_keys_are_answered_and_not_kept(key: object) -> None:
    memo: Memo[object, int] = Memo(lambda _: 7)
    assert memo[key] == 7 and not memo


def test_it_never_grows_over_its_bound() -> None:
    memo: Memo[str, int] = Memo(len)
    for number in range(2 * MAX_ENTRIES + 5):
        assert memo[str(number)] == len(str(number))
        assert len(memo) <= MAX_ENTRIES
