"""A response on its way to the client: its head written anew, its body framed for that client. Sans-I/O."""

from __future__ import annotations

from bot_bottle.sidecar.proxy.http1 import Body, ParsedRequest, ParsedResponse
from bot_bottle.sidecar.proxy.write import LAST_CHUNK, chunk, response_head


class Answer:
    """To one request. ``begin`` once, then ``piece`` for each piece of the body, then ``end``."""

    def __init__(self, parsed: ParsedRequest) -> None:
        self._knows_chunks = parsed.head.version == b"HTTP/1.1"
        self.keep_alive = parsed.keep_alive
        """the connection goes on after it"""
        self.response: ParsedResponse | None = None
        """what has begun"""
        self._chunked = False

    @property
    def is_framed(self) -> bool:
        """The client can tell by the framing that it was cut."""
        return self._chunked or (self.response is not None and self.response.framing.body is Body.LENGTH)

    def begin(self, response: ParsedResponse, *, last: bool, cookies: bool) -> bytes:
        """The head. *last*: the connection ends with this answer; *cookies*: those that it sets go through."""
        self.response = response
        framing = response.framing.body
        if framing is Body.CHUNKED or framing is Body.UNTIL_CLOSE:
            self._chunked = self._knows_chunks
            self.keep_alive = self.keep_alive and self._chunked
        if last:
            self.keep_alive = False
        return response_head(response, chunked=self._chunked, keep_alive=self.keep_alive, cookies=cookies)

    def piece(self, data: bytes) -> bytes:
        """*data* of the body, not empty."""
        return chunk(data) if self._chunked else data

    def end(self) -> bytes:
        """After the last piece."""
        return LAST_CHUNK if self._chunked else b""
