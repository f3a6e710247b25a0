"""A value that must not be seen: it has no repr, no str, no format and no pickle."""

from __future__ import annotations

import hmac
from typing import NoReturn


class Secret:
    """Holds one credential; ``reveal()`` is the only way out, so its call sites can be counted.

    Equality is constant-time. Not hashable, so that a secret never becomes a dictionary key.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value; every call site is listed in ``docs/threat-model.md``."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret can't be pickled or copied")
