"""Every TCP connection of a bottle, whatever its address and port, ends at one port of the shim's.

Two changes to the bottle's own network namespace, made by the stage and out of reach afterwards (nobody
inside has a capability over the namespace, and the filter knows no other netlink than ROUTE): a *local*
route for all addresses over loopback (AnyIP, ip-route(8)), so that each is ours; and a NAT rule that sends
each TCP connection to :data:`PORT`, where the shim asks for its original destination. The bottle's own
loopback stays its own: of 127.0.0.0/8 only the names' stand-ins are redirected. What is no TCP is delivered
to the bottle itself, where nobody listens; no interface leads anywhere.

By netlink messages of our own: two packets, where the program ``nft`` takes 10 ms and may be missing. The
encoder is pure. Sources: linux/netfilter/nf_tables.h, nfnetlink(7), rtnetlink(7), libnftnl.
"""

from __future__ import annotations

import socket
from struct import pack

from bot_bottle.base import linux
from bot_bottle.sandbox.shim.names import STAND_INS

PORT = 9098
"""Of the shim, on 127.0.0.1 and ::1."""

_REQUEST, _ACK, _CREATE, _APPEND = 0x1, 0x4, 0x400, 0x800
_BATCH_BEGIN, _BATCH_END = 0x10, 0x11
_NFTABLES = 10
_NEW_TABLE, _NEW_CHAIN, _NEW_RULE = (_NFTABLES << 8 | number for number in (0, 3, 6))
_NESTED = 0x8000
_OUTPUT = 3  # NF_INET_LOCAL_OUT
_NAT_PRIORITY = -100  # NF_IP_PRI_NAT_DST
_REGISTER = pack(">I", 1)
_EQUAL, _NOT_EQUAL = pack(">I", 0), pack(">I", 1)
_L4PROTO = pack(">I", 16)
_NETWORK_HEADER = pack(">I", 1)
_TABLE, _CHAIN = b"bot-bottle\0", b"carriage\0"

_NEW_ROUTE, _DELETE_ROUTE = 24, 25
_TABLE_LOCAL, _STATIC, _LOCAL = 255, 4, 2
_SCOPE = {socket.AF_INET: 254, socket.AF_INET6: 0}
_DESTINATION = {socket.AF_INET: 16, socket.AF_INET6: 24}
"""Where an IP header has it."""
_LOOPBACK = {socket.AF_INET: b"\x7f\0\0\x01", socket.AF_INET6: bytes(15) + b"\x01"}


def listen() -> tuple[list[socket.socket], str]:
    """Carry everything of the calling process's network namespace to the sockets that are returned: one for
    IPv4, and one for IPv6 where that is up. Where IPv4 can't be carried: none, and why; nothing is changed then.

    Needs CAP_NET_ADMIN in the namespace, which must be the bottle's own.
    """
    listeners: list[socket.socket] = []
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            listeners.append(_listen(family))
        except OSError as error:
            return listeners, "" if listeners else error.strerror or str(error)
    return listeners, ""


def _listen(family: socket.AddressFamily) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((socket.inet_ntop(family, _LOOPBACK[family]), PORT))
        sock.listen(1024)
        linux.netlink(linux.NETLINK_ROUTE, any_address(family), "making every address local")
        try:
            linux.netlink(linux.NETLINK_NETFILTER, redirection(family), "redirecting connections (nf_tables)")
        except OSError:
            linux.netlink(linux.NETLINK_ROUTE, any_address(family, gone=True), "taking the route back")
            raise
    except BaseException:
        sock.close()
        raise
    return sock


