"""An injected account's name is no secret: it goes and comes as it is, beside the token that is one."""

from __future__ import annotations

import json

from bot_bottle.testing.upstream import FakeUpstream

HOST = "chatgpt.com"
TOKEN = "token-made-for-this-test-of-the-operator"
ACCOUNT = "acct_8f1c2e74b9d0"
POLICY = f"""
routes:
  - host: {HOST}
    provider: codex
    auth:
      - {{scheme: Bearer, token_env: EGRESS_TOKEN_0}}
      - {{scheme: raw, header: chatgpt-account-id, token_env: EGRESS_TOKEN_1}}
"""


def test_an_account_is_found_again_in_an_answer(run_proxy, to) -> None:
    """The client compares it; the token that stands beside it is covered."""

    def answer(request, connection) -> None:
        body = {"id": request.header("chatgpt-account-id"), "token": request.header("authorization")}
        connection.reply(200, json.dumps(body).encode(), [("Content-Type", "application/json")])

    with FakeUpstream(answer) as upstream:
        tokens = {"EGRESS_TOKEN_0": TOKEN, "EGRESS_TOKEN_1": ACCOUNT}
        proxy = run_proxy(POLICY, upstream=upstream, connect_to=to(upstream, (HOST, 443)), tokens=tokens)
        client = proxy.tls(HOST)
        body = f"I am {ACCOUNT}".encode()
        head = f"POST /x HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {len(body)}\r\n\r\n"
        client.send(head.encode() + body)
        told = client.answer().json()
    assert told == {"id": ACCOUNT, "token": f"Bearer {'*' * len(TOKEN)}"}
    assert upstream.requests[0].body == body
