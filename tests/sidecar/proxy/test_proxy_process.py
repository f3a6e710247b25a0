"""A sidecar's proxy process, driven over its descriptors like a launcher does it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bot_bottle.egress.codec import policy_version
from bot_bottle.ipc import wire
from bot_bottle.ipc.sidecar import (
    ConnectTo,
    Drain,
    FromSidecar,
    NewTokens,
    Ready,
    Refused,
    Reload,
    Reloaded,
    SidecarSecrets,
    SidecarSpec,
    TokensTaken,
)

HOST = "api.example.com"
POLICY = f"log: 1\nroutes:\n  - host: {HOST}\n    auth_scheme: Bearer\n    token_env: EGRESS_TOKEN_0\n"
SECRET = "n0t-a-real-secret-2290"
PROGRAM = textwrap.dedent(
    """
    import socket, sys
    from pathlib import Path
    import msgspec
    from bot_bottle.ipc.sidecar import SidecarSpec
    from bot_bottle.sidecar.proxy.process import run
    listener, control, link, secrets, log = map(int, sys.argv[1:6])
    spec = msgspec.json.decode(sys.argv[6].encode(), type=SidecarSpec)
    sys.exit(run(
        spec, listener=socket.socket(fileno=listener), control=socket.socket(fileno=control),
        link=socket.socket(fileno=link), secrets=secrets, log=log, egress_dir=Path(sys.argv[7]),
    ))
    """
)


@dataclass
class Sidecar:
    process: subprocess.Popen[bytes]
    control: socket.socket
    path: Path
    egress: Path
    log: Path

    def receive(self) -> Any:
        self.control.settimeout(20)
        return wire.receive(self.control, FromSidecar)[0]

    def ask(self, request: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(str(self.path))
            client.sendall(request)
            return client.recv(65536)


@pytest.fixture
def start(tmp_path):
    started: list[Sidecar] = []

    def start(
        policy: str = POLICY,
        secrets: bytes | None = None,
        connect_to: tuple[ConnectTo, ...] = (),
        ca: str = "",
    ) -> Sidecar:
        egress = tmp_path / "egress"
        egress.mkdir()
        (egress / "routes.yaml").write_text(policy)
        path, log = tmp_path / "proxy.sock", tmp_path / "proxy.log"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen(64)
        control, theirs = wire.pair()
        link, link_theirs = wire.pair()
        reading, writing = os.pipe()
        log_fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        spec = SidecarSpec(
            bottle="dev-abc12", nonce="n0nce", egress_dir=str(egress), run_dir=str(tmp_path),
            connect_to=connect_to, extra_ca_pem=ca,
        )  # fmt: skip
        fds = [listener.fileno(), theirs.fileno(), link_theirs.fileno(), reading, log_fd]
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *map(str, fds), msgspec.json.encode(spec).decode(), str(egress)],
            pass_fds=fds, stderr=subprocess.PIPE,
        )  # fmt: skip
        for sock in (listener, theirs, link_theirs, link):
            sock.close()
        os.close(reading)
        os.close(log_fd)
        if secrets is None:
            secrets = msgspec.json.encode(SidecarSecrets({"EGRESS_TOKEN_0": SECRET}))
        with open(writing, "wb") as pipe:
            pipe.write(secrets)
        sidecar = Sidecar(process, control, path, egress, log)
        started.append(sidecar)
        return sidecar

    yield start
    for sidecar in started:
        sidecar.control.close()
        assert sidecar.process.wait(10) is not None
        sidecar.process.stderr.close()


def test_a_sidecar_serves_reloads_and_ends_with_its_launcher(start, upstream):
    """Ready with the CA and the version; reload by message; the end of the control socket is its own."""
    sidecar = start(connect_to=(ConnectTo(HOST, 443, "127.0.0.1", upstream.port),), ca=upstream.ca_pem)
    ready = sidecar.receive()
    assert isinstance(ready, Ready)
    assert ready.version == policy_version(POLICY)
    assert ready.ca_pem.startswith("-----BEGIN CERTIFICATE-----")
    refused = b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n"
    answer = sidecar.ask(refused)
    assert answer.startswith(b"HTTP/1.1 403")
    assert b"x-bot-bottle-launch: n0nce" in answer
    changed = POLICY + "  - host: evil.example\n"
    (sidecar.egress / "new").write_text(changed)
    (sidecar.egress / "new").rename(sidecar.egress / "routes.yaml")
    wire.send(sidecar.control, Reload())
    assert sidecar.receive() == Reloaded(policy_version(changed))
    (sidecar.egress / "routes.yaml").write_text("routes: {}")
    wire.send(sidecar.control, Reload())
    refusal = sidecar.receive()
    assert isinstance(refusal, Refused)
    assert "routes" in refusal.reason
    sidecar.control.close()
    assert sidecar.process.wait(10) == 0
    assert SECRET not in sidecar.log.read_text()
    assert sidecar.process.stderr.read() == b""


def test_secrets_are_in_no_place_that_another_process_reads(start):
    """Neither in the environment nor in the arguments (ruling 38)."""
    sidecar = start()
    assert isinstance(sidecar.receive(), Ready)
    for name in ("environ", "cmdline"):
        assert SECRET.encode() not in Path(f"/proc/{sidecar.process.pid}/{name}").read_bytes()


def pipe_with(data: bytes, *, open_end: bool = False) -> tuple[int, int | None]:
    """A pipe's reading end with *data* in it, and its writing end where that is left open."""
    reading, writing = os.pipe()
    os.write(writing, data)
    if open_end:
        return reading, writing
    os.close(writing)
    return reading, None


