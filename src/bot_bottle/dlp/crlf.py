"""Line breaks put into a request's line or a header field: what makes one request two (CWE-93, CWE-113).

Looked for in the request target and in header values only: a body may hold any. What a server decodes once more
is found too (``%250d%250a``).
"""

from __future__ import annotations

import re

from bot_bottle.dlp.finding import Hit

RULE = "crlf"
_REASON = "a line break is hidden in the request's line or a header field"

_CRLF = re.compile(
    rb"%(?:25){0,3}0d%(?:25){0,3}0a"  # both, percent-encoded
    rb"|(?:\r|\n|%(?:25){0,3}0[ad])[ \t]*[!#$%&'*+.^_`|~0-9a-z-]{1,64}[ \t]*(?::|%3a)"  # one, and a field's name
    rb"|\r\n",
    re.IGNORECASE,
)
"""What repeats is bounded, so that it is linear. A field name is a token (RFC 9110 section 5.6.2)."""

_BREAK = re.compile(rb"[\r\n]|%(?:25){0,3}0[ad]", re.IGNORECASE)

_PASSES = 4
"""A break may appear where another was taken out; whoever nests deeper is not helped."""


def crlf_hits(text: bytes) -> list[Hit]:
    """Each place in *text*, a request target or one header value. There is nothing to approve in them."""
    return [Hit(RULE, found.start(), found.end(), _REASON, exact=False) for found in _CRLF.finditer(text)]


def without_breaks(text: bytes) -> bytes | None:
    """*text* without any line break, encoded or not; None: more appear as some are taken out."""
    for _ in range(_PASSES):
        shorter = _BREAK.sub(b"", text)
        if shorter == text:
            return text
        text = shorter
    return None
