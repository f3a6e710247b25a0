"""Where a credential and a CA's key are, and where not (threats F4, F5).

Each search is made with decoys of the same shape in every kind of place, which it has to find, and once more
outside of the bottle, where it finds the real thing in the processes that hold it.
"""

from __future__ import annotations

import base64
import json
import os
import re
import resource
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import attacks_ground
import pytest
from attacks_support import NAMES, ROUTES
from cryptography import x509
from e2e_support import eventually

pytestmark = pytest.mark.slow

PRIVATE = rb"-----BEGIN (?:EC |RSA )?PRIVATE KEY-----\s[A-Za-z0-9+/]{40}|\x02\x01\x01\x04\x20[\s\S]{32}\xa1\x44\x03\x42"
"""PEM, and the DER of a P-256 key (RFC 5915) inside PKCS 8 or alone, with its public half behind."""

CREDENTIAL = rb"(?:real|decoy)Key_[0-9a-f]{40}"
_HINTS = {
    CREDENTIAL: (b"realKey_", b"decoyKey_"),
    PRIVATE: (b"PRIVATE" + b" KEY-----", b"\x02\x01\x01\x04\x20"),
}
"""What each holds in any case."""

_SEARCH = r"""
import base64, json, mmap, os, re, stat, subprocess, sys, time
order = json.loads(sys.stdin.readline())
shape = re.compile(base64.b64decode(order["shape"]))
found = set()

hints = [base64.b64decode(hint) for hint in order["hints"]]

def look(place, data):
    if any(hint in data for hint in hints) and shape.search(data):  # a plain search is much faster
        found.add(place)

def read(path):
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        parts = []
        while len(parts) < 64 and (part := os.read(fd, 1 << 20)):
            parts.append(part)
        return b"".join(parts)
    except OSError:
        return b""
    finally:
        os.close(fd)

def memory(pid):
    try:
        fd = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    except OSError:
        return
    for line in read(f"/proc/{pid}/maps").decode("latin-1").splitlines():
        low, high = (int(part, 16) for part in line.split(" ")[0].split("-"))
        if " rw" in line[:60] and high - low <= 1 << 27:
            try:
                yield os.pread(fd, high - low, low)
            except OSError:
                pass
    os.close(fd)

def processes(pids):
    for pid in pids:
        for name in ("environ", "cmdline", "auxv", "stack", "status", "comm"):
            look(f"{pid}:{name}", read(f"/proc/{pid}/{name}"))
        for fd in range(64):
            link = f"/proc/{pid}/fd/{fd}"
            if os.path.islink(link) and "memfd" in os.readlink(link):
                look(f"{pid}:fd", read(link))
        for part in memory(pid):
            look(f"{pid}:memory", part)

def files(root, since):
    pending = [root]
    while pending:
        try:
            entries = list(os.scandir(pending.pop()))
        except OSError:
            continue
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if stat.S_ISDIR(status.st_mode) and entry.path not in ("/proc", "/sys"):
                pending.append(entry.path)
            elif stat.S_ISREG(status.st_mode) and status.st_ctime >= since:
                look(entry.path, read(entry.path))

planted = []
if order["plant"]:
    decoy = base64.b64decode(order["decoy"])
    code = ("import os, sys; held = sys.stdin.buffer.readline(); print('ready', flush=True); sys.stdin.buffer.read()")
    text = decoy.decode("latin-1")
    plain = text.isprintable()
    argv = [sys.executable, "-c", code, *([text] if plain else [])]
    child = subprocess.Popen(argv, env={**os.environ, **({"DECOY": text} if plain else {})},
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdin.write(decoy.replace(b"\n", b" ") + b"\n")
    child.stdin.flush()
    child.stdout.readline()
    planted = [f"{child.pid}:memory", *([f"{child.pid}:environ", f"{child.pid}:cmdline"] if plain else [])]
    for place in ("/tmp/decoy", "/dev/shm/decoy", os.path.expanduser("~/decoy"), "/var/tmp/decoy"):
        with open(place, "wb") as file:
            file.write(decoy)
        planted.append(place)
own = str(os.getpid())
pids = order["pids"] or [pid for pid in os.listdir("/proc") if pid.isdigit() and pid != own]
processes(pids)
for name in ("environ", "cmdline"):
    look(f"self:{name}", read(f"/proc/self/{name}"))
for root in order["roots"]:
    files(root, order["since"])
if order["plant"]:
    child.kill()
    child.communicate()
    for place in planted:
        if place.startswith("/"):
            os.unlink(place)
seen = [place for place in planted if place in found]
bundle = read(os.environ.get("SSL_CERT_FILE", "/none")).decode("ascii", "ignore")
found = sorted(found - set(planted))
print(json.dumps({"planted": planted, "seen": seen, "found": found, "ca": bundle}), flush=True)
sys.stdin.readline()
sys.exit(order["status"])
"""


