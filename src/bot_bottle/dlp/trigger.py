"""From a rule's pattern to what the one-pass search looks for. Pure.

A search that reports every possible end of ``x{20,}`` reports once a byte of a long run; cut to ``x{20}`` it reports
once. The cut keeps every place where the whole pattern could match: only what is optional at the end goes.
"""

from __future__ import annotations

import re

import re2

_QUANTIFIER = re.compile(r"(?:\{(\d+)(?:,\d*)?\}|([+*?]))\Z")


def cut_tail(pattern: str) -> str:
    """*pattern* without what its end may do without, and its last repetition at its least."""
    while True:
        found = _QUANTIFIER.search(pattern)
        if found is None or pattern[: found.start()].endswith("\\"):
            opened = (
                _last_atom(pattern) if pattern.endswith(")") and not pattern.endswith("\\)") else len(pattern)
            )
            inner = pattern[opened + 1 : -1].removeprefix("?:")
            if not inner or "|" in inner:
                return pattern
            pattern = pattern[:opened] + inner
            continue
        body = pattern[: found.start()]
        least = found[1] if found[1] is not None else {"+": "1", "*": "0", "?": "0"}[found[2]]
        if int(least) > 0:
            return body if least == "1" else f"{body}{{{least}}}"
        pattern = body[: _last_atom(body)]


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


_COUNT = re.compile(r"\{(\d+)(,?)(\d*)\}")
_MANY = 24


def relaxed(pattern: str) -> str:
    """*pattern* with upper bounds over 24 left away, for an engine that pays for each count; the window bounds it."""

    def without(count: re.Match[str]) -> str:
        return f"{{{count[1]},}}" if count[3] and int(count[3]) > _MANY else count[0]

    return _COUNT.sub(without, pattern)


def width(pattern: str) -> tuple[int, int]:
    """The least and the most bytes that *pattern* (no unbounded repetition, no escapes of more than a byte) takes."""
    least, most, at = _choice(pattern, 0)
    if at != len(pattern):
        raise ValueError(f"unbalanced parenthesis in {pattern!r}")
    return least, most


def _choice(pattern: str, at: int) -> tuple[int, int, int]:
    branches: list[tuple[int, int]] = []
    least = most = 0
    while at < len(pattern) and pattern[at] != ")":
        if pattern[at] == "|":
            branches.append((least, most))
            least = most = 0
            at += 1
            continue
        low, high, at = _atom(pattern, at)
        count = _COUNT.match(pattern, at)
        if count is not None:
            if count[2] and not count[3]:
                raise ValueError(f"unbounded repetition in {pattern!r}")
            first = int(count[1])
            last = int(count[3]) if count[3] else first
            low, high, at = low * first, high * last, count.end()
        elif pattern[at : at + 1] == "?":
            low, at = 0, at + 1
        elif pattern[at : at + 1] in ("*", "+"):
            raise ValueError(f"unbounded repetition in {pattern!r}")
        if pattern[at : at + 1] == "?":
            at += 1
        least, most = least + low, most + high
    branches.append((least, most))
    return min(low for low, _ in branches), max(high for _, high in branches), at


def _atom(pattern: str, at: int) -> tuple[int, int, int]:
    """The width of one atom and where it ends."""
    if pattern[at] == "(":
        flags = re.compile(r"\(\?[a-z]+\)").match(pattern, at)
        if flags is not None:
            return 0, 0, flags.end()
        inner = at + (3 if pattern.startswith("(?:", at) else 1)
        low, high, at = _choice(pattern, inner)
        return low, high, at + 1
    if pattern[at] == "[":
        first = at + (2 if pattern[at + 1] == "^" else 1)
        end = pattern.index("]", first + 1 if pattern[first] == "]" else first)
        while pattern[end - 1] == "\\" and pattern[end - 2] != "\\":
            end = pattern.index("]", end + 1)
        return 1, 1, end + 1
    if pattern[at] in "$^":
        return 0, 0, at + 1
    return 1, 1, at + (2 if pattern[at] == "\\" else 1)


def _options() -> re2.Options:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    return options


_OPTIONS = _options()


def compiled(pattern: str) -> re2._Regexp:
    """*pattern* over bytes, each a character as for Hyperscan; nothing of a text is ever logged."""
    return re2.compile(pattern.encode("latin-1"), _OPTIONS)
