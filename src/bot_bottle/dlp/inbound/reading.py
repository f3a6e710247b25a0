"""One passage, read in every way; what was found, and whether anybody could see it.

::

    passage ─ as it is ─┐
            └ unescaped ┤ each: folded, without tags, look-alikes, leetspeak, letters joined   -> seen
                        ├ base64, base32, hex, numbers, tag characters (two deep)              -> concealed
                        ├ ROT13, backwards                                                     -> concealed
                        ├ without invisible characters, where those stood inside words         -> concealed
                        └ what the page around it does not show                                -> concealed
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from msgspec import Struct

from bot_bottle.dlp.finding import Severity
from bot_bottle.dlp.inbound.decode import decoded, turned
from bot_bottle.dlp.inbound.fold import (
    LEET_I,
    LEET_L,
    fold,
    joined_letters,
    lookalikes,
    without_emphasis,
    without_invisible,
    without_tags,
)
from bot_bottle.dlp.inbound.hidden import META_DESCRIPTION, hidden
from bot_bottle.dlp.inbound.table import ROWS
from bot_bottle.dlp.inbound.unescape import strings, unescape
from bot_bottle.dlp.inbound.wording import confirmed, rows_in, squeezed_in

_INSIDE_WORD = re.compile(
    "[a-zA-Z]"
    "(?:[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u180e\u034f\ufe00-\ufe0f\U000e0000-\U000e01ef])"
    "{1,40}[a-zA-Z]"
)
_LEET = re.compile("[a-zA-Z][013457@$!|+€][a-zA-Z013457@$!|+€]|(?<![a-zA-Z0-9])[134570@$!|][a-zA-Z]{2}")
_TURNED_WORDS = re.compile(
    "(?i)vafgehpgv|cebzcg|vtaber|qvfertneq|perqragv|cnffjbeq|frperg|\\b(?:gur|lbh|lbhe|naq|guvf|gung|"
    "nyy|jvgu|sebz|zhfg|jvyy)\\b|"
    "noitcurtsni|tpmorp|erongi|dragersid|laitnederc|drowssap|terces|\\b(?:eht|uoy|ruoy|dna|siht|taht|"
    "htiw|morf|tsum|lliw)\\b"
)
_SEQUENCE = re.compile("\x1b\\[[0-9;?]{0,40}[a-zA-Z]")
_CONCEALED_ROWS = frozenset(number for number, row in enumerate(ROWS) if row.hidden)


class Said(Struct, frozen=True):
    """A row that a passage holds in one reading."""

    row: int
    views: tuple[str, ...]
    severity: Severity


def _forms(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """The forms in which a text that somebody sees is looked through. The first is the text as it is, folded."""
    plain = fold(text)
    yield (), plain
    bare = without_tags(plain)
    if bare != plain:
        yield ("tags",), bare
    loose = without_emphasis(bare)
    if loose != bare:
        yield ("emphasis",), loose
    alike = lookalikes(loose)
    if alike != loose:
        yield ("look-alikes",), alike
    if _LEET.search(alike):
        yield ("leetspeak",), alike.translate(LEET_I)
        yield ("leetspeak",), alike.translate(LEET_L)


def _squeezed(text: str) -> Iterator[set[int]]:
    joined = joined_letters(text)
    if joined is not None:
        for number in (joined, joined.translate(LEET_I)):
            folded = fold(number)
            yield rows_in(folded) | squeezed_in(folded.replace(" ", ""))


def _seen(text: str) -> Iterator[tuple[tuple[str, ...], set[int]]]:
    for views, form in _forms(text):
        yield views, rows_in(form)
    for numbers in _squeezed(lookalikes(fold(text))):
        yield ("spaced",), numbers


def _deep(text: str, depth: int = 2) -> Iterator[tuple[tuple[str, ...], str]]:
    """What *text* says in any encoding, and what that says in turn."""
    for name, found in decoded(text):
        plain = unescape(found)
        yield (name,), plain
        if depth > 1:
            for views, deeper in _deep(plain, depth - 1):
                yield (name, *views), deeper
    if _TURNED_WORDS.search(text):
        for name, found in turned(text):
            yield (name,), found
            if depth > 1:
                for views, deeper in _deep(found, 1):
                    yield (name, *views), deeper


def _concealed(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    yield from _deep(text)
    if _INSIDE_WORD.search(text):
        yield ("invisible",), without_invisible(text)


def _glance(texts: list[tuple[tuple[str, ...], str]], near: set[int], said: dict[int, Said]) -> set[int]:
    """Note which of the rows *near* an undisguised passage holds."""
    found: set[int] = set()
    for views, text in texts:
        plain = fold(text)
        forms = [plain, without_tags(plain)] if "<" in plain else [plain]
        for form in forms:
            numbers = confirmed(near - found, form)
            _note(said, numbers - _CONCEALED_ROWS, views, Severity.WARN)
            found |= numbers
    return found


def _scrutinize(texts: list[tuple[tuple[str, ...], str]], said: dict[int, Said]) -> set[int]:
    """Note what a disguised passage holds in any reading."""
    plain: set[int] = set()
    for views, text in texts:
        for more, numbers in _seen(text):
            _note(said, numbers - _CONCEALED_ROWS, (*views, *more), Severity.WARN)
            plain |= numbers
        shown = without_invisible(text)
        if shown != text:
            for more, numbers in _seen(shown):
                _note(said, numbers - _CONCEALED_ROWS, (*views, "invisible", *more), Severity.WARN)
    views, text = texts[-1]
    for more, found in _concealed(text):
        for forms, numbers in _seen(without_invisible(found)):
            _note(
                said, numbers - plain if more == ("invisible",) else numbers, (*more, *forms), Severity.BLOCK
            )
    return plain


def read(raw: str, page: Callable[[], tuple[str, int]], near: set[int], disguised: bool) -> list[Said]:
    """Rows that the passage *raw* holds.

    *page*: what came before it, and it, and where it begins there; asked for only when the passage gives an order.
    *near*: the rows whose triggers are in it. *disguised*: there is evidence that it is encoded or spelt otherwise.
    """
    said: dict[int, Said] = {}
    opened = unescape(raw)
    texts: list[tuple[tuple[str, ...], str]] = [((), raw)]
    if opened != raw:
        texts.append((("unescaped",), opened))
    if "\x1b" in opened:
        texts += [(("terminal",), _SEQUENCE.sub(join, opened)) for join in ("", " ")]
    plain = _scrutinize(texts, said) if disguised else _glance(texts, near, said)
    if plain or said:
        for number, how, severity in _not_shown(*page()):
            _note(said, {number}, (how,), severity)
    return sorted(said.values(), key=lambda one: one.row)


def _not_shown(page: str, start: int) -> Iterator[tuple[int, str, Severity]]:
    pages = [(page, start)]
    if "\\" in page:
        pages.append((strings(page), len(strings(page[:start]))))
    for text, since in pages:
        for piece in hidden(text):
            if piece.end <= since or piece.end - piece.start < 12:
                continue
            passage = unescape(without_invisible(piece.text[max(0, since - piece.start - 1536) :]))
            severity = Severity.WARN if piece.how == META_DESCRIPTION else Severity.BLOCK
            for _, numbers in _seen(passage):
                for number in numbers:
                    yield number, piece.how, severity


def _note(said: dict[int, Said], numbers: set[int], views: tuple[str, ...], severity: Severity) -> None:
    for number in numbers:
        known = said.get(number)
        if known is None or (known.severity is Severity.WARN and severity is Severity.BLOCK):
            said[number] = Said(number, views, severity)
