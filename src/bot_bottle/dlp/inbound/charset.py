"""A text in another character set than UTF-8, as UTF-8, in blocks that lie at fixed offsets.

Where a passage of the decoded text begins in what came is known to the block: enough to hold it back.
"""

from __future__ import annotations

import codecs

BLOCK_BYTES = 4096


class Decoding:
    def __init__(self, charset: str) -> None:
        """*charset*: a codec's name, from :func:`bot_bottle.dlp.inbound.content.content`."""
        self._charset = charset
        self._decoder: codecs.IncrementalDecoder | None = None
        self._held = b""
        self._raw = 0
        self._decoded = 0
        self._blocks: list[tuple[int, int]] = [(0, 0)]
        """(offset in the decoded text, offset in what came) of where each block begins"""

    @property
    def taken(self) -> int:
        """How many bytes of what came have been decoded."""
        return self._raw

    def feed(self, data: bytes) -> list[bytes]:
        self._held += data
        out = []
        while len(self._held) >= BLOCK_BYTES:
            out.append(self._block(BLOCK_BYTES, final=False))
        return out

    def finish(self) -> bytes:
        return self._block(len(self._held), final=True)

    def raw_offset(self, decoded: int) -> int:
        """Where the block that *decoded* lies in begins, in what came. To be asked for ever later offsets."""
        while len(self._blocks) > 1 and self._blocks[1][0] <= decoded:
            del self._blocks[0]
        return self._blocks[0][1]

    def _block(self, size: int, *, final: bool) -> bytes:
        block, self._held = self._held[:size], self._held[size:]
        if self._decoder is None:
            self._decoder = codecs.getincrementaldecoder(_ordered(self._charset, block))("replace")
        text = self._decoder.decode(block, final).encode("utf-8", "replace")
        if self._decoded or self._raw:
            self._blocks.append((self._decoded, self._raw))
        self._raw += size
        self._decoded += len(text)
        return text


def _ordered(charset: str, head: bytes) -> str:
    """*charset* with its order of bytes: by the mark at the beginning, little-endian without (WHATWG Encoding 6)."""
    if charset not in ("utf-16", "utf-32"):
        return charset
    return f"{charset}-be" if head.startswith((codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)) else f"{charset}-le"
