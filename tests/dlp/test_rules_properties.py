"""Whatever stands around it, a credential is found at its place; and the search answers for any bytes at all."""

from __future__ import annotations

import json
import random
import shlex
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.dlp import sample
from bot_bottle.dlp.patterns import Patterns
from bot_bottle.dlp.registry import ALL_RULES
from bot_bottle.dlp.rule import Find, Rule
from bot_bottle.dlp.spans import FOLLOWED

ALONE = [
    (rule, recipe)
    for rule in ALL_RULES
    for recipe in rule.positives
    if rule.find is Find.ANYWHERE
    and rule.rank >= 50
    and not rule.keywords
    and not rule.group
    and rule.name not in FOLLOWED
]
"""Formats that are known by their own look, but for blocks: one that is cut off goes on with what follows."""


def drawn(pair: tuple[Rule, str], seed: int) -> tuple[Rule, sample.Sample]:
    return pair[0], sample.make(pair[1], random.Random(seed))


def itself(pair: tuple[Rule, sample.Sample]) -> bool:
    """One in some thousand draws reads like a word, and is refused as such wherever it stands."""
    return found(pair[1].secret, pair[1].secret)


def found(text: bytes, secret: bytes) -> bool:
    """Whether a hit covers *secret* exactly, wherever it stands in *text*."""
    at = text.index(secret)
    return any((hit.start, hit.end) == (at, at + len(secret)) for hit in Patterns.default().scan(text))


ONE = st.builds(drawn, st.sampled_from(ALONE), st.integers(0, 2**32)).filter(itself)


@given(ONE, st.binary(max_size=60), st.binary(max_size=60))
def test_in_random_bytes(pair: tuple[object, sample.Sample], before: bytes, after: bytes) -> None:
    made = pair[1]
    text = before.replace(made.secret, b"") + b"\n" + made.secret + b"\n" + after
    assert found(text, made.secret)


@given(ONE, st.text(max_size=40), st.integers(1, 2))
def test_in_json(pair: tuple[object, sample.Sample], beside: str, depth: int) -> None:
    """Also in JSON in JSON: the escapes before it are seen through."""
    secret = pair[1].secret.decode("latin-1")
    if any(character in secret for character in '\n"\\'):
        return
    value = json.dumps({"a": beside, "text": f"line\n{secret}\nline"})
    for _ in range(depth - 1):
        value = json.dumps({"body": value})
    assert found(value.encode(), secret.encode())


@given(ONE)
def test_in_a_shell_line_and_a_url(pair: tuple[object, sample.Sample]) -> None:
    secret = pair[1].secret.decode("latin-1")
    if "\n" in secret:
        return
    assert found(
        f"curl -H {shlex.quote('Authorization: Bearer ' + secret)} https://host/".encode(), secret.encode()
    )
    if quote(secret, safe="-._~") == secret:
        assert found(f"GET /path?first=1&value={secret}&last=2 HTTP/1.1".encode(), secret.encode())


@given(st.binary(max_size=400))
def test_any_bytes(text: bytes) -> None:
    """Hits lie in the text, in order, and do not claim the same bytes."""
    end = 0
    for hit in Patterns.default().scan(text):
        assert end <= hit.start < hit.end <= len(text)
        end = hit.end


@given(ONE, ONE, st.sampled_from([b" ", b"\n", b",", b'","', b"\\n"]))
def test_two_of_them(
    first: tuple[object, sample.Sample], second: tuple[object, sample.Sample], between: bytes
) -> None:
    text = first[1].secret + between + second[1].secret
    starts = {hit.start for hit in Patterns.default().scan(text)}
    assert {0, len(first[1].secret) + len(between)} <= starts
