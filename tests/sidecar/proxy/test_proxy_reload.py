"""A new policy is in force at once; what it forbids ends, everything else goes on."""

from __future__ import annotations

import threading

import pytest

from bot_bottle.egress.codec import policy_version
from bot_bottle.egress.config import ConfigError
from bot_bottle.sidecar.proxy.write import CredentialError
from bot_bottle.testing.upstream import FakeUpstream

A, B = "a.example.com", "b.example.com"


def policy(*hosts: str, more: str = "") -> str:
    return "log: 1\nroutes:\n" + "".join(f"  - host: {host}\n{more}" for host in hosts)


@pytest.fixture
def streaming():
    """An upstream whose responses go on until the test lets them end."""
    go = threading.Event()

    def stream(request, connection):
        if request.target == "/quick":
            connection.reply(200, b"quick")
            return
        connection.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"
        )
        go.wait(10)
        connection.send(b"4\r\nlast\r\n0\r\n\r\n")

    with FakeUpstream(responder=stream) as fake:
        fake.go = go
        yield fake
        go.set()


def opened(proxy, host: str, target: str = "/stream"):
    client = proxy.tls(host)
    client.send(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    return client


def test_flows_of_a_revoked_route_end_and_others_go_on(run_proxy, streaming, to):
    """Threats A13: a stream, and an idle keep-alive connection."""
    proxy = run_proxy(policy(A, B), upstream=streaming, connect_to=to(streaming, (A, 443), (B, 443)))
    doomed, kept = opened(proxy, A), opened(proxy, B)
    idle_doomed, idle_kept = opened(proxy, A, "/quick"), opened(proxy, B, "/quick")
    assert idle_doomed.answer().status == idle_kept.answer().status == 200
    for client in (doomed, kept):
        client.read_until(b"first\r\n")
    version = proxy.reload(policy(B))
    assert version == policy_version(policy(B)) == proxy.server.version
    assert b"0\r\n\r\n" not in doomed.read_all()
    assert idle_doomed.is_closed()
    streaming.go.set()
    assert b"last" in kept.read_until(b"0\r\n\r\n")
    idle_kept.send(f"GET /quick HTTP/1.1\r\nHost: {B}\r\n\r\n".encode())
    assert idle_kept.answer().status == 200
    again = opened(proxy, A)
    assert again.answer().status == 403


def test_a_narrower_match_ends_what_it_no_longer_covers(run_proxy, streaming, to):
    proxy = run_proxy(policy(A), upstream=streaming, connect_to=to(streaming, (A, 443)))
    doomed = opened(proxy, A)
    doomed.read_until(b"first\r\n")
    proxy.reload(policy(A, more="    matches: [{paths: [{value: /quick}]}]\n"))
    assert b"0\r\n\r\n" not in doomed.read_all()


def test_a_new_route_is_open_for_a_connection_that_was_refused(run_proxy, streaming, to):
    proxy = run_proxy(policy(B), upstream=streaming, connect_to=to(streaming, (A, 443)))
    client = opened(proxy, A, "/quick")
    assert client.answer().status == 403
    proxy.reload(policy(A, B))
    client.send(f"GET /quick HTTP/1.1\r\nHost: {A}\r\n\r\n".encode())
    assert client.answer().status == 200


@pytest.mark.parametrize(
    "text",
    [
        "routes: [",
        "routes: {}",
        "routes:\n  - host: a.example.com\n    unknown: 1\n",
        "routes:\n  - host: a.example.com\n  - host: a.example.com\n",
        "routes:\n  - host: a.example.com\n    matches: [{paths: [{type: regex, value: '('}]}]\n",
    ],
)
def test_a_file_that_does_not_parse_keeps_the_last_good_routes(run_proxy, streaming, to, text):
    """And says why in the log; flows in progress are not touched."""
    proxy = run_proxy(policy(A), upstream=streaming, connect_to=to(streaming, (A, 443)))
    client = opened(proxy, A)
    client.read_until(b"first\r\n")
    before = proxy.server.version
    with pytest.raises(Exception) as raised:
        proxy.reload(text)
    assert proxy.server.version == before
    (record,) = [r for r in proxy.records() if r["event"] == "egress_reload_failed"]
    assert record["reason"] == str(raised.value)
    streaming.go.set()
    client.read_until(b"0\r\n\r\n")
    again = opened(proxy, A, "/quick")
    assert again.answer().status == 200


CREDENTIAL = "    auth_scheme: Bearer\n    token_env: EGRESS_TOKEN_7\n"


def test_a_policy_whose_slot_has_no_value_is_not_taken(run_proxy, upstream, to):
    """Never forwarded without: neither at the start nor at a reload."""
    with pytest.raises(CredentialError, match="EGRESS_TOKEN_7"):
        run_proxy(policy(A, more=CREDENTIAL))
    proxy = run_proxy(policy(A), upstream=upstream, connect_to=to(upstream, (A, 443)))
    with pytest.raises(CredentialError, match="EGRESS_TOKEN_7"):
        proxy.reload(policy(A, more=CREDENTIAL))


@pytest.mark.parametrize("value", ["", "line\nend", "nul\0", "non-ascii-\xe9", "cr\r"])
def test_a_value_that_no_header_can_carry_is_not_taken(run_proxy, value):
    """A line end in a credential would be a header of its own."""
    with pytest.raises(CredentialError) as raised:
        run_proxy(policy(A, more=CREDENTIAL), tokens={"EGRESS_TOKEN_7": value})
    assert not value or value not in str(raised.value)


def test_a_policy_that_is_no_policy_does_not_start(run_proxy):
    with pytest.raises(ConfigError):
        run_proxy("routes:\n  - hosts: a\n")


def test_log_levels_follow_the_policy(run_proxy):
    """Level 0 writes no block; a reload changes it."""
    proxy = run_proxy("log: 0\nroutes: []\n")
    assert opened(proxy, A).answer().status == 403
    assert proxy.records() == []
    proxy.reload("log: 1\nroutes: []\n")
    assert opened(proxy, A).answer().status == 403
    assert [r["event"] for r in proxy.records()] == ["egress_reloaded", "egress_block"]
