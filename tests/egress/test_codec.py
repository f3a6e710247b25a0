"""Invariant: ``decode(encode(x)) == x``, and what is not accepted names its key, its path and the fix."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from bot_bottle.base.yamltext import YamlError
from bot_bottle.egress.codec import (
    decode_policy,
    decode_route,
    decode_routes,
    decode_settings,
    dump_policy,
    effective_routes,
    encode_policy,
    encode_route,
    introspection,
    load_policy,
    policy_version,
)
from bot_bottle.egress.config import (
    ConfigError,
    Dialect,
    Dlp,
    HeaderMatch,
    InboundOnMatch,
    Inject,
    Match,
    OnTaint,
    OutboundDetector,
    Passthrough,
    PathMatch,
    PathType,
    Policy,
    ProviderSchema,
    Route,
    Scheme,
    UpstreamProxy,
)

MANIFEST, FILE = Dialect.MANIFEST, Dialect.ROUTES_FILE

relaxed = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)


@relaxed
@given(st.data())
def test_policy_round_trip(policies: st.SearchStrategy[Policy], data: st.DataObject) -> None:
    """A policy survives its data, its text, and encodes to the same text again."""
    policy = data.draw(policies)
    assert decode_policy(encode_policy(policy)) == policy
    text = dump_policy(policy)
    assert load_policy(text) == policy
    assert dump_policy(load_policy(text)) == text


@relaxed
@given(st.data())
def test_manifest_round_trip(manifest_routes: st.SearchStrategy[Route], data: st.DataObject) -> None:
    """A route survives the manifest's own keys."""
    route = data.draw(manifest_routes)
    assert decode_route(encode_route(route, MANIFEST), MANIFEST) == route


@relaxed
@given(st.data())
def test_introspection_can_be_sent_back(policies: st.SearchStrategy[Policy], data: st.DataObject) -> None:
    """What the bottle is shown decodes to the routes in force, and shows nothing else of the file."""
    policy = data.draw(policies)
    shown = introspection(policy)
    assert set(shown) == {"routes"}
    assert decode_policy(shown).routes == policy.routes


GARBAGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 70000),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["/", "*", "*.a.example", "GET", "passthrough", "Bearer", "regex", "(", "Host", "T"]),
    st.just([]),
    st.just({}),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(
        st.sampled_from(["scheme", "value", "name", "host", "x"]), st.text(max_size=3), max_size=2
    ),
)


def spoiled(draw: st.DrawFn, value: object) -> object:
    """*value* with one place in it replaced by something else."""
    if isinstance(value, dict) and value and draw(st.integers(0, 5)):
        key = draw(st.sampled_from(sorted(value)))
        return {**value, key: spoiled(draw, value[key])}
    if isinstance(value, list) and value and draw(st.integers(0, 5)):
        index = draw(st.integers(0, len(value) - 1))
        return [*value[:index], spoiled(draw, value[index]), *value[index + 1 :]]
    if isinstance(value, dict) and draw(st.booleans()):
        return {**value, draw(st.sampled_from(["auth", "dlp", "git", "x", "preset"])): draw(GARBAGE)}
    return draw(GARBAGE)


@relaxed
@given(st.sampled_from(Dialect), st.data())
def test_spoiled_data(
    manifest_routes: st.SearchStrategy[Route], dialect: Dialect, data: st.DataObject
) -> None:
    """A route with a wrong value anywhere is a :class:`ConfigError`, or means what it re-encodes to."""
    raw = spoiled(data.draw, encode_route(data.draw(manifest_routes), dialect))
    try:
        route = decode_route(raw, dialect)
    except ConfigError as error:
        event(" ".join(str(step) for step in error.path if isinstance(step, str)))
        return
    assert decode_route(encode_route(route, dialect), dialect) == route


