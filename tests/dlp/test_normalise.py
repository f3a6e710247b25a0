"""Text that reads as a token is found as one, and named by its own bytes; nothing is done for text that can't be one.

Invariant: ``normalise`` never fails, and ``where`` always gives a span of the text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.dlp.lookalikes import folded, table
from bot_bottle.dlp.normalise import normalise

TOKEN = "ghp_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6"


def _math(text: str) -> str:
    bold = {
        **{chr(65 + n): chr(0x1D400 + n) for n in range(26)},
        **{chr(97 + n): chr(0x1D41A + n) for n in range(26)},
    }
    digits = {chr(48 + n): chr(0x1D7CE + n) for n in range(10)}
    return text.translate(str.maketrans(bold | digits))


WRITTEN: dict[str, Callable[[str], str]] = {
    "fullwidth": lambda text: "".join(chr(ord(char) + 0xFEE0) for char in text),
    "mathematical": _math,
    "zero-width space": "\u200b".join,
    "zero-width joiner": "\u200d".join,
    "word joiner": "\u2060".join,
    "soft hyphen": "\u00ad".join,
    "byte order mark": "\ufeff".join,
    "right-to-left mark": "\u200f".join,
    "bidi isolates": "\u2068\u2069".join,
    "variation selector": "\ufe0f".join,
    "more variation selectors": "\U000e0101".join,
    "Hangul filler": "\u3164".join,
    "combining marks": "\u0301".join,
    "marks on marks": "\u0300\u0327".join,
    "composed letters": lambda text: unicodedata.normalize("NFC", "\u0301".join(text)),
    "tag characters": lambda text: "".join(chr(0xE0000 + ord(char)) for char in text),
    "Cyrillic": lambda text: text.translate(str.maketrans("aeopcyxAEOPCTHKMBX", "аеорсухАЕОРСТНКМВХ")),
    "Greek": lambda text: text.translate(str.maketrans("ABEZHIKMNOPTYXov", "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧον")),
    "Arabic digits": lambda text: text.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
    "one Cyrillic letter": lambda text: text.replace("a", "а"),
    "fullwidth low line": lambda text: text.replace("_", "\uff3f"),
    "one soft hyphen": lambda text: text[:20] + "\u00ad" + text[20:],
    "circled": lambda text: text.translate(str.maketrans({chr(97 + n): chr(0x24D0 + n) for n in range(26)})),
}
AROUND = {
    "alone": ("", ""),
    "in ASCII": ("the key is ", " and so on"),
    "in French": ("Été comme hiver, la clé est " * 20, " et voilà"),
    "in Russian": ("Это обычный русский текст с ключом " * 20, " и так далее"),
    "in Chinese": ("这是一个很长的中文文本没有任何空格" * 20, "结束"),
    "in JSON": ('{"content": "', '"}'),
}


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("how", WRITTEN)
def test_reads_as_the_token(how: str, around: str) -> None:
    before, after = AROUND[around]
    written = WRITTEN[how](TOKEN)
    text = (before + written + after).encode()
    found = normalise(text)
    assert found is not None
    at = found.data.find(TOKEN.encode())
    assert at >= 0
    start, end = found.where(at, at + len(TOKEN))
    assert start == len(before.encode())
    assert written.startswith(text[start:end].decode())
    assert folded_text(text[start:end].decode()) == TOKEN


def folded_text(text: str) -> str:
    return text.translate(table())


def test_several_in_one_text() -> None:
    """Each is found, also when they are many, and when they are far apart."""
    one = WRITTEN["fullwidth"](TOKEN)
    text = (f"{one} " + "x " * 200).encode() * 700
    found = normalise(text)
    assert found is not None
    assert found.data.count(TOKEN.encode()) == 700


def test_bytes_that_are_not_utf8_are_no_obstacle() -> None:
    text = b"\xff\xfe\x80 " + WRITTEN["zero-width space"](TOKEN).encode() + b" \xc3\x28\xf5"
    found = normalise(text)
    assert found is not None
    at = found.data.find(TOKEN.encode())
    start, end = found.where(at, at + len(TOKEN))
    assert text[start:end].decode() == WRITTEN["zero-width space"](TOKEN)


@pytest.mark.parametrize(
    "text",
    [
        "plain text, token_like_words_and_all: " + TOKEN,
        "这是一个很长的中文文本，没有任何空格。" * 50,
        "これは長い日本語の文章です" * 50,
        "이것은 긴 한국어 문장입니다" * 50,
        "Это обычный русский текст, и слов в нём много. " * 50,
        "La responsabilité des développeurs est d’écrire — très bien — du code. " * 50,
        "“quoted” text — with dashes… and • bullets → arrows " * 50,
        "",
    ],
)
def test_leaves_text_alone_that_hides_nothing(text: str) -> None:
    assert normalise(text.encode()) is None


@pytest.mark.parametrize(
    ("char", "reads"),
    [
        ("ａ", "a"),
        ("𝐀", "A"),
        ("а", "a"),
        ("Ο", "O"),
        ("é", "e"),
        ("\u200b", ""),
        ("\U000e0061", "a"),
        ("٣", "3"),
        ("ﬁ", "fi"),
        ("‐", "-"),
        ("＿", "_"),
        ("中", None),
        ("ж", None),
        ("“", None),
        ("한", None),
    ],
)
def test_single_characters(char: str, reads: str | None) -> None:
    assert folded(char) == reads
    assert table().get(ord(char)) == reads


def test_ascii_is_never_changed() -> None:
    assert all(code >= 0x80 for code in table())


@given(
    st.one_of(
        st.binary(max_size=300), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
    )
)
def test_never_fails(text: bytes) -> None:
    found = normalise(text)
    if found is None:
        return
    for at in range(0, len(found.data), 7):
        start, end = found.where(at, at + 1)
        assert 0 <= start <= end <= len(text)


@given(
    st.lists(st.sampled_from(["\u200b", "\u0301", "\ufe0f", "", "\u2066"]), min_size=40, max_size=40),
    st.text(alphabet="ab é漢\n", max_size=40),
)
def test_whatever_is_put_between(between: list[str], before: str) -> None:
    """The token is read through any mixture of what is not seen."""
    written = "".join(char + mark for char, mark in zip(TOKEN, between, strict=True))
    text = (before + " " + written + " end").encode()
    found = normalise(text)
    if written == TOKEN:
        return
    assert found is not None
    at = found.data.find(TOKEN.encode())
    assert at >= 0
    start, end = found.where(at, at + len(TOKEN))
    assert folded_text(text[start:end].decode()) == TOKEN
