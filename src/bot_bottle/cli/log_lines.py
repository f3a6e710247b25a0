"""The proxy's and the git gate's records: their schema, which are shown, how one reads on a line. Pure; no I/O.

What is in them may have been chosen by a bottle, or written by a sidecar that was taken over: every text is made
printable, and what is no record is shown as a line of text.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import msgspec

from bot_bottle.base.text import printable

MAX_LINE_CHARS = 2000
"""A longer line is shown cut; the file has all of it."""

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_OLDEST = datetime(1970, 1, 1, tzinfo=UTC)

_TRAFFIC = frozenset({"egress_request", "egress_response", "egress_message", "git_fetch", "git_push_asked"})
_ALWAYS = frozenset(
    {
        "egress_canary",
        "egress_cut_off",
        "egress_log_left_out",
        "egress_reload_failed",
        "egress_tainted",
        "egress_token_allowed",
        "egress_token_rejected",
        "egress_token_supervise",
        "egress_tokens_refused",
        "git_bad_hook",
        "proxy_error",
    }
)
"""Level 2's, and those that are written at every level."""

_COLORS = (
    (
        frozenset(
            {
                "egress_block",
                "egress_canary",
                "egress_cut_off",
                "egress_inbound_block",
                "git_bad_hook",
                "git_failed",
                "git_push_failed",
                "git_push_refused",
                "proxy_error",
            }
        ),
        "red",
    ),
    (
        frozenset(
            {
                "egress_redacted",
                "egress_dlp_warn",
                "egress_token_supervise",
                "egress_upstream",
                "egress_websocket_closed",
                "git_stale",
            }
        ),
        "yellow",
    ),
    (frozenset({"egress_token_allowed", "egress_reloaded", "git_pushed"}), "green"),
)
_HEAD = ("time", "event", "method", "host", "path", "status", "reason")
_BULK = ("headers", "body")
"""Only counted on a line; ``--json`` has them."""


class LogRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``logs --json``: one of these a line. What an event has beside ``time`` and ``event`` depends on it; a field
    may be added."""

    time: str
    """ISO 8601, UTC"""
    event: str
    """``egress_block``, ``egress_upstream``, ``egress_redacted``, ``egress_dlp_warn``, ``egress_token_supervise``,
    ``egress_token_allowed``, ``egress_websocket_closed``, ``egress_request``, ``egress_response``,
    ``egress_message``; of the git gate ``git_fetch``, ``git_pushed``, ``git_push_refused``; and others"""
    host: str | None = None
    port: int | None = None
    method: str | None = None
    path: str | None = None
    """redacted; with its query in ``egress_request`` alone"""
    status: int | None = None
    """of the answer"""
    reason: str | None = None
    """a fixed sentence"""
    proposal: str | None = None
    """id of the question to the operator"""
    detector: str | None = None
    rule: str | None = None
    """which shape of credential, or the name of the secret"""
    code: int | None = None
    """of a WebSocket's close frame"""
    by: str | None = None
    """whose message or frame it was: ``bottle`` or ``upstream``"""
    request: int | None = None
    """number of the exchange; the same in its request, response and messages"""
    headers: list[tuple[str, str]] | None = None
    """names and redacted values; none that carries a credential"""
    body: str | None = None
    """redacted, then cut at 8 KiB; null: no text, or none"""
    body_bytes: int | None = None
    """of the whole body, as it went over the wire"""
    kind: str | None = None
    """of a WebSocket's message: ``text`` or ``binary``"""
    records: int | None = None
    """of ``egress_log_left_out``: how many are missing"""


class BadSince(ValueError):
    """Says how to write it."""


@dataclass(frozen=True)
class Wanted:
    """Which records are shown."""

    level: int = 2
    events: Collection[str] = ()
    """empty: all"""
    since: str = ""
    """ISO 8601 in UTC, as records have it; empty: from the beginning"""

    @property
    def is_everything(self) -> bool:
        return self == Wanted()

    def has(self, record: dict[str, Any]) -> bool:
        event = record.get("event")
        if not isinstance(event, str) or level_of(event) > self.level:
            return False
        if self.events and event not in self.events:
            return False
        time = record.get("time")
        return not self.since or (isinstance(time, str) and time >= self.since)


def level_of(event: str) -> int:
    """From which ``egress.log`` on *event* is written."""
    return 2 if event in _TRAFFIC else 0 if event in _ALWAYS else 1


def parse_since(text: str, now: datetime) -> str:
    """``90s``, ``10m``, ``2h``, ``1d`` ago, or a time in ISO 8601 (UTC unless it says). Raises :class:`BadSince`."""
    number, unit = text[:-1], text[-1:]
    if unit in _UNITS_S and number.isascii() and number.isdecimal() and len(number) < 10:
        seconds = int(number) * _UNITS_S[unit]
        then = max(now - timedelta(seconds=min(seconds, math.floor(now.timestamp()))), _OLDEST)
    else:
        try:
            then = datetime.fromisoformat(text)
        except ValueError:
            raise BadSince(
                f"{printable(text, limit=40)!r} is neither an age (10m, 2h, 1d) nor a time (2026-01-02T03:04)"
            ) from None
        then = then.replace(tzinfo=UTC) if then.tzinfo is None else then.astimezone(UTC)
    return then.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def record_of(line: str) -> dict[str, Any] | None:
    """The record in *line*; None: there is none."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def readable(record: dict[str, Any]) -> str:
    """*record* on one line: ``time event method host path status reason [the rest]``, coloured (where that can't
    be shown, click takes it out)."""
    event = str(record.get("event", ""))
    rest = {key: value for key, value in record.items() if key not in _HEAD and key not in _BULK}
    where = _text(record, "host") + _text(record, "path")
    size = rest.pop("body_bytes", None)
    if rest.get("port") == 443:
        del rest["port"]
    words = [_text(record, "method"), where, _text(record, "status"), _text(record, "reason")]
    if size is not None:
        words.append(f"{size} bytes")
    words += [f"{key}={_plain(value)}" for key, value in sorted(rest.items())]
    said = printable(" ".join(word for word in words if word), limit=MAX_LINE_CHARS)
    time, name = printable(_text(record, "time"), limit=40), printable(event, limit=60)
    return " ".join(
        part for part in (click.style(time, dim=True) if time else "", _colored(name, event), said) if part
    )


def _text(record: dict[str, Any], key: str) -> str:
    value = record.get(key)
    return "" if value is None else _plain(value)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _colored(name: str, event: str) -> str:
    color = next((color for events, color in _COLORS if event in events), None)
    return click.style(name, fg=color, bold=color == "red") if color else name
