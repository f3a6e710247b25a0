"""The benchmark's own programs in C (``native/``): built here, the origin started, the client run.

A proxy's CPU time is read from /proc, with all its child processes, in the moments when the client begins and
ends to measure.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contestants import ROOT, Unavailable
from proxies import ADDRESS, HOST, ORIGIN_PORT, Proxy

from bot_bottle.sidecar.proxy.ca import CertificateAuthority

CLIENT_CORE = "1"
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def build(directory: Path) -> Path:
    """Compile load and origin into *directory*."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("load", "origin"):
        source = ROOT / "bench" / "native" / f"{name}.c"
        argv = ["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(directory / name), str(source)]
        done = subprocess.run([*argv, "-lssl", "-lcrypto"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Unavailable(f"{name}.c does not compile (gcc, libssl-dev): {done.stderr[-600:]}")
    return directory


@contextlib.contextmanager
def origin(programs: Path, authority: CertificateAuthority, directory: Path) -> Iterator[int]:
    """Run the upstream with a certificate of *authority*; its process id."""
    leaf = authority.leaf(HOST)
    chain, key = directory / "origin.pem", directory / "origin-key.pem"
    chain.write_bytes(leaf.chain_pem)
    key.write_bytes(leaf.key_pem)
    argv = ["taskset", "-c", CLIENT_CORE, str(programs / "origin"), ADDRESS, str(ORIGIN_PORT), str(chain), str(key)]
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        if process.stdout.readline() != b"ready\n":
            raise Unavailable("the origin did not start")
        origin.pid = process.pid
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def tree(pid: int) -> Iterator[int]:
    """*pid* and all its descendants that live now."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(OSError):
            for child in (task / "children").read_text().split():
                yield from tree(int(child))


def cpu_s(pid: int) -> float:
    """User and kernel time of *pid* and its descendants, with those that they have waited for."""
    total = 0
    for each in tree(pid):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            total += sum(int(field) for field in fields[11:15])
    return total * TICK_S


def load(programs: Path, proxy: Proxy, mode: str, connections: int, seconds: float, size: int = 0) -> dict[str, Any]:
    """One run of the client through *proxy*."""
    argv = ["taskset", "-c", CLIENT_CORE, str(programs / "load"), mode, ADDRESS, str(proxy.port), HOST]
    argv += [str(proxy.ca), str(connections), str(seconds), str(size)]
    client = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert client.stdout and client.stdin
    client.stdout.readline()
    before, other = cpu_s(proxy.pid), cpu_s(client.pid) + cpu_s(origin.pid)
    client.stdin.write("\n")
    client.stdin.flush()
    line = client.stdout.readline()
    after, other2 = cpu_s(proxy.pid), cpu_s(client.pid) + cpu_s(origin.pid)
    _, words = client.communicate()
    if client.returncode != 0:
        raise RuntimeError(f"{proxy.name}: {words}")
    return {**json.loads(line), "cpu_s": after - before, "other_s": other2 - other}
