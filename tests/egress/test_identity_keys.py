"""Invariant: however a known key is spelt in a URL, a guarded route refuses it; others are not mistaken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.egress.config import Inject, Policy, Route, Scheme
from bot_bottle.egress.decide import decide
from bot_bottle.egress.identity_keys import (
    IDENTITY_KEYS,
    IDENTITY_PREFIXES,
    identity_in_path,
    identity_key,
    plain,
)
from bot_bottle.egress.match import compile_policy
from bot_bottle.egress.request import RequestHead, Tunnel, build_identity
from bot_bottle.egress.verdict import Allow, Deny, Hint

OURS = Route("ours.example", auth=(Inject(Scheme.BEARER, "T"),))
LISTED = Route("listed.example", headers=())
PLAIN = Route("plain.example")
POLICY = compile_policy(Policy((OURS, LISTED, PLAIN)))


def judge(target: str, host: str = "ours.example") -> Allow | Deny:
    head = RequestHead(b"GET", target.encode(), b"HTTP/1.1", ((b"Host", host.encode()),))
    identity = build_identity(head, tunnel=Tunnel(host, 443, tls=True))
    verdict = identity if isinstance(identity, Deny) else decide(POLICY, identity)
    assert isinstance(verdict, Allow | Deny)
    return verdict


def refused(target: str, host: str = "ours.example") -> str:
    """What the refusal names; empty: it passes."""
    verdict = judge(target, host)
    if isinstance(verdict, Allow):
        return ""
    ours = host == "ours.example"
    assert verdict.hint is (Hint.CREDENTIAL if ours else Hint.NONE), verdict
    head, _, named = verdict.reason.partition(" (")
    assert head == "egress: credential: the URL carries a credential or identity"
    return named.removesuffix(")" if ours else "): requests to this host name no account")


@pytest.mark.parametrize("key", sorted(IDENTITY_KEYS))
def test_each_key(key: str) -> None:
    """In the query, where our credential stands or the route lists its headers; on a plain route it passes."""
    for host in ("ours.example", "listed.example"):
        assert refused(f"/x?a=1&{key}=v", host) == key
    assert refused(f"/x?a=1&{key}=v", "plain.example") == ""


@pytest.mark.parametrize("prefix", sorted(IDENTITY_PREFIXES))
def test_each_family(prefix: str) -> None:
    """Signed URLs are many names: all of a beginning."""
    assert refused(f"/x?{prefix}whatever=1") == f"{prefix}*"
    assert refused(f"/x?{prefix.title()}Expires=1") == f"{prefix}*"


def test_each_key_has_a_page() -> None:
    """A name without a source is a guess, and no two names are one."""
    for table in (IDENTITY_KEYS, IDENTITY_PREFIXES):
        assert all(page.startswith("https://") for page in table.values())
        assert len({plain(name) for name in table}) == len(table)


@pytest.mark.parametrize(
    "target",
    [
        "/x?ACCESS_TOKEN=v",
        "/x?access%5Ftoken=v",
        "/x?%61ccess_token=v",
        "/x?access+token=v",
        "/x?access%20token=v",
        "/x?+access_token=v",
        "/x?access.token=v",
        "/x?access-token=v",
        "/x?accessToken=v",
        "/x?access_token[]=v",
        "/x?access_token%5B0%5D=v",
        "/x?a[access_token]=v",
        "/x?a=1;access_token=v",
        "/x?access_token",
        "/x?access_token=1&access_token=2",
        "/x?a=1&&access_token=v",
        "/x?access_token%00=v",
        "/x;access_token=v",
        "/a;x=1;access_token=v/b",
        "/access_token=v/b",
        "/access%5Ftoken%3Dv/b",
        "/x?access_token=",
    ],
)
def test_each_spelling(target: str) -> None:
    """Case, encoding, separators, arrays, duplicates, path parameters."""
    assert refused(target).startswith("access_token")


@pytest.mark.parametrize(
    ("target", "named"),
    [
        ("/bot123456:AAH-abcdefgh/sendMessage", "bot<id>:<secret>"),
        ("/file/bot123456%3AAAH-abcdefgh/x", "bot<id>:<secret>"),
        ("/BOT1:abcdefgh/x", "bot<id>:<secret>"),
        ("/services/T01ABCDEF/B01ABCDEF/abcdefghijkl", "services/T…/B…/…"),
        ("/api/webhooks/123456789/" + "a" * 30, "webhooks/<id>/<token>"),
        ("/fetch/user:pass@host/x", "user:password@"),
        ("/fetch/user%3Apass%40host/x", "user:password@"),
    ],
)
def test_secrets_in_a_path(target: str, named: str) -> None:
    """Services whose URL is the credential."""
    assert refused(target) == named


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/v1/messages?beta=true",
        "/token/-/token-1.0.0.tgz",
        "/simple/auth/",
        "/repos/o/r/keys?page=2&per_page=100",
        "/x?page_token=abc&pageToken=abc&next_token=1&continuation_token=2",
        "/x?max_tokens=5&tokens=1&keys=1&keyword=x&monkey=1",
        "/v1/models/gemini-pro:generateContent?alt=sse",
        "/v1/publishers/anthropic/models/claude@20250514:rawPredict",
        "/bot/1",
        "/bottle123:x",
        "/bot12:short",
        "/services/list/all/x",
        "/repos/o/r/hooks/123",
        "/webhooks/1/short",
        "/@scope/name",
        "/a@b:c/x",
        "/pkg:npm/x@1",
        "/x=1/y",
        "/x?q=api_key",
    ],
)
def test_what_only_looks_like_one(target: str) -> None:
    """Pagination, package names, verbs of APIs pass."""
    assert refused(target) == ""


KEYS = st.sampled_from(sorted(IDENTITY_KEYS))


@st.composite
def spelt(draw: st.DrawFn) -> str:
    """A known key, each character in some case, plain or encoded; separators in some other."""
    out = draw(st.sampled_from(["", "x["]))
    for char in draw(KEYS):
        if char in "_-":
            out += draw(st.sampled_from(["_", "-", "", "+", ".", "%20", "%5f", "%2D"]))
        else:
            other = draw(st.sampled_from([char, char.upper()]))
            out += draw(st.sampled_from([other, f"%{ord(other):02x}"]))
    return out + draw(st.sampled_from(["", "=v", "[]=v", "[a]=v", "%5B%5D=v", "%00=v"]))


@given(spelt(), st.sampled_from(["a=1&", "a=1;", "", "&", "a&"]))
def test_property_no_spelling_passes(name: str, before: str) -> None:
    """As any server could read it."""
    assert refused(f"/x?{before}{name}")


@given(st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=80))
def test_property_a_path_is_read_without_an_error(text: str) -> None:
    """Whatever it is."""
    verdict = judge("/" + text.replace(" ", "+"))
    assert isinstance(verdict, Allow) or verdict.reason.startswith("egress: ")


def test_names_are_compared_in_one_form() -> None:
    """Of the table's names and of what is asked."""
    assert identity_key(plain("X-Amz-Signature")) == "x-amz-*"
    assert identity_key("x") is None
    assert identity_key("") is None
    assert identity_in_path("/") is None
