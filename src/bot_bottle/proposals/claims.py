"""Who is about to answer a proposal: an exclusive file with process, boot and time (ruling 57). Pure."""

from __future__ import annotations

import msgspec
from msgspec import Struct

MAX_CLAIM_BYTES = 1024


class Claim(Struct, frozen=True, forbid_unknown_fields=True):
    """One operator session's claim. A pid is believed together with its start time and boot only."""

    pid: int
    start: int
    """the process's start time in clock ticks since boot"""
    boot_id: str
    claimed_at: str
    """UTC, ISO 8601"""


def encode_claim(claim: Claim) -> bytes:
    return msgspec.json.encode(claim) + b"\n"


def decode_claim(data: bytes | None) -> Claim | None:
    """None: the file is damaged; it is nobody's claim."""
    if data is None or len(data) > MAX_CLAIM_BYTES:
        return None
    try:
        return msgspec.json.decode(data, type=Claim)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
