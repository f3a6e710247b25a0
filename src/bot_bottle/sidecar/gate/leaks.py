"""gitleaks over the commits of one push: sealed, with rules of ours, and nothing of the push as a setting.

It runs twice where it finds something: first every line counts, then those that say ``gitleaks:allow`` do not; what
only the first run sees is a question. Large files are kept out of its ``git log``, where it would hold them as a
whole (measured: 1 GB and 3 minutes for a text of 200 MB), and each goes through its standard input instead (30 MB).
Missing, killed, stalled, a status other than 0, a report that can't be read: the push is refused.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import os
import zlib
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from bot_bottle.base.errors import BotBottleError
from bot_bottle.gitgate import gitleaks, plan
from bot_bottle.gitgate.findings import GateFinding
from bot_bottle.sidecar.gate import gitenv, log_end
from bot_bottle.sidecar.gate.commands import MAX_OUTPUT_BYTES, Held, Store, Unscanned, pump
from bot_bottle.sidecar.gate.confined import REPOSITORY, Confinement, Files, Sealed, write_refs
from bot_bottle.sidecar.gate.looker import Looker
from bot_bottle.sidecar.gate.pieces import Pieces

OLDEST = (8, 20)
"""decodes what is encoded (its ``--max-decode-depth``)"""
MEMORY = "160MiB"
"""what Go's collector keeps to (GOMEMLIMIT); the blobs of a push are bounded by :data:`LARGE_BYTES`"""
HARD_BYTES = 2**30
"""of data, its own and its git's each: over that it is killed by what it can't get"""
LARGE_BYTES = 2 * 2**20
"""of a file: larger ones come by standard input"""
MAX_BLOBS = 2000
"""that are read by themselves: a start of gitleaks takes a fifth of a second"""
SILENT_S = 1800.0
"""of work without a word: it writes its report at the end; some 5 MB of text a second"""

_NEW, _KNOWN = "refs/gate/new/", "refs/gate/known/"
_OPTS = f"-m --text --no-ext-diff --no-textconv --submodule=short --glob={_NEW}* --not --glob={_KNOWN}*"
"""Measured: without ``-m`` what a merge brings in is not seen, without ``--text`` what is marked ``-diff`` or has a
NUL is not. Refs of ours say what is new: there may be more of them than an argument holds."""
_CONFIG, _IGNORE = "/gitleaks.toml", "/gitleaksignore"
_PATH = "/usr/bin:/bin"


class GitleaksMissing(BotBottleError):
    """There is no gitleaks that the gate could use."""


@dataclass(frozen=True)
class Gitleaks:
    """The binary, what it is, and what it looks for."""

    binary: Path
    version: str
    """as it says; Debian's build says none"""
    digest: str
    """SHA-256 of the binary"""
    rules: str
    """SHA-256 of the rules"""
    config: bytes
    is_complete: bool
    """it has no allowlist by path (``gitgate.gitleaks``)"""


@dataclass(frozen=True)
class Work:
    """What one push gives it to do."""

    store: Store
    news: Sequence[str]
    known: Collection[str]
    large: Sequence[str]
    """blobs that it must not hold as a whole"""


async def find(confinement: Confinement, binary: Path, work: Path) -> Gitleaks:
    """Look at *binary*; *work*: a directory. Raises :class:`GitleaksMissing`."""
    try:
        content = binary.read_bytes()
    except OSError as error:
        raise GitleaksMissing(f"gitleaks can't be read at {str(binary)!r}: {error.strerror}") from error
    rules = gitleaks.config(content)
    config = rules.text.encode()
    found = Gitleaks(binary, "", _sha256(content), _sha256(config), config, rules.complete)
    del content
    version = (await _says(confinement, found, ["version"], work)).decode("ascii", "replace").strip()[:64]
    numbers = _numbers(version)
    if numbers is None:
        usage = await _says(confinement, found, ["git", "--help"], work)
        if b"--max-decode-depth" not in usage:
            raise GitleaksMissing(
                "this gitleaks can't decode what is encoded: install gitleaks 8.20 or later"
            )
    elif numbers < OLDEST:
        raise GitleaksMissing(f"gitleaks {version!r} is too old: install gitleaks 8.20 or later")
    return dataclasses.replace(found, version=version)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def _says(confinement: Confinement, it: Gitleaks, argv: list[str], work: Path) -> bytes:
    held = Held(MAX_OUTPUT_BYTES)
    sealed = confinement.wrap([str(it.binary), *argv], Files(readable=(it.binary, work)), {"PATH": _PATH})
    try:
        if await pump(sealed, held.take) == 0:
            return bytes(held.data)
    except Unscanned as error:
        raise GitleaksMissing(f"gitleaks does not run: {error}") from error
    raise GitleaksMissing("gitleaks does not run in a sandbox here")


