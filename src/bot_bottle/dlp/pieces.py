"""Known secrets that leave in pieces, over several requests or several fields of one (dlp.md §2, step 4).

For each destination it is remembered for ten minutes which six-character pieces of each secret have gone there.
When pieces cover more than half of what is private in a secret, the text that brings the last of them is a hit. Their
order does not matter, nor what is sent in between or how much: pieces are such that no text has them by chance
(``known_pieces``), so this asks more of the sender than dlp.md's record of 64 KiB in order, at less memory: numbers
are kept, no text.

Not found: pieces of fewer than six characters; pieces that are a word; more than ten minutes for half a secret;
pieces spread over destinations; pieces in base32 or base85, of which views do not decode so short a run.

Pure; the caller has the clock.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from bot_bottle.dlp.finding import Hit
from bot_bottle.dlp.known import Kind, KnownSecrets, Seen
from bot_bottle.dlp.known_pieces import PIECE_LETTERS
from bot_bottle.dlp.known_raw import PieceSpan
from bot_bottle.dlp.known_spans import Spans

REASON = "a known secret in pieces"
KEPT_S = 600.0
MAX_HOSTS = 256
"""The one that was not written to for longest is forgotten. Below a wildcard all hosts are one destination: the
caller names the route."""
INCIDENT_FRAGMENTS = 3
"""Ruling 54"""


class Pieces:
    """What has gone out in pieces, of one bottle. Bounded: at most :data:`MAX_HOSTS` times one number for each
    letter of each secret."""

    def __init__(self, known: KnownSecrets) -> None:
        self._known = known
        self._sent: OrderedDict[str, dict[int, dict[int, float]]] = OrderedDict()
        """by destination and secret: when each piece went out last, in seconds of the caller's clock"""

    def note(self, host: str, seen: Seen, now: float) -> list[Hit]:
        """What *seen* (of ``KnownSecrets.scan``) completes at destination *host*, at the places where it has pieces.
        If it completes anything it is not remembered: it doesn't go out."""
        if not seen.pieces:
            return []
        sent = self._sent.setdefault(host, {})
        self._sent.move_to_end(host)
        if len(self._sent) > MAX_HOSTS:
            self._sent.popitem(last=False)
        by_secret: dict[int, list[PieceSpan]] = {}
        for span in seen.pieces:
            by_secret.setdefault(span.piece.entry, []).append(span)
        found: list[Hit] = []
        for entry, spans in by_secret.items():
            kept = {index: at for index, at in sent.get(entry, {}).items() if now - at <= KEPT_S}
            fresh = {span.piece.index: now for span in spans}
            if self._covers_half(entry, {**kept, **fresh}):
                name = self._known.entries[entry].name
                places = Spans((span.start, span.end) for span in spans)
                found += [Hit(name, start, end, REASON, exact=False) for start, end in places]
                sent[entry] = kept
            else:
                sent[entry] = {**kept, **fresh}
        return sorted(found, key=lambda hit: (hit.start, hit.end, hit.rule))

    def hosts(self) -> tuple[str, ...]:
        """The destinations that are remembered, the one last written to at the end."""
        return tuple(self._sent)

    def _covers_half(self, entry: int, indexes: Iterable[int]) -> bool:
        mask = self._known.piece_mask(entry)
        covered = bytearray(len(mask))
        for index in indexes:
            covered[index : index + PIECE_LETTERS] = b"\1" * PIECE_LETTERS
        return sum(covered) * 2 > max(self._known.private_letters(entry), 1)


class FragmentCount:
    """How many requests had a part of each injected credential, of one bottle. A bottle does not hold these, so a
    part of one has no innocent origin: it is guessed, or was found somewhere (ruling 54)."""

    def __init__(self, known: KnownSecrets) -> None:
        self._known = known
        self._counts: dict[str, int] = {}

    def note(self, hits: Iterable[Hit]) -> tuple[str, ...]:
        """Count the *hits* of one request. Names of the credentials whose count is now
        :data:`INCIDENT_FRAGMENTS` or more: the bottle is to be cut off."""
        reached = []
        for name in sorted({hit.rule for hit in hits if not hit.exact and self._is_injected(hit.rule)}):
            self._counts[name] = self._counts.get(name, 0) + 1
            if self._counts[name] >= INCIDENT_FRAGMENTS:
                reached.append(name)
        return tuple(reached)

    def _is_injected(self, name: str) -> bool:
        return self._known.has(name) and self._known.kind(name) is Kind.INJECTED
