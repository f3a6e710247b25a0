"""Invariant: ``load(dump(x)) == x``; what is read is plain data and every error has its line."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.base.yamltext import MAX_BYTES, YamlError, dotted, dump, load

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from(
        [
            "yes",
            "off",
            "null",
            "~",
            "1_000",
            "0x10",
            "010",
            "1e3",
            "2026-01-02",
            "=",
            "<<",
            "!a",
            "&a",
            "*a",
            "- a",
            "a: b",
            "#",
            "",
        ]
    ),
)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3),
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), DATA, max_size=4))
def test_round_trip(data: dict[str, Any]) -> None:
    """Whatever is written is read back to an equal value of the same types."""
    again = load(dump(data)).data
    assert again == data
    assert repr(again) == repr(data)


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    """Any text is data or a :class:`YamlError`, nothing else."""
    with suppress(YamlError):
        assert isinstance(load(text).data, dict)


def test_lines() -> None:
    """Each value has its line; an unknown path has its nearest ancestor's; text may start further down."""
    document = load("a: 1\nb:\n  c:\n  - x\n  - y: z\n", first_line=10)
    assert document.data == {"a": 1, "b": {"c": ["x", {"y": "z"}]}}
    assert document.line(("a",)) == 10
    assert document.line(("b",)) == 11
    assert document.line(("b", "c")) == 12
    assert document.line(("b", "c", 0)) == 13
    assert document.line(("b", "c", 1, "y")) == 14
    assert document.line(("b", "c", 1, "y", "nothing", 3)) == 14
    assert document.line(("nothing",)) == 10
    assert load("").line(("a",)) == 1


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "--- {}\n"])
def test_empty(text: str) -> None:
    """An empty text is an empty mapping."""
    assert load(text).data == {}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\na: 2\n", 2, "duplicate key 'a'"),
        ("a:\n  b: 1\n  c: 1\n  b: 2\n", 4, "duplicate key 'b'"),
        ("a: &x 1\nb: 2\n", 1, "anchors and aliases"),
        ("a: 1\nb: *x\n", 2, "anchors and aliases"),
        ("a: !!python/object:os.system x\n", 1, "tags are not accepted"),
        ("a: !!str 1\n", 1, "tags are not accepted"),
        ("!x\na: 1\n", 1, "tags are not accepted"),
        ("1: a\n", 1, "keys must be strings"),
        ("a: 1\nyes: b\n", 2, "keys must be strings"),
        ("? [a]\n: b\n", 1, "keys must be strings"),
        ("<<: {a: 1}\n", 1, "keys must be strings"),
        ("- a\n", 1, "top level must be a mapping"),
        ("a\n", 1, "top level must be a mapping"),
        ("---\n", 1, "top level must be a mapping"),
        ("a: 1\n  b: 2\n", 2, "not valid YAML"),
        ("a: [1\n", 2, "not valid YAML"),
        ("a: 1\n---\nb: 2\n", 2, "not valid YAML"),
        ("a: =\n", 1, "not plain data"),
        ("b: 1\na: \x07\n", 2, "U+0007"),
        ("a: " + "[" * 40 + "]" * 40, 1, "levels deep"),
        ("a: " + "{b: " * 40 + "}" * 40, 1, "levels deep"),
    ],
)
def test_refused(text: str, line: int, words: str) -> None:
    """Indirection, types, duplicates and syntax errors are refused with their line."""
    with pytest.raises(YamlError) as caught:
        load(text)
    assert words in caught.value.message
    assert caught.value.line == line


def test_first_line_counts() -> None:
    """Lines of errors are those of the file that the text was cut out of."""
    with pytest.raises(YamlError) as caught:
        load("a: 1\na: 2\n", first_line=5)
    assert caught.value.line == 6
    assert caught.value.path == ("a",)


def test_too_long() -> None:
    """At most 1 MiB."""
    with pytest.raises(YamlError, match="split the file"):
        load("#" * (MAX_BYTES + 1))


def test_dates_stay_text() -> None:
    """No value of ours is a date."""
    assert load("a: 2026-01-02\n").data == {"a": "2026-01-02"}


def test_numbers_that_are_none() -> None:
    """A number that Python refuses to make is an error with words, not a crash."""
    with pytest.raises(YamlError, match="not valid YAML"):
        load("a: " + "1" * 5000 + "\n")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("a",), "a"),
        (("a", "b"), "a.b"),
        (("a", 0, "b", 1, 2), "a[0].b[1][2]"),
        ((0, "a"), "[0].a"),
    ],
)
def test_dotted(path: tuple[str | int, ...], text: str) -> None:
    """How messages name a path."""
    assert dotted(path) == text


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), 1e300, -0.0, 5e-324])
def test_a_float_stays_one(value: float) -> None:
    """What Python writes as ``inf`` is a word to YAML."""
    assert load(dump({"a": value})).data == {"a": value}
    assert load(dump({"a": float("nan")})).data["a"] != load(dump({"a": float("nan")})).data["a"]
