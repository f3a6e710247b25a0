"""Covers the bottle's secrets in what comes in, wherever an encoding of one stands whole.

A form is covered by as many ``*`` as it is long: no length, range, frame or JSON string changes by it. A byte is
covered if and only if some occurrence holds it, so the output does not depend on the cuts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot_bottle.dlp.finding import Detector, Finding, Severity

MOST_FINDINGS = 32


class Known(Protocol):
    """The part of the known secrets that is used here."""

    def spans(self, data: bytes) -> Sequence[tuple[int, int]]:
        """(start, end) of every exact form in *data*, overlapping ones too."""

    def partial_tail(self, data: bytes) -> int:
        """How many last bytes of *data* could be the beginning of an exact form."""


class Nothing:
    """No secrets."""

    def spans(self, data: bytes) -> Sequence[tuple[int, int]]:  # noqa: ARG002
        return ()

    def partial_tail(self, data: bytes) -> int:  # noqa: ARG002
        return 0


class Mask:
    """One text."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._held = b""
        self._covered = 0
        """how many first bytes of what is held belong to an occurrence that began before it"""
        self._offset = 0
        self._count = 0
        self._told = 0
        """end of the last occurrence that was told"""
        self.findings: list[Finding] = []
        """taken by the caller; offsets of what went in here"""

    def feed(self, data: bytes) -> bytes:
        text = self._held + data
        return self._pass(text, min(len(text), self._known.partial_tail(text)))

    def finish(self) -> bytes:
        """What was held: no form stands there whole. A next :meth:`feed` goes on behind it."""
        return self._pass(self._held, 0)

    def _pass(self, text: bytes, hold: int) -> bytes:
        if not text:
            return b""
        spans = sorted(self._known.spans(text))
        if self._covered:
            spans.insert(0, (0, self._covered))
        end = len(text) - hold
        out = bytearray(text[:end]) if spans else text[:end]
        covered = 0
        for start, stop in spans:
            if isinstance(out, bytearray) and start < end:
                out[start : min(stop, end)] = b"*" * (min(stop, end) - start)
            if start <= end < stop:
                covered = max(covered, stop - end)
            self._tell(start, stop)
        self._held, self._covered, self._offset = text[end:], covered, self._offset + end
        return bytes(out)

    def _tell(self, start: int, stop: int) -> None:
        at, end = self._offset + start, self._offset + stop
        if end <= self._told or self._count >= MOST_FINDINGS:
            return
        self._told = end
        self._count += 1
        self.findings.append(
            Finding(
                detector=Detector.RESPONSE_SECRETS,
                rule="response-secret",
                severity=Severity.WARN,
                reason="a secret of the bottle came back and was covered",
                start=at,
                end=end,
            )
        )