def _numbers(version: str) -> tuple[int, ...] | None:
    parts = version.removeprefix("v").split(".")[:2]
    return (
        tuple(int(part) for part in parts)
        if all(part.isascii() and part.isdigit() for part in parts)
        else None
    )


async def scan(
    it: Gitleaks, work: Work, looker: Looker, bare: Path, say: Callable[[str], None]
) -> tuple[GateFinding, ...]:
    """What it finds in what *work* adds. *bare*: a repository of ours, which gets refs here; *say*: how far it is.

    Raises :class:`commands.Unscanned`, ``gitleaks.ReportError``.
    """
    _point(work, bare)
    found = await _twice(looker, partial(_of_commits, it, work.store, bare))
    return (*found, *await blobs(it, work.store, work.large, looker, say))


async def blobs(
    it: Gitleaks, store: Store, ids: Sequence[str], looker: Looker, say: Callable[[str], None]
) -> tuple[GateFinding, ...]:
    """What it finds in each of these files by itself. Raises the same."""
    if len(ids) > MAX_BLOBS:
        raise Unscanned(f"more than {MAX_BLOBS} large files, or files outside of commits: push in parts")
    found: tuple[GateFinding, ...] = ()
    for number, blob in enumerate(ids, 1):
        say(f"gitleaks: file {number:,} of {len(ids):,}")
        of_blob = await _twice(looker, partial(_of_blob, it, store, blob), of_file=True)
        found += tuple(replace(finding, object_id=blob, line=None) for finding in of_blob)
    return found


async def _twice(
    looker: Looker, run: Callable[[bool], Awaitable[bytes]], *, of_file: bool = False
) -> tuple[GateFinding, ...]:
    """Every line counts; then, if something was found, those that are marked do not."""
    everything = await looker.report(await run(False), of_file=of_file)
    if not everything:
        return ()
    return gitleaks.merge(everything, await looker.report(await run(True), of_file=of_file))


async def _of_commits(it: Gitleaks, store: Store, bare: Path, allow: bool) -> bytes:
    argv = plan.gitleaks(
        str(it.binary), REPOSITORY, _OPTS, config=_CONFIG, ignore=_IGNORE, report="-", allow=allow
    )
    environment = gitenv.environment(
        {"core.useReplaceRefs": "true", "core.bigFileThreshold": "512m"},
        {
            "GIT_DIR": REPOSITORY,
            "GIT_OBJECT_DIRECTORY": str(store.objects),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": ":".join(map(str, store.alternates)),
            "GOMEMLIMIT": MEMORY,
        },
    )
    del environment["GIT_NO_REPLACE_OBJECTS"]
    environment["PATH"] = f"{log_end.BIN}:{_PATH}"
    end = log_end.LogEnd()
    sealed = _sealed(it, store, argv, environment, ((str(bare), REPOSITORY),), end.files(it.config))
    try:
        return end.read(await _report(sealed))
    except log_end.Unfinished:
        raise Unscanned("gitleaks did not read all commits of the push") from None


