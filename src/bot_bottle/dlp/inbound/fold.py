"""Forms of a text in which its disguises are gone: marks off letters, look-alikes folded, punctuation out of words.

Works on passages of a few KiB, so plain Python is fast enough. Every pattern here is one character class, bounded.
"""

from __future__ import annotations

import re
import unicodedata

_CYRILLIC = str.maketrans("аеорсухіјѕһԁԛԝкмтгпьӏғнвз", "aeopcyxijshdqwkmtrnblfhbe")
_GREEK = str.maketrans("αοερνικτυχηωγβσμ", "aoepviktuxnwybou")
_LATIN = str.maketrans(
    "ɑɡıɩɪɴʀʟᴀʙᴄᴅᴇꜰɢʜᴊᴋᴍᴏᴘǫꜱᴛᴜᴠᴡʏᴢłøđħŧƃɓƈɗɖєәƒɠɦɨƙɭɱɲɵƥʠɽʂƭʉʋʍƴʐօսհոցզ",
    "agiiinrlabcdefghjkmopqstuvwyzlodhtbbcddeefghiklmnopqrstuvwyzouhngq",
)
LOOKALIKES: dict[int, int] = {**_CYRILLIC, **_GREEK, **_LATIN}
"""Letters of other alphabets that look like an ASCII letter, after case folding"""
_REGIONAL = {0x1F1E6 + i: ord("a") + i for i in range(26)} | {0x1F170 + i: ord("a") + i for i in range(26)}
_REGIONAL |= {0x1F130 + i: ord("a") + i for i in range(26)} | {0x1F150 + i: ord("a") + i for i in range(26)}
"""letters in boxes and flags, which NFKC leaves as they are"""

_LEET = {
    "0": "o",
    "3": "e",
    "4": "a",
    "5": "s",
    "7": "t",
    "@": "a",
    "$": "s",
    "!": "i",
    "8": "b",
    "9": "g",
    "+": "t",
    "€": "e",
}
LEET_I = str.maketrans({**_LEET, "1": "i", "|": "i"})
LEET_L = str.maketrans({**_LEET, "1": "l", "|": "l"})
LEET_BYTES = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0134578@$!|", b"abcdefghijklmnopqrstuvwxyzoieastbasii"
)
"""as :data:`LEET_I`, byte by byte, for triggers; with lower case"""

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]+"
)
_ASCII_WORDS: dict[int, str | None] = {
    **{code: " " for code in range(128) if not chr(code).isalnum()},
    **dict.fromkeys(map(ord, "'`*~"), None),
    **{ord(char): char for char in ".!?;"},
}
_STOPS: dict[int, str] = dict.fromkeys(map(ord, ".!?;"), " ")
_SENTENCE = re.compile("[.!?;]+(?= |$)")
_OTHER_APOSTROPHES = re.compile("[’‘´]+")
_OTHER_SENTENCE = re.compile("[。！？；｡]+")
_OTHER = re.compile("[^\\w.!?;]+")
_CJK_GAP = re.compile("(?<=[\u3040-\u30ff\u3400-\u9fff]) (?=[\u3040-\u30ff\u3400-\u9fff])")
_EMPHASIS: dict[int, None] = dict.fromkeys(map(ord, "*~`"), None)
_INLINE = re.compile(
    "<!--[^<>]{0,200}-->|</?(?:a|abbr|b|bdi|bdo|big|cite|code|del|em|font|i|ins|kbd|mark|q|s|small|"
    "span|strike|strong|sub|sup|tt|u|var|wbr)"
    "(?:\\s[^<>]{0,300})?/?>",
    re.IGNORECASE,
)
_TAG = re.compile("<[^<>]{1,600}>")
_WRAP = re.compile("-\\r?\\n[ \\t]{0,20}(?://|#|\\*|--|;|>|%)?[ \\t]{0,8}(?=[a-z])")
_SPACED = re.compile("(?<![^\\W_])(?:[^\\W_][ .\\-_*|/,·\\t]{1,3}){5,400}[^\\W_](?![^\\W_])")
_GAP = re.compile("[ .\\-_*|/,·\\t]{2,3}")
_SEPARATOR = re.compile("[ .\\-_*|/,·\\t]")


_MOST_KNOWN = 4096


class _Marks(dict[int, int | None]):
    """For ``str.translate``: marks vanish. Remembers the first few thousand characters that it was asked about."""

    def __missing__(self, code: int) -> int | None:
        made = None if unicodedata.category(chr(code))[0] == "M" else code
        if len(self) < _MOST_KNOWN:
            self[code] = made
        return made


_MARKS = _Marks()


def fold(text: str) -> str:
    """Lower case, compatibility forms (NFKC) made plain, marks off letters; ASCII costs nothing but the case."""
    if text.isascii():
        return text.lower()
    opened = unicodedata.normalize("NFKD", text.translate(_REGIONAL)).casefold()
    return unicodedata.normalize("NFC", opened.translate(_MARKS))


def words(text: str) -> str:
    """*text* (already folded) as words with one space between, `` . `` between sentences, a space at both ends."""
    text = _WRAP.sub("", text) if "-\n" in text or "-\r" in text else text
    if not text.isascii():
        text = _OTHER_SENTENCE.sub(". ", _OTHER.sub(" ", _OTHER_APOSTROPHES.sub("", text)))
    text = _SENTENCE.sub("\x01", text.translate(_ASCII_WORDS)).translate(_STOPS).replace("\x01", " . ")
    text = f" {' '.join(text.split())} "
    return text if text.isascii() else _CJK_GAP.sub("", text)


def without_invisible(text: str) -> str:
    return text if text.isascii() else _INVISIBLE.sub("", text)


def without_tags(text: str) -> str:
    """Tags that stand within a line of text leave nothing, other tags leave a space."""
    if "<" not in text:
        return text
    return _TAG.sub(" ", _INLINE.sub("", text))


def without_emphasis(text: str) -> str:
    """Without the marks that make a word bold, struck out or code."""
    return text.translate(_EMPHASIS) if any(mark in text for mark in "*~`") else text


def lookalikes(text: str) -> str:
    return text if text.isascii() else text.translate(LOOKALIKES)


def joined_letters(text: str) -> str | None:
    """Words whose letters stand apart (``i g n o r e``) put together; None if there are none."""
    found = [match.group() for match in _SPACED.finditer(text)]
    if not found:
        return None
    return " ".join(_SEPARATOR.sub("", _GAP.sub("\x02", run)).replace("\x02", " ") for run in found)
