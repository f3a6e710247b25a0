"""Requests a second and CPU a request of the standalone proxy, TLS on both legs, on one machine.

An upstream that answers fixed bytes and a client that keeps N connections busy run in processes of their
own; the proxy's CPU time is read from /proc. Usage: python bench/proxy_quick.py [connections] [seconds]
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from bot_bottle.sidecar.proxy.ca import CertificateAuthority
from bot_bottle.sidecar.proxy.tls import load_leaf

HOST = "bench.example.com"
RESPONSE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
    b"Server: bench\r\nContent-Length: 512\r\n\r\n" + b"x" * 512
)
REQUEST = (
    f"GET /v1/things?limit=3 HTTP/1.1\r\nHost: {HOST}\r\nUser-Agent: bench/1.0\r\nAccept: application/json\r\n"
    "Accept-Encoding: gzip, deflate\r\nX-Request-Id: 0123456789abcdef\r\nAuthorization: Bearer placeholder\r\n\r\n"
).encode()


class Upstream(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.buffer = b""

    def data_received(self, data):
        self.buffer += data
        count = self.buffer.count(b"\r\n\r\n")
        if count:
            self.buffer = self.buffer[self.buffer.rfind(b"\r\n\r\n") + 4 :]
            self.transport.write(RESPONSE * count)


def serve_upstream(port_pipe, ca_pipe):
    async def main():
        authority = CertificateAuthority.create()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        load_leaf(context, authority.leaf(HOST))
        server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", 0, ssl=context)
        ca_pipe.send(authority.ca_pem)
        port_pipe.send(server.sockets[0].getsockname()[1])
        await asyncio.Event().wait()

    uvloop.run(main())


async def one_client(port, context, until, counts, index):
    loop = asyncio.get_running_loop()
    sock = socket.create_connection(("127.0.0.1", port))
    sock.sendall(f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n".encode())
    assert sock.recv(4096).endswith(b"\r\n\r\n")
    done = loop.create_future()
    transport, _ = await loop.create_connection(
        lambda: Client(until, counts, index, done), sock=sock, ssl=context, server_hostname=HOST
    )
    await done
    transport.abort()


class Client(asyncio.Protocol):
    def __init__(self, until, counts, index, done):
        self.until, self.counts, self.index, self.done = until, counts, index, done
        self.left = 0

    def connection_made(self, transport):
        self.transport = transport
        self.ask()

    def ask(self):
        self.got = b""
        self.transport.write(REQUEST)

    def data_received(self, data):
        self.got += data
        if self.got.endswith(b"x" * 512):
            assert self.got.startswith(b"HTTP/1.1 200"), self.got
            self.counts[self.index] += 1
            if time.monotonic() < self.until:
                self.ask()
            elif not self.done.done():
                self.done.set_result(None)


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) / os.sysconf("SC_CLK_TCK"), int(fields[12]) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 1e6


def main():
    connections = int(sys.argv[1]) if len(sys.argv) > 1 else 16
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 5
    port_out, port_in = multiprocessing.Pipe()
    ca_out, ca_in = multiprocessing.Pipe()
    upstream = multiprocessing.Process(target=serve_upstream, args=(port_in, ca_in), daemon=True)
    upstream.start()
    with tempfile.TemporaryDirectory() as directory:
        upstream_ca = Path(directory, "upstream.pem")
        upstream_ca.write_text(ca_out.recv())
        routes = Path(directory, "routes.yaml")
        routes.write_text(
            f"routes:\n  - host: {HOST}\n    auth_scheme: Bearer\n    token_env: BENCH_TOKEN\n"
            "    matches: [{paths: [{value: /v1}], methods: [GET, POST]}]\n"
        )
        proxy = subprocess.Popen(
            [sys.executable, "-m", "bot_bottle", "proxy", "--routes", str(routes), "--listen", "127.0.0.1:0",
             "--ca-dir", directory, "--extra-ca", str(upstream_ca),
             "--connect-to", f"{HOST}:443:127.0.0.1:{port_out.recv()}"],
            stdout=subprocess.PIPE, text=True, env={**os.environ, "BENCH_TOKEN": "not-a-secret"},
        )  # fmt: skip
        try:
            port = int(proxy.stdout.readline().rpartition(":")[2])
            context = ssl.create_default_context(cafile=str(Path(directory, "ca.pem")))
            counts = [0] * connections

            async def load():
                idle = rss_mb(proxy.pid)
                before, started = cpu_seconds(proxy.pid), time.monotonic()
                until = started + seconds
                await asyncio.gather(
                    *(one_client(port, context, until, counts, index) for index in range(connections))
                )
                wall, after = time.monotonic() - started, cpu_seconds(proxy.pid)
                total = sum(counts)
                user, system = ((b - a) / total * 1000 for a, b in zip(before, after, strict=True))
                print(
                    f"{connections} connections, {total} requests in {wall:.1f} s: {total / wall:.0f} requests/s, "
                    f"{user + system:.3f} ms CPU a request ({system:.3f} in the kernel), proxy {idle:.0f} MB idle, "
                    f"{rss_mb(proxy.pid):.0f} MB after"
                )

            uvloop.run(load())
        finally:
            proxy.terminate()
            proxy.wait(10)
            upstream.terminate()


if __name__ == "__main__":
    main()