@pytest.mark.parametrize(
    ("dialect", "raw", "route"),
    [
        (FILE, {"host": "A.Example."}, Route("a.example")),
        (FILE, {"host": "b\u00fccher.example"}, Route("xn--bcher-kva.example")),
        (
            FILE,
            {"host": "a.example", "auth_scheme": "Bearer", "token_env": "T"},
            Route("a.example", auth=(Inject(Scheme.BEARER, "T"),)),
        ),
        (
            FILE,
            {"host": "a.example", "auth": [{"scheme": "raw", "header": "x-api-key", "token_env": "T"}]},
            Route("a.example", auth=(Inject(Scheme.RAW, "T", "x-api-key"),)),
        ),
        (
            FILE,
            {"host": "a.example", "auth": {"scheme": "passthrough"}},
            Route("a.example", auth=Passthrough()),
        ),
        (
            MANIFEST,
            {"host": "a.example", "auth": {"scheme": "token", "token_ref": "T"}},
            Route("a.example", auth=(Inject(Scheme.TOKEN, "T"),)),
        ),
        (
            MANIFEST,
            {"host": "a.example", "auth": {"scheme": "Basic", "header": "X-Auth", "token_ref": "T"}},
            Route("a.example", auth=(Inject(Scheme.BASIC, "T", "X-Auth"),)),
        ),
        (
            MANIFEST,
            {
                "host": "a.example",
                "auth": [
                    {"scheme": "raw", "header": "x-api-key", "token_ref": "A"},
                    {"scheme": "Bearer", "token_ref": "B"},
                ],
            },
            Route("a.example", auth=(Inject(Scheme.RAW, "A", "x-api-key"), Inject(Scheme.BEARER, "B"))),
        ),
        (
            MANIFEST,
            {"host": "*.a.example", "auth": {"scheme": "passthrough"}},
            Route("*.a.example", auth=Passthrough()),
        ),
        (
            FILE,
            {
                "host": "a.example",
                "matches": [
                    {
                        "paths": [{"value": "/a"}, {"type": "exact", "value": "/b"}],
                        "methods": ["GET", "TRACE"],
                        "headers": [{"name": "X", "value": "y"}],
                    }
                ],
            },
            Route(
                "a.example",
                matches=(
                    Match(
                        (PathMatch("/a"), PathMatch("/b", PathType.EXACT)),
                        ("GET", "TRACE"),
                        (HeaderMatch("X", "y"),),
                    ),
                ),
            ),
        ),
        (FILE, {"host": "a.example", "git": {"fetch": True}}, Route("a.example", git_fetch=True)),
        (FILE, {"host": "a.example", "git": {}}, Route("a.example")),
        (
            FILE,
            {"host": "a.example", "dlp": {"outbound_detectors": False, "inbound_detectors": False}},
            Route("a.example", dlp=Dlp((), ())),
        ),
        (
            FILE,
            {"host": "a.example", "dlp": {"outbound_detectors": ["entropy"], "inbound_on_match": False}},
            Route(
                "a.example",
                dlp=Dlp((OutboundDetector.ENTROPY,), inbound_on_match=InboundOnMatch.OFF),
            ),
        ),
        (MANIFEST, {"preset": "github", "access": "read"}, Route("", preset="github", access=("read",))),
        (FILE, {"host": "a.example", "provider": "claude"}, Route("a.example", provider="claude")),
        (FILE, {"host": "10.0.0.1", "ports": [8080, 80]}, Route("10.0.0.1", ports=(8080, 80))),
        (
            FILE,
            {"host": "host.bot-bottle.internal", "ports": [1]},
            Route("host.bot-bottle.internal", ports=(1,)),
        ),
    ],
)
def test_accepted(dialect: Dialect, raw: dict[str, Any], route: Route) -> None:
    """Each form that the pages name."""
    assert decode_route(raw, dialect) == route


A = {"host": "a.example"}


def with_match(**match: object) -> dict[str, object]:
    return {**A, "matches": [match]}


