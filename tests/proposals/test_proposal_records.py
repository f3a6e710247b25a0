"""What a sidecar or a host wrote is read strictly, whoever wrote it, and what is accepted re-encodes to the same."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.proposals import files
from bot_bottle.proposals.claims import Claim, decode_claim, encode_claim
from bot_bottle.proposals.lease import LEASE_S, is_live, write_lease
from bot_bottle.proposals.limits import TIMEOUT_S, read_timeout
from bot_bottle.proposals.records import (
    BadRecord,
    Proposal,
    Response,
    Status,
    Tool,
    content_hash,
    decode_proposal,
    decode_response,
    encode,
    is_id,
    mint_id,
)
from bot_bottle.proposals.states import ANSWERABLE, STEPS, Event, IllegalStep, State, step

ID = "0b8f7a3e-5c1d-4e2f-9a6b-7c8d9e0f1a2b"


def proposal(**changes: object) -> Proposal:
    content = "host: a.example.com\n"
    fields: dict[str, object] = {
        "id": ID,
        "bottle_slug": "dev",
        "tool": Tool.EGRESS_TOKEN_ALLOW,
        "proposed_file": content,
        "justification": "because",
        "arrival_timestamp": "2026-01-02T03:04:05Z",
        "current_file_hash": content_hash(content),
    }
    return Proposal(**{**fields, **changes})  # type: ignore[arg-type]


def test_a_proposal_is_written_as_state_md_has_it():
    """Indented by two, one final line end, read back to the same."""
    data = encode(proposal())
    assert data.startswith(b'{\n  "id": ') and data.endswith(b"}\n") and not data.endswith(b"\n\n")
    assert decode_proposal(data, bottle="dev", id=ID) == proposal()


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("id", "../../etc/passwd"),
        ("id", mint_id()),
        ("id", ID.upper()),
        ("bottle_slug", "other"),
        ("tool", "egress-everything"),
        ("proposed_file", None),
        ("proposed_file", "x" * (1024 * 1024 + 1)),
        ("justification", 3),
        ("more", "x"),
    ],
)
def test_a_proposal_that_is_none(change, value):
    """Another's, an unknown tool, wrong types, too long, a field too many: skipped by whoever reads it."""
    raw = {**json.loads(encode(proposal())), change: value}
    with pytest.raises(BadRecord):
        decode_proposal(json.dumps(raw).encode(), bottle="dev", id=ID)


@pytest.mark.parametrize("missing", [field.name for field in msgspec.structs.fields(Proposal)])
def test_every_field_of_a_proposal_is_needed(missing):
    raw = json.loads(encode(proposal()))
    del raw[missing]
    with pytest.raises(BadRecord):
        decode_proposal(json.dumps(raw).encode(), bottle="dev", id=ID)


REPORT, ROUTES = proposal(), proposal(tool=Tool.EGRESS_ALLOW)


@pytest.mark.parametrize(
    ("asked", "response", "good"),
    [
        (REPORT, Response(ID, Status.APPROVED, "it is a test key"), True),
        (REPORT, Response(ID, Status.REJECTED), True),
        (REPORT, Response(ID, Status.APPROVED, " "), False),
        (REPORT, Response(ID, Status.MODIFIED, "so", "host: b"), False),
        (REPORT, Response(mint_id(), Status.REJECTED), False),
        (REPORT, Response(ID, Status.REJECTED, "x" * 5000), False),
        (ROUTES, Response(ID, Status.APPROVED), True),
        (ROUTES, Response(ID, Status.MODIFIED, "", "routes: []"), True),
        (ROUTES, Response(ID, Status.MODIFIED), False),
        (ROUTES, Response(ID, Status.APPROVED, "", "routes: []"), False),
    ],
)
def test_responses(asked, response, good):
    """A report is not modified, and approved with a reason only (supervise.md §1, ruling 18)."""
    data = encode(response)
    if good:
        assert decode_response(data, asked) == response
    else:
        with pytest.raises(BadRecord):
            decode_response(data, asked)


@given(st.binary(max_size=300))
def test_property_bytes_never_crash_a_reader(data):
    """Whatever stands there: a record, or BadRecord, or None."""
    for read in (
        lambda: decode_proposal(data, bottle="dev", id=ID),
        lambda: decode_response(data, REPORT),
    ):
        with pytest.raises(BadRecord):
            read()
    decode_claim(data)
    assert is_live(data, 5.0) in (True, False)


def test_ids_become_names_of_files_only_if_they_are_ids():
    assert is_id(mint_id())
    assert files.id_of_proposal(files.proposal_name(ID)) == ID
    for name in ("x.proposal.json", ".proposal.json", f"{ID}.response.json", f"{ID}.proposal.json~"):
        assert files.id_of_proposal(name) is None
    for bad in ("", "..", "../x", ID + "/..", ID.upper()):
        with pytest.raises(ValueError, match="no proposal"):
            files.response_name(bad)


def test_a_claim_re_encodes_to_itself():
    claim = Claim(12, 3456, "boot", "2026-01-02T03:04:05Z")
    assert decode_claim(encode_claim(claim)) == claim
    assert decode_claim(b"{}") is None
    assert decode_claim(None) is None


@pytest.mark.parametrize(
    ("data", "now", "live"),
    [
        (write_lease(100.0), 100.0, True),
        (write_lease(100.0), 100.0 + LEASE_S, True),
        (write_lease(100.0), 100.1 + LEASE_S, False),
        (write_lease(200.0), 100.0, False),
        (None, 1.0, False),
        (b"", 1.0, False),
        (b"nan", 1.0, False),
        (b"1" * 100, 1.0, False),
    ],
)
def test_leases(data, now, live):
    """Ten seconds; none from the future, none that is no number."""
    assert is_live(data, now) is live


@pytest.mark.parametrize(
    ("text", "seconds", "warns"),
    [
        (None, TIMEOUT_S, False),
        ("", TIMEOUT_S, False),
        ("12", 12.0, False),
        ("0.5", 0.5, False),
        ("0", TIMEOUT_S, True),
        ("-1", TIMEOUT_S, True),
        ("nan", TIMEOUT_S, True),
        ("inf", TIMEOUT_S, True),
        ("soon", TIMEOUT_S, True),
    ],
)
def test_the_wait(text, seconds, warns):
    """A bad value falls back to the default, with a warning (dlp.md §3)."""
    found, warning = read_timeout(text)
    assert found == seconds
    assert (warning is not None) is warns


def test_the_states():
    """Two answers don't both count; what has ended stays so; only what is pending or claimed can be answered."""
    assert step(State.PENDING, Event.CLAIM) is State.CLAIMED
    with pytest.raises(IllegalStep):
        step(State.CLAIMED, Event.CLAIM)
    for ended in (State.EXPIRED, State.AUDITED):
        assert all(state is not ended for state, _ in STEPS)
    assert {state for (state, event), _ in STEPS.items() if event is Event.EXPIRE} == ANSWERABLE
    reachable = {State.PENDING, *STEPS.values()}
    assert reachable == set(State)
