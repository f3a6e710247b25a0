"""A refusal is told in our shape, or in the API's own on a provider's host."""

from __future__ import annotations

import json

import pytest

from bot_bottle.egress.refusal import refusal_body, refusal_headers
from bot_bottle.egress.request import RequestIdentity
from bot_bottle.egress.verdict import Deny, Hint

IDENTITY = RequestIdentity(
    "https", "a.example", 443, "POST", "/x", "secret=1", (("Authorization", "secret"),)
)
FACTS = {
    "reason": "egress: route: no",
    "host": "a.example",
    "method": "POST",
    "path": "/x",
    "hint": Hint.ASK.value,
}
DENY = Deny(403, "egress: route: no", Hint.ASK)


def test_our_shape() -> None:
    """The fields of egress.md section 3."""
    assert json.loads(refusal_body(DENY, IDENTITY)) == {"error": "egress_blocked", **FACTS}
    assert dict(refusal_headers(DENY)) == {"Content-Type": "application/json", "x-bot-bottle": "blocked"}


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "invalid_request_error"), (404, "not_found_error"), (403, "permission_error"), (502, "api_error")],
)
def test_anthropic_shape(status: int, kind: str) -> None:
    """``type: error``, ours inside ``error``, and nothing beside it (ruling 5)."""
    body = json.loads(refusal_body(Deny(status, "egress: route: no", Hint.ASK, provider="claude"), IDENTITY))
    assert set(body) == {"type", "error"}
    assert body["type"] == "error"
    message = f"egress: route: no ({Hint.ASK.value})"
    assert body["error"] == {"type": kind, "message": message, "code": "egress_blocked", **FACTS}


@pytest.mark.parametrize(("status", "kind"), [(400, "invalid_request_error"), (502, "server_error")])
def test_openai_shape(status: int, kind: str) -> None:
    """The other providers speak OpenAI's shape."""
    body = json.loads(refusal_body(Deny(status, "egress: route: no", provider="codex"), IDENTITY))
    assert set(body) == {"error"}
    assert body["error"]["type"] == kind
    assert body["error"]["message"] == "egress: route: no"
    assert body["error"]["param"] is None
    assert body["error"]["code"] == "egress_blocked"


def test_provider_headers() -> None:
    """Their clients give up after one try."""
    assert ("x-should-retry", "false") in refusal_headers(Deny(400, "x", provider="claude"))
    assert ("x-bot-bottle", "blocked") in refusal_headers(Deny(400, "x", provider="claude"))


@pytest.mark.parametrize("provider", [None, "claude", "codex"])
def test_nothing_of_the_clients_values(provider: str | None) -> None:
    """Neither query nor field values stand in a body, with or without an identity."""
    deny = Deny(400, "egress: target: x", Hint.MALFORMED, provider=provider)
    assert b"secret" not in refusal_body(deny, IDENTITY)
    body = json.loads(refusal_body(deny))
    facts = body if provider is None else body["error"]
    assert (facts["host"], facts["method"], facts["path"]) == (None, None, None)
