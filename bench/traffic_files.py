"""Files of this machine as what an agent reads, sends and is sent: which, in which order, of which kind.

The same files in the same order on the same machine (a fixed seed). Nothing is fetched, nothing is kept.
"""

from __future__ import annotations

import gzip
import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SEED = 20_261
MOST_BYTES = 256 * 1024
"""of one file; clients cut what they read"""


@dataclass(frozen=True)
class Source:
    """*name* stands in the documentation, *most* bounds how many of its files are taken."""

    name: str
    under: str
    most: int


SOURCES = (
    Source("Debian's Python packages", "/usr/lib/python3", 2500),
    Source("Python's own library", "/usr/lib/python3.11", 1200),
    Source("PyPI: site-packages", ".venv/lib/python3.11/site-packages", 4000),
    Source("npm: node_modules of Pi", "tools/pi", 5000),
    Source("npm: node_modules of other clients", "tools/clients", 3000),
    Source("npm: Debian's node_modules", "/usr/lib/node_modules", 1500),
    Source("npm: Claude Code and Codex", "tools", 200),
    Source("/usr/share/doc", "/usr/share/doc", 3500),
    Source("manual pages", "/usr/share/man", 3000),
    Source("Perl", "/usr/share/perl", 1100),
    Source("Perl's modules", "/usr/share/perl5", 300),
    Source("Go", "/usr/lib/go-1.19", 500),
    Source("Google Cloud SDK", "/usr/lib/google-cloud-sdk", 4000),
    Source("C headers", "/usr/include", 2500),
    Source("Vim", "/usr/share/vim", 1500),
    Source("lists of dpkg", "/var/lib/dpkg/info", 800),
    Source("translations", "/usr/share/locale", 400),
    Source("configuration", "/etc", 700),
    Source("this project", ".", 1200),
)
"""Paths that are relative are this project's. What a machine has not is left out, and the page says how many."""

_OURS = ("src", "docs", "scripts", "tests", "bench", "examples")
_CLIENTS = ("tools/claude", "tools/codex")
_LEFT_OUT = ("__pycache__", ".git", "shadow", "gshadow", "private")
_BINARY = frozenset(range(32)) - {8, 9, 10, 12, 13, 27}


@dataclass(frozen=True)
class Item:
    """One text file."""

    source: str
    path: str
    """as the page and the list of findings may show it"""
    data: bytes

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "replace")

    @property
    def suffix(self) -> str:
        name = self.path.removesuffix(".gz").rpartition("/")[2]
        return name.rpartition(".")[2].lower() if "." in name else ""


def _paths(source: Source) -> list[Path]:
    if source.under == ".":
        places = [ROOT / name for name in _OURS]
    elif source.under == "tools":
        places = [ROOT / name for name in _CLIENTS]
    else:
        places = [ROOT / source.under]
    found = []
    for place in places:
        for directory, names, files in os.walk(place):
            names[:] = sorted(name for name in names if name not in _LEFT_OUT)
            found += [Path(directory) / name for name in files if name not in _LEFT_OUT]
    return sorted(found)


def _content(path: Path) -> bytes | None:
    """None: not a text that an agent would read, or empty."""
    try:
        if path.is_symlink() or not path.is_file():
            return None
        with path.open("rb") as file:
            data = file.read(8 * MOST_BYTES)
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except (OSError, EOFError, gzip.BadGzipFile):
        return None
    data = data[:MOST_BYTES]
    if len(data) < 32 or not _BINARY.isdisjoint(data[:4096]):
        return None
    return data.decode("utf-8", "ignore").encode() if len(data) == MOST_BYTES else data


def shown(path: Path) -> str:
    """*path* without what is this machine's own."""
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.as_posix()


def texts() -> Iterator[Item]:
    """Every text that is taken, by source, within a source by chance."""
    rng = random.Random(SEED)
    for source in SOURCES:
        paths = _paths(source)
        rng.shuffle(paths)
        taken = 0
        for path in paths:
            data = _content(path) if taken < source.most else None
            if data is not None:
                taken += 1
                yield Item(source.name, shown(path), data)


def binaries(most: int) -> Iterator[tuple[str, bytes]]:
    """Pictures, archives, compiled code: what is fetched, and sent as base64 or as it is."""
    rng = random.Random(SEED)
    suffixes = (
        ".png",
        ".jpg",
        ".gif",
        ".gz",
        ".zip",
        ".whl",
        ".jar",
        ".woff2",
        ".wasm",
        ".pdf",
        ".so",
        ".pyc",
        ".mo",
    )
    places = (".venv/lib", "tools/pi", "tools/clients", "/usr/share", "/usr/lib/python3", "/usr/lib/jvm")
    paths = [
        Path(directory) / name
        for place in places
        for directory, _, names in os.walk(ROOT / place)
        for name in names
        if name.endswith(suffixes)
    ]
    paths.sort()
    rng.shuffle(paths)
    for path in paths:
        if most == 0:
            return
        try:
            data = path.read_bytes()[: 2 * MOST_BYTES]
        except OSError:
            continue
        if len(data) > 64:
            most -= 1
            yield shown(path), data


def packages() -> list[tuple[str, str, str, str]]:
    """Kind of registry, name, version, digest: of what is locked or installed here."""
    found = []
    for path in sorted(ROOT.glob("tools/**/package-lock.json")):
        try:
            locked = json.loads(path.read_text("utf-8")).get("packages", {})
        except (OSError, ValueError):
            continue
        for name, entry in locked.items():
            name = name.rpartition("node_modules/")[2]
            if name and "version" in entry:
                found.append(("npm", name, entry["version"], entry.get("integrity", "")))
    for path in sorted((ROOT / ".venv/lib").glob("python*/site-packages/*.dist-info")):
        name, _, version = path.name.removesuffix(".dist-info").partition("-")
        found.append(("pip", name, version, ""))
    for path in sorted(Path("/var/lib/dpkg/info").glob("*.list")):
        found.append(("apt", path.stem.partition(":")[0], "1.0-1", ""))
    random.Random(SEED).shuffle(found)
    by_kind = [[package for package in found if package[0] == kind] for kind in ("npm", "pip", "apt")]
    most = max(len(packages) for packages in by_kind)
    return [packages[at % len(packages)] for at in range(most) for packages in by_kind if packages]
