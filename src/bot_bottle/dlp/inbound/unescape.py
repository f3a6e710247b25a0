"""A passage with its escapes undone: JSON and C, HTML entities, percent, quoted-printable; up to three deep."""

from __future__ import annotations

import html
import re
from urllib.parse import unquote

_DEPTH = 3
_SLASHED = re.compile(
    r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([nrt\"'/\\bf0]))"
)
_NAMED = {"n": "\n", "r": "\r", "t": "\t", "b": "", "f": " ", "0": ""}
_PERCENT = re.compile("%[0-9a-fA-F]{2}")
_QUOTED = re.compile("(?:=[2-7][0-9A-F]){2,200}")
_SOFT_BREAK = re.compile("=\\r?\\n(?=[a-zA-Z ])")
_LONE = re.compile("[\ud800-\udfff]")


def _slashed(match: re.Match[str]) -> str:
    named = match.group(5)
    if named is not None:
        return _NAMED.get(named, named)
    code = int(match.group(1) or match.group(2) or match.group(3) or match.group(4), 16)
    return chr(code) if code <= 0x10FFFF else ""


_SIMPLE = {f"\\{letter}": _NAMED.get(letter, letter) for letter in "nrt\"'/bf0"}


def _unslashed(text: str) -> str:
    """What stands between escaped backslashes holds each other one whole."""
    if "\\" not in text:
        return text
    return "\\".join([_named(part) if "\\" in part else part for part in text.split("\\\\")])


def _named(text: str) -> str:
    """*text*, in which no two backslashes stand together: escapes by name are replaced one kind after the other, at
    a fifth of the time that a pattern takes."""
    for escape, char in _SIMPLE.items():
        text = text.replace(escape, char)
    return _SLASHED.sub(_slashed, text) if "\\" in text else text


def _once(text: str) -> str:
    if "\\" in text:
        text = _unslashed(text)
        if _LONE.search(text):
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if "&" in text:
        text = html.unescape(text)
    if "%" in text and _PERCENT.search(text):
        text = unquote(text, errors="replace")
    if "=" in text:
        text = _QUOTED.sub(
            lambda run: bytes.fromhex(run.group().replace("=", "")).decode("latin-1"),
            _SOFT_BREAK.sub("", text),
        )
    return text


def unescape(text: str) -> str:
    """*text* with escapes undone until nothing changes, three times at most. Never raises; never longer."""
    for _ in range(_DEPTH):
        once = _once(text)
        if once == text:
            break
        text = once
    return text


def strings(text: str) -> str:
    """*text* with the escapes of a JSON string undone, once: what a JSON reader would see in it."""
    return _unslashed(text)
