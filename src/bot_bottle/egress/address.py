"""The address guard: which resolved addresses may be dialled. Pure; the proxy resolves, asks, and pins.

Three answers (ruling 2; threats B5, C6, C7, L5): *never* (metadata, link-local, multicast, unspecified,
reserved, the product's own ports: nobody can allow it), *private* (RFC 1918 and ULA need ``allow_private``,
loopback explicit ``ports`` besides), and globally reachable. Everything that the IANA special-purpose
registries don't call global is refused, shared address space (RFC 6598) and documentation included. An IPv6
address that stands for an IPv4 one is judged as that.

Own tables: :mod:`ipaddress` answers differently by Python version (CVE-2024-4032).
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from bot_bottle.egress.config import Route
from bot_bottle.egress.hosts import HOST_ALIAS, ip_literal

Address = IPv4Address | IPv6Address

METADATA_NAMES = frozenset({"metadata.google.internal", "metadata.goog", "metadata"})
"""names of cloud metadata services; no route may name one"""

_METADATA = "a cloud metadata service"
_METADATA_ADDRESSES: frozenset[Address] = frozenset(
    {
        IPv4Address("169.254.169.254"),  # AWS, Azure, Google, OpenStack, DigitalOcean
        IPv4Address("169.254.170.2"),  # AWS ECS task credentials
        IPv4Address("100.100.100.200"),  # Alibaba
        IPv4Address("168.63.129.16"),  # Azure's wire server
        IPv4Address("192.0.0.192"),  # Oracle, classic
        IPv6Address("fd00:ec2::254"),  # AWS
        IPv6Address("fd20:ce::254"),  # Google
    }
)

_NEVER_V4 = (
    (IPv4Network("0.0.0.0/8"), "an unspecified address"),
    (IPv4Network("169.254.0.0/16"), "a link-local address"),
    (IPv4Network("224.0.0.0/4"), "a multicast address"),
    (IPv4Network("240.0.0.0/4"), "a reserved or broadcast address"),
)
_NEVER_V6 = (
    (IPv6Network("::/128"), "an unspecified address"),
    (IPv6Network("64:ff9b:1::/48"), "an address of a local translator (RFC 8215), where anything may lie"),
    (IPv6Network("fe80::/10"), "a link-local address"),
    (IPv6Network("fec0::/10"), "a site-local address"),
    (IPv6Network("ff00::/8"), "a multicast address"),
)
_LOOPBACK_V4 = IPv4Network("127.0.0.0/8")
_LOOPBACK_V6 = IPv6Address("::1")
_PRIVATE_V4 = (IPv4Network("10.0.0.0/8"), IPv4Network("172.16.0.0/12"), IPv4Network("192.168.0.0/16"))
_PRIVATE_V6 = IPv6Network("fc00::/7")

_NOT_GLOBAL_V4 = (
    IPv4Network("100.64.0.0/10"),  # shared address space, RFC 6598
    IPv4Network("192.0.0.0/24"),  # IETF protocol assignments
    IPv4Network("192.0.2.0/24"),  # documentation
    IPv4Network("192.88.99.0/24"),  # 6to4 relay anycast, deprecated
    IPv4Network("198.18.0.0/15"),  # benchmarking
    IPv4Network("198.51.100.0/24"),  # documentation
    IPv4Network("203.0.113.0/24"),  # documentation
)
_GLOBAL_V6 = IPv6Network("2000::/3")
_NOT_GLOBAL_V6 = (
    IPv6Network("2001::/23"),  # IETF protocol assignments: Teredo, benchmarking, ORCHID
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("3fff::/20"),  # documentation
)

_NAT64 = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")
_COMPATIBLE = IPv6Network("::/96")
_TRANSLATED = IPv6Network("::ffff:0:0:0/96")


def embedded_ipv4(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that *address* stands for (mapped, compatible, translated, NAT64 of RFC 6052, 6to4),
    or None."""
    value = int(address)
    low = IPv4Address(value & 0xFFFFFFFF)
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _COMPATIBLE and value > 1:
        return low
    if address in _TRANSLATED or address in _NAT64:
        return low
    if address in _SIX_TO_FOUR:
        return IPv4Address((value >> 80) & 0xFFFFFFFF)
    return None


