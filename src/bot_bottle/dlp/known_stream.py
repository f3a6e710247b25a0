"""Exact forms of known secrets in what comes in, replaced on the way (dlp.md §2, response_secrets).

Nothing is stripped here, so that a chunk without a secret costs one pass of Hyperscan: literals of each usual
spelling, as it stands in a text. Where one is found, the patterns of ``known_forms`` say what to replace. Spellings
that nobody but an attacker writes (a new separator after each character) are not looked for in this direction: who
sends them into a bottle knows the secret already. So what is replaced does not depend on how a stream was cut, as far
as usual spellings go; of a mixture (one character escaped, by chance) it may, where a cut goes through it.

Pure; one thread at a time.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Sequence

from bot_bottle.dlp.known_confirm import Entry
from bot_bottle.dlp.known_forms import families, family
from bot_bottle.dlp.known_index import LONG_BYTES, MANY
from bot_bottle.dlp.known_literals import Literals
from bot_bottle.dlp.known_spans import Spans
from bot_bottle.dlp.variants import variants

MASK = b"********"
_GRAM_BYTES = 8
_GRAMS = 3
"""Of each spelling: a line break every 24 characters or more leaves one of them whole"""
_PREFIX_BYTES = 8
_MAX_TAIL_BYTES = 64 * 1024
"""A longer form is not held back for"""
_BREAKS = re.compile(rb"\r?\n|\\r|\\n")


class Replacer:
    """For the secrets of one bottle."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        grams: dict[bytes, list[tuple[int, str]]] = {}
        self._beginnings: dict[bytes, list[bytes]] = {}
        self._short: set[bytes] = set()
        self._longest = 0
        for entry in entries:
            for kind, spelled in spellings(entry.value):
                self._add(entry, kind, spelled, grams)
        self._names = list(grams.values())
        self._grams = Literals([(text, True) for text in grams])
        self._prefixes = list(self._beginnings.values())
        self._starts = Literals([(text, True) for text in self._beginnings])

    def spans(self, data: bytes) -> list[tuple[int, int]]:
        """From where to where every exact form in *data* is, by place; those of several secrets may overlap."""
        found = self._grams.scan(data)
        wanted = dict.fromkeys(name for number, _end in found for name in self._names[number])
        return sorted({span for entry, name in wanted for span in self._entries[entry].places(data, name)})

    def replace(self, data: bytes) -> bytes:
        """*data* with every exact form replaced by :data:`MASK`."""
        parts: list[bytes] = []
        at = 0
        for start, end in Spans(self.spans(data)):
            parts += (data[at:start], MASK)
            at = end
        return b"".join((*parts, data[at:])) if parts else data

    def partial_tail(self, data: bytes) -> int:
        """How many of the last bytes of *data* could be the beginning of an exact form, or a whole one of which more
        may come (padding). Whoever holds back so many, and no less than what is left of a form that stands whole,
        passes nothing on that a later chunk would have completed."""
        tail = data[-min(self._longest, _MAX_TAIL_BYTES) :]
        for number, end in self._starts.scan(tail):
            rest = tail[end - _PREFIX_BYTES :].lower()
            joined = _BREAKS.sub(b"", rest)
            for spelled in self._prefixes[number]:
                if len(rest) <= len(spelled) and (spelled.startswith(rest) or spelled.startswith(joined)):
                    return len(rest)
        for size in range(min(_PREFIX_BYTES - 1, len(data)), 0, -1):
            if data[-size:].lower() in self._short:
                return size
        return 0

    def _add(
        self, entry: Entry, kind: str, spelled: bytes, grams: dict[bytes, list[tuple[int, str]]]
    ) -> None:
        if len(spelled) < _PREFIX_BYTES:
            return
        low = spelled.lower()
        self._longest = max(self._longest, len(low) + len(low) // 8)
        self._beginnings.setdefault(low[:_PREFIX_BYTES], []).append(low)
        self._short.update(low[:size] for size in range(1, _PREFIX_BYTES))
        names = [(entry.index, name) for name in families(kind)]
        for text in _samples(low, 1 if len(self._entries) > MANY else _GRAMS):
            kept = grams.setdefault(text, [])
            kept.extend(name for name in names if name not in kept)


def spellings(value: bytes) -> Iterator[tuple[str, bytes]]:
    """The usual spellings of a value as they stand in a text, and the kind of variant that each is."""
    for variant in variants(value, bytes(len(value)), len(value) > LONG_BYTES):
        if family(variant.kind) not in ("hex", "octal", "decimal") and variant.kind not in _NUMBERED:
            yield variant.kind, variant.data
        if variant.kind.startswith("base64") and not variant.data.isalnum():
            yield variant.kind, variant.data.translate(_URL_SAFE)
            yield variant.kind, variant.data.replace(b"/", b"\\/")
    json = value.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\t", b"\\t")
    for end in _LINE_ENDS if b"\n" in value else (b"\n",):
        yield "plain", value.replace(b"\r\n", b"\n").replace(b"\n", end)
        yield "plain", json.replace(b"\r\n", b"\n").replace(b"\n", end)
        yield "plain", json.replace(b"\r\n", b"\n").replace(b"\n", end).replace(b"/", b"\\/")
    for kind, encode in _ENDING:
        yield kind, encode(value)
    for join, form in _NUMBERS:
        yield "hex", join.join(form % byte for byte in value)
    for join, form in _DECIMALS:
        yield "decimal", join.join(form % byte for byte in value)
    yield "octal all", b"".join(b"\\%03o" % byte for byte in value)
    for codec in ("utf-16-le", "utf-32-le"):
        yield "plain", value.decode("latin-1").encode(codec)


_NUMBERED = frozenset(("unicode all", "long unicode all", "percent all, twice"))
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_LINE_ENDS = (b"\n", b"\r\n", b"\\n", b"\\r\\n", b"\\\\n", b"%0A", b"%0D%0A", b"")
_ENDING: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
    ("base64/0", base64.b64encode),
    ("base64/0", base64.urlsafe_b64encode),
    ("base32/0", base64.b32encode),
    ("base32hex/0", base64.b32hexencode),
    ("base85/0", base64.b85encode),
    ("ascii85/0", base64.a85encode),
)
"""With what only the end of a text has: the last bits, and padding"""
_NUMBERS = (
    (b"", b"%02x"),
    (b":", b"%02x"),
    (b" ", b"%02x"),
    (b"-", b"%02x"),
    (b"", b"\\x%02x"),
    (b"", b"%%%02x"),
    (b"", b"%%25%02x"),
    (b"", b"=%02x"),
    (b"", b"\\u00%02x"),
    (b"", b"\\U000000%02x"),
    (b"", b"\\u{%02x}"),
    (b"", b"&#x%02x;"),
    (b", ", b"0x%02x"),
    (b",", b"0x%02x"),
)
_DECIMALS = ((b", ", b"%d"), (b",", b"%d"), (b"", b"&#%d;"))


def _samples(text: bytes, count: int) -> list[bytes]:
    """A few parts of it, from its end, where it is least like others."""
    ends = range(len(text), _GRAM_BYTES - 1, -_GRAM_BYTES)[:count]
    return [text[end - _GRAM_BYTES : end] for end in ends]
