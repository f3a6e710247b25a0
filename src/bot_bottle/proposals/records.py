"""A proposal and its response as they are written (state.md §6), read strictly: who wrote them is not trusted.

JSON objects, indented by two, one final line end. A record that lacks a field, has another, or holds a value that
is none raises :class:`BadRecord`; its message quotes nothing.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from enum import StrEnum
from typing import TypeVar

import msgspec
from msgspec import Struct

from bot_bottle.base.errors import BotBottleError

MAX_RECORD_BYTES = 2 * 1024 * 1024
"""A routes file of 1 MiB, escaped; more is not read (ruling 19)"""
MAX_CONTENT_CHARS = 1024 * 1024
MAX_NOTES_CHARS = 4096


_Kind = TypeVar("_Kind", "Proposal", "Response")


class BadRecord(BotBottleError):
    """What was read is no such record."""


class Tool(StrEnum):
    EGRESS_ALLOW = "egress-allow"
    EGRESS_BLOCK = "egress-block"
    EGRESS_TOKEN_ALLOW = "egress-token-allow"  # noqa: S105
    GITLEAKS_ALLOW = "gitleaks-allow"


REPORTS = frozenset({Tool.EGRESS_TOKEN_ALLOW, Tool.GITLEAKS_ALLOW})
"""They report something; there is nothing in them to modify."""


class Status(StrEnum):
    APPROVED = "approved"
    MODIFIED = "modified"
    REJECTED = "rejected"


class Proposal(Struct, frozen=True, forbid_unknown_fields=True):
    """One question."""

    id: str
    """UUID4"""
    bottle_slug: str
    tool: Tool
    proposed_file: str
    """routes as YAML, or a report as text"""
    justification: str
    arrival_timestamp: str
    """UTC, ISO 8601"""
    current_file_hash: str
    """SHA-256 hex of what it is based on; of the content itself for a report"""


class Response(Struct, frozen=True, forbid_unknown_fields=True):
    """Its answer."""

    proposal_id: str
    status: Status
    notes: str = ""
    """the operator's reason"""
    final_file: str | None = None
    """when modified"""


def mint_id() -> str:
    """A new proposal's id."""
    return str(uuid.uuid4())


def is_id(text: str) -> bool:
    """Whether *text* is a UUID4 in its one canonical form: it becomes part of a path."""
    try:
        parsed = uuid.UUID(text)
    except ValueError:
        return False
    return parsed.version == 4 and str(parsed) == text


def content_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def encode(record: Proposal | Response) -> bytes:
    """*record* as a file's content."""
    return json.dumps(msgspec.to_builtins(record), indent=2).encode("ascii") + b"\n"


def decode_proposal(data: bytes, *, bottle: str, id: str) -> Proposal:
    """The proposal in a file named after *id*, in the directory of *bottle*. Raises :class:`BadRecord`, also where
    it says that it is another's (ruling 19)."""
    found = _decode(data, Proposal)
    if found.id != id or not is_id(id) or found.bottle_slug != bottle:
        raise BadRecord("the proposal is not what its place says")
    if len(found.proposed_file) > MAX_CONTENT_CHARS or len(found.justification) > MAX_NOTES_CHARS:
        raise BadRecord("the proposal is too long")
    return found


def decode_response(data: bytes, proposal: Proposal) -> Response:
    """The answer to *proposal*. Raises :class:`BadRecord` for what can't be one: of another proposal, a report
    that was modified (ruling 18), a report that was approved without a reason (supervise.md §1)."""
    found = _decode(data, Response)
    if found.proposal_id != proposal.id or len(found.notes) > MAX_NOTES_CHARS:
        raise BadRecord("the response is not the proposal's")
    if (found.status is Status.MODIFIED) is (found.final_file is None):
        raise BadRecord("what was modified goes with its final form, and nothing else does")
    if proposal.tool in REPORTS:
        if found.status is Status.MODIFIED:
            raise BadRecord("a report can't be modified")
        if found.status is Status.APPROVED and not found.notes.strip():
            raise BadRecord("a report is approved with a reason")
    return found


def _decode(data: bytes, kind: type[_Kind]) -> _Kind:
    if len(data) > MAX_RECORD_BYTES:
        raise BadRecord("the record is too large")
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise BadRecord("the record is not what it should be") from None  # its message could quote
