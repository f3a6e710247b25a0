"""Reads its order, works (inside), makes every attempt, and writes one JSON object a line; the last is ``end``."""

from __future__ import annotations

import json
import signal
import sys
from typing import Any

from . import search, system, web, wires, work
from .attempt import make

MODULES = (web, wires, search, system)
"""Imported for their attempts."""

TIME_LIMIT_S = 60
"""Of the whole run; a few seconds are usual. What is missing then is reported as missing."""


def _say(record: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


def main(order_path: str) -> None:
    signal.alarm(TIME_LIMIT_S)
    with open(order_path, encoding="utf-8") as file:
        order = json.load(file)
    if order["where"] == "inside":
        try:
            for step in work.steps(order):
                _say(step)
        except Exception as error:
            _say({"kind": "trouble", "what": f"{type(error).__name__}: {error}"[:500]})
    for name in order["attempts"]:
        _say(make(order, name).record(name))
    _say({"kind": "end"})
