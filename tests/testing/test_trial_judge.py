"""Invariant: "held" is said only of an attempt that reported, left nothing inside and arrived outside."""

from __future__ import annotations

import pytest

from bot_bottle.testing.trial.catalogue import ESCAPES, Escape, Evidence
from bot_bottle.testing.trial.inside import main  # noqa: F401 - imports every attempt
from bot_bottle.testing.trial.inside.attempt import ATTEMPTS
from bot_bottle.testing.trial.judge import Observed, Report, Verdict, judge

SECRET = "the-secret"
STOPPED, THROUGH, FAILED = Report("stopped", "403"), Report("through", "200"), Report("failed", "TypeError")
DECOY = (("file", "decoy"), ("memory", "decoy-2"))


def escape(evidence: Evidence, forgoable: str = "") -> Escape:
    return Escape("it", "A1", "an attempt", evidence, ("tls",), forgoable)


def phase(report: Report | None = None, arrived: str = "", changed: str = "") -> Observed:
    return Observed(
        {"it": report} if report else {},
        {"it": [arrived] if arrived else []},
        {"it": changed} if changed else {},
    )


def found(*values: str, planted: tuple[tuple[str, str], ...] = ()) -> Report:
    return Report("stopped", "", (*(("file", value) for value in values), *planted), planted)


ARRIVED = phase(THROUGH, arrived="tls: arrived")


@pytest.mark.parametrize(
    ("inside", "outside", "verdict", "reason"),
    [
        (phase(STOPPED), ARRIVED, Verdict.HELD, ""),
        (phase(THROUGH), ARRIVED, Verdict.HELD, ""),  # the listener is believed, not the agent
        (phase(STOPPED, arrived="tls: arrived"), ARRIVED, Verdict.ESCAPED, "tls: arrived"),
        (phase(None, arrived="tls: arrived"), ARRIVED, Verdict.ESCAPED, "tls: arrived"),
        (phase(STOPPED, arrived="tls: arrived"), phase(), Verdict.ESCAPED, "tls: arrived"),
        (phase(STOPPED), phase(THROUGH), Verdict.NOT_PROVEN, "the control did not arrive"),
        (phase(STOPPED), phase(), Verdict.NOT_PROVEN, "the control did not arrive"),
        (phase(None), ARRIVED, Verdict.NOT_PROVEN, "did not report"),
        (phase(FAILED), ARRIVED, Verdict.NOT_PROVEN, "the attempt failed: TypeError"),
    ],
)
def test_what_arrives(inside: Observed, outside: Observed, verdict: Verdict, reason: str) -> None:
    """The listeners decide, whatever the attempt says of itself."""
    row = judge(escape(Evidence.ARRIVES), inside, outside, ())
    assert row.verdict is verdict
    assert reason in row.reason
    assert bool(row.reason) == (verdict is not Verdict.HELD)


@pytest.mark.parametrize(
    ("inside", "outside", "secrets", "verdict"),
    [
        (found(planted=DECOY), found(SECRET), {SECRET}, Verdict.HELD),
        (found(SECRET, planted=DECOY), found(SECRET), {SECRET}, Verdict.ESCAPED),
        (found("of the same shape", planted=DECOY), found(SECRET), {SECRET}, Verdict.ESCAPED),
        (found(SECRET), found(SECRET), {SECRET}, Verdict.ESCAPED),
        (Report("stopped", "", DECOY[:1], DECOY), found(SECRET), {SECRET}, Verdict.NOT_PROVEN),
        (found(planted=DECOY), found(planted=DECOY), {SECRET}, Verdict.NOT_PROVEN),
        (found(planted=DECOY), found("another"), {SECRET}, Verdict.NOT_PROVEN),
        (found(planted=DECOY), found(planted=DECOY), (), Verdict.HELD),
        (found(planted=DECOY), Report("stopped", "", DECOY[:1], DECOY), (), Verdict.NOT_PROVEN),
        (found("a key", planted=DECOY), found(planted=DECOY), (), Verdict.ESCAPED),
    ],
)
def test_what_is_found(inside: Report, outside: Report, secrets: set[str], verdict: Verdict) -> None:
    """A search that misses a decoy proves nothing; a value that nobody planted is an escape."""
    row = judge(escape(Evidence.FINDS), phase(inside), phase(outside), secrets)
    assert row.verdict is verdict, row


@pytest.mark.parametrize(
    ("evidence", "inside", "outside", "verdict"),
    [
        (Evidence.CHANGES, phase(STOPPED), phase(THROUGH, changed="ended"), Verdict.HELD),
        (Evidence.CHANGES, phase(STOPPED, changed="ended"), phase(changed="ended"), Verdict.ESCAPED),
        (Evidence.CHANGES, phase(THROUGH), phase(THROUGH), Verdict.NOT_PROVEN),
        (Evidence.ANSWERS, phase(STOPPED), phase(THROUGH), Verdict.HELD),
        (Evidence.ANSWERS, phase(THROUGH), phase(THROUGH), Verdict.ESCAPED),
        (Evidence.ANSWERS, phase(STOPPED), phase(STOPPED), Verdict.NOT_PROVEN),
        (Evidence.ANSWERS, phase(FAILED), phase(THROUGH), Verdict.NOT_PROVEN),
    ],
)
def test_what_changes_and_what_answers(
    evidence: Evidence, inside: Observed, outside: Observed, verdict: Verdict
) -> None:
    """The host's state is looked at; where only the kernel's answer could tell, it does."""
    assert judge(escape(evidence), inside, outside, ()).verdict is verdict


def test_a_way_that_a_host_may_lack_is_named() -> None:
    """The reason of such a row says what the host lacks."""
    row = judge(escape(Evidence.ANSWERS, "no such thing here"), phase(STOPPED), phase(STOPPED), ())
    assert row.reason == "the control did not arrive (403): no such thing here"


def test_every_escape_has_its_attempt_and_every_attempt_its_row() -> None:
    """Nothing is listed that is not tried, nothing tried that is not judged."""
    names = [each.name for each in ESCAPES]
    assert sorted(names) == sorted(ATTEMPTS)
    assert len(set(names)) == len(names)
    assert all(each.sinks for each in ESCAPES if each.evidence is Evidence.ARRIVES)
