"""The proxy's log: one JSON object a line (egress.md §6). Level 1; level 2 is not built.

Records are made of host, method, path without its query, and fixed sentences: no header, no body, no
secret. A bottle can provoke records as fast as it likes, so that only so many are written in a second; the
rest are counted in a record of their own.
"""

from __future__ import annotations

import json
import os
import time

from bot_bottle.base.clock import utc_now
from bot_bottle.egress.request import RequestIdentity
from bot_bottle.egress.verdict import Deny

MAX_PATH_CHARS = 512
"""of a path in a record; enough to know it by"""


class EventLog:
    """Writes records to a descriptor that somebody else owns; a record that can't be written is lost."""

    def __init__(self, fd: int, *, lines_per_s: int) -> None:
        self._fd = fd
        self._lines_per_s = lines_per_s
        self._second = 0
        self._written = 0
        self._left_out = 0
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
        self.write(record)

    def note(self, event: str, **fields: object) -> None:
        """Something worth knowing at level 1."""
        if self.level >= 1:
            self.write({"event": event, **fields})

    def incident(self, event: str, **fields: object) -> None:
        """Something that is written at every level."""
        self.write({"event": event, **fields})

    def write(self, record: dict[str, object]) -> None:
        second = int(time.monotonic())
        if second != self._second:
            left_out, self._left_out = self._left_out, 0
            self._second, self._written = second, 0
            if left_out:
                self._line({"event": "egress_log_left_out", "records": left_out})
        if self._written >= self._lines_per_s:
            self._left_out += 1
            return
        self._written += 1
        self._line(record)

    def _line(self, record: dict[str, object]) -> None:
        try:
            os.write(self._fd, json.dumps({"time": utc_now(), **record}).encode() + b"\n")
        except OSError:
            pass
