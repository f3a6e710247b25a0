"""One request on its way out: judged, held, rewritten or asked about, then let go piece by piece.

Phases: ``phases``. A body that ends within ``window_bytes`` is judged whole before anything goes. A longer one
that may have to be rewritten or asked about is held up to ``held_body_bytes``; every other goes on as it clears,
and what is found then ends the request before its end.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from bot_bottle.dlp.coding import CodingError
from bot_bottle.dlp.finding import Finding, Severity
from bot_bottle.dlp.redact import Unredactable, redact
from bot_bottle.egress.config import OutboundOnMatch
from bot_bottle.egress.decide import on_host
from bot_bottle.egress.request import RequestIdentity
from bot_bottle.egress.verdict import Allow, Deny, Hint, Verdict
from bot_bottle.sidecar.proxy.codings import Codings
from bot_bottle.sidecar.proxy.held import MIB, Reservation
from bot_bottle.sidecar.proxy.http1 import NO_BODY, Body, Framing
from bot_bottle.sidecar.proxy.incoming import Incoming
from bot_bottle.sidecar.proxy.inspection import CANARY_ALONE, Ask, Inspector, Mask
from bot_bottle.sidecar.proxy.limits import Limits
from bot_bottle.sidecar.proxy.phases import Nobody, Owner, Phase
from bot_bottle.sidecar.proxy.questions import Inquiry, Question, Questions, question_of
from bot_bottle.sidecar.proxy.rewriting import for_another_body, redacted_head
from bot_bottle.sidecar.proxy.scanned import ScannedBody


class Passage:
    """See the module. ``start`` once, then ``feed`` and ``end`` as the body comes in."""

    def __init__(
        self,
        inspector: Inspector,
        owner: Owner,
        identity: RequestIdentity,
        allow: Allow,
        framing: Framing,
        *,
        incoming: Incoming,
        decide: Callable[[RequestIdentity], Verdict],
        questions: Questions,
        room: Reservation,
        limits: Limits,
    ) -> None:
        self.identity = identity
        self.allow = allow
        self.framing = framing
        self._inspector = inspector
        self._owner: Owner = owner
        self._incoming = incoming
        self._decide = decide
        self._inquiry = Inquiry(questions, room)
        self._room = room
        self._limits = limits
        self._phase = Phase.HEAD
        self._body: ScannedBody | None = None
        self._rewritten: list[bytes] | None = None
        self._found: list[Finding] = []
        """in the body, and not decided about"""
        self._whole = False
        """the body is held until its end"""
        self._ended = False
        self._counted: set[str] = set()
        """rules of which a part was found"""

    # -- what the owner sees

    @property
    def is_open(self) -> bool:
        return self._phase is Phase.OPEN

    @property
    def asking(self) -> bool:
        """The operator decides: the client waits on nobody else."""
        return self._phase is Phase.ASKING or self._room.waiting

    @property
    def wants_body(self) -> bool:
        return self._phase in (Phase.BODY, Phase.OPEN) and not self._room.waiting

    def feed(self, data: bytes) -> None:
        """More of the body."""
        body = self._body
        if body is None or self._phase is Phase.OVER:
            return
        try:
            found = body.feed(data)
        except CodingError as error:
            self._undecodable(error)
            return
        if found:
            self._take_note(found)
        if self._phase is Phase.BODY:
            self._hold_or_go(body)

    def end(self) -> None:
        """The body is complete."""
        body = self._body
        if body is None or self._phase is Phase.OVER:
            return
        self._ended = True
        try:
            found = body.finish()
        except CodingError as error:
            self._undecodable(error)
            return
        if found:
            self._take_note(found)
        if self._phase is Phase.BODY and not self._room.waiting:
            self._judge_whole()

    def take(self) -> list[bytes]:
        """What of the body may go now."""
        if self._phase is not Phase.OPEN:
            return []
        if self._rewritten is not None:
            pieces, self._rewritten = self._rewritten, []
        else:
            pieces = [] if self._body is None else self._body.take()
        if self._ended:
            self._room.give_back()
        return pieces

    @property
    def finished(self) -> bool:
        """All of the body was judged and may go."""
        return self._phase is Phase.OPEN and (self._ended or self._body is None)

    def close(self) -> None:
        """Nothing more of it is wanted. Idempotent."""
        self._phase = Phase.OVER
        self._owner = Nobody()
        self._body = self._rewritten = None
        self._inquiry.take_back()
        self._room.give_back()

    # -- the head

    def start(self) -> None:
        """Judge the head; again, once something was approved."""
        inspector, route = self._inspector, self.allow.route
        waits = self._incoming.held(self.identity, self.framing, inspector.approved(self.identity.host))
        if waits is not None:
            self._ask(waits, "head", self.start)
            return
        found = inspector.head(self.identity, self.allow)
        if found and self._is_spying(found):
            return
        judged = inspector.judge(found, route, self.identity, "head")
        if isinstance(judged, Deny):
            self._refuse(judged)
        elif isinstance(judged, Ask):
            self._ask(judged.finding, "head", self.start)
        elif isinstance(judged, Mask):
            self._redact_head(judged, found)
        else:
            self._begin_body()

    def _redact_head(self, mask: Mask, found: list[Finding]) -> None:
        inspector, host = self._inspector, self.identity.host
        before = self.identity
        unredactable = inspector.deny(found[0], host, "head", Hint.UNREDACTABLE)
        try:
            identity = redacted_head(inspector.engine, before, mask.what, inspector.approved(host))
        except Unredactable:
            self._refuse(unredactable)
            return
        if not self._becomes(identity):
            return
        again = inspector.head(self.identity, self.allow)
        judged = inspector.judge(again, self.allow.route, self.identity, "head")
        if judged is not None and not isinstance(judged, Ask):
            self._refuse(unredactable)
            return
        inspector.note_redacted(found, before, "head")
        if isinstance(judged, Ask):  # the canary alone was taken out
            self._ask(judged.finding, "head", self.start)
        else:
            self._begin_body()

    def _becomes(self, identity: RequestIdentity) -> bool:
        """Go on as *identity* if the policy allows that, too (ruling 1); else refuse."""
        verdict = self._decide(identity)
        if isinstance(verdict, Allow):
            self.identity, self.allow = identity, verdict
            return True
        nothing = Deny(403, "egress DLP: nothing is left of the request", Hint.UNREDACTABLE)
        self._refuse(verdict if isinstance(verdict, Deny) else nothing)
        return False

    # -- the body

    def _begin_body(self) -> None:
        if self.framing.body is Body.NONE or (self.framing.body is Body.LENGTH and not self.framing.length):
            self._open()
            return
        try:
            self._body = self._scanned()
        except CodingError as error:
            self._undecodable(error)
            return
        route = self.allow.route
        policy = self._inspector.policy_of(route)
        self._whole = (
            policy is OutboundOnMatch.REDACT
            or route.provider is not None  # the canary is taken out there
            or (policy is OutboundOnMatch.SUPERVISE and self._inquiry.present())
        ) and self.framing.length <= self._limits.held_body_bytes
        self._phase = Phase.BODY
        self._owner.passage_moves()

    def _scanned(self) -> ScannedBody:
        route, host = self.allow.route, self.identity.host
        lenient = self._inspector.what(route) is CANARY_ALONE  # looked for in what can be read (egress.md §4)
        try:
            decoding = self._codings().decoder()
        except CodingError:
            if not lenient:
                raise
            decoding = None
        return self._inspector.body(route, host, decoding, lenient=lenient)

    def _codings(self) -> Codings:
        return Codings(self.allow.headers, self._limits.decoded_body_bytes)

    def _take_note(self, found: tuple[Finding, ...]) -> None:
        self._found += self._inspector.blocking(found, self.identity, self.allow.route, "body")
        if self._is_spying(self._found):
            return
        if self._phase is Phase.OPEN:
            self._refuse_unfinished()
        elif self._found and not self._whole and not self._ended:
            judged = self._inspector.judge(self._found, self.allow.route, self.identity, "body")
            if isinstance(judged, Deny):
                self._refuse(judged)

    def _is_spying(self, found: list[Finding]) -> bool:
        """Whether this request is what cuts the bottle off; each credential counts once a request."""
        fresh = [finding for finding in found if finding.rule not in self._counted]
        self._counted.update(finding.rule for finding in fresh if finding.match is None)
        if not self._inspector.has_spied(fresh):
            return False
        self._refuse(self._inspector.cut_off_deny(self.identity.host))
        return True

    def _refuse_unfinished(self) -> None:
        """Refuse for what was found, if anything was: it can't be held whole any more."""
        if not self._found:
            return
        inspector, finding = self._inspector, self._found[0]
        judged = inspector.judge(self._found, self.allow.route, self.identity, "body")
        if isinstance(judged, Mask):
            self._refuse(inspector.deny(finding, self.identity.host, "body", Hint.UNREDACTABLE))
        elif isinstance(judged, Ask):
            self._refuse(self._inquiry.leave(self._question(judged.finding, "long body")))
        elif judged is not None:
            self._refuse(judged)

    def _hold_or_go(self, body: ScannedBody) -> None:
        """Decide what a body that is not over is held for."""
        if body.size <= self._limits.window_bytes:
            return
        if self._whole and body.size <= self._limits.held_body_bytes:
            known = self.framing.length if self.framing.body is Body.LENGTH else 0
            wanted = known or -(-body.size // MIB) * MIB
            self._room.grow(wanted, partial(self._guarded, self._room_or_not))
            return
        self._whole = False
        self._refuse_unfinished()
        if self._phase is Phase.BODY:
            self._open()

    def _room_or_not(self, there_is: bool) -> None:
        if not there_is:
            self._busy()
        elif self._ended:
            self._judge_whole()
        else:
            self._owner.passage_moves()

    def _guarded(self, call: Callable[..., None], *args: object) -> None:
        """For what a timer or an answer calls."""
        if self._phase is Phase.OVER:
            return
        owner = self._owner
        try:
            call(*args)
        except Exception as error:
            owner.passage_failed(error)

    def _busy(self) -> None:
        self._refuse_as(Deny(503, "egress DLP: too many requests are held", Hint.BUSY))

    def _judge_whole(self) -> None:
        """All of the body is here."""
        found, self._found = self._found, []
        judged = self._inspector.judge(found, self.allow.route, self.identity, "body")
        if isinstance(judged, Deny):
            self._refuse(judged)
        elif isinstance(judged, Ask):
            self._ask(judged.finding, "body", self._judge_again)
        elif isinstance(judged, Mask):
            self._redact_body(judged, found)
        else:
            self._open()

    def _judge_again(self) -> None:
        """Scan the held body once more: something has been approved."""
        body = self._body
        assert body is not None
        data = body.whole()
        try:
            self._body = body = self._scanned()
            found = body.feed(data) + body.finish()
        except CodingError as error:
            self._undecodable(error)
            return
        self._found = self._inspector.blocking(found, self.identity, self.allow.route, "body")
        self._judge_whole()

    def _redact_body(self, mask: Mask, found: list[Finding]) -> None:
        inspector, body = self._inspector, self._body
        assert body is not None
        route, host = self.allow.route, self.identity.host
        approved = inspector.approved(host)
        unredactable = inspector.deny(found[0], host, "body", Hint.UNREDACTABLE)
        try:
            text = self._codings().text(body.whole())
            clean = redact(inspector.engine, text, mask.what, approved)
        except (Unredactable, CodingError):
            self._refuse(unredactable)
            return
        left = inspector.engine.scan(clean, inspector.what(route), approved)
        again = [finding for finding in left if finding.severity is Severity.BLOCK]
        judged = inspector.judge(again, route, self.identity, "body")
        if judged is not None and not isinstance(judged, Ask):
            self._refuse(unredactable)
            return
        before = self.identity
        codings = self._codings()
        if not self._becomes(for_another_body(before)):
            return
        inspector.note_redacted(found, before, "body")
        clean = codings.encode(clean)
        self.framing = Framing(Body.LENGTH, len(clean)) if clean else NO_BODY
        if isinstance(judged, Ask):  # the canary alone was taken out
            self._body = self._scanned()
            self._body.feed(clean)
            self._ask(judged.finding, "body", self._judge_again)
            return
        self._rewritten = [clean] if clean else []
        self._body = None
        self._open()

    # -- asking

    def _ask(self, finding: Finding, where: str, again: Callable[[], None]) -> None:
        self._phase = Phase.ASKING

        def answered(deny: Deny | None) -> None:
            if deny is not None:
                self._refuse(deny)
                return
            self._phase = Phase.BODY if self._body is not None else Phase.HEAD
            again()

        then, busy = partial(self._guarded, answered), partial(self._guarded, self._busy)
        if not self._inquiry.ask(self._question(finding, where), then, busy):
            self._refuse(self._inspector.deny(finding, self.identity.host, where, Hint.TAKE_OUT))

    def _question(self, finding: Finding, where: str) -> Question:
        text, body = b"", self._body
        try:
            text = self._codings().text(body.whole()) if where == "body" and body is not None else b""
        except CodingError:
            pass  # then without its surroundings
        size = 0 if body is None else body.held
        return question_of(self._inspector, finding, self.identity, where, text, size)

    # -- ends

    def _open(self) -> None:
        self._phase = Phase.OPEN
        self._owner.passage_opens()

    def _undecodable(self, error: CodingError) -> None:
        self._refuse_as(Deny(403, f"egress DLP: the body can't be read: {error}", Hint.UNREADABLE))

    def _refuse_as(self, deny: Deny) -> None:
        self._refuse(on_host(self._inspector.policy(), self.identity.host, deny))

    def _refuse(self, deny: Deny) -> None:
        owner = self._owner
        self.close()
        owner.passage_refused(deny)
