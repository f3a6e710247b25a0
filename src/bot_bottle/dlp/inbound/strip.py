"""Takes characters out of a text that have no use but to hide something from whoever looks at it.

Taken out:

* tag characters (U+E0000 ff.), but for the flags of England, Scotland, Wales and the like (UTS 51 ED-14);
* variation selectors that follow no character that they could vary, or an ASCII letter;
* U+206A to U+206F and U+FFF9 to U+FFFB, which Unicode deprecates or forbids in interchange;
* four or more invisible characters in a row (eight beside a letter that is written from right to left);
* invisible and direction characters between two ASCII letters;
* overrides of the direction (U+202D, U+202E) between two ASCII characters;
* the terminal's "conceal" (ECMA-48 8.3.117, SGR 8).

Nothing is taken out behind a NUL or what is not UTF-8: that is no text, whatever its label says.

Left alone: emoji sequences, ZWJ and ZWNJ of Indic and Arabic scripts, direction marks of Hebrew and Arabic, soft
hyphens, a byte order mark. What is left is left by a second pass too. In JSON the same is done to escapes.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import NamedTuple

import hyperscan

from bot_bottle.dlp.finding import Detector, Finding, Severity

_RAW = (
    rb"\xf3\xa0(?:[\x80\x81]|[\x84-\x87])[\x80-\xbf]|\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xaf]|"
    rb"\xef\xbb\xbf|\xe1\xa0\x8e|\xcd\x8f|\xef\xb8[\x80-\x8f]|\xef\xbf[\xb9-\xbb]|\xe3\x85\xa4"
)
_ESCAPED = (
    rb"\\u(?:200[b-fB-F]|202[a-eA-E]|206[0-9a-fA-F]|[fF][eE][fF][fF]|180[eE]|034[fF]|"
    rb"[fF][eE]0[0-9a-fA-F]|[fF]{3}[9abAB]|3164)|\\u[dD][bB]40\\u[dD][cCdD][0-9a-fA-F]{2}"
)
_CONCEAL = rb"\x1b\[(?:0;)?8m"
_RUN = re.compile(rb"(?:%b)+|%b" % (_RAW, _CONCEAL))
_RUN_JSON = re.compile(rb"(?:%b|%b)+|%b|\\u001[bB]\[(?:0;)?8m" % (_RAW, _ESCAPED, _CONCEAL))
_ONE = re.compile(rb"%b|%b" % (_RAW, _ESCAPED))
_UNFINISHED_ESCAPE = re.compile(
    rb"\\(?:u(?:[0-9a-fA-F]{0,3}|[dD][89abAB][0-9a-fA-F]{2}(?:\\(?:u[0-9a-fA-F]{0,3})?)?|"
    rb"001[bB](?:\[(?:0(?:;8?)?|8)?)?)?)?\Z"
)
_UNFINISHED_CONCEAL = re.compile(rb"\x1b(?:\[(?:0(?:;8?)?|8)?)?\Z")
_LONGEST_RUN = 1024
"""bytes; a longer one goes whole, whatever it is"""
_CONTEXT = 16
_FLAG = "\U0001f3f4"
_FLAG_TAGS = re.compile("[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f")
_DEPRECATED = frozenset("\u206a\u206b\u206c\u206d\u206e\u206f\ufff9\ufffa\ufffb")
_OVERRIDES = frozenset("\u202d\u202e")
_RUN_LENGTH = 4
_RUN_LENGTH_RTL = 8
_WORDS_TOLD = 3
"""so many words with something inside are no accident any more"""
MOST_FINDINGS = 32


@cache
def _look(escapes: bool) -> hyperscan.Database:
    """Is there anything to look at? A text that has none costs one pass, and no loop."""
    patterns = [_RAW, rb"\x1b\[(?:0;)?8m"] + ([_ESCAPED, rb"\\u001[bB]\["] if escapes else [])
    flags = hyperscan.HS_FLAG_SINGLEMATCH
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(expressions=patterns, ids=list(range(len(patterns))), flags=[flags] * len(patterns))
    return database


class _Unit(NamedTuple):
    char: str
    raw: bytes


def _is_tag(char: str) -> bool:
    return "\U000e0000" <= char <= "\U000e007f"


def _is_variation(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"


def _is_letter(char: str) -> bool:
    return char.isascii() and char.isalpha()


def _from_right(char: str) -> bool:
    return char != "" and unicodedata.bidirectional(char) in ("R", "AL", "AN")


def _units(run: bytes) -> list[_Unit]:
    out = []
    for match in _ONE.finditer(run):
        raw = match.group()
        if raw.startswith(b"\\"):
            char = (
                raw.decode()
                .encode()
                .decode("unicode_escape")
                .encode("utf-16", "surrogatepass")
                .decode("utf-16", "replace")
            )
        else:
            char = raw.decode()
        out.append(_Unit(char[:1], raw))
    return out


def _judge(before: str, units: list[_Unit], after: str) -> tuple[list[_Unit], str | None]:
    """(what stays, name of the rule that took something out)."""
    told: str | None = None
    kept, flag = units, 0
    if before == _FLAG:
        match = _FLAG_TAGS.match("".join(unit.char for unit in units))
        flag = match.end() if match is not None else 0
    if any(_is_tag(unit.char) for unit in units[flag:]):
        kept, told = (
            [*units[:flag], *(unit for unit in units[flag:] if not _is_tag(unit.char))],
            "tag-characters",
        )
    if any(unit.char in _DEPRECATED for unit in kept):
        kept, told = [unit for unit in kept if unit.char not in _DEPRECATED], told or "deprecated-controls"
    single = [
        unit
        for place, unit in enumerate(kept)
        if not _is_variation(unit.char) or (place == 0 and not _is_letter(before))
    ]
    if len(kept) - len(single) >= 2:
        told = told or "variation-selectors"
    longest = _RUN_LENGTH_RTL if _from_right(before) or _from_right(after) else _RUN_LENGTH
    if len(single) - flag >= longest:
        return single[:flag], told or "invisible-run"
    if _is_letter(before) and _is_letter(after) and single:
        return [], told or "inside-word"
    if (
        any(unit.char in _OVERRIDES for unit in single)
        and before.isascii()
        and after.isascii()
        and before
        and after
    ):
        return [unit for unit in single if unit.char not in _OVERRIDES], told or "bidi-override"
    return single, told


class Strip:
    """One text. ``escapes``: it is JSON, so escapes are characters. Output and findings don't depend on the cuts."""

    def __init__(self, *, escapes: bool = False) -> None:
        self._escapes = escapes
        self._pattern = _RUN_JSON if escapes else _RUN
        self._held = b""
        self._before = b""
        """the end of what went out"""
        self._offset = 0
        """of the first byte held"""
        self._long = False
        """within a run that is too long to be anything"""
        self._binary = False
        self._words = 0
        self._count = 0
        self.findings: list[Finding] = []
        """taken by the caller"""

    def feed(self, data: bytes) -> bytes:
        return self._pass(self._held + data, final=False)

    def finish(self) -> bytes:
        """What was held. A next :meth:`feed` is a new text, but for the offsets."""
        out = self._pass(self._held, final=True)
        self._before = b""
        return out

    def _pass(self, text: bytes, *, final: bool) -> bytes:
        if self._binary:
            return self._emit(text, len(text), b"")
        if text.isascii() and not self._escapes and b"\x1b" not in text:
            self._binary = b"\0" in text
            return self._emit(text, len(text), b"")
        end = len(text) if final else _settled(text, self._escapes)
        bad = _not_text(text, end)
        if bad is None:
            return self._emit(*self._runs(text, end, final=final))
        out, _, _ = self._runs(text[:bad], bad, final=True)
        self._binary = True
        return self._emit(out + text[bad:], len(text), b"")

    def _runs(self, text: bytes, end: int, *, final: bool) -> tuple[bytes, int, bytes]:
        """(what goes out, how many bytes that was made of, the rest) of *text*, whose first *end* bytes are whole."""
        out: list[bytes] = []
        at = 0
        found: list[int] = []

        def on_match(number: int, *_: object) -> None:
            found.append(number)

        _look(self._escapes).scan(text[:end], match_event_handler=on_match)
        if not found:
            self._long = False if end else self._long
            return text[:end], end, text[end:]
        look = 0
        while (match := self._pattern.search(text, look, end)) is not None:
            start, stop = match.span()
            if self._escaped_slash(text, start):
                look = start + 1
                continue
            look = stop
            if self._long and start == at:
                at = stop
                continue
            self._long = False
            if stop == end and not final and not match.group().endswith(b"m"):
                if stop - start <= _LONGEST_RUN:
                    end = start
                    break
                self._tell("invisible-run", start, stop)
                out.append(text[at:start])
                at, self._long = stop, True
                break
            out += (text[at:start], self._run(text, start, stop))
            at = stop
        if end > at:
            self._long = False
        return b"".join(out) + text[at:end], end, text[end:]

    def _emit(self, out: bytes, used: int, held: bytes) -> bytes:
        self._offset += used
        self._held = held
        self._before = (self._before + out)[-_CONTEXT:]
        return out

    def _escaped_slash(self, text: bytes, start: int) -> bool:
        """Is the backslash at *start* itself escaped (JSON)?"""
        if not self._escapes or text[start] != 0x5C:
            return False
        before = (
            text[start - _CONTEXT : start] if start >= _CONTEXT else (self._before + text[:start])[-_CONTEXT:]
        )
        return (len(before) - len(before.rstrip(b"\\"))) % 2 == 1

    def _run(self, text: bytes, start: int, stop: int) -> bytes:
        run = text[start:stop]
        if run.endswith(b"m"):
            self._tell("terminal-conceal", start, stop)
            return b""
        if len(run) > _LONGEST_RUN:
            self._tell("invisible-run", start, stop)
            return b""
        before = self._before + text[max(0, start - _CONTEXT) : start]
        kept, rule = _judge(_last(before, self._escapes), _units(run), _first(text[stop : stop + 4]))
        if rule == "inside-word":
            self._words += 1
        if rule is not None and (rule != "inside-word" or self._words == _WORDS_TOLD):
            self._tell(rule, start, stop)
        return b"".join(unit.raw for unit in kept)

    def _tell(self, rule: str, start: int, stop: int) -> None:
        if self._count < MOST_FINDINGS:
            self._count += 1
            self.findings.append(
                Finding(
                    detector=Detector.INJECTION,
                    rule=rule,
                    severity=Severity.WARN,
                    reason="characters that hide text were taken out",
                    start=self._offset + start,
                    end=self._offset + stop,
                )
            )


