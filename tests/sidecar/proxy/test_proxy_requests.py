"""Requests through a whole proxy, judged by what the upstream received."""

from __future__ import annotations

import pytest

from bot_bottle.testing.upstream import FakeUpstream, RecordedRequest, UpstreamConnection

API = "api.example.com"
POLICY = f"""
log: 1
routes:
  - host: {API}
    auth_scheme: Bearer
    token_env: EGRESS_TOKEN_0
    matches: [{{paths: [{{value: /v1}}]}}]
  - host: plain.example.com
"""
TOKENS = {"EGRESS_TOKEN_0": "s3cr3t-t0k3n-value"}


def to(fake: FakeUpstream, *pairs: tuple[str, int]):
    return {pair: (fake.address, fake.port) for pair in pairs}


def test_an_allowed_request_goes_upstream_with_the_credential_of_its_route(run_proxy, upstream):
    """The client's own credential is dropped, the slot's value set, SNI and Host are the name."""
    proxy = run_proxy(POLICY, upstream=upstream, tokens=TOKENS, connect_to=to(upstream, (API, 443)))
    client = proxy.tls(API)
    client.send(
        b"GET /v1/models?limit=2 HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer attacker\r\n"
        b"Accept: */*\r\n\r\n"
    )
    answer = client.answer()
    assert (answer.status, answer.body) == (200, b"hello")
    (seen,) = upstream.requests
    assert (seen.method, seen.target, seen.sni) == ("GET", "/v1/models?limit=2", API)
    assert seen.all("authorization") == ["Bearer s3cr3t-t0k3n-value"]
    assert seen.headers[0] == ("Host", API)
    assert b"attacker" not in upstream.raw


def test_a_refusal_is_given_inside_tls_and_nothing_reaches_the_upstream(run_proxy, upstream):
    """No route, no way out: the reason can be read, no connection is made."""
    proxy = run_proxy(
        POLICY, upstream=upstream, tokens=TOKENS, connect_to=to(upstream, ("evil.example", 443))
    )
    client = proxy.tls("evil.example")
    client.send(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")
    answer = client.answer()
    assert answer.status == 403
    assert answer.headers["x-bot-bottle"] == "blocked"
    assert answer.headers["x-bot-bottle-launch"] == "n0nce"
    assert answer.reason.startswith("egress: route")
    assert upstream.accepted == 0
    (record,) = [r for r in proxy.records() if r["event"] == "egress_block"]
    assert (record["host"], record["method"], record["path"]) == ("evil.example", "GET", "/")
