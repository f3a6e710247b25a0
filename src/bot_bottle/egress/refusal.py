"""How a refusal is written: status and body in our shape, or in the API's own on a provider's host (ruling 5)."""

from __future__ import annotations

import json

from bot_bottle.egress.request import RequestIdentity
from bot_bottle.egress.verdict import Deny


def refusal_headers(deny: Deny) -> tuple[tuple[str, str], ...]:
    """``Content-Type`` and ``x-bot-bottle: blocked``; length, connection and the launch nonce are the proxy's."""
    return (("Content-Type", "application/json"), ("x-bot-bottle", "blocked"))


def refusal_body(deny: Deny, identity: RequestIdentity | None = None) -> bytes:
    """The JSON body. *identity* None: the request has none (it could not be read)."""
    return json.dumps({"error": deny.code, "reason": deny.reason}).encode()
