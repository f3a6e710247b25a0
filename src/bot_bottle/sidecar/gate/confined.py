"""The one door to git and gitleaks: each runs in a bubblewrap of its own, without network, secrets, the host's files
or other processes (ruling 42). Two commands alone get the network and their key (``network=True``: ``upstream``).

A sandbox sees ``/usr``, an ``/etc`` of four files, five devices and the paths that it is given, at the places where
the gate has them; ``/tmp`` is memory of its own. No ``/proc``: the kernel refuses a new one below the gate's own
partial view. Nothing else of the gate may start a program.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.process import find_program
from bot_bottle.base.seccomp import Profile, program
from bot_bottle.sidecar.gate import gitenv

REPOSITORY = "/repo"
"""where a sealed git finds the empty bare repository of ours"""

TMP_BYTES = 64 * 2**20
"""of a sandbox's ``/tmp``; memory, and of no use to git"""

_DEVICES = ("null", "zero", "random", "urandom", "full")
_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_KILL_WAIT_S = 2.0
"""for bubblewrap to see that what it runs has ended; it is killed itself then"""

CONFIG = b"[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
CONFIG_SHA256 = (
    b"[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = sha256\n"
)


class NotConfined(BotBottleError):
    """This machine can't run the sandboxes that the gate works in."""


@dataclass(frozen=True)
class Sealed:
    """A command line that is ready to be started, once, by :func:`running`."""

    argv: tuple[str, ...]
    pass_fds: tuple[int, ...]
    """what the program keeps; those in ``own_fds`` are closed when it runs"""
    own_fds: tuple[int, ...] = ()


@dataclass(frozen=True)
class Files:
    """What a sandbox sees beside the system."""

    readable: Sequence[Path] = ()
    writable: Sequence[Path] = ()
    """shadowed by ``readable`` paths below them"""
    data: Mapping[str, bytes] = field(default_factory=dict)
    """files that exist in the sandbox alone, by place: read-only, and may be run"""


class Confinement:
    """Makes sandboxes; *work* is the gate's own memory, where what they all share lies."""

    def __init__(self, work: Path) -> None:
        """Raises :class:`NotConfined` without bubblewrap, OSError when *work* can't be written."""
        found = find_program("bwrap")
        if found is None:
            raise NotConfined("bwrap is not installed: install the package bubblewrap")
        self._bwrap = str(found)
        self._filter = program(platform.machine(), Profile.BOTTLE)
        self._etc = work / "etc"
        self._bare = work / "bare"
        self._bare_sha256 = work / "bare-sha256"
        _write_etc(self._etc)
        bare_repository(self._bare)
        bare_repository(self._bare_sha256, CONFIG_SHA256)

    def seal(
        self,
        argv: Sequence[str],
        *,
        objects: Path,
        alternates: Sequence[Path] = (),
        readable: Sequence[Path] = (),
        writable: Sequence[Path] = (),
        env: Mapping[str, str] | None = None,
        rlimit_as: int | None = None,
        sha256: bool = False,
    ) -> Sealed:
        """*argv* beside an empty bare repository of ours over the object directories *objects* and *alternates*,
        which can only be read. *rlimit_as*: bytes of address space."""
        bare = self._bare_sha256 if sha256 else self._bare
        environment = gitenv.environment(
            extra={
                "GIT_DIR": REPOSITORY,
                "GIT_OBJECT_DIRECTORY": str(objects),
                "GIT_ALTERNATE_OBJECT_DIRECTORIES": ":".join(str(path) for path in alternates),
                **(env or {}),
            }
        )
        return self.wrap(
            argv,
            Files(readable=(objects, *alternates, *readable), writable=writable),
            environment,
            binds=(("--ro-bind", str(bare), REPOSITORY),),
            limits=() if rlimit_as is None else (f"--as={rlimit_as}",),
        )

    def wrap(
        self,
        argv: Sequence[str],
        files: Files,
        env: Mapping[str, str],
        *,
        network: bool = False,
        binds: Sequence[tuple[str, str, str]] = (),
        limits: Sequence[str] = (),
        keep_fds: Sequence[int] = (),
    ) -> Sealed:
        """*argv* in a sandbox, with *env* as its whole environment. *limits*: options of prlimit(1)."""
        own: list[int] = []
        line = [self._bwrap, "--unshare-all", *(["--share-net"] if network else [])]
        line += [
            "--die-with-parent",
            "--new-session",
            "--cap-drop",
            "ALL",
            "--hostname",
            "gate",
            "--clearenv",
        ]
        line += self._system()
        for path in files.writable:
            line += ["--bind", str(path), str(path)]
        for path in files.readable:
            line += ["--ro-bind", str(path), str(path)]
        for option, source, place in binds:
            line += [option, source, place]
        for place, content in files.data.items():
            own.append(_memory(place, content))
            line += ["--perms", "0555", "--ro-bind-data", str(own[-1]), place]
        for name, value in env.items():
            line += ["--setenv", name, value]
        own.append(_memory("filter", self._filter))
        line += ["--remount-ro", "/", "--seccomp", str(own[-1]), "--chdir", "/", "--"]
        if limits:
            line += ["/usr/bin/prlimit", *limits, "--"]
        return Sealed((*line, *argv), (*own, *keep_fds), tuple(own))

    def _system(self) -> list[str]:
        line = ["--ro-bind", "/usr", "/usr", "--ro-bind", str(self._etc), "/etc"]
        for name in _LINKS:
            if os.path.islink(f"/{name}"):
                line += ["--symlink", os.readlink(f"/{name}"), f"/{name}"]
            elif os.path.isdir(f"/{name}"):
                line += ["--ro-bind", f"/{name}", f"/{name}"]
        for name in _DEVICES:
            line += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
        return [*line, "--perms", "0700", "--size", str(TMP_BYTES), "--tmpfs", "/tmp"]  # noqa: S108


