"""The proxies that are measured, each started stock with a policy that lets one host out, TLS on both legs.

All run in the network and mount namespace of the benchmark, where :data:`HOST` is 127.0.0.1. Each is ready
after ``__enter__``; what can't run here raises :class:`~contestants.Unavailable`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from contestants import ROOT, TOOLS, Unavailable

HOST = "bench.example.com"
ADDRESS = "127.0.0.1"
ORIGIN_PORT = 443
CREDENTIAL = "not-a-secret"
PROXY_CORE = "0"
START_TIMEOUT_S = 60.0
PEERS = ROOT / "bench" / "peers"


@dataclass(frozen=True)
class Proxy:
    """A running proxy: its process, where it listens, and the file with the CA that its clients trust."""

    name: str
    version: str
    pid: int
    port: int
    ca: Path


@dataclass(frozen=True)
class Place:
    """What a proxy is started with: an empty directory of its own, and the roots of the origin."""

    directory: Path
    upstream_ca: Path
    port: int


def pinned(argv: list[str], log: Path, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start *argv* on the proxies' core."""
    with log.open("wb") as out:
        return subprocess.Popen(
            ["taskset", "-c", PROXY_CORE, *argv],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )


@contextlib.contextmanager
def running(argv: list[str], place: Place, env: dict[str, str] | None = None) -> Iterator[int]:
    """Run *argv* until the block ends, from when something listens at the place's port; its process id."""
    log = place.directory / "log"
    process = pinned(argv, log, env)
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            with contextlib.suppress(OSError), socket.create_connection((ADDRESS, place.port), 1):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                logs = [log, *place.directory.glob("cache.log")]
                words = " ".join(file.read_text(errors="replace")[-800:].strip() for file in logs)
                raise Unavailable(f"{Path(argv[0]).name} did not start: {words}")
            time.sleep(0.05)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def bot_bottle(place: Place) -> Iterator[Proxy]:
    """``bot-bottle proxy`` of this clone with a routes file: host, path, methods, and a credential put in."""
    routes = place.directory / "routes.yaml"
    routes.write_text((PEERS / "routes.yaml").read_text().replace("{host}", HOST))
    program = Path(sys.executable).with_name("bot-bottle")
    argv = [str(program), "proxy", "--routes", str(routes), "--listen", f"{ADDRESS}:{place.port}"]
    argv += ["--ca-dir", str(place.directory), "--extra-ca", str(place.upstream_ca)]
    argv += ["--connect-to", f"{HOST}:443:{ADDRESS}:{ORIGIN_PORT}"]
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    with running(argv, place, {"BENCH_TOKEN": CREDENTIAL}) as pid:
        yield Proxy("bot-bottle", version.split()[-1], pid, place.port, place.directory / "ca.pem")


def mitmdump(name: str, *more: str) -> Callable[[Place], contextlib.AbstractContextManager[Proxy]]:
    @contextlib.contextmanager
    def start(place: Place) -> Iterator[Proxy]:
        program = TOOLS / "mitmproxy" / "bin" / "mitmdump"
        if not program.exists():
            raise Unavailable("tools/bench/mitmproxy is not there: pip could not install it")
        shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        argv = [str(program), "-q", "--listen-host", ADDRESS, "--listen-port", str(place.port)]
        argv += ["--set", f"confdir={place.directory}"]
        argv += ["--set", f"ssl_verify_upstream_trusted_ca={place.upstream_ca}", *more]
        with running(argv, place, {"BENCH_HOST": HOST, "BENCH_TOKEN": CREDENTIAL}) as pid:
            ca = place.directory / "mitmproxy-ca-cert.pem"
            yield Proxy(name, shown.split()[1], pid, place.port, ca)

    return start


@contextlib.contextmanager
def squid(place: Place) -> Iterator[Proxy]:
    """Debian's squid-openssl with ssl-bump, one worker, nothing cached, started in the foreground."""
    if not (TOOLS / "squid/usr/sbin/squid").exists():
        raise Unavailable("tools/bench/squid is not there: apt-get could not fetch it")
    # Squid will not be root, and the clone may lie where only root can read.
    base = place.directory / "unpacked"
    shutil.copytree(TOOLS / "squid", base, symlinks=True)
    values = {
        "address": ADDRESS,
        "port": place.port,
        "directory": place.directory,
        "upstream_ca": place.upstream_ca,
        "host": HOST,
        "credential": CREDENTIAL,
        "libraries": base / "usr/lib/squid",
        "share": base / "usr/share/squid",
    }
    config = place.directory / "squid.conf"
    text = (PEERS / "squid.conf").read_text()
    config.write_text(text.format_map(values))
    pem = make_authority(place.directory)
    env = {"LD_LIBRARY_PATH": str(base / "usr/lib/x86_64-linux-gnu")}
    certgen = [base / "usr/lib/squid/security_file_certgen", "-c", "-s", place.directory / "certificates"]
    subprocess.run([*certgen, "-M", "4MB"], env={**os.environ, **env}, check=True, capture_output=True)
    for path in [place.directory, *place.directory.glob("*"), *place.directory.glob("certificates/*")]:
        shutil.chown(path, "nobody", "nogroup")
    program = str(base / "usr/sbin/squid")
    shown = subprocess.run([program, "-v"], env={**os.environ, **env}, capture_output=True, text=True).stdout
    argv = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    argv += [program, "--foreground", "-f", str(config)]
    with running(argv, place, env) as pid:
        yield Proxy("squid", shown.split()[3], pid, place.port, pem)


def make_authority(directory: Path) -> Path:
    """A CA with its key in one PEM file, as squid wants it, on the same curve as ours."""
    pem, key = directory / "ca.pem", directory / "key.pem"
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    argv += ["-subj", "/CN=bench", "-keyout", str(key), "-out", str(pem)]
    subprocess.run(argv, check=True, capture_output=True)
    with pem.open("a") as file:
        file.write(key.read_text())
    return pem


ENTER: dict[str, Callable[[Place], contextlib.AbstractContextManager[Proxy]]] = {
    "bot-bottle": bot_bottle,
    "mitmdump": mitmdump("mitmdump"),
    "squid": squid,
}
