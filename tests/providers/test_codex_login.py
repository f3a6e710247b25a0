"""Invariant: whatever lies in the host's ``auth.json``, it is a login or one of our errors, without a value."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.providers.codex_login import CodexLogin, guest_login, parse_login
from bot_bottle.providers.contract import PLACEHOLDER, ProviderError

TOKEN = "access-token-made-for-this-test"


def jwt(claims: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{body}.c2ln"


def stored(**tokens: object) -> bytes:
    return json.dumps({"auth_mode": "chatgpt", "tokens": {"access_token": TOKEN, **tokens}}).encode()


OF_ACCOUNT = jwt({"https://api.openai.com/auth": {"chatgpt_account_id": "acct", "chatgpt_plan_type": "pro"}})


@pytest.mark.parametrize(
    ("data", "login"),
    [
        (stored(account_id="acct"), CodexLogin(TOKEN, "acct")),
        (stored(id_token=OF_ACCOUNT), CodexLogin(TOKEN, "acct", "pro")),
        (stored(account_id="other", id_token=OF_ACCOUNT), CodexLogin(TOKEN, "other", "pro")),
        (stored(account_id="acct", id_token="x.y"), CodexLogin(TOKEN, "acct")),
        (stored(account_id="acct", id_token="x.!!!.z"), CodexLogin(TOKEN, "acct")),
        (stored(account_id="acct", id_token=jwt([])), CodexLogin(TOKEN, "acct")),
        (
            stored(
                account_id="acct",
                id_token=jwt({"https://api.openai.com/auth": {"chatgpt_plan_type": "a b\n"}}),
            ),
            CodexLogin(TOKEN, "acct"),
        ),
    ],
)
def test_logins(data: bytes, login: CodexLogin) -> None:
    """The account is the file's, else the token's own claim; an odd plan is left out."""
    assert parse_login(data) == login


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b"\xff",
        b"[]",
        b"null",
        b'{"OPENAI_API_KEY": "x"}',
        b'{"tokens": []}',
        stored(),
        stored(account_id=""),
        stored(account_id="a\r\nx: y"),
        stored(account_id="a" * 129),
        stored(account_id=7),
        stored(account_id="acct", access_token=""),
        stored(account_id="acct", access_token=7),
        stored(account_id="acct", access_token=f"{TOKEN}\n"),
        stored(account_id="acct", access_token="t" * 20_000),
    ],
    ids=lambda data: repr(data[:40]),
)
def test_what_is_none(data: bytes) -> None:
    with pytest.raises(ProviderError, match="codex login") as caught:
        parse_login(data)
    assert TOKEN not in str(caught.value)


values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just(OF_ACCOUNT),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["tokens", "access_token", "id_token", "account_id", "x"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(values.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))
def test_anything(data: bytes) -> None:
    try:
        login = parse_login(data)
    except ProviderError:
        return
    for value in login.variables().values():
        assert value and value.isascii() and value.isprintable() and " " not in value


def test_the_guests_file() -> None:
    """It has the shape of a login that never runs out, no credential, and nothing that looks like a token."""
    text = guest_login("acct", "pro").decode()
    login = json.loads(text)
    assert login["tokens"]["refresh_token"] == PLACEHOLDER
    assert "eyJ" not in text
    for name in ("id_token", "access_token"):
        header, claims, signature = login["tokens"][name].split(".")
        assert signature == "placeholder"
        assert json.loads(base64.urlsafe_b64decode(header + "=="))["alg"] == "none"
        found = json.loads(base64.urlsafe_b64decode(claims + "=="))
        assert found["exp"] > 4_000_000_000
        assert found["https://api.openai.com/auth"]["chatgpt_account_id"] == "acct"
    assert parse_login(text.encode()) == CodexLogin(login["tokens"]["access_token"], "acct", "pro")


def test_a_login_is_not_shown() -> None:
    assert TOKEN not in repr(CodexLogin(TOKEN, "acct"))
