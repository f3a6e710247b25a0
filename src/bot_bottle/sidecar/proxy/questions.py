"""What the operator may be asked about a request, and by what way; and one request's inquiries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from bot_bottle.dlp.finding import Finding
from bot_bottle.egress.request import RequestIdentity
from bot_bottle.egress.verdict import Deny, Hint
from bot_bottle.sidecar.proxy.held import Reservation
from bot_bottle.sidecar.proxy.inspection import Inspector

MAX_ROUNDS = 32
"""of asking about one request; each approval lets one value pass"""


@dataclass(frozen=True)
class Question:
    """May this value go to this host?"""

    finding: Finding
    identity: RequestIdentity
    shown: RequestIdentity
    """the same without secrets"""
    where: str
    """``head`` or ``body``"""
    context: str
    """the surroundings of the finding, without secrets"""
    size: int
    """bytes that are held meanwhile"""
    deny: Callable[[Hint, str], Deny]
    """the refusal that ends with a hint and its detail"""


def question_of(
    inspector: Inspector, finding: Finding, identity: RequestIdentity, where: str, text: bytes, size: int
) -> Question:
    """About *finding* in the request's *where*; *text*: the body as it reads, where it was found in that."""
    context = inspector.snippet(text, finding) if text else ""
    deny = partial(inspector.deny, finding, identity.host, where)
    return Question(finding, identity, inspector.shown(identity), where, context, size, deny)


class Questions(Protocol):
    """The way to the operator."""

    def present(self) -> bool:
        """Somebody could answer now (ruling 52)."""

    def ask(self, question: Question, then: Callable[[Deny | None], None]) -> Callable[[], None]:
        """Ask; *then* is called once, at once or later, with None when it was approved. The result takes the
        question back."""

    def leave(self, question: Question) -> Deny:
        """Ask without waiting: the refusal names the proposal, and once it is approved a retry passes."""


class Inquiry:
    """The questions about one request, one after the other, and the memory that it holds meanwhile."""

    def __init__(self, questions: Questions, room: Reservation) -> None:
        self._questions = questions
        self._room = room
        self._rounds = 0
        self._number = 0
        """of the question that is out"""
        self._take_back: Callable[[], None] | None = None

    def present(self) -> bool:
        return self._questions.present()

    def leave(self, question: Question) -> Deny:
        return self._questions.leave(question)

    def ask(self, question: Question, then: Callable[[Deny | None], None], busy: Callable[[], None]) -> bool:
        """Ask; *then* gets the answer, or *busy* is called when no memory was left for the wait. False: this
        request has asked too often."""
        self._rounds += 1
        self._number += 1
        number = self._number
        if self._rounds > MAX_ROUNDS:
            return False

        def answered(deny: Deny | None) -> None:
            if number == self._number:
                self._number += 1
                self._take_back = None
                then(deny)

        def held(there_is: bool) -> None:
            if not there_is:
                busy()
                return
            take_back = self._questions.ask(question, answered)
            if number == self._number:  # not answered yet
                self._take_back = take_back

        if self._room.grow(question.size, held):
            held(True)
        return True

    def take_back(self) -> None:
        """Nobody waits for an answer any more. Idempotent."""
        self._number += 1
        take_back, self._take_back = self._take_back, None
        if take_back is not None:
            take_back()


class NobodyToAsk:
    """A proxy without supervision."""

    def present(self) -> bool:
        return False

    def ask(self, question: Question, then: Callable[[Deny | None], None]) -> Callable[[], None]:
        then(self.leave(question))
        return _nothing

    def leave(self, question: Question) -> Deny:
        return question.deny(Hint.NO_OPERATOR, "")


def _nothing() -> None:
    pass
