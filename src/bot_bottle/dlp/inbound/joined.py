"""What the events of a stream say, put together place by place, so that no border between events hides anything.

Models send their words in pieces: one event holds ``{"delta": {"text": "ign"}}``, the next ``"ore all"``. The place
is the way of keys to a text. What has gone can't be covered any more: a secret in pieces ends the stream.
"""

from __future__ import annotations

from msgspec import structs

from bot_bottle.dlp.finding import Detector, Finding, Severity
from bot_bottle.dlp.inbound.events import said
from bot_bottle.dlp.inbound.mask import Known
from bot_bottle.dlp.inbound.watch import Mode, Watch

_MOST_PLACES = 16
_PAGE_BYTES = 2048
_TAIL_BYTES = 1024
"""a secret's longest spelling that is found over borders, nearly"""
_REASON = "a secret of the bottle came back in pieces, over several events"


class Joined:
    """One stream. *mode* OFF: only secrets are looked for."""

    def __init__(self, known: Known, mode: Mode) -> None:
        self._known = known
        self._mode = mode
        self._watches: dict[str, Watch] = {}
        self._tails: dict[str, bytes] = {}

    def feed(self, event: bytes, at: int) -> list[Finding]:
        """Findings in what *event*, which begins at offset *at*, says together with those before it."""
        found: list[Finding] = []
        for where, text in said(event):
            if where not in self._tails and len(self._tails) >= _MOST_PLACES:
                continue
            data = text.encode("utf-8", "replace")
            tail = self._tails.get(where, b"")
            joined = tail + data
            self._tails[where] = joined[-_TAIL_BYTES:]
            end = at + len(event)
            if any(start < len(tail) < stop for start, stop in self._known.spans(joined)):
                found.append(
                    Finding(Detector.RESPONSE_SECRETS, "response-secret", Severity.BLOCK, _REASON, at, end)
                )
            if self._mode is not Mode.OFF:
                watch = self._watches.setdefault(where, Watch(self._mode, _PAGE_BYTES))
                told = watch.feed(data) + watch.finish()
                found += [structs.replace(one, start=at, end=end) for one in told]
        return found
