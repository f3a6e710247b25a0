"""What stands for a credential is none; what is one stays one whatever is put beside it."""

from __future__ import annotations

import random

import pytest

from bot_bottle.dlp import sample
from bot_bottle.dlp.patterns import Patterns
from bot_bottle.dlp.placeholder import PUBLISHED, is_placeholder
from bot_bottle.providers.contract import PLACEHOLDER

STAND_INS = [
    b"x" * 40,
    b"*" * 20,
    b"0" * 32,
    b"your-token",
    b"your_api_key_here",
    b"<your-token>",
    b"${TOKEN}",
    b"{{ token }}",
    b"$(cat token)",
    b"%(token)s",
    b"changeme",
    b"CHANGE_ME_PLEASE",
    b"insert-your-key-here",
    b"my-secret-token",
    b"1234567890abcdef",
    b"abcdefghijklmnopqrstuvwxyz",
    b"0123456789abcdef0123456789abcdef",
    b"deadbeefdeadbeef",
    b"qwertyuiopasdfgh",
    b"abcabcabcabcabcabc",
    b"process.env.GITHUB_TOKEN",
    b"os.environ['TOKEN']",
    b"secrets.DEPLOY_KEY",
    b"env:DEPLOY_TOKEN",
    b"op://vault/item/field",
    b"xxxxxxxxxxxxxxxxxx-example",
    b"AKIAIOSFODNN7EXAMPLE",
    b"test_token_example_only",
    b"REDACTED",
    b"...",
    b"sk-...",
]


@pytest.mark.parametrize("value", STAND_INS)
def test_a_stand_in_is_none(value: bytes) -> None:
    assert is_placeholder(value)


@pytest.mark.parametrize("alphabet", ["b62", "hex", "b36", "b64u", "b32", "B36"])
@pytest.mark.parametrize("size", [16, 20, 32, 40, 64])
def test_what_is_drawn_by_chance_is_no_placeholder(alphabet: str, size: int) -> None:
    source = random.Random(f"{alphabet} {size}")
    values = [sample.make(f"{{{alphabet}:{size}}}", source).text for _ in range(300)]
    assert sum(map(is_placeholder, values)) <= 1


def test_what_bot_bottle_gives_to_agents_is_a_placeholder() -> None:
    assert PLACEHOLDER.encode() in PUBLISHED
    assert Patterns.default().scan(b"ANTHROPIC_API_KEY=" + PLACEHOLDER.encode()) == []


@pytest.mark.parametrize(
    "text",
    [
        "{token}",
        "example {token} example",
        "{token}example",
        "{token}EXAMPLE",
        "{token}-your-token-here",
        "EXAMPLE={token}",
        "placeholder: {token}",
        "# replace <your-token> with {token}",
        "${{X:-{token}}}",
        "xxxxxxxx {token} xxxxxxxx",
    ],
)
@pytest.mark.parametrize("recipe", ["ghp_{b62:30}{crc62}", "AKIA{b32:16}", "xoxb-{dig:12}-{dig:13}-{b62:24}"])
def test_only_the_value_itself_counts(text: str, recipe: str) -> None:
    """No word beside a credential, or right behind it, makes it go unseen."""
    token = sample.make(recipe, random.Random(text)).text
    at = text.format(token="\0").encode().index(b"\0")
    found = Patterns.default().scan(text.format(token=token.decode()).encode())
    assert any(hit.start <= at and hit.end >= at + len(token) for hit in found)
