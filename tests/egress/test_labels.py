"""Invariant: what is let through below a wildcard is short and few, whatever bytes were spelled into the names."""

from __future__ import annotations

import base64
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot_bottle.egress.codec import load_policy
from bot_bottle.egress.explain import explain
from bot_bottle.egress.labels import MAX_VARIABLE_CHARS, NEW_NAMES, WINDOW_S, NameBudget, carries_data
from bot_bottle.egress.match import compile_policy

PATTERN = "*.example.com"


def judged(variable: str) -> str | None:
    return carries_data(PATTERN, f"{variable}.example.com")


@pytest.mark.parametrize(
    "variable",
    [
        "www", "a.b.c", "eu-central-1", "my-project-git-main-my-team", "d111111abcdef8", "r3---sn-4g5e6nz7",
        "123e4567-e89b-12d3-a456-426614174000", "gray-ground-0a1b2c3d4", "bucket.s3.dualstack", "objects",
        "fluffy-space-robot-abc123-3000.app", "internationalization", "mycompanyinternalstaging", "xn--bcher-kva",
        "production-asia-southeast1-002", "pipelines-ghubeus21", "strengthandconditioning",
    ],
)  # fmt: skip
def test_names_of_services(variable: str) -> None:
    """Regions, tenants, branches, buckets, UUIDs."""
    assert judged(variable) is None


@pytest.mark.parametrize(
    ("variable", "why"),
    [
        ("a.b.c.d", "more than 3 labels"),
        ("a" * 41, "a label of more than 40"),
        (".".join(["spell-it-in-words-of-twenty"] * 3), "more than 63"),
        ("c2VjcmV0LWtleS1vZi10aGUtb3BlcmF0b3I".lower(), "looks encoded"),
        ("deadbeefdeadbeefdead", "looks encoded"),
        ("12345678901234567890", "looks encoded"),
        ("x-deadbeefdeadbeefdead", "looks encoded"),
        ("a.deadbeefdeadbeefdead.b", "looks encoded"),
        ("mfzwizltoqydcmrtgq2tmnzy", "looks encoded"),
        ("bcdfghjklmnpqrstvwxz", "looks encoded"),
    ],
)
def test_names_that_could_carry_data(variable: str, why: str) -> None:
    """Too many labels, too long, or no word of anybody's."""
    found = judged(variable)
    assert found is not None
    assert why in found


@settings(deadline=None)
@given(st.binary(min_size=10, max_size=31))
def test_hex(data: bytes) -> None:
    """No key of 80 bits passes as hex in one label."""
    assert judged(data.hex()) is not None


def test_most_of_what_is_random_is_seen() -> None:
    """Keys of 16 bytes and more, in base32 and base36: what passes is luck."""
    source = random.Random(70)  # the same ones each time
    passed = 0
    for _ in range(1000):
        data = source.randbytes(16)
        text = base64.b32encode(data).decode().rstrip("=").lower()
        passed += judged(text) is None
        passed += judged("".join(source.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=25))) is None
    assert passed < 100


@settings(deadline=None)
@given(st.from_regex(r"\A[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,60}[a-z0-9])?){0,5}\Z"))
def test_any_name(variable: str) -> None:
    """Never more than the bound."""
    if judged(variable) is None:
        assert len(variable) <= MAX_VARIABLE_CHARS


def test_new_names_are_counted() -> None:
    """So many, each counted once; a name seen before goes on passing; other wildcards have their own."""
    budget = NameBudget()
    for _ in range(2):
        assert all(budget.admits(PATTERN, f"n{number}", 100.0) for number in range(NEW_NAMES))
    assert not budget.admits(PATTERN, "one-more", 100.0)
    assert budget.admits(PATTERN, "n0", 100.0)
    assert budget.admits("*.example.org", "one-more", 100.0)


def test_new_names_come_back_with_time() -> None:
    """One after a part of the window, no more than all after many."""
    budget = NameBudget()
    assert sum(budget.admits(PATTERN, f"a{number}", 0.0) for number in range(1000)) == NEW_NAMES
    later = 1.5 * WINDOW_S / NEW_NAMES
    assert [budget.admits(PATTERN, name, later) for name in ("b0", "b1")] == [True, False]
    long_after = 100 * WINDOW_S
    assert sum(budget.admits(PATTERN, f"c{number}", long_after) for number in range(1000)) == NEW_NAMES


def test_explain_says_the_same() -> None:
    """Below the wildcard refused, with a route of its own allowed."""
    name = "deadbeefdeadbeefdead.example.com"
    wildcard = "routes:\n- host: '*.example.com'\n"
    refused = explain(compile_policy(load_policy(wildcard)), f"https://{name}/")
    assert not refused.allowed
    assert refused.rule == (
        "egress: route: a label that looks encoded below the wildcard: this host needs a route of its own"
    )
    assert explain(compile_policy(load_policy(f"{wildcard}- host: {name}\n")), f"https://{name}/").allowed
