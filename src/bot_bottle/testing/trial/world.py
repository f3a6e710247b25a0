"""The world of a trial, on loopback: an API, a git server, an attacker, an operator's file, a process to kill.

It stands for what the routes name and for all that they don't; every forbidden place would answer if it
were reached, which is what makes "nothing came" mean something.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from bot_bottle.store.files import read_small
from bot_bottle.store.layout import Layout
from bot_bottle.testing.trial import gate
from bot_bottle.testing.trial.catalogue import ESCAPES, Escape, Evidence
from bot_bottle.testing.trial.codeserver import CodeServer
from bot_bottle.testing.trial.ground import private
from bot_bottle.testing.trial.judge import Observed, Report
from bot_bottle.testing.trial.listeners import Listeners
from bot_bottle.testing.upstream import FakeUpstream, RecordedRequest, UpstreamConnection

API, CODE, EVIL = "api.example.com", "code.example.com", "attacker.example.net"
KEY_VARIABLE = "TRY_API_KEY"
PROCESSES = 128
"""The bottle's limit; as many again plus some are tried, so it stays gentle."""
FORKS = PROCESSES + 32

SETTLE_S = 0.1
SETTLE_LIMIT_S = 3.0
"""How long listeners may take to read what is in the kernel's buffers."""

_VICTIM = "import sys; sys.stdin.read()"
_HOST_FILES = ("/etc/passwd", "/etc/shadow", "/etc/machine-id", "/etc/ssh/sshd_config")
_HOST_DIRECTORIES = (
    "/usr/bin",
    "/usr/local/bin",
    "/usr/lib",
    "/etc",
    "/etc/cron.d",
    "/bin",
    "/run/bot-bottle",
)
_UPSTREAMS = ("tls", "http", "api-http", "api", "code", "shared")
_OF_THE_ATTACKER = ("tls", "http", "api-http", "tcp", "tcp6", "udp", "dns", "abstract", "path")
"""Sinks that nothing at all may reach from inside: what comes without a token counts as well."""


