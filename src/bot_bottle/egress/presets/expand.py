"""Presets to routes: done by a launch and by ``proxy``, never by what judges requests (ruling 59)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

from bot_bottle.egress.config import ConfigError, Match, Route
from bot_bottle.egress.presets.forges import FORGES
from bot_bottle.egress.presets.models import MODELS
from bot_bottle.egress.presets.names import PRESETS, Kind
from bot_bottle.egress.presets.parts import Host, Preset
from bot_bottle.egress.presets.registries import REGISTRIES

GateRepos = Mapping[str, tuple[str, ...]]
"""Repositories of the git gate by host: what a forge's preset names where its route does not."""


def expand(routes: Sequence[Route], gate: GateRepos | None = None) -> tuple[Route, ...]:
    """*routes* with those of presets in their place; the result has none.

    Raises :class:`ConfigError` whose path begins with the index of the route: two routes for one host, a forge
    without repositories.
    """
    out: list[Route] = []
    sources: dict[str, int] = {}
    for index, route in enumerate(routes):
        try:
            made = (route,) if route.preset is None else routes_of(route, gate or {})
        except ConfigError as error:
            raise ConfigError(error.message, (index, *error.path)) from error
        for one in made:
            first = sources.setdefault(one.host, index)
            if first != index:
                raise ConfigError(_twice(one.host, first, routes[first], route), (index, "preset"))
        out += made
    return tuple(out)


def _twice(host: str, first: int, other: Route, route: Route) -> str:
    named = f"the preset {other.preset!r} (routes[{first}])" if other.preset else f"routes[{first}]"
    what = f"the preset {route.preset!r} opens host" if route.preset else "host"
    return f"{what} {host!r}, which {named} opens too: keep one of the two"


def routes_of(route: Route, gate: GateRepos) -> tuple[Route, ...]:
    """The routes that the preset of *route* stands for."""
    preset = preset_of(route, gate)
    assert route.preset is not None
    words = route.access or PRESETS[route.preset].access[:1]
    hosts = _merged([host for word in words for host in preset.access[word]], route)
    return tuple(_route(route, host) for host in hosts)


def preset_of(route: Route, gate: GateRepos) -> Preset:
    """Its rules; of a forge those for its repositories."""
    name = route.preset
    assert name is not None
    match PRESETS[name].kind:
        case Kind.REGISTRY:
            return REGISTRIES[name]
        case Kind.MODEL:
            return MODELS[name]
        case Kind.FORGE:
            repos = route.repos or gate.get(route.host or f"{name}.com", ())
            if not repos:
                raise ConfigError(
                    f"preset {name!r} has no repository: name them under 'repos' as owner/name", ("repos",)
                )
            return FORGES[name](route.host, repos)
        case never:
            assert_never(never)


def _merged(hosts: list[Host], route: Route) -> list[Host]:
    """One entry a host. ``host`` of the route: that one of the preset's, or, where it is none of them, all that
    the preset opens, there."""
    public = {host.host for host in hosts}
    if route.host in public:
        hosts = [host for host in hosts if host.host == route.host]
    by_name: dict[str, Host] = {}
    for host in hosts:
        own = bool(route.host) and route.host not in public
        name = route.host if own else host.host
        known = by_name.get(name)
        by_name[name] = Host(
            name,
            _without_doubles((*(known.matches if known else ()), *host.matches)),
            host.pages,
            ports=host.ports,
            headers=_joined(known.headers if known else (), host.headers),
            git_fetch=host.git_fetch or (known is not None and known.git_fetch),
            credential=own or host.credential or (known is not None and known.credential),
        )
    return list(by_name.values())


def _without_doubles(matches: tuple[Match, ...]) -> tuple[Match, ...]:
    return tuple(dict.fromkeys(matches))


def _joined(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if one is None or other is None:
        return None
    return tuple(dict.fromkeys((*one, *other)))


def _route(route: Route, host: Host) -> Route:
    """*host*'s rules with what *route* says beside its preset."""
    injected = {inject.header.lower() for inject in route.auth} if isinstance(route.auth, tuple) else set()
    names = _joined(host.headers, route.headers or ())
    if names is not None and host.credential:
        names = tuple(name for name in names if name.lower() not in injected)
    return Route(
        host.host,
        ports=route.ports or host.ports,
        auth=route.auth if host.credential else (),
        matches=host.matches,
        git_fetch=host.git_fetch,
        dlp=route.dlp,
        headers=names,
        allow_private=route.allow_private,
        meter=route.meter if host.credential else None,
    )
