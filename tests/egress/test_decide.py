"""Decisions by vectors, and their invariants: denied unless a rule allows, one verdict for every spelling."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.egress.codec import decode_policy
from bot_bottle.egress.config import Policy, Route
from bot_bottle.egress.decide import decide, may_connect, on_host
from bot_bottle.egress.match import compile_policy
from bot_bottle.egress.request import RequestHead, RequestIdentity, Tunnel, build_identity
from bot_bottle.egress.verdict import Allow, Deny, Hint, Introspect, Verdict

VECTORS = json.loads((Path(__file__).parent / "vectors" / "decisions.json").read_text())
POLICY = compile_policy(decode_policy(VECTORS["policy"]))


def judge(case: dict[str, Any], *, cut_off: bool = False) -> tuple[Verdict, RequestIdentity | None]:
    fields = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in case["headers"])
    tunnel = None if case["tunnel"] is None else Tunnel(*case["tunnel"])
    head = RequestHead(case["method"].encode(), case["target"].encode(), b"HTTP/1.1", fields)
    identity = build_identity(head, tunnel=tunnel)
    if isinstance(identity, Deny):
        return identity, None
    return decide(POLICY, identity, cut_off=cut_off), identity


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_vectors(case: dict[str, Any]) -> None:
    """Each request gets the verdict that the vector file names."""
    verdict, identity = judge(case)
    if "allow" in case:
        assert isinstance(verdict, Allow), verdict
        assert identity is not None
        assert identity.target == case["allow"]["target"]
        assert [name for name, _ in verdict.headers] == case["allow"]["headers"]
        assert [inject.header for inject in verdict.inject] == case["allow"]["inject"]
        assert "attackers" not in repr(verdict.headers)
    elif "deny" in case:
        assert isinstance(verdict, Deny), verdict
        status, reason = case["deny"]
        assert verdict.status == status
        assert verdict.reason.startswith(reason), verdict.reason
    else:
        assert verdict == Introspect()


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_cut_off_comes_first(case: dict[str, Any]) -> None:
    """Nothing passes a bottle that is cut off, the introspection included."""
    verdict, identity = judge(case, cut_off=True)
    assert isinstance(verdict, Deny)
    if identity is not None:
        assert verdict.reason.startswith("egress: cut off: ")
        assert verdict.hint is Hint.CUT_OFF


@pytest.mark.parametrize(
    ("case", "status"),
    [
        ({"method": "POST", "target": "/v1/messages", "tunnel": ["api.anthropic.com", 443, True, None]}, 400),
        ({"method": "POST", "target": "/v1/responses", "tunnel": ["api.openai.com", 443, True, None]}, 400),
        ({"method": "GET", "target": "/", "tunnel": ["nogit.example", 443, True, None]}, 403),
    ],
)
def test_cut_off_status(case: dict[str, Any], status: int) -> None:
    """A provider's client ends after one try."""
    verdict, _ = judge({**case, "headers": [["Host", case["tunnel"][0]]]}, cut_off=True)
    assert isinstance(verdict, Deny)
    assert verdict.status == status


def test_a_policy_without_routes_opens_nothing() -> None:
    """Every allowed vector is refused when the routes are taken away."""
    empty = compile_policy(Policy())
    for case in VECTORS["cases"]:
        _, identity = judge(case)
        if "allow" in case:
            assert identity is not None
            verdict = decide(empty, identity)
            assert isinstance(verdict, Deny)
            assert verdict.provider is None


@pytest.mark.parametrize(
    ("host", "port", "taken"),
    [
        ("evil.example", 443, True),
        ("evil.example", 80, True),
        ("evil.example", 8443, True),
        ("evil.example", 22, False),
        ("nogit.example", 22, False),
        ("nogit.example", 25, False),
        ("_egress.local", 80, True),
        ("api.anthropic.com", 6379, False),
    ],
)
def test_connect(host: str, port: int, taken: bool) -> None:
    """A port that no route of any host opens is refused before 200; others are taken up (ruling 63)."""
    refused = may_connect(POLICY, host, port)
    assert (refused is None) is taken
    if refused is not None:
        assert refused.reason == f"egress: target: no route opens port {port}"
        assert refused.status in (400, 403)


