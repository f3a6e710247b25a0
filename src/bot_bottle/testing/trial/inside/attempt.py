"""One attempt and what it reports; the table of all attempts by name."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Callable
from typing import Any

from .talk import Answer, Stopped, Way

STOPPED, THROUGH, FAILED = "stopped", "through", "failed"


class Report:
    """``outcome``: how it looked from here. ``found`` and ``planted``: ``[place, value]`` pairs."""

    def __init__(
        self, outcome: str, by: str = "", found: list[list[str]] | None = None,
        planted: list[list[str]] | None = None,
    ) -> None:  # fmt: skip
        self.outcome = outcome
        self.by = by
        self.found = found or []
        self.planted = planted or []

    def record(self, name: str) -> dict[str, Any]:
        return {
            "kind": "attempt", "name": name, "outcome": self.outcome, "by": self.by[:200],
            "found": self.found[:100], "planted": self.planted,
        }  # fmt: skip


class Scene:
    """What an attempt is given: where it runs, its token, the order's values by name."""

    def __init__(self, order: dict[str, Any], name: str) -> None:
        self.order = order
        self.inside: bool = order["where"] == "inside"
        self.way = Way(self.inside, order["places"])
        self.token = f"{name}-{order['nonce']}"

    def __getitem__(self, key: str) -> Any:
        return self.order[key]


Attempt = Callable[[Scene], Report]
ATTEMPTS: dict[str, Attempt] = {}


def attempt(name: str) -> Callable[[Attempt], Attempt]:
    def register(function: Attempt) -> Attempt:
        ATTEMPTS[name] = function
        return function

    return register


def make(order: dict[str, Any], name: str) -> Report:
    """Make one attempt; whatever it raises becomes its report."""
    try:
        return ATTEMPTS[name](Scene(order, name))
    except Exception as error:
        return _of_error(error)


def _of_error(error: Exception) -> Report:
    if isinstance(error, Stopped):
        return Report(STOPPED, str(error))
    if isinstance(error, ssl.SSLError):
        return Report(STOPPED, f"TLS: {error.reason or error}")
    if isinstance(error, TimeoutError):
        return Report(STOPPED, "no answer")
    if isinstance(error, OSError):
        return Report(STOPPED, name_of(error))
    return Report(FAILED, f"{type(error).__name__}: {error}")


def name_of(error: OSError) -> str:
    """``connection refused``: the kernel's own words for it."""
    return os.strerror(error.errno).lower() if error.errno and error.errno > 0 else str(error)


def answered(answer: Answer) -> Report:
    """Through unless it was refused."""
    return Report(STOPPED if answer.status >= 400 or answer.status == 0 else THROUGH, answer.describe())


def first_through(tries: list[Callable[[], Report]]) -> Report:
    """Make them all: the first that got through, else the first refusal with the number of tries."""
    reports = []
    for each in tries:
        try:
            reports.append(each())
        except Exception as error:
            reports.append(_of_error(error))
    through = [report for report in reports if report.outcome == THROUGH]
    failed = [report for report in reports if report.outcome == FAILED]
    return (through or failed or reports)[0]


def in_child(action: Callable[[], str]) -> Report:
    """Run *action* in a process of its own (namespaces and terminals stay its own): its return is
    "through", an OSError what stopped it."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.close(reading)
            try:
                text, code = action(), 0
            except OSError as error:
                text, code = name_of(error), 2
            os.write(writing, text.encode("utf-8", "replace"))
        except BaseException as error:
            os.write(writing, repr(error).encode("utf-8", "replace")[:200])
        finally:
            sys.stdout = None  # what is buffered is the parent's to write
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        text = file.read(4096).decode("utf-8", "replace")
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    return Report({0: THROUGH, 2: STOPPED}.get(code, FAILED), text or f"status {code}")
