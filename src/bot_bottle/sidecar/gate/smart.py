"""The ASGI application: one request of git's smart HTTP, from its target to git's answer (gitprotocol-http(5))."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.text import printable
from bot_bottle.sidecar.gate import cgi
from bot_bottle.sidecar.gate.access import UpstreamFailed
from bot_bottle.sidecar.gate.cgi import BadHead, Call
from bot_bottle.sidecar.gate.confined import Confinement
from bot_bottle.sidecar.gate.mirror import Mirror, incoming
from bot_bottle.sidecar.gate.server import (
    DEFAULT_LIMITS,
    BadBody,
    ClientGone,
    Limits,
    Receive,
    Scope,
    Send,
    answer,
    discard,
    gone,
    pieces,
    plain,
)
from bot_bottle.sidecar.gate.watch import Stalled

FETCH, PUSH = "git-upload-pack", "git-receive-pack"

MAX_FETCH_REQUEST_BYTES = 64 * 2**20
"""wants and haves: a million object ids"""
COMMANDS_BYTES = 4 * 2**20
"""of a push, before its pack: a thousand refs with the longest names"""
HOOKS = "/hooks"
PUSH_DATA_BYTES = 320 * 2**20
"""of memory for each process that takes a push in: a delta and its base are held whole, and a few bytes of delta
can promise gigabytes"""
FETCHES, PUSHES = 8, 8
"""served at once; further ones wait. One that packs holds some 80 MB"""

_PROTOCOLS = {b"version=0": "version=0", b"version=1": "version=1", b"version=2": "version=2"}
_MAX_MESSAGE_LINES = 50


class PushSession(Protocol):
    """What a receive-pack is given so that its hook reaches the judgement."""

    @property
    def fds(self) -> tuple[int, ...]: ...
    @property
    def env(self) -> Mapping[str, str]: ...
    @property
    def readable(self) -> tuple[Path, ...]: ...
    @property
    def files(self) -> Mapping[str, bytes]: ...


class Judge(Protocol):
    """Who decides about pushes (``pushes``)."""

    def session(self, mirror: Mirror, repository: Path) -> AbstractAsyncContextManager[PushSession]: ...


class Note(Protocol):
    """The log: one event with its fields."""

    def __call__(self, event: str, **fields: object) -> None: ...


@dataclass(frozen=True)
class _Target:
    mirror: Mirror
    service: str
    advertise: bool


class SmartHttp:
    """Serves *mirrors*; *judge* says what becomes of a push."""

    def __init__(
        self,
        mirrors: Mapping[str, Mirror],
        confinement: Confinement,
        judge: Judge,
        note: Note,
        *,
        incoming_dir: Path,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        """*incoming_dir*: an empty directory of the gate's, on a disk, for pushes while they are judged."""
        self._confinement, self._judge, self._note = confinement, judge, note
        self._incoming_dir, self._limits = incoming_dir, limits
        self._numbers = itertools.count()
        self._active = 0
        self._turns = {FETCH: asyncio.Semaphore(FETCHES), PUSH: asyncio.Semaphore(PUSHES)}
        self._targets = _targets(mirrors)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; nothing is raised but cancellation."""
        started = False

        async def sending(message: Mapping[str, object]) -> None:
            nonlocal started
            started = True
            await send(message)

        self._active += 1
        try:
            await self._answer(scope, receive, sending)
        except ClientGone:
            pass
        except Exception as error:
            self._note("git_failed", error=type(error).__name__, reason=_first_line(error))
            if started:
                raise  # the connection is closed: a cut answer must not look like a whole one
            if isinstance(error, BadBody):
                await discard(receive, self._limits)  # who is still sending does not read
            await answer(send, _status_of(error), f"git gate: {_text_of(error)}", _CLOSE)
        finally:
            self._active -= 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = (scope["raw_path"], scope["query_string"])
        target = self._targets.get(key)
        if target is None:
            await discard(receive, self._limits)
            await answer(send, 404, "git gate: there is no such repository here", _CLOSE)
            return
        method = "GET" if target.advertise else "POST"
        headers = _fields(scope)
        refusal = None
        if scope["method"] != method:
            refusal = 405, f"the method is {method}"
        elif self._active > self._limits.requests:
            refusal = 503, "too many requests at once: try again later"
        elif headers is None:
            refusal = 400, "a header field stands twice"
        elif not target.advertise and headers.get(b"content-type") != (
            f"application/x-{target.service}-request".encode()
        ):
            refusal = 415, "this is not git's content type"
        if refusal is not None or headers is None:
            await discard(receive, self._limits)
            status, text = refusal or (400, "")
            await answer(
                send,
                status,
                f"git gate: {text}",
                _CLOSE,
                *([(b"allow", method.encode())] if status == 405 else []),
            )
            return
        protocol = _PROTOCOLS.get(headers.get(b"git-protocol", b""), "")
        if target.advertise:
            await self._advertise(target, protocol, receive, send)
            return
        limit = MAX_FETCH_REQUEST_BYTES
        if target.service == PUSH:
            limit = target.mirror.repo.policy.max_pack_bytes + COMMANDS_BYTES
        body = plain(pieces(receive), headers.get(b"content-encoding", b"").lower(), limit)
        async with self._turns[target.service]:
            if target.service == PUSH:
                await self._take_push(target.mirror, protocol, body, receive, send)
            else:
                await self._serve(_reading(target, protocol), body, receive, send)

    async def _advertise(self, target: _Target, protocol: str, receive: Receive, send: Send) -> None:
        leaving = asyncio.ensure_future(_after_body(receive))
        asking = asyncio.ensure_future(
            target.mirror.refresh() if target.service == PUSH else target.mirror.refresh_for_fetch()
        )
        try:
            await asyncio.wait({leaving, asking}, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                leaving.result()
            await asking
        finally:
            leaving.cancel()
            asking.cancel()
            await asyncio.gather(leaving, asking, return_exceptions=True)
        await self._serve(_reading(target, protocol), None, receive, send)
        self._note("git_fetch" if target.service == FETCH else "git_push_asked", repo=target.mirror.repo.name)

    async def _take_push(
        self, mirror: Mirror, protocol: str, body: AsyncIterator[bytes], receive: Receive, send: Send
    ) -> None:
        place = self._incoming_dir / f"{next(self._numbers)}.git"
        with incoming(mirror, place):
            async with self._judge.session(mirror, place) as session:
                call = Call(
                    place,
                    PUSH,
                    advertise=False,
                    protocol=protocol,
                    writable=(place,),
                    readable=(
                        *(place / name for name in ("config", "HEAD", "info", "objects/info")),
                        mirror.path,
                        *session.readable,
                    ),
                    settings={
                        "core.hooksPath": HOOKS,
                        "receive.maxInputSize": str(mirror.repo.policy.max_pack_bytes),
                    },
                    env=session.env,
                    data=session.files,
                    keep_fds=session.fds,
                    limits=(f"--data={PUSH_DATA_BYTES}",),
                )
                await self._serve(call, body, receive, send)

    async def _serve(
        self, call: Call, body: AsyncIterator[bytes] | None, receive: Receive, send: Send
    ) -> None:
        async def start(status: int, headers: cgi.Headers) -> None:
            await send({"type": "http.response.start", "status": status, "headers": headers})

        async def more(piece: bytes) -> None:
            await send({"type": "http.response.body", "body": piece, "more_body": True})

        sealed = cgi.command(call, self._confinement)
        await cgi.exchange(sealed, body, lambda: gone(receive), start, more)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


_CLOSE = (b"connection", b"close")


def _targets(mirrors: Mapping[str, Mirror]) -> dict[tuple[bytes, bytes], _Target]:
    """Every request that there is, by path and query."""
    found = {}
    for name, mirror in mirrors.items():
        base = f"/{name}.git/".encode()
        for service in (FETCH, PUSH):
            found[base + b"info/refs", f"service={service}".encode()] = _Target(
                mirror, service, advertise=True
            )
            found[base + service.encode(), b""] = _Target(mirror, service, advertise=False)
    return found


def _reading(target: _Target, protocol: str) -> Call:
    path = target.mirror.path
    return Call(path, target.service, advertise=target.advertise, protocol=protocol, readable=(path,))


def _fields(scope: Scope) -> dict[bytes, bytes] | None:
    """Header fields by name; None where one that matters stands twice."""
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in found and name in (b"content-type", b"content-encoding", b"git-protocol"):
            return None
        found[name] = value.strip()
    return found


async def _after_body(receive: Receive) -> None:
    with contextlib.suppress(StopAsyncIteration):
        async for _ in pieces(receive):
            pass
    await gone(receive)


def _status_of(error: Exception) -> int:
    if isinstance(error, BadBody):
        return error.status
    if isinstance(error, UpstreamFailed):
        return 502
    return 504 if isinstance(error, Stalled) else 500


def _text_of(error: Exception) -> str:
    """For the client; of what is not ours to tell, its kind alone."""
    if isinstance(error, UpstreamFailed):
        lines = str(error).splitlines()[-_MAX_MESSAGE_LINES:]
        return "upstream could not be asked\n" + "\n".join(printable(line, limit=400) for line in lines)
    if isinstance(error, BadHead):
        return "git gave no answer"
    if isinstance(error, BadBody | Stalled | BotBottleError):
        return printable(str(error), limit=400)
    return f"an internal error ({type(error).__name__})"


def _first_line(error: Exception) -> str:
    return _text_of(error).replace("\n", "; ")[:1000]