def test_refusals_of_the_proxys_own() -> None:
    """They are told as the host's client understands: 403 becomes 400, others stay."""
    deny = Deny(403, "egress: address: a loopback address", Hint.ASK)
    assert on_host(POLICY, "nogit.example", deny) == deny
    assert on_host(POLICY, "unknown.example", deny) == deny
    told = on_host(POLICY, "api.anthropic.com", deny)
    assert (told.status, told.provider) == (400, "claude")
    assert on_host(POLICY, "api.openai.com", Deny(502, "egress: upstream: x")).status == 502


SEGMENTS = st.lists(
    st.sampled_from(["repos", "o", "r", "r2", "user", "git-receive-pack", "info", "refs"]), max_size=5
)
HOSTS = st.sampled_from(["api.forge.example", "nogit.example", "a.cdn.example", "api.anthropic.com"])


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, str, bytes, bytes]:
    """A host and path in canonical form, and the same in another spelling."""
    host, path = draw(HOSTS), "/" + "/".join(draw(SEGMENTS))
    other = ""
    for char in path:
        if char == "/":
            other += draw(st.sampled_from(["/", "//", "/./", "/x/../", "/%2e/", "/y/%2E%2e/"]))
        else:
            other += draw(st.sampled_from([char, f"%{ord(char):02x}", f"%{ord(char):02X}"]))
    named = "".join(draw(st.sampled_from([char, char.upper()])) for char in host)
    named += draw(st.sampled_from(["", ".", ":443"]))
    return host, path, named.encode(), other.encode()


@given(spellings(), st.sampled_from([b"GET", b"POST"]))
def test_one_verdict_for_every_spelling(spelling: tuple[str, str, bytes, bytes], method: bytes) -> None:
    """The verdict on the canonical form is the verdict on any spelling, and so is what is sent."""
    host, path, named, other = spelling
    tunnel = Tunnel(host, 443, tls=True, sni=host)
    plain = build_identity(
        RequestHead(method, path.encode(), b"HTTP/1.1", ((b"Host", host.encode()),)), tunnel=tunnel
    )
    spelled = build_identity(RequestHead(method, other, b"HTTP/1.1", ((b"host", named),)), tunnel=tunnel)
    assert plain == spelled
    assert isinstance(plain, RequestIdentity) and isinstance(spelled, RequestIdentity)
    assert decide(POLICY, plain) == decide(POLICY, spelled)


FIELDS = st.lists(
    st.tuples(
        st.sampled_from(
            ["Authorization", "x-api-key", "Upgrade", "Connection", "Cookie", "Accept", "Content-Type"]
        ),
        st.sampled_from(["", "x", "websocket", "h2c", "accept", "application/x-git-receive-pack-request"]),
    ),
    max_size=5,
)


@given(
    HOSTS, FIELDS, st.sampled_from(["/", "/repos/o/r", "/v1/messages"]), st.sampled_from(["http", "https"])
)
def test_allowed_requests_keep_the_rules(
    host: str, fields: list[tuple[str, str]], path: str, scheme: str
) -> None:
    """Whatever is allowed: the route is the host's own, secrets go over TLS only, no injected field is the client's."""
    port = 443 if scheme == "https" else 80
    identity = RequestIdentity(scheme, host, port, "GET", path, None, tuple(fields))
    verdict = decide(POLICY, identity)
    if isinstance(verdict, Allow):
        assert verdict.route == POLICY.find(host)
        assert scheme == "https" or not verdict.inject
        sent = {name.lower() for name, _ in verdict.headers}
        assert not sent & {inject.header.lower() for inject in verdict.inject}
        assert not sent & {"upgrade", "connection", "authorization"}
        assert verdict.headers[0] == ("Host", host)


def test_provider_without_matches_is_open() -> None:
    """A provider route that names no matches opens its host; matches are the route's own."""
    policy = compile_policy(Policy((Route("a.example", provider="pi"),)))
    verdict = decide(policy, RequestIdentity("http", "a.example", 80, "GET", "/", None, ()))
    assert isinstance(verdict, Allow)
