"""The address guard: which resolved addresses may be dialled. Pure; the proxy resolves, asks, and pins."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address

from bot_bottle.egress.config import Route

Address = IPv4Address | IPv6Address


def fixed_addresses(host: str) -> tuple[Address, ...] | None:
    """Where to dial without asking a resolver: an IP literal, or the operator's own machine
    (``host.bot-bottle.internal``: its loopback). None: resolve."""
    return None


def check_route_address(
    route: Route, host: str, address: Address, port: int, *, refuse_ports: Collection[int] = ()
) -> str | None:
    """Why *address* may not be dialled for *host* under *route*, or None: it may.

    The sentence is the end of a reason (``egress: address: …``). *refuse_ports*: the product's own.
    """
    return "not decided"


def check_connect_to(address: Address) -> str | None:
    """The same for an address that the operator named by ``--connect-to``: only the never-list counts."""
    return "not decided"
