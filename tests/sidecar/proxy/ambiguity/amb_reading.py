"""What a parser made of one stream of bytes; and h11's reading, the one that needs no other process."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable
from dataclasses import dataclass, replace

import h11

MAX_HEAD = 1 << 20
"""h11 is to refuse nothing for its size: the bounds are ours"""

Fields = tuple[tuple[bytes, bytes], ...]


def multiset(fields: Iterable[tuple[bytes, bytes]]) -> Fields:
    return tuple(sorted((name.lower(), value) for name, value in fields))


@dataclass(frozen=True)
class Message:
    """One request as it was read."""

    method: bytes
    target: bytes
    hosts: tuple[bytes, ...]
    """all values of Host"""
    fields: Fields
    """sorted, names in lower case; without Host and framing (Content-Length, Transfer-Encoding)"""
    body: bytes = b""

    @classmethod
    def made(
        cls, method: bytes, target: bytes, fields: Iterable[tuple[bytes, bytes]], body: bytes = b""
    ) -> Message:
        every = multiset(fields)
        hosts = tuple(value for name, value in every if name == b"host")
        return cls(method, target, hosts, tuple(field for field in every if field[0] not in NOT_FIELDS), body)


NONCE_FIELD = b"sec-websocket-key"
NONCE = b"(a nonce of the proxy's own)"
"""stands for one where two readings are compared"""


def is_own_nonce(value: bytes, sent: bytes) -> bool:
    """Whether *value* can be the nonce of a handshake that the proxy made: sixteen bytes in base64, in the one form
    that encodes them (RFC 6455 section 4.1), and none of the client's, which sent *sent*."""
    try:
        nonce = b64decode(value, validate=True)
    except (Base64Error, ValueError):
        return False
    return len(nonce) == 16 and b64encode(nonce) == value and value not in sent


def with_constant_nonce(message: Message, sent: bytes) -> Message:
    """*message* with :data:`NONCE` for the proxy's own: it is another one each time, as it has to be. Anything else
    in that field stays, and makes a difference to what was to be expected."""
    fields = tuple(
        (name, NONCE if name == NONCE_FIELD and is_own_nonce(value, sent) else value)
        for name, value in message.fields
    )
    return replace(message, fields=multiset(fields))


NOT_FIELDS = (b"host", b"content-length", b"transfer-encoding")


@dataclass(frozen=True)
class Reading:
    """What one parser saw in one stream: whole requests, a head whose body has not ended, what it refused."""

    whole: tuple[Message, ...] = ()
    begun: Message | None = None
    """its head was read, its body has not ended; ``body`` is empty"""
    refused: str = ""
    """the parser's words; empty: it refused nothing"""
    paths: tuple[bytes, ...] = ()
    """of the whole ones, as the server would look them up (decoded, dot segments removed); where it says"""


def read_with_h11(data: bytes) -> Reading:
    """Every request in *data*, as h11 reads it."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
    whole: list[Message] = []
    begun: h11.Request | None = None
    body = b""
    connection.receive_data(data)
    while True:
        try:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                begun, body = event, b""
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                assert begun is not None
                whole.append(_message(begun, body))
                if event.headers:
                    return Reading(tuple(whole), None, "trailers")
                begun = None
                connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
                connection.send(h11.EndOfMessage())
                connection.start_next_cycle()
            else:  # NEED_DATA, PAUSED
                break
        except h11.ProtocolError as error:
            return Reading(tuple(whole), None, str(error) or "refused")
    return Reading(tuple(whole), None if begun is None else _message(begun, b""))


def _message(request: h11.Request, body: bytes) -> Message:
    return Message.made(request.method, request.target, request.headers.raw_items(), body)
