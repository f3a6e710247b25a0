"""The values that this bottle's sidecar or environment holds, found in every spelling, with separators put in, and in
part (dlp.md §2, known_secrets).

One Hyperscan database of short *grams* passes over the stripped text; only where one is found Python looks: how far
the text agrees with that spelling, then which exact form lies there, if any.

=================  =========================================================  =====
found              condition                                                  exact
=================  =========================================================  =====
exact form         one encoding of the whole value, nothing in between        yes
separators put in  all letters and digits of a spelling, eight or more        no
fragment           twelve of the value's in a row, none of a public part      no
=================  =========================================================  =====

What lies in a place that an exact form covers is not told again. Nothing here ever shows a value: not in a repr, a
message or an error. One thread at a time (Hyperscan's scratch space). Pure.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from enum import StrEnum
from math import log2

from msgspec import Struct

from bot_bottle.base.secret import Secret
from bot_bottle.dlp.finding import Hit
from bot_bottle.dlp.known_confirm import Confirmation, Entry
from bot_bottle.dlp.known_index import Index
from bot_bottle.dlp.known_public import password, public_mask
from bot_bottle.dlp.known_raw import PieceSpan
from bot_bottle.dlp.known_spans import Spans
from bot_bottle.dlp.known_stream import Replacer

MIN_BYTES = 8
"""Shorter values are not searched (ruling 12)"""
MIN_BITS = 2.5
"""Of entropy a character; values below it are not searched (ruling 54)"""


class Kind(StrEnum):
    """Where a known secret comes from."""

    INJECTED = "injected"
    """the proxy puts it in; the bottle never holds it"""
    OPERATOR = "operator"
    """by ``BOT_BOTTLE_SENSITIVE_PREFIXES``"""
    ENV = "env"
    """a secret entry of the bottle's own environment"""
    CANARY = "canary"


class Known(Struct, frozen=True):
    """One value and where it may go."""

    value: Secret | bytes
    kind: Kind
    hosts: frozenset[str] = frozenset()
    """the hosts that it belongs to (ruling 14)"""

    def __repr__(self) -> str:
        return f"Known({self.kind})"


class Seen(Struct, frozen=True):
    """What one text has of known secrets in pieces of six characters, for ``pieces.Pieces.note``."""

    pieces: tuple[PieceSpan, ...]
    """none that lies in a hit of its secret, or of a secret that may pass here"""


Approved = frozenset[bytes]
"""SHA-256 of the exact forms that may pass"""
_ORDER = (Kind.CANARY, Kind.INJECTED, Kind.OPERATOR, Kind.ENV)


