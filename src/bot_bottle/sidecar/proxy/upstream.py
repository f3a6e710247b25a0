"""Upstream connections: resolved once, the address checked and pinned, certificates always verified.

A name is looked up only for a request that has an ``Allow`` (threats B1). All addresses of an answer must
pass the guard: an answer that mixes public and private ones is what DNS rebinding looks like.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import socket
import ssl
from collections.abc import Callable, Collection, Mapping
from typing import Protocol, cast

from bot_bottle.egress.address import Address, check_connect_to, check_route_address, fixed_addresses
from bot_bottle.egress.config import Route
from bot_bottle.egress.verdict import Deny, Hint
from bot_bottle.sidecar.proxy.http1 import Malformed
from bot_bottle.sidecar.proxy.limits import Limits
from bot_bottle.sidecar.proxy.lookup import Lookups, Resolver, system_resolver
from bot_bottle.sidecar.proxy.response import Event, ResponseReader
from bot_bottle.sidecar.proxy.tls import TlsPipe
from bot_bottle.sidecar.proxy.turns import Turns

Key = tuple[str, str, int]
"""scheme, host, port: what a connection may be reused for"""


class DialError(Exception):
    """No connection; ``deny`` is the answer."""

    def __init__(self, deny: Deny) -> None:
        super().__init__(deny.reason)
        self.deny = deny


class Flow(Protocol):
    """Who an upstream connection speaks to."""

    def upstream_events(self, events: list[Event]) -> None: ...

    def upstream_lost(self, why: str) -> None: ...

    def upstream_writable(self, writable: bool) -> None: ...


class Upstream(asyncio.Protocol):
    """One connection to an upstream; carries one request at a time for one client connection."""

    def __init__(self, key: Key, pipe: TlsPipe | None, limits: Limits, turns: Turns) -> None:
        self.key = key
        self.address: Address | None = None
        """the pinned address; None: the operator's ``--connect-to``"""
        self.flow: Flow | None = None
        self.reader = ResponseReader(limits)
        self.open = False
        self.used = False
        """an earlier request went over it"""
        self.idle_since = 0.0
        self.paused = False
        """it takes no more for now"""
        self._lingers = False
        self._reading_paused = False
        self._turns = turns
        self._put_off = False
        """what it sent is taken in a later turn of the loop; until then nothing is read"""
        self._pipe = pipe
        self._transport: asyncio.Transport | None = None
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def connected(self) -> bool:
        """A transport has been made, which owns the socket."""
        return self._transport is not None

    async def ready(self) -> None:
        """Wait for the TLS handshake; raises OSError or ssl.SSLError."""
        try:
            await self._ready
        except BaseException:
            # the error's traceback leads here and so to the future that holds it: a cycle with 25 KiB of TLS
            self._ready = asyncio.get_running_loop().create_future()
            self._ready.cancel()
            raise

    def write(self, plain: bytes) -> None:
        """Send *plain* (not empty). Where it has just been reset, the flow is told in the loop's next turn."""
        assert self._transport is not None
        if self._transport.is_closing():
            return
        self._transport.write(plain if self._pipe is None else self._pipe.seal(plain))

    def pause_reading(self, pause: bool) -> None:
        """Back-pressure of the flow; reading also pauses while work is put off."""
        before = self._reading_paused or self._put_off
        self._reading_paused = pause
        self._read_or_not(before)

    def _read_or_not(self, before: bool) -> None:
        now = self._reading_paused or self._put_off
        if now is before or self._transport is None or self._transport.is_closing():
            return
        if now:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def close(self) -> None:
        """End in good order; nothing more is told to the flow."""
        self.flow = None
        self.open = False
        if self._transport is not None and not self._transport.is_closing():
            if self._pipe is not None and self._pipe.established:
                self._transport.write(self._pipe.close())
            self._transport.close()

    def linger(self, wait_s: float) -> None:
        """End once the other side has, after *wait_s* at most; what it still sends is thrown away. Closed at once,
        with bytes of its own unread, it would see a reset and not what was written last."""
        self.flow = None
        self.pause_reading(False)
        transport = self._transport
        if not self.open or transport is None or transport.is_closing():
            return
        self._lingers = True
        if self._pipe is not None:
            transport.write(self._pipe.close())
        if transport.can_write_eof():
            transport.write_eof()
        asyncio.get_running_loop().call_later(wait_s, transport.close)

    def abort(self) -> None:
        """Cut: an unfinished request must not look finished."""
        self.flow = None
        self.open = False
        self._ready.cancel()  # nobody waits for it any more, or it is done
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop has its own class
        self.open = True
        if self._pipe is None:
            self._ready.set_result(None)
        else:
            self._transport.write(self._pipe.start())

    def data_received(self, data: bytes) -> None:
        if not self._lingers:
            self._take(data)

    def _take(self, data: bytes) -> None:
        """*data* may be empty: there is something held."""
        try:
            if self._pipe is not None and data:
                data = self._decrypted(self._pipe, data)
            if self.reader.held:
                data = self.reader.held + data
            if data:
                events = self.reader.feed(data)
                if events and self.flow is not None:
                    self.flow.upstream_events(events)
            if self.reader.held:
                self._put_off_the_rest()
            elif self._pipe is not None and self._pipe.closed:
                self._ended()
        except Malformed as error:
            self._lost(error.what)
        except ssl.SSLError as error:
            self._failed(error)
        except Exception as error:  # whatever it is, this flow ends and no other
            self._lost(f"internal error ({type(error).__name__})")

    def _put_off_the_rest(self) -> None:
        if not self._put_off:
            before = self._reading_paused
            self._put_off = True
            self._read_or_not(before)
            self._turns.later(self._go_on)

    def _go_on(self) -> None:
        self._put_off = False
        self._read_or_not(True)
        if self.open and self.reader.held:
            self._take(b"")

    def _decrypted(self, pipe: TlsPipe, data: bytes) -> bytes:
        assert self._transport is not None
        try:
            plain = pipe.feed(data)
        finally:
            out = pipe.pending()
            if out:
                self._transport.write(out)
        if pipe.established and not self._ready.done():
            self._ready.set_result(None)
        return plain

    def eof_received(self) -> None:
        if self._lingers:
            return
        if self._pipe is None:
            self._ended()
        else:
            self._lost("the response was cut")

    def _ended(self) -> None:
        """The upstream has closed in good order."""
        if not self.open:
            return
        self.open = False
        try:
            events = self.reader.end()
        except Malformed as error:
            self._lost(error.what)
            return
        if events and self.flow is not None:
            self.flow.upstream_events(events)
        self.close()

    def _failed(self, error: OSError) -> None:
        if not self._ready.done():
            self._ready.set_exception(error)
        self._lost("TLS failed")

    def _lost(self, why: str) -> None:
        flow, self.flow = self.flow, None
        if not self._ready.done():  # or whoever waits for it would be cancelled, and its client wait on
            self._ready.set_exception(ConnectionResetError("closed during the TLS handshake"))
        self.abort()
        if flow is not None:
            flow.upstream_lost(why)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost("the connection was reset" if exc else "the connection was closed")

    def pause_writing(self) -> None:
        self.paused = True
        if self.flow is not None:
            self.flow.upstream_writable(False)

    def resume_writing(self) -> None:
        self.paused = False
        if self.flow is not None:
            self.flow.upstream_writable(True)


