"""What lies between two characters of stripped text: separators, escapes, and letters that stripping takes away.

A letter after a backslash may be an escape or not, as the text is read (``\\n`` is a line's end in JSON, and the
letter n for who puts backslashes between characters), so both readings count. All other letters have to be the ones
that are wanted there. Linear in the gap.
"""

from __future__ import annotations

from bot_bottle.dlp.projection import letters

_BACKSLASH = 0x5C


def between(text: bytes, start: int, end: int, wanted: bytes, folds: bool) -> bool:
    """Whether the letters from *start* to *end* can be read as *wanted*."""
    gap = text[start:end]
    there = letters(gap)
    if not there:
        return not wanted
    if (there.lower() if folds else there) == wanted:
        return True
    states = {0}
    for letter, escaped in _letters(text, start, end, folds):
        following = {state + 1 for state in states if wanted[state : state + 1] == letter}
        states = following | states if escaped else following
        if not states:
            return False
    return len(wanted) in states


def before(text: bytes, end: int, wanted: bytes, folds: bool) -> tuple[int, int]:
    """How many of the last of *wanted* stand just before *end*, and where the first of these does. Where a letter of
    an escape would do as well as one that is none, it is the latter."""
    plain = _before(text, end, wanted, folds, escapes=False)
    return plain if plain[0] == len(wanted) else max(plain, _before(text, end, wanted, folds, escapes=True))


def behind(text: bytes, start: int, wanted: bytes, folds: bool) -> tuple[int, int]:
    """How many of the first of *wanted* stand just behind *start*, and where the last of these ends."""
    plain = _behind(text, start, wanted, folds, escapes=False)
    return plain if plain[0] == len(wanted) else max(plain, _behind(text, start, wanted, folds, escapes=True))


def _before(text: bytes, end: int, wanted: bytes, folds: bool, escapes: bool) -> tuple[int, int]:
    taken = 0
    at = end
    while taken < len(wanted) and at > 0:
        at -= 1
        letter = text[at : at + 1]
        if not letter.isalnum():
            continue
        escaped = at > 0 and text[at - 1] == _BACKSLASH
        if escaped and not escapes:
            continue
        if (letter.lower() if folds else letter) == wanted[-1 - taken : len(wanted) - taken]:
            taken += 1
            end = at
        elif not escaped:
            break
    return taken, end


def _behind(text: bytes, start: int, wanted: bytes, folds: bool, escapes: bool) -> tuple[int, int]:
    taken = 0
    at = start
    while taken < len(wanted) and at < len(text):
        letter = text[at : at + 1]
        at += 1
        if not letter.isalnum():
            continue
        escaped = at > 1 and text[at - 2] == _BACKSLASH
        if escaped and not escapes:
            continue
        if (letter.lower() if folds else letter) == wanted[taken : taken + 1]:
            taken += 1
            start = at
        elif not escaped:
            break
    return taken, start


def _letters(text: bytes, start: int, end: int, folds: bool) -> list[tuple[bytes, bool]]:
    """The letters of a gap, and whether a backslash stands before each."""
    found = []
    for at in range(start, end):
        letter = text[at : at + 1]
        if letter.isalnum():
            found.append((letter.lower() if folds else letter, at > 0 and text[at - 1] == _BACKSLASH))
    return found