class KnownSecrets:
    """All known secrets of one bottle. Immutable: new values make a new one. *secrets* are by the name under which
    each is kept, which is what ``Hit.rule`` says."""

    def __init__(self, secrets: Mapping[str, Known]) -> None:
        self._kinds = {name: known.kind for name, known in secrets.items()}
        self._hosts = {name: known.hosts for name, known in secrets.items()}
        warnings: list[str] = []
        entries: list[Entry] = []
        for name, known in sorted(secrets.items(), key=lambda item: _ORDER.index(item[1].kind)):
            value = _bytes(known.value)
            reason = _too_weak(value)
            if reason:
                warnings.append(f"{name}: {reason}, so it is not searched for")
                continue
            entries.append(Entry(len(entries), name, value, public_mask(value)))
            inner = password(value)
            if inner and not _too_weak(inner):
                entries.append(Entry(len(entries), name, inner, public_mask(inner)))
        self.entries = tuple(entries)
        """those that are searched; of an address with a password also the password, under the same name"""
        self._index = Index(self.entries)
        left_out = [
            f"{name}: too many secrets, so it is not searched for in pieces" for name in self._index.whole
        ]
        self.warnings: tuple[str, ...] = (*warnings, *left_out)
        """one sentence for each secret that is not searched, or not in full, by its name"""
        self._replacer: Replacer | None = None
        self.confirmations = 0
        """how many grams were looked at in all scans: what a test of cost counts"""

    def __repr__(self) -> str:
        return f"KnownSecrets({len(self.entries)})"

    def kind(self, name: str) -> Kind:
        """:raises KeyError: no secret has that name."""
        return self._kinds[name]

    def hosts(self, name: str) -> frozenset[str]:
        """The hosts that a secret belongs to. :raises KeyError: no secret has that name."""
        return self._hosts[name]

    def is_canary(self, name: str) -> bool:
        """Whether *name* is that of the canary."""
        return self._kinds.get(name) is Kind.CANARY

    def has(self, name: str) -> bool:
        """Whether a secret has that name."""
        return name in self._kinds

    def private_letters(self, entry: int) -> int:
        """How many letters and digits of a secret are in no public part of it."""
        return self.entries[entry].private_letters

    def piece_mask(self, entry: int) -> bytes:
        """For each letter and digit of a secret, 1 where some piece covers it; empty: not looked for in pieces."""
        return self._index.raw.piece_masks.get(entry, b"")

    def scan(
        self,
        text: bytes,
        approved: Approved = frozenset(),
        note: Callable[[Seen], None] | None = None,
    ) -> list[Hit]:
        """Every known secret in *text*, by place. Where an *approved* form of a secret lies in it, neither that
        form nor parts or looser finds of the same secret are told, its other encodings are. *note* is handed what
        there is in pieces, if anything."""
        if not self.entries:
            return []
        raw = self._index.raw.look(text)
        passes = self._index.look(text, raw.marks)
        if not (passes or raw.odd or raw.parts or (raw.pieces and note)):
            return []
        confirmation = Confirmation(self.entries, self._index.searches, text)
        for odd in raw.odd:
            confirmation.try_family(odd.entry, odd.family)
        for start, part in raw.parts:
            confirmation.take_part(start, part)
        for one in passes:
            confirmation.take(one.bare, one.grams, one.at)
        self.confirmations += confirmation.count
        hits, settled = _settle(confirmation.hits(), text, approved)
        if note is not None and raw.pieces:
            note(Seen(self._outside(raw.pieces, hits, settled)))
        return hits

    def _outside(
        self, pieces: list[PieceSpan], hits: list[Hit], settled: frozenset[str]
    ) -> tuple[PieceSpan, ...]:
        """Without those that a hit of the same secret covers, and those of secrets in *settled*."""
        covered: dict[str, list[tuple[int, int]]] = {}
        for hit in hits:
            covered.setdefault(hit.rule, []).append((hit.start, hit.end))
        spans = {name: Spans(parts) for name, parts in covered.items()}
        kept = []
        for span in pieces:
            name = self.entries[span.piece.entry].name
            if name not in settled and not (name in spans and spans[name].hold(span.start, span.end)):
                kept.append(span)
        return tuple(kept)

    def names(self, text: bytes) -> frozenset[str]:
        """Which secrets are in *text*, in any form."""
        return frozenset(hit.rule for hit in self.scan(text))

    def replace(self, data: bytes) -> bytes:
        """*data* with every exact form of every secret replaced by eight asterisks."""
        return self._streams().replace(data)

    def spans(self, data: bytes) -> list[tuple[int, int]]:
        """From where to where every exact form in *data* is, by place; those of several secrets may overlap. Quicker
        than ``scan``, and for what comes in: nothing but the usual spellings."""
        return self._streams().spans(data)

    def partial_tail(self, data: bytes) -> int:
        """How many of the last bytes of *data* could be the beginning of an exact form."""
        return self._streams().partial_tail(data)

    def _streams(self) -> Replacer:
        if self._replacer is None:
            self._replacer = Replacer(self.entries)
        return self._replacer


def _bytes(value: Secret | bytes) -> bytes:
    """Without line ends around it, which a key file has and nobody minds."""
    data = value if isinstance(value, bytes) else value.reveal().encode("utf-8", "surrogateescape")
    return data.strip(b"\r\n")


def _too_weak(value: bytes) -> str:
    """Why a value can't be told from other text; empty: it can."""
    if len(value) < MIN_BYTES:
        return f"shorter than {MIN_BYTES} characters"
    bits = -sum(count / len(value) * log2(count / len(value)) for count in Counter(value).values())
    return f"under {MIN_BITS} bits a character" if bits < MIN_BITS else ""


def _settle(hits: list[Hit], text: bytes, approved: Approved) -> tuple[list[Hit], frozenset[str]]:
    """Leave out what may pass, and what was found less exactly of the same secrets; and their names."""
    if not approved:
        return hits, frozenset()
    passing = [
        hit for hit in hits if hit.exact and hashlib.sha256(text[hit.start : hit.end]).digest() in approved
    ]
    settled = frozenset(hit.rule for hit in passing)
    kept = [hit for hit in hits if hit not in passing and (hit.exact or hit.rule not in settled)]
    return kept, settled
