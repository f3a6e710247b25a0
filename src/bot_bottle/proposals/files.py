"""Names of the files by which a sidecar asks and the host answers (rulings 18, 19, 52, 57).

=============================================  =========  ==========================================
below                                          written    what
=============================================  =========  ==========================================
``<run>/asked/<launch>/ID.proposal.json``      sidecar    pending
``<run>/asked/<launch>/processed/…``           sidecar    read to its end; ``ID.expired.json`` unanswered
``<egress>/answered/ID.response.json``         host       the answer; the sidecar only reads it
``<egress>/operator``                          host       the lease: an operator session is there
``state/<id>/claims/ID.claim``                 host       who is about to answer; no sidecar sees it
=============================================  =========  ==========================================

``<run>`` is all that a sidecar can write, ``<egress>`` its read-only directory.
"""

from __future__ import annotations

from bot_bottle.proposals.records import is_id

ASKED = "asked"
PROCESSED = "processed"
ANSWERED = "answered"
LEASE = "operator"
CLAIMS = "claims"

_PROPOSAL = ".proposal.json"
_RESPONSE = ".response.json"
_EXPIRED = ".expired.json"
_CLAIM = ".claim"


def proposal_name(id: str) -> str:
    return _checked(id) + _PROPOSAL


def response_name(id: str) -> str:
    return _checked(id) + _RESPONSE


def expired_name(id: str) -> str:
    return _checked(id) + _EXPIRED


def claim_name(id: str) -> str:
    return _checked(id) + _CLAIM


def id_of_proposal(name: str) -> str | None:
    """The id in a proposal's file name; None: it is none."""
    id = name.removesuffix(_PROPOSAL)
    return id if id != name and is_id(id) else None


def _checked(id: str) -> str:
    if not is_id(id):
        raise ValueError("no proposal's id")
    return id
