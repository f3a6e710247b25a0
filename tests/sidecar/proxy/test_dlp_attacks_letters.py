"""A secret written with letters that only look like its own, or with what nobody sees between them, is found
(threats G2).

Read from what the upstream received; on a route without detectors each arrives.
"""

from __future__ import annotations

import json
import unicodedata
import urllib.parse
from collections.abc import Callable

import pytest
from attack_support import SECRETS, attacking, words
from dlp_support import BLOCK, OFF, get

Spell = Callable[[str], str]


def between(char: str, every: int = 1) -> Spell:
    return lambda text: char.join(text[at : at + every] for at in range(0, len(text), every))


def shifted(upper: int, lower: int, digit: int | None = None) -> Spell:
    """Letters of another block, which lie there in the same order."""

    def one(char: str) -> str:
        if char.isdigit():
            return char if digit is None else chr(digit + ord(char) - ord("0"))
        if char.isalpha():
            return chr(upper + ord(char) - ord("A") if char.isupper() else lower + ord(char) - ord("a"))
        return char

    return lambda text: "".join(map(one, text))


CYRILLIC = str.maketrans("AaBCcEeHIiJjKMOoPpSsTXxYy", "АаВСсЕеНІіЈјКМОоРрЅѕТХхУу")
GREEK = str.maketrans("ABEHIKMNOoPTXYZ", "ΑΒΕΗΙΚΜΝΟοΡΤΧΥΖ")
WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
CIRCLED = str.maketrans("abcdefghijklmnopqrstuvwxyz", "".join(map(chr, range(0x24D0, 0x24EA))))

SPELLINGS: dict[str, Spell] = {
    **{
        f"{unicodedata.name(char, hex(ord(char))).lower()} between": between(char)
        for char in "\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e\u034f\u061c\u2061\u2062\u2063"
    },
    **{
        f"{unicodedata.name(char).lower()} between": between(char)
        for char in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f"
    },
    "variation selectors": between("\ufe0f"),
    "supplementary variation selectors": between("\U000e0101"),
    "hangul fillers": between("\u3164"),
    "combining acute": between("\u0301"),
    "combining marks, three each": between("\u0301\u0323\u0489"),
    "combining enclosing": between("\u20dd"),
    "fullwidth": lambda text: text.translate(WIDE),
    "cyrillic": lambda text: text.translate(CYRILLIC),
    "greek": lambda text: text.translate(GREEK),
    "cyrillic and greek": lambda text: text.translate(GREEK).translate(CYRILLIC),
    "circled": lambda text: text.translate(CIRCLED),
    "mathematical bold": shifted(0x1D400, 0x1D41A, 0x1D7CE),
    "mathematical monospace": shifted(0x1D670, 0x1D68A, 0x1D7F6),
    "mathematical sans-serif bold": shifted(0x1D5D4, 0x1D5EE, 0x1D7EC),
    "mathematical bold italic": shifted(0x1D468, 0x1D482),
    "tag characters": lambda text: "".join(chr(0xE0000 + ord(char)) for char in text),
    "overridden, backwards": lambda text: "\u202e" + text[::-1] + "\u202c",
    "decomposed": lambda text: unicodedata.normalize("NFD", between("\u0327")(text)),
    "a mixture": lambda text: between("\u200d", 3)(text.translate(CYRILLIC).translate({ord("3"): "３"})),
}

SPACES = {
    f"{unicodedata.name(char, hex(ord(char))).lower()} between fours": between(char, 4)
    for char in "\u00a0\u2000\u2003\u2009\u200a\u202f\u205f\u3000\u2028\u2029\u0085\u1680"
}
"""Of a value that is known alone: a format with spaces in it is none"""
CASES = [
    *(
        pytest.param(name, spell, SECRETS[kind], id=f"{name}-{kind}")
        for name, spell in SPELLINGS.items()
        for kind in SECRETS
    ),
    *(pytest.param(name, spell, SECRETS["known"], id=name) for name, spell in SPACES.items()),
]


@pytest.fixture(scope="module")
def attack(run_shared_proxy, to):
    yield from attacking(run_shared_proxy, to)


def _bodies(text: str) -> dict[str, bytes]:
    record = {"messages": [{"content": f"it is {text} as said"}]}
    return {
        "text": b"it is " + text.encode() + b" as said",
        "JSON": json.dumps(record, ensure_ascii=False).encode(),
        "JSON in ASCII": json.dumps(record).encode(),
        "form": urllib.parse.urlencode({"a": "1", "note": text}).encode(),
        "behind the first block": words(140_000) + text.encode() + words(2_000),
    }


@pytest.mark.parametrize(("name", "spell", "secret"), CASES)
def test_in_a_body(attack, name, spell, secret):
    let_through = []
    for kind, body in _bodies(spell(secret)).items():
        attack.arrives(OFF, body)
        answer, seen = attack.body(BLOCK, body)
        if answer.status != 403 or seen:
            let_through.append(kind)
    assert let_through == []


@pytest.mark.parametrize(("name", "spell", "secret"), CASES)
def test_in_the_query(attack, name, spell, secret):
    quoted = urllib.parse.quote(spell(secret))
    answer, seen = attack.send(OFF, lambda path: get(OFF, f"{path}?q={quoted}"))
    assert (answer.status, len(seen)) == (200, 1)
    answer, seen = attack.send(BLOCK, lambda path: get(BLOCK, f"{path}?q={quoted}"))
    assert (answer.status, seen) == (403, [])


TEXTS = (
    "Größe und Übermaß — „so“ … naïve café, Ωμέγα и всё остальное, 日本語の文章です。",
    "𝐀 headline in bold, ｆｕｌｌｗｉｄｔｈ words, e\u0301t\u00e9, 👨\u200d👩\u200d👧, a\u00adso\u00adft hyphen",
    "\u202bעברית\u202c and \u2067العربية\u2069 within English text, twice \u200e over",
)


@pytest.mark.parametrize("text", TEXTS)
def test_other_scripts_pass(attack, text):
    """What people write is no disguise."""
    for body in _bodies(text * 20).values():
        attack.arrives(BLOCK, body)
