"""Routes made ready to be asked: host look-up and ``matches``, compiled once per policy.

Meaning of ``matches``: the Kubernetes Gateway API's HTTPRoute; regular expressions run on RE2, whole.
Stricter than there: a header that stands twice satisfies no rule (which of them the server reads is not
known), and a list in one field is compared as it stands (threats D7).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot_bottle.egress.address import METADATA_NAMES
from bot_bottle.egress.config import (
    DEFAULT_PORTS,
    ConfigError,
    HeaderMatch,
    HeaderMatchType,
    Match,
    PathMatch,
    PathType,
    Policy,
    Route,
)
from bot_bottle.egress.forge_writes import is_forge
from bot_bottle.egress.headers import HeaderPlan, Headers, field_key, is_guarded, plan_headers
from bot_bottle.egress.hosts import HOST_ALIAS, ip_literal
from bot_bottle.egress.regex import BadPattern, Pattern

Test = Callable[[str], bool]

_BY_ITS_NAME_ONLY = METADATA_NAMES | {HOST_ALIAS}


@dataclass(frozen=True)
class CompiledMatch:
    """One entry of ``matches``."""

    paths: tuple[Test, ...]
    methods: frozenset[str]
    headers: tuple[tuple[str, Test], ...]
    """name in lower case, and test of the value"""

    def holds(self, method: str, path: str, headers: Headers) -> bool:
        """Any of the paths, any of the methods, all of the headers; what is empty holds."""
        if self.methods and method not in self.methods:
            return False
        if self.paths and not any(test(path) for test in self.paths):
            return False
        return all(_header_holds(name, test, headers) for name, test in self.headers)


@dataclass(frozen=True)
class CompiledRoute:
    """A route and its rules, ready to be asked."""

    route: Route
    matches: tuple[CompiledMatch, ...]
    headers: HeaderPlan
    judges_method: bool
    """some entry of ``matches`` names methods"""
    guarded: bool
    """:func:`headers.is_guarded`"""
    forge: bool
    """:func:`forge_writes.is_forge`"""

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports that requests may go to."""
        return self.route.ports or DEFAULT_PORTS

    def matching(self, method: str, path: str, headers: Headers) -> int | None:
        """The index of the first entry of ``matches`` that holds; -1 when the route has none; None: nothing
        holds. *path* is canonical, *headers* are :func:`headers.end_to_end`."""
        if not self.matches:
            return -1
        for index, match in enumerate(self.matches):
            if match.holds(method, path, headers):
                return index
        return None


@dataclass(frozen=True)
class CompiledPolicy:
    """A policy and its look-up tables; immutable, shared by all flows. Made by :func:`compile_policy`."""

    policy: Policy
    routes: Mapping[str, CompiledRoute] = field(repr=False)
    """by ``host``, wildcards under their pattern"""
    ports: frozenset[int]
    """every port that some route opens, and :data:`DEFAULT_PORTS`"""

    def lookup(self, host: str) -> CompiledRoute | None:
        """The one route for canonical *host*: exact before wildcard, the longer wildcard first. A wildcard
        covers no address, nor the operator's own machine (ruling 8: its route names it), nor a metadata
        service."""
        found = self.routes.get(host)
        if found is not None or ip_literal(host) is not None or host in _BY_ITS_NAME_ONLY:
            return found
        rest = host
        while found is None and "." in rest:
            rest = rest.partition(".")[2]
            found = self.routes.get(f"*.{rest}")
        return found

    def find(self, host: str) -> Route | None:
        """The route of :meth:`lookup`."""
        found = self.lookup(host)
        return None if found is None else found.route


def compile_policy(policy: Policy) -> CompiledPolicy:
    """Compile *policy*; raises :class:`ConfigError` for two routes of one host, an expression that RE2 does
    not take, and a preset that nobody has expanded."""
    routes: dict[str, CompiledRoute] = {}
    ports = set(DEFAULT_PORTS)
    for index, route in enumerate(policy.routes):
        path = ("routes", index)
        if route.preset is not None:
            raise ConfigError(
                f"preset {route.preset!r} is not expanded: write its routes out", (*path, "preset")
            )
        if route.host in routes:
            raise ConfigError(f"host {route.host!r} has two routes: keep one", (*path, "host"))
        try:
            matches = tuple(_compile_match(match) for match in route.matches)
        except BadPattern as error:
            raise ConfigError(str(error), (*path, "matches")) from error
        routes[route.host] = CompiledRoute(
            route,
            matches,
            headers=plan_headers(route),
            judges_method=any(match.methods for match in matches),
            guarded=is_guarded(route),
            forge=is_forge(route),
        )
        ports.update(route.ports)
    return CompiledPolicy(policy, routes, frozenset(ports))


def _compile_match(match: Match) -> CompiledMatch:
    return CompiledMatch(
        paths=tuple(_compile_path(item) for item in match.paths),
        methods=frozenset(match.methods),
        headers=tuple((item.name.lower(), _compile_header(item)) for item in match.headers),
    )


def _compile_path(item: PathMatch) -> Test:
    if item.type is PathType.REGEX:
        return Pattern(item.value).holds
    if item.type is PathType.EXACT:
        return item.value.__eq__
    stem = item.value.rstrip("/")
    below = f"{stem}/"
    return lambda path: path == stem or path.startswith(below)


def _compile_header(item: HeaderMatch) -> Test:
    return Pattern(item.value).holds if item.type is HeaderMatchType.REGEX else item.value.__eq__


def _header_holds(name: str, test: Test, headers: Headers) -> bool:
    """``X_Env`` beside ``X-Env`` counts as twice, and alone as none: servers differ in whether they are one."""
    wanted = field_key(name)
    values = [(key, value) for key, value in headers if field_key(key) == wanted]
    return len(values) == 1 and values[0][0].lower() == name and test(values[0][1])
