"""What the operator is asked about a push, and that only a yes to exactly this push lets it pass."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import git_ground
import pytest
from gate_ground import LAUNCH, GateGround

from bot_bottle.dlp.registry import ALL_RULES
from bot_bottle.dlp.sample import make
from bot_bottle.ipc.sidecar import KnownValue, Ready
from bot_bottle.proposals import files
from bot_bottle.proposals.records import Proposal, Status
from bot_bottle.store.guests import GATE_RUN, GATE_TOLD
from bot_bottle.store.layout import Layout
from bot_bottle.store.proposals import Questions


class Asking:
    """A gate with supervision, and its operator."""

    def __init__(self, ground: GateGround, place: Path) -> None:
        self.gate = ground
        layout = Layout(place / "home", place / "home", place / "sockets")
        layout.state("b").mkdir(parents=True)
        layout.guest("b").mkdir(parents=True)
        for name, real in ((GATE_RUN, "run"), (GATE_TOLD, "told")):
            (layout.guest("b") / name).symlink_to(ground.place / real)
        self.questions = Questions(layout, "b", LAUNCH, gate=True)
        self.questions._asked = ground.place / "run" / files.ASKED / LAUNCH  # not through the link
        ground.supervise = True
        self.upstream = ground.add()
        assert isinstance(ground.start(), Ready), ground.said()
        self.clone = ground.clone(self.upstream)

    def marked(self, name: str, secret: bytes) -> str:
        return self.gate.commit(self.clone, name, f"token = '{secret.decode()}'  # gitleaks:allow\n")

    def push(self) -> tuple[int, str]:
        done = self.gate.git("push", "origin", "HEAD:main", cwd=self.clone)
        return done.returncode, done.stderr

    @contextmanager
    def operator(self, act: Callable[[Proposal], None] | None) -> Iterator[list[Proposal]]:
        """Somebody is there, and acts on each question once."""
        over, seen = threading.Event(), list[Proposal]()

        def live() -> None:
            while not over.is_set():
                self.questions.renew_lease()
                for proposal in self.questions.pending():
                    if proposal.id not in [each.id for each in seen]:
                        seen.append(proposal)
                        if act is not None:
                            act(proposal)
                over.wait(0.1)

        self.questions.renew_lease()
        thread = threading.Thread(target=live)
        thread.start()
        try:
            yield seen
        finally:
            over.set()
            thread.join()
            (self.gate.place / "told" / files.LEASE).unlink()

    def answer(self, status: Status, notes: str) -> Callable[[Proposal], None]:
        def act(proposal: Proposal) -> None:
            self.questions.claim(proposal.id)
            self.questions.answer(proposal.id, status, notes)

        return act


@pytest.fixture
def asking(upstreams: git_ground.Ground, tmp_path: Path) -> Iterator[Asking]:
    with GateGround(upstreams, tmp_path) as ground:
        ground.known = (KnownValue("OPERATORS", "k7Qp2xVt9LmZr4Wd8Ns1", "operator"),)
        yield Asking(ground, tmp_path)


def _secret(seed: int = 1) -> bytes:
    rule = next(rule for rule in ALL_RULES if rule.name == "github-token")
    return make(rule.positives[0], random.Random(seed)).secret


def test_a_marked_line_waits_for_the_operator_and_passes_when_approved(asking: Asking) -> None:
    made = asking.marked("fixture.py", _secret())
    with asking.operator(asking.answer(Status.APPROVED, "a test's")) as seen:
        status, said = asking.push()
    assert status == 0, (said, asking.gate.said())
    assert asking.upstream.tip() == made
    (proposal,) = seen
    assert proposal.tool == "gitleaks-allow"
    for part in ("fixture.py:1", made, "refs/heads/main"):
        assert part in proposal.proposed_file
    assert _secret().decode() not in proposal.proposed_file + said + asking.gate.said()
    assert asking.gate.records("gitleaks_allowed")[0]["id"] == proposal.id


def test_a_rejection_is_the_clients_with_its_reason(asking: Asking) -> None:
    asking.marked("fixture.py", _secret())
    before = asking.upstream.refs()
    with asking.operator(asking.answer(Status.REJECTED, "use a fake one")) as seen:
        status, said = asking.push()
        assert (status, "use a fake one" in said) == (1, True), said
        status, said = asking.push()
        assert (status, "use a fake one" in said) == (1, True), "the same push is not asked about again"
    assert len(seen) == 1
    assert asking.upstream.refs() == before


@pytest.mark.slow
def test_nobody_there_is_a_refusal_and_a_later_approval_holds_for_that_push_alone(asking: Asking) -> None:
    made = asking.marked("fixture.py", _secret())
    before = asking.upstream.refs()
    status, said = asking.push()
    (proposal,) = asking.questions.pending()
    assert status == 1
    assert proposal.id in said and "no operator is there" in said
    asking.answer(Status.APPROVED, "fine")(proposal)

    asking.marked("another.py", _secret(2))
    status, said = asking.push()
    assert status == 1, "another commit is another push"
    assert asking.upstream.refs() == before

    asking.gate.git("checkout", "-q", "--detach", made, cwd=asking.clone)
    status, said = asking.push()
    assert status == 0, said
    assert asking.upstream.tip() == made

    asking.upstream.git("update-ref", "refs/heads/main", before["refs/heads/main"])
    status, said = asking.push()
    assert (status, "no operator is there" in said) == (1, True), "it was approved for once"


def test_a_malformed_answer_is_a_no(asking: Asking) -> None:
    asking.marked("fixture.py", _secret())

    def act(proposal: Proposal) -> None:
        place = asking.gate.place / "told" / files.ANSWERED
        place.mkdir()
        (place / files.response_name(proposal.id)).write_text('{"status": "approved"}')

    with asking.operator(act):
        status, said = asking.push()
    assert (status, "malformed" in said) == (1, True), said


@pytest.mark.slow
def test_no_answer_in_time_is_a_no(upstreams: git_ground.Ground, tmp_path: Path) -> None:
    with GateGround(upstreams, tmp_path) as ground:
        ground.ask_timeout_s = 6
        asking = Asking(ground, tmp_path)
        asking.marked("fixture.py", _secret())
        with asking.operator(None):
            status, said = asking.push()
            assert asking.questions.pending() == [], "it has expired"
    assert status == 1
    assert "did not answer within 6 s" in said
    assert "waiting for the operator to approve" in said, "a line at least every five seconds"


def test_a_client_that_goes_away_takes_its_question_back(asking: Asking) -> None:
    asking.marked("fixture.py", _secret())
    with asking.operator(None) as seen:
        client = asking.gate.open_git("push", "origin", "HEAD:main", cwd=asking.clone)
        _until(lambda: bool(seen))
        os.killpg(client.pid, signal.SIGKILL)
        client.wait()
        _until(lambda: not asking.questions.pending())
    assert asking.upstream.refs().keys() == {"refs/heads/main"}


def test_what_the_bottle_was_given_is_never_asked_about(asking: Asking) -> None:
    value = asking.gate.known[0].value
    asking.gate.commit(asking.clone, "a.py", f"x = '{value}'  # gitleaks:allow\n")
    with asking.operator(asking.answer(Status.APPROVED, "yes")) as seen:
        status, said = asking.push()
    assert (status, seen) == (1, []), said
    assert value not in said + asking.gate.said()


def test_files_that_others_run_are_asked_about(asking: Asking) -> None:
    made = asking.gate.commit(asking.clone, ".github/workflows/ci.yml", "on: push\n")
    with asking.operator(asking.answer(Status.APPROVED, "good")) as seen:
        status, said = asking.push()
    assert status == 0, said
    assert ".github/workflows/ci.yml" in seen[0].proposed_file
    assert asking.upstream.tip() == made


def _until(true: Callable[[], bool]) -> None:
    for _ in range(600):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to that within 30 s")
