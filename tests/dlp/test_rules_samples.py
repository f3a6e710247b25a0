"""Every rule finds what it is for, by its name and at its place, and not what only looks like it."""

from __future__ import annotations

import random
from urllib.parse import urlsplit

import pytest

from bot_bottle.dlp import sample
from bot_bottle.dlp.checks import CHECKS
from bot_bottle.dlp.patterns import Patterns
from bot_bottle.dlp.registry import ALL_RULES
from bot_bottle.dlp.rule import Find, Rule

POSITIVES = [(rule, recipe) for rule in ALL_RULES for recipe in rule.positives]
NEGATIVES = [(rule, recipe) for rule in ALL_RULES for recipe in rule.negatives]
DRAWS = 8
"""samples of each recipe: what chance spoils would show"""


@pytest.fixture(scope="module")
def patterns() -> Patterns:
    return Patterns.default()


def samples(rule: Rule, recipe: str) -> list[sample.Sample]:
    return [sample.make(recipe, random.Random(f"{rule.name} {recipe} {draw}")) for draw in range(DRAWS)]


@pytest.mark.parametrize(("rule", "recipe"), POSITIVES, ids=[rule.name for rule, _ in POSITIVES])
def test_a_positive_is_found_at_its_place_and_by_its_name(
    patterns: Patterns, rule: Rule, recipe: str
) -> None:
    """Also: among all rules the most particular one names it."""
    for made in samples(rule, recipe):
        found = patterns.scan(made.text)
        assert (rule.name, made.start, made.end) in [(hit.rule, hit.start, hit.end) for hit in found]


@pytest.mark.parametrize(("rule", "recipe"), NEGATIVES, ids=[rule.name for rule, _ in NEGATIVES])
def test_a_negative_is_not_found(patterns: Patterns, rule: Rule, recipe: str) -> None:
    for made in samples(rule, recipe):
        assert [hit.rule for hit in patterns.scan(made.text)] == []


def test_a_sample_is_the_same_for_the_same_seed() -> None:
    for rule, recipe in POSITIVES:
        one, two = (sample.make(recipe, random.Random(7)) for _ in range(2))
        assert one == two, rule.name
        assert one.secret in one.text


def test_the_table_is_broad_enough() -> None:
    assert len({rule.vendor for rule in ALL_RULES}) >= 120


def test_names_are_unique_and_every_row_is_documented() -> None:
    assert len({rule.name for rule in ALL_RULES}) == len(ALL_RULES)
    for rule in ALL_RULES:
        address = urlsplit(rule.docs)
        assert address.scheme == "https" and "." in (address.hostname or ""), rule.name
        assert rule.positives, rule.name
        assert rule.check == "" or rule.check in CHECKS, rule.name
        assert all(word == word.lower() for word in (*rule.keywords, *rule.named)), rule.name
        assert rule.find is Find.ANYWHERE or rule.keywords, rule.name
