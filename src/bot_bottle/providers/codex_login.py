"""Codex's ``auth.json``: what of the host's is used, and the one without a credential for the bottle. Pure.

The host's file belongs to the operator, yet nothing is taken for granted: whatever is not as expected is an
error that says how to sign in again, never a traceback, and no value is in a message.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass

from bot_bottle.providers.contract import PLACEHOLDER, ProviderError

TOKEN_VARIABLE = "BOT_BOTTLE_CODEX_HOST_ACCESS_TOKEN"  # noqa: S105 - a name
ACCOUNT_VARIABLE = "BOT_BOTTLE_CODEX_HOST_ACCOUNT_ID"
PLAN_VARIABLE = "BOT_BOTTLE_CODEX_HOST_PLAN"
"""Names under which a plan refers to what is in the host's file."""

MAX_TOKEN_CHARS = 16 * 1024
"""A ChatGPT access token has about 2,000; servers take header fields of 16 KB at most."""

_CLAIMS = "https://api.openai.com/auth"
_NEVER = 4_102_444_800
"""2100-01-01: the client asks for another token when this one seems to have run out."""

_SIGN_IN = "sign in on this host with 'codex login'"


@dataclass(frozen=True)
class CodexLogin:
    """A ChatGPT login of the host's."""

    access_token: str
    account: str
    plan: str = "plus"
    """which models the client offers"""

    def __repr__(self) -> str:
        return f"CodexLogin(account={self.account!r})"

    def variables(self) -> dict[str, str]:
        """As host variables, for the plan and its slots."""
        return {
            TOKEN_VARIABLE: self.access_token,
            ACCOUNT_VARIABLE: self.account,
            PLAN_VARIABLE: self.plan,
        }


def parse_login(data: bytes) -> CodexLogin:
    """The login in the host's ``auth.json``. Raises :class:`ProviderError` with a hint how to sign in."""
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError):
        raise ProviderError(f"it is no JSON: {_SIGN_IN}") from None
    tokens = whole.get("tokens") if isinstance(whole, dict) else None
    if not isinstance(tokens, dict):
        raise ProviderError(f"it holds no ChatGPT login: {_SIGN_IN}, or name an API key in auth_token")
    token, account = tokens.get("access_token"), tokens.get("account_id")
    claims = _claims(tokens.get("id_token"))
    account = account or claims.get("chatgpt_account_id")
    if not _is_plain(token, MAX_TOKEN_CHARS):
        raise ProviderError(f"it holds no usable access token: {_SIGN_IN}")
    if not _is_plain(account, 128):
        raise ProviderError(f"it names no account: {_SIGN_IN}")
    assert isinstance(token, str) and isinstance(account, str)
    plan = claims.get("chatgpt_plan_type")
    if not (isinstance(plan, str) and plan.isascii() and plan.isidentifier() and len(plan) <= 32):
        return CodexLogin(token, account)
    return CodexLogin(token, account, plan)


def guest_login(account: str, plan: str) -> bytes:
    """An ``auth.json`` that the client takes for a ChatGPT login, with tokens that nobody signed.

    The account's identifier is the real one, since the client looks for it in what the service answers; it
    opens nothing without the token.
    """
    claims = {
        "exp": _NEVER,
        "email": "placeholder@bot-bottle.invalid",
        _CLAIMS: {
            "chatgpt_account_id": account,
            "chatgpt_user_id": "placeholder",
            "chatgpt_plan_type": plan,
        },
    }
    token = _unsigned(claims)
    login = {
        "auth_mode": "chatgpt",
        "OPENAI_API_KEY": None,
        "tokens": {
            "id_token": token,
            "access_token": token,
            "refresh_token": PLACEHOLDER,
            "account_id": account,
        },
        "last_refresh": "2099-01-01T00:00:00Z",  # else the client asks for another token after 8 days
    }
    return (json.dumps(login, indent=2) + "\n").encode()


def guest_key() -> bytes:
    """An ``auth.json`` that the client takes for an API key's login."""
    return (json.dumps({"auth_mode": "apikey", "OPENAI_API_KEY": PLACEHOLDER}, indent=2) + "\n").encode()


def _is_plain(value: object, limit: int) -> bool:
    """Whether *value* can stand in a header field."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= limit
        and value.isascii()
        and value.isprintable()
        and " " not in value
    )


def _claims(token: object) -> Mapping[str, object]:
    """OpenAI's claims in a JWT, unverified: whose file it is, its owner knows. Empty where there are none."""
    parts = token.split(".") if isinstance(token, str) and len(token) <= MAX_TOKEN_CHARS else []
    if len(parts) != 3:
        return {}
    try:
        body = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return {}
    found = body.get(_CLAIMS) if isinstance(body, dict) else None
    return found if isinstance(found, dict) else {}


def _unsigned(claims: Mapping[str, object]) -> str:
    """A JWT by form (RFC 7519) whose signature is a word. Its parts begin with a space of JSON's, so that it
    does not look like a token to those who search for ``eyJ``."""
    return ".".join((_part({"alg": "none", "typ": "JWT"}), _part(claims), "placeholder"))


def _part(value: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode((" " + json.dumps(value)).encode()).rstrip(b"=").decode("ascii")
