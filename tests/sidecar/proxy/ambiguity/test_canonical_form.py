"""Invariant: what the proxy writes is its own canonical form. Read again, it is the same identity, gets the same
verdict, and is written as the same bytes; h11 and llhttp read it as what was judged.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import h11
import httptools
import pytest
from amb_connections import CONNECTIONS, EXPECTS
from amb_heads import FIELDS
from amb_replies import STATUS_LINES
from amb_targets import FORMS, PARTS
from hypothesis import given, settings
from hypothesis import strategies as st

from bot_bottle.base.secret import Secret
from bot_bottle.egress.codec import load_policy
from bot_bottle.egress.decide import decide
from bot_bottle.egress.headers import Headers, end_to_end, plan_headers
from bot_bottle.egress.match import compile_policy
from bot_bottle.egress.request import RequestIdentity, Tunnel, build_identity
from bot_bottle.egress.verdict import Allow
from bot_bottle.sidecar.proxy.http1 import Body, Framing, Malformed, parse_request, parse_response
from bot_bottle.sidecar.proxy.limits import DEFAULT_LIMITS
from bot_bottle.sidecar.proxy.write import Credentials, request_head, response_head

POLICIES = {
    "open": "routes:\n  - host: amb.example\n",
    "matched": "routes:\n  - host: amb.example\n    matches: [{paths: [{value: /ok}]}]\n",
    "credential": "routes:\n  - host: amb.example\n    auth_scheme: Bearer\n    token_env: T\n    headers: [x-a]\n",
    "passthrough": "routes:\n  - host: amb.example\n    auth: {scheme: passthrough}\n",
    "provider": "routes:\n  - host: amb.example\n    provider: claude\n"
    "    auth: [{scheme: raw, header: x-api-key, token_env: T}]\n",
}
COMPILED = {name: compile_policy(load_policy(text)) for name, text in POLICIES.items()}
CREDENTIALS = Credentials({"T": Secret("s3cret")})
SPELLINGS = [
    b"amb.example",
    b"AMB.example",
    b"amb.example.",
    b"amb.example:443",
    b"Amb.Example.:443",
    b"evil.example",
]
TUNNEL = Tunnel("amb.example", 443, tls=True, sni="amb.example")


@dataclass(frozen=True)
class Written:
    """A head as it goes upstream and what it was judged as."""

    identity: RequestIdentity
    allow: Allow
    framing: Framing
    data: bytes


def through(head: bytes, name: str) -> Written | None:
    """What comes of *head* under the policy *name*; None: it is refused."""
    try:
        parsed = parse_request(head, DEFAULT_LIMITS)
    except Malformed:
        return None
    identity = build_identity(parsed.head, tunnel=TUNNEL)
    if not isinstance(identity, RequestIdentity):
        return None
    verdict = decide(COMPILED[name], identity)
    if not isinstance(verdict, Allow):
        return None
    data = request_head(identity, verdict, parsed.framing, CREDENTIALS)
    return Written(identity, verdict, parsed.framing, data)


TOKENS = st.text("abcXYZ-_.!~0", min_size=1, max_size=8).map(str.encode)
VALUES = st.binary(max_size=12)
LINES = st.one_of(
    st.sampled_from(FIELDS),
    st.sampled_from(CONNECTIONS).map(lambda value: b"Connection: " + value),
    st.sampled_from(EXPECTS).map(lambda value: b"Expect: " + value),
    st.builds(lambda name, value: name + b": " + value, TOKENS, VALUES),
    st.sampled_from(
        [b"Content-Length: 7", b"Transfer-Encoding: chunked", b"Authorization: x", b"x-api-key: y"]
    ),
    st.sampled_from(
        [b"User-Agent: a/1 (b) c/2", b"anthropic-beta: oauth-2025-04-20,files-api-2025-04-14", b"Accept: */*"]
    ),
)
TARGETS = st.one_of(
    st.sampled_from(FORMS),
    st.lists(st.sampled_from(PARTS), max_size=5).map(lambda parts: b"/ok/" + b"".join(parts)),
    st.lists(st.sampled_from(PARTS), max_size=3).map(lambda parts: b"/ok?a" + b"".join(parts)),
)


@st.composite
def heads(draw: st.DrawFn) -> bytes:
    """Mostly well-formed, in every way odd."""
    method = draw(
        st.sampled_from([b"GET"] * 4 + [b"POST", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"get"])
    )
    target = draw(TARGETS if draw(st.booleans()) else st.sampled_from([b"/ok", b"/ok/a?b=c"]))
    host = draw(st.sampled_from(SPELLINGS))
    lines = draw(st.lists(LINES, max_size=3))
    version = draw(st.sampled_from([b"HTTP/1.1"] * 4 + [b"HTTP/1.0"]))
    first = method + b" " + target + b" " + version
    return b"\r\n".join([first, b"Host: " + host, *lines]) + b"\r\n"


passed: Counter[str] = Counter()


@settings(max_examples=600, deadline=None)
@given(heads(), st.sampled_from(sorted(POLICIES)))
def test_what_is_written_reads_back_as_what_was_judged(head: bytes, name: str):
    once = through(head, name)
    if once is None:
        return
    passed[name] += 1
    assert once.data.endswith(b"\r\n\r\n") and b"\r\n\r\n" not in once.data[:-4]
    again = through(once.data[:-2], name)
    assert again is not None, "its own writing is refused"
    assert again.data == once.data
    assert again.framing == once.framing
    for part in ("scheme", "host", "port", "method", "path", "query", "target", "authority"):
        assert getattr(again.identity, part) == getattr(once.identity, part)
    assert again.allow == once.allow


def test_every_policy_let_some_through():
    assert min(passed[name] for name in POLICIES) >= 10, passed


class Seen:
    """What llhttp reads."""

    def __init__(self) -> None:
        self.url = b""
        self.headers: list[tuple[bytes, bytes]] = []

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))


@settings(max_examples=300, deadline=None)
@given(heads(), st.sampled_from(sorted(POLICIES)))
def test_h11_and_llhttp_read_what_was_judged(head: bytes, name: str):
    """Under routes with a credential, too: it stands there once, and no other."""
    once = through(head, name)
    if once is None:
        return
    wanted = [(key.encode("latin-1"), value.encode("latin-1")) for key, value in once.allow.headers]
    wanted += [(inject.header.encode(), CREDENTIALS.value(inject).encode()) for inject in once.allow.inject]
    if once.framing.body is Body.LENGTH:
        wanted.append((b"Content-Length", b"%d" % once.framing.length))
    elif once.framing.body is Body.CHUNKED:
        wanted.append((b"Transfer-Encoding", b"chunked"))
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(once.data)
    request = connection.next_event()
    assert isinstance(request, h11.Request)
    assert (request.method, request.target) == (once.identity.method.encode(), once.identity.target.encode())
    assert list(request.headers.raw_items()) == wanted
    seen = Seen()
    parser = httptools.HttpRequestParser(seen)
    parser.feed_data(once.data)
    assert (parser.get_method(), seen.url) == (request.method, request.target)
    assert seen.headers == wanted
    assert b"s3cret" not in once.data or once.data.count(b"s3cret") == len(once.allow.inject)


NAMES = st.sampled_from(
    ["Host", "X-A", "x-a", "X_A", "Connection", "Accept", "Cookie", "TE", "Upgrade", "Content-Type", "User-Agent",
     "Authorization", "x-api-key", "X-Forwarded-For", "X_Forwarded_For", "Forwarded", "anthropic-beta", "Keep-Alive"]
)  # fmt: skip
FIELD_VALUES = st.one_of(
    st.sampled_from(
        ["close", "X-A", "x_a, Accept", "a/1 b/2 (c)", "oauth-2025-04-20, x", "", "a  b", "a, b,"]
    ),
    st.text("abc,; /1", max_size=10).map(str.strip),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(NAMES, FIELD_VALUES), max_size=8), st.sampled_from(sorted(POLICIES)))
def test_a_list_of_fields_is_cut_once(fields: list[tuple[str, str]], name: str):
    """What goes on of what went on is all of it."""
    plan = plan_headers(COMPILED[name].policy.routes[0])
    once: Headers = plan.forwarded(end_to_end(tuple(fields)))
    assert plan.forwarded(end_to_end(once)) == once
    kept = iter(fields)
    assert all(any(key == field[0] for field in kept) for key, _ in once), "the order is another"


@st.composite
def response_heads(draw: st.DrawFn) -> bytes:
    first = draw(st.sampled_from([b"HTTP/1.1 200 OK"] * 4 + STATUS_LINES))
    lines = draw(st.lists(LINES | st.sampled_from([b"Content-Length: 0", b"Connection: close"]), max_size=4))
    return b"\r\n".join([first, *lines]) + b"\r\n"


@settings(max_examples=400, deadline=None)
@given(response_heads(), st.sampled_from(["GET", "HEAD"]), st.booleans())
def test_a_response_is_written_in_its_own_form(head: bytes, method: str, keep: bool):
    """The status, the fields and the body's end are the same when it is read again."""
    try:
        parsed = parse_response(head, method, DEFAULT_LIMITS)
    except Malformed:
        return
    if parsed.status < 200:
        return  # never written
    chunked = parsed.framing.body in (Body.CHUNKED, Body.UNTIL_CLOSE)
    data = response_head(parsed, chunked=chunked, keep_alive=keep)
    again = parse_response(data[:-2], method, DEFAULT_LIMITS)
    assert (again.status, again.reason) == (parsed.status, parsed.reason)
    assert again.framing.body is (Body.CHUNKED if chunked else parsed.framing.body)
    assert again.framing.length == parsed.framing.length
    assert again.keep_alive is keep
    assert response_head(again, chunked=chunked, keep_alive=keep) == data


@pytest.mark.parametrize("name", ["credential", "provider"])
def test_no_credential_of_the_clients_stands_beside_ours(name: str):
    head = b"GET /ok HTTP/1.1\r\nHost: amb.example\r\nAuthorization: a\r\nx-api-key: b\r\nX_Api_Key: c\r\n"
    once = through(head, name)
    assert once is not None
    assert once.data.count(b"s3cret") == 1
    assert not any(value in ("a", "b", "c") for _, value in once.allow.headers)
