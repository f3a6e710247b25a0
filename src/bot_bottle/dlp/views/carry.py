"""What one stream of text keeps from block to block: the candidates that are not over."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot_bottle.dlp.views.unpack import Unpacker


@dataclass(slots=True)
class OpenRun:
    """A run that touched the block's end."""

    kind: str
    pending: int
    """characters of a group that is not complete, right before the fresh text"""
    began: int
    """bytes between the run's first character and the end of the block that was left"""
    inner: Carry


@dataclass(slots=True)
class OpenPacked:
    """Packed data that is not over."""

    kind: str
    unpacker: Unpacker
    tail: bytes
    """the last of what came out: the overlap of the next view"""
    inner: Carry
    given: int
    """bytes that came out"""


@dataclass(slots=True)
class Carry:
    """Opaque to callers: make one per stream and give it to every call."""

    runs: list[OpenRun] = field(default_factory=list)
    packed: list[OpenPacked] = field(default_factory=list)
    begun: bool = False
