"""Where a backend's tests start bottles: directories, a stand-in for the proxy, listeners to be attacked.

For tests only. The stand-in refuses everything in the name of the launch, as the real proxy does, and
keeps the first line of each request that reached it.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import TracebackType

from msgspec.structs import replace

from bot_bottle.base.ids import mint_nonce
from bot_bottle.sandbox.contract import Backend, Bottle, BottleSpec, Layer, Process, Resources
from bot_bottle.sandbox.selftest import ProbeListeners
from bot_bottle.store.removal import remove_tree

HOME = PurePosixPath("/home/node")
WORKSPACE = HOME / "workspace"
ETC = {
    "passwd": "root:x:0:0::/root:/usr/sbin/nologin\nnode:x:1000:1000::/home/node:/bin/sh\n",
    "group": "root:x:0:\nnode:x:1000:\n",
    "hosts": "127.0.0.1 localhost bottle\n",
    "resolv.conf": "nameserver 127.0.0.1\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}


class ProxyStandIn:
    """Answers 403 on ``proxy.sock`` with the launch's header; a CONNECT to *open_names* is accepted and
    what follows recorded."""

    def __init__(self, path: Path, nonce: str, open_names: Sequence[str] = ()) -> None:
        self.nonce = nonce
        self.heads: list[bytes] = []
        self.tunnelled: list[bytes] = []
        self._open = {f"{name}:{port}".encode() for name in open_names for port in (80, 443)}
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(128)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                client.settimeout(5)
                try:
                    self._answer(client)
                except OSError:
                    continue

    def _answer(self, client: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            got = client.recv(65536)
            if not got:
                return
            data += got
        head = data.partition(b"\r\n\r\n")[0]
        self.heads.append(head.partition(b"\r\n")[0])
        words = self.heads[-1].split()
        if words[0] == b"CONNECT" and words[1] in self._open:
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            self.tunnelled.append(client.recv(65536))
            client.sendall(b"HTTP/1.1 299 Tunnelled\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        status, body = b"403 Forbidden", b"refused"
        if b"//_egress.local/allowlist" in words[1]:
            status, body = b"200 OK", b'{"routes": []}'
        client.sendall(
            b"HTTP/1.1 %s\r\nx-bot-bottle-launch: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
            % (status, self.nonce.encode(), len(body), body)
        )


class GateStandIn:
    """Reads what comes at *path* to its end, keeps it, and says so."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.heard: list[bytes] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(128)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> GateStandIn:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._listener.close()
        self.path.unlink()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                client.settimeout(20)
                data = b""
                while part := client.recv(1 << 16):
                    data += part
                self.heard.append(data)
                if data:
                    client.sendall(b"got all")


@dataclass(frozen=True)
class Ended:
    """What a program inside left."""

    status: int
    stdout: bytes
    stderr: bytes


def finish(running: Process, stdin: bytes = b"", timeout_s: float = 60.0) -> Ended:
    """Feed *stdin* to a program started with pipes, read all that it says, wait for its end."""
    outputs: dict[int, bytes] = {}

    def read(fd: int) -> None:
        parts = []
        while part := os.read(fd, 1 << 16):
            parts.append(part)
        outputs[fd] = b"".join(parts)
        os.close(fd)

    def feed() -> None:
        view = memoryview(stdin)
        try:
            while view:
                view = view[os.write(running.stdin, view) :]
        except BrokenPipeError:
            pass
        os.close(running.stdin)

    assert running.stderr is not None
    streams = (running.stdout, running.stderr)
    threads = [threading.Thread(target=read, args=(fd,)) for fd in streams]
    threads.append(threading.Thread(target=feed))
    for thread in threads:
        thread.start()
    status = running.wait(timeout_s)
    for thread in threads:
        thread.join(timeout_s)
    return Ended(status, outputs[streams[0]], outputs[streams[1]])


@dataclass
class Ground:
    """A place to start bottles of *backend* in. *base* is for what bottles reach, *run* for sockets."""

    backend: Backend
    base: Path
    run: Path
    uid: int | None = None
    identity: str = "suite-abc12"
    open_names: Sequence[str] = ("open.example",)
    listeners: ProbeListeners = field(init=False)
    proxy: ProxyStandIn = field(init=False)
    spec: BottleSpec = field(init=False)

    def __enter__(self) -> Ground:
        nonce = mint_nonce()
        etc = self.directory("etc")
        for name, text in ETC.items():
            (etc / name).write_text(text, encoding="ascii")
        self.directory("etc", "ssl", "certs")
        workspace = self.directory("lower")
        (workspace / "README").write_text("from the host\n", encoding="ascii")
        self.give(workspace / "README")
        sockets = self.run / "s"
        sockets.mkdir()
        self.give(sockets)
        self.listeners = ProbeListeners(nonce)
        self.proxy = ProxyStandIn(sockets / "proxy.sock", nonce, self.open_names)
        self.give(sockets / "proxy.sock")
        self.spec = BottleSpec(
            identity=self.identity,
            layers=(
                self._layer(PurePosixPath("/"), "root"),
                self._layer(HOME, "home"),
                self._layer(WORKSPACE, "workspace", workspace),
            ),
            etc=etc,
            sockets=sockets,
            exec_socket=self.run / "x.sock",
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(HOME), "LANG": "C.UTF-8"},
            workdir=WORKSPACE,
            probes=self.listeners.probes(),
            uid=self.uid,
            log=self.base / "log",
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.proxy.close()
        self.listeners.close()
        problems = remove_tree(self.base)
        assert not problems, problems

    def give(self, path: Path) -> None:
        """Make *path* the bottle's uid's."""
        if self.uid is not None and os.geteuid() == 0:
            os.chown(path, self.uid, self.uid)

    def directory(self, *names: str) -> Path:
        """A directory below the base that belongs to the bottle's uid."""
        path = self.base
        for name in names:
            path = path / name
            if not path.exists():
                path.mkdir()
                self.give(path)
        return path

    def _layer(self, target: PurePosixPath, name: str, lower: Path | None = None) -> Layer:
        return Layer(target, self.directory(name, "upper"), self.directory(name, "work"), lower)

    def upper(self, target: PurePosixPath) -> Path:
        """The writable directory of the layer at *target*."""
        return next(layer.upper for layer in self.spec.layers if layer.target == target)

    def limited(self, resources: Resources) -> None:
        """Start with *resources* from now on."""
        self.spec = replace(self.spec, resources=resources)

    @contextmanager
    def bottle(self, *, tested: bool = True) -> Iterator[Bottle]:
        """A bottle that has passed its self-test, stopped at the end."""
        bottle = self.backend.start(self.spec)
        try:
            if tested:
                bottle.self_test(30)
            yield bottle
        finally:
            bottle.stop()

    def sh(self, bottle: Bottle, script: str, env: Mapping[str, str] | None = None) -> Ended:
        """Run a shell script inside to its end."""
        return finish(bottle.spawn(["/bin/sh", "-c", script], env=env))
