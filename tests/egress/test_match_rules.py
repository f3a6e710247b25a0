"""``matches`` mean what the Gateway API says; the host look-up is exact before wildcard, longer before shorter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.egress.config import (
    ConfigError,
    HeaderMatch,
    HeaderMatchType,
    Match,
    PathMatch,
    PathType,
    Policy,
    Route,
)
from bot_bottle.egress.headers import Headers
from bot_bottle.egress.match import compile_policy
from bot_bottle.egress.regex import BadPattern, Pattern


def matching(match: Match, method: str = "GET", path: str = "/", headers: Headers = ()) -> bool:
    compiled = compile_policy(Policy((Route("a.example", matches=(match,)),))).lookup("a.example")
    assert compiled is not None
    return compiled.matching(method, path, headers) is not None


@pytest.mark.parametrize(
    ("prefix", "path", "holds"),
    [
        ("/", "/", True),
        ("/", "/anything/at/all", True),
        ("/abc", "/abc", True),
        ("/abc", "/abc/", True),
        ("/abc", "/abc/def", True),
        ("/abc", "/abcd", False),
        ("/abc", "/abc;x", False),
        ("/abc", "/ab", False),
        ("/abc", "/ABC", False),
        ("/abc", "/x/abc", False),
        ("/abc/", "/abc", True),
        ("/abc/", "/abc/def", True),
        ("/abc/", "/abcd", False),
    ],
)
def test_prefix(prefix: str, path: str, holds: bool) -> None:
    """A prefix covers whole path elements; its trailing slash does not count."""
    assert matching(Match(paths=(PathMatch(prefix),)), path=path) is holds


@pytest.mark.parametrize(
    ("value", "path", "holds"),
    [("/abc", "/abc", True), ("/abc", "/abc/", False), ("/abc", "/abc/d", False), ("/abc/", "/abc", False)],
)
def test_exact(value: str, path: str, holds: bool) -> None:
    """Exact is exact."""
    assert matching(Match(paths=(PathMatch(value, PathType.EXACT),)), path=path) is holds


@pytest.mark.parametrize(
    ("value", "path", "holds"),
    [
        ("/v[0-9]+/x", "/v12/x", True),
        ("/v[0-9]+/x", "/v12/x/y", False),
        ("/v[0-9]+", "/a/v1", False),
        ("/a|/b", "/b", True),
        ("/a|/b", "/bc", False),
        ("/.*", "/a\nb", False),
    ],
)
def test_regex(value: str, path: str, holds: bool) -> None:
    """An expression is matched whole, alternatives included."""
    assert matching(Match(paths=(PathMatch(value, PathType.REGEX),)), path=path) is holds


HEADER = Match(headers=(HeaderMatch("X-Team", "a"), HeaderMatch("x-env", "t.*", HeaderMatchType.REGEX)))


@pytest.mark.parametrize(
    ("headers", "holds"),
    [
        ((("x-team", "a"), ("X-Env", "test")), True),
        ((("X-TEAM", "a"), ("X-Env", "test"), ("Other", "b")), True),
        ((("x-team", "a"),), False),
        ((("x-team", "A"), ("x-env", "test")), False),
        ((("x-team", "a, b"), ("x-env", "test")), False),
        ((("x-team", "a"), ("x-team", "a"), ("x-env", "test")), False),
        ((("x-team", "a"), ("X-Team", "b"), ("x-env", "test")), False),
        ((("x-team", "a"), ("x-env", "atest")), False),
        ((("x_team", "a"), ("x-env", "test")), False),
        ((("x-team", "a"), ("x_team", "a"), ("x-env", "test")), False),
        ((), False),
    ],
)
def test_headers(headers: Headers, holds: bool) -> None:
    """All rules hold; names in any case; a field that stands twice or holds a list satisfies nothing."""
    assert matching(HEADER, headers=headers) is holds


def test_one_entry_needs_all_its_parts() -> None:
    """Any path, any method, all headers, in one entry."""
    match = Match(
        paths=(PathMatch("/a"), PathMatch("/b")), methods=("GET", "HEAD"), headers=(HeaderMatch("x", "1"),)
    )
    held: Headers = (("x", "1"),)
    assert matching(match, "GET", "/b/c", held)
    assert matching(match, "HEAD", "/a", held)
    assert not matching(match, "POST", "/a", held)
    assert not matching(match, "GET", "/c", held)
    assert not matching(match, "GET", "/a")


def test_any_entry_suffices() -> None:
    """Entries are alternatives, and the first that holds is named; none given: everything."""
    route = Route("a.example", matches=(Match(methods=("GET",)), Match(paths=(PathMatch("/w"),))))
    found = compile_policy(Policy((route, Route("b.example")))).lookup("a.example")
    assert found is not None
    assert found.matching("GET", "/w", ()) == 0
    assert found.matching("POST", "/w", ()) == 1
    assert found.matching("POST", "/x", ()) is None
    other = compile_policy(Policy((Route("b.example"),))).lookup("b.example")
    assert other is not None and other.matching("DELETE", "/", ()) == -1


HOSTS = ("example.com", "*.example.com", "*.a.example.com", "b.a.example.com", "192.0.2.1", "*.0.2.example")


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("example.com", "example.com"),
        ("x.example.com", "*.example.com"),
        ("a.example.com", "*.example.com"),
        ("x.a.example.com", "*.a.example.com"),
        ("b.a.example.com", "b.a.example.com"),
        ("x.b.a.example.com", "*.a.example.com"),
        ("evilexample.com", None),
        ("example.com.evil.example", None),
        ("com", None),
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.2", None),
        ("::1", None),
        ("2001:db8::1", None),
    ],
)
def test_look_up(host: str, found: str | None) -> None:
    """Exact beats wildcard, the longer wildcard the shorter one."""
    policy = compile_policy(Policy(tuple(Route(name) for name in HOSTS)))
    route = policy.find(host)
    assert (None if route is None else route.host) == found


@given(st.sampled_from(HOSTS), st.permutations(HOSTS))
def test_order_of_routes_means_nothing(host: str, order: list[str]) -> None:
    """The look-up does not depend on the order in the file."""
    host = host.replace("*", "x")
    one = compile_policy(Policy(tuple(Route(name) for name in HOSTS))).find(host)
    assert one == compile_policy(Policy(tuple(Route(name) for name in order))).find(host)


@pytest.mark.parametrize(
    "policy",
    [
        Policy((Route("a.example"), Route("a.example"))),
        Policy((Route("a.example", preset="github"),)),
        Policy((Route("a.example", matches=(Match(paths=(PathMatch("/(", PathType.REGEX),)),)),)),
        Policy(
            (
                Route(
                    "a.example", matches=(Match(headers=(HeaderMatch("x", "(?=a)", HeaderMatchType.REGEX),)),)
                ),
            )
        ),
    ],
)
def test_what_does_not_compile(policy: Policy) -> None:
    """Two routes for one host, a preset that nobody expanded, expressions that RE2 does not take."""
    with pytest.raises(ConfigError) as caught:
        compile_policy(policy)
    assert caught.value.path[0] == "routes"


def test_open_ports() -> None:
    """The default ones, and every one that a route names."""
    assert compile_policy(Policy((Route("a.example", ports=(8443,)), Route("b.example")))).ports == {
        80,
        443,
        8443,
    }


@pytest.mark.parametrize(
    "pattern", ["(", "a(?=b)", r"(a)\1", "(?<=a)b", "[z-a]", "a{2000}", "((a{900}){900}){9}"]
)
def test_bad_patterns(pattern: str, capfd: pytest.CaptureFixture[str]) -> None:
    """What RE2 does not take is an error of ours, and nothing is written to the terminal."""
    with pytest.raises(BadPattern):
        Pattern(pattern)
    assert pattern not in capfd.readouterr().err


def test_no_backtracking() -> None:
    """A pattern that takes exponential time in Python's engine is decided here."""
    assert not Pattern("(a*)*b").holds("a" * 5000)
