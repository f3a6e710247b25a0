"""Server-sent events: cut a stream into whole events, read what they say, and tell a client that one ends badly.

A block in the middle of a stream can't be a status any more: the client gets an event in the shape that
it reads errors in, then the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

import msgspec

MOST_EVENT_BYTES = 128 * 1024
"""a longer one is passed on in parts"""
_END = re.compile(rb"\r\n\r\n|\n\n|\r\r|\n\r\n|\r\n\n")
_LINES = re.compile(rb"\r\n|\n|\r")
_DEPTH = 12


class Splitter:
    """:meth:`feed` gives events, each with the empty line that ends it."""

    def __init__(self) -> None:
        self._held = b""
        self._looked = 0

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bool]]:
        """(bytes, is it a whole event or the last part of one)."""
        self._held += data
        while True:
            match = _END.search(self._held, max(0, self._looked - 3))
            at = match.end() if match is not None else len(self._held)
            if at > MOST_EVENT_BYTES:
                yield self._take(MOST_EVENT_BYTES), False
            elif match is not None:
                yield self._take(at), True
            else:
                self._looked = len(self._held)
                return

    def finish(self) -> bytes:
        return self._take(len(self._held))

    def _take(self, size: int) -> bytes:
        taken, self._held, self._looked = self._held[:size], self._held[size:], 0
        return taken


def data_of(event: bytes) -> bytes:
    """The lines of an event's data, joined (WHATWG HTML 9.2.6)."""
    lines = [line[5:].removeprefix(b" ") for line in _LINES.split(event) if line.startswith(b"data:")]
    return b"\n".join(lines)


def said(event: bytes) -> Iterator[tuple[str, str]]:
    """(where, text) for each text in an event's data; *where* is the same for the same place in every event."""
    data = data_of(event)
    if not data:
        return
    if data[:1] in (b"{", b"["):
        try:
            yield from _leaves(msgspec.json.decode(data), "", _DEPTH)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass
        else:
            return
    yield "", data.decode("utf-8", "replace")


def _leaves(value: object, where: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield where, value
    elif depth and isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{where}.{key}"[:200], depth - 1)
    elif depth and isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, where, depth - 1)


class Shape(StrEnum):
    """Who reads the stream."""

    GENERIC = "generic"
    ANTHROPIC = "anthropic"
    """https://docs.anthropic.com/en/docs/build-with-claude/streaming (error events)"""
    OPENAI_CHAT = "openai-chat"
    """https://platform.openai.com/docs/api-reference/chat (an ``error`` object in place of a chunk)"""
    OPENAI_RESPONSES = "openai-responses"
    """https://platform.openai.com/docs/api-reference/responses-streaming/error"""


def error_event(shape: Shape, message: str, *, within_event: bool = False) -> bytes:
    """The event to end a stream with. *within_event*: part of one has gone, which an empty line ends first."""
    name: str | None = "error"
    body: dict[str, object]
    match shape:
        case Shape.ANTHROPIC:
            body = {"type": "error", "error": {"type": "permission_error", "message": message}}
        case Shape.OPENAI_CHAT:
            name = None
            body = {
                "error": {"message": message, "type": "permission_error", "param": None, "code": "blocked"}
            }
        case Shape.OPENAI_RESPONSES:
            body = {"type": "error", "code": "blocked", "message": message, "param": None}
        case Shape.GENERIC:
            body = {"error": {"type": "blocked", "message": message}}
    head = b"" if name is None else f"event: {name}\n".encode()
    return (b"\n\n" if within_event else b"") + head + b"data: " + msgspec.json.encode(body) + b"\n\n"