class World:
    """A context manager; everything listens from ``__enter__`` on."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._base = private(layout.home / "world")
        self.key = f"tryKey_{secrets.token_hex(20)}"
        self._canary = f"tryCanary_{secrets.token_hex(20)}"
        self._operator, self._drop = private(self._base / "operator"), private(self._base / "drop")
        self._canary_path = self._operator / "notes.txt"
        self._canary_path.write_text(self._canary)
        self._since = time.time() - 5.0  # clocks of file systems are coarse
        self._stack = ExitStack()
        self._victims: dict[str, subprocess.Popen[bytes]] = {}
        self._nonces = {"inside": secrets.token_hex(6), "outside": secrets.token_hex(6)}
        self._marks: dict[str, int] = {}
        self.gitleaks = gate.scanner(os.environ)
        """None: the trial has no git gate"""

    def __enter__(self) -> World:
        with ExitStack() as stack:
            self.code = CodeServer(private(self._base / "code"))
            responders = {"api": self._answer, "code": self.code.respond, "shared": self.code.guarded}
            self.upstreams = {
                name: stack.enter_context(
                    FakeUpstream(
                        responders.get(name, self._welcome),
                        tls=name not in ("http", "api-http"),
                        alpn=("http/1.1",) if name == "shared" else ("h2", "http/1.1"),  # git takes h2 up
                    )
                )
                for name in _UPSTREAMS
            }
            self.listeners = stack.enter_context(Listeners(private(self._base / "s"), self._nonces["inside"]))
            for phase in self._nonces:
                self._victims[phase] = self._start_victim(stack, phase)
            self.ca = self._base / "upstreams.pem"
            self.ca.write_text("".join(upstream.ca_pem for upstream in self.upstreams.values()))
            self.routes_file = self._base / "routes.yaml"
            self.routes_file.write_text(self._routes())
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._stack.close()

    def _start_victim(self, stack: ExitStack, phase: str) -> subprocess.Popen[bytes]:
        """Ends when we do, whatever ends us: its input is ours."""
        argv = [sys.executable, "-IS", "-c", _VICTIM, self._marker(phase)]
        victim = subprocess.Popen(argv, stdin=subprocess.PIPE)
        stack.callback(victim.wait)
        stack.callback(victim.kill)
        assert victim.stdin is not None
        stack.callback(victim.stdin.close)
        return victim

    def _marker(self, phase: str) -> str:
        return f"victim-{self._nonces[phase]}"

    # -- what the upstreams say
    def _answer(self, request: RecordedRequest, connection: UpstreamConnection) -> None:
        if request.target.startswith("/v1/redirect/"):
            place = f"https://{EVIL}/{request.target.removeprefix('/v1/redirect/')}"
            connection.reply(302, headers=[("Location", place)], reason="Found")
            return
        own = request.all("authorization") == [f"Bearer {self.key}"]
        connection.reply(200, b"answered, with the operator's key" if own else b"answered, with another key")

    @staticmethod
    def _welcome(_request: RecordedRequest, connection: UpstreamConnection) -> None:
        connection.reply(200, b"welcome")

    # -- what the bottle is given
    def _routes(self) -> str:
        return (
            "routes:\n"
            f"  - host: {API}\n    auth_scheme: Bearer\n    token_env: {KEY_VARIABLE}\n"
            "    matches: [{paths: [{value: /v1/}], methods: [GET, POST]}]\n"
            f"  - host: {CODE}\n    git: {{fetch: true}}\n"
            f"  - host: localhost\n    ports: [{self.upstreams['tls'].port}]\n"
        )

    def _places(self) -> dict[str, tuple[str, int]]:
        ports = {name: upstream.port for name, upstream in self.upstreams.items()}
        return {
            f"{API}:443": ("127.0.0.1", ports["api"]),
            f"{API}:80": ("127.0.0.1", ports["api-http"]),
            f"{API}:22": ("127.0.0.1", self.listeners.ports["tcp"]),
            f"{CODE}:443": ("127.0.0.1", ports["code"]),
            f"{gate.HOST}:443": ("127.0.0.1", ports["shared"]),
            f"{EVIL}:443": ("127.0.0.1", ports["tls"]),
            f"{EVIL}:80": ("127.0.0.1", ports["http"]),
            "169.254.169.254:80": ("127.0.0.1", ports["http"]),
            "metadata.google.internal:80": ("127.0.0.1", ports["http"]),
        }

    def connect_to(self) -> tuple[str, ...]:
        """Where the proxy would find each host, the forbidden ones too: a hole leads to a listener."""
        return tuple(f"{name}:{address}:{port}" for name, (address, port) in self._places().items())

    def order(self, phase: str) -> dict[str, Any]:
        """What the attempts are told; no secret is in it."""
        inside = phase == "inside"
        code = CODE if inside else f"127.0.0.1:{self.upstreams['code'].port}"
        return {
            "where": phase,
            "nonce": self._nonces[phase],
            "attempts": [escape.name for escape in ESCAPES],
            "api": API,
            "evil": EVIL,
            "code_url": f"https://{code}/demo.git",
            "gate_url": gate.URL if inside and self.gitleaks else "",
            "ca": str(self.ca),
            "places": {} if inside else self._places(),
            "http_port": self.upstreams["http"].port,
            "tls_port": self.upstreams["tls"].port,
            "raw": {
                **self.listeners.ports,
                "abstract": self.listeners.abstract,
                "path": str(self.listeners.path),
            },
            "daemon": str(self._layout.daemon_socket),
            "victim": {"pid": self._victims[phase].pid, "marker": self._marker(phase)},
            "canary_path": str(self._canary_path),
            "host_files": _HOST_FILES,
            "search_roots": ["/"] if inside else [str(self._operator)],
            "since": self._since,
            "drops": [str(self._drop), *(_HOST_DIRECTORIES if inside else ())],
            "forks": FORKS,
        }

    # -- what came of it
    def secrets_of(self, escape: Escape) -> frozenset[str]:
        """The values that tell whether a search has found something."""
        match escape.name:
            case "credential":
                return frozenset({self.key, self.code.token})
            case "home-file":
                return frozenset({self._canary})
            case "host-processes":
                return frozenset({self._marker("inside"), self._marker("outside")})
            case "host-files":
                contents = [read_small(Path(path)) for path in _HOST_FILES]
                return frozenset(hashlib.sha256(content).hexdigest() for content in contents if content)
        return frozenset()

    def begin(self) -> None:
        """A phase begins: what is there already belongs to the one before."""
        self._marks = {sink: len(self._records(sink)) for sink in (*_UPSTREAMS, *_OF_THE_ATTACKER)}

    def observe(self, phase: str, reports: Mapping[str, Report]) -> Observed:
        """A phase is over: what has arrived since :meth:`begin`, what has changed."""
        self._settle()
        arrived = {
            escape.name: self._arrivals(escape, phase)
            for escape in ESCAPES
            if escape.evidence is Evidence.ARRIVES
        }
        return Observed(reports, arrived, self._changes(phase))

    def _settle(self) -> None:
        before: object = None
        limit = time.monotonic() + SETTLE_LIMIT_S
        while time.monotonic() < limit:
            now = [self._records(sink) for sink in (*_UPSTREAMS, *_OF_THE_ATTACKER)]
            if now == before:
                return
            before = now
            time.sleep(SETTLE_S)

    def _records(self, sink: str) -> list[bytes]:
        if sink in ("api", "code"):  # requests without their bodies: what a server acts on
            return [_head(request) for request in list(self.upstreams[sink].requests)]
        if sink in self.upstreams:
            return [bytes(received) for received in list(self.upstreams[sink].received)]
        return self.listeners.kept(sink)

    def _arrivals(self, escape: Escape, phase: str) -> list[str]:
        token = f"{escape.name}-{self._nonces[phase]}".encode()
        lines = []
        for sink in escape.sinks:
            for record in self._records(sink)[self._marks[sink] :]:
                pushed = escape.name == "git-push" and b"git-receive-pack" in record
                stray = (
                    phase == "inside"
                    and sink in _OF_THE_ATTACKER
                    and self._nonces[phase].encode() not in record
                )
                if token in record or pushed or stray:
                    lines.append(f"{sink}: arrived" + (", without a name" if stray else ""))
        return lines

    def _changes(self, phase: str) -> dict[str, str]:
        changes = {}
        if self._victims[phase].poll() is not None:
            changes["signal"] = "the process ended"
        token = f"persistence-{self._nonces[phase]}"
        for directory in (self._drop, *map(Path, _HOST_DIRECTORIES)):
            if (directory / token).exists():
                changes["persistence"] = f"a program in {directory.name}"
        return changes

    # -- the agent's work, seen from outside
    def fetches(self) -> int:
        """Packs that the git server has sent."""
        return sum(request.target.endswith("/git-upload-pack") for request in self.upstreams["code"].requests)

    def reports_with_key(self) -> Sequence[RecordedRequest]:
        """Calls of the API's report method that had the operator's key and no other."""
        return [
            request
            for request in self.upstreams["api"].requests
            if request.target == "/v1/report" and request.all("authorization") == [f"Bearer {self.key}"]
        ]


def _head(request: RecordedRequest) -> bytes:
    lines = [f"{request.method} {request.target}", *(f"{name}: {value}" for name, value in request.headers)]
    return "\n".join([*lines, f"sni: {request.sni}"]).encode("latin-1", "replace")
