"""Requests through a whole proxy, judged by what the upstream received."""

from __future__ import annotations

import ssl

import pytest

from bot_bottle.testing.upstream import FakeUpstream

API = "api.example.com"
PLAIN = "plain.example.com"
POLICY = f"""
log: 1
routes:
  - host: {API}
    auth_scheme: Bearer
    token_env: EGRESS_TOKEN_0
    matches: [{{paths: [{{value: /v1}}]}}]
  - host: raw.example.com
    auth: [{{scheme: raw, header: x-api-key, token_env: EGRESS_TOKEN_0}}]
  - host: {PLAIN}
  - host: "*.wild.example"
  - host: other.example.com
    ports: [8443]
"""
TOKENS = {"EGRESS_TOKEN_0": "s3cr3t-t0k3n-value"}


@pytest.fixture
def proxy(run_proxy, upstream, to):
    pairs = [(name, 443) for name in (API, "raw.example.com", PLAIN, "a.wild.example", "evil.example")]
    return run_proxy(POLICY, upstream=upstream, tokens=TOKENS, connect_to=to(upstream, *pairs))


@pytest.fixture
def plain_proxy(run_proxy, plain_upstream, to):
    return run_proxy(POLICY, tokens=TOKENS, connect_to=to(plain_upstream, (PLAIN, 80), (API, 80)))


def test_an_allowed_request_goes_upstream_with_the_credential_of_its_route(proxy, upstream):
    """The client's own credential is dropped, the slot's value set, SNI and Host are the name."""
    client = proxy.tls(API)
    client.send(
        b"GET /v1/models?limit=2 HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer attacker\r\n"
        b"Proxy-Authorization: Basic YXR0YWNrZXI6eA==\r\nCookie: attacker=1\r\nAccept: */*\r\n\r\n"
    )
    answer = client.answer()
    assert (answer.status, answer.body) == (200, b"hello")
    (seen,) = upstream.requests
    assert (seen.method, seen.target, seen.sni) == ("GET", "/v1/models?limit=2", API)
    assert seen.all("authorization") == ["Bearer s3cr3t-t0k3n-value"]
    assert seen.headers[0] == ("Host", API)
    assert b"attacker" not in upstream.raw


def test_a_raw_credential_replaces_the_clients_header(proxy, upstream):
    """``x-api-key`` is ours and stands once; ``Authorization`` of the client is gone."""
    client = proxy.tls("raw.example.com")
    client.send(
        b"GET / HTTP/1.1\r\nHost: raw.example.com\r\nX-API-Key: attacker\r\nAuthorization: attacker\r\n\r\n"
    )
    assert client.answer().status == 200
    (seen,) = upstream.requests
    assert seen.all("x-api-key") == ["s3cr3t-t0k3n-value"]
    assert seen.all("authorization") == []


def test_credentials_belong_to_their_host(proxy, upstream):
    """Another allowed host gets none; the client's own is removed there too."""
    client = proxy.tls(PLAIN)
    client.send(b"GET / HTTP/1.1\r\nHost: plain.example.com\r\nAuthorization: Bearer mine\r\n\r\n")
    assert client.answer().status == 200
    assert b"s3cr3t" not in upstream.raw
    assert upstream.requests[0].all("authorization") == []


def test_a_refusal_is_given_inside_tls_and_nothing_reaches_the_upstream(proxy, upstream):
    """No route, no way out: the reason can be read, no connection is made, the log has one record."""
    client = proxy.tls("evil.example")
    client.send(b"GET /x?token=abc HTTP/1.1\r\nHost: evil.example\r\n\r\n")
    answer = client.answer()
    assert answer.status == 403
    assert answer.headers["x-bot-bottle"] == "blocked"
    assert answer.headers["x-bot-bottle-launch"] == "n0nce"
    assert answer.reason.startswith("egress: route")
    assert upstream.accepted == 0
    (record,) = [r for r in proxy.records() if r["event"] == "egress_block"]
    assert (record["host"], record["method"], record["path"]) == ("evil.example", "GET", "/x")
    assert "abc" not in proxy.log_path.read_text()