async def _of_blob(it: Gitleaks, store: Store, blob: str, allow: bool) -> bytes:
    """The same of one file, whose content goes from git to it by a pipe, in pieces."""
    argv = [str(it.binary), "stdin", "--no-banner", "--no-color", "--log-level", "error", "--exit-code", "0"]
    argv += ["--redact=100", "--max-decode-depth", str(plan.MAX_DECODE_DEPTH), "--config", _CONFIG]
    argv += ["--gitleaks-ignore-path", _IGNORE, "--report-format", "json", "--report-path", "-"]
    argv += [] if allow else ["--ignore-gitleaks-allow"]
    end = log_end.LogEnd()
    data = {_CONFIG: it.config + end.rule()}
    sealed = _sealed(it, store, argv, {"PATH": _PATH, "GOMEMLIMIT": MEMORY}, data=data)
    reading, writing = os.pipe()
    try:
        reader = asyncio.ensure_future(_report(sealed, stdin_fd=reading))
        feeding = asyncio.ensure_future(_cut(store, blob, writing, end))
        try:
            await asyncio.wait({reader, feeding}, return_when=asyncio.FIRST_COMPLETED)
            if feeding.done():
                feeding.result()
            return end.read(await reader, of_file=True)  # what was not read to its end lacks the mark
        except log_end.Unfinished:
            raise Unscanned("gitleaks did not read a file of the push to its end") from None
        finally:
            for task in (reader, feeding):
                task.cancel()
            await asyncio.gather(reader, feeding, return_exceptions=True)
    finally:
        os.close(reading)


async def _cut(store: Store, blob: str, writing: int, end: log_end.LogEnd) -> None:
    """*blob* into the pipe *writing*, which is closed then, with the mark of its *end*. Raises
    :class:`commands.Unscanned` when git ends early."""
    pieces = Pieces()
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_write_pipe(
        lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), os.fdopen(writing, "wb", buffering=0)
    )
    writer = asyncio.StreamWriter(transport, protocol, None, loop)

    async def take(piece: bytes) -> None:
        writer.write(pieces.feed(piece))
        await writer.drain()

    try:
        await store.run(plan.Step(("cat-file", "blob", blob)), take)
        writer.write(pieces.finish() + f"{end.mark}\n".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    except (BrokenPipeError, ConnectionResetError):
        pass  # nobody reads: there is no mark in the report
    finally:
        transport.abort()


def _sealed(
    it: Gitleaks,
    store: Store,
    argv: Sequence[str],
    environment: dict[str, str],
    repository: tuple[tuple[str, str], ...] = (),
    data: Mapping[str, bytes] | None = None,
) -> Sealed:
    return store.confinement.wrap(
        argv,
        Files(
            readable=(store.objects, *store.alternates, it.binary),
            data={_CONFIG: it.config, _IGNORE: b"", **(data or {})},
        ),
        environment,
        binds=tuple(("--ro-bind", source, place) for source, place in repository),
        limits=(f"--data={HARD_BYTES}",),
    )


async def _report(sealed: Sealed, *, stdin_fd: int | None = None) -> bytes:
    held = Held(MAX_OUTPUT_BYTES)
    status = await pump(sealed, held.take, stdin_fd=stdin_fd, silent_s=SILENT_S)
    if status != 0:
        raise Unscanned(f"gitleaks failed (status {status})")
    return bytes(held.data)


def _point(work: Work, bare: Path) -> None:
    """Give *bare* the refs that say what is new and what is known, and let git see an empty file in the place of each
    large one (git-replace(1)), there alone."""
    refs = {f"{_NEW}{number}": each for number, each in enumerate(work.news)}
    refs |= {f"{_KNOWN}{number}": each for number, each in enumerate(work.known)}
    if work.large:
        content = b"blob 0\0"
        made = hashlib.sha256(content) if work.store.is_sha256 else hashlib.sha1(content)  # noqa: S324  git's own
        empty = made.hexdigest()
        place = work.store.objects / empty[:2] / empty[2:]
        place.parent.mkdir(mode=0o700, exist_ok=True)
        place.write_bytes(zlib.compress(content))
        refs |= {f"refs/replace/{blob}": empty for blob in work.large}
    write_refs(bare, refs)
