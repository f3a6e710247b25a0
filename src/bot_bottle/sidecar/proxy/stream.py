"""The client's side as a stream of plain bytes: transport, TLS once it is taken up, back-pressure, ends.

Knows nothing of HTTP; what to do with the bytes is the subclass's.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import cast

from bot_bottle.sidecar.proxy.tls import TlsPipe


class ClientStream(asyncio.Protocol):
    """Base of a client connection."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.write_paused = False
        """the client takes no more for now"""
        self._transport: asyncio.Transport | None = None
        self._pipe: TlsPipe | None = None
        self._read_paused = False

    def take_up(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop has its own class

    def let_go(self) -> None:
        """The transport has gone."""
        self._transport = None

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    @property
    def is_secure(self) -> bool:
        """TLS has been taken up."""
        return self._pipe is not None

    def start_tls(self, context: ssl.SSLContext, first: bytes) -> bytes:
        """Take up TLS as the server; *first* is what the client sent already. Returns the plain text."""
        self._pipe = TlsPipe(context)
        return self.decrypt(first)

    def decrypt(self, data: bytes) -> bytes:
        """The plain text in *data*; handshake bytes and alerts are sent. Raises ssl.SSLError."""
        pipe = self._pipe
        if pipe is None:
            return data
        was_established = pipe.established
        try:
            plain = pipe.feed(data)
        finally:
            self._send_raw(pipe.pending())
        if pipe.established and not was_established:
            self.tls_established(pipe.sni)
        return plain

    def tls_established(self, sni: str | None) -> None:
        """The handshake is done; *sni*: the name of the ClientHello."""
        raise NotImplementedError

    @property
    def tls_ended(self) -> bool:
        """The client has said that nothing more comes."""
        return self._pipe is not None and self._pipe.closed

    def send(self, data: bytes) -> None:
        """Send plain *data* (not empty)."""
        transport, pipe = self._transport, self._pipe
        if transport is not None and not transport.is_closing():
            transport.write(data if pipe is None else pipe.seal(data))

    def _send_raw(self, data: bytes) -> None:
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def pause_reading(self, pause: bool) -> None:
        if (
            pause is not self._read_paused
            and self._transport is not None
            and not self._transport.is_closing()
        ):
            self._read_paused = pause
            if pause:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def finish_sending(self) -> None:
        """Nothing more is said; reading goes on."""
        self._say_goodbye()
        if (
            self._transport is not None
            and not self._transport.is_closing()
            and self._transport.can_write_eof()
        ):
            self._transport.write_eof()

    def _say_goodbye(self) -> None:
        if self._pipe is not None and self._pipe.established and self.is_open:
            self._send_raw(self._pipe.close())

    def close(self, *, goodbye: bool) -> None:
        """Send what is left and close. Without *goodbye* TLS has no good end."""
        if goodbye:
            self._say_goodbye()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()

    def abort(self) -> None:
        """Close at once; what is left is not sent."""
        if self._transport is not None:
            self._transport.abort()
