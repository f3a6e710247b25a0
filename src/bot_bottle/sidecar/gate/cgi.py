"""``git http-backend`` as the CGI program that it is (RFC 3875; git-http-backend(1)), in a sandbox.

What a client says reaches it as five values of fixed forms and as standard input; what it says is believed as far as
its head is exactly one: anything else is :class:`BadHead`, and the client reads 500.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot_bottle.sidecar.gate import confined, gitenv
from bot_bottle.sidecar.gate.confined import Confinement, Files, Sealed
from bot_bottle.sidecar.gate.watch import Stalled, Watch

CONTROL_S = 15.0
"""for an advertisement, in all (git-gate.md §3)"""
MAX_HEAD_BYTES = 16 * 1024
_PIECE = 64 * 1024
_TOKEN_CHARS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
_PASSED = frozenset({b"content-type", b"cache-control", b"expires", b"pragma"})
"""fields of git's that the client gets; the rest is the server's own business"""

Headers = list[tuple[bytes, bytes]]


class BadHead(Exception):
    """What came first is no head of a CGI answer."""


@dataclass(frozen=True)
class Call:
    """One request, as git is told of it."""

    repository: Path
    service: str
    """``git-upload-pack`` or ``git-receive-pack``"""
    advertise: bool
    """whether the refs are asked for"""
    protocol: str = ""
    """``version=2`` and the like, or nothing"""
    readable: Sequence[Path] = ()
    writable: Sequence[Path] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, bytes] = field(default_factory=dict)
    keep_fds: Sequence[int] = ()
    limits: Sequence[str] = ()
    """options of prlimit(1), for each process of it"""


def command(call: Call, confinement: Confinement) -> Sealed:
    """The command line of one call."""
    name = call.repository.name
    env = {
        "GIT_PROJECT_ROOT": str(call.repository.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GATEWAY_INTERFACE": "CGI/1.1",
        "REQUEST_METHOD": "GET" if call.advertise else "POST",
        "PATH_INFO": f"/{name}/info/refs" if call.advertise else f"/{name}/{call.service}",
        "QUERY_STRING": f"service={call.service}" if call.advertise else "",
        "CONTENT_TYPE": "" if call.advertise else f"application/x-{call.service}-request",
        "REMOTE_USER": "agent",
        "REMOTE_ADDR": "127.0.0.1",
        "GIT_HTTP_MAX_REQUEST_BUFFER": "10M",
        **({"GIT_PROTOCOL": call.protocol} if call.protocol else {}),
        **call.env,
    }
    return confinement.wrap(
        ["git", "http-backend"],
        Files(call.readable, call.writable, call.data),
        gitenv.environment({**gitenv.SERVING, **call.settings}, env),
        keep_fds=call.keep_fds,
        limits=call.limits,
    )


def parse_head(head: bytes) -> tuple[int, Headers]:
    """Status and fields of a CGI head, without its blank line (RFC 3875 section 6). Raises :class:`BadHead`."""
    status, fields = 200, []
    seen: set[bytes] = set()
    for line in head.replace(b"\r\n", b"\n").split(b"\n"):
        name, colon, value = line.partition(b":")
        value = value.strip(b" \t")
        lower = name.lower()
        if not colon or not name or not set(name) <= _TOKEN_CHARS or lower in seen:
            raise BadHead("a line that is no field")
        if any(byte < 0x20 or byte == 0x7F for byte in value):
            raise BadHead("a control character")
        seen.add(lower)
        if lower == b"status":
            status = _status(value)
        elif lower in _PASSED:
            fields.append((lower, value))
    if b"content-type" not in seen and status == 200:
        raise BadHead("no content type")
    return status, fields


def _status(value: bytes) -> int:
    digits, space, _ = value.partition(b" ")
    if len(digits) != 3 or not digits.isdigit() or not space or not 200 <= int(digits) <= 599:
        raise BadHead("no status")
    return int(digits)


async def exchange(
    sealed: Sealed,
    body: AsyncIterator[bytes] | None,
    gone: Callable[[], Awaitable[None]],
    start: Callable[[int, Headers], Awaitable[None]],
    send: Callable[[bytes], Awaitable[None]],
) -> int:
    """Run *sealed* for one request and return its exit status; *start* is called once, before any *send*.

    *gone* is awaited when the body is read, and raises when the client has left. Ends with an exception of the four,
    with :class:`BadHead`, or with :class:`Stalled`; nothing runs then.
    """
    stdin = asyncio.subprocess.DEVNULL if body is None else asyncio.subprocess.PIPE
    async with confined.running(
        sealed, stdin=stdin, stderr=asyncio.subprocess.DEVNULL, limit=_PIECE
    ) as process:
        watch = Watch(process.pid)
        out = asyncio.ensure_future(_pump_out(process, watch, start, send))
        others = {
            asyncio.ensure_future(_limit(CONTROL_S) if body is None else watch.stalled()),
            asyncio.ensure_future(_pump_in(process, watch, body, gone)),
        }
        try:
            while not out.done():
                done, _ = await asyncio.wait({out, *others}, return_when=asyncio.FIRST_COMPLETED)
                for job in done & others:
                    others.discard(job)
                    job.result()
            await out
            return await process.wait()
        finally:
            for job in (out, *others):
                job.cancel()
            await asyncio.gather(out, *others, return_exceptions=True)


async def _limit(seconds: float) -> None:
    await asyncio.sleep(seconds)
    raise Stalled(f"no end within {seconds:g} s")


async def _pump_in(
    process: asyncio.subprocess.Process,
    watch: Watch,
    body: AsyncIterator[bytes] | None,
    gone: Callable[[], Awaitable[None]],
) -> None:
    """The request's body to git, until git wants no more: what is left is *gone*'s to read, and its size no matter."""
    if body is not None and process.stdin is not None:
        try:
            async for piece in body:
                process.stdin.write(piece)
                await process.stdin.drain()
                watch.moved()
        except (BrokenPipeError, ConnectionResetError):
            pass
        process.stdin.close()
    await gone()


async def _pump_out(
    process: asyncio.subprocess.Process,
    watch: Watch,
    start: Callable[[int, Headers], Awaitable[None]],
    send: Callable[[bytes], Awaitable[None]],
) -> None:
    assert process.stdout is not None
    head = b""
    while b"\r\n\r\n" not in head:
        piece = await process.stdout.read(MAX_HEAD_BYTES)
        head += piece
        if not piece or (len(head) > MAX_HEAD_BYTES and b"\r\n\r\n" not in head[:MAX_HEAD_BYTES]):
            raise BadHead("it has no end")
    head, _, piece = head.partition(b"\r\n\r\n")
    status, fields = parse_head(head)
    watch.moved()
    # http-backend writes its head before it has read anything: until there is more, another answer can be given
    piece = piece or await process.stdout.read(_PIECE)
    await start(status, fields)
    while piece:
        watch.moved()
        await send(piece)
        watch.moved()
        piece = await process.stdout.read(_PIECE)
