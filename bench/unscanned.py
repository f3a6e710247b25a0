"""``bot-bottle`` with the scanner taken out of its proxy, for the benchmark: what the same proxy costs without it.

A route without detectors is no such thing: the canary is looked for there, and our credentials in what comes in.
"""

from __future__ import annotations

from typing import Any

from bot_bottle.cli.main import main
from bot_bottle.sidecar.proxy import answer
from bot_bottle.sidecar.proxy.inspection import Inspector


class Nothing:
    """A stream and a body in which nothing is ever found."""

    is_events = is_decoded = changes_length = False

    def __init__(self, *_: object) -> None:
        self.cleared = 0

    def feed(self, data: bytes) -> Any:
        self.cleared += len(data)
        return ()

    def finish(self) -> Any:
        return ()


class Passing(Nothing):
    """A response's body as it came."""

    def feed(self, data: bytes) -> Any:
        return data

    def finish(self) -> Any:
        return b""


def _take_out(place: Any, name: str, instead: object) -> None:
    if not hasattr(place, name):
        raise SystemExit(f"bench/unscanned.py: {place.__name__} has no {name} any more")
    setattr(place, name, instead)


if __name__ == "__main__":
    _take_out(Inspector, "head", lambda *_: [])
    _take_out(Inspector, "stream", lambda *_: Nothing())
    _take_out(answer, "InboundBody", Passing)
    _take_out(answer, "without_secrets", lambda _, headers: headers)
    main()
