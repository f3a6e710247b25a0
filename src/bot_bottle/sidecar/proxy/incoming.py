"""What was found in what came in, and what a bottle may no longer do because of it (dlp.md §2, taint).

One :class:`Incoming` a proxy. A host that sent text with orders in it marks the bottle; where the policy says
``on_taint: tighten``, what would carry something out then waits for the operator.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from bot_bottle.base.secret import Secret
from bot_bottle.dlp.finding import Detector, Finding, Severity
from bot_bottle.dlp.inbound.taint import Held, Taint, held_under_taint
from bot_bottle.dlp.scan import form_digest
from bot_bottle.egress.config import OnTaint
from bot_bottle.egress.decide import on_host
from bot_bottle.egress.match import CompiledPolicy
from bot_bottle.egress.request import RequestIdentity
from bot_bottle.egress.verdict import Deny, Hint
from bot_bottle.sidecar.proxy.http1 import Body, Framing
from bot_bottle.sidecar.proxy.log import EventLog

MOST_SEEN = 1024
"""hosts that are remembered as used; below wildcards the bottle makes names up"""

WHY = {
    Held.NEW_HOST: "this host was not used before",
    Held.WRITE: "this request may carry something out",
    Held.LARGE_BODY: "this request is large",
}


class Incoming:
    """See the module."""

    def __init__(self, policy: Callable[[], CompiledPolicy], log: EventLog) -> None:
        self._policy = policy
        self._log = log
        self.taint = Taint()
        self._seen: set[str] = set()

    def note(self, found: Iterable[Finding], identity: RequestIdentity) -> Deny | None:
        """Log *found* in the response to *identity* and mark its host; the refusal when it may not pass."""
        blocked: Finding | None = None
        for finding in found:
            record = {"host": identity.host, "method": identity.method, "rule": finding.rule}
            if finding.detector is Detector.RESPONSE_SECRETS:
                self._log.note("egress_response_secret", **record, reason=finding.reason)
                continue
            blocks = finding.severity is Severity.BLOCK
            blocked = finding if blocks and blocked is None else blocked
            if finding.detector is Detector.INJECTION:
                self._mark(identity.host, finding.rule)
            self._log.note(
                "egress_inbound_block" if blocks else "egress_inbound_warn", **record, reason=finding.reason
            )
        return None if blocked is None else self.deny(blocked, identity.host)

    def deny(self, finding: Finding, host: str) -> Deny:
        """The refusal of a response."""
        reason = f"egress DLP: {finding.reason} ({finding.rule}), in the response"
        return self.refusal(host, Deny(403, reason, Hint.NONE))

    def refusal(self, host: str, deny: Deny) -> Deny:
        """*deny* in the shape of *host*'s API."""
        return on_host(self._policy(), host, deny)

    def _mark(self, host: str, rule: str) -> None:
        before, self.taint = self.taint, self.taint.marked(host, rule, time.time())
        if self.taint != before:
            self._log.incident("egress_tainted", host=host, rule=rule)

    # -- what waits

    def held(self, identity: RequestIdentity, framing: Framing, approved: frozenset[bytes]) -> Finding | None:
        """Why a request waits for the operator; None: it goes. What the operator lets go there is in *approved*."""
        policy = self._policy()
        if not self.taint:
            if len(self._seen) < MOST_SEEN:
                self._seen.add(identity.host)
            return None
        if policy.policy.on_taint is not OnTaint.TIGHTEN:
            return None
        size = None if framing.body is Body.CHUNKED else framing.length
        own = [route.host for route in policy.policy.routes if route.provider is not None]
        why = held_under_taint(self.taint, identity.host, identity.method, size, self._seen, own)
        if why is None:
            return None
        value = Secret(
            f"taint: {why}"
        )  # stands for the answer: what is approved is this reason for this host
        if form_digest(value) in approved:
            return None
        reason = f"the bottle has read text with orders in it, and {WHY[why]}"
        return Finding(Detector.INJECTION, f"taint-{why}", Severity.BLOCK, reason, 0, 0, (), value)
