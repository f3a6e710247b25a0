"""``explain`` says what enforcement does: it runs the same code (threats O2)."""

from __future__ import annotations

import pytest

from bot_bottle.egress.codec import load_policy
from bot_bottle.egress.explain import explain
from bot_bottle.egress.match import compile_policy
from bot_bottle.egress.verdict import Allow, Deny, Introspect

POLICY = compile_policy(
    load_policy("""
routes:
- host: api.example
  auth:
  - {scheme: raw, header: x-api-key, token_env: EGRESS_TOKEN_0}
  - {scheme: Bearer, token_env: EGRESS_TOKEN_1}
  matches:
  - paths: [{value: /a}]
  - methods: [POST]
- host: "*.wild.example"
- host: bücher.example
- host: port.example
  ports: [8443, 8080]
- host: api.anthropic.com
  provider: claude
""")
)


@pytest.mark.parametrize(
    ("url", "method", "canonical", "rule"),
    [
        (
            "https://api.example/a/b?c",
            "GET",
            "https://api.example/a/b?c",
            "route api.example, matches[0] (any method; /a)",
        ),
        (
            "API.example/x/../y",
            "POST",
            "https://api.example/y",
            "route api.example, matches[1] (POST; any path)",
        ),
        (
            "http://B\u00fccher.example/x",
            "GET",
            "http://xn--bcher-kva.example/x",
            "route xn--bcher-kva.example, no matches given: everything",
        ),
        (
            "http://x.wild.example",
            "GET",
            "http://x.wild.example/",
            "route *.wild.example, no matches given: everything",
        ),
        (
            "https://port.example:8443/",
            "GET",
            "https://port.example:8443/",
            "route port.example, no matches given: everything",
        ),
        (
            "http://port.example:8080/",
            "GET",
            "http://port.example:8080/",
            "route port.example, no matches given: everything",
        ),
        (
            "https://api.anthropic.com/",
            "GET",
            "https://api.anthropic.com/",
            "route api.anthropic.com of the provider claude, no matches given: everything",
        ),
    ],
)
def test_allowed(url: str, method: str, canonical: str, rule: str) -> None:
    """The canonical URL and the rule that opened it."""
    explanation = explain(POLICY, url, method)
    assert isinstance(explanation.verdict, Allow)
    assert (explanation.allowed, explanation.url, explanation.rule) == (True, canonical, rule)
    assert explanation.route is explanation.verdict.route


def test_credentials_by_name() -> None:
    """Which slot goes into which header."""
    assert explain(POLICY, "https://api.example/a").credentials == (
        "EGRESS_TOKEN_0 in x-api-key",
        "EGRESS_TOKEN_1 in Authorization",
    )
    assert explain(POLICY, "https://x.wild.example/").credentials == ()


@pytest.mark.parametrize(
    ("url", "method", "rule"),
    [
        ("https://other.example/", "GET", "egress: route: "),
        ("https://wild.example/", "GET", "egress: route: "),
        ("https://api.example/x", "GET", "egress: match: "),
        ("http://api.example/a", "GET", "egress: credential: "),
        ("https://api.example:22/a", "GET", "egress: target: no route opens port 22"),
        ("https://api.example:8443/a", "GET", "egress: target: the route does not open port 8443"),
        ("https://port.example/", "GET", "egress: target: the route does not open port 443"),
        ("https://127.1/", "GET", "egress: target: "),
        ("https://1.1.1.1/", "GET", "egress: target: no route names this address"),
        ("https://[2606:4700::1111]/", "GET", "egress: target: no route names this address"),
        ("https://api.example/a%2f", "GET", "egress: target: "),
        ("https://api.example/a", "TRACE", "egress: target: "),
        ("https://api.example/\u00e4", "GET", "egress: target: the URL is not ASCII"),
        ("https://\u2603.example/", "GET", "egress: target: the host is not a name"),
        ("https://user@api.example/a", "GET", "egress: target: "),
        ("https:///a", "GET", "egress: target: "),
        ("ftp://api.example/a", "GET", "egress: target: "),
        ("http://_egress.local/other", "GET", "egress: target: "),
    ],
)
def test_refused(url: str, method: str, rule: str) -> None:
    """The rule is the reason of the refusal."""
    explanation = explain(POLICY, url, method)
    assert isinstance(explanation.verdict, Deny)
    assert not explanation.allowed
    assert explanation.rule.startswith(rule)
    assert explanation.credentials == ()


def test_introspection() -> None:
    """The proxy's own answer."""
    explanation = explain(POLICY, "http://_egress.local/allowlist")
    assert isinstance(explanation.verdict, Introspect)
    assert explanation.allowed


def test_headers_count() -> None:
    """Headers can be given, since rules may ask for them."""
    policy = compile_policy(
        load_policy("routes: [{host: a.example, matches: [{headers: [{name: x, value: y}]}]}]")
    )
    assert not explain(policy, "a.example").allowed
    assert explain(policy, "a.example", headers=(("X", "y"),)).allowed
