"""``egress`` of a bottle: the keys of a manifest onto the types of ``egress.config``.

Routes and policy values are decoded by ``egress.codec``, the one decoder for manifests and routes files;
here its errors get file, line and full key path.
"""

from __future__ import annotations

from bot_bottle.base.yamltext import KeyPath
from bot_bottle.egress.codec import decode_route, decode_settings
from bot_bottle.egress.config import ConfigError, Dialect, Policy, Route
from bot_bottle.manifest.fields import fail, integer, kind, known_keys, optional, string
from bot_bottle.manifest.keys import below
from bot_bottle.manifest.paths import Paths
from bot_bottle.manifest.schema import EgressConfig
from bot_bottle.manifest.tree import ManifestError, Node, Place, plain


def egress(node: Node, paths: Paths) -> tuple[EgressConfig, Node]:
    """The typed value, and the node with the routes that were kept (same indexes as the value's)."""
    entries = dict(known_keys(node, below("bottle", "egress")))
    log = optional(entries, "log", _log, 0)
    extra_ca = optional(entries, "extra_ca", lambda child: _ca_file(child, paths), None)
    rest = {key: child for key, child in entries.items() if key not in ("log", "extra_ca", "routes")}
    policy = _policy(node, rest)
    routes: tuple[Route, ...] = ()
    if "routes" in entries:
        routes, entries["routes"] = _routes(entries["routes"])
    config = EgressConfig(
        log=log,
        routes=routes,
        extra_ca=extra_ca,
        upstream_proxy=policy.upstream_proxy,
        on_taint=policy.on_taint,
        provider_features=policy.provider_features,
        provider_schema=policy.provider_schema,
    )
    return config, Node(entries, node.place)


def _log(node: Node) -> int:
    return integer(node, least=0, most=2)


def _ca_file(node: Node, paths: Paths) -> str:
    return paths.beside(Node(string(node), node.place))


def _policy(node: Node, entries: dict[str, Node]) -> Policy:
    """Everything but log, extra_ca and routes."""
    try:
        return decode_settings({key: plain(child) for key, child in entries.items()}, Dialect.MANIFEST)
    except ConfigError as error:
        raise ManifestError(error.message, node.at(error.path)) from error


def _routes(node: Node) -> tuple[tuple[Route, ...], Node]:
    """One route a host. The same definition from two files is kept once, two different ones are an error
    that names both places; in one list even the same one twice is a mistake."""
    if not isinstance(node.value, list):
        fail(node, f"must be a list of routes, not {kind(node.value)}")
    kept: dict[str, tuple[Route, Node]] = {}
    for item in node.value:
        route = _route(item)
        name = route.host or f"preset {route.preset}"
        first = kept.setdefault(name, (route, item))
        if first[1] is item:
            continue
        if first[0] != route or _list(first[1].place) == _list(item.place):
            raise ManifestError(
                f"host {name!r} has a route already at {first[1].place}: keep one definition",
                item.at(("host",)),
            )
    routes = tuple(route for route, _ in kept.values())
    return routes, Node([item for _, item in kept.values()], node.place)


def _list(place: Place) -> tuple[str, KeyPath]:
    """Which list of which file an item stands in."""
    return place.file, place.path[:-1]


def _route(item: Node) -> Route:
    try:
        return decode_route(plain(item), Dialect.MANIFEST)
    except ConfigError as error:
        raise ManifestError(error.message, item.at(error.path)) from error
