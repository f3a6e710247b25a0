"""A secret shows itself nowhere; an identity is safe as a path."""

from __future__ import annotations

import copy
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.base.ids import BadIdentity, mint_identity, mint_nonce, parse_identity, slug
from bot_bottle.base.secret import Secret


def test_secret_is_hidden() -> None:
    """No repr, str, format or container shows it; it can't be pickled, copied, hashed or encoded."""
    secret = Secret("value-of-it")
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret:>40}", f"{[secret]}", "%s" % secret):  # noqa: UP031
        assert "value-of-it" not in shown
    for act in (pickle.dumps, copy.copy, copy.deepcopy, hash, json.dumps):
        with pytest.raises(TypeError) as caught:
            act(secret)
        assert "value-of-it" not in str(caught.value)
    assert not hasattr(secret, "__dict__")
    assert secret.reveal() == "value-of-it"


def test_secret_equality() -> None:
    """Equal by value, to secrets only."""
    assert Secret("\u00e4") == Secret("\u00e4")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len(Secret("abc")) == 3


@pytest.mark.parametrize("text", ["a", "dev-abc12", "0-0", "a" * 40])
def test_identity(text: str) -> None:
    """What is one."""
    assert parse_identity(text) == text


@pytest.mark.parametrize("text", ["", "-a", "a-", "A", "a_b", "a/b", "..", "a" * 41, "a\n", "\u00e4", "a b"])
def test_no_identity(text: str) -> None:
    """What never becomes part of a path."""
    with pytest.raises(BadIdentity):
        parse_identity(text)


@given(st.text(max_size=100))
def test_minted(name: str) -> None:
    """Any name gives an identity and a slug that is one or empty."""
    assert parse_identity(mint_identity(name))
    assert slug(name) == "" or parse_identity(slug(name))
    assert slug(slug(name)) == slug(name)


def test_nonce() -> None:
    """32 hexadecimal digits, another one each time."""
    assert len(mint_nonce()) == 32 and int(mint_nonce(), 16) >= 0
    assert mint_nonce() != mint_nonce()