def redirection(family: socket.AddressFamily) -> bytes:
    """The batch that makes the NAT rules of *family*: all of it is done, or nothing.

    As nft(8) writes it, for IPv4: ``ip daddr 127.1.0.0/16`` and ``ip daddr != 127.0.0.0/8``, for IPv6 ``ip6
    daddr != ::1``, each ``meta l4proto tcp … redirect to :9098`` in a chain ``type nat hook output``.
    """
    if family == socket.AF_INET:
        tests = [_destination(family, _EQUAL, STAND_INS), _destination(family, _NOT_EQUAL, STAND_INS[:1])]
    else:
        tests = [_destination(family, _NOT_EQUAL, _LOOPBACK[family])]
    hook = _attribute(1, pack(">I", _OUTPUT)) + _attribute(2, pack(">i", _NAT_PRIORITY))
    chain = _attribute(1, _TABLE) + _attribute(3, _CHAIN) + _attribute(4 | _NESTED, hook)
    rules = [
        _attribute(1, _TABLE) + _attribute(2, _CHAIN) + _attribute(4 | _NESTED, _TCP + test + _REDIRECT)
        for test in tests
    ]
    return b"".join(
        [
            _netfilter(_BATCH_BEGIN, 0, 0, _NFTABLES),
            _netfilter(_NEW_TABLE, _CREATE, family, 0, _attribute(1, _TABLE)),
            _netfilter(_NEW_CHAIN, _CREATE, family, 0, chain + _attribute(7, b"nat\0")),
            *(_netfilter(_NEW_RULE, _CREATE | _APPEND, family, 0, rule) for rule in rules),
            _netfilter(_BATCH_END, 0, 0, _NFTABLES),
        ]
    )


def any_address(family: socket.AddressFamily, *, gone: bool = False) -> bytes:
    """``ip route add local default dev lo src`` loopback (*gone*: ``del``). The source tells a program inside,
    the self-test above all, that nothing of it leaves."""
    message = pack("8BI", family, 0, 0, 0, _TABLE_LOCAL, _STATIC, _SCOPE[family], _LOCAL, 0)
    message += _attribute(4, pack("I", socket.if_nametoindex("lo"))) + _attribute(7, _LOOPBACK[family])
    return _message(_DELETE_ROUTE if gone else _NEW_ROUTE, _ACK if gone else _CREATE | _ACK, message)


def _message(kind: int, flags: int, body: bytes) -> bytes:
    return pack("IHHII", 16 + len(body), kind, _REQUEST | flags, 1, 0) + body


def _netfilter(kind: int, flags: int, family: int, resource: int, attributes: bytes = b"") -> bytes:
    acknowledged = 0 if kind in (_BATCH_BEGIN, _BATCH_END) else _ACK
    return _message(kind, flags | acknowledged, pack(">BBH", family, 0, resource) + attributes)


def _attribute(kind: int, value: bytes) -> bytes:
    return pack("HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _expression(name: bytes, *attributes: bytes) -> bytes:
    data = _attribute(2 | _NESTED, b"".join(attributes))
    return _attribute(1 | _NESTED, _attribute(1, name + b"\0") + data)


def _compare(operator: bytes, value: bytes) -> bytes:
    wanted = _attribute(3 | _NESTED, _attribute(1, value))
    return _expression(b"cmp", _attribute(1, _REGISTER), _attribute(2, operator), wanted)


def _destination(family: socket.AddressFamily, operator: bytes, prefix: bytes) -> bytes:
    """Whether the destination's first bytes are *prefix*."""
    at, size = pack(">I", _DESTINATION[family]), pack(">I", len(prefix))
    loaded = [
        _attribute(1, _REGISTER),
        _attribute(2, _NETWORK_HEADER),
        _attribute(3, at),
        _attribute(4, size),
    ]
    return _expression(b"payload", *loaded) + _compare(operator, prefix)


_TCP = _expression(b"meta", _attribute(2, _L4PROTO), _attribute(1, _REGISTER)) + _compare(
    _EQUAL, bytes([socket.IPPROTO_TCP])
)
_REDIRECT = _expression(
    b"immediate",
    _attribute(1, _REGISTER),
    _attribute(2 | _NESTED, _attribute(1, pack(">H", PORT))),
) + _expression(b"redir", _attribute(1, _REGISTER))
