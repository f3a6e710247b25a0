"""Invariant: on a credentialed or provider route no field passes that is not on a list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.egress.config import ConfigError, Inject, Passthrough, Route, Scheme
from bot_bottle.egress.headers import FRAMING, Headers, credential_value, end_to_end, plan_headers

PLAIN = Route("a.example")
OURS = Route("a.example", auth=(Inject(Scheme.RAW, "T", "X-Api-Key"),), headers=("X-GitHub-Api-Version",))
CLAUDE = Route("api.anthropic.com", auth=(Inject(Scheme.BEARER, "T"),), provider="claude")


CLAUDE_CODE_BETAS = (
    "claude-code-20250219, interleaved-thinking-2025-05-14, context-management-2025-06-27, "
    "per-turn-control-2026-07-01, mid-conversation-tool-changes-2026-07-01, "
    "thinking-token-count-2026-05-13, advanced-tool-use-2025-11-20, effort-2025-11-24"
)
"""what Claude Code 2.1.330 sends with its first request"""


def forwarded(route: Route, headers: Headers) -> Headers:
    return plan_headers(route).forwarded(headers)


SANE = {
    "accept": "*/*",
    "accept-encoding": "gzip",
    "accept-language": "de",
    "anthropic-version": "2023-06-01",
    "content-type": "text/plain",
    "if-none-match": '"v"',
    "range": "bytes=0-1",
}
"""Values of fields that have a form; of others anything will do."""


def names(route: Route, *fields: str) -> list[str]:
    return [
        name for name, _ in forwarded(route, tuple((field, SANE.get(field.lower(), "v")) for field in fields))
    ]


@pytest.mark.parametrize("name", sorted(FRAMING))
def test_hop_by_hop(name: str) -> None:
    """Fields between two neighbours, and framing, are dropped in any case."""
    assert end_to_end(((name.title(), "x"), ("Accept", "y"))) == (("Accept", "y"),)


@pytest.mark.parametrize(
    ("headers", "left"),
    [
        ((("Connection", "close, X-Hop"), ("X-Hop", "1"), ("x-hop", "2"), ("B", "3")), (("B", "3"),)),
        ((("connection", " x-HOP ,,"), ("X-Hop", "1")), ()),
        ((("Proxy-Connection", "X-Hop"), ("X-Hop", "1")), ()),
        ((("Connection", "a"), ("Connection", "b"), ("A", "1"), ("B", "2"), ("C", "3")), (("C", "3"),)),
        ((("B", "1"), ("a", "2"), ("B", "3")), (("B", "1"), ("a", "2"), ("B", "3"))),
    ],
)
def test_named_by_connection(headers: Headers, left: Headers) -> None:
    """What Connection names goes no further (RFC 9110 section 7.6.1); the rest keeps order and case."""
    assert end_to_end(headers) == left


def test_plain_route() -> None:
    """Without a credential of ours only credentials, overrides and forwarding fields are dropped."""
    kept = ["Cookie", "X-Custom", "Referer", "x-api-key", "User-Agent"]
    dropped = [
        "Authorization",
        "X-HTTP-Method-Override",
        "x-http-method",
        "X-Method-Override",
        "X-Original-URL",
        "X-Rewrite-Url",
        "X-Original-URI",
        "X_Override-URL",
        "X-HTTP-Host-Override",
        "X-HTTP-Path-Override",
        "X-Host",
        "Forwarded",
        "Via",
        "X-Forwarded-For",
        "x-forwarded-host",
    ]
    assert names(PLAIN, *kept, *dropped) == kept


def test_passthrough() -> None:
    """The client's own credential goes through where the route says so."""
    assert names(Route("a.example", auth=Passthrough()), "Authorization", "X-Token") == [
        "Authorization",
        "X-Token",
    ]


@pytest.mark.parametrize("route", [OURS, CLAUDE])
def test_only_a_list_passes(route: Route) -> None:
    """Cookies, origin, other keys, identities and tracing fall away where our credential stands."""
    dropped = [
        "Authorization",
        "Cookie",
        "Origin",
        "Referer",
        "X-Api-Key",
        "api-key",
        "x-goog-api-key",
        "PRIVATE-TOKEN",
        "X-Forwarded-For",
        "OpenAI-Organization",
        "OpenAI-Project",
        "anthropic-organization-id",
        "X-Amz-Security-Token",
        "traceparent",
        "baggage",
        "X-Request-Id",
        "X-Custom",
        "X-HTTP-Method-Override",
    ]
    kept = ["Accept", "accept-encoding", "Content-Type", "Range", "If-None-Match", "User-Agent"]
    assert names(route, *dropped, *kept) == kept


