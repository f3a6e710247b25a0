"""Commands of git and gitleaks over the objects of one push, each in a sealed sandbox; what they write is handed on
piece by piece. One that stalls, or ends otherwise than it should, refuses the push (:class:`Unscanned`)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot_bottle.base.errors import BotBottleError
from bot_bottle.gitgate.plan import Step
from bot_bottle.sidecar.gate import confined
from bot_bottle.sidecar.gate.confined import Confinement, Sealed
from bot_bottle.sidecar.gate.watch import SILENT_S, Stalled, Watch

MEMORY_BYTES = 2 * 2**30
"""of address space of one git: packs of 64 MiB windows mapped, and one file in two versions"""
MAX_OUTPUT_BYTES = 64 * 2**20
"""of a command whose output is held as a whole: a list of a million ids"""
STALL_S = 60.0
"""without output or processor time: a full disk, or a machine that is swapping"""
_PIECE = 64 * 1024
_FED = 64 * 1024
"""bytes of input that are handed over at once"""

Take = Callable[[bytes], Awaitable[None]]


class Unscanned(BotBottleError):
    """A push could not be looked at; the message is for the client, and quotes nothing of the push."""


@dataclass(frozen=True)
class Store:
    """The objects of one push, and those that upstream had."""

    confinement: Confinement
    objects: Path
    """of the push; only the gate can write there"""
    alternates: tuple[Path, ...]
    """the mirror's"""
    is_sha256: bool

    def seal(self, step: Step) -> Sealed:
        return self.confinement.seal(
            ("git", *step.args),
            objects=self.objects,
            alternates=self.alternates,
            rlimit_as=MEMORY_BYTES,
            sha256=self.is_sha256,
        )

    async def run(self, step: Step, take: Take) -> None:
        """*step*, its output to *take*. Raises :class:`Unscanned`, and whatever *take* raises."""
        await self.feed(step, (step.stdin,), take)

    async def feed(self, step: Step, stdin: Iterable[bytes], take: Take) -> None:
        """The same with another input."""
        status = await pump(self.seal(step), take, stdin)
        if status != 0:
            raise Unscanned(f"git {step.args[0]} failed (status {status})")

    async def output(self, step: Step) -> bytes:
        """All that *step* writes. Raises :class:`Unscanned`."""
        held = Held(MAX_OUTPUT_BYTES)
        await self.run(step, held.take)
        return bytes(held.data)

    async def status(self, step: Step) -> int:
        """The exit status of *step*."""
        return await pump(self.seal(step), None, (step.stdin,))


class Held:
    """Output that is held as a whole, up to a limit."""

    def __init__(self, limit: int) -> None:
        self.data = bytearray()
        self._limit = limit

    async def take(self, piece: bytes) -> None:
        self.data += piece
        if len(self.data) > self._limit:
            raise Unscanned("a command says more than can be looked at")


async def pump(
    sealed: Sealed,
    take: Take | None = None,
    stdin: Iterable[bytes] = (),
    *,
    stdin_fd: int | None = None,
    silent_s: float = SILENT_S,
) -> int:
    """Run *sealed* to its end and return its exit status. *stdin_fd* instead of *stdin*: a descriptor that it reads.

    Raises :class:`Unscanned` when it stalls or can't be started, and what *take* raises; nothing runs then.
    """
    given = asyncio.subprocess.PIPE if stdin_fd is None else stdin_fd
    out = asyncio.subprocess.DEVNULL if take is None else asyncio.subprocess.PIPE
    try:
        async with confined.running(
            sealed, stdin=given, stdout=out, stderr=asyncio.subprocess.DEVNULL, limit=_PIECE
        ) as process:
            watch = Watch(process.pid, stall_s=STALL_S, silent_s=silent_s)
            work = asyncio.ensure_future(_work(process, watch, take, stdin))
            guard = asyncio.ensure_future(watch.stalled())
            try:
                await asyncio.wait({work, guard}, return_when=asyncio.FIRST_COMPLETED)
                if not work.done():
                    guard.result()
                return await work
            finally:
                for task in (work, guard):
                    task.cancel()
                await asyncio.gather(work, guard, return_exceptions=True)
    except Stalled as error:
        raise Unscanned(f"looking at the push was given up: {error}") from error
    except confined.NotConfined as error:
        raise Unscanned(str(error)) from error


async def _work(
    process: asyncio.subprocess.Process, watch: Watch, take: Take | None, stdin: Iterable[bytes]
) -> int:
    feeding = asyncio.ensure_future(_feed(process, watch, stdin))
    try:
        if take is not None:
            assert process.stdout is not None
            while piece := await process.stdout.read(_PIECE):
                watch.moved()
                await take(piece)
                watch.moved()
        return await process.wait()
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)


async def _feed(process: asyncio.subprocess.Process, watch: Watch, stdin: Iterable[bytes]) -> None:
    if process.stdin is None:
        return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        for piece in stdin:
            for at in range(0, len(piece), _FED):
                process.stdin.write(piece[at : at + _FED])
                await process.stdin.drain()
                watch.moved()
    process.stdin.close()


def lines(ids: Sequence[str], size: int = 1000) -> Iterable[bytes]:
    """*ids*, one a line, *size* lines at a time."""
    for at in range(0, len(ids), size):
        yield "".join(f"{each}\n" for each in ids[at : at + size]).encode()
