"""Names inside a bottle: every one has a loopback stand-in, and nobody is ever asked (ruling 7).

Pure: a table of names and a function from a DNS query to its answer (RFC 1035). A packet that is no
query of one question is dropped (None): it gets no answer, and no query ever leaves.
"""

from __future__ import annotations

from struct import pack, unpack_from

STAND_INS = b"\x7f\x01"
"""127.1.0.0/16: the addresses that stand for names; all else of 127.0.0.0/8 is the bottle's own."""
MAX_NAMES = 32768
"""The table's bound; the oldest name loses its stand-in (127.1.0.1 to 127.1.128.128) first."""
TTL_S = 60
"""Short: a stand-in may be given to another name when the table is full."""

_STAND_IN = "127.1."
_A, _ANY, _IN = 1, 255, 1
_NAME_BYTES = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_.")


def valid_name(name: str) -> bool:
    """Whether *name* may stand in a CONNECT line: 1 to 253 of ``[a-z0-9-_.]``, labels of 1 to 63."""
    return (
        0 < len(name) <= 253
        and name.isascii()
        and _NAME_BYTES.issuperset(name.encode())
        and all(0 < len(label) <= 63 for label in name.split("."))
    )


def stands_in(address: str) -> bool:
    """Whether the dotted *address* is one of :data:`STAND_INS`, given to a name or not."""
    return address.startswith(_STAND_IN)


class StandIns:
    """The table: a name keeps its address for as long as it is not the oldest of too many."""

    def __init__(self, limit: int = MAX_NAMES) -> None:
        self._limit = limit
        self._by_name: dict[str, int] = {}
        self._by_number: dict[int, str] = {}

    def address(self, name: str) -> bytes:
        """The four bytes that stand for *name* (lower case, no final dot)."""
        if name == "localhost" or name.endswith(".localhost"):  # RFC 6761 section 6.3
            return bytes((127, 0, 0, 1))
        number = self._by_name.get(name)
        if number is None:
            number = len(self._by_name)
            if number >= self._limit:
                oldest = next(iter(self._by_name))
                number = self._by_name.pop(oldest)
            self._by_name[name] = number
            self._by_number[number] = name
        return STAND_INS + bytes((number // 254, number % 254 + 1))

    def name(self, address: str) -> str | None:
        """The name that the dotted *address* stands for."""
        parts = address.split(".")
        if len(parts) != 4 or not stands_in(address):
            return None
        return self._by_number.get(int(parts[2]) * 254 + int(parts[3]) - 1)


def answer(packet: bytes, table: StandIns) -> bytes | None:
    """The answer to the query *packet*: A has one stand-in, every other type is empty and no error."""
    if not 17 <= len(packet) <= 4096:
        return None
    ident, flags, questions, answers, authorities, _ = unpack_from(">6H", packet)
    if flags & 0x8000 or flags & 0x7800 or questions != 1 or answers or authorities:
        return None
    parsed = _question(packet)
    if parsed is None:
        return None
    name, end, kind, klass = parsed
    records = b""
    if kind in (_A, _ANY) and klass == _IN and valid_name(name):
        records = pack(">HHHIH", 0xC00C, _A, _IN, TTL_S, 4) + table.address(name)
    head = pack(">6H", ident, 0x8080 | (flags & 0x0100), 1, 1 if records else 0, 0, 0)
    return head + packet[12:end] + records


def _question(packet: bytes) -> tuple[str, int, int, int] | None:
    """Name (lower case), end of the question, type and class; None for a name that is compressed or cut."""
    labels: list[str] = []
    at = 12
    while at < len(packet):
        size = packet[at]
        at += 1
        if size == 0:
            if at + 4 > len(packet) or at - 12 > 255:
                return None
            kind, klass = unpack_from(">HH", packet, at)
            return ".".join(labels), at + 4, kind, klass
        if size > 63 or at + size > len(packet):
            return None
        labels.append(packet[at : at + size].decode("latin-1").lower())
        at += size
    return None
