"""Invariant: what has no use but to hide is gone after one pass, and nothing else is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot_bottle.dlp.inbound.strip import Strip

ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
BENIGN = {
    "family": "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "eye in a bubble": "\U0001f441\ufe0f\u200d\U0001f5e8\ufe0f",
    "keycap": "1\ufe0f\u20e3 and #\ufe0f\u20e3",
    "flag of England": f"go {ENGLAND}!",
    "heart": "I \u2764\ufe0f it",
    "skin": "\U0001f44d\U0001f3fd\u200d\u2642\ufe0f",
    "Persian": "شرکت\u200cها و می\u200cخواهم",
    "Persian with Latin": "HTML\u200cها",
    "Hindi": "क\u094d\u200dष और क\u094d\u200cष",
    "Sinhala": "ශ\u0dca\u200dරී",
    "Hebrew": "\u200fשלום (\u200eC++\u200f)\u202b עולם \u202c",
    "isolates": "\u2068name\u2069 has joined",
    "Arabic nested": "\u2067مرحبا \u2066abc\u2069\u2069 نص",
    "soft hyphens": "Donau\u00addampf\u00adschiff",
    "byte order mark": "\ufefffirst line",
    "no break": "10\u202fkm, word\u2060\u00a0joiner",
    "Mongolian": "ᠮᠣᠩᠭᠣᠯ\u180b ᠪᠢᠴᠢᠭ",
    "CJK variation": "葛\U000e0100城",
    "combining": "e\u0301 and \u0e01\u0e33",
}


def strip(text: bytes, *, escapes: bool = False) -> tuple[bytes, list[str]]:
    one = Strip(escapes=escapes)
    out = one.feed(text) + one.finish()
    return out, [finding.rule for finding in one.findings]


@pytest.mark.parametrize("text", BENIGN.values(), ids=BENIGN.keys())
def test_what_has_a_use_stays(text: str) -> None:
    assert strip(text.encode()) == (text.encode(), [])


@pytest.mark.parametrize(
    ("text", "left", "rules"),
    [
        ("a\U000e0049\U000e0067\U000e006e b", "a b", ["tag-characters"]),
        (ENGLAND + "\U000e0041\U000e0042", ENGLAND, ["tag-characters"]),
        (
            "\U0001f3f4\U000e0049\U000e0067\U000e006e\U000e006f\U000e0072\U000e0065 x",
            "\U0001f3f4 x",
            ["tag-characters"],
        ),
        ("\U0001f600\ufe0f\U000e0101\U000e0102\U000e0103", "\U0001f600\ufe0f", ["variation-selectors"]),
        ("x\u200b\u200c\u200d\u2060y", "xy", ["invisible-run"]),
        ("; \u200b\u200b\u200c\u200d end", ";  end", ["invisible-run"]),
        ("ig\u200bnore", "ignore", []),
        ("i\u200bg\u200dn\u2060ore", "ignore", ["inside-word"]),
        ("if a \u202e{ b", "if a { b", ["bidi-override"]),
        ("x\u206ay", "xy", ["deprecated-controls"]),
        ("plain\x1b[8mconcealed\x1b[0m", "plainconcealed\x1b[0m", ["terminal-conceal"]),
        ("a\u200b" * 2 + "\u200b" * 5000 + "z", "aaz", ["invisible-run"]),
    ],
)
def test_what_hides_goes(text: str, left: str, rules: list[str]) -> None:
    assert strip(text.encode()) == (left.encode(), rules)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (rb'{"a": "x\udb40\udc49\udb40\udc67"}', rb'{"a": "x"}'),
        (rb'{"a": "ig\u200bnore"}', rb'{"a": "ignore"}'),
        (rb'{"a": "ig\\u200bnore"}', rb'{"a": "ig\\u200bnore"}'),
        (rb'{"a": "ig\\\u200bnore"}', rb'{"a": "ig\\\u200bnore"}'),
        (rb'{"a": "\ud83d\udc68\u200d\ud83d\udc69"}', rb'{"a": "\ud83d\udc68\u200d\ud83d\udc69"}'),
        (rb'{"a": "\ud83c\udff4\udb40\udc67\udb40\udc62\udb40\udc65\udb40\udc6e\udb40\udc67\udb40\udc7f"}',)
        * 2,
        (rb'{"a": "\u001b[8mx"}', rb'{"a": "x"}'),
        (rb'{"a": "\u200b\u200b\u200b\u200b\n"}', rb'{"a": "\n"}'),
    ],
)
def test_escapes_in_json_are_characters(text: bytes, left: bytes) -> None:
    assert strip(text, escapes=True)[0] == left


@pytest.mark.parametrize("head", [b"\0", b"\xff", b"\xc3\x28"])
def test_what_is_no_text_is_left_alone(head: bytes) -> None:
    hidden = "a\U000e0041b".encode()
    assert strip(head + hidden)[0] == head + hidden
    assert strip(hidden + head + hidden)[0] == b"ab" + head + hidden


ALPHABET = st.sampled_from(
    "aZ1 "
    "é中ש\U0001f3f4\U0001f600\u200b\u200d\u200e\u202e\u2066\u206a\ufe0f\ufeff\U000e0067\U000e007f\U000e0101"
    "\u3164\x1b[8m\\u"
)


@settings(max_examples=400, deadline=None)
@given(text=st.text(ALPHABET, max_size=40), escapes=st.booleans())
def test_property_a_second_pass_changes_nothing(text: str, escapes: bool) -> None:
    once, _ = strip(text.encode(), escapes=escapes)
    assert strip(once, escapes=escapes)[0] == once


def _shows(char: str) -> bool:
    return char.isprintable() and unicodedata.category(char) != "Mn" and char != "\u3164"


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=60))
def test_property_visible_characters_stay(text: str) -> None:
    left = strip(text.encode())[0].decode()
    assert list(filter(_shows, left)) == list(filter(_shows, text))


@settings(max_examples=300, deadline=None)
@given(
    parts=st.lists(
        st.one_of(
            st.text(ALPHABET, max_size=6).map(str.encode),
            st.sampled_from([b"\xe2", b"\xff", b"\0", b"\\ud83c\\udff4", b"\\udb40\\udc67"]),
        ),
        max_size=12,
    ),
    escapes=st.booleans(),
)
def test_property_cuts_change_nothing(parts: list[bytes], escapes: bool) -> None:
    data = b"".join(parts)
    one = Strip(escapes=escapes)
    out = b"".join(one.feed(data[at : at + 1]) for at in range(len(data))) + one.finish()
    whole = Strip(escapes=escapes)
    assert out == whole.feed(data) + whole.finish()
    assert one.findings == whole.findings