def test_the_route_adds_names() -> None:
    """``headers`` of the route lets more through, in any case; never what the route injects."""
    assert names(OURS, "x-github-api-version", "X-API-KEY") == ["x-github-api-version"]


def test_what_is_injected_comes_from_us_alone() -> None:
    """Also a field that would pass otherwise."""
    route = Route("a.example", auth=(Inject(Scheme.RAW, "T", "Accept-LANGUAGE"),))
    assert names(route, "accept-language", "Accept") == ["Accept"]


def test_provider_fields() -> None:
    """Each provider's client keeps what it needs; another's does not pass."""
    assert names(CLAUDE, "Anthropic-Version", "X-App", "OpenAI-Beta") == ["Anthropic-Version", "X-App"]
    assert names(Route("a.example", provider="unknown"), "Anthropic-Version", "Accept") == ["Accept"]


def test_a_field_is_said_once() -> None:
    """A hundred short values are a long one; what the route names itself may be repeated."""
    tags = tuple((name, f'"{number}"') for number in range(9) for name in ("If-None-Match", "if-none-match"))
    sent = (("X-GitHub-Api-Version", "1"), *tags, ("X-GitHub-Api-Version", "2"), ("Accept", "*/*"))
    assert forwarded(OURS, sent) == (
        ("X-GitHub-Api-Version", "1"), ("If-None-Match", '"0"'), ("X-GitHub-Api-Version", "2"), ("Accept", "*/*")
    )  # fmt: skip
    assert forwarded(PLAIN, tags) == tags


def test_a_route_that_says_which_headers_pass() -> None:
    """Written, ``headers`` is the list there too where no credential is set; ``false`` adds nothing to it."""
    plain = ("Cookie", "X-Custom", "Accept", "X-Mine", "Authorization")
    assert names(Route("a.example", headers=("X-Mine",)), *plain) == ["Accept", "X-Mine"]
    assert names(Route("a.example", headers=()), *plain) == ["Accept"]
    assert names(Route("a.example", headers=(), auth=Passthrough()), *plain) == ["Accept", "Authorization"]


def test_provider_passthrough() -> None:
    """On a provider's host with passthrough only the credential fields come back."""
    route = Route("api.openai.com", auth=Passthrough(), provider="codex")
    assert names(route, "Authorization", "x-api-key", "Cookie") == ["Authorization", "x-api-key"]


@pytest.mark.parametrize(
    ("name", "value", "left"),
    [
        ("anthropic-beta", "claude-code-20250219", "claude-code-20250219"),
        (
            "anthropic-beta",
            "oauth-2025-04-20,interleaved-thinking-2025-05-14",
            "oauth-2025-04-20, interleaved-thinking-2025-05-14",
        ),
        ("anthropic-beta", "files-api-2025-04-14, oauth-2025-04-20", "oauth-2025-04-20"),
        ("anthropic-beta", CLAUDE_CODE_BETAS, CLAUDE_CODE_BETAS),
        ("anthropic-beta", "web-fetch-2025-09-10", None),
        ("anthropic-beta", "mcp-tunnels-2026-06-22,agent-memory-2026-07-22,message-threads-2026-08-12", None),
        ("anthropic-beta", "user-profiles-2026-08-18, managed-agents-2026-04-01,web-search-2025-03-05", None),
        ("anthropic-beta", "mcp-client-2025-11-20,code-execution-2025-08-25", None),
        ("anthropic-beta", "oauth", "oauth"),
        ("anthropic-beta", "context-1m-2025-08-07", "context-1m-2025-08-07"),
        ("anthropic-beta", "OAUTH-2025-04-20", None),
        ("anthropic-beta", "oauth-2025-04-2x", None),
        ("anthropic-beta", "oauth-stolen", None),
        ("anthropic-beta", "oauth-20255-04-20", None),
        ("anthropic-beta", "oauth-abcd-ef-gh", None),
        ("anthropic-beta", "oauth-2025-04-2\u00b2", None),
        ("user-agent", "a/1  b/2", "a/1"),
        ("user-agent", "a" * 60, None),
        ("user-agent", "a=b", None),
        ("anthropic-beta", "", None),
        ("user-agent", "claude-cli/2.1.330 (external, cli)", "claude-cli/2.1.330"),
        ("user-agent", "git/2.39.5", "git/2.39.5"),
        ("user-agent", "a/1 b/2 c/3 d/4 e/5", "a/1 b/2 c/3 d/4"),
        ("user-agent", "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3JldCBzZWNyZXQ=", None),
        ("user-agent", "(secret)", None),
    ],
)
def test_values_cut_to_their_purpose(name: str, value: str, left: str | None) -> None:
    """Feature flags that let the provider fetch, run or keep fall away; so do a user agent's comments."""
    expected = () if left is None else ((name, left),)
    assert forwarded(CLAUDE, ((name, value),)) == expected


