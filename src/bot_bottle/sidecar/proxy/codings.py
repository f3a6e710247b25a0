"""The content codings of one request's body: taken off to be judged, put on again when it was rewritten. Pure."""

from __future__ import annotations

from bot_bottle.dlp.coding import CodingError, Decoder, Limits, encode, parse_codings


class Codings:
    """Those that the upstream is told of."""

    def __init__(self, headers: tuple[tuple[str, str], ...], max_bytes: int) -> None:
        self._told = [value for name, value in headers if name.lower() == "content-encoding"]
        self._limits = Limits(max_bytes=max_bytes)

    def decoder(self) -> Decoder | None:
        """None: there is none. Raises ``CodingError`` for one that nobody knows."""
        codings = self._codings()
        return Decoder(codings, self._limits, strict=True) if codings else None

    def text(self, raw: bytes) -> bytes:
        """A whole body as it reads. Raises ``CodingError``."""
        decoding = self.decoder()
        if decoding is None:
            return raw
        text = b"".join(decoding.feed(raw))
        decoding.finish()
        return text

    def encode(self, text: bytes) -> bytes:
        """A body that reads as *text*."""
        return encode(text, self._codings())

    def _codings(self) -> tuple[str, ...]:
        codings = parse_codings(",".join(self._told)) if self._told else ()
        if codings is None:
            raise CodingError("its content coding is unknown")
        return codings