@pytest.mark.parametrize(
    ("raw", "path", "words"),
    [
        ([], (), "must be a mapping, not a list"),
        ({}, (), "needs the key 'host'"),
        ({"host": 1}, ("host",), "must be a string, not a number"),
        ({"host": ""}, ("host",), "1 to"),
        ({"host": "a\nb"}, ("host",), "control character"),
        ({"host": "a b"}, ("host",), "not a host name"),
        ({"host": "https://a.example"}, ("host",), "without scheme"),
        ({"host": "a.example:443"}, ("host",), "under 'ports'"),
        ({"host": "0x7f.1"}, ("host",), "four decimal numbers"),
        ({"host": "169.254.169.254"}, ("host",), "metadata"),
        ({"host": "Metadata.Google.internal"}, ("host",), "metadata"),
        ({"host": "*.metadata.google.internal"}, ("host",), "metadata"),
        ({"host": "224.0.0.1"}, ("host",), "multicast"),
        ({"host": "fe80::1"}, ("host",), "link-local"),
        ({"host": "_egress.local"}, ("host",), "proxy's own"),
        ({"host": "host.bot-bottle.internal"}, ("host",), "needs the key 'ports'"),
        ({**A, "hots": 1}, ("hots",), "unknown key 'hots'"),
        ({**A, "hots": 1}, ("hots",), "accepted are access, allow_private, auth"),
        ({**A, "hots": 1}, ("hots",), "route 'a.example'"),
        ({**A, "role": None}, ("role",), "reserved for future use"),
        ({**A, "http2": False}, ("http2",), "does not exist yet"),
        ({**A, "ports": 80}, ("ports",), "must be a list"),
        ({**A, "ports": []}, ("ports",), "must not be empty"),
        ({**A, "ports": [0]}, ("ports", 0), "from 1 to 65535"),
        ({**A, "ports": [65536]}, ("ports", 0), "from 1 to 65535"),
        ({**A, "ports": ["80"]}, ("ports", 0), "not a string"),
        ({**A, "ports": [True]}, ("ports", 0), "not a boolean"),
        ({**A, "ports": [80.0]}, ("ports", 0), "not a number"),
        ({**A, "ports": [80, 80]}, ("ports", 1), "stands twice"),
        ({**A, "ports": list(range(1, 66))}, ("ports",), "at most 64"),
        ({**A, "git": True}, ("git",), "must be a mapping"),
        ({**A, "git": {"push": True}}, ("git", "push"), "accepted are fetch"),
        ({**A, "git": {"fetch": "yes"}}, ("git", "fetch"), "true or false"),
        ({**A, "git": {"fetch": 1}}, ("git", "fetch"), "true or false"),
        ({**A, "allow_private": 1}, ("allow_private",), "true or false"),
        ({**A, "headers": ["a b"]}, ("headers", 0), "a header's name"),
        ({**A, "headers": ["Connection"]}, ("headers", 0), "proxy's own"),
        ({**A, "headers": ["authorization"]}, ("headers", 0), "passthrough"),
        ({**A, "headers": ["x", "X"]}, ("headers", 1), "stands twice"),
        ({**A, "headers": "x"}, ("headers",), "must be a list"),
        ({**A, "meter": {"provider": "x"}}, ("meter",), "needs the key 'format'"),
        ({**A, "meter": {"provider": "x", "format": "y"}}, ("meter", "format"), "must be one of anthropic"),
        ({**A, "preset": "other"}, ("preset",), "must be one of anthropic, crates"),
        ({**A, "access": ["read"]}, ("access",), "belongs to a preset"),
        ({**A, "preset": "npm", "access": [1]}, ("access", 0), "must be a string"),
        ({**A, "preset": "npm", "access": None}, ("access",), "must be a list, not nothing"),
        ({**A, "dlp": False}, ("dlp",), "must be a mapping"),
        ({**A, "dlp": {"outbound": 1}}, ("dlp", "outbound"), "unknown key"),
        ({**A, "dlp": {"outbound_detectors": True}}, ("dlp", "outbound_detectors"), "false or a list"),
        ({**A, "dlp": {"outbound_detectors": []}}, ("dlp", "outbound_detectors"), "must not be empty"),
        (
            {**A, "dlp": {"outbound_detectors": ["x"]}},
            ("dlp", "outbound_detectors", 0),
            "token_patterns, known",
        ),
        (
            {**A, "dlp": {"outbound_detectors": ["entropy", "entropy"]}},
            ("dlp", "outbound_detectors", 1),
            "stands twice",
        ),
        ({**A, "dlp": {"inbound_detectors": ["entropy"]}}, ("dlp", "inbound_detectors", 0), "must be one of"),
        (
            {**A, "dlp": {"outbound_on_match": "warn"}},
            ("dlp", "outbound_on_match"),
            "block, redact, supervise",
        ),
        ({**A, "dlp": {"outbound_on_match": False}}, ("dlp", "outbound_on_match"), "not a boolean"),
        ({**A, "dlp": {"inbound_on_match": True}}, ("dlp", "inbound_on_match"), "block, warn, off"),
        ({**A, "matches": []}, ("matches",), "must not be empty"),
        ({**A, "matches": {}}, ("matches",), "must be a list"),
        ({**A, "matches": [{}]}, ("matches", 0), "would match everything"),
        (with_match(path=[]), ("matches", 0, "path"), "accepted are headers, methods, paths"),
        (with_match(paths=[]), ("matches", 0, "paths"), "must not be empty"),
        (with_match(paths=["/a"]), ("matches", 0, "paths", 0), "must be a mapping"),
        (with_match(paths=[{"type": "exact"}]), ("matches", 0, "paths", 0), "needs the key 'value'"),
        (with_match(paths=[{"value": "a"}]), ("matches", 0, "paths", 0, "value"), "starts with '/'"),
        (with_match(paths=[{"value": "/a/../b"}]), ("matches", 0, "paths", 0, "value"), "compared as '/b'"),
        (with_match(paths=[{"value": "/a%2Fb"}]), ("matches", 0, "paths", 0, "value"), "encoded slash"),
        (with_match(paths=[{"value": "/" + "a" * 1024}]), ("matches", 0, "paths", 0, "value"), "1 to 1024"),
        (
            with_match(paths=[{"value": "/", "type": "glob"}]),
            ("matches", 0, "paths", 0, "type"),
            "prefix, exact, regex",
        ),
        (with_match(paths=[{"value": "(", "type": "regex"}]), ("matches", 0, "paths", 0, "value"), "RE2"),
        (with_match(paths=[{"value": "(?=a)", "type": "regex"}]), ("matches", 0, "paths", 0, "value"), "RE2"),
        (with_match(methods=["get"]), ("matches", 0, "methods", 0), "must be one of GET"),
        (with_match(methods=["PROPFIND"]), ("matches", 0, "methods", 0), "must be one of GET"),
        (with_match(methods=[1]), ("matches", 0, "methods", 0), "not a number"),
        (with_match(methods=["GET", "GET"]), ("matches", 0, "methods", 1), "stands twice"),
        (with_match(headers=[{"name": "x"}]), ("matches", 0, "headers", 0), "needs the key 'value'"),
        (
            with_match(headers=[{"name": "x y", "value": "1"}]),
            ("matches", 0, "headers", 0, "name"),
            "a header's name",
        ),
        (
            with_match(headers=[{"name": "Host", "value": "1"}]),
            ("matches", 0, "headers", 0, "name"),
            "connection",
        ),
        (
            with_match(headers=[{"name": "x", "value": 1}]),
            ("matches", 0, "headers", 0, "value"),
            "not a number",
        ),
        (
            with_match(headers=[{"name": "x", "value": "[", "type": "regex"}]),
            ("matches", 0, "headers", 0, "value"),
            "RE2",
        ),
        (
            with_match(headers=[{"name": "x", "value": "1", "type": "prefix"}]),
            ("matches", 0, "headers", 0, "type"),
            "exact, regex",
        ),
    ],
)
@pytest.mark.parametrize("dialect", Dialect)
def test_refused(dialect: Dialect, raw: object, path: tuple[str | int, ...], words: str) -> None:
    """In both dialects: the message says what is wrong, the path says where."""
    with pytest.raises(ConfigError) as caught:
        decode_route(raw, dialect, path=("routes", 3))
    assert caught.value.path == ("routes", 3, *path)
    assert words in caught.value.message


