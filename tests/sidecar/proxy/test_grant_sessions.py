"""No session where only listed fields pass: neither do the client's cookies go up nor an answer's come down."""

from __future__ import annotations

import pytest

from bot_bottle.testing.upstream import FakeUpstream, RecordedRequest, UpstreamConnection

POLICY = """
routes:
  - {host: ours.example, auth_scheme: Bearer, token_env: T}
  - {host: listed.example, headers: false}
  - {host: named.example, auth_scheme: Bearer, token_env: T, headers: [Cookie]}
  - {host: plain.example}
"""
HOSTS = ("ours.example", "listed.example", "named.example", "plain.example")


def opens_a_session(request: RecordedRequest, connection: UpstreamConnection) -> None:
    cookies = [("Set-Cookie", "account=other; Secure"), ("set-cookie", "b=2"), ("SET-COOKIE2", "c=3")]
    connection.reply(200, b"hello", [*cookies, ("X-Other", "stays")])


@pytest.mark.parametrize(
    ("host", "kept"),
    [("ours.example", False), ("listed.example", False), ("named.example", True), ("plain.example", True)],
)
def test_cookies(run_proxy, to, host, kept):
    """The upstream's record and the client's answer agree; ``headers: [Cookie]`` is the operator's own word."""
    with FakeUpstream(opens_a_session) as upstream:
        pairs = [(name, 443) for name in HOSTS]
        proxy = run_proxy(POLICY, upstream=upstream, tokens={"T": "v4lue"}, connect_to=to(upstream, *pairs))
        client = proxy.tls(host)
        client.send(f"GET / HTTP/1.1\r\nHost: {host}\r\nCookie: account=other\r\n\r\n".encode())
        answer = client.answer()
        assert (answer.status, answer.headers["x-other"]) == (200, "stays")
        assert (b"account=other" in answer.head) is kept
        assert (b"set-cookie" in answer.head.lower()) is kept
        assert upstream.requests[0].all("cookie") == (["account=other"] if kept else [])
