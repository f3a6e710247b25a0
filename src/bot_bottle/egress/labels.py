"""Data in the names below a wildcard (threats B2): whoever runs the name's servers reads it in the look-up.

Pure; asked before any look-up, and only where a wildcard route is the one that matched: a route of its own for
the host, which somebody has read, opens any name. Two bounds: what one name may look like, and how many
names a bottle may make up. They make the channel narrow (some :data:`NEW_NAMES` short names an hour), they
do not close it: words can be spelled, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

MAX_LABELS = 3
"""below the wildcard's base; ``a.b.c`` is what regions, tenants and branches make of a name"""
MAX_LABEL_CHARS = 40
"""of one label: a UUID has 36"""
MAX_VARIABLE_CHARS = 63
"""of all of them with their dots, as much as one label may have at most"""
ENCODED_CHARS = 20
"""from how many letters and digits on, without a hyphen, a label may not look encoded: 12 bytes of base32;
the longest group of a UUID has 12"""

NEW_NAMES = 64
"""below one wildcard, and as many again in each :data:`WINDOW_S`"""
WINDOW_S = 3600.0
_KNOWN_NAMES = 1024
"""remembered below one wildcard; those seen before cost nothing"""

_HEX = frozenset("0123456789abcdef")
_NO_CONSONANTS = frozenset("aeiouy0123456789")
_MAX_CONSONANTS = 6
"""in a row; random letters have longer runs soon, words of most languages don't"""
_MAX_CHANGES = 3
"""between letters and digits within one piece"""


@lru_cache(maxsize=1024)
def carries_data(pattern: str, host: str) -> str | None:
    """Why canonical *host*, which the wildcard *pattern* covers, could carry data; None: it looks like a name."""
    variable = host.removesuffix(pattern[1:])
    labels = variable.split(".")
    if len(labels) > MAX_LABELS:
        return f"more than {MAX_LABELS} labels"
    if len(variable) > MAX_VARIABLE_CHARS:
        return f"more than {MAX_VARIABLE_CHARS} characters"
    for label in labels:
        if len(label) > MAX_LABEL_CHARS:
            return f"a label of more than {MAX_LABEL_CHARS} characters"
        if any(looks_encoded(piece) for piece in label.split("-")):
            return "a label that looks encoded"
    return None


def looks_encoded(piece: str) -> bool:
    """Whether *piece*, in lower case, looks like data rather than like a word or a version."""
    if len(piece) < ENCODED_CHARS:
        return False
    if _HEX.issuperset(piece):
        return True
    changes = sum(one.isdigit() != other.isdigit() for one, other in pairwise(piece))
    run = longest = 0
    for char in piece:
        run = 0 if char in _NO_CONSONANTS else run + 1
        longest = max(longest, run)
    return changes > _MAX_CHANGES or longest > _MAX_CONSONANTS


@dataclass
class _Below:
    """Names seen below one wildcard, oldest first, and how many new ones may come."""

    left: float
    at: float
    known: dict[str, None] = field(default_factory=dict)


class NameBudget:
    """How many names a bottle has made up, by wildcard. The time is the caller's, monotonic, in seconds."""

    def __init__(self) -> None:
        self._below: dict[str, _Below] = {}

    def admits(self, pattern: str, host: str, now: float) -> bool:
        """Whether *host* was seen before below *pattern*, or is one of the new names that there may be."""
        below = self._below.get(pattern)
        if below is None:
            below = self._below[pattern] = _Below(NEW_NAMES, now)
        if host in below.known:
            return True
        earned = (now - below.at) * NEW_NAMES / WINDOW_S
        below.left, below.at = min(below.left + earned, NEW_NAMES), now
        if below.left < 1:
            return False
        below.left -= 1
        below.known[host] = None
        if len(below.known) > _KNOWN_NAMES:
            del below.known[next(iter(below.known))]
        return True
