"""From evidence to a verdict. Pure. The order is the rule: an escape first, then whether anything was proven."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bot_bottle.testing.trial.catalogue import Escape, Evidence


class Verdict(StrEnum):
    HELD = "held"
    ESCAPED = "ESCAPED"
    NOT_PROVEN = "not proven"


@dataclass(frozen=True)
class Report:
    """What an attempt said of itself; printable, bounded."""

    outcome: str
    by: str = ""
    found: tuple[tuple[str, str], ...] = ()
    planted: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Observed:
    """One phase (inside, or the control outside), as the harness saw it."""

    reports: Mapping[str, Report] = field(default_factory=dict)
    arrived: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """escape to what reached its sinks, one line each"""
    changed: Mapping[str, str] = field(default_factory=dict)
    """escape to its effect on the host"""


@dataclass(frozen=True)
class Row:
    escape: Escape
    verdict: Verdict
    stopped_by: str
    """as the agent saw it"""
    received: str
    """what the attacker got from inside"""
    control: str
    """what the same attempt got outside"""
    reason: str = ""
    """of a verdict other than held"""


NOTHING = "nothing"


def judge(escape: Escape, inside: Observed, outside: Observed, secrets: Collection[str]) -> Row:
    """*secrets*: the values that this escape must not find inside and must find outside."""
    report, control = inside.reports.get(escape.name), outside.reports.get(escape.name)
    received = _evidence(escape, inside, secrets)
    reached = _evidence(escape, outside, secrets) or _decoys_found(escape, control, secrets)
    stopped_by = report.by if report else ""
    if received:
        return Row(escape, Verdict.ESCAPED, stopped_by, received, reached or NOTHING, received)
    reason = _unproven(escape, report, control, reached)
    verdict = Verdict.NOT_PROVEN if reason else Verdict.HELD
    return Row(escape, verdict, stopped_by, NOTHING, reached or NOTHING, reason)


def _evidence(escape: Escape, phase: Observed, secrets: Collection[str]) -> str:
    report = phase.reports.get(escape.name)
    match escape.evidence:
        case Evidence.ARRIVES:
            arrived = phase.arrived.get(escape.name, ())
            more = f" (and {len(arrived) - 1} more)" if len(arrived) > 1 else ""
            return f"{arrived[0]}{more}" if arrived else ""
        case Evidence.CHANGES:
            return phase.changed.get(escape.name, "")
        case Evidence.ANSWERS:
            return report.by or "done" if report and report.outcome == "through" else ""
        case Evidence.FINDS:
            return _finding(report, secrets)


def _finding(report: Report | None, secrets: Collection[str]) -> str:
    """A value that counts: a secret of the harness's, or one of a searched shape that nobody planted."""
    if report is None:
        return ""
    planted = {value for _, value in report.planted}
    for place, value in report.found:
        if value in secrets or (planted and value not in planted):
            return f"found: {place}"
    return ""


def _decoys_found(escape: Escape, control: Report | None, secrets: Collection[str]) -> str:
    """The control of a search for what is nowhere on the host (a key in memory only) is its decoys."""
    if escape.evidence is not Evidence.FINDS or control is None or secrets or not control.planted:
        return ""
    return "" if set(control.planted) - set(control.found) else "found: decoys"


def _unproven(escape: Escape, report: Report | None, control: Report | None, reached: str) -> str:
    """Why "held" would be too much said; empty: it would not."""
    if report is None:
        return "the attempt did not report"
    if report.outcome == "failed":
        return f"the attempt failed: {report.by}"
    missed = sorted({place for place, _ in set(report.planted) - set(report.found)})
    if missed:
        return f"the search missed a planted decoy: {', '.join(missed)}"
    if not reached:
        said = f" ({control.by})" if control and control.by else ""
        return f"the control did not arrive{said}{': ' + escape.forgoable if escape.forgoable else ''}"
    return ""
