"""Puts ``********`` in the place of what the scan finds, and scans again: what comes out is clean, or nothing does.

A place in an encoded part is mapped back to the encoded text (``views``); where only the whole part can be named,
the whole part goes. JSON that was valid stays so. Idempotent: what is clean comes back as it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from bot_bottle.dlp.finding import Finding, Severity
from bot_bottle.dlp.known import Approved
from bot_bottle.dlp.scan import ALL, DEFAULT, Engine, What

MASK = b"********"
ROUNDS = 4
"""of scanning and replacing: a value may only show when another has gone"""
SNIPPET_CHARS = 20
"""of the surroundings, each side (dlp.md §4)"""

_CONTEXT_BYTES = 1024
"""looked at for it: of a credential that is cut off at the snippet's edge nothing may be left"""

_ALL_GONE = "[redacted]"
"""a text that could not be made clean"""

_BLANK = bytes(
    ord("0") if chr(code).isdigit() else ord("*") if chr(code).isalpha() and code < 128 else code
    for code in range(256)
)
"""Of a span that goes over the borders of JSON strings, only what carries data is replaced."""


class Unredactable(Exception):
    """The text still has findings after all that could be replaced was. Its message holds none of them."""


def redact(engine: Engine, text: bytes, what: What = DEFAULT, approved: Approved = frozenset()) -> bytes:
    """*text* with each block-severity finding replaced. Raises :class:`Unredactable`."""
    is_json = _is_json(text)
    for _ in range(ROUNDS):
        spans = _spans(engine.scan(text, what, approved))
        if not spans:
            return text
        text = _replaced(text, spans, keep_quotes=is_json)
        if is_json and not _is_json(text):
            raise Unredactable("replacing the finding would break the JSON")
    raise Unredactable("findings are left after redaction")


def redact_text(engine: Engine, text: str) -> str:
    """For logs, proposals, errors: never raises, and replaces too much rather than too little."""
    try:
        raw = text.encode("utf-8", "surrogateescape")
        return redact(engine, raw, ALL).decode("utf-8", "replace")
    except Exception:  # what could not be looked at is not shown
        return _ALL_GONE


def snippet(engine: Engine, text: bytes, start: int, end: int) -> str:
    """The surroundings of what lies from *start* to *end*, with that and any other finding in them replaced."""
    before, after = text[max(0, start - _CONTEXT_BYTES) : start], text[end : end + _CONTEXT_BYTES]
    clean = (
        redact_text(engine, before.decode("utf-8", "replace"))[-SNIPPET_CHARS:],
        redact_text(engine, after.decode("utf-8", "replace"))[:SNIPPET_CHARS],
    )
    return MASK.decode().join(clean)


def _spans(found: Iterable[Finding]) -> list[tuple[int, int]]:
    """Where to replace, in order, merged where they touch."""
    spans: list[tuple[int, int]] = []
    for finding in sorted(found, key=lambda finding: finding.start):
        if finding.severity is not Severity.BLOCK:
            continue
        if spans and finding.start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], finding.end))
        else:
            spans.append((finding.start, finding.end))
    return spans


def _replaced(text: bytes, spans: list[tuple[int, int]], *, keep_quotes: bool) -> bytes:
    parts: list[bytes] = []
    at = 0
    for start, end in spans:
        gone = text[start:end]
        parts += text[at:start], gone.translate(_BLANK) if keep_quotes and b'"' in gone else MASK
        at = end
    parts.append(text[at:])
    return b"".join(parts)


def _is_json(text: bytes) -> bool:
    if text.lstrip()[:1] not in (b"{", b"["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
