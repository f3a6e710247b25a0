"""From a rule's pattern to what the one-pass search looks for. Pure.

A search that reports every possible end of ``x{20,}`` reports once a byte of a long run; cut to ``x{20}`` it reports
once. The cut keeps every place where the whole pattern could match: only what is optional at the end goes.
"""

from __future__ import annotations

import re

_QUANTIFIER = re.compile(r"(?:\{(\d+)(?:,\d*)?\}|([+*?]))\Z")


def cut_tail(pattern: str) -> str:
    """*pattern* without what its end may do without, and its last repetition at its least."""
    while (found := _QUANTIFIER.search(pattern)) is not None:
        if pattern[: found.start()].endswith("\\"):
            return pattern
        body = pattern[: found.start()]
        least = found[1] if found[1] is not None else {"+": "1", "*": "0", "?": "0"}[found[2]]
        if int(least) > 0:
            return body if least == "1" else f"{body}{{{least}}}"
        pattern = body[: _last_atom(body)]
    return pattern


def _last_atom(pattern: str) -> int:
    """Where the last atom (a class, a group, one character) of *pattern* begins."""
    if pattern.endswith("]") and not pattern.endswith("\\]"):
        return pattern.rindex("[")
    if pattern.endswith(")") and not pattern.endswith("\\)"):
        depth, at = 0, len(pattern)
        while at:
            at -= 1
            depth += (pattern[at] == ")") - (pattern[at] == "(")
            if not depth:
                return at
    return len(pattern) - (2 if pattern[-2:-1] == "\\" else 1)


def literal_prefix(pattern: str) -> str:
    """The constant text that *pattern* begins with, without its escapes; empty if it begins with a choice."""
    if "|" in pattern and "(" not in pattern:
        return ""
    out, at = "", 0
    while at < len(pattern):
        character, step = pattern[at], 1
        if character == "\\" and pattern[at + 1 : at + 2] in (".", "-", "+", "/", "$", "*", "?", "(", "["):
            character, step = pattern[at + 1], 2
        elif character in "\\[(.^$|?*+{":
            break
        if pattern[at + step : at + step + 1] in ("?", "*", "{", "+"):
            break
        out += character
        at += step
    return out
