"""A sidecar that has been taken over reaches nothing (ruling 42).

Each verdict is read outside (what a listener got, which file is there) as well as from the probe's own error,
and each probe that can succeed at all does so when the same code runs unconfined, as the same person."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import bot_bottle

PROBES = Path(__file__).parent / "probes.py"
HARMFUL_OUTSIDE = {"write-usr", "write-etc", "write-root", "write-dev", "mount", "hostname", "become-root",
                   "user-namespace", "write-own-policy"}  # fmt: skip
"""Left out of the control run: they would change the machine that the tests run on (or the process)."""

ROOT_ONLY = {"sysctl", "kernel-log", "raw-socket", "packet-socket"}
"""An ordinary user is refused these outside too."""

FOR_OUTSIDE = HARMFUL_OUTSIDE | {"io-uring", "keyring"}  # may be switched off for the whole host


class Outside:
    """What a hostile sidecar would like to reach: listeners that keep what they get, secrets, a victim."""

    def __init__(self, host) -> None:
        self.host, self.got, self._open = host, {}, contextlib.ExitStack()
        root, layout = host.root, host.layout
        self.home = root / "operator"
        self.marker = root / "operator" / "marker"
        (self.home / "secret").write_text("the operator's own")
        other = layout.guest("other") / "run"
        self.listeners = {
            "docker-socket": self._listen(str(root / "operator" / "docker.sock")),
            "agent-socket": self._listen(str(root / "operator" / "agent.sock")),
            "abstract-stream": self._listen("\0" + secrets.token_hex(12)),
            "abstract-datagram": self._listen("\0" + secrets.token_hex(12), socket.SOCK_DGRAM),
        }
        self.victim = self._open.enter_context(self._start_victim())
        libc = ctypes.CDLL(None)
        self.shm_key = 0x0B0B0000 + secrets.randbelow(1 << 16)
        self.shm = libc.shmget(self.shm_key, 4096, 0o1000 | 0o666)
        self.config = {
            "home": str(self.home), "home_secret": str(self.home / "secret"),
            "other_run": str(other), "other_gate": str(layout.guest("other") / "gate"),
            "own_guest": str(layout.guest("one")), "own_run": str(layout.guest("one") / "run"),
            "own_gate": str(layout.guest("one") / "gate"), "other_socket": str(layout.sockets("other") / "proxy.sock"),
            "daemon_socket": str(layout.daemon_socket), "egress": str(layout.guest("one") / "egress"),
            "docker_socket": self.listeners["docker-socket"].getsockname(),
            "agent_socket": self.listeners["agent-socket"].getsockname(),
            "abstract": self.listeners["abstract-stream"].getsockname()[1:].decode(),
            "abstract_packets": self.listeners["abstract-datagram"].getsockname()[1:].decode(),
            "victim": self.victim.pid, "marker": str(self.marker), "shm_key": self.shm_key,
            "tmp_file": f"/tmp/probe-{secrets.token_hex(8)}",
        }  # fmt: skip
        self._give_to_operator()

    def _listen(self, address: str, kind: int = socket.SOCK_STREAM) -> socket.socket:
        sock = self._open.enter_context(socket.socket(socket.AF_UNIX, kind))
        sock.bind(address)
        if kind == socket.SOCK_STREAM:
            sock.listen(16)
        sock.setblocking(False)
        return sock

    def _start_victim(self) -> subprocess.Popen:
        uid = self.host.uid
        victim = subprocess.Popen(
            [sys.executable, "-c", "import signal, time\n"
             "signal.signal(signal.SIGUSR1, lambda *_: None)\nprint(flush=True)\ntime.sleep(600)"],
            user=uid, group=uid, extra_groups=None if uid is None else [], cwd=self.home,
            env={"VICTIM": "yes"}, stdout=subprocess.PIPE,
        )  # fmt: skip
        victim.stdout.readline()
        return victim

    def _give_to_operator(self) -> None:
        if self.host.uid is not None:
            for path in (self.home, *self.home.rglob("*")):
                os.chown(path, self.host.uid, self.host.uid)

    def reached(self) -> set[str]:
        """Which listeners got anything since the last look."""
        found = set()
        for name, sock in self.listeners.items():
            with contextlib.suppress(BlockingIOError):
                if sock.type == socket.SOCK_DGRAM:
                    sock.recv(64)
                else:
                    sock.accept()[0].close()
                found.add(name)
        return found

    def files(self) -> set[str]:
        places = [self.marker, self.home / "probe", Path(self.config["tmp_file"]),
                  *(Path(top) / "probe-of-a-sidecar" for top in ("/", "/etc", "/usr", "/dev"))]  # fmt: skip
        return {str(path) for path in places if path.exists()}

    def close(self) -> None:
        self.victim.kill()
        self._open.close()
        libc = ctypes.CDLL(None)
        libc.shmctl(self.shm, 0, None)
        Path(self.config["tmp_file"]).unlink(missing_ok=True)


@pytest.fixture
def outside(host):
    host.ready("other", entry="hostile")
    made = Outside(host)
    yield made
    made.close()


def take_over(host, outside, kind: str = "run", **options) -> tuple:
    launcher, event = host.ready("one", entry="hostile", probes=outside.config, **options)
    results = host.layout.guest("one") / kind / "results.json"
    return launcher, event, json.loads(results.read_text())


def run_outside(host, outside) -> dict[str, str]:
    """The control: the same probes, unconfined, as the operator."""
    left_out = set(FOR_OUTSIDE)
    if not host.is_root:
        left_out |= ROOT_ONLY
        yama = Path("/proc/sys/kernel/yama/ptrace_scope")
        if yama.exists() and yama.read_text().strip() != "0":
            left_out |= {"ptrace", "memory-of-another"}
    done = subprocess.run(
        [sys.executable, "-P", str(PROBES), json.dumps(outside.config), *left_out],
        user=host.uid, group=host.uid, extra_groups=None if host.uid is None else [], cwd="/",
        env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def test_nothing_outside_is_reached_and_the_same_probes_unconfined_reach_it(host, outside):
    _, event, found = take_over(host, outside)
    assert outside.reached() == set()
    assert outside.files() == set()
    assert outside.victim.poll() is None
    assert {name for name, result in found["probes"].items() if result == "through"} == set()
    assert host.log().count('"event":"stranger"') == 0
    assert Path(f"/proc/{event['sidecar']}").exists()

    control = run_outside(host, outside)
    assert {name: result for name, result in control.items() if result != "through"} == {}
    assert outside.reached() == set(outside.listeners)
    assert {str(outside.marker), str(outside.home / "probe"), outside.config["tmp_file"]} <= outside.files()
    assert set(found["probes"]) >= set(control)


def test_a_gate_that_was_taken_over_reaches_nothing_either(host, outside):
    """Neither proxy nor home, neither bottle nor another bottle's mirrors. It runs programs, in its own view, and
    may make namespaces, which give no right over anything that was there before."""
    _, event, found = take_over(host, outside, "gate", gitleaks="/usr/bin/true")
    assert outside.reached() == set()
    assert outside.files() == set()
    assert outside.victim.poll() is None
    through = {name for name, result in found["probes"].items() if result == "through"}
    assert through == {"shell-by-spawn", "shell-by-fork", "user-namespace"}
    state = found["state"]
    none = "0" * 16
    assert {state["status"][name] for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb", "CapInh")} == {none}
    assert [state["status"][name] for name in ("NoNewPrivs", "Seccomp", "NSpid")] == ["1", "2", "1"]
    uid = 64999 + 1 if host.is_root else (os.geteuid() if host.uid is None else host.uid)
    assert state["status"]["Uid"] == "\t".join([str(uid)] * 4)
    assert state["dumpable"] == 0 and state["core"] == [0, 0]
    assert state["unexpected_descriptors"] == [] and state["processes"] == ["1"] and state["environ"] == {}
    assert {"sys", "kcore", "kallsyms", "sysrq-trigger"} & set(state["proc"]) == set()
    assert state["sysctls"] == ["kernel/overflowgid", "kernel/overflowuid"]  # for bubblewrap, made up
    assert {"egress", "shadow", "ssh"} & set(state["etc"]) == set() and "gate" in state["etc"]
    assert event["gate"] != event["sidecar"]
    control = run_outside(host, outside)
    assert set(control) <= set(found["probes"])
    assert {name: result for name, result in control.items() if result != "through"} == {}


def test_what_it_is_and_sees(host, outside):
    """No capability, no way back, a filter, nothing but its descriptors, its own processes, its own files."""
    _, event, found = take_over(host, outside)
    state = found["state"]
    status = state["status"]
    none = "0" * 16
    assert {status[name] for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb", "CapInh")} == {none}
    assert (status["NoNewPrivs"], status["Seccomp"], status["NSpid"]) == ("1", "2", "1")
    uid = 64999 if host.is_root else (os.geteuid() if host.uid is None else host.uid)
    assert status["Uid"] == "\t".join([str(uid)] * 4)
    if host.is_root:
        assert status["Gid"] == "\t".join([str(uid)] * 4) and status["Groups"] == ""
    assert state["dumpable"] == 0 and state["core"] == [0, 0]
    assert state["unexpected_descriptors"] == []
    assert state["standard"] == ["/dev/null", "/dev/null"]
    assert state["processes"] == ["1"]
    assert "sys" not in state["proc"] and "kcore" not in state["proc"]
    assert state["environ"] == {}
    if os.geteuid() == 0:
        initial = Path(f"/proc/{event['sidecar']}/environ").read_bytes()
        assert {item.partition(b"=")[0] for item in initial.split(b"\0")} - {b""} == {
            b"LANG",
            b"MALLOC_ARENA_MAX",
        }
    assert set(state["dev"]) == {"null", "zero", "full", "random", "urandom"}
    code = {Path(path).parts[1] for path in (sys.prefix, sys.base_prefix, bot_bottle.__file__)}
    system = {"usr", "etc", "dev", "proc", "run", "bin", "sbin", "lib", "lib32", "lib64", "libx32"}
    assert set(state["root"]) <= system | code
    assert {"passwd", "hosts", "resolv.conf", "nsswitch.conf", "egress", "ssl"} <= set(state["etc"])
    assert {"shadow", "sudoers", "ssh", "machine-id"} & set(state["etc"]) == set()
    assert state["hostname"] == "sidecar"
    for name in ("mnt", "pid", "ipc", "uts"):
        own, its = os.readlink(f"/proc/self/ns/{name}"), os.readlink(f"/proc/{event['sidecar']}/ns/{name}")
        assert own != its


def test_a_flood_of_garbage_and_descriptors_moves_neither_daemon_nor_launcher(host, outside):
    before = len(os.listdir(f"/proc/{host.daemon_pid()}/fd"))
    launcher, event, _ = take_over(host, outside)
    assert event["strange"] > 0
    assert event["descriptors"] < 20
    # once for each of the two bottles
    host.eventually(lambda: host.log().count('"event":"talkative-sidecar"') == 2, "both links are cut off")
    assert sorted(launcher.tell("status")["bottles"]) == ["one", "other"]
    after = len(os.listdir(f"/proc/{host.daemon_pid()}/fd"))
    assert after - before <= 3  # the second bottle's connection and pidfd; its link is closed again
    launcher.tell("finish")


def test_killing_what_the_launcher_was_given_kills_all_of_it(host, outside):
    _, event, _ = take_over(host, outside)
    namespace = os.readlink(f"/proc/{event['sidecar']}/ns/pid")
    assert namespace != os.readlink("/proc/self/ns/pid")
    assert members(namespace) == [event["sidecar"]]
    os.kill(event["sidecar"], signal.SIGKILL)
    host.eventually(lambda: members(namespace) == [], "nothing runs in its namespace")


def members(namespace: str) -> list[int]:
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{entry}/ns/pid") == namespace:
                    found.append(int(entry))
    return found
