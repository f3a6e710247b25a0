"""What a detector says: where, which, how grave, and never what.

Offsets count bytes. The matched value is held as a :class:`Secret`: it stays in the process that scanned.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from bot_bottle.base.secret import Secret


class Severity(StrEnum):
    BLOCK = "block"
    WARN = "warn"
    """logged, never in the way"""


class Detector(StrEnum):
    """Who found it. The first three are what a route's ``dlp.outbound_detectors`` names; the rest is always on."""

    TOKEN_PATTERNS = "token_patterns"  # noqa: S105
    KNOWN_SECRETS = "known_secrets"
    ENTROPY = "entropy"
    CANARY = "canary"
    DNS_EXFIL = "dns_exfil"
    CRLF = "crlf"
    UNDECODED = "undecoded"
    """what could not be looked at (over a budget, or broken): it may hide anything"""
    INJECTION = "naive_injection_detection"
    RESPONSE_SECRETS = "response_secrets"


class Hit(Struct, frozen=True):
    """One place in one text, found by a rule or as a form of a known secret.

    ``exact``: the bytes from ``start`` to ``end`` are the value itself or one encoding of it as a whole, so that
    they can be approved and replaced; False for fragments, separators put in, pieces.
    """

    rule: str
    """name of the rule, or the name under which a known secret is kept"""
    start: int
    end: int
    reason: str
    """a fixed sentence, lower case, without any of the text"""
    exact: bool = True
    severity: Severity = Severity.BLOCK


class Finding(Struct, frozen=True):
    """A hit, named in the text that was asked about.

    ``start``, ``end``: the smallest span of that text which holds it; for what was found in a decoded view, of the
    encoded text. ``view``: how it was read, outermost first (``("base64", "gzip")``); empty: as it is.
    ``match``: the exact form that was found; None: there is no value to approve (ruling 13).
    """

    detector: Detector
    rule: str
    severity: Severity
    reason: str
    start: int
    end: int
    view: tuple[str, ...] = ()
    match: Secret | None = None
