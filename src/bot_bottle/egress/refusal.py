"""How a refusal is written: in our shape, or in the API's own on a provider's host (ruling 5).

Not how it is sent: length, connection, the launch nonce and an empty body for HEAD are the proxy's.
"""

from __future__ import annotations

import json

from bot_bottle.egress.request import RequestIdentity
from bot_bottle.egress.verdict import Deny

_ANTHROPIC_TYPES = {400: "invalid_request_error", 404: "not_found_error", 403: "permission_error"}
"""https://docs.claude.com/en/api/errors; other statuses: ``api_error``"""


def refusal_headers(deny: Deny) -> tuple[tuple[str, str], ...]:
    """``Content-Type`` and ``x-bot-bottle: blocked``; on a provider's host also the header by which its
    clients give up after one try."""
    fixed = (("Content-Type", "application/json"), ("x-bot-bottle", "blocked"))
    return fixed if deny.provider is None else (*fixed, ("x-should-retry", "false"))


def hint_text(deny: Deny) -> str:
    """The hint's sentence, with what belongs to this one case."""
    return f"{deny.hint.value} ({deny.detail})" if deny.detail else deny.hint.value


def refusal_body(deny: Deny, identity: RequestIdentity | None = None) -> bytes:
    """The JSON body. *identity* None: the request has none (it could not be read)."""
    facts: dict[str, object] = {
        "reason": deny.reason,
        "host": None if identity is None else identity.host,
        "method": None if identity is None else identity.method,
        "path": None if identity is None else identity.path,
        "hint": hint_text(deny),
    }
    message = f"{deny.reason} ({hint_text(deny)})" if deny.hint else deny.reason
    body: dict[str, object]
    if deny.provider is None:
        body = {"error": deny.code, **facts}
    elif deny.provider == "claude":
        kind = _ANTHROPIC_TYPES.get(deny.status, "api_error")
        body = {"type": "error", "error": {"type": kind, "message": message, "code": deny.code, **facts}}
    else:
        kind = "invalid_request_error" if deny.status < 500 else "server_error"
        body = {"error": {"message": message, "type": kind, "param": None, "code": deny.code, **facts}}
    return json.dumps(body).encode("ascii")
