"""Whatever a record holds, its line is one line of printable text."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.base.text import printable
from bot_bottle.cli.log_lines import BadSince, Wanted, level_of, parse_since, readable, record_of

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
BLOCK = {
    "time": "2026-03-04T05:00:00.000Z",
    "event": "egress_block",
    "status": 403,
    "reason": "egress: route: no route for this host",
    "host": "x.example",
    "port": 443,
    "method": "GET",
    "path": "/y",
}


def test_a_record_reads_in_one_order() -> None:
    """Time, event, method, host with path, status, reason, then what else there is."""
    assert click.unstyle(readable(BLOCK)) == (
        "2026-03-04T05:00:00.000Z egress_block GET x.example/y 403 egress: route: no route for this host"
    )


def test_headers_and_bodies_are_only_counted() -> None:
    record = {
        "time": "T", "event": "egress_response", "host": "h", "status": 200, "headers": [["a", "b"]], "body": "text",
        "body_bytes": 4, "request": 7,
    }  # fmt: skip
    assert click.unstyle(readable(record)) == "T egress_response h 200 4 bytes request=7"


@given(st.text(), st.recursive(st.none() | st.text() | st.integers(), st.lists), st.text())
def test_property_a_line_drives_no_terminal(event: str, value: object, host: str) -> None:
    line = click.unstyle(
        readable({"time": event, "event": event, "host": host, "reason": value, host: value})
    )
    assert printable(line) == line and "\x1b" not in line


@pytest.mark.parametrize("line", ["", "[]", "1", "null", "{", "[" * 200_000, '"x"', "\x1b[31m"])
def test_what_is_no_record(line: str) -> None:
    assert record_of(line) is None


@pytest.mark.parametrize(
    ("wanted", "passes"),
    [
        (Wanted(), True),
        (Wanted(level=1), True),
        (Wanted(level=0), False),
        (Wanted(events=("egress_block",)), True),
        (Wanted(events=("egress_redacted",)), False),
        (Wanted(since="2026-03-04T05:00:00.000Z"), True),
        (Wanted(since="2026-03-04T05:00:00.001Z"), False),
    ],
    ids=str,
)
def test_filters(wanted: Wanted, passes: bool) -> None:
    assert wanted.has(BLOCK) is passes


@pytest.mark.parametrize("record", [{}, {"event": 1}, {"event": "egress_block", "time": 5}], ids=str)
def test_a_filter_takes_no_broken_record(record: dict[str, object]) -> None:
    assert not Wanted(since="2026-01-01").has(record)


@pytest.mark.parametrize(
    ("event", "level"),
    [
        ("egress_token_supervise", 0),
        ("egress_canary", 0),
        ("egress_tainted", 0),
        ("egress_block", 1),
        ("egress_request", 2),
        ("git_bad_hook", 0),
        ("git_push_refused", 1),
        ("git_fetch", 2),
    ],
)
def test_levels(event: str, level: int) -> None:
    assert level_of(event) == level


@pytest.mark.parametrize(
    ("text", "then"),
    [
        ("90s", "2026-03-04T05:04:37.000Z"),
        ("10m", "2026-03-04T04:56:07.000Z"),
        ("2h", "2026-03-04T03:06:07.000Z"),
        ("1d", "2026-03-03T05:06:07.000Z"),
        ("999999999w", "1970-01-01T00:00:00.000Z"),
        ("2026-01-02", "2026-01-02T00:00:00.000Z"),
        ("2026-01-02T03:04+02:00", "2026-01-02T01:04:00.000Z"),
    ],
)
def test_since(text: str, then: str) -> None:
    assert parse_since(text, NOW) == then


@pytest.mark.parametrize("text", ["", "m", "-1h", "1.5h", "yesterday", "1y", "١m", "9999999999s"])
def test_no_time(text: str) -> None:
    with pytest.raises(BadSince):
        parse_since(text, NOW)
