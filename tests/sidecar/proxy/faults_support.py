"""The real ``bot-bottle proxy`` as a process under test: started, watched from outside, spoken to byte by byte.

Waiting times may be shortened (``Limits``): the command is the same, its constants are replaced before it
starts.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import kept_patterns

TIMEOUT_S = 20.0
HOST = "api.example.com"
OTHER = "other.example.com"
"""of the bystander, who must not notice anything"""
SECRET = "n0t-a-real-secret-5518"
PROGRAM = """
import dataclasses, json, sys
from bot_bottle.sidecar.proxy import limits
limits.DEFAULT_LIMITS = dataclasses.replace(limits.DEFAULT_LIMITS, **json.loads(sys.argv[1]))
from bot_bottle.cli.main import main
main(sys.argv[2:])
"""


def reset(sock: socket.socket) -> None:
    """Close with RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def until(holds: Callable[[], Any], what: str, within_s: float = TIMEOUT_S) -> Any:
    """Wait until *holds()* is true and return its value."""
    deadline = time.monotonic() + within_s
    while not (value := holds()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what}")
        time.sleep(0.01)
    return value


class Proxy:
    """The process; ``address`` is where it listens."""

    def __init__(self, process: subprocess.Popen[bytes], address: Any, directory: Path) -> None:
        self.process = process
        self.pid = process.pid
        self.address = address
        self.directory = directory

    # -- from outside

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def threads(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def private_kib(self) -> int:
        text = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        found = [line.split() for line in text.splitlines() if line.startswith(("Private_", "Swap:"))]
        return sum(int(words[1]) for words in found if not words[0].endswith("Hugetlb:"))

    def settles_at(self, descriptors: int) -> None:
        """Nothing of what went on is left but so many descriptors."""
        until(
            lambda: self.descriptors() <= descriptors, f"{self.descriptors()} descriptors, not {descriptors}"
        )

    def hangup(self) -> None:
        os.kill(self.pid, signal.SIGHUP)

    # -- as a client

    def connect(self) -> socket.socket:
        if isinstance(self.address, str):
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(TIMEOUT_S)
            sock.connect(self.address)
            return sock
        return socket.create_connection(self.address, TIMEOUT_S)

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.directory / "ca" / "ca.pem"))

    def tls(self, host: str = HOST, port: int = 443) -> ssl.SSLSocket:
        """A tunnel with TLS taken up."""
        sock = self.connect()
        sock.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        head = read_until(sock, b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        return self.context().wrap_socket(sock, server_hostname=host)

    def ask(self, host: str = OTHER, path: str = "/", *, port: int = 80) -> tuple[int, bytes]:
        """One request on a connection of its own: status and body."""
        with contextlib.closing(self.tls(host) if port == 443 else self.connect()) as sock:
            target = path if port == 443 else f"http://{host}:{port}{path}".replace(":80/", "/")
            where = host if port in (80, 443) else f"{host}:{port}"
            sock.sendall(f"GET {target} HTTP/1.1\r\nHost: {where}\r\nConnection: close\r\n\r\n".encode())
            status, _, body, whole = response(read_all(sock))
            assert whole, "cut"
            return status, body


def read_until(sock: socket.socket, mark: bytes) -> bytes:
    data = b""
    while mark not in data:
        piece = sock.recv(65536)
        if not piece:
            raise EOFError(f"closed after {data!r}")
        data += piece
    return data


def read_all(sock: socket.socket) -> bytes:
    """To the end; a reset or a missing close_notify is one, and what came before it counts."""
    data = b""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while piece := sock.recv(65536):
            data += piece
    return data


def response(data: bytes) -> tuple[int, dict[str, str], bytes, bool]:
    """Status, fields, body, and whether a client would take it for whole."""
    head, end, rest = data.partition(b"\r\n\r\n")
    if not end:
        return 0, {}, data, False
    lines = head.decode("latin-1").split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    status = int(lines[0].split(" ")[1])
    if status == 100:
        return response(rest)
    if "content-length" in fields:
        return status, fields, rest, len(rest) >= int(fields["content-length"])
    if fields.get("transfer-encoding") != "chunked":
        return status, fields, rest, True
    body = b""
    while True:
        line, end, rest = rest.partition(b"\r\n")
        if not end:
            return status, fields, body, False
        size = int(line, 16)
        if size == 0:
            return status, fields, body, rest[:2] == b"\r\n"
        body, rest = body + rest[:size], rest[size + 2 :]


@contextlib.contextmanager
def running(
    directory: Path,
    policy: str,
    connect_to: Mapping[tuple[str, int], tuple[str, int]] | None = None,
    *,
    roots: str = "",
    limits: Mapping[str, float] | None = None,
    prefix: Sequence[str] = (),
    listen: str = "127.0.0.1:0",
    stderr: Any = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[Proxy]:
    """*directory* holds its routes (``routes.yaml``), roots and authority; *prefix* is put before the command.

    Standard error goes to ``stderr`` there unless *stderr* says otherwise. It must end in good order.
    """
    kept_patterns.lay(directory)
    (directory / "routes.yaml").write_text(policy)
    words = ["proxy", "--listen", listen, "--routes", str(directory / "routes.yaml")]
    words += ["--ca-dir", str(directory / "ca")]
    for (host, port), (address, to_port) in (connect_to or {}).items():
        words += ["--connect-to", f"{host}:{port}:{address}:{to_port}"]
    if roots:
        (directory / "roots.pem").write_text(roots)
        words += ["--extra-ca", str(directory / "roots.pem")]
    argv = [*prefix, sys.executable, "-c", PROGRAM, json.dumps({"sweep_s": 0.05, **(limits or {})}), *words]
    home = {"HOME": str(directory), "PATH": os.environ["PATH"], "TEST_TOKEN": SECRET, **(env or {})}
    with contextlib.ExitStack() as stack:
        if stderr is None:
            stderr = stack.enter_context((directory / "stderr").open("ab"))
        process = subprocess.Popen(argv, env=home, stdout=subprocess.PIPE, stderr=stderr)
        try:
            assert process.stdout is not None
            line = process.stdout.readline().decode().strip()
            assert line.startswith("listening on "), (directory / "stderr").read_text()
            where = line.removeprefix("listening on ")
            address: Any = where.removeprefix("unix:")
            if not where.startswith("unix:"):
                host, _, port = where.rpartition(":")
                address = (host, int(port))
            yield Proxy(process, address, directory)
            assert process.poll() is None, "the proxy ended by itself"
            process.terminate()
            assert process.wait(TIMEOUT_S) == 0
        finally:
            process.kill()
            process.communicate()


def incidents(directory: Path) -> list[dict[str, Any]]:
    """Errors of the proxy's own in what it said: none may be there."""
    lines = (directory / "stderr").read_text().splitlines()
    assert not any(line.startswith("Traceback") for line in lines), "\n".join(lines)
    records = [json.loads(line) for line in lines if line.startswith("{")]
    return [record for record in records if record["event"] == "proxy_error"]


@contextlib.contextmanager
def failing_calls(proxy: Proxy, call: str, error: str, when: str = "1+") -> Iterator[Path]:
    """System calls of the running proxy fail (``strace -e inject``); yields the trace so far."""
    trace = proxy.directory / "trace"
    argv = ["strace", "-f", "-qq", "-o", str(trace), "-e", f"trace={call}"]
    argv += ["-e", f"inject={call}:error={error}:when={when}", "-p", str(proxy.pid)]
    strace = subprocess.Popen(argv, stderr=subprocess.PIPE)
    try:
        until(lambda: f"TracerPid:\t{strace.pid}\n" in Path(f"/proc/{proxy.pid}/status").read_text()
              or strace.poll() is not None, "strace holds it")  # fmt: skip
        yield trace
    finally:
        strace.terminate()  # lets go of the proxy
        _, said = strace.communicate(timeout=TIMEOUT_S)
    assert said == b"", said
