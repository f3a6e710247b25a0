"""What a hook says of its push, held against what is there; and its objects, taken to where only the gate writes.

The hook is started by a git that has read the agent's pack: whatever it says may be the agent's. It can name no place
but the quarantine of its own push, and what is read there is one pack, an ordinary file. That pack is read once, by
an ``index-pack`` of ours, which works out every object's id from its content; nothing that receives a push can change
an object between its scan and its way upstream.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot_bottle.base.errors import BotBottleError
from bot_bottle.gitgate.refs import RefUpdate, parse_updates
from bot_bottle.sidecar.gate import gitenv
from bot_bottle.sidecar.gate.commands import Store, Unscanned, pump
from bot_bottle.sidecar.gate.confined import (
    CONFIG,
    CONFIG_SHA256,
    REPOSITORY,
    Confinement,
    Files,
    bare_repository,
)
from bot_bottle.sidecar.gate.hook import MAX_INPUT_BYTES

MAX_MESSAGE_BYTES = MAX_INPUT_BYTES + 16 * 1024
"""The ref lines, and three paths"""
PREFIX = "tmp_objdir-incoming-"
"""git's tmp-objdir.c, from 2.35 on (2.39 and 2.47 alike); random characters follow"""
_RANDOM = 6
MAX_ENTRIES = 16
"""in a quarantine: one pack with its index, and what keeps it from being collected"""
MEMORY_BYTES = 2 * 2**30
"""of address space, for reading a pack: a pack, mapped, and two versions of one file"""

_PACK_ENDS = (".pack", ".idx", ".rev", ".keep")


class BadHook(BotBottleError):
    """The hook said what no hook of ours says. The message is for the client and quotes nothing."""


@dataclass(frozen=True)
class Message:
    """What one hook said."""

    updates: tuple[RefUpdate, ...]
    quarantine: str
    """a directory's name, below the repository's ``objects``; empty: nothing came with this push"""


def decode(body: bytes, repository: Path) -> Message:
    """*body* as ``hook.py`` sends it, of a push to the repository of that path in its sandbox.

    Raises :class:`BadHook`, and ``refs.RefsError`` for the ref lines.
    """
    parts = body.split(b"\0")
    if len(body) > MAX_MESSAGE_BYTES or len(parts) != 4:
        raise BadHook("the hook's message can't be read")
    quarantine, objects, alternates, lines = parts
    return Message(parse_updates(lines), _name(quarantine, objects, alternates, os.fsencode(repository)))


def _name(quarantine: bytes, objects: bytes, alternates: bytes, repository: bytes) -> str:
    if not (quarantine or objects or alternates):
        return ""  # refs are deleted, and nothing else: git makes no quarantine then
    for store in (repository + b"/objects", repository + b"/./objects"):  # as GIT_DIR is the path, or "."
        name = quarantine.removeprefix(store + b"/")
        rest = name.removeprefix(PREFIX.encode())
        if name != quarantine and rest != name and len(rest) == _RANDOM and rest.isalnum():
            break
    else:
        raise BadHook("the quarantine is not where this push has it")
    if objects != quarantine or store not in alternates.split(b":"):
        raise BadHook("the quarantine is not what git reads")
    return name.decode("ascii")


@contextlib.contextmanager
def opened(repository: Path, name: str) -> Iterator[int | None]:
    """A descriptor of the one pack in the quarantine *name*, or None where it has none.

    Raises :class:`BadHook` where anything else lies in it, or a link stands in the way.
    """
    with contextlib.ExitStack() as stack:
        if not name:
            yield None
            return
        try:
            store = stack.enter_context(
                _directory("objects", stack.enter_context(_directory(str(repository))))
            )
            found = _pack(stack, stack.enter_context(_directory(name, store)))
        except OSError:
            raise BadHook("the quarantine can't be read") from None
        yield found


def _pack(stack: contextlib.ExitStack, quarantine: int) -> int | None:
    names = _names(quarantine)
    if not names:
        return None
    if names != ["pack"]:
        raise BadHook("the quarantine holds more than a pack")
    inside = stack.enter_context(_directory("pack", quarantine))
    files = _names(inside)
    if not files:  # upstream has all that it needs
        return None
    packs = [name for name in files if name.endswith(".pack")]
    if len(packs) != 1 or not all(name.startswith("pack-") and name.endswith(_PACK_ENDS) for name in files):
        raise BadHook("the quarantine does not hold one pack")
    fd = os.open(packs[0], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=inside)
    stack.callback(os.close, fd)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        raise BadHook("the pack is no file")
    return fd


@contextlib.contextmanager
def _directory(name: str, parent: int | None = None) -> Iterator[int]:
    fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        yield fd
    finally:
        os.close(fd)


def _names(directory: int) -> list[str]:
    with os.scandir(directory) as entries:
        names = []
        for entry in entries:
            names.append(entry.name)
            if len(names) > MAX_ENTRIES:
                raise BadHook("the quarantine holds more than a pack")
    return names


def size(pack: int) -> int:
    """Bytes of it."""
    return os.fstat(pack).st_size


async def freeze(
    confinement: Confinement, pack: int | None, place: Path, alternates: tuple[Path, ...], *, sha256: bool
) -> Store:
    """Index *pack* anew, strictly, into a directory in *place*; what is there from then on nobody else can write.

    Raises :class:`commands.Unscanned`.
    """
    objects, bare = place / "objects", place / "bare"
    (objects / "pack").mkdir(parents=True, mode=0o700)
    bare_repository(bare, CONFIG_SHA256 if sha256 else CONFIG)
    store = Store(confinement, objects, alternates, sha256)
    if pack is None:
        return store
    os.lseek(pack, 0, os.SEEK_SET)
    environment = gitenv.environment(
        extra={
            "GIT_DIR": REPOSITORY,
            "GIT_OBJECT_DIRECTORY": str(objects),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": ":".join(map(str, alternates)),
        }
    )
    sealed = confinement.wrap(
        ["git", "index-pack", "--strict", "--stdin", f"--max-input-size={size(pack)}"],
        Files(readable=alternates, writable=(objects,)),
        environment,
        binds=(("--ro-bind", str(bare), REPOSITORY),),
        limits=(f"--as={MEMORY_BYTES}",),
    )
    if await pump(sealed, stdin_fd=pack) != 0:
        raise Unscanned("the pack can't be read: git does not take it")
    return store


@contextlib.contextmanager
def scratch(place: Path) -> Iterator[Path]:
    """*place*, gone at the end with all that lies in it."""
    shutil.rmtree(place, ignore_errors=True)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


async def receive(reader: asyncio.StreamReader) -> bytes:
    """The body of a hook's one message. Raises :class:`BadHook` when it is none, or breaks off."""
    try:
        head = await reader.readuntil(b"\n")
        digits = head[:-1]
        if not digits.isdigit() or len(digits) > 8 or int(digits) > MAX_MESSAGE_BYTES:
            raise BadHook("the hook's message can't be read")
        return await reader.readexactly(int(digits))
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
        raise BadHook("the hook's message breaks off") from None
