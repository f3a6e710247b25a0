"""Floods from inside a real bottle, through shim and proxy; judged by what the upstreams received."""

from __future__ import annotations

import json

INSIDE = r'''
import json, os, socket, ssl, struct, sys

PROXY = ("127.0.0.1", 9099)
API, EVIL = "api.example.com", "evil.example.com"
UNCHECKED = ssl._create_unverified_context()
results = {}


def ask(sock, host, target="/", more=""):
    """The status of one answer; 0: closed."""
    try:
        sock.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n".encode())
        return int((sock.recv(4096) or b"HTTP/1.1 0").split(b" ")[1])
    except (OSError, ValueError):
        return 0


def opened(host, port=443):
    sock = socket.create_connection(PROXY, 10)
    sock.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    return sock, sock.recv(4096)[9:12]


def secured(sock, name):
    try:
        return UNCHECKED.wrap_socket(sock, server_hostname=name)
    except OSError:
        sock.close()
        return None


def carried(resolve, sni, host):
    """Past all proxy settings: the name is looked up, the port dialled, TLS with another name."""
    sock = secured(socket.create_connection((resolve, 443), 10), sni)
    return 0 if sock is None else ask(sock, host)


def tunnelled(connect, sni, host):
    sock = secured(opened(connect)[0], sni)
    return 0 if sock is None else ask(sock, host)


def dns(packet):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.sendto(packet, ("127.0.0.1", 53))


def use_up_the_names():
    """More names than the table holds: the API's stand-in is given to another; nothing goes astray."""
    before = socket.gethostbyname(API)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(5)
    for number in range(32768 + 10):
        name = b"".join(bytes([len(x)]) + x for x in (b"n%d" % number, b"evil", b"example", b"com"))
        sock.sendto(struct.pack(">6H", 1, 256, 1, 0, 0, 0) + name + b"\0\0\1\0\1", ("127.0.0.1", 53))
        sock.recv(512)
    old = secured(socket.create_connection((before, 443), 10), API)
    results["names used up, old address"] = 0 if old is None else ask(old, API, "/stale")
    results["names used up, asked again"] = carried(API, API, API)


results["carried"] = carried(API, API, API)
results["tunnelled"] = tunnelled(API, API, API)
results["the other"] = tunnelled(EVIL, EVIL, EVIL)
for seed in range(200):
    dns(os.urandom(seed))
for data in (os.urandom(3000), b"\x16\x03\x01\xff\xff" + os.urandom(3000), b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n"):
    for port in (80, 443):
        with socket.create_connection(("127.0.0.1", port), 10) as sock:
            sock.sendall(data)
held = [socket.create_connection(PROXY, 10) for _ in range(300)]
results["with 300 idle"] = tunnelled(API, API, API)
for sock in held:
    sock.close()
use_up_the_names()
print(json.dumps(results))
'''

PASSES = {
    "carried",
    "tunnelled",
    "with 300 idle",
    "names used up, asked again",
}


def test_floods_keep_nobody_waiting_and_send_nothing_astray(person, world) -> None:
    """Threats B, D6: with garbage, idle connections and more names than the table holds the good ones pass."""
    script = person.write("inside.py", INSIDE).read_text()
    done = person.run("run", *world.flags(), "--", "python3", "-c", script, env=world.env)
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert {name for name, status in results.items() if status in (200, True)} == PASSES, results
    assert world.evil.raw == b""
    assert {request.target for request in world.api.requests} <= {"/", "/stale"}
    assert len(world.api.requests) == len(PASSES)
