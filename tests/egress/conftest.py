"""Strategies for valid routes and policies, written beside the codec, not with it."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from bot_bottle.egress.config import (
    Auth,
    Dlp,
    HeaderMatch,
    HeaderMatchType,
    InboundDetector,
    InboundOnMatch,
    Inject,
    Match,
    Meter,
    MeterFormat,
    OnTaint,
    OutboundDetector,
    OutboundOnMatch,
    Passthrough,
    PathMatch,
    PathType,
    Policy,
    ProviderSchema,
    Route,
    Scheme,
    UpstreamProxy,
)
from bot_bottle.egress.presets.names import PRESETS, Kind

HOSTS = st.sampled_from(
    [
        "a.example",
        "*.a.example",
        "xn--bcher-kva.example",
        "1.1.1.1",
        "2606:4700::1111",
        "localhost",
        "10.0.0.1",
    ]
)
VARIABLES = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_]{0,20}\Z")
HEADER_NAMES = st.sampled_from(["Authorization", "X-Api-Key", "x-b", "PRIVATE-TOKEN"])
FURTHER_HEADERS = st.sampled_from(["x-github-api-version", "Accept-Datetime", "If-Other"])
WORDS = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x2FF, exclude_characters="\x7f"), min_size=1, max_size=20
)


def several(kinds: type) -> st.SearchStrategy[tuple]:  # type: ignore[type-arg]
    return st.lists(st.sampled_from(list(kinds)), unique=True).map(tuple)


INJECTS = st.builds(Inject, st.sampled_from(Scheme), VARIABLES, HEADER_NAMES)
AUTHS: st.SearchStrategy[Auth] = st.one_of(
    st.just(()),
    st.just(Passthrough()),
    st.lists(INJECTS, min_size=1, max_size=3, unique_by=lambda inject: inject.header.lower()).map(tuple),
)
PATHS = st.one_of(
    st.builds(
        PathMatch,
        st.sampled_from(["/", "/a", "/a/b-c~/", "/%C3%A9"]),
        st.sampled_from([PathType.PREFIX, PathType.EXACT]),
    ),
    st.builds(PathMatch, st.sampled_from(["/v[0-9]+", "(?i)/a.*", "/a|/b"]), st.just(PathType.REGEX)),
)
HEADERS = st.one_of(
    st.builds(HeaderMatch, st.sampled_from(["X-A", "accept"]), WORDS),
    st.builds(HeaderMatch, st.just("X-A"), st.sampled_from(["a+", "b|c"]), st.just(HeaderMatchType.REGEX)),
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
MATCHES = st.builds(
    Match,
    paths=st.lists(PATHS, max_size=3).map(tuple),
    methods=st.lists(st.sampled_from(METHODS), unique=True).map(tuple),
    headers=st.lists(HEADERS, max_size=2).map(tuple),
).filter(lambda match: match != Match())
DLPS = st.builds(
    Dlp,
    st.none() | several(OutboundDetector),
    st.none() | several(InboundDetector),
    st.none() | st.sampled_from(OutboundOnMatch),
    st.none() | st.sampled_from(InboundOnMatch),
)


@st.composite
def routes(draw: st.DrawFn, *, provider: bool = True) -> Route:
    host = draw(HOSTS)
    auth = draw(AUTHS)
    if host.startswith("*.") and not isinstance(auth, Passthrough):
        auth = ()
    return Route(
        host=host,
        ports=tuple(draw(st.lists(st.integers(1, 65535), unique=True, max_size=3))),
        auth=auth,
        matches=tuple(draw(st.lists(MATCHES, max_size=3))),
        git_fetch=draw(st.booleans()),
        dlp=draw(DLPS),
        headers=draw(st.none() | st.lists(FURTHER_HEADERS, unique=True).map(tuple)),
        allow_private=draw(st.booleans()),
        meter=draw(st.none() | st.builds(Meter, WORDS, st.sampled_from(MeterFormat))),
        provider=draw(st.none() | WORDS) if provider else None,
    )


@st.composite
def preset_routes(draw: st.DrawFn, *, public: bool = True) -> Route:
    """With a host of one's own, or (*public*) also without."""
    preset = draw(st.sampled_from([name for name in PRESETS if not public or PRESETS[name].public]))
    traits = PRESETS[preset]
    host = draw(st.sampled_from([*([""] if public else []), "own.example", "10.0.0.1"]))
    may_sign = bool(host) or traits.credential
    meters = st.builds(Meter, WORDS, st.sampled_from(MeterFormat))
    return Route(
        host=host,
        ports=tuple(draw(st.lists(st.integers(1, 65535), unique=True, max_size=2))) if host else (),
        auth=draw(AUTHS) if may_sign else (),
        dlp=draw(DLPS),
        headers=draw(st.none() | st.lists(FURTHER_HEADERS, unique=True).map(tuple)),
        allow_private=draw(st.booleans()) if host else False,
        meter=draw(st.none() | meters) if traits.kind is Kind.MODEL else None,
        preset=preset,
        access=tuple(draw(st.lists(st.sampled_from(traits.access), unique=True))),
        repos=tuple(draw(st.lists(st.sampled_from(REPOS), unique=True))) if traits.kind is Kind.FORGE else (),
    )


REPOS = ["o/r", "Some-Body/a.b_c"]


PROXIES = st.builds(UpstreamProxy, st.just("http://proxy.example:3128"), st.none() | VARIABLES, st.booleans())
POLICIES = st.builds(
    Policy,
    routes=st.lists(
        routes() | preset_routes(public=False), max_size=4, unique_by=lambda route: route.host
    ).map(tuple),
    log=st.integers(0, 2),
    extra_ca=st.none() | WORDS,
    upstream_proxy=st.none() | PROXIES,
    on_taint=st.none() | st.sampled_from(OnTaint),
    provider_features=st.lists(WORDS, unique=True, max_size=3).map(tuple),
    provider_schema=st.none() | st.sampled_from(ProviderSchema),
)


@pytest.fixture(scope="session")
def policies() -> st.SearchStrategy[Policy]:
    """Valid policies."""
    return POLICIES


@pytest.fixture(scope="session")
def manifest_routes() -> st.SearchStrategy[Route]:
    """Valid routes of a manifest."""
    return routes(provider=False) | preset_routes()
