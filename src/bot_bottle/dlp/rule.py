"""One row of the table of credential formats: how it looks, who documents it, what else must be true.

A pattern is written in what RE2 and Hyperscan both read, over bytes, and has no unbounded repetition but at its
end. There are two kinds: a format that is known by its own look (:attr:`Find.ANYWHERE`), and one that is only random
characters of a known length and needs a name beside it (:attr:`Find.ASSIGNED`).
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Find(StrEnum):
    """Where a rule's pattern is looked for."""

    ANYWHERE = "anywhere"
    """in the whole text"""
    ASSIGNED = "assigned"
    """it must be the whole value of an assignment whose name, or what stands around it, holds a keyword"""


class Edge(StrEnum):
    """What may stand right before a match."""

    TOKEN = "token"  # noqa: S105
    """no letter, digit, ``-`` or ``_``; the last character of an escape (``\\n``, ``%3D``, ``\\u003d``) may"""
    WORD = "word"
    """no letter or digit (``-`` and ``_`` may), but for escapes"""
    ALONE = "alone"
    """as TOKEN, and no ``+`` or ``/`` either: the pattern could be a piece of base64"""
    SHORT = "short"
    """anything, but the run of letters and digits around is at most three times as long as the match: in base32 four
    letters come by chance"""
    FREE = "free"
    """anything: the pattern is so particular, or checked so well, that no text holds it by chance"""


class Rule(Struct, frozen=True, kw_only=True):
    name: str
    """lower case, with hyphens, begins with the vendor's; shown to the operator"""
    vendor: str
    docs: str
    """the vendor's page about the credential; where none describes the format, the page that says where it is made"""
    pattern: str
    find: Find = Find.ANYWHERE
    group: int = 0
    """which group of the pattern is the secret; 0: all of it"""
    trigger: str = ""
    """what the one-pass search looks for; empty: the pattern with its tail cut to the least that it needs"""
    head: str = ""
    """what of the pattern stands before the trigger; only looked at where the trigger was found"""
    prefix: str = ""
    """the constant beginning of the secret: no part of what is measured for randomness"""
    caseless: bool = False
    edge: Edge = Edge.TOKEN
    end: str = ""
    """a character class that must not go on after the match; empty: anything may follow"""
    keywords: tuple[str, ...] = ()
    """lower case. ANYWHERE: one must stand within :data:`NEAR` bytes; ASSIGNED: in the name, or that near"""
    named: tuple[str, ...] = ()
    """ASSIGNED only: one of these must be in the name itself, whatever the surroundings say"""
    entropy: float = 3.0
    """floor, in bits a character, of the secret without its prefix"""
    random: bool = True
    """the secret must not read like words; False where the format leaves no doubt"""
    check: str = ""
    """a function of ``checks.py`` that the whole match must pass"""
    rank: int = 50
    """of two rules that claim the same bytes the higher one names them"""
    reach: int = 512
    """the longest match, in bytes; a longer one is reported up to here"""
    positives: tuple[str, ...]
    """recipes (``sample.py``) of texts in which the rule finds exactly one secret: what stands between « and »"""
    negatives: tuple[str, ...] = ()
    """recipes of texts in which it finds nothing"""
    known: str = ""
    """where the vendor documents no format: what is known of it"""


NEAR = 160
"""How far from a match a keyword may be, in bytes: a few lines of a configuration file."""

B62 = "[A-Za-z0-9]"
B64U = "[A-Za-z0-9_-]"
HEX = "[0-9a-f]"
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
