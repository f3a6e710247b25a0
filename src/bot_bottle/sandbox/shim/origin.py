"""Where a connection that was redirected to us was meant to go, as the kernel's connection tracking knows."""

from __future__ import annotations

import _socket

_SO_ORIGINAL_DST = 80
"""linux/netfilter_ipv4.h, and IP6T_SO_ORIGINAL_DST in linux/netfilter_ipv6/ip6_tables.h"""
_IPV4_BYTES, _IPV6_BYTES = 16, 28  # struct sockaddr_in, sockaddr_in6


def original_destination(sock: _socket.socket) -> tuple[str, int]:
    """Address (in its shortest form, without brackets) and port that the peer of *sock* has dialled.

    Raises OSError where nothing is known: no connection tracking, or its entry was dropped.
    """
    if sock.family == _socket.AF_INET6:
        found = sock.getsockopt(_socket.IPPROTO_IPV6, _SO_ORIGINAL_DST, _IPV6_BYTES)
        address = _socket.inet_ntop(_socket.AF_INET6, found[8:24])
    else:
        found = sock.getsockopt(_socket.SOL_IP, _SO_ORIGINAL_DST, _IPV4_BYTES)
        address = _socket.inet_ntop(_socket.AF_INET, found[4:8])
    return address, int.from_bytes(found[2:4], "big")