def new_tokens(**tokens: str) -> bytes:
    return msgspec.json.encode(SidecarSecrets(tokens))


@pytest.mark.parametrize(
    ("data", "open_end", "answer"),
    [
        (new_tokens(EGRESS_TOKEN_0="another-secret-2291"), False, TokensTaken()),
        (new_tokens(EGRESS_TOKEN_1="another-secret-2291"), False, "EGRESS_TOKEN_1"),
        (new_tokens(EGRESS_TOKEN_0="another-secret-2291\n"), False, "EGRESS_TOKEN_0"),
        (new_tokens(EGRESS_TOKEN_0="another-secret-2291" * 3_000), False, TokensTaken()),
        (b'{"tokens": {"EGRESS_TOKEN_0": "another-secret-2291"', False, "could not be read"),
        (b'{"tokens": {"EGRESS_TOKEN_0": "another-secret-2291"', True, "could not be read"),
        (b"", False, "could not be read"),
        (b"", True, "could not be read"),
        (None, False, "no tokens came"),
    ],
)
def test_new_tokens_come_by_a_pipe(start, upstream, data, open_end, answer):
    """Taken whole or refused with a reason that quotes none; a pipe that is not finished is not waited for, and
    the proxy serves on."""
    sidecar = start(connect_to=(ConnectTo(HOST, 443, "127.0.0.1", upstream.port),), ca=upstream.ca_pem)
    assert isinstance(sidecar.receive(), Ready)
    reading, writing = pipe_with(data, open_end=open_end) if data is not None else (None, None)
    wire.send(sidecar.control, NewTokens(), () if reading is None else (reading,))
    said = sidecar.receive()
    if isinstance(answer, str):
        assert isinstance(said, Refused) and answer in said.reason
        assert "another-secret" not in said.reason
    else:
        assert said == answer
    assert sidecar.ask(b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n")
    for fd in (reading, writing):
        if fd is not None:
            os.close(fd)
    assert "another-secret" not in sidecar.log.read_text()


def test_drain_ends_it(start):
    sidecar = start()
    assert isinstance(sidecar.receive(), Ready)
    wire.send(sidecar.control, Drain())
    assert sidecar.process.wait(10) == 0


@pytest.mark.parametrize(
    ("policy", "secrets", "word"),
    [
        ("routes: {}", None, "list"),
        (POLICY, b'{"tokens": {}}', "EGRESS_TOKEN_0"),
        (POLICY, b'{"tokens": {"EGRESS_TOKEN_0": "n0t-a-real-secret-2290"', "secrets"),
        (POLICY, b"", "secrets"),
    ],
)
def test_what_can_not_start_says_why_over_the_control_socket(start, policy, secrets, word):
    """Exit 1, a reason, and no secret in it."""
    sidecar = start(policy, secrets)
    refusal = sidecar.receive()
    assert isinstance(refusal, Refused)
    assert word in refusal.reason
    assert SECRET not in refusal.reason
    assert sidecar.process.wait(10) == 1


def test_importing_makes_no_loop_context_or_thread():
    """The parent that forks sidecars imports this: a fork of threads or TLS state would be a fork of trouble."""
    program = (
        "import ssl, threading, asyncio\n"
        "made = []\n"
        "real = ssl.SSLContext.__new__\n"
        "ssl.SSLContext.__new__ = lambda *a, **k: made.append(1) or real(*a, **k)\n"
        "import bot_bottle.sidecar.proxy.process\n"
        "assert not made and threading.active_count() == 1\n"
        "assert asyncio._get_running_loop() is None and asyncio.get_event_loop_policy()._local._loop is None\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)
