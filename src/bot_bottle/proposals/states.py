"""The life of a proposal (ruling 18).

=========  ==============  ===========  =========================================================
state      event           becomes      who
=========  ==============  ===========  =========================================================
pending    claim           claimed      an operator session; one of several wins
pending    expire          expired      its asker: time-out or hang-up; the host: the bottle ends
claimed    apply           applied      that session: what was proposed is in force
claimed    fail            pending      it could not be put in force, or the session is gone
claimed    reject          rejected     that session
claimed    expire          expired      as above: the session's answer comes too late
applied    acknowledge     approved     the proxy: it obeys
applied    fail            pending      the proxy does not
approved   audit           audited      the controller
rejected   audit           audited      the controller
=========  ==============  ===========  =========================================================

Every other step is refused: an answer that comes second loses.
"""

from __future__ import annotations

from enum import StrEnum

from bot_bottle.base.errors import BotBottleError


class State(StrEnum):
    PENDING = "pending"
    CLAIMED = "claimed"
    APPLIED = "applied"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    AUDITED = "audited"


class Event(StrEnum):
    CLAIM = "claim"
    APPLY = "apply"
    ACKNOWLEDGE = "acknowledge"
    REJECT = "reject"
    FAIL = "fail"
    EXPIRE = "expire"
    AUDIT = "audit"


class IllegalStep(BotBottleError):
    """The proposal is no longer, or not yet, in a state for that."""


STEPS: dict[tuple[State, Event], State] = {
    (State.PENDING, Event.CLAIM): State.CLAIMED,
    (State.PENDING, Event.EXPIRE): State.EXPIRED,
    (State.CLAIMED, Event.APPLY): State.APPLIED,
    (State.CLAIMED, Event.FAIL): State.PENDING,
    (State.CLAIMED, Event.REJECT): State.REJECTED,
    (State.CLAIMED, Event.EXPIRE): State.EXPIRED,
    (State.APPLIED, Event.ACKNOWLEDGE): State.APPROVED,
    (State.APPLIED, Event.FAIL): State.PENDING,
    (State.APPROVED, Event.AUDIT): State.AUDITED,
    (State.REJECTED, Event.AUDIT): State.AUDITED,
}

ANSWERABLE = frozenset({State.PENDING, State.CLAIMED})


def step(state: State, event: Event) -> State:
    """What *state* becomes. Raises :class:`IllegalStep`."""
    try:
        return STEPS[state, event]
    except KeyError:
        raise IllegalStep(f"a proposal that is {state} can't {event}") from None