def _not_text(text: bytes, end: int) -> int | None:
    """Where *text*, whose first *end* bytes are whole characters, stops to be text."""
    nul = text.find(b"\0", 0, end)
    try:
        text[: end if nul < 0 else nul].decode()
    except UnicodeDecodeError as error:
        return error.start
    return None if nul < 0 else nul


def _settled(text: bytes, escapes: bool) -> int:
    """How many bytes of *text* are whole characters, escapes and sequences."""
    end = len(text)
    for back in range(1, min(3, end) + 1):
        byte = text[-back]
        if byte >= 0xC0:
            if back < (2 if byte < 0xE0 else 3 if byte < 0xF0 else 4):
                end -= back
            break
        if byte < 0x80:
            break
    cut = _UNFINISHED_CONCEAL.search(text, max(0, end - 6), end)
    end = cut.start() if cut is not None else end
    if escapes:
        cut = _UNFINISHED_ESCAPE.search(text, max(0, end - 12), end)
        end = cut.start() if cut is not None else end
    return end


def _last(before: bytes, escapes: bool) -> str:
    if escapes and before.lower().endswith(b"\\ud83c\\udff4"):
        return _FLAG
    return before[-4:].decode("utf-8", "ignore")[-1:]


def _first(after: bytes) -> str:
    return after.decode("utf-8", "ignore")[:1]