def test_pipelined_requests_are_judged_one_by_one(proxy, upstream):
    """Allowed, denied, allowed in one segment: the denied one is answered in its place and never sent."""
    client = proxy.tls(API)
    client.send(
        b"GET /v1/a HTTP/1.1\r\nHost: api.example.com\r\n\r\n"
        b"GET /admin HTTP/1.1\r\nHost: api.example.com\r\n\r\n"
        b"GET /v1/b HTTP/1.1\r\nHost: api.example.com\r\n\r\n"
    )
    answers = [client.answer() for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 403, 200]
    assert [seen.target for seen in upstream.requests] == ["/v1/a", "/v1/b"]
    assert b"/admin" not in upstream.raw
    assert upstream.accepted == 1, "the upstream connection is reused"


def test_the_body_of_a_refused_request_is_no_request(proxy, upstream):
    """Threats D2: what follows a denied head is thrown away as its body, then the next head is judged."""
    inner = b"GET /v1/smuggled HTTP/1.1\r\nHost: api.example.com\r\n\r\n"
    client = proxy.tls(API)
    client.send(
        b"POST /admin HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: %d\r\n\r\n%b"
        b"GET /v1/b HTTP/1.1\r\nHost: api.example.com\r\n\r\n" % (len(inner), inner)
    )
    assert [client.answer().status for _ in range(2)] == [403, 200]
    assert [seen.target for seen in upstream.requests] == ["/v1/b"]


SAME_RULES = [
    ("GET", "/", PLAIN, 200),
    ("HEAD", "/", PLAIN, 200),
    ("DELETE", "/a/b", PLAIN, 200),
    ("GET", "/a/../b", PLAIN, 200),
    ("GET", "/a%2fb", PLAIN, 403),
    ("TRACE", "/", PLAIN, 403),
    ("GET", "/r.git/info/refs?service=git-receive-pack", PLAIN, 403),
    ("GET", "/r.git/info/refs?service=git-upload-pack", PLAIN, 403),
    ("GET", "/", "evil.example", 403),
    ("GET", "/", "127.0.0.1", 403),
    ("GET", "/", "plain.example.com.evil.example", 403),
    ("GET", "/v1/a", API, 403),
]


