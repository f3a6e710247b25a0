"""Host names in their one form. What has two readings is refused, never guessed (threats C1, C3, C4, C6).

Canonical: lower case, letters, digits and hyphens (RFC 952, 1123), A-labels that round-trip through IDNA
2008, no trailing dot (one is taken off: the root's; both spellings name one host), IPv4 as four decimal
numbers, IPv6 as :mod:`ipaddress` writes it, without brackets. ``_egress.local`` is the one name with an
underscore.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from bot_bottle.base.errors import BotBottleError

INTROSPECTION_HOST = "_egress.local"
"""answers inside the bottle only; never resolved, never a route"""

HOST_ALIAS = "host.bot-bottle.internal"
"""the operator's own machine (ruling 8)"""

MAX_HOST_CHARS = 253
MAX_LABEL_CHARS = 63
"""RFC 1035 section 2.3.4, as text without the root's dot"""

_LDH = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_DIGITS = frozenset("0123456789")
_HEX_DIGITS = frozenset("0123456789abcdef")


class BadHost(BotBottleError):
    """Not a host name or address in a form that has one reading only."""


def canonical_host(text: str) -> str:
    """The canonical form of a name that a request gives (CONNECT, SNI, Host, target); IPv6 in brackets.

    Raises :class:`BadHost` also for what others would accept: ``127.1``, ``0x7f000001``, ``017.0.0.1``,
    ``[0::1]``, zone ids, percent-encoding, U-labels and Unicode dots.
    """
    if len(text) > MAX_HOST_CHARS + 1:
        raise BadHost(f"longer than {MAX_HOST_CHARS} characters")
    return _canonical(text)


@lru_cache(maxsize=1024)
def _canonical(text: str) -> str:
    if not text.isascii():
        raise BadHost("not ASCII: use the xn-- form")
    if text.startswith("["):
        if not text.endswith("]"):
            raise BadHost("unbalanced bracket")
        return _canonical_ipv6(text[1:-1].lower())
    name = text.lower()
    name = name[:-1] if name.endswith(".") else name
    if name == INTROSPECTION_HOST:
        return name
    if not name or len(name) > MAX_HOST_CHARS:
        raise BadHost("empty or too long")
    labels = name.split(".")
    for label in labels:
        _check_label(label)
    if _is_number(labels[-1]):
        return _canonical_ipv4(name)
    return name


def _check_label(label: str) -> None:
    if not 1 <= len(label) <= MAX_LABEL_CHARS:
        raise BadHost("a label is empty or longer than 63 characters")
    if not _LDH.issuperset(label):
        raise BadHost("a label holds something other than letters, digits and hyphens")
    if label[0] == "-" or label[-1] == "-":
        raise BadHost("a label starts or ends with a hyphen")
    if label.startswith("xn--"):
        _check_a_label(label)


def _check_a_label(label: str) -> None:
    """An A-label is what IDNA 2008 makes of its own U-label; else it shows one name and means another."""
    import idna  # 20 ms, needed by few names: kept off the path of a launch

    try:
        again = idna.encode(idna.decode(label, strict=True), strict=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise BadHost("a label starts with xn-- but is not valid IDNA 2008") from error
    if again != label:
        raise BadHost("a label starts with xn-- but does not round-trip")


def _is_number(label: str) -> bool:
    """The last label of something that address parsers take for IPv4 (URL Standard, "ends in a number")."""
    if _DIGITS.issuperset(label):
        return True
    return label.startswith("0x") and _HEX_DIGITS.issuperset(label[2:])


def _canonical_ipv4(name: str) -> str:
    try:
        return str(IPv4Address(name))
    except AddressValueError as error:
        raise BadHost("an IPv4 address must be four decimal numbers without leading zeros") from error


def _canonical_ipv6(inner: str) -> str:
    try:
        address = IPv6Address(inner)
    except AddressValueError as error:
        raise BadHost("not an IPv6 address") from error
    if address.scope_id is not None:
        raise BadHost("an IPv6 address with a zone")
    if address.ipv4_mapped is not None:
        raise BadHost("an IPv4 address written as IPv6")
    if str(address) != inner:
        raise BadHost(f"an IPv6 address in another than its shortest form ([{address}])")
    return inner


def canonical_route_host(text: str) -> str:
    """The canonical form of a route's ``host``: names also as U-labels, IPv6 with or without brackets,
    ``*.`` in front of a name. Raises :class:`BadHost`."""
    if not text.startswith("*."):
        return _exact_route_host(text)
    base = _exact_route_host(text[2:])
    if ip_literal(base) is not None or base == HOST_ALIAS:
        raise BadHost("a wildcard needs a name")
    if len(base) > MAX_HOST_CHARS - 2:
        raise BadHost("no name below the wildcard would be short enough")
    return f"*.{base}"


def _exact_route_host(text: str) -> str:
    if "://" in text or "/" in text:
        raise BadHost("write the host name alone, without scheme and path")
    if "@" in text:
        raise BadHost("write the host name alone, without user")
    if "*" in text:
        raise BadHost("a wildcard is '*.' in front of a name")
    if text.count(":") > 1 and not text.startswith("["):
        return canonical_host(f"[{text}]")
    if ":" in text and not text.startswith("["):
        raise BadHost("write the port under 'ports'")
    host = canonical_host(text if text.isascii() else _from_u_labels(text))
    if host == INTROSPECTION_HOST:
        raise BadHost("the name is the proxy's own")
    return host


def _from_u_labels(text: str) -> str:
    import idna  # see _check_a_label

    if any(dot in text for dot in "\u3002\uff0e\uff61"):
        raise BadHost("write dots as '.'")
    if len(text) > MAX_HOST_CHARS:
        raise BadHost(f"longer than {MAX_HOST_CHARS} characters")
    try:
        return idna.encode(text, uts46=True, std3_rules=True, transitional=False).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise BadHost("not a valid internationalised name (IDNA 2008)") from error


def ip_literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address that canonical *host* is, or None: it is a name."""
    if ":" in host:
        return IPv6Address(host)
    if host and _DIGITS.issuperset(host.rpartition(".")[2]):
        return IPv4Address(host)
    return None


def wildcard_matches(pattern: str, host: str) -> bool:
    """``*.example.com`` against canonical *host*: any depth below, never the apex, never an address."""
    return pattern.startswith("*.") and host.endswith(pattern[1:])


def split_authority(text: str, default_port: int) -> tuple[str, int]:
    """``host[:port]`` of a Host field, CONNECT or target, canonical. No userinfo, no white space, the port
    in plain decimal. Raises :class:`BadHost`."""
    if text.startswith("["):
        host, bracket, rest = text.partition("]")
        host += bracket
    else:
        host, colon, port = text.partition(":")
        rest = colon + port
    if not rest:
        return canonical_host(host), default_port
    return canonical_host(host), parse_port(rest[1:] if rest[0] == ":" else "")


def parse_port(text: str) -> int:
    """A port as decimal digits, 1 to 65535, no sign, no leading zero. Raises :class:`BadHost`."""
    if not 1 <= len(text) <= 5 or not _DIGITS.issuperset(text) or text[0] == "0" or int(text) > 65535:
        raise BadHost("a port is a decimal number from 1 to 65535")
    return int(text)