def auth(*entries: object, **keys: object) -> dict[str, object]:
    return {**A, "auth": list(entries) if entries else keys}


@pytest.mark.parametrize(
    ("dialect", "raw", "path", "words"),
    [
        (FILE, {**A, "auth_scheme": "Bearer"}, (), "needs the key 'token_env'"),
        (FILE, {**A, "token_env": "T"}, (), "needs the key 'auth_scheme'"),
        (
            FILE,
            {**A, "auth_scheme": "bearer", "token_env": "T"},
            ("auth_scheme",),
            "Bearer, token, Basic, raw",
        ),
        (FILE, {**A, "auth_scheme": "raw", "token_env": "T"}, ("auth_scheme",), "under 'auth'"),
        (FILE, {**A, "auth_scheme": "Bearer", "token_env": ""}, ("token_env",), "1 to"),
        (FILE, {**A, "auth_scheme": "Bearer", "token_env": "a-b"}, ("token_env",), "name a variable"),
        (
            FILE,
            {**A, "auth_scheme": "Bearer", "token_env": "T", "auth": {"scheme": "passthrough"}},
            ("auth",),
            "in one form",
        ),
        (FILE, auth(scheme="Bearer", token_env="T"), ("auth",), "must be a list"),
        (FILE, {**A, "auth": []}, ("auth",), "must not be empty"),
        (FILE, {**A, "auth": False}, ("auth",), "must be a list"),
        (FILE, auth({"scheme": "passthrough"}), ("auth", 0, "scheme"), "stands alone"),
        (FILE, auth(scheme="passthrough", header="X"), ("auth", "header"), "accepted are scheme"),
        (
            FILE,
            auth({"scheme": "Bearer", "token_ref": "T"}),
            ("auth", 0, "token_ref"),
            "header, scheme, token_env",
        ),
        (FILE, auth({"scheme": "Bearer"}), ("auth", 0), "needs the key 'token_env'"),
        (FILE, auth({"token_env": "T"}), ("auth", 0), "needs the key 'scheme'"),
        (
            FILE,
            auth({"scheme": "raw", "header": "Host", "token_env": "T"}),
            ("auth", 0, "header"),
            "proxy's own header",
        ),
        (
            FILE,
            auth({"scheme": "raw", "header": "content-length", "token_env": "T"}),
            ("auth", 0, "header"),
            "proxy's own header",
        ),
        (
            FILE,
            auth({"scheme": "raw", "header": "a:b", "token_env": "T"}),
            ("auth", 0, "header"),
            "header's name",
        ),
        (
            FILE,
            auth(
                {"scheme": "raw", "header": "X-Key", "token_env": "T"},
                {"scheme": "raw", "header": "x-key", "token_env": "U"},
            ),
            ("auth", 1),
            "stands twice",
        ),
        (
            FILE,
            {**auth({"scheme": "raw", "header": "X-Key", "token_env": "T"}), "headers": ["x-key"]},
            ("headers", 0),
            "injected on this route",
        ),
        (FILE, {"host": "*.a.example", "auth_scheme": "Bearer", "token_env": "T"}, ("host",), "exact host"),
        (FILE, {**A, "provider": 1}, ("provider",), "must be a string"),
        (MANIFEST, {**A, "auth_scheme": "Bearer", "token_env": "T"}, ("auth_scheme",), "unknown key"),
        (MANIFEST, {**A, "provider": "claude"}, ("provider",), "unknown key"),
        (MANIFEST, auth(scheme="Bearer", token_env="T"), ("auth", "token_env"), "header, scheme, token_ref"),
        (MANIFEST, auth(scheme="Bearer"), ("auth",), "needs the key 'token_ref'"),
        (MANIFEST, auth(scheme="Digest", token_ref="T"), ("auth", "scheme"), "Bearer, token, Basic, raw"),
        (MANIFEST, auth(scheme=1, token_ref="T"), ("auth", "scheme"), "not a number"),
        (
            MANIFEST,
            {"host": "*.a.example", **{"auth": {"scheme": "raw", "token_ref": "T"}}},
            ("host",),
            "exact host",
        ),
    ],
)
def test_credential_refused(
    dialect: Dialect, raw: dict[str, object], path: tuple[str | int, ...], words: str
) -> None:
    """One form per dialect, never two at once, never on a wildcard, never in a framing header."""
    with pytest.raises(ConfigError) as caught:
        decode_route(raw, dialect)
    assert caught.value.path == path
    assert words in caught.value.message


