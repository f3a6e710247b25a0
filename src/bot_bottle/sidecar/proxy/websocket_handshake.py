"""The opening handshake of a WebSocket on both legs (RFC 6455 section 4): ours upstream, and our answer. Pure.

Key, version and extensions of the two legs have nothing to do with each other. What an upstream answers that was
not asked for, or in two readings, is no WebSocket: it is refused.
"""

from __future__ import annotations

import os
from base64 import b64encode
from dataclasses import dataclass, replace
from hashlib import sha1

from bot_bottle.dlp.inbound.mask import Known
from bot_bottle.egress.verdict import Handshake
from bot_bottle.egress.websocket import DEFLATE, BadHandshake, Deflate, agreed_deflate
from bot_bottle.sidecar.proxy.http1 import Malformed, ParsedResponse
from bot_bottle.sidecar.proxy.rewriting import without_secrets
from bot_bottle.sidecar.proxy.write import response_head

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455 section 1.3"""

_PREFIX = b"sec-websocket-"


@dataclass(frozen=True)
class Opened:
    """What the upstream has agreed to."""

    protocol: bytes
    """the subprotocol; empty: none"""
    deflate: Deflate | None


def accept_value(key: str) -> str:
    """The proof that a server has read *key*. SHA-1 is no protection here, and none is meant."""
    return b64encode(sha1((key + _GUID).encode(), usedforsecurity=False).digest()).decode()


class Opening:
    """Our handshake with one upstream, for one client's *handshake*."""

    def __init__(self, handshake: Handshake) -> None:
        self._handshake = handshake
        self._key = b64encode(os.urandom(16)).decode()
        self.inside = Deflate() if handshake.extension else None
        """compression on the client's leg. Nothing is compressed there, whatever it allows: it is a local one"""

    def fields(self) -> tuple[tuple[str, str], ...]:
        """Of our request. Compression is offered whatever the client's leg has."""
        return (
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Key", self._key),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Extensions", DEFLATE),
        )

    def check(self, response: ParsedResponse) -> Opened:
        """Read the upstream's 101. Raises :class:`Malformed`."""
        if not response.keep_alive or b"upgrade" not in response.connection_names:
            raise Malformed("a 101 whose Connection does not name Upgrade")
        if [value.lower() for value in _values(response, b"upgrade")] != [b"websocket"]:
            raise Malformed("a 101 for another protocol than WebSocket")
        if _values(response, b"sec-websocket-accept") != [accept_value(self._key).encode()]:
            raise Malformed("a 101 that is no answer to this handshake")
        protocols = _values(response, b"sec-websocket-protocol")
        offered = {name.encode() for name in self._handshake.protocols}
        if len(protocols) > 1 or not offered.issuperset(protocols):
            raise Malformed("a 101 with a subprotocol that nobody offered")
        extensions = [value.decode("latin-1") for value in _values(response, b"sec-websocket-extensions")]
        try:
            deflate = agreed_deflate(extensions)
        except BadHandshake as error:
            raise Malformed(f"a 101 with {error}") from error
        return Opened(protocols[0] if protocols else b"", deflate)

    def answer(self, response: ParsedResponse, opened: Opened, known: Known, *, cookies: bool) -> bytes:
        """The client's 101, with what else the upstream's head says; values that are *known* are covered."""
        rest = [
            field
            for field in without_secrets(known, response.headers)
            if not field[1].startswith(_PREFIX) and field[1] != b"content-length"
        ]
        head = response_head(
            replace(response, reason=b"Switching Protocols", headers=rest),
            chunked=False,
            keep_alive=True,
            cookies=cookies,
        )
        accept = accept_value(self._handshake.key).encode()
        lines = [b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Accept: " + accept]
        if opened.protocol:
            lines.append(b"Sec-WebSocket-Protocol: " + opened.protocol)
        if self._handshake.extension:
            lines.append(b"Sec-WebSocket-Extensions: " + self._handshake.extension.encode())
        return head[:-2] + b"\r\n".join(lines) + b"\r\n\r\n"


def _values(response: ParsedResponse, name: bytes) -> list[bytes]:
    return [value for _, lower, value, _ in response.headers if lower == name]
