"""What ``--json`` writes: one type for each command's object; ``docs/reference/json.md`` is made from them.

Names are stable; a field may be added, never changed (``docs/development.md``).
"""

from __future__ import annotations

from typing import Any

import click
import msgspec

from bot_bottle.cli.log_lines import LogRecord


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """``run --json``: how the bottle ended."""

    identity: str
    status: int
    """the program's exit status, 128+n for a signal"""
    preserved: bool
    """it is kept for ``resume``"""
    leftovers: int
    """changes that nobody has taken out"""
    directory: str | None
    """where its layers lie; null: removed"""


class RunFailure(msgspec.Struct, frozen=True, kw_only=True):
    """``run --json``: no bottle could be made."""

    error: str
    status: int


class BottleRecord(msgspec.Struct, frozen=True, kw_only=True):
    """``list active --json``, ``list kept --json``: an array of these."""

    identity: str
    name: str
    """``label (agent)``, or the agent"""
    agent: str
    label: str
    color: str
    backend: str
    bottles: list[str]
    started_at: str
    """ISO 8601, UTC; empty: unknown"""
    preserved: bool
    state: str
    """starting, running, waiting, refused, finished; kept"""
    attached: bool | None = None
    """a terminal that types is attached; null: it runs in the foreground, or not at all"""
    status: int | None = None
    """of a finished one: the agent's exit status; null: it was stopped"""
    ended_at: str | None = None
    disk_bytes: int | None = None
    """what a kept one takes on the disk; null: it runs, or could not be counted"""


class ExplainRecord(msgspec.Struct, frozen=True, kw_only=True):
    """``explain --json``."""

    url: str
    """canonical, as it is judged"""
    method: str
    passes: bool
    rule: str
    policy: str
    """whose routes were asked"""
    route: str | None
    """its host; null: none"""
    credentials: list[str]
    """by name"""
    status: int | None
    """of the refusal"""
    reason: str | None
    hint: str | None


class InfoRecord(msgspec.Struct, frozen=True, kw_only=True):
    """``info --json``: what an agent would get."""

    agent: str
    file: str
    """that it comes from"""
    origin: str
    """``home`` or ``project`` (untrusted)"""
    shadows: str | None
    """the home file that a project's file hides"""
    provider: str
    env: list[str]
    """names"""
    skills: list[str]
    prompt: str
    bottles: list[str]
    git_user: str
    git_email: str
    git_upstreams: dict[str, str]
    """name to URL"""
    hosts: list[str]
    """of the manifest's routes; the provider's own come at launch"""


class ProblemRecord(msgspec.Struct, frozen=True, kw_only=True):
    """``validate --json``: an array of these."""

    level: str
    """``error``: a launch refuses it; ``warning``: it is passed over"""
    file: str
    """empty: it stands in none"""
    line: int
    """0: unknown"""
    path: str
    """the key, such as ``egress.routes[0].host``; empty: the file as a whole"""
    message: str


class PrunedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One kept bottle in ``prune --json``."""

    identity: str
    name: str
    last_used: str
    """ISO 8601, UTC"""
    disk_bytes: int | None
    """null: could not be counted"""
    removed: bool


class PruneRecord(msgspec.Struct, frozen=True, kw_only=True):
    """``prune --json``."""

    dry_run: bool
    bottles: list[PrunedRecord]
    """every kept bottle, those that stay too"""
    logs_removed: int
    """files; with ``dry_run`` those that would be"""
    logs_bytes: int
    """that all logs took on the disk before"""
    tools_bytes: int | None
    """that installed agents take; ``prune`` leaves them"""


class ScanRecord(msgspec.Struct, frozen=True, kw_only=True):
    """``scan --json``: an array of these."""

    file: str | None
    """as it was named; null: standard input"""
    line: int
    """of the finding's beginning, from 1"""
    start: int
    """in bytes, from the text's beginning; of something encoded, where the encoded part begins"""
    end: int
    detector: str
    rule: str
    severity: str
    """``block`` or ``warn``"""
    reason: str
    view: list[str]
    """how the text was read, outermost first; empty: as it is"""
    snippet: str
    """its surroundings, with every finding in them replaced"""


class ScanLine(msgspec.Struct, frozen=True, kw_only=True):
    """``scan --jsonl``: one of these a line."""

    id: Any
    """as it came"""
    findings: list[ScanRecord]


class Finding(msgspec.Struct, frozen=True):
    """``doctor --json``: an array of these. ``level``: ok, note (works without), fail."""

    level: str
    what: str
    fix: str = ""


RECORDS: dict[str, Any] = {
    "run": RunRecord,
    "run (no bottle)": RunFailure,
    "list available": list[str],
    "list active, list kept": list[BottleRecord],
    "explain": ExplainRecord,
    "doctor": list[Finding],
    "info": InfoRecord,
    "validate": list[ProblemRecord],
    "prune": PruneRecord,
    "logs": LogRecord,
    "scan": list[ScanRecord],
    "scan --jsonl": ScanLine,
}
"""Command to the type of its output."""


def show(record: Any) -> None:
    """Write *record* as one line of JSON on standard output."""
    click.echo(msgspec.json.encode(record))


def page() -> str:
    """``docs/reference/json.md``: the JSON Schema (2020-12) of each command's output."""
    parts = [
        "# Output of `--json`",
        "",
        "Made from the code by `make docs`; do not edit. One JSON value on standard output, described by JSON",
        "Schema 2020-12; of `logs --json`, one a line.",
    ]
    for command, kind in RECORDS.items():
        schema = msgspec.json.format(msgspec.json.encode(msgspec.json.schema(kind)), indent=2).decode()
        parts += ["", f"## {command}", "", "```json", schema, "```"]
    return "\n".join(parts) + "\n"
