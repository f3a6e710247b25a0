"""The gate's side of asking: may this push go, as it is? Files: ``sidecar.asked``; states: ``proposals.states``.

An approval is for one push: the same repository, refs, old and new object ids, and the same report; it holds until
that push is upstream, so that one that was told "ask again later" passes then (ruling 52). A push waits while an
operator session is there, at most the time that the launch says. Everything else is a no.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from bot_bottle.base.text import printable
from bot_bottle.proposals import files
from bot_bottle.proposals.limits import MAX_PENDING
from bot_bottle.proposals.records import Proposal, Response, Status, Tool
from bot_bottle.sidecar.asked import POLL_S, AskedFiles
from bot_bottle.store.files import StoreError

REJECTED_S = 300.0
"""how long a rejection is told to whoever pushes the same again"""
MAX_APPROVED = 256
"""approvals that are kept; the oldest goes"""
GUIDANCE = "a push holds what looks like a secret, or files that others run: approve it only if it may leave as it is"


@dataclass(frozen=True)
class Answer:
    """What became of a question."""

    approved: bool
    text: str
    """for the client: why not, or the operator's reason; not yet without secrets"""
    proposal: str
    """its id; empty: none was written"""


@dataclass
class _Open:
    """One proposal that has no answer yet."""

    proposal: Proposal
    waiting: int = 0
    is_left: bool = False
    """somebody was told its id, and may come back"""


class GateQuestions:
    """Of one gate; in its event loop."""

    def __init__(self, asked: AskedFiles, *, bottle: str, timeout_s: float) -> None:
        self._files, self._bottle, self._timeout_s = asked, bottle, timeout_s
        self._open: dict[bytes, _Open] = {}
        self._approved: dict[bytes, Response] = {}
        self._rejected: dict[bytes, tuple[Response, float]] = {}

    async def ask(self, push: str, report: str, say: Callable[[str], None]) -> Answer:
        """*push*: all that the answer is about, as text, object ids and all; *report*: what the operator reads, without
        secrets; *say* is told what is waited for."""
        key = hashlib.sha256(f"{push}\0{report}".encode("utf-8", "surrogateescape")).digest()
        found = self._look(key, report)
        if isinstance(found, Answer):
            return found
        id = found.proposal.id
        if not self._files.present():
            return self._leave(found)
        say(f"waiting for the operator to approve this push (proposal {id}), up to {self._timeout_s:g} s")
        until = time.monotonic() + self._timeout_s
        found.waiting += 1
        try:
            while time.monotonic() < until:
                await asyncio.sleep(min(POLL_S, max(0.01, until - time.monotonic())))
                answer = self._settled(key)
                if answer is not None:
                    return answer
                if not self._files.present():
                    return self._leave(found)
            return Answer(
                False, f"the operator did not answer within {self._timeout_s:g} s (proposal {id})", id
            )
        finally:
            found.waiting -= 1
            if self._open.get(key) is found and not found.waiting and not found.is_left:
                self._expire(key)

    def used(self, proposal: str) -> None:
        """The push that was approved is upstream: should its refs be set back, the same push is a question again."""
        for key, response in list(self._approved.items()):
            if response.proposal_id == proposal:
                del self._approved[key]

    # -- states
    def _look(self, key: bytes, report: str) -> _Open | Answer:
        """The question as it stands: answered, or open (asked now, if it was not)."""
        answer = self._settled(key)
        if answer is not None:
            return answer
        if key in self._open:
            return self._open[key]
        if len(self._open) >= MAX_PENDING and not self._forget_one():
            return Answer(False, f"{MAX_PENDING} questions are open: push again when they are answered", "")
        try:
            proposal = self._files.ask(self._bottle, Tool.GITLEAKS_ALLOW, report, GUIDANCE)
        except StoreError:
            return Answer(False, "the operator can't be asked: the question could not be written", "")
        self._open[key] = _Open(proposal)
        return self._open[key]

    def _settled(self, key: bytes) -> Answer | None:
        self._read_answers()
        approved = self._approved.get(key)
        if approved is not None:
            return Answer(True, approved.notes, approved.proposal_id)
        rejected, until = self._rejected.get(key, (None, 0.0))
        if rejected is None:
            return None
        if time.monotonic() >= until:
            del self._rejected[key]
            return None
        reason = printable(rejected.notes, limit=500)
        return Answer(
            False, f"the operator rejected it{': ' if reason else ''}{reason}", rejected.proposal_id
        )

    def _read_answers(self) -> None:
        names = self._files.answered() if self._open else frozenset()
        for key, found in list(self._open.items()):
            if files.response_name(found.proposal.id) not in names:
                continue
            response = self._files.take(found.proposal)
            del self._open[key]
            if response.status is Status.APPROVED:
                self._approved[key] = response
                if len(self._approved) > MAX_APPROVED:
                    del self._approved[next(iter(self._approved))]
            else:
                self._rejected[key] = response, time.monotonic() + REJECTED_S

    def _leave(self, found: _Open) -> Answer:
        found.is_left = True
        id = found.proposal.id
        return Answer(
            False,
            f"no operator is there to approve it: proposal {id} stays open; push the same again once it is approved",
            id,
        )

    def _forget_one(self) -> bool:
        """Room for another question: the oldest that nobody waits for expires."""
        for key, found in self._open.items():
            if not found.waiting:
                self._expire(key)
                return True
        return False

    def _expire(self, key: bytes) -> None:
        self._files.expire(self._open.pop(key).proposal.id)