@pytest.mark.parametrize("value", ["sk-very-secret-value", "ghp_abc def", "1TOKEN"])
def test_a_value_in_the_place_of_a_name_is_not_shown(value: str) -> None:
    """Somebody who writes the credential itself into the file does not see it in the error."""
    with pytest.raises(ConfigError) as caught:
        decode_route({**A, "auth_scheme": "Bearer", "token_env": value}, FILE)
    assert value not in str(caught.value)


def test_duplicate_hosts() -> None:
    """One route per host, whatever its spelling; a wildcard is another one."""
    for one, other in [("a.example", "A.Example."), ("b\u00fccher.example", "xn--bcher-kva.example")]:
        with pytest.raises(ConfigError, match="two routes") as caught:
            decode_routes([{"host": one}, {"host": other}], MANIFEST, path=("egress", "routes"))
        assert caught.value.path == ("egress", "routes", 1, "host")
    assert len(decode_routes([{"host": "a.example"}, {"host": "*.a.example"}], FILE)) == 2


def test_route_list_bounds() -> None:
    """At most 1,000 routes, and a list."""
    assert decode_routes([], FILE) == ()
    with pytest.raises(ConfigError, match="at most 1000"):
        decode_routes([{"host": "a.example"}] * 1001, FILE)
    with pytest.raises(ConfigError, match="must be a list"):
        decode_routes({}, FILE)


