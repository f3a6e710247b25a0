"""Answers of pure functions, kept: a client sends most of its header fields and queries again and again.

Bounded in number and in the size of what is kept, because the keys are an attacker's to choose.
"""

from __future__ import annotations

from collections.abc import Callable, Sized
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

MAX_ENTRIES = 2048
MAX_SIZE = 200
"""Of one key: bytes or characters, of a pair in both parts together. With :data:`MAX_ENTRIES` some 1.5 MB for
each memo at most where the answer is about as large as the key; 20 MB for the names of a query's parameters."""


class Memo(dict[Key, Value]):
    """``memo[key]`` is ``function(key)``. The function depends on nothing but *key*; what it raises is raised,
    and not kept. When the memo is full it starts anew."""

    def __init__(self, function: Callable[[Key], Value]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, key: Key) -> Value:
        value = self._function(key)
        if _size(key) <= MAX_SIZE:
            if len(self) >= MAX_ENTRIES:
                self.clear()
            self[key] = value
        return value


def _size(key: object) -> int:
    if isinstance(key, tuple):
        return sum(len(part) for part in key)
    return len(key) if isinstance(key, Sized) else 0
