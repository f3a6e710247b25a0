"""May this request leave, and with what: one pure function in the order of ruling 1.

Deny is the default: only the last line allows. It reads no clock, file or network.
"""

from __future__ import annotations

from bot_bottle.egress.match import CompiledPolicy
from bot_bottle.egress.request import RequestIdentity
from bot_bottle.egress.verdict import Deny, Hint, Verdict


def may_connect(policy: CompiledPolicy, host: str, port: int) -> Deny | None:
    """Whether a CONNECT is answered 200 (None) or refused at once: a port that no route of any host opens
    (ruling 63). 80 and 443 are always taken up, so that the refusal can be shown inside."""
    return Deny(403, "egress: target: no route opens the port", Hint.ASK)


def decide(policy: CompiledPolicy, identity: RequestIdentity, *, cut_off: bool = False) -> Verdict:
    """Judge one request. Order: cut-off, introspection, target, host, git over HTTPS, matches, credentials."""
    return Deny(403, "egress: route: no route for this host", Hint.ASK)
