"""Routes and policies, to and from plain data: the one decoder for manifest and routes file.

Strict: unknown keys, wrong types and everything that has two readings are a :class:`ConfigError` with the
key's path. What is accepted encodes back to an equal value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from msgspec.structs import replace

from bot_bottle.base import yamltext
from bot_bottle.base.yamltext import KeyPath, dotted
from bot_bottle.egress import fields, rules
from bot_bottle.egress.address import METADATA_NAMES, check_connect_to
from bot_bottle.egress.config import (
    ConfigError,
    Dialect,
    Meter,
    MeterFormat,
    OnTaint,
    Passthrough,
    Policy,
    ProviderSchema,
    Route,
    UpstreamProxy,
)
from bot_bottle.egress.credential import TOKEN_KEY, auth_keys, decode_auth, encode_auth
from bot_bottle.egress.headers import FRAMING
from bot_bottle.egress.hosts import HOST_ALIAS, BadHost, canonical_route_host, ip_literal, wildcard_matches
from bot_bottle.egress.preset_keys import check_preset_route, decode_preset

MAX_ROUTES = 1000
MAX_PORTS = 64
MAX_HEADERS = 64
MAX_FEATURES = 64
MAX_PATH_CHARS = 4096
"""PATH_MAX, for names of files"""

_ROUTE_KEYS = (
    "host", "ports", "matches", "git", "dlp", "headers", "allow_private", "meter", "preset", "access",
    "repos",
)  # fmt: skip
_POLICY_KEYS = (
    "log", "routes", "extra_ca", "upstream_proxy", "on_taint", "provider_features", "provider_schema"
)  # fmt: skip


def decode_route(raw: object, dialect: Dialect, *, path: KeyPath = ()) -> Route:
    """One entry of ``routes``. *path* is where it stands; errors carry the full path.

    ``provider`` is read in a routes file only: a manifest can't make a provider's route.
    """
    try:
        return _decode_route(raw, dialect, path)
    except ConfigError as error:
        host = raw.get("host") if isinstance(raw, Mapping) else None
        if not isinstance(host, str) or error.path[len(path) :] == ("host",):
            raise
        raise ConfigError(f"{error.message} (route {host[:253]!r})", error.path) from error


def _decode_route(raw: object, dialect: Dialect, path: KeyPath) -> Route:
    accepted = (*_ROUTE_KEYS, *auth_keys(dialect), *(("provider",) if dialect is Dialect.ROUTES_FILE else ()))
    _refuse_reserved(raw, path)
    entry = fields.mapping(raw, accepted, path)
    preset, access, repos = decode_preset(entry, path)
    route = Route(
        host=_decode_host(entry, preset, path),
        ports=_decode_ports(entry, path),
        auth=decode_auth(entry, dialect, path),
        matches=rules.decode_matches(entry["matches"], (*path, "matches")) if "matches" in entry else (),
        git_fetch=_decode_git(entry, path),
        dlp=rules.decode_dlp(entry.get("dlp", {}), (*path, "dlp")),
        headers=_decode_headers(entry, path),
        allow_private=fields.boolean(entry.get("allow_private", False), (*path, "allow_private")),
        meter=_decode_meter(entry, path),
        preset=preset,
        access=access,
        repos=repos,
        provider=fields.text(entry["provider"], (*path, "provider")) if "provider" in entry else None,
    )
    _check_route(route, path)
    return route


def _refuse_reserved(raw: object, path: KeyPath) -> None:
    if isinstance(raw, Mapping):
        if "role" in raw:
            raise ConfigError("'role' is reserved for future use: remove it", (*path, "role"))
        if "http2" in raw:
            raise ConfigError("'http2' does not exist yet: remove it; HTTP/1.1 is offered", (*path, "http2"))


def _decode_host(entry: Mapping[str, object], preset: str | None, path: KeyPath) -> str:
    if preset is not None and "host" not in entry:
        return ""
    where = (*path, "host")
    raw = fields.text(fields.required(entry, "host", path), where, limit=1024)
    try:
        host = canonical_route_host(raw)
    except BadHost as error:
        raise ConfigError(f"{dotted(where)} is not a host name: {error}", where) from error
    literal = ip_literal(host)
    never = check_connect_to(literal) if literal is not None else None
    if host.removeprefix("*.") in METADATA_NAMES:
        never = "a cloud metadata service"
    if never is not None:
        raise ConfigError(f"{dotted(where)} is {never}, which no route may open: remove it", where)
    return host


def _decode_ports(entry: Mapping[str, object], path: KeyPath) -> tuple[int, ...]:
    if "ports" not in entry:
        return ()
    where = (*path, "ports")
    ports = tuple(
        fields.integer(item, item_path, low=1, high=65535)
        for item, item_path in fields.items(entry["ports"], where, limit=MAX_PORTS)
    )
    fields.unique(map(str, ports), where)
    return ports


def _decode_git(entry: Mapping[str, object], path: KeyPath) -> bool:
    where = (*path, "git")
    git = fields.mapping(entry.get("git", {}), ("fetch",), where)
    return fields.boolean(git.get("fetch", False), (*where, "fetch"))


def _decode_headers(entry: Mapping[str, object], path: KeyPath) -> tuple[str, ...] | None:
    """``false``: the standard list alone; no such key: None."""
    if "headers" not in entry:
        return None
    where = (*path, "headers")
    if entry["headers"] is False:
        return ()
    names = []
    for item, item_path in fields.items(entry["headers"], where, limit=MAX_HEADERS):
        name = fields.header_name(item, item_path)
        if name.lower() in FRAMING:
            raise ConfigError(f"{name!r} is the proxy's own header: remove it", item_path)
        if name.lower() == "authorization":
            raise ConfigError("'Authorization' passes with auth: {scheme: passthrough} only", item_path)
        names.append(name)
    fields.unique((name.lower() for name in names), where)
    return tuple(names)


def _decode_meter(entry: Mapping[str, object], path: KeyPath) -> Meter | None:
    if "meter" not in entry:
        return None
    where = (*path, "meter")
    meter = fields.mapping(entry["meter"], ("provider", "format"), where)
    return Meter(
        provider=fields.text(fields.required(meter, "provider", where), (*where, "provider")),
        format=fields.choice(MeterFormat, fields.required(meter, "format", where), (*where, "format")),
    )


def _check_route(route: Route, path: KeyPath) -> None:
    """What no single key is to blame for."""
    if route.preset is not None:
        check_preset_route(route, path)
    credentialed = not isinstance(route.auth, Passthrough) and bool(route.auth)
    if credentialed and route.host.startswith("*."):
        raise ConfigError(
            f"{dotted(path)}: a wildcard route carries no credential: name the exact host", (*path, "host")
        )
    if route.host == HOST_ALIAS and not route.ports:
        raise ConfigError(f"{dotted(path)}: {HOST_ALIAS} needs the key 'ports'", (*path, "host"))
    if isinstance(route.auth, tuple):
        injected = {inject.header.lower() for inject in route.auth}
        for index, name in enumerate(route.headers or ()):
            if name.lower() in injected:
                raise ConfigError(f"{name!r} is injected on this route: remove it", (*path, "headers", index))


def decode_routes(raw: object, dialect: Dialect, *, path: KeyPath = ()) -> tuple[Route, ...]:
    """The whole list (it may be empty); also refuses duplicate hosts."""
    if not isinstance(raw, list):
        raise fields.wrong_type("a list", raw, path)
    if len(raw) > MAX_ROUTES:
        raise ConfigError(f"{len(raw)} routes: at most {MAX_ROUTES} are accepted", path)
    routes = tuple(decode_route(item, dialect, path=(*path, index)) for index, item in enumerate(raw))
    seen: set[str] = set()
    for index, route in enumerate(routes):
        if route.host and route.host in seen:
            raise ConfigError(f"host {route.host!r} has two routes: keep one", (*path, index, "host"))
        seen.add(route.host)
    return routes


def decode_policy(data: Mapping[str, object]) -> Policy:
    """A whole routes file (``log, routes, extra_ca, upstream_proxy, on_taint, provider_features,
    provider_schema``)."""
    top = fields.mapping(data, _POLICY_KEYS, ())
    settings = decode_settings(top, Dialect.ROUTES_FILE)
    return replace(
        settings,
        routes=decode_routes(top.get("routes", []), Dialect.ROUTES_FILE, path=("routes",)),
        log=fields.integer(top.get("log", 0), ("log",), low=0, high=2),
    )


def decode_settings(top: Mapping[str, object], dialect: Dialect, *, path: KeyPath = ()) -> Policy:
    """The keys beside ``log`` and ``routes`` (``extra_ca`` and so on) as a policy without routes; the same in
    both dialects but for the upstream proxy's token. Other keys are not looked at."""
    features: tuple[str, ...] = ()
    if "provider_features" in top:
        where = (*path, "provider_features")
        listed = fields.items(top["provider_features"], where, limit=MAX_FEATURES)
        features = tuple(fields.text(item, item_path) for item, item_path in listed)
        fields.unique(features, where)
    return Policy(
        extra_ca=(
            fields.text(top["extra_ca"], (*path, "extra_ca"), limit=MAX_PATH_CHARS)
            if "extra_ca" in top
            else None
        ),
        upstream_proxy=(
            _decode_upstream_proxy(top["upstream_proxy"], dialect, (*path, "upstream_proxy"))
            if "upstream_proxy" in top
            else None
        ),
        on_taint=fields.choice(OnTaint, top["on_taint"], (*path, "on_taint")) if "on_taint" in top else None,
        provider_features=features,
        provider_schema=(
            fields.choice(ProviderSchema, top["provider_schema"], (*path, "provider_schema"))
            if "provider_schema" in top
            else None
        ),
    )