def _order(shape: bytes, **rest) -> bytes:
    order = {
        "shape": base64.b64encode(shape).decode(),
        "hints": [base64.b64encode(hint).decode() for hint in _HINTS[shape]],
        **{"plant": False, "decoy": "", "pids": [], "roots": [], "since": 0, "status": 0},
        **rest,
    }
    if isinstance(order["decoy"], bytes):
        order["decoy"] = base64.b64encode(order["decoy"]).decode()
    return json.dumps(order).encode() + b"\n"


def _outside(shape: bytes, **rest) -> dict:
    """The same search on the host, as whoever runs the tests; it is not among what it searches."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", _SEARCH],
        input=_order(shape, **rest) + b"\n",
        capture_output=True,
        check=True,
    )
    return json.loads(done.stdout)


def _of(namespace: str) -> dict[int, str]:
    """Every process in a test's network namespace, and what it is."""
    found = {}
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        try:
            if os.readlink(f"/proc/{pid}/ns/net") == namespace:
                found[pid] = Path(f"/proc/{pid}/comm").read_text().strip()
        except OSError:
            continue
    return found


def _inside(person, key: str, shape: bytes, decoy: bytes, *, status: int = 0, root: str = "/"):
    """A bottle whose program searches all that it can reach; (process, its report). It waits for a line."""
    flags = ["--routes", str(person.write("routes.yaml", ROUTES))]
    process = person.popen(
        "run", *flags, "--", "python3", "-c", _SEARCH, env={"API_KEY": key},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    now = person.home.stat().st_ctime - 5
    process.stdin.write(
        _order(
            shape,
            plant=True,
            decoy=decoy,
            roots=[root, "/tmp", "/dev/shm", "/home", "/var/tmp"],
            since=now,
            status=status,
        )
    )
    process.stdin.flush()
    return process, json.loads(process.stdout.readline())


@pytest.mark.skipif(os.geteuid() != 0, reason="other processes' memory and environments need root")
def test_a_credential_is_in_its_launcher_and_sidecar_alone(person) -> None:
    """F4: not in the bottle, no file, no log, no argument, no other process; nor in what is kept at the end."""
    key = f"realKey_{secrets.token_hex(20)}"
    decoy = b"decoyKey_" + secrets.token_hex(20).encode()
    with attacks_ground.internet(person, names=NAMES) as world:
        process, report = _inside(person, key, CREDENTIAL, decoy, status=3)
        assert sorted(report["seen"]) == sorted(report["planted"]) and len(report["planted"]) == 7, report
        assert report["found"] == [], report
        (identity,) = person.states()
        layout = person.layout
        roots = [
            str(path) for path in {layout.home, layout.shared, layout.run, person.home, Path("/dev/shm")}
        ]
        holders = _of(world.namespace)
        (proxy,) = [pid for pid, comm in holders.items() if comm == "bottle-proxy"]
        seen = _outside(CREDENTIAL, pids=[str(pid) for pid in holders], roots=roots)["found"]
        # the control: where it has to be, the same search finds it
        assert f"{proxy}:memory" in seen and f"{process.pid}:environ" in seen
        assert {place.partition(":")[0] for place in seen} == {str(proxy), str(process.pid)}, seen
        assert f"{proxy}:environ" not in seen and not any(
            place.endswith((":cmdline", ":fd")) for place in seen
        )
        _can_not_be_looked_into(person, proxy)
        _leaves_no_core(person, process, proxy, key, roots)
    assert person.states() == [identity]
    kept = _outside(CREDENTIAL, pids=[str(os.getpid())], roots=roots)["found"]
    assert not [place for place in kept if place.startswith("/")], kept
    (layout.home / "planted").write_text(key)
    kept = _outside(CREDENTIAL, pids=[str(os.getpid())], roots=roots)["found"]
    assert str(layout.home / "planted") in kept


def _can_not_be_looked_into(person, proxy: int) -> None:
    """Not by its own operator's other processes either: not dumpable, no core; a plain child of theirs can."""
    limits = Path(f"/proc/{proxy}/limits").read_text()
    assert re.search(r"Max core file size +0 +0 ", limits), limits
    code = "import sys; [open(f'/proc/{sys.argv[1]}/{name}', 'rb').read(1) for name in ('environ', 'auxv')]; "
    code += "open(f'/proc/{sys.argv[1]}/mem', 'rb')"
    if person.uid == 0:
        return  # root reads all, as the control above does
    with subprocess.Popen([*person.prefix, "sleep", "60"]) as plain:
        eventually(lambda: Path(f"/proc/{plain.pid}/comm").read_text() == "sleep\n", "it has started")
        argv = [*person.prefix, sys.executable, "-I", "-c", code]
        assert subprocess.run([*argv, str(plain.pid)], capture_output=True).returncode == 0, "not proven"
        assert subprocess.run([*argv, str(proxy)], capture_output=True).returncode == 1
        plain.kill()


def _leaves_no_core(person, process, proxy: int, key: str, roots: list[str]) -> None:
    """It is ended as a crash ends it: the bottle is stopped, its state is kept, no core is written."""
    before = _cores(roots)
    os.kill(proxy, signal.SIGABRT)
    os.kill(proxy, signal.SIGSEGV)
    _, said = process.communicate(timeout=30)
    assert process.returncode != 0 and key.encode() not in said
    assert _cores(roots) == before
    with subprocess.Popen(["sleep", "60"], cwd=person.home, preexec_fn=_allow_cores) as plain:
        plain.send_signal(signal.SIGABRT)
        plain.wait()
    if Path("/proc/sys/kernel/core_pattern").read_text().strip() == "core":
        (core,) = set(_cores(roots)) - set(before)
        os.unlink(core)


def _allow_cores() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _cores(roots: list[str]) -> list[str]:
    places = {path for root in (*roots, "/") for path in Path(root).glob("core*") if path.is_file()}
    return sorted(map(str, places))


@pytest.mark.skipif(os.geteuid() != 0, reason="other processes' memory needs root")
def test_the_key_of_a_ca_is_in_its_sidecar_alone(person) -> None:
    """F5: two bottles, two keys; neither is in a bottle, a file, or a process but its sidecar."""
    decoy = b"-----BEGIN PRIVATE" + b" KEY-----\n" + b"MHcCAQEEI" * 6 + b"\n-----END PRIVATE" + b" KEY-----\n"
    authorities = []
    with attacks_ground.internet(person, names=NAMES) as world:
        for root in ("/", "/etc"):
            process, report = _inside(person, "x" * 20, PRIVATE, decoy, root=root)
            assert sorted(report["seen"]) == sorted(report["planted"]) and len(report["planted"]) == 5, report
            assert report["found"] == [], report
            roots = [str(path) for path in {person.layout.home, person.layout.shared, person.layout.run}]
            holders = _of(world.namespace)
            seen = _outside(PRIVATE, pids=[str(pid) for pid in holders], roots=roots)["found"]
            proxies = {str(pid) for pid, comm in holders.items() if comm == "bottle-proxy"}
            # the control: its own key, and that of its leaves, is in its memory
            assert {place.partition(":")[0] for place in seen} == proxies, seen
            assert all(place.endswith(":memory") for place in seen), seen
            authorities.append(_own_ca(report["ca"]))
            process.communicate(b"\n", timeout=30)
    one, two = authorities
    assert one.public_key() != two.public_key() and one.serial_number != two.serial_number
    planted = person.write("planted", decoy.decode())
    assert str(planted) in _outside(PRIVATE, pids=[str(os.getpid())], roots=[str(person.home)])["found"]


def _own_ca(bundle: str) -> x509.Certificate:
    """The last of the bundle, behind the system's roots."""
    own = x509.load_pem_x509_certificate(bundle[bundle.rindex("-----BEGIN") :].encode())
    assert "bottle" in own.subject.rfc4514_string().lower(), own.subject
    return own
