"""Regular expressions of a policy: RE2 alone, matched whole. Linear in the text, whatever the pattern.

Python's own ``re`` never sees a pattern or text that came from outside.
"""

from __future__ import annotations

from typing import Any

import re2

from bot_bottle.base.errors import BotBottleError

MAX_PATTERN_CHARS = 1024
"""of one expression; RE2 bounds the memory of a compiled one itself (8 MiB)"""


class BadPattern(BotBottleError):
    """Not a regular expression that RE2 takes (no look-around, no back-references)."""


class Pattern:
    """A compiled expression."""

    __slots__ = ("_compiled",)

    def __init__(self, pattern: str) -> None:
        options = re2.Options()
        options.log_errors = False
        try:
            self._compiled: Any = re2.compile(pattern, options)
        except re2.error as error:
            raise BadPattern(
                "not a regular expression that RE2 takes (no look-around, no back-references)"
            ) from error

    def holds(self, text: str) -> bool:
        """Whether the whole of *text* matches."""
        return self._compiled.fullmatch(text) is not None
