"""The proxy's log: one JSON object a line (egress.md §6), at level 0 (incidents and approvals), 1 or 2.

Records of level 1 are made of host, method, path without its query, and fixed sentences: no header, no body, no
secret. What level 2 adds (``recording``) is redacted before it comes here. A bottle can provoke records as fast as
it likes, so that only so many are written in a second, and only so many bytes in the long run; the rest are counted
in a record of their own. Incidents have a budget that blocks don't use up, and neither do requests at level 2.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from typing import Any

from bot_bottle.base.clock import utc_now
from bot_bottle.egress.request import RequestIdentity
from bot_bottle.egress.verdict import Deny
from bot_bottle.sidecar.proxy.limits import Limits

MAX_PATH_CHARS = 512
"""of a path in a record; enough to know it by"""


class _Budget:
    """Lines of this second, and bytes that are earned over time."""

    def __init__(self, lines_per_s: int, burst_bytes: int, bytes_per_s: int) -> None:
        self._lines_per_s = lines_per_s
        self._burst_bytes = burst_bytes
        self._bytes_per_s = bytes_per_s
        self._second = int(time.monotonic())
        self._lines = 0
        self._bytes = burst_bytes

    def next_second(self) -> bool:
        """Whether another second has begun; then there are lines and bytes again."""
        second = int(time.monotonic())
        if second == self._second:
            return False
        earned = (second - self._second) * self._bytes_per_s
        self._bytes = min(self._bytes + earned, self._burst_bytes)
        self._second, self._lines = second, 0
        return True

    def has(self, size: int) -> bool:
        if self._lines >= self._lines_per_s or self._bytes < size:
            return False
        self._lines += 1
        self._bytes -= size
        return True


class EventLog:
    """Writes records to a descriptor that somebody else owns; a record that can't be written is lost."""

    def __init__(self, fd: int, limits: Limits) -> None:
        self._fd = fd
        usual = limits.log_lines_per_s, limits.log_burst_bytes, limits.log_bytes_per_s
        self._budget = _Budget(*usual)
        self._incidents = _Budget(*usual)
        self._traffic = _Budget(
            limits.log_lines_per_s, limits.log_traffic_burst_bytes, limits.log_traffic_bytes_per_s
        )
        self._left_out = 0
        self._is_torn = False
        """the last line is half there: the disk was full"""
        self.level = 1

    def block(self, deny: Deny, identity: RequestIdentity | None, host: str | None = None) -> None:
        """A request was refused, or came to nothing (``egress_upstream``: the upstream's fault). *host*: of
        the tunnel, where the request has no identity."""
        if self.level < 1:
            return
        event = "egress_block" if deny.code == Deny.code else "egress_upstream"
        record: dict[str, object] = {"event": event, "status": deny.status, "reason": deny.reason}
        if identity is not None:
            record["host"] = identity.host
            record["port"] = identity.port
            record["method"] = identity.method
            record["path"] = identity.path[:MAX_PATH_CHARS]
        elif host is not None:
            record["host"] = host
        self._write(record, self._budget)

    def note(self, event: str, **fields: object) -> None:
        """Something worth knowing at level 1."""
        if self.level >= 1:
            self._write({"event": event, **fields}, self._budget)

    def incident(self, event: str, **fields: object) -> None:
        """Something that is written at every level, and however many requests are being refused."""
        self._write({"event": event, **fields}, self._incidents)

    def token(self, event: str, proposal: str, **fields: object) -> None:
        """A decision about a secret (``egress_token_supervise``, ``egress_token_allowed``): written at every level,
        with the proposal's id (ruling 11)."""
        self._write({"event": event, "proposal": proposal, **fields}, self._incidents)

    def traffic(self, event: str, **fields: object) -> None:
        """A request, response or message, at level 2; *fields* are redacted."""
        if self.level >= 2:
            self._write({"event": event, **fields}, self._traffic)

    def _write(self, record: dict[str, object], budget: _Budget) -> None:
        self.say_left_out(budget)
        line = _line(record)
        if not (budget.has(len(line)) and self._put(line)):
            self._left_out += 1

    def say_left_out(self, budget: _Budget | None = None) -> None:
        """Once a second, how many records are missing, if any are. Asked for now and then too: nothing may
        come after them. The number is kept while there is no room for it either."""
        if not (budget or self._budget).next_second() or not self._left_out:
            return
        if self._put(_line({"event": "egress_log_left_out", "records": self._left_out})):
            self._left_out = 0

    def _put(self, line: bytes) -> bool:
        """Whether *line* was written, whole."""
        data = b"\n" + line if self._is_torn else line
        try:
            written = os.write(self._fd, data)
        except OSError:
            return False
        self._is_torn = written < len(data)
        return not self._is_torn


def _line(record: dict[str, object]) -> bytes:
    return json.dumps({"time": utc_now(), **record}).encode() + b"\n"


def catch_strays(loop: asyncio.AbstractEventLoop, log: EventLog) -> None:
    """For the whole process: errors that nobody catches become records, within the budget.

    The interpreter would write each with its traceback to standard error, which is the log: a server name
    that is not ASCII makes one in OpenSSL's binding, and quotes the name.
    """

    def note(error: BaseException | type[BaseException] | None) -> None:
        kind = error if isinstance(error, type) else type(error)
        log.note("proxy_stray_error", error=kind.__name__)

    def in_loop(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        note(context.get("exception"))

    sys.unraisablehook = lambda stray: note(stray.exc_type)
    loop.set_exception_handler(in_loop)
