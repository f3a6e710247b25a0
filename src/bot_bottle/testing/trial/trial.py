"""A whole trial: build the world, run the agent inside, make the control outside, judge every row."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot_bottle.base.text import printable
from bot_bottle.launch.watching import terminations
from bot_bottle.sandbox.contract import Backend
from bot_bottle.store.files import read_small
from bot_bottle.store.layout import Layout
from bot_bottle.testing.trial.bottle import Change, Ran, run_inside, run_outside
from bot_bottle.testing.trial.catalogue import ESCAPES
from bot_bottle.testing.trial.ground import ground
from bot_bottle.testing.trial.inside.work import FAULT, MENDED
from bot_bottle.testing.trial.judge import Report, Row, Verdict, judge
from bot_bottle.testing.trial.world import World

WORK = {
    "clone": "cloned a repository over https",
    "edit": "mended a program in it",
    "run": "ran it",
    "call": "called an API that needs a key",
    "commit": "committed the change",
    "push": "pushed it through the git gate, which scanned it",
}
"""The steps that ``inside.work`` reports, as they are shown."""


@dataclass(frozen=True)
class WorkStep:
    """One thing that the agent was to do, and what the host saw of it."""

    did: str
    done: bool
    seen: str


@dataclass(frozen=True)
class Result:
    work: tuple[WorkStep, ...]
    rows: tuple[Row, ...]
    trouble: str
    """what kept the agent from working, in its own words; empty: nothing"""
    seconds: float

    def count(self, verdict: Verdict) -> int:
        return sum(row.verdict is verdict for row in self.rows)

    @property
    def passed(self) -> bool:
        """All work done, nothing escaped, and unproven only what this host has no such way for."""
        return (
            all(step.done for step in self.work)
            and not self.count(Verdict.ESCAPED)
            and all(row.escape.forgoable for row in self.rows if row.verdict is Verdict.NOT_PROVEN)
        )


@dataclass(frozen=True)
class Spoil:
    """Where a test spoils a trial, to see that the table says so."""

    plan: Change = lambda plan: plan
    """opens a hole in the launch"""
    before_control: Callable[[World], None] = lambda _: None
    """takes away what the control would reach"""


@dataclass
class _Heard:
    """What one run of the attempts has said so far."""

    say: Callable[[str], None]
    reports: dict[str, Report] = field(default_factory=dict)
    steps: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    trouble: str = ""

    def __call__(self, record: Mapping[str, Any]) -> None:
        match record.get("kind"):
            case "step":
                step = _text(record.get("step"))
                self.steps[step] = record
                self.say(f"the agent {WORK.get(step, step)}")
            case "trouble":
                self.trouble = _text(record.get("what"))
            case "attempt":
                if not self.reports:
                    self.say("the agent tries to get out")
                report = Report(
                    _text(record.get("outcome")),
                    _text(record.get("by")),
                    _pairs(record.get("found")),
                    _pairs(record.get("planted")),
                )
                self.reports[_text(record.get("name"))] = report


def run_trial(
    operators: Layout,
    backend_of: Callable[[Layout], Backend],
    say: Callable[[str], None],
    spoil: Spoil | None = None,
) -> Result:
    """Run it. *operators* is where a bottle would live usually; the trial lives beside it.

    Raises what a launch raises, and :class:`Stopped`; nothing is left in any case.
    """
    spoil = spoil or Spoil()
    started = time.monotonic()
    with terminations(), ground(operators) as layout, World(layout) as world:
        say("a bottle starts, with a sidecar of its own")
        inside, outside = _Heard(say), _Heard(lambda _: None)
        world.begin()
        ran = run_inside(world, layout, backend_of(layout), inside, spoil.plan)
        if ran.outcome.status == 128 + signal.SIGINT:
            raise KeyboardInterrupt
        seen = world.observe("inside", inside.reports)
        work = _work(world, ran, inside.steps)
        say("the same attempts are made outside, as the control")
        spoil.before_control(world)
        world.begin()
        run_outside(world, outside)
        control = world.observe("outside", outside.reports)
        rows = tuple(judge(escape, seen, control, world.secrets_of(escape)) for escape in ESCAPES)
    trouble = inside.trouble or (
        "" if all(step.done for step in work) else printable(ran.complaints, limit=500)
    )
    return Result(work, rows, trouble, time.monotonic() - started)


def _work(world: World, ran: Ran, steps: Mapping[str, Mapping[str, Any]]) -> tuple[WorkStep, ...]:
    """Each step that the agent reports counts only with its trace outside of the bottle."""
    demo = ran.home / "demo"
    program = read_small(demo / "total.py") or b""
    head = (read_small(demo / ".git" / "refs" / "heads" / "main") or b"").decode("latin-1").strip()
    calls = world.reports_with_key()
    total = f'"{world.code.total}"'.encode()
    edited = MENDED.encode() in program and FAULT.encode() not in program
    commit = _text(steps.get("commit", {}).get("commit"))

    def step(name: str, done: bool, seen: str) -> WorkStep:
        done = done and name in steps
        return WorkStep(WORK[name], done, seen if done else "no trace of it outside")

    work = (
        step("clone", world.fetches() > 0, "the git server sent its pack"),
        step("edit", edited, "the change is in the bottle's layer"),
        step("run", any(total in call.body for call in calls), "the API got the right result"),
        step("call", bool(calls), "it got the key, which the agent never saw"),
        step("commit", bool(head) and head == commit, "the commit is in the bottle's layer"),
    )
    if world.gitleaks is None:
        return work
    pushed = bool(commit) and world.code.shared_head() == commit
    return (*work, step("push", pushed, "upstream has the commit; the agent never saw the token"))


def _text(value: object) -> str:
    return printable(value, limit=2000) if isinstance(value, str) else ""


def _pairs(value: object) -> tuple[tuple[str, str], ...]:
    """``[place, value]`` pairs; values are compared, so they stay as they are."""
    if not isinstance(value, list):
        return ()
    return tuple(
        (pair[0], pair[1])
        for pair in value
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair)
    )
