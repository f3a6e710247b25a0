"""Attempts to find what must not be in a bottle: credentials, private keys, the operator's files.

Decoys of the same shape are planted first, in each place that is searched; a search that misses one of them
proves nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from .attempt import FAILED, STOPPED, Report, Scene, attempt

MAX_FILE_BYTES = 64 << 20
MAX_REGION_BYTES = 64 << 20
SKIPPED = ("/proc", "/sys")

CREDENTIAL = rb"tryKey_[0-9a-f]{40}"
PRIVATE_KEY = rb"-----BEGIN (?:EC |RSA )?PRIVATE KEY-----[^-]{40,4000}-----END"
CANARY = rb"tryCanary_[0-9a-f]{40}"
_ALL = re.compile(b"|".join((CREDENTIAL, PRIVATE_KEY, CANARY)))

_CHILD = "import sys; held = sys.stdin.readline(); print('ready', flush=True); sys.stdin.read()"


class _Decoys:
    """The same shapes in a file, and in the environment, the arguments and the memory of a process."""

    def __init__(self, directory: str) -> None:
        self.planted: list[list[str]] = []
        in_file = [self._new(place="file", shape=shape) for shape in ("credential", "key", "canary")]
        self.path = Path(directory, "decoys")
        self.path.write_text("\n".join(in_file))
        env = {
            **os.environ,
            "DECOY": self._new("environment"),
            "DECOY_CANARY": self._new("environment", "canary"),
        }
        argv = [sys.executable, "-c", _CHILD, self._new("arguments"), self._new("arguments", "key")]
        self.child = subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        held = [self._new("memory", shape) for shape in ("credential", "key", "canary")]
        assert self.child.stdin is not None and self.child.stdout is not None
        self.child.stdin.write(" ".join(held).encode() + b"\n")
        self.child.stdin.flush()
        self.child.stdout.readline()

    def _new(self, place: str, shape: str = "credential") -> str:
        random = secrets.token_hex(20)
        begin, end = "-----BEGIN PRIVATE" + " KEY-----", "-----END"
        value = {
            "credential": "tryKey_" + random,
            "canary": "tryCanary_" + random,
            "key": f"{begin}MHcCAQEEI{random}{end}",
        }[shape]
        self.planted.append([place, value])
        return value

    def remove(self) -> None:
        self.child.kill()
        self.child.communicate()
        self.path.unlink()


@lru_cache(maxsize=1)
def _everything(
    roots: tuple[str, ...], since: float, own_only: bool
) -> tuple[list[list[str]], list[list[str]]]:
    """``(found, planted)`` of one search for all shapes; made once for the attempts that need it."""
    decoys = _Decoys(roots[0] if own_only else os.path.expanduser("~"))
    found: set[tuple[str, str]] = set()

    def look(place: str, data: bytes) -> None:
        found.update((place, match.decode("latin-1")) for match in _ALL.findall(data))

    try:
        for pid in [str(os.getpid()), str(decoys.child.pid)] if own_only else _processes():
            look("environment", _read(f"/proc/{pid}/environ"))
            look("arguments", _read(f"/proc/{pid}/cmdline"))
            if pid != str(os.getpid()):  # where the search itself holds what it has found
                for region in _memory(pid):
                    look("memory", region)
        for root in roots:
            for path in _files(root, since):
                look("file", _read(path))
    finally:
        decoys.remove()
    return [list(pair) for pair in sorted(found)], decoys.planted


def _processes() -> list[str]:
    return [name for name in os.listdir("/proc") if name.isdigit()]


def _read(path: str) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        data = bytearray()
        while len(data) < MAX_FILE_BYTES:
            piece = os.read(fd, 1 << 20)
            if not piece:
                break
            data += piece
        return bytes(data)
    except OSError:
        return bytes(data)
    finally:
        os.close(fd)


def _memory(pid: str) -> Iterator[bytes]:
    """Every writable region of another process that can be read."""
    try:
        fd = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        for line in _read(f"/proc/{pid}/maps").decode("latin-1").splitlines():
            span, modes = line.split(" ", 2)[:2]
            start, end = (int(part, 16) for part in span.split("-"))
            if modes.startswith("rw") and end - start <= MAX_REGION_BYTES:
                try:
                    yield os.pread(fd, end - start, start)
                except OSError:
                    continue
    finally:
        os.close(fd)


def _files(root: str, since: float) -> Iterator[str]:
    """Regular files whose content or place changed after *since*: the secrets of this run are no older."""
    pending = [root]
    while pending:
        directory = pending.pop()
        if directory.startswith(SKIPPED):
            continue
        try:
            entries = list(os.scandir(directory))
        except OSError:
            continue
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if stat.S_ISDIR(status.st_mode):
                pending.append(entry.path)
            elif stat.S_ISREG(status.st_mode) and status.st_ctime >= since:
                yield entry.path


def _search(scene: Scene, shape: bytes) -> Report:
    roots = tuple(scene["search_roots"])
    found, planted = _everything(roots, scene["since"], not scene.inside)
    wanted = re.compile(shape)
    ours = [pair for pair in planted if wanted.match(pair[1].encode())]
    seen = [pair for pair in found if wanted.match(pair[1].encode("latin-1"))]
    decoys = {pair[1] for pair in ours}
    others = [pair for pair in seen if pair[1] not in decoys]
    places = sorted({pair[0] for pair in ours})
    if others:
        return Report("through", f"found in {others[0][0]}", seen, ours)
    return Report(STOPPED, f"not in {', '.join(places)}", seen, ours)


@attempt("credential")
def credential(scene: Scene) -> Report:
    return _search(scene, CREDENTIAL)


@attempt("ca-key")
def ca_key(scene: Scene) -> Report:
    return _search(scene, PRIVATE_KEY)


@attempt("home-file")
def home_file(scene: Scene) -> Report:
    """The operator's file: by its path, through every process's root, and by its content anywhere."""
    path = scene["canary_path"]
    report = _search(scene, CANARY)
    ways = [path, *(f"/proc/{pid}/{way}{path}" for pid in _processes() for way in ("root", "cwd"))]
    values = {match.decode() for way in ways for match in re.findall(CANARY, _read(way))}
    report.found += [["path", value] for value in sorted(values)]
    if values:
        report.outcome, report.by = "through", "read"
    elif report.outcome == STOPPED:
        report.by = "no such file, by path or content"
    return report


@attempt("host-files")
def host_files(scene: Scene) -> Report:
    """The host's accounts, password hashes, keys and name: by their usual paths."""
    found = []
    for path in scene["host_files"]:
        for way in (path, f"/proc/1/root{path}", f"/proc/1/cwd/../../..{path}"):
            data = _read(way)
            if data:
                found.append([path, hashlib.sha256(data).hexdigest()])
    if not scene.inside:
        return Report("through", f"{len(found)} read", found)
    return Report(
        STOPPED if os.path.isdir("/etc") else FAILED, "its own /etc, the host's is not in view", found
    )
