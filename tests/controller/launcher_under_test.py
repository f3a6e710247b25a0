"""A launching process, reduced to what concerns the daemon; told what to do on stdin, answers in JSON lines.

python launcher_under_test.py '{"home": …, "shared": …, "run": …, "program": […], …}'
"""

from __future__ import annotations

import array
import json
import os
import select
import socket
import sys
import threading
from pathlib import Path

import msgspec

from bot_bottle.base.errors import BotBottleError
from bot_bottle.gitgate.config import GateSpec
from bot_bottle.ipc import wire
from bot_bottle.ipc.client import DaemonClient
from bot_bottle.ipc.sidecar import ConnectTo, FromSidecar, Ready, Refused, SidecarSecrets, SidecarSpec
from bot_bottle.store import bottles
from bot_bottle.store.directories import prepare
from bot_bottle.store.layout import Layout

PLACES = {"proxy": ("egress", "run"), "gate": ("gate-told", "gate")}


def say(**event) -> None:
    print(json.dumps(event), flush=True)


class Launcher:
    def __init__(self, options: dict) -> None:
        self.options = options
        self.layout = Layout(Path(options["home"]), Path(options["shared"]), Path(options["run"]))
        self.bottle = options["bottle"]
        self.uid = options.get("bottle_uid")
        self.kinds = ("proxy", "gate") if "gitleaks" in options else ("proxy",)
        self.strange = 0

    def ensure(self) -> DaemonClient:
        return DaemonClient.ensure(self.layout, self.options["program"])

    def make(self) -> None:
        prepare(self.layout)
        self.state = bottles.create(self.layout, self.bottle)
        guest, sockets = self.layout.guest(self.bottle), self.layout.sockets(self.bottle)
        for path in (guest, sockets, *(guest / name for name in ("egress", "run", "gate-told", "gate"))):
            path.mkdir(mode=0o755)
            path.chmod(0o755)
        (guest / "egress" / "routes.yaml").write_text(self.options.get("routes", "routes: []\n"))
        for told in ("egress", "gate-told"):
            (guest / told / "probes.json").write_text(json.dumps(self.options.get("probes", {})))
            for path in (guest / told).iterdir():
                path.chmod(0o644)
        if self.options.get("egress_is_link"):
            (guest / "egress").rename(guest / "other")
            (guest / "egress").symlink_to("other")
        if self.uid is not None:
            os.chown(guest / "run", self.uid, self.uid)
            os.chown(guest / "gate", self.uid + 1, self.uid + 1)
        self.listeners = {kind: socket.socket(socket.AF_UNIX) for kind in self.kinds}
        for kind, listener in self.listeners.items():
            listener.bind(str(sockets / f"{kind}.sock"))
            listener.listen()

    def launch(self) -> None:
        self.client = self.ensure()
        self.controls, self.handles = {}, {}
        for kind in self.kinds:
            self.request(kind)
        for kind in reversed(self.kinds):  # whatever order they are waited for in
            self.handles[kind] = self.client.await_sidecar(kind)
        self.await_ready()

    def spec(self, kind: str) -> SidecarSpec:
        guest, told, run = self.layout.guest(self.bottle), *PLACES[kind]
        gate = GateSpec(repos=(), gitleaks=self.options["gitleaks"]) if kind == "gate" else None
        return SidecarSpec(
            kind=kind, gate=gate, bottle=self.bottle, nonce="0" * 32, egress_dir=str(guest / told),
            run_dir=str(guest / run), uid=None if self.uid is None else self.uid + (kind == "gate"),
            connect_to=tuple(ConnectTo(*item) for item in self.options.get("connect_to", [])),
        )  # fmt: skip

    def request(self, kind: str) -> None:
        guest = self.layout.guest(self.bottle)
        self.controls[kind], theirs = wire.pair()
        reading, writing = os.pipe()
        log = os.open(guest / "sidecar.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        tokens = {"EGRESS_TOKEN_0": self.options.get("secret", "x")}
        os.write(writing, msgspec.json.encode(SidecarSecrets(tokens=tokens)))
        os.close(writing)
        try:
            self.client.request_sidecar(
                self.spec(kind), listener=self.listeners[kind].fileno(), control=theirs.fileno(),
                secrets=reading, log=log,
            )  # fmt: skip
        finally:
            theirs.close()
            os.close(reading)
            os.close(log)

    def await_ready(self) -> None:
        said = {}
        for kind, control in self.controls.items():
            said[kind] = self.heard(control)
            if said[kind] is None:
                say(event="sidecar-ended", log=(self.layout.guest(self.bottle) / "sidecar.log").read_text())
                return
            if not isinstance(said[kind], Ready):
                assert isinstance(said[kind], Refused)
                say(event="refused", reason=said[kind].reason)
                return
        pids = {"sidecar" if kind == "proxy" else kind: handle.pid for kind, handle in self.handles.items()}
        say(
            event="ready", **pids, daemon=self.client.status().pid, strange=self.strange,
            version=said["proxy"].version, ca=said["proxy"].ca_pem,
            descriptors=len(os.listdir("/proc/self/fd")),
        )  # fmt: skip

    def heard(self, control):
        """The first message of ours, after whatever else; None for an end."""
        control.settimeout(20)
        while True:
            try:
                message, fds = wire.receive(control, FromSidecar)
            except wire.WireError as error:
                if error.closed:
                    return None
                self.strange += 1
                continue
            wire.close_all(fds)
            return message

    def command(self, word: str) -> bool:
        if word == "finish":
            for control in self.controls.values():
                control.close()
            self.client.finished()
            self.state.remove()
            say(event="finished")
            return False
        if word == "rejoin":
            self.client.close()
            self.client = self.ensure()
            self.client.adopt(self.bottle, {kind: handle.pidfd for kind, handle in self.handles.items()})
            say(event="rejoined", daemon=self.client.status().pid)
        elif word == "again":  # another connection, the same name
            kept = self.client, self.controls, self.handles
            try:
                self.launch()
            finally:
                self.client, self.controls, self.handles = kept
        elif word == "more":  # this connection, a kind that it has
            self.request("proxy")
            self.client.await_sidecar("proxy")
        elif word == "status":
            status = self.client.status()
            say(event="status", daemon=status.pid, bottles=list(status.bottles))
        elif word.startswith("raw "):
            say(event="raw", answer=self.raw(*json.loads(word[4:])))
        elif word.startswith("raw-own "):
            say(event="raw", answer=exchange(self.client._sock, *json.loads(word[8:])))
        elif word == "watch":
            poller = select.poll()
            poller.register(self.client.fileno(), select.POLLIN)
            say(event="daemon-ended" if poller.poll(20_000) else "daemon-lives")
        return True

    def raw(self, payload: str, descriptors: int) -> str:
        """One packet on a connection of its own; what comes back, empty for an end."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
            sock.settimeout(10)
            sock.connect(str(self.layout.daemon_socket))
            return exchange(sock, payload, descriptors)


def exchange(sock: socket.socket, payload: str, descriptors: int) -> str:
    with open("/dev/null", "rb") as null:
        fds = array.array("i", [null.fileno()] * descriptors)
        sock.sendmsg(
            [payload.encode("latin-1")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)] if fds else []
        )
    try:
        return sock.recv(65536).decode()
    except ConnectionResetError:
        return ""


def race(options: dict) -> None:
    """Many clients of one process at once; each says which daemon it reached."""
    layout = Layout(Path(options["home"]), Path(options["shared"]), Path(options["run"]))
    go = threading.Barrier(options["race"])
    pids = []

    def one() -> None:
        go.wait()
        with DaemonClient.ensure(layout, options["program"]) as client:
            pids.append(client.status().pid)

    threads = [threading.Thread(target=one) for _ in range(options["race"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    say(event="race", daemons=pids)


def main() -> None:
    options = json.loads(sys.argv[1])
    if "race" in options:
        race(options)
        return
    launcher = Launcher(options)
    try:
        launcher.make()
        launcher.launch()
    except BotBottleError as error:
        say(event="failed", reason=str(error))
    for line in sys.stdin:
        try:
            if not launcher.command(line.strip()):
                return
        except BotBottleError as error:
            say(event="failed", reason=str(error))


if __name__ == "__main__":
    main()