def _decode_upstream_proxy(raw: object, dialect: Dialect, path: KeyPath) -> UpstreamProxy:
    token_key = TOKEN_KEY[dialect]
    entry = fields.mapping(raw, ("url", token_key, "resolve"), path)
    url = fields.text(fields.required(entry, "url", path), (*path, "url"), limit=1024)
    try:
        parts = urlsplit(url)
        canonical_route_host(parts.hostname or "")
        plain = parts.scheme in ("http", "https") and parts.port is not None
    except (ValueError, BadHost) as error:
        raise ConfigError("url must be http://HOST:PORT", (*path, "url")) from error
    if not plain or "@" in parts.netloc or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ConfigError(
            f"url must be http://HOST:PORT, a credential goes into {token_key!r}", (*path, "url")
        )
    resolve = entry.get("resolve", "local")
    if resolve not in ("local", "remote"):
        raise ConfigError("resolve must be local or remote", (*path, "resolve"))
    token = fields.variable(entry[token_key], (*path, token_key)) if token_key in entry else None
    return UpstreamProxy(url, token, resolve_remote=resolve == "remote")


def encode_route(route: Route, dialect: Dialect) -> dict[str, object]:
    """Plain data without defaults; :func:`decode_route` of it is *route*."""
    out: dict[str, object] = {"host": route.host} if route.host else {}
    if route.ports:
        out["ports"] = list(route.ports)
    out |= encode_auth(route.auth, dialect)
    if route.matches:
        out["matches"] = [rules.encode_match(match) for match in route.matches]
    if route.git_fetch:
        out["git"] = {"fetch": True}
    dlp = rules.encode_dlp(route.dlp)
    if dlp:
        out["dlp"] = dlp
    if route.headers is not None:
        out["headers"] = list(route.headers) or False
    if route.allow_private:
        out["allow_private"] = True
    if route.meter is not None:
        out["meter"] = {"provider": route.meter.provider, "format": route.meter.format.value}
    if route.preset is not None:
        out["preset"] = route.preset
    if route.access:
        out["access"] = list(route.access)
    if route.repos:
        out["repos"] = list(route.repos)
    if route.provider is not None:
        out["provider"] = route.provider
    return out