def bare_repository(path: Path, config: bytes = CONFIG, *, head: str = "refs/heads/main") -> None:
    """Make what git needs to call *path* a bare repository, where nothing is yet."""
    for directory in ("objects/info", "objects/pack", "refs/heads", "info"):
        (path / directory).mkdir(parents=True, exist_ok=True)
    (path / "config").write_bytes(config)
    (path / "HEAD").write_text(f"ref: {head}\n", encoding="utf-8")


def write_refs(path: Path, refs: Mapping[str, str]) -> None:
    """Give the bare repository *path* these refs and no others, in one step (gitrepository-layout(5), packed-refs).
    Names and object ids are plain, as ``told`` lets them in."""
    lines = "".join(
        f"{oid} {ref}\n" for ref, oid in sorted(refs.items(), key=lambda item: os.fsencode(item[0]))
    )
    new = path / "packed-refs.new"
    new.write_bytes(os.fsencode("# pack-refs with: sorted \n" + lines))
    new.replace(path / "packed-refs")


def _write_etc(etc: Path) -> None:
    etc.mkdir(parents=True, exist_ok=True)
    uid, gid = os.geteuid(), os.getegid()
    (etc / "passwd").write_text(f"gate:x:{uid}:{gid}::/nonexistent:/usr/sbin/nologin\n")
    (etc / "group").write_text(f"gate:x:{gid}:\n")
    (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\n")
    with contextlib.suppress(OSError):
        (etc / "ld.so.cache").write_bytes(Path("/etc/ld.so.cache").read_bytes())


def _memory(name: str, content: bytes) -> int:
    """A descriptor that reads *content*, for bubblewrap alone: its number stays as it is."""
    fd = os.memfd_create(os.path.basename(name))
    try:
        os.write(fd, content)
        os.lseek(fd, 0, os.SEEK_SET)
    except OSError:
        os.close(fd)
        raise
    return fd


@contextlib.asynccontextmanager
async def running(
    sealed: Sealed,
    *,
    stdin: int = asyncio.subprocess.DEVNULL,
    stdout: int = asyncio.subprocess.PIPE,
    stderr: int = asyncio.subprocess.PIPE,
    limit: int = 2**16,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start *sealed*; whatever of it still runs at the end of the context is killed and waited for.

    Raises :class:`NotConfined` when it can't be started. *limit*: bytes that a stream reads ahead.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *sealed.argv,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            limit=limit,
            pass_fds=sealed.pass_fds,
            env={},
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        raise NotConfined(f"{sealed.argv[0]!r} could not be started: {error.strerror or error}") from error
    finally:
        for fd in sealed.own_fds:
            os.close(fd)
    try:
        yield process
    finally:
        await asyncio.shield(_end(process))


async def _end(process: asyncio.subprocess.Process) -> None:
    """The first process of the sandbox is killed, and all in it with that; then bubblewrap collects it and ends.

    The other way round it would become a child of the gate's, which is the first process of its namespace.
    """
    if process.returncode is None:
        for pid in _children(process.pid):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        try:
            await asyncio.wait_for(process.wait(), _KILL_WAIT_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
    await process.wait()
    # what was not read of its output keeps a pipe open for good; asyncio has no public word for this
    process._transport.close()  # type: ignore[attr-defined]


def _children(parent: int) -> list[int]:
    """Processes whose parent is *parent*, by their ``stat`` (proc(5): the fourth field, after a name in brackets)."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        with contextlib.suppress(OSError, ValueError, IndexError):
            stat = Path("/proc", name, "stat").read_bytes()
            if int(stat[stat.rindex(b")") + 2 :].split()[1]) == parent:
                found.append(int(name))
    return found