def isatap_ipv4(address: Address) -> IPv4Address | None:
    """The IPv4 address in the interface identifier of RFC 5214 section 6.1: a tunnel may end there, whatever
    the prefix says, so both are judged."""
    value = int(address)
    if isinstance(address, IPv6Address) and (value >> 32) & 0xFFFFFFFF in (0x00005EFE, 0x02005EFE):
        return IPv4Address(value & 0xFFFFFFFF)
    return None


def check_address(
    address: Address,
    port: int,
    *,
    allow_private: bool = False,
    explicit_ports: bool = False,
    refuse_ports: Collection[int] = (),
) -> str | None:
    """Why *address* may not be dialled on *port*, or None: it may. The sentence ends a reason.

    *explicit_ports*: the route has ``ports`` of its own. *refuse_ports*: the product's own, on this machine
    and its private networks.
    """
    address = _unwrap(address)
    tunnelled = isatap_ipv4(address)
    if tunnelled is not None and not (_is_global(tunnelled) and _never(tunnelled, port, ()) is None):
        return "an address of a tunnel to one that is not globally reachable"
    never = _never(address, port, refuse_ports)
    if never is not None:
        return never
    if _is_loopback(address):
        if allow_private and explicit_ports:
            return None
        return "a loopback address, which needs allow_private and explicit ports on the route"
    if _is_private(address):
        return None if allow_private else "a private address, which needs allow_private on the route"
    return None if _is_global(address) else "an address that is not globally reachable"


def check_route_address(
    route: Route, host: str, address: Address, port: int, *, refuse_ports: Collection[int] = ()
) -> str | None:
    """Why *address* may not be dialled for *host* under *route*, or None: it may.

    The sentence is the end of a reason (``egress: address: …``). *refuse_ports*: the product's own.
    """
    if host == HOST_ALIAS:
        if not _is_loopback(address) or not route.ports:
            return "the operator's own machine is reached by its loopback and on ports that the route names"
        return _never(address, port, refuse_ports)
    return check_address(
        address,
        port,
        allow_private=route.allow_private,
        explicit_ports=bool(route.ports),
        refuse_ports=refuse_ports,
    )


def check_connect_to(address: Address, port: int = 0, *, refuse_ports: Collection[int] = ()) -> str | None:
    """The same for an address that the operator named by ``--connect-to``: only the never-list counts."""
    judged = [_unwrap(address), isatap_ipv4(address)]
    reasons = [_never(each, port, refuse_ports) for each in judged if each is not None]
    return next((reason for reason in reasons if reason is not None), None)


def fixed_addresses(host: str) -> tuple[Address, ...] | None:
    """Where to dial without asking a resolver: an IP literal, or the operator's own machine
    (``host.bot-bottle.internal``: its loopback). None: resolve."""
    if host == HOST_ALIAS:
        return (IPv4Address("127.0.0.1"), IPv6Address("::1"))
    literal = ip_literal(host)
    return None if literal is None else (literal,)


def is_private_literal(host: str) -> bool:
    """Whether canonical *host* is an address of RFC 1918 or a ULA, written out: no name that resolves to one."""
    address = ip_literal(host)
    return address is not None and _is_private(address)


def _unwrap(address: Address) -> Address:
    if isinstance(address, IPv6Address):
        return embedded_ipv4(address) or address
    return address


def _never(address: Address, port: int, refuse_ports: Collection[int]) -> str | None:
    if address in _METADATA_ADDRESSES:
        return _METADATA
    networks = _NEVER_V4 if isinstance(address, IPv4Address) else _NEVER_V6
    for network, name in networks:
        if address in network:
            return name
    if port in refuse_ports and not _is_global(address):
        return "a port of the product's own"
    return None


def _is_loopback(address: Address) -> bool:
    return address in _LOOPBACK_V4 if isinstance(address, IPv4Address) else address == _LOOPBACK_V6


def _is_private(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return any(address in network for network in _PRIVATE_V4)
    return address in _PRIVATE_V6


def _is_global(address: Address) -> bool:
    if _is_loopback(address) or _is_private(address):
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_GLOBAL_V4)
    return address in _GLOBAL_V6 and not any(address in network for network in _NOT_GLOBAL_V6)