@pytest.mark.parametrize(
    ("raw", "path", "words"),
    [
        ({"log": 3}, ("log",), "from 0 to 2"),
        ({"log": True}, ("log",), "not a boolean"),
        ({"log": "1"}, ("log",), "not a string"),
        ({"logs": 1}, ("logs",), "unknown key"),
        ({"routes": {}}, ("routes",), "must be a list"),
        ({"routes": [{"host": "a b"}]}, ("routes", 0, "host"), "not a host name"),
        ({"extra_ca": ["x"]}, ("extra_ca",), "must be a string"),
        ({"on_taint": "x"}, ("on_taint",), "note, tighten"),
        ({"provider_features": "x"}, ("provider_features",), "must be a list"),
        ({"provider_features": ["x", "x"]}, ("provider_features", 1), "stands twice"),
        ({"provider_schema": "off"}, ("provider_schema",), "enforce, log"),
        ({"upstream_proxy": "http://p.example:3128"}, ("upstream_proxy",), "must be a mapping"),
        ({"upstream_proxy": {}}, ("upstream_proxy",), "needs the key 'url'"),
        ({"upstream_proxy": {"url": "p.example:3128"}}, ("upstream_proxy", "url"), "http://HOST:PORT"),
        ({"upstream_proxy": {"url": "http://p.example"}}, ("upstream_proxy", "url"), "http://HOST:PORT"),
        ({"upstream_proxy": {"url": "http://p.example:x"}}, ("upstream_proxy", "url"), "http://HOST:PORT"),
        ({"upstream_proxy": {"url": "socks5://p.example:1"}}, ("upstream_proxy", "url"), "http://HOST:PORT"),
        ({"upstream_proxy": {"url": "http://u:p@p.example:1"}}, ("upstream_proxy", "url"), "token_env"),
        ({"upstream_proxy": {"url": "http://p.example:1/x"}}, ("upstream_proxy", "url"), "http://HOST:PORT"),
        (
            {"upstream_proxy": {"url": "http://p.example:1", "resolve": "x"}},
            ("upstream_proxy", "resolve"),
            "local or remote",
        ),
        (
            {"upstream_proxy": {"url": "http://p.example:1", "token_env": "-"}},
            ("upstream_proxy", "token_env"),
            "name a variable",
        ),
        (
            {"upstream_proxy": {"url": "http://p.example:1", "token_ref": "T"}},
            ("upstream_proxy", "token_ref"),
            "unknown key",
        ),
    ],
)
def test_policy_refused(raw: dict[str, object], path: tuple[str | int, ...], words: str) -> None:
    """The top level is as strict as the routes."""
    with pytest.raises(ConfigError) as caught:
        decode_policy(raw)
    assert caught.value.path == path
    assert words in caught.value.message