class Dialer:
    """Opens upstream connections under the address guard."""

    def __init__(
        self,
        *,
        limits: Limits,
        turns: Turns,
        context: Callable[[], ssl.SSLContext],
        resolver: Resolver = system_resolver,
        connect_to: Mapping[tuple[str, int], tuple[str, int]] | None = None,
        refuse_ports: Collection[int] = (),
    ) -> None:
        self._limits = limits
        self._turns = turns
        self._context = context
        self._connect_to = dict(connect_to or {})
        self._refuse_ports = frozenset(refuse_ports)
        self._lookups = Lookups(resolver)

    async def open(self, key: Key, route: Route) -> Upstream:
        """A connection for *key*, its handshake done. Raises :class:`DialError`. Call only for an Allow."""
        try:
            async with asyncio.timeout(self._limits.connect_s):
                return await self._open(key, route)
        except TimeoutError:
            raise DialError(_deny(504, "the connection was not made in time", route)) from None

    async def _open(self, key: Key, route: Route) -> Upstream:
        _, host, port = key
        named = self._connect_to.get((host, port))
        if named is not None:
            targets = [(address, named[1]) for address in await self._addresses(named[0], named[1], route)]
            refusals = [
                check_connect_to(address, named[1], refuse_ports=self._refuse_ports) for address, _ in targets
            ]
        else:
            targets = [(address, port) for address in await self._addresses(host, port, route)]
            refusals = [
                check_route_address(route, host, address, port, refuse_ports=self._refuse_ports)
                for address, _ in targets
            ]
        for refusal in refusals:
            if refusal is not None:
                status = 403 if route.provider is None else 400  # as egress.decide.on_host says
                deny = Deny(status, f"egress: address: {refusal}", Hint.NONE, provider=route.provider)
                raise DialError(deny)
        sock, address = await self._connect(targets, route)
        upstream = await self._handshake(sock, key, route)
        upstream.address = None if named is not None else address
        return upstream

    async def _addresses(self, host: str, port: int, route: Route) -> list[Address]:
        fixed = fixed_addresses(host)
        if fixed is not None:
            return list(fixed)
        try:
            found = await self._lookups.addresses(host, port, route.host)
            addresses: list[Address] = [ipaddress.ip_address(text) for text in found]
        except (OSError, UnicodeError, ValueError) as error:
            raise DialError(_deny(502, "the name could not be resolved", route)) from error
        if not addresses:
            raise DialError(_deny(502, "the name has no address", route))
        return addresses

    async def _connect(
        self, targets: list[tuple[Address, int]], route: Route
    ) -> tuple[socket.socket, Address]:
        for index, (address, port) in enumerate(targets):
            family = socket.AF_INET if address.version == 4 else socket.AF_INET6
            try:
                sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
            except OSError as error:
                what = f"no connection can be made ({os.strerror(error.errno or 0)})"
                raise DialError(_deny(502, what, route)) from error
            try:
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                last = index == len(targets) - 1
                async with asyncio.timeout(None if last else self._limits.try_next_address_s):
                    await _reach(sock, str(address), port)
                return sock, address
            except OSError:  # TimeoutError is one
                sock.close()
            except BaseException:
                sock.close()
                raise
        raise DialError(_deny(502, "the connection was refused or has no route", route))

    async def _handshake(self, sock: socket.socket, key: Key, route: Route) -> Upstream:
        scheme, host, _ = key
        pipe = TlsPipe(self._context(), server_hostname=host) if scheme == "https" else None
        upstream = Upstream(key, pipe, self._limits, self._turns)
        try:
            await asyncio.get_running_loop().create_connection(lambda: upstream, sock=sock)
            await upstream.ready()
        except ssl.SSLCertVerificationError as error:
            raise DialError(
                _deny(502, f"its certificate does not verify ({error.verify_message})", route)
            ) from error
        except ssl.SSLError as error:
            raise DialError(_deny(502, "the TLS handshake failed", route)) from error
        except OSError as error:
            raise DialError(_deny(502, "the connection was closed while it was made", route)) from error
        except BaseException:
            upstream.abort()
            raise
        finally:
            if not upstream.connected:
                sock.close()
        return upstream


async def _reach(sock: socket.socket, address: str, port: int) -> None:
    """Connect; raises OSError. The loop's own way would look the address up once more, in a thread."""
    error = sock.connect_ex((address, port))
    if error == errno.EINPROGRESS:
        loop = asyncio.get_running_loop()
        decided = asyncio.Event()
        loop.add_writer(sock, decided.set)
        try:
            await decided.wait()
        finally:
            loop.remove_writer(sock)
        error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        raise OSError(error, os.strerror(error))


def _deny(status: int, what: str, route: Route) -> Deny:
    code = "upstream_timeout" if status == 504 else "upstream_unreachable"
    return Deny(status, f"egress: upstream: {what}", Hint.UPSTREAM, code=code, provider=route.provider)


def upstream_deny(status: int, what: str, provider: str | None) -> Deny:
    """An upstream that was reached and did not answer as it should."""
    code = "upstream_timeout" if status == 504 else "upstream_failed"
    return Deny(status, f"egress: upstream: {what}", Hint.UPSTREAM, code=code, provider=provider)
