"""The policy of one launch: routes out of flags, file, manifest and provider; credentials into slots. Pure.

A credential is a reference all the way: host variables become slots (``EGRESS_TOKEN_0``) that the routes
file names; the values travel apart from it, by a pipe.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.secret import Secret
from bot_bottle.egress.codec import decode_route, effective_routes
from bot_bottle.egress.config import (
    ConfigError,
    Dialect,
    Inject,
    Passthrough,
    Policy,
    Route,
    Scheme,
    UpstreamProxy,
)
from bot_bottle.ipc.sidecar import ConnectTo

SLOT_PREFIX = "EGRESS_TOKEN_"


class PolicyError(BotBottleError):
    """Flags, files and provider do not make one policy."""


class SlottedPolicy(Struct, frozen=True):
    """``policy`` names slots; ``slots`` says which host variable fills each."""

    policy: Policy
    slots: Mapping[str, str]


def flag_routes(allow: Sequence[str], auth: Sequence[str]) -> tuple[Route, ...]:
    """Routes of ``--allow HOST[:PORT]`` and ``--auth HOST=SCHEME[.HEADER]:ENV``; ``--auth`` implies the host.

    ``SCHEME`` is Bearer, token, Basic or raw; raw needs a header: ``api.example.com=raw.x-api-key:KEY``.
    """
    raw: dict[str, dict[str, object]] = {}
    for text in allow:
        host, ports = _host_and_port(text)
        entry = raw.setdefault(host, {"host": host})
        if ports:
            entry["ports"] = [*_as_list(entry.get("ports")), *ports]
    for text in auth:
        host, credential = _auth(text)
        entry = raw.setdefault(host, {"host": host})
        entry["auth"] = [*_as_list(entry.get("auth")), credential]
    try:
        return tuple(decode_route(entry, Dialect.MANIFEST) for entry in raw.values())
    except ConfigError as error:
        raise PolicyError(f"--allow or --auth: {error}") from error


def _as_list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []


def _host_and_port(text: str) -> tuple[str, list[int]]:
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]") or (host.count(":") and not host.endswith("]")):
        return text, []
    if not port.isascii() or not port.isdigit():
        raise PolicyError(f"--allow {text!r}: the port must be a number, as in example.com:8443")
    return host, [int(port)]


def _auth(text: str) -> tuple[str, dict[str, object]]:
    host, equals, rest = text.partition("=")
    scheme, colon, variable = rest.partition(":")
    scheme, dot, header = scheme.partition(".")
    if not (host and equals and colon and variable) or scheme not in tuple(Scheme):
        raise PolicyError(
            f"--auth {text!r}: write HOST=SCHEME:ENV with SCHEME one of {', '.join(Scheme)} "
            "(raw.HEADER for a bare value), ENV the name of a variable of yours"
        )
    credential: dict[str, object] = {"scheme": scheme, "token_ref": variable}
    if dot:
        credential["header"] = header
    return host, credential


def parse_connect_to(text: str) -> ConnectTo:
    """``HOST:PORT:ADDRESS:PORT`` as curl has it; IPv6 addresses in brackets."""
    head, _, to_port = text.rpartition(":")
    if head.endswith("]"):
        head, _, address = head[:-1].rpartition("[")
        head = head.rstrip(":")
    else:
        head, _, address = head.rpartition(":")
    host, _, port = head.rpartition(":")
    if not (host and address and port.isdecimal() and to_port.isdecimal()):
        raise PolicyError(f"--connect-to {text!r}: write HOST:PORT:ADDRESS:PORT")
    if not (0 < int(port) < 65536 and 0 < int(to_port) < 65536):
        raise PolicyError(f"--connect-to {text!r}: a port is 1 to 65535")
    return ConnectTo(host.lower(), int(port), address, int(to_port))


def compose(
    provider_routes: Sequence[Route], other_routes: Sequence[Route], base: Policy | None = None
) -> SlottedPolicy:
    """One policy out of all routes; *base* has the top-level settings (its own routes are ignored).

    Raises :class:`PolicyError` for two routes of one host.
    """
    base = base or Policy()
    try:
        routes = effective_routes(provider_routes, other_routes)
    except ConfigError as error:
        raise PolicyError(str(error)) from error
    seen: set[str] = set()
    for route in routes:
        if route.host in seen:
            raise PolicyError(f"two routes for {route.host!r}: name each host once")
        seen.add(route.host)
    slots: dict[str, str] = {}
    slotted = tuple(_slotted(route, slots) for route in routes)
    proxy = base.upstream_proxy
    if proxy is not None and proxy.token is not None:
        proxy = replace(proxy, token=_slot(proxy.token, slots))
        assert isinstance(proxy, UpstreamProxy)
    by_slot = {slot: variable for variable, slot in slots.items()}
    return SlottedPolicy(replace(base, routes=slotted, upstream_proxy=proxy), by_slot)


def _slotted(route: Route, slots: dict[str, str]) -> Route:
    if isinstance(route.auth, Passthrough):
        return route
    return replace(
        route, auth=tuple(replace(inject, token=_slot(inject.token, slots)) for inject in route.auth)
    )


def _slot(variable: str, slots: dict[str, str]) -> str:
    return slots.setdefault(variable, f"{SLOT_PREFIX}{len(slots)}")


def resolve_slots(slots: Mapping[str, str], host_env: Mapping[str, str]) -> dict[str, Secret]:
    """The values of all slots out of the operator's environment.

    Raises :class:`PolicyError` naming every variable that is unset or empty; no value is in the message.
    """
    missing = sorted({variable for variable in slots.values() if not host_env.get(variable)})
    if missing:
        raise PolicyError(
            f"no value for {', '.join(missing)}: export the variable, or remove the route's credential"
        )
    odd = sorted(
        {v for v in slots.values() if any(ord(c) < 0x21 or ord(c) > 0x7E for c in host_env[v].strip(" "))}
    )
    if odd:
        raise PolicyError(
            f"{', '.join(odd)}: a credential must be printable ASCII without spaces or line ends"
        )
    return {slot: Secret(host_env[variable].strip(" ")) for slot, variable in slots.items()}


def hosts_of(routes: Iterable[Route]) -> tuple[str, ...]:
    """Host names for a summary, in order."""
    return tuple(route.host for route in routes)


def injects_of(route: Route) -> tuple[Inject, ...]:
    """The credentials that the proxy sets on *route*."""
    return () if isinstance(route.auth, Passthrough) else route.auth


def refuse_unbuilt(policy: Policy) -> None:
    """Raise :class:`PolicyError` for a setting of a routes file that this version does not enforce (ruling 50).

    A manifest's are refused with file and line by ``manifest.unenforced``; this is the same list for files
    that have no marks.
    """
    found = [
        name
        for name, used in (
            ("upstream_proxy", policy.upstream_proxy is not None),
            ("provider_features", bool(policy.provider_features)),
            ("provider_schema", policy.provider_schema is not None),
        )
        if used
    ]
    found += [f"meter of {route.host}" for route in policy.routes if route.meter is not None]
    if found:
        raise PolicyError(f"not enforced by this version: {', '.join(found)}; remove it from the routes file")