@pytest.mark.parametrize(("method", "path", "host", "status"), SAME_RULES)
def test_absolute_form_and_a_tunnel_meet_the_same_rules(
    plain_proxy, plain_upstream, method, path, host, status
):
    """Threats D5: both ways give one verdict, and the upstream sees the same bytes."""
    sent = []
    for tunnelled in (False, True):
        before = len(plain_upstream.raw)
        client = plain_proxy.tunnel(host, 80) if tunnelled else plain_proxy.connect()
        target = path if tunnelled else f"http://{host}{path}"
        client.send(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n".encode())
        assert client.answer(method=method).status == status
        sent.append(plain_upstream.raw[before:])
    assert sent[0] == sent[1]
    assert bool(sent[0]) is (status == 200)


def test_the_upstream_gets_exactly_these_bytes(plain_proxy, plain_upstream):
    """A new request: Host first, hop-by-hop and proxy fields gone, lengths ours."""
    client = plain_proxy.connect()
    client.send(
        b"POST http://PLAIN.example.com:80/a/./b HTTP/1.1\r\nX-One: 1\r\nConnection: X-Two, keep-alive\r\n"
        b"X-Two: 2\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\n"
        b"Host: plain.example.com\r\nContent-Length: 3\r\n\r\nabc"
    )
    assert client.answer().status == 200
    assert plain_upstream.raw == (
        b"POST /a/b HTTP/1.1\r\nHost: plain.example.com\r\nX-One: 1\r\nContent-Length: 3\r\n\r\nabc"
    )


def test_http_to_a_credentialed_route_is_refused_never_sent_without(plain_proxy, plain_upstream):
    """Ruling 63: 403, not a request without the credential."""
    client = plain_proxy.connect()
    client.send(b"GET http://api.example.com/v1/a HTTP/1.1\r\nHost: api.example.com\r\n\r\n")
    answer = client.answer()
    assert answer.status == 403
    assert "credential" in answer.reason
    assert plain_upstream.accepted == 0


def test_one_connection_may_ask_for_several_hosts_in_absolute_form(run_proxy, to):
    """Each request goes to its own host; an upstream connection is never used for another one."""
    with FakeUpstream(tls=False) as first, FakeUpstream(tls=False) as second:
        named = to(first, (PLAIN, 80)) | to(second, ("b.wild.example", 80))
        proxy = run_proxy(POLICY, tokens=TOKENS, connect_to=named)
        client = proxy.connect()
        for host in (PLAIN, "b.wild.example", PLAIN):
            client.send(f"GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            assert client.answer().status == 200
    assert [seen.header("host") for seen in first.requests] == [PLAIN, PLAIN]
    assert [seen.header("host") for seen in second.requests] == ["b.wild.example"]


NAMES = [
    # CONNECT, SNI, Host, who is refused
    (API, PLAIN, API),
    (API, API, PLAIN),
    (API, "evil.example", API),
    ("evil.example", API, API),
    (PLAIN, "evil.example", "evil.example"),
    ("evil.example", "evil.example", API),
    (API, "a.wild.example", "a.wild.example"),
    ("a.wild.example", "b.wild.example", "a.wild.example"),
    (API, API, "api.example.com.evil.example"),
    (API, API, "api.example.com:8443"),
    (API, API, "evil.example@api.example.com"),
    (API, None, PLAIN),
]


@pytest.mark.parametrize(("connect", "sni", "host"), NAMES)
def test_names_that_disagree_are_refused_inside_tls(proxy, upstream, connect, sni, host):
    """Threats C1, C5: the leaf fits the SNI so that the refusal can be read, and nothing is dialled."""
    client = proxy.tls(connect, sni=sni)
    client.send(f"GET /v1/a HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    answer = client.answer()
    assert answer.status == 403
    assert upstream.accepted == 0


def test_without_sni_the_connect_target_names_the_host(proxy, upstream):
    """Old clients send no SNI: the certificate and the route are those of the CONNECT."""
    client = proxy.tls(API, sni=None)
    client.send(b"GET /v1/a HTTP/1.1\r\nHost: api.example.com\r\n\r\n")
    assert client.answer().status == 200
    assert upstream.requests[0].sni == API


@pytest.mark.parametrize("host", ["API.Example.COM", "api.example.com."])
def test_other_spellings_of_the_host_are_the_same_host(proxy, upstream, host):
    """One canonical identity: SNI and Host upstream are written anew."""
    client = proxy.tls(host, sni=host.rstrip("."))
    client.send(f"GET /v1/a HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert client.answer().status == 200
    assert (upstream.requests[0].sni, upstream.requests[0].header("host")) == (API, API)


def test_alpn_is_http_1_1_on_both_legs(run_proxy, to):
    """The upstream offers h2, the client asks for h2: neither gets it."""
    seen = []
    with FakeUpstream() as upstream:
        proxy = run_proxy(POLICY, upstream=upstream, tokens=TOKENS, connect_to=to(upstream, (API, 443)))
        client = proxy.tunnel(API)
        context = ssl.create_default_context(cadata=proxy.authority.ca_pem)
        context.set_alpn_protocols(["h2", "http/1.1"])
        wrapped = context.wrap_socket(client.sock, server_hostname=API)
        seen.append(wrapped.selected_alpn_protocol())
        assert wrapped.version() in ("TLSv1.2", "TLSv1.3")
        wrapped.sendall(b"GET /v1/a HTTP/1.1\r\nHost: api.example.com\r\n\r\n")
        assert wrapped.recv(100).startswith(b"HTTP/1.1 200")
        wrapped.close()
    assert seen == ["http/1.1"]
    assert upstream.requests[0].version == "HTTP/1.1"


CONNECTS = [
    (b"api.example.com:22", 403),
    (b"api.example.com:25", 403),
    (b"api.example.com:6379", 403),
    (b"api.example.com:8443", 200),  # other.example.com opens it: judged inside
    (b"evil.example:443", 200),
    (b"127.0.0.1:443", 200),
    (b"api.example.com", 403),
    (b"api.example.com:", 403),
    (b"api.example.com:0", 403),
    (b"api.example.com:99999", 403),
    (b"api.example.com:443/", 403),
    (b"http://api.example.com:443", 403),
    (b"user@api.example.com:443", 403),
    (b"api.example.com%00.evil.example:443", 403),
    (b"127.1:443", 403),
    (b"0x7f000001:443", 403),
    (b"2130706433:443", 403),
    (b"017700000001:443", 403),
    (b"[::ffff:127.0.0.1]:443", 403),
    (b"[fe80::1%25eth0]:443", 403),
    (b"/", 403),
    (b"*", 403),
]


@pytest.mark.parametrize(("target", "status"), CONNECTS)
def test_connect_is_refused_before_200_only_for_ports_that_nobody_opens_and_odd_targets(
    proxy, target, status
):
    """Ruling 63. Everything else is told inside."""
    client = proxy.connect()
    client.send(b"CONNECT " + target + b" HTTP/1.1\r\nHost: " + target + b"\r\n\r\n")
    head = client.read_until(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), head


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ((), 200),
        ((b"Host: api.example.com",), 200),
        ((b"Host: api.example.com:443",), 200),
        ((b"Host: evil.example",), 403),
        ((b"Host: api.example.com:80",), 403),
        ((b"Host: api.example.com", b"Host: api.example.com"), 403),
        ((b"Content-Length: 5",), 403),
        ((b"Content-Length: 0",), 403),
        ((b"Transfer-Encoding: chunked",), 403),
    ],
)
def test_a_connect_has_one_target_and_no_body(proxy, fields, status):
    client = proxy.connect()
    client.send(b"\r\n".join([b"CONNECT api.example.com:443 HTTP/1.1", *fields]) + b"\r\n\r\n")
    assert client.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 %d " % status)


@pytest.mark.parametrize(
    "first",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"GET / HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
        b"\x05\x01\x00",
        b"\x80\x2e\x01\x00\x02",
        b"\x00\x01\x00\x00",
        b"\x16\x03\x01\x00\x05hello",
        b"\x16garbage that is no record at all",
    ],
)
def test_what_is_neither_tls_nor_http_on_port_80_is_closed(proxy, upstream, first):
    """Threats A9: nothing opaque passes, and nothing is dialled."""
    client = proxy.tunnel(API)
    client.send(first)
    said = client.read_all()
    assert b"HTTP" not in said
    assert upstream.accepted == 0


def test_introspection_answers_what_the_file_says_and_no_secret(proxy, upstream):
    """The list can be sent back in a proposal; other paths are 404; nothing is resolved."""
    client = proxy.connect()
    client.send(b"GET http://_egress.local/allowlist HTTP/1.1\r\nHost: _egress.local\r\n\r\n")
    answer = client.answer()
    assert answer.status == 200
    assert answer.headers["x-bot-bottle-launch"] == "n0nce"
    assert answer.json()["routes"][0]["host"] == API
    assert b"s3cr3t" not in answer.body
    client.send(b"GET http://_egress.local/other HTTP/1.1\r\nHost: _egress.local\r\n\r\n")
    assert client.answer().status == 404


def test_expect_100_is_answered_by_the_proxy_after_an_allow_only(proxy, upstream):
    """A refused upload is never asked for; an allowed one is, and the field does not go upstream."""
    client = proxy.tls(API)
    client.send(
        b"POST /v1/up HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    )
    assert client.read_until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(b"hello")
    assert client.answer().status == 200
    assert upstream.requests[0].body == b"hello"
    assert upstream.requests[0].header("expect") is None
    client.send(
        b"POST /admin HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    )
    assert client.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 403")
    assert client.is_closed()


def test_an_http_1_0_client_is_served_and_closed(plain_proxy):
    client = plain_proxy.connect()
    client.send(b"GET http://plain.example.com/ HTTP/1.0\r\nHost: plain.example.com\r\n\r\n")
    said = client.read_all()
    assert said.startswith(b"HTTP/1.1 200")
    assert b"Connection: close" in said
    assert said.endswith(b"hello")


def test_an_error_while_judging_is_a_refusal(run_failing_proxy, upstream, to, monkeypatch):
    """Deny first: whatever is raised on the way of a decision, the upstream hears nothing."""
    proxy = run_failing_proxy(POLICY, upstream=upstream, tokens=TOKENS, connect_to=to(upstream, (PLAIN, 443)))

    def broken(*_: object) -> None:
        raise RuntimeError("boom")

    client = proxy.tls(PLAIN)
    monkeypatch.setattr("bot_bottle.sidecar.proxy.connection.decide", broken)
    client.send(b"GET / HTTP/1.1\r\nHost: plain.example.com\r\n\r\n")
    answer = client.answer()
    assert answer.status == 403
    assert "boom" not in answer.reason
    assert client.is_closed()
    assert upstream.accepted == 0


def test_an_error_while_writing_the_request_is_a_refusal(run_failing_proxy, upstream, to, monkeypatch):
    proxy = run_failing_proxy(POLICY, upstream=upstream, tokens=TOKENS, connect_to=to(upstream, (PLAIN, 443)))

    def broken(*_: object) -> bytes:
        raise ValueError("boom")

    client = proxy.tls(PLAIN)
    monkeypatch.setattr("bot_bottle.sidecar.proxy.exchange.request_head", broken)
    client.send(b"GET / HTTP/1.1\r\nHost: plain.example.com\r\n\r\n")
    assert client.answer().status == 502
    assert upstream.raw == b""


def test_refusals_of_the_proxys_own_have_the_providers_shape(run_proxy, upstream, to):
    """Ruling 5: an Anthropic client reads its own error form, also for what the proxy itself refuses."""
    route = "  - host: api.anthropic.com\n    provider: claude\n    matches: [{paths: [{value: /v1}]}]\n"
    proxy = run_proxy(
        f"routes:\n{route}", upstream=upstream, connect_to={("api.anthropic.com", 443): ("127.0.0.1", 1)}
    )
    asked = {
        "unreachable": (b"GET /v1/x HTTP/1.1\r\nHost: api.anthropic.com\r\n\r\n", 502),
        "closed path": (
            b"POST /telemetry HTTP/1.1\r\nHost: api.anthropic.com\r\nContent-Length: 0\r\n\r\n",
            404,
        ),
        "malformed": (b"GET /v1/x HTTP/1.1\r\nHost : api.anthropic.com\r\n\r\n", 400),
    }
    for name, (request, status) in asked.items():
        client = proxy.tls("api.anthropic.com")
        client.send(request)
        answer = client.answer()
        assert (name, answer.status) == (name, status)
        assert answer.json()["type"] == "error"
        assert answer.json()["error"]["message"].startswith("egress: ")
        assert answer.headers["x-bot-bottle"] == "blocked"


@pytest.mark.parametrize("version", [b"HTTP/1.0\r\n", b"HTTP/1.1\r\nConnection: close\r\n"])
def test_a_client_that_reads_to_the_end_gets_one_when_its_upstream_fails(run_proxy, version):
    """Nobody listens there: the refusal is the last answer, and the connection ends as it was asked to."""
    proxy = run_proxy(POLICY, tokens=TOKENS, connect_to={(PLAIN, 80): ("127.0.0.1", 1)})
    client = proxy.connect()
    name = PLAIN.encode()
    client.send(b"GET http://%b/ " % name + version + b"Host: %b\r\n\r\n" % name)
    answer = client.read_all()
    assert answer.startswith(b"HTTP/1.1 502 ") and b"\r\nConnection: close\r\n" in answer
