"""Text that somebody else chose, made fit for a terminal or a log line.

Control, format and bidirectional characters are shown as escapes: what an agent, a file name or an
upstream says can't move the cursor, hide itself or reverse the line (threats L1, I6).
"""

from __future__ import annotations

import unicodedata

_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
"""Unicode general categories without a glyph of their own (UAX #44): controls, formats (bidi, zero
width, tags), private use, surrogates, unassigned, line and paragraph separators."""


def printable(text: str, *, limit: int | None = None) -> str:
    """Return *text* with every character that has no glyph escaped (``\\n``, ``\\x1b``, ``\\u202e``).

    *limit* is the longest result in characters; a longer one is cut and ends with ``…``.
    """
    out: list[str] = []
    for char in text:
        if char == " " or unicodedata.category(char) not in _HIDDEN_CATEGORIES:
            out.append(char)
        elif 0xD800 <= ord(char) <= 0xDFFF:
            out.append(f"\\u{ord(char):04x}")
        else:
            out.append(char.encode("unicode_escape").decode("ascii"))
    result = "".join(out)
    if limit is not None and len(result) > limit:
        return result[: max(limit - 1, 0)] + "…"
    return result
