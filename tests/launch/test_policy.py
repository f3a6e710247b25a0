"""Flags become routes, references become slots; no value of a credential is in either."""

from __future__ import annotations

import pytest

from bot_bottle.egress.config import Inject, Route, Scheme
from bot_bottle.ipc.sidecar import ConnectTo
from bot_bottle.launch.policy import (
    PolicyError,
    compose,
    flag_routes,
    parse_connect_to,
    refuse_unbuilt,
    resolve_slots,
)


@pytest.mark.parametrize(
    ("allow", "auth", "expected"),
    [
        (["example.com"], [], [Route("example.com")]),
        (["Example.COM"], [], [Route("example.com")]),
        (["*.example.com"], [], [Route("*.example.com")]),
        (["example.com:8443"], [], [Route("example.com", ports=(8443,))]),
        (["example.com:8443", "example.com:443"], [], [Route("example.com", ports=(8443, 443))]),
        (
            [],
            ["api.example.com=Bearer:KEY"],
            [Route("api.example.com", auth=(Inject(Scheme.BEARER, "KEY"),))],
        ),
        (
            ["api.example.com"],
            ["api.example.com=raw.x-api-key:KEY"],
            [Route("api.example.com", auth=(Inject(Scheme.RAW, "KEY", "x-api-key"),))],
        ),
    ],
)
def test_flags_become_routes(allow: list[str], auth: list[str], expected: list[Route]) -> None:
    """``--allow`` and ``--auth`` say what a manifest's routes say."""
    assert list(flag_routes(allow, auth)) == expected


@pytest.mark.parametrize(
    ("allow", "auth", "named"),
    [
        (["example.com:https"], [], "port must be a number"),
        (["exa mple.com"], [], "not a host name"),
        ([""], [], "host"),
        ([], ["api.example.com=KEY"], "HOST=SCHEME:ENV"),
        ([], ["api.example.com=Digest:KEY"], "Bearer, token, Basic, raw"),
        ([], ["api.example.com=Bearer:"], "HOST=SCHEME:ENV"),
        ([], ["*.example.com=Bearer:KEY"], "wildcard"),
        ([], ["api.example.com=Bearer:sk-live/1"], "token_ref"),
    ],
)
def test_flags_that_make_no_route_are_refused(allow: list[str], auth: list[str], named: str) -> None:
    """The message names what is wrong."""
    with pytest.raises(PolicyError, match=named):
        flag_routes(allow, auth)


def test_one_reference_is_one_slot() -> None:
    """Routes with the same variable share its slot; each slot names its variable."""
    routes = flag_routes([], ["a.example=Bearer:ONE", "b.example=Bearer:TWO", "c.example=token:ONE"])
    slotted = compose((), routes)
    assert slotted.slots == {"EGRESS_TOKEN_0": "ONE", "EGRESS_TOKEN_1": "TWO"}
    tokens = [inject.token for route in slotted.policy.routes for inject in route.auth]  # type: ignore[union-attr]
    assert tokens == ["EGRESS_TOKEN_0", "EGRESS_TOKEN_1", "EGRESS_TOKEN_0"]


def test_two_routes_for_one_host_are_refused() -> None:
    """Also across sources: which of them would hold is nobody's guess."""
    with pytest.raises(PolicyError, match=r"a\.example"):
        compose((), (Route("a.example"), Route("a.example", ports=(8443,))))
    with pytest.raises(PolicyError, match=r"a\.example"):
        compose((Route("a.example", provider="claude"),), (Route("a.example"),))


def test_a_missing_credential_names_its_variable_alone() -> None:
    """Unset and empty are alike; nothing of another value shows."""
    with pytest.raises(PolicyError, match="no value for TWO") as caught:
        resolve_slots({"EGRESS_TOKEN_0": "ONE", "EGRESS_TOKEN_1": "TWO"}, {"ONE": "s3cret", "TWO": ""})
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("value", ["a b", "line\nend", "caf\u00e9", "nul\0"])
def test_a_value_that_no_header_carries_is_refused(value: str) -> None:
    """It would be cut, or end the header; the message does not show it."""
    with pytest.raises(PolicyError, match="ONE") as caught:
        resolve_slots({"EGRESS_TOKEN_0": "ONE"}, {"ONE": value})
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.example:443:127.0.0.1:8443", ConnectTo("a.example", 443, "127.0.0.1", 8443)),
        ("A.example:443:[::1]:8443", ConnectTo("a.example", 443, "::1", 8443)),
        ("a.example:443:localhost:8443", ConnectTo("a.example", 443, "localhost", 8443)),
    ],
)
def test_connect_to(text: str, expected: ConnectTo) -> None:
    """curl's form."""
    assert parse_connect_to(text) == expected


@pytest.mark.parametrize(
    "text", ["", "a.example", "a.example:443", "a:b:c:d", "a:443::8443", "a:0:b:1", "a:1:b:65536"]
)
def test_connect_to_that_is_incomplete(text: str) -> None:
    """Nothing is filled in."""
    with pytest.raises(PolicyError, match="connect-to"):
        parse_connect_to(text)


def test_what_is_not_enforced_is_refused() -> None:
    """No setting is accepted that nothing obeys (ruling 50)."""
    from bot_bottle.egress.codec import load_policy

    text = """
provider_schema: log
routes:
  - host: b.example
    meter: {provider: x, format: anthropic}
"""
    with pytest.raises(PolicyError) as caught:
        refuse_unbuilt(load_policy(text))
    for name in ("provider_schema", "meter of b.example"):
        assert name in str(caught.value)
    refuse_unbuilt(
        load_policy(
            "log: 2\non_taint: tighten\nroutes:\n  - host: a.example\n    dlp: {outbound_on_match: redact}\n"
        )
    )
