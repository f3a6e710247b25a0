"""The files of asking, as a sidecar sees them: questions in its own directory, answers where only the host writes.

Names and places: ``proposals.files``. Who asks, waits and obeys is in ``proxy.asking`` and ``gate.asking``.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from bot_bottle.base.clock import utc_now
from bot_bottle.proposals import files
from bot_bottle.proposals.lease import is_live
from bot_bottle.proposals.limits import KEPT_PROCESSED
from bot_bottle.proposals.records import (
    MAX_RECORD_BYTES,
    BadRecord,
    Proposal,
    Response,
    Status,
    Tool,
    content_hash,
    decode_response,
    encode,
    mint_id,
)
from bot_bottle.store.files import StoreError, atomic_write, make_missing, read_small

POLL_S = 0.5
"""how often answers are looked for while a question is open (state.md §6)"""
PRESENT_S = 1.0
"""how long it is taken as known whether somebody is there"""


class AskedFiles:
    """Of one launch. In one thread."""

    def __init__(self, run_dir: Path, told_dir: Path, launch: str) -> None:
        """What an earlier sidecar of this launch has asked expires: its approvals ended with it."""
        self._asked = run_dir / files.ASKED / launch
        self._processed = self._asked / files.PROCESSED
        self._answered = told_dir / files.ANSWERED
        self._lease = told_dir / files.LEASE
        self._looked = (0.0, False)
        make_missing(self._processed, 0o700)
        for name in os.listdir(self._asked):
            id = files.id_of_proposal(name)
            if id is not None:
                self.expire(id)

    def present(self) -> bool:
        """Whether an operator session is there (ruling 52)."""
        now = time.monotonic()
        looked, was = self._looked
        if now - looked < PRESENT_S:
            return was
        there = is_live(read_small(self._lease), time.clock_gettime(time.CLOCK_BOOTTIME))
        self._looked = now, there
        return there

    def ask(self, bottle: str, tool: Tool, report: str, guidance: str) -> Proposal:
        """Put the question *report* there; *guidance* is for the operator. Raises ``StoreError``."""
        proposal = Proposal(
            id=mint_id(),
            bottle_slug=bottle,
            tool=tool,
            proposed_file=report,
            justification=guidance,
            arrival_timestamp=utc_now(),
            current_file_hash=content_hash(report),
        )
        atomic_write(self._asked / files.proposal_name(proposal.id), encode(proposal))
        return proposal

    def answered(self) -> frozenset[str]:
        """Names of the answers that are there."""
        try:
            return frozenset(os.listdir(self._answered))
        except OSError:
            return frozenset()

    def take(self, proposal: Proposal) -> Response:
        """The answer to *proposal*, which is over with that. One that can't be read says no."""
        data = read_small(self._answered / files.response_name(proposal.id), MAX_RECORD_BYTES)
        try:
            response = decode_response(data or b"", proposal)
        except BadRecord:
            response = Response(proposal.id, Status.REJECTED, "the answer was malformed")
        self._archive(proposal.id, response)
        return response

    def expire(self, id: str) -> None:
        """Nobody waits for an answer any more."""
        self._move(files.proposal_name(id), files.expired_name(id))

    def _archive(self, id: str, response: Response) -> None:
        try:
            atomic_write(self._processed / files.response_name(id), encode(response))
        except StoreError:
            pass  # the host has it
        self._move(files.proposal_name(id), files.proposal_name(id))

    def _move(self, name: str, to: str) -> None:
        """Out of the pending ones: the host sees by that that it is over."""
        try:
            os.rename(self._asked / name, self._processed / to)
            kept = sorted(os.scandir(self._processed), key=lambda entry: entry.stat().st_mtime)
            for entry in kept[:-KEPT_PROCESSED]:
                os.unlink(entry.path)
        except OSError:
            pass