def test_settings_of_a_manifest() -> None:
    """The keys beside the routes are the same in a manifest, but for the token's name."""
    raw = {
        "extra_ca": "/ca.pem",
        "upstream_proxy": {"url": "http://p.example:3128", "token_ref": "P", "resolve": "remote"},
        "on_taint": "note",
        "provider_features": ["web_search"],
        "provider_schema": "log",
        "routes": "not looked at",
    }
    assert decode_settings(raw, MANIFEST) == Policy(
        extra_ca="/ca.pem",
        upstream_proxy=UpstreamProxy("http://p.example:3128", "P", resolve_remote=True),
        on_taint=OnTaint.NOTE,
        provider_features=("web_search",),
        provider_schema=ProviderSchema.LOG,
    )
    with pytest.raises(ConfigError) as caught:
        decode_settings({"on_taint": 1}, MANIFEST, path=("egress",))
    assert caught.value.path == ("egress", "on_taint")


def test_text() -> None:
    """A routes file is plain YAML: an empty one opens nothing, a broken or tricky one is refused."""
    assert load_policy("") == Policy()
    assert load_policy("routes:\n- host: a.example\n  ports: [8443]\n").routes == (
        Route("a.example", ports=(8443,)),
    )
    for text in ("routes: [", "routes: &a []\nlog: *a", "log: 1\nlog: 2", "- host: a.example"):
        with pytest.raises(YamlError):
            load_policy(text)


def test_version_names_the_text() -> None:
    """SHA-256 of the text, so any change shows."""
    assert policy_version("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert policy_version("log: 1\n") != policy_version("log: 1")


CLAUDE = Route("api.anthropic.com", provider="claude")


def test_effective_routes() -> None:
    """The provider's come first; others are added."""
    other = Route("a.example")
    assert effective_routes([CLAUDE], [other]) == (CLAUDE, other)
    assert effective_routes([], [other, Route("*.a.example")])[0] == other
    wildcard = Route("*.anthropic.com")
    assert effective_routes([CLAUDE], [wildcard]) == (CLAUDE, wildcard)


@pytest.mark.parametrize(
    ("owned", "host"),
    [
        ("api.anthropic.com", "api.anthropic.com"),
        ("*.model.example", "a.model.example"),
        ("*.model.example", "*.a.model.example"),
        ("*.model.example", "*.model.example"),
    ],
)
def test_the_providers_host_is_its_own(owned: str, host: str) -> None:
    """A manifest route for it is an error that names both; a more exact one would take the host over."""
    with pytest.raises(ConfigError) as caught:
        effective_routes([Route(owned, provider="claude")], [Route("b.example"), Route(host)])
    assert caught.value.path == (1, "host")
    for word in ("'claude'", repr(host), "routes[1]"):
        assert word in caught.value.message


def test_effective_routes_have_no_duplicates() -> None:
    """Two manifests' routes for one host are refused here as well."""
    with pytest.raises(ConfigError, match="two routes"):
        effective_routes([], [Route("a.example"), Route("a.example")])
