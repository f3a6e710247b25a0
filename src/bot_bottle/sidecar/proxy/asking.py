"""The sidecar's side of asking: questions as files in its own directory, answers read where only the host writes.

One question for a value and a host, however many requests carry it. A request waits while an operator session is
there (ruling 52), at most ``timeout_s``; otherwise it is refused at once with the proposal's id, and a later
approval lets the retry pass. States: ``proposals.states``; files: ``proposals.files``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bot_bottle.dlp.finding import Finding
from bot_bottle.dlp.scan import form_digest
from bot_bottle.egress.verdict import Deny, Hint
from bot_bottle.proposals import files
from bot_bottle.proposals.limits import MAX_PENDING, TIMEOUT_S
from bot_bottle.proposals.records import Proposal, Status, Tool
from bot_bottle.sidecar.asked import POLL_S, AskedFiles
from bot_bottle.sidecar.proxy.inspection import Inspector
from bot_bottle.sidecar.proxy.log import EventLog
from bot_bottle.sidecar.proxy.questions import Question
from bot_bottle.store.files import StoreError

REJECTED_S = 300.0
"""how long a rejection is told to whoever sends the value again"""

GUIDANCE = "a request carries a value that looks like a secret: approve it only if this host may have it"

Then = Callable[[Deny | None], None]


@dataclass
class _Open:
    """One proposal that has no answer yet."""

    proposal: Proposal
    question: Question
    waiters: dict[int, tuple[Then, asyncio.TimerHandle]] = field(default_factory=dict)
    is_left: bool = False
    """somebody was told its id, and may come back"""


class FileQuestions:
    """``questions.Questions`` by files. In one event loop."""

    def __init__(
        self,
        inspector: Inspector,
        log: EventLog,
        *,
        bottle: str,
        launch: str,
        run_dir: Path,
        egress_dir: Path,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._inspector = inspector
        self._log = log
        self._bottle = bottle
        self._files = AskedFiles(run_dir, egress_dir, launch)
        self._timeout_s = timeout_s
        self._open: dict[tuple[str, bytes], _Open] = {}
        self._rejected: dict[tuple[str, bytes], tuple[str, float]] = {}
        self._number = 0
        self._poll: asyncio.TimerHandle | None = None

    # -- for a request

    def present(self) -> bool:
        return self._files.present()

    def ask(self, question: Question, then: Then) -> Callable[[], None]:
        found = self._look(question)
        if found is None or isinstance(found, Deny):
            then(found)
            return _nothing
        if not self.present():
            then(self._leave(found, question))
            return _nothing
        loop = asyncio.get_running_loop()
        self._number += 1
        number = self._number
        timer = loop.call_later(self._timeout_s, self._time_out, found, number)
        found.waiters[number] = then, timer
        return lambda: self._hang_up(found, number)

    def leave(self, question: Question) -> Deny:
        found = self._look(question)
        if found is None:  # approved meanwhile: what was too long to wait passes when it comes again
            return question.deny(Hint.ASKED, "it is approved by now")
        return found if isinstance(found, Deny) else self._leave(found, question)

    def _leave(self, found: _Open, question: Question) -> Deny:
        found.is_left = True
        return question.deny(Hint.ASKED, f"proposal {found.proposal.id}")

    def _look(self, question: Question) -> _Open | Deny | None:
        """The question as it stands: open (asked now, if it was not), refused, or approved."""
        key = _key(question.identity.host, question.finding)
        if key is None:
            return question.deny(Hint.TAKE_OUT, "")
        rejected = self._rejected.get(key)
        if rejected is not None:
            notes, until = rejected
            if time.monotonic() < until:
                return question.deny(Hint.REJECTED, notes)
            del self._rejected[key]
        if key in self._open:
            self._read_answers()
            if key in self._open:
                return self._open[key]
            rejected = self._rejected.get(key)
            return None if rejected is None else question.deny(Hint.REJECTED, rejected[0])
        if len(self._open) >= MAX_PENDING and not self._forget_one():
            return question.deny(Hint.BUSY, f"{MAX_PENDING} questions are open")
        return self._ask(key, question)

    def _ask(self, key: tuple[str, bytes], question: Question) -> _Open | Deny:
        try:
            proposal = self._files.ask(self._bottle, Tool.EGRESS_TOKEN_ALLOW, _report(question), GUIDANCE)
        except StoreError:
            return question.deny(Hint.NO_OPERATOR, "the question could not be written")
        found = self._open[key] = _Open(proposal, question)
        self._event("egress_token_supervise", found)
        if self._poll is None:
            self._poll = asyncio.get_running_loop().call_later(POLL_S, self._tick)
        return found

    # -- answers

    def _tick(self) -> None:
        self._poll = None
        try:
            self._read_answers()
            if not self.present():
                for found in list(self._open.values()):
                    self._tell(found, partial(self._leave, found))
        finally:
            if self._open:
                self._poll = asyncio.get_running_loop().call_later(POLL_S, self._tick)

    def _read_answers(self) -> None:
        names = self._files.answered()
        for key, found in list(self._open.items()):
            if files.response_name(found.proposal.id) in names:
                self._read_answer(key, found)

    def _read_answer(self, key: tuple[str, bytes], found: _Open) -> None:
        response = self._files.take(found.proposal)
        del self._open[key]
        if response.status is Status.APPROVED:
            self._inspector.approve(key[0], found.question.finding)
            self._event("egress_token_allowed", found)
            self._tell(found, lambda _: None)
            return
        notes = self._inspector.plain(response.notes)
        self._rejected[key] = notes, time.monotonic() + REJECTED_S
        self._event("egress_token_rejected", found)
        self._tell(found, lambda question: question.deny(Hint.REJECTED, notes))

    def _tell(self, found: _Open, answer: Callable[[Question], Deny | None]) -> None:
        waiters, found.waiters = found.waiters, {}
        for then, timer in waiters.values():
            timer.cancel()
            then(answer(found.question))

    # -- ends without an answer

    def _time_out(self, found: _Open, number: int) -> None:
        then, _ = found.waiters.pop(number)
        self._drop_if_idle(found)
        then(found.question.deny(Hint.TIMED_OUT, f"{self._timeout_s:g} s"))

    def _hang_up(self, found: _Open, number: int) -> None:
        waiting = found.waiters.pop(number, None)
        if waiting is not None:
            waiting[1].cancel()
            self._drop_if_idle(found)

    def _drop_if_idle(self, found: _Open) -> None:
        if found.waiters or found.is_left:
            return
        for key, other in list(self._open.items()):
            if other is found:
                self._expire(key)

    def _forget_one(self) -> bool:
        """Room for another question: the oldest that nobody waits for expires."""
        for key, found in self._open.items():
            if not found.waiters:
                self._expire(key)
                return True
        return False

    def _expire(self, key: tuple[str, bytes]) -> None:
        found = self._open.pop(key)
        self._files.expire(found.proposal.id)

    def _event(self, event: str, found: _Open) -> None:
        """Of a value's question, at every level (ruling 11)."""
        question = found.question
        self._log.incident(
            event,
            id=found.proposal.id,
            host=question.shown.host,
            method=question.shown.method,
            path=question.shown.path,
            reason=question.finding.reason,
        )


def _key(host: str, finding: Finding) -> tuple[str, bytes] | None:
    return None if finding.match is None else (host, form_digest(finding.match))


def _report(question: Question) -> str:
    """What the operator sees; no secret is in it."""
    shown, finding = question.shown, question.finding
    lines = [
        f"host: {shown.host}",
        f"method: {shown.method}",
        f"path: {shown.path}",
        f"detector: {finding.detector} ({finding.rule})",
        f"found: {finding.reason}, in the request's {question.where}",
    ]
    if finding.view:
        lines.append(f"read as: {', '.join(finding.view)}")
    if question.context:
        lines.append(f"context: {question.context}")
    return "\n".join(lines) + "\n"


def _nothing() -> None:
    pass
