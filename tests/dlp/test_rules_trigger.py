"""A trigger fires wherever its pattern matches, once a match, and says how far back that began."""

from __future__ import annotations

import random

import pytest
import re2

from bot_bottle.dlp import sample
from bot_bottle.dlp.patterns import Patterns
from bot_bottle.dlp.registry import ALL_RULES
from bot_bottle.dlp.rule import Find, Rule
from bot_bottle.dlp.trigger import cut_tail, literal_prefix, relaxed, width

ANYWHERE = [rule for rule in ALL_RULES if rule.find is Find.ANYWHERE]


@pytest.mark.parametrize(
    ("pattern", "cut"),
    [
        ("a[b]{20,}", "a[b]{20}"),
        ("a[b]{20,40}", "a[b]{20}"),
        ("a[b]{20}", "a[b]{20}"),
        ("ab+", "ab"),
        ("ab*", "a"),
        ("ab?c{0,3}", "a"),
        (r"a\+", r"a\+"),
        (r"a\]*", "a"),
        ("ab[c]{4,}={0,2}", "ab[c]{4}"),
        ("a(?:b|c)+", "a(?:b|c)"),
        ("a(?:bc)?", "a"),
        ("a([b]{4,9})", "a[b]{4}"),
        ("a(b|c)", "a(b|c)"),
    ],
)
def test_the_tail_is_cut(pattern: str, cut: str) -> None:
    assert cut_tail(pattern) == cut


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("abc", (3, 3)),
        ("a|bcd", (1, 3)),
        (r"(?:ab|c)[x-z]{2,5}\.d?", (4, 9)),
        (r"[\]x]{3}[^]a]", (4, 4)),
        (r"(?i)a(b(c|de)){2}$", (5, 7)),
    ],
)
def test_width(pattern: str, expected: tuple[int, int]) -> None:
    assert width(pattern) == expected


@pytest.mark.parametrize("pattern", ["a+b", "a*b", "a{3,}b"])
def test_an_unbounded_repetition_inside_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="unbounded"):
        width(pattern)


@pytest.mark.parametrize(
    ("pattern", "prefix"),
    [
        ("ghp_[a]", "ghp_"),
        (r"SG\.[a]", "SG."),
        ("a|b", ""),
        ("[ab]c", ""),
        ("abc?", "ab"),
        (r"1//[0]", "1//"),
    ],
)
def test_the_constant_beginning(pattern: str, prefix: str) -> None:
    assert literal_prefix(pattern) == prefix


def test_bounds_over_a_few_are_left_away() -> None:
    assert relaxed("a{2,9}b{30}c{1,200}") == "a{2,9}b{30}c{1,}"


@pytest.mark.parametrize("rule", ANYWHERE, ids=[rule.name for rule in ANYWHERE])
def test_the_trigger_of_each_rule_is_in_each_of_its_matches(rule: Rule) -> None:
    trigger = rule.trigger or cut_tail(rule.pattern)
    flags = "(?si)" if rule.caseless else "(?s)"
    begin = f"(?:{rule.head})(?:{trigger})" if rule.head else trigger
    for recipe in rule.positives:
        text = sample.make(recipe, random.Random(recipe)).text
        found = re2.compile((flags + begin).encode()).search(text)
        assert found is not None, recipe
        assert found.end() - found.start() <= width(begin)[1]


def test_a_long_run_is_one_hit() -> None:
    text = sample.make("sk-ant-api03-{b64u:5000}", random.Random(2)).text
    assert [(hit.start, hit.rule) for hit in Patterns.default().scan(text)][:1] == [(0, "anthropic-key")]
    assert len(Patterns.default().scan(text)) <= len(text) // 500


def test_the_database_is_small_and_the_default_made_once() -> None:
    assert Patterns.default() is Patterns.default()
    assert Patterns.default().size < 2**20
