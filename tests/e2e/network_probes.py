"""What attackers send, one row a probe; the same text runs inside a bottle and outside of it.

``kind address port`` in, errors out: what counts is what arrives. A program of its own, that needs nothing
but Python.
"""

from __future__ import annotations

import concurrent.futures
import json
import socket
import struct
import sys

TIMEOUT_S = 1.0
ANSWERED = "answered"


class Answered(Exception):
    """A listener of the attacker's has spoken."""


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _place(address: str, port: int, kind: int) -> tuple[object, ...]:
    return socket.getaddrinfo(address, port, _family(address), kind)[0][4]


def stream(address: str, port: int, protocol: int = 0) -> None:
    """A connection, what a client would say first, and what comes back."""
    with socket.socket(_family(address), socket.SOCK_STREAM, protocol) as sock:
        sock.settimeout(TIMEOUT_S)
        sock.connect(_place(address, port, socket.SOCK_STREAM))
        sock.sendall(b"GET /leak HTTP/1.1\r\nHost: x\r\n\r\n")
        sock.settimeout(10)
        if sock.recv(4096).startswith(b"HTTP/1.1 200"):
            raise Answered


def datagram(address: str, port: int, kind: int = socket.SOCK_DGRAM, protocol: int = 0) -> None:
    """One packet."""
    with socket.socket(_family(address), kind, protocol) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.sendto(b"leak", _place(address, port, socket.SOCK_DGRAM))


def raw(address: str, port: int, protocol: int, payload: bytes) -> None:
    """A packet whose transport header is our own."""
    with socket.socket(_family(address), socket.SOCK_RAW, protocol) as sock:
        sock.sendto(payload, (address, 0))


def own_header(address: str, port: int) -> None:
    """A whole IP packet: UDP."""
    udp = struct.pack(">4H", 4000, port, 12, 0) + b"leak"
    head = struct.pack(
        ">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, bytes(4), socket.inet_aton(address)
    )
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
        sock.sendto(head + udp, (address, 0))


def frame(_address: str, port: int) -> None:
    """A frame of no protocol, by every interface there is."""
    for _, name in socket.if_nameindex():
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
            sock.bind((name, 0))
            sock.send(b"\xff" * 6 + b"\x02" * 6 + struct.pack(">H", port) + b"leak" * 12)


def explicit(address: str, port: int) -> None:
    """By the proxy, as a client that heeds the settings: CONNECT, and the absolute form."""
    host = f"[{address}]" if ":" in address else address
    for head in (f"CONNECT {host}:{port}", f"GET http://{host}:{port}/leak"):
        with socket.create_connection(("127.0.0.1", 9099), 10) as sock:
            sock.sendall(f"{head} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
            if sock.recv(4096)[9:12] == b"200":
                sock.sendall(f"GET /leak HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
                if sock.recv(4096).startswith(b"HTTP/1.1 200"):
                    raise Answered


_ECHO = struct.pack(">BBHHH", 8, 0, 0xF7FE, 0, 1)
_ECHO6 = struct.pack(">BBHHH", 128, 0, 0, 0, 1)
KINDS = {
    "tcp": stream,
    "mptcp": lambda address, port: stream(address, port, 262),
    "udp": datagram,
    "udplite": lambda address, port: datagram(address, port, protocol=136),
    "ping": lambda address, _port: _echo(address, socket.SOCK_DGRAM),
    "icmp": lambda address, _port: _echo(address, socket.SOCK_RAW),
    "sctp": lambda address, port: raw(address, port, 132, struct.pack(">HHII", 4000, port, 0, 0)),
    "rawtcp": lambda address, port: raw(
        address, port, 6, struct.pack(">HHIIHHHH", 4000, port, 1, 0, 0x5002, 999, 0, 0)
    ),
    "header": own_header,
    "frame": frame,
    "explicit": explicit,
}


def _echo(address: str, kind: int) -> None:
    six = ":" in address
    with socket.socket(_family(address), kind, 58 if six else 1) as sock:
        sock.sendto(_ECHO6 if six else _ECHO, _place(address, 0, socket.SOCK_DGRAM))


def attempt(row: list) -> str:
    """What stopped it, empty when nothing did."""
    kind, address, port = row
    try:
        KINDS[kind](address, port)
    except Answered:
        return ANSWERED
    except (OSError, ValueError) as error:
        return str(error) or repr(error)
    return ""


if __name__ == "__main__":
    rows = json.loads(sys.argv[1])
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        names = [" ".join(map(str, row)) for row in rows]
        print(json.dumps(list(zip(names, pool.map(attempt, rows), strict=True))))
