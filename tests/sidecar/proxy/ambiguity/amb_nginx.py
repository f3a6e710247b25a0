"""nginx's reading of streams: the real server, started here on loopback.

It hands every request that it accepts to a recorder behind it (method, target as it came, all fields, the
body; Connection and Upgrade, which nginx keeps to itself, under other names), and logs every request that it saw
at all. Two servers: one shows everything; the other is as people run it (fields whose names nginx finds odd are
dropped, slashes merged).

A stream is told from the others by the address that it comes from: all of 127/8 is this host.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amb_reading import Message, Reading

ROOT = Path(__file__).parents[4]
SIDE_BY_SIDE = 32
START_S = 10.0
END_S = 20.0
SHOWN, USUAL = 0, 1
"""the two servers"""

CONFIG = """
daemon off; master_process off; worker_processes 1; pid nginx.pid; error_log error.log warn;
events { worker_connections 1024; }
http {
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fcgi; uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  log_format seen escape=json '{"from":"$remote_addr","number":$connection_requests,"method":"$request_method",'
    '"target":"$request_uri","path":"$uri","host":"$host","status":$status,"server":"$server_name"}';
  access_log access.log seen;
  upstream recorder { server unix:recorder.sock; }
  client_max_body_size 0; client_body_buffer_size 1m; client_header_buffer_size 64k;
  large_client_header_buffers 8 128k; lingering_close off; keepalive_timeout 60; proxy_ignore_client_abort on;
  proxy_http_version 1.0; proxy_set_header Host $http_host; proxy_set_header X-Amb-From $remote_addr;
  proxy_set_header X-Amb-Server $server_name; proxy_set_header Connection ""; proxy_set_header X-Amb-Host $host;
  proxy_set_header X-Amb-Connection $http_connection; proxy_set_header X-Amb-Upgrade $http_upgrade;
  server {
    listen 127.0.0.1:PORT0; server_name shown; underscores_in_headers on; ignore_invalid_headers off;
    location / { proxy_pass http://recorder; }
  }
  server { listen 127.0.0.1:PORT1; server_name usual; location / { proxy_pass http://recorder; } }
}
"""
"""``proxy_pass`` without a path hands the target on as it came; bodies are buffered whole and get a length."""


def find_nginx() -> str | None:
    unpacked = ROOT / "tools" / "nginx" / "usr" / "sbin" / "nginx"
    path = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
    return shutil.which("nginx", path=path) or (str(unpacked) if os.access(unpacked, os.X_OK) else None)


@dataclass
class Nginx:
    """A running nginx and what its recorder has got."""

    directory: Path
    ports: tuple[int, int]
    got: dict[tuple[str, str], list[Message]] = field(default_factory=dict)
    """by address and server"""

    def read(self, streams: Sequence[bytes]) -> list[Reading]:
        """As the server that shows everything reads them."""
        return asyncio.run(self._read(streams, SHOWN))

    def read_as_usual(self, streams: Sequence[bytes]) -> list[Reading]:
        """As the server with nginx's defaults reads them."""
        return asyncio.run(self._read(streams, USUAL))

    async def _read(self, streams: Sequence[bytes], server: int) -> list[Reading]:
        self.got.clear()
        log = self.directory / "access.log"
        log.write_bytes(b"")
        path = str(self.directory / "recorder.sock")
        Path(path).unlink(missing_ok=True)
        recorder = await asyncio.start_unix_server(self._record, path, limit=1 << 22)
        left = iter(enumerate(streams))

        async def work() -> None:
            for number, stream in left:
                await self._send(address(number), self.ports[server], stream)

        async with recorder, asyncio.TaskGroup() as group:
            for _ in range(SIDE_BY_SIDE):
                group.create_task(work())
        seen: dict[str, list[dict[str, Any]]] = {}
        for line in log.read_bytes().splitlines():
            record = json.loads(line.decode("latin-1"))
            seen.setdefault(record["from"], []).append(record)
        name = ("shown", "usual")[server]
        return [
            _reading(self.got.get((address(number), name), []), seen.get(address(number), []))
            for number in range(len(streams))
        ]

    async def _send(self, source: str, port: int, stream: bytes) -> None:
        """Send all, then the end; nginx closes when it has dealt with it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
        try:
            async with asyncio.timeout(END_S):
                writer.write(stream)
                writer.write_eof()
                await reader.read()
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()

    async def _record(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request of nginx's own writing: HTTP/1.0, a length where there is a body."""
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head[:-4].split(b"\r\n")
        method, _, rest = first.partition(b" ")
        pairs = [line.split(b": ", 1) if b": " in line else [line.rstrip(b":"), b""] for line in lines]
        fields = [(name, value) for name, value in pairs if not name.lower().startswith(b"x-amb-")]
        ours = {name.lower(): value.decode("latin-1") for name, value in pairs}
        for name in (b"Connection", b"Upgrade"):
            fields += [(name, value) for key, value in pairs if key.lower() == b"x-amb-" + name.lower()]
        body = await reader.readexactly(int(ours.get(b"content-length", "0")))
        message = Message.made(method, rest.removesuffix(b" HTTP/1.0"), fields, body)
        self.got.setdefault((ours[b"x-amb-from"], ours[b"x-amb-server"]), []).append(message)
        writer.write(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()


def address(number: int) -> str:
    return f"127.{20 + number // 62500}.{1 + number // 250 % 250}.{1 + number % 250}"


def _reading(got: list[Message], seen: list[dict[str, Any]]) -> Reading:
    """*got*: what was passed on. *seen*: every request that was logged, also those that came to nothing."""
    passed = [record for record in seen if record["status"] == 200]
    others = [record for record in seen if record["status"] != 200]
    paths = tuple(record["path"].encode("latin-1") for record in passed)
    begun, refused = None, ""
    for record in others:
        method, target = record["method"].encode("latin-1"), record["target"].encode("latin-1")
        if record["status"] == 400 and method and target and record is seen[-1]:
            begun = Message(method, target, (record["host"].encode("latin-1"),), ())
        else:
            refused = f"status {record['status']}"
    if len(passed) != len(got):
        refused = f"logged {len(passed)}, passed on {len(got)}"
    return Reading(tuple(got), begun, refused, paths)


@contextmanager
def running_nginx(directory: Path) -> Iterator[Nginx]:
    """An nginx of the test's own, ended with it."""
    program = find_nginx()
    assert program is not None
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        ports = (one.getsockname()[1], two.getsockname()[1])
    config = CONFIG.replace("PORT0", str(ports[0])).replace("PORT1", str(ports[1]))
    config = config.replace("unix:recorder.sock", f"unix:{directory}/recorder.sock")
    (directory / "nginx.conf").write_text(config)
    for name in ("body", "proxy", "fcgi", "uwsgi", "scgi"):
        (directory / name).mkdir(exist_ok=True)
    process = subprocess.Popen(
        [program, "-p", str(directory), "-c", "nginx.conf", "-e", "error.log"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait_until_up(process, ports)
        yield Nginx(directory, ports)
    finally:
        process.terminate()
        process.communicate(timeout=START_S)


def _wait_until_up(process: subprocess.Popen[bytes], ports: tuple[int, int]) -> None:
    until = time.monotonic() + START_S
    for port in ports:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > until:
                    raise
                time.sleep(0.02)
