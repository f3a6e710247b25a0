"""The host's side of asking, against a sidecar that may be hostile and sessions that race (rulings 18, 19, 57)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot_bottle.proposals import files
from bot_bottle.proposals.claims import Claim, encode_claim
from bot_bottle.proposals.records import (
    BadRecord,
    Proposal,
    Status,
    Tool,
    content_hash,
    encode,
    mint_id,
)
from bot_bottle.store.layout import Layout
from bot_bottle.store.proposals import NotAnswerable, Questions
from bot_bottle.store.records import boot_id, process_start

LAUNCH = "f" * 32


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "home", tmp_path / "home", tmp_path / "run")
    for path in (layout.state("dev"), layout.guest("dev") / "egress", _asked(layout)):
        path.mkdir(parents=True)
    return layout


def _asked(layout: Layout) -> Path:
    return layout.guest("dev") / "run" / files.ASKED / LAUNCH


@pytest.fixture
def questions(layout: Layout) -> Questions:
    return Questions(layout, "dev", LAUNCH)


def _put(layout: Layout, **changes: object) -> Proposal:
    id = mint_id()
    fields = {
        "id": id,
        "bottle_slug": "dev",
        "tool": Tool.EGRESS_TOKEN_ALLOW,
        "proposed_file": "host: a\n",
        "justification": "j",
        "arrival_timestamp": "2026-01-02T03:04:05Z",
        "current_file_hash": content_hash("host: a\n"),
        **changes,
    }
    found = Proposal(**fields)  # type: ignore[arg-type]
    (_asked(layout) / files.proposal_name(id)).write_bytes(encode(found))
    return found


def test_pending_are_listed_oldest_first(layout, questions):
    late = _put(layout, arrival_timestamp="2026-01-02T09:00:00Z")
    early = _put(layout)
    assert questions.pending() == [early, late]


def test_what_is_not_what_its_place_says_is_skipped(layout, questions, tmp_path):
    """Another bottle's, other ids, half-written, links, FIFOs, directories, too large: none is followed, waited
    for or listed."""
    good = _put(layout)
    _put(layout, bottle_slug="other")
    _put(layout, id=mint_id())
    asked = _asked(layout)
    outside = tmp_path / "outside.json"
    outside.write_bytes(encode(good))
    (asked / files.proposal_name(mint_id())).symlink_to(outside)
    os.mkfifo(asked / files.proposal_name(mint_id()))
    (asked / files.proposal_name(mint_id())).mkdir()
    (asked / files.proposal_name(mint_id())).write_bytes(encode(good)[:20])
    (asked / files.proposal_name(mint_id())).write_bytes(b" " * (3 * 1024 * 1024))
    (asked / "notes.txt").write_text("x")
    assert questions.pending() == [good]


def test_a_directory_that_is_a_link_is_not_followed(layout, questions, tmp_path):
    """The sidecar can replace its own directory by a link to anywhere."""
    _put(layout)
    _asked(layout).rename(tmp_path / "moved")
    _asked(layout).symlink_to(tmp_path / "moved")
    assert questions.pending() == []


def test_an_answer_lies_where_the_sidecar_only_reads(layout, questions):
    """Claimed, answered, and no longer pending; the claim is gone."""
    asked = _put(layout)
    questions.claim(asked.id)
    questions.answer(asked.id, Status.APPROVED, "a key for tests")
    path = layout.guest("dev") / "egress" / files.ANSWERED / files.response_name(asked.id)
    assert path.stat().st_mode & 0o777 == 0o600
    assert questions.pending() == []
    assert not questions.is_acknowledged(asked.id)
    with pytest.raises(NotAnswerable):
        questions.claim(asked.id)


def test_an_answer_needs_a_claim_and_must_be_one(layout, questions):
    asked = _put(layout)
    (layout.state("dev") / files.CLAIMS).mkdir()
    with pytest.raises(NotAnswerable):
        questions.answer(asked.id, Status.REJECTED, "")
    questions.claim(asked.id)
    with pytest.raises(BadRecord):
        questions.answer(asked.id, Status.APPROVED, "")
    questions.answer(asked.id, Status.REJECTED, "no")


def test_of_two_sessions_one_wins(layout, questions):
    """Another process's claim holds while it lives, and counts no more when it is gone (ruling 57)."""
    asked = _put(layout)
    claims = layout.state("dev") / files.CLAIMS
    claims.mkdir()
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        claim = Claim(other.pid, process_start(other.pid) or 0, boot_id(), "2026-01-02T03:04:05Z")
        (claims / files.claim_name(asked.id)).write_bytes(encode_claim(claim))
        with pytest.raises(NotAnswerable, match=str(other.pid)):
            questions.claim(asked.id)
        with pytest.raises(NotAnswerable):
            questions.answer(asked.id, Status.REJECTED, "")
        questions.release(asked.id)
        assert (claims / files.claim_name(asked.id)).exists(), "it is not ours to give up"
    finally:
        other.communicate(b"\n")
    assert questions.claim(asked.id) == asked
    questions.release(asked.id)
    assert questions.pending() == [asked]


def test_what_the_asker_has_taken_back_can_not_be_answered(layout, questions):
    asked = _put(layout)
    questions.claim(asked.id)
    (_asked(layout) / files.proposal_name(asked.id)).unlink()
    with pytest.raises(NotAnswerable):
        questions.answer(asked.id, Status.APPROVED, "too late")
    assert questions.is_acknowledged(asked.id)


def test_the_lease_is_renewed(layout, questions):
    questions.renew_lease()
    assert float((layout.guest("dev") / "egress" / files.LEASE).read_text()) > 0


def test_the_git_gate_asks_and_is_answered_in_directories_of_its_own(
    layout: Layout, questions: Questions
) -> None:
    guest = layout.guest("dev")
    gate = Questions(layout, "dev", LAUNCH, gate=True)
    for path in (guest / "gate" / files.ASKED / LAUNCH, guest / "gate-told"):
        path.mkdir(parents=True)
    asked = _put(layout, tool=Tool.GITLEAKS_ALLOW)
    assert gate.pending() == []
    name = files.proposal_name(asked.id)
    (_asked(layout) / name).rename(guest / "gate" / files.ASKED / LAUNCH / name)
    assert questions.pending() == []
    assert gate.pending() == [asked]
    gate.renew_lease()
    gate.claim(asked.id)
    gate.answer(asked.id, Status.APPROVED, "test data")
    assert sorted(path.name for path in (guest / "gate-told").iterdir()) == [files.ANSWERED, files.LEASE]
    assert list((guest / "egress").iterdir()) == []