def encode_policy(policy: Policy) -> dict[str, object]:
    """The routes file's top level without defaults (``routes`` always)."""
    out: dict[str, object] = {"log": policy.log} if policy.log else {}
    out["routes"] = [encode_route(route, Dialect.ROUTES_FILE) for route in policy.routes]
    if policy.extra_ca is not None:
        out["extra_ca"] = policy.extra_ca
    if policy.upstream_proxy is not None:
        proxy: dict[str, object] = {"url": policy.upstream_proxy.url}
        if policy.upstream_proxy.token is not None:
            proxy["token_env"] = policy.upstream_proxy.token
        if policy.upstream_proxy.resolve_remote:
            proxy["resolve"] = "remote"
        out["upstream_proxy"] = proxy
    if policy.on_taint is not None:
        out["on_taint"] = policy.on_taint.value
    if policy.provider_features:
        out["provider_features"] = list(policy.provider_features)
    if policy.provider_schema is not None:
        out["provider_schema"] = policy.provider_schema.value
    return out


def introspection(policy: Policy) -> dict[str, object]:
    """``{"routes": [...]}`` in the routes file's own keys: what the bottle may know, and can propose back."""
    return {"routes": [encode_route(route, Dialect.ROUTES_FILE) for route in policy.routes]}


def load_policy(text: str) -> Policy:
    """A routes file's text. Raises :class:`ConfigError` or :class:`base.yamltext.YamlError`."""
    return decode_policy(yamltext.load(text).data)


def dump_policy(policy: Policy) -> str:
    """*policy* as a routes file; :func:`load_policy` of it is *policy*."""
    return yamltext.dump(encode_policy(policy))


def policy_version(text: str) -> str:
    """SHA-256 hex of the routes file's text: names what is in force."""
    return hashlib.sha256(text.encode()).hexdigest()


def effective_routes(provider_routes: Sequence[Route], manifest_routes: Sequence[Route]) -> tuple[Route, ...]:
    """Provider routes, then manifest routes. A manifest route that names a provider's host is a
    :class:`ConfigError` naming both (ruling 59); its path is the manifest route's index."""
    seen: set[str] = set()
    for index, route in enumerate(manifest_routes):
        owner = next((owned for owned in provider_routes if _owns(owned.host, route.host)), None)
        if owner is not None:
            raise ConfigError(
                f"host {route.host!r} belongs to the provider {owner.provider or 'of the agent'!r}"
                f" (its route {owner.host!r}), and routes[{index}] names it too: remove that route",
                (index, "host"),
            )
        if route.host and route.host in seen:
            raise ConfigError(f"host {route.host!r} has two routes: keep one", (index, "host"))
        seen.add(route.host)
    return (*provider_routes, *manifest_routes)


def _owns(owned: str, host: str) -> bool:
    """Whether *host* (maybe a wildcard) is the provider's *owned* or lies below it."""
    return owned == host or wildcard_matches(owned, host.removeprefix("*."))
