"""Lineage labels and what pickers may peek at (spec: cli §3)."""

from __future__ import annotations

import pytest

from bot_bottle.manifest.lineage import labels, peek_default, peek_parents


@pytest.mark.parametrize(
    ("parents", "expected"),
    [
        ({}, {}),
        ({"b": ("a",)}, {"b": "a -> b"}),
        ({"claude-dev": ("own-dev",), "own-dev": ("dev",)},
         {"claude-dev": "dev -> own-dev -> claude-dev", "own-dev": "dev -> own-dev"}),
        ({"x": ("a", "b")}, {"x": "(a, b) -> x"}),
        ({"y": ("x",), "x": ("a", "b")}, {"y": "(a, b) -> x -> y", "x": "(a, b) -> x"}),
        # a cycle stops at the first repeat
        ({"a": ("b",), "b": ("a",)}, {"a": "b -> a", "b": "a -> b"}),
        ({"a": ("a",)}, {"a": "a"}),
        ({"a": ("b",), "b": ("c",), "c": ("b",)}, {"a": "c -> b -> a", "b": "c -> b", "c": "b -> c"}),
        # a label that is not unique falls back to the name
        ({"b": ("a",), "a -> b": ()}, {"b": "b", "a -> b": "a -> b"}),
    ],
)  # fmt: skip
def test_labels(parents, expected):
    assert labels(parents) == expected


def test_labels_that_clash_fall_back_to_the_bare_names():
    """Two names that are shown alike: the escape of the one is the text of the other."""
    assert labels({"b\n": ("a",), "b\\n": ("a",)}) == {"b\n": "b\n", "b\\n": "b\\n"}


def test_parents_are_peeked_tolerantly(files):
    """Broken files, and values that are no names, are bottles without parents."""
    files.bottle("one", "extends: base")
    files.bottle("list", "extends: [base, one, 3, '../x']")
    files.bottle("none", "env: {A: x}")
    files.bottle("odd", "extends: {a: b}")
    files.bottle("broken", "]")
    files.bottle("wrong", "supervise: maybe\nextends: base")
    assert peek_parents(files.index()) == {"one": ("base",), "list": ("base", "one"), "wrong": ("base",)}


@pytest.mark.parametrize(
    ("keys", "expected"),
    [("bottle: dev", "dev"), ("bottle: [dev]", None), ("bottle: 3", None), ("bottle: 'a b'", None), ("]", None),
     ("skills: []", None), ("bottle: gone\nnonsense: 1", "gone")],
)  # fmt: skip
def test_the_default_bottle_is_peeked_tolerantly(files, keys, expected):
    files.agent("worker", keys)
    assert peek_default(files.index(), "worker") == expected
    assert peek_default(files.index(), "nobody") is None
