"""The benchmark's own programs in C (``native/``): built here, the origin started, the client run."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contestants import ROOT, Unavailable
from procfs import cpu_s, peak_mb, reset_peak, resident_mb
from proxies import ADDRESS, HOST, ORIGIN_PORT, Proxy

from bot_bottle.sidecar.proxy.ca import CertificateAuthority

CLIENT_CORE = 1
RUN_TIMEOUT_S = 120.0


class WrongAnswer(Exception):
    """The client did not get what it asked for."""


@dataclass(frozen=True)
class Cost:
    """One run of the client, and what the proxy spent on it."""

    done: int
    seconds: float
    bytes: int
    cpu_s: float
    """Of the client itself."""

    p50_us: float
    p99_us: float
    max_us: float
    proxy_cpu_s: float
    origin_cpu_s: float

    before_mb: float
    peak_mb: float

    @property
    def per_second(self) -> float:
        return self.done / self.seconds

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds of the proxy for each request."""
        return self.proxy_cpu_s / self.done * 1000

    @property
    def busy(self) -> tuple[float, float]:
        """The share of its core that the proxy used, and the share that client and origin used of theirs."""
        return self.proxy_cpu_s / self.seconds, (self.cpu_s + self.origin_cpu_s) / self.seconds

    @property
    def mb_per_second(self) -> float:
        return self.bytes / self.seconds / 1e6

    @property
    def growth_mb(self) -> float:
        return self.peak_mb - self.before_mb


def build(directory: Path) -> Path:
    """Compile load and origin into *directory*, each time (a second)."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("load", "origin"):
        source = ROOT / "bench" / "native" / f"{name}.c"
        argv = ["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(directory / name), str(source)]
        done = subprocess.run([*argv, "-lssl", "-lcrypto"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Unavailable(f"{name}.c does not compile (gcc, libssl-dev): {done.stderr[-600:]}")
    return directory


@dataclass(frozen=True)
class Bench:
    """The programs, and the origin that they and all proxies reach at ``HOST:443``."""

    programs: Path
    origin_pid: int
    origin_ca: Path

    def direct(self) -> Proxy:
        """The origin itself, for what a request takes without any proxy."""
        return Proxy("direct", "", "", self.origin_pid, 0, self.origin_ca)

    def load(
        self,
        proxy: Proxy,
        mode: str,
        *,
        connections: int = 1,
        seconds: float = 0,
        size: int = 0,
        body: tuple[Path, str] | None = None,
    ) -> Cost:
        """Run the client through *proxy*; WrongAnswer when an answer is not the one asked for. *body*: the file
        that is sent, and its type; what is fetched, where something is (``load.c``)."""
        port = str(proxy.port or f"={ORIGIN_PORT}")
        argv = ["taskset", "-c", str(CLIENT_CORE), str(self.programs / "load"), mode, ADDRESS, port, HOST]
        argv += [str(proxy.ca), str(connections), str(seconds), str(size), *map(str, body or ())]
        pipe = subprocess.PIPE
        with subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as client:
            assert client.stdin and client.stdout
            client.stdout.readline()
            reset_peak(proxy.pid)
            memory = resident_mb(proxy.pid)
            cpu, origin = cpu_s(proxy.pid), cpu_s(self.origin_pid)
            with contextlib.suppress(BrokenPipeError):
                client.stdin.write("\n")
                client.stdin.flush()
            line = client.stdout.readline()
            cpu, origin = cpu_s(proxy.pid) - cpu, cpu_s(self.origin_pid) - origin
            peak = peak_mb(proxy.pid)
            _, words = client.communicate(timeout=RUN_TIMEOUT_S)
        if client.returncode != 0 or not line:
            raise WrongAnswer(f"{proxy.name}, {mode}: {words.strip()}")
        told: dict[str, Any] = json.loads(line)
        return Cost(**told, proxy_cpu_s=cpu, origin_cpu_s=origin, before_mb=memory, peak_mb=peak)


@contextlib.contextmanager
def bench(programs: Path, directory: Path, bulk: tuple[Path, Path] | None = None) -> Iterator[Bench]:
    """Run the origin, with a certificate of an authority made for it, until the block ends. *bulk*: files with the
    text and the random bytes that it serves."""
    authority = CertificateAuthority.create()
    leaf = authority.leaf(HOST)
    ca, chain, key = (directory / name for name in ("origin-ca.pem", "origin.pem", "origin-key.pem"))
    ca.write_text(authority.ca_pem)
    chain.write_bytes(leaf.chain_pem)
    key.write_bytes(leaf.key_pem)
    argv = ["taskset", "-c", str(CLIENT_CORE), str(programs / "origin"), ADDRESS, str(ORIGIN_PORT)]
    argv += [str(chain), str(key), *map(str, bulk or ())]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            if process.stdout.readline() != b"ready\n":
                raise Unavailable("the origin did not start")
            yield Bench(programs, process.pid, ca)
        finally:
            process.terminate()
