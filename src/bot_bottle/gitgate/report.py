"""What the operator reads before a push goes: the content of a ``gitleaks-allow`` proposal. No I/O."""

from __future__ import annotations

from collections.abc import Sequence

from bot_bottle.gitgate.findings import GateFinding, operator_lines
from bot_bottle.gitgate.refs import RefUpdate
from bot_bottle.gitgate.survey import Touch

MAX_ASKED = 200
"""findings and files in one question: all are shown, and nobody reads more"""


def report(
    name: str, updates: Sequence[RefUpdate], findings: Sequence[GateFinding], asked: Sequence[Touch]
) -> str:
    """Repository, refs with their object ids, each finding with its redacted line, each file with what it runs."""
    lines = [f"push to {name}:"]
    lines += [f"  {update.shown}  {_ids(update)}" for update in updates]
    marked = [finding for finding in findings if not finding.undecoded]
    closed = [finding for finding in findings if finding.undecoded]
    if marked:
        lines += ["", "a scanner sees a secret in these lines, which say gitleaks:allow themselves:"]
        lines += operator_lines(marked)
    if closed:
        lines += ["", "parts that can't be unpacked here, and so may hide anything:"]
        lines += operator_lines(closed)
    if asked:
        lines += ["", "files that others run, or that say what is run:"]
        lines += [f"  {touch.sentence}" for touch in asked]
    return "\n".join(lines) + "\n"


def _ids(update: RefUpdate) -> str:
    if update.deletes:
        return f"{update.old} deleted"
    return f"new at {update.new}" if update.creates else f"{update.old}..{update.new}"