def test_openai_features() -> None:
    """Responses and their WebSocket pass, assistants do not."""
    route = Route("api.openai.com", provider="codex")
    assert forwarded(route, (("OpenAI-Beta", "responses_websockets=2026-02-06, assistants=v2"),)) == (
        ("OpenAI-Beta", "responses_websockets=2026-02-06"),
    )


@pytest.mark.parametrize(
    ("name", "value", "left"),
    [
        ("version", "0.169.0", "0.169.0"),
        ("x-openai-internal-codex-responses-lite", "true", "true"),
        ("x-openai-internal-codex-responses-lite", "anything else", None),
        ("x-codex-beta-features", "remote_compaction_v2,remote_control", "remote_compaction_v2"),
        ("chatgpt-account-id", "attackers", None),
        ("x-codex-turn-metadata", "{}", None),
        ("session-id", "1", None),
        ("openai-organization", "attackers", None),
        ("openai-project", "attackers", None),
    ],
)
def test_codex_tells_how_its_body_is_written(name: str, value: str, left: str | None) -> None:
    """What the API needs to read the body passes; whose it is, and what the client tells about itself, not."""
    account = Inject(Scheme.RAW, "EGRESS_TOKEN_1", header="chatgpt-account-id")
    route = Route("chatgpt.com", auth=(Inject(Scheme.BEARER, "EGRESS_TOKEN_0"), account), provider="codex")
    assert forwarded(route, ((name, value),)) == (() if left is None else ((name, left),))


FIELD_NAMES = st.sampled_from(
    [
        "Authorization",
        "X-Api-Key",
        "Cookie",
        "Connection",
        "Accept",
        "X-A",
        "Host",
        "Content-Length",
        "Upgrade",
    ]
)


@given(st.lists(st.tuples(FIELD_NAMES, st.sampled_from(["x", "accept", "x-a, cookie", "close"])), max_size=8))
def test_no_credential_of_the_clients(fields: list[tuple[str, str]]) -> None:
    """Whatever the mix, neither framing nor a credential of the client's is forwarded, and order stays."""
    for route in (PLAIN, OURS, CLAUDE):
        sent = forwarded(route, end_to_end(tuple(fields)))
        kept = {name.lower() for name, _ in sent}
        assert not kept & (FRAMING | {"authorization"})
        rest = iter(fields)
        assert all(any(field == other for other in rest) for field in sent)
    assert "x-api-key" not in {name.lower() for name, _ in forwarded(OURS, end_to_end(tuple(fields)))}


def test_routes_that_are_alike_share_what_they_keep() -> None:
    """A thousand routes keep the answers of one; those that differ keep their own."""
    plans = [plan_headers(Route(f"h{number}.example")) for number in range(1000)]
    assert len({id(plan) for plan in plans}) == 1
    assert plan_headers(OURS) is not plans[0]
    assert plan_headers(Route("a.example", auth=Passthrough())) is not plans[0]


@pytest.mark.parametrize(
    ("scheme", "value", "written"),
    [
        (Scheme.BEARER, "abc", "Bearer abc"),
        (Scheme.TOKEN, "abc", "token abc"),
        (Scheme.RAW, "abc", "abc"),
        (Scheme.BASIC, "user:pass:word", "Basic dXNlcjpwYXNzOndvcmQ="),
        (Scheme.BASIC, "dXNlcjpwYXNz", "Basic dXNlcjpwYXNz"),
    ],
)
def test_credential(scheme: Scheme, value: str, written: str) -> None:
    """How each scheme is written."""
    assert credential_value(Inject(scheme, "T"), value) == written


@pytest.mark.parametrize("value", ["", "a\r\nX-Evil: 1", "a\x00", "p\u00e4ss"])
def test_credential_that_can_not_be_written(value: str) -> None:
    """A value that would end the field is an error that names the slot and does not show the value."""
    with pytest.raises(ConfigError, match="SLOT") as caught:
        credential_value(Inject(Scheme.BEARER, "SLOT"), value)
    assert not value or value not in str(caught.value)
