"""The trial's bottle: a real launch, with the very code of ``run``, of the scripted agent."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot_bottle import __version__
from bot_bottle.base import messages
from bot_bottle.base.clock import utc_now
from bot_bottle.base.ids import mint_identity, mint_nonce
from bot_bottle.base.process import plain_environment, run
from bot_bottle.launch.plan import LaunchError, LaunchPlan
from bot_bottle.launch.prepare import Host, prepare
from bot_bottle.launch.relay import Console
from bot_bottle.launch.request import LaunchRequest
from bot_bottle.launch.session import Outcome, Session
from bot_bottle.providers.contract import GUEST_HOME, GuestFile
from bot_bottle.sandbox.contract import Backend, Resources
from bot_bottle.store import bottles
from bot_bottle.store.directories import prepare as prepare_directories
from bot_bottle.store.layout import Layout
from bot_bottle.store.metadata import RunPlan
from bot_bottle.testing.trial.gate import TOKEN_VARIABLE, with_gate
from bot_bottle.testing.trial.world import KEY_VARIABLE, PROCESSES, World

PLACE = GUEST_HOME / ".try"
SOURCE = Path(__file__).parent
_START = "import sys; sys.path.insert(0, sys.argv[1]); from inside.main import main; main(sys.argv[2])"
MAX_OUTPUT_BYTES = 8 << 20
CONTROL_TIMEOUT_S = 90.0

Change = Callable[[LaunchPlan], LaunchPlan]
Line = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Ran:
    """The bottle after its end; its state is the ground's to remove."""

    outcome: Outcome
    home: Path
    """the upper layer of the agent's home, on the host"""
    complaints: str
    """the agent's standard error"""


def run_inside(world: World, layout: Layout, backend: Backend, on_line: Line, change: Change) -> Ran:
    """Launch, let the agent do all it does, tear down. *on_line* gets each of its records as it comes.

    Raises what a launch raises.
    """
    prepare_directories(layout)
    identity = mint_identity("try")
    request = LaunchRequest(
        template="command",
        cwd=str(layout.home),
        backend=backend.name,
        run=RunPlan(
            argv=("python3", "-I", "-c", _START, str(PLACE), str(PLACE / "order.json")),
            routes_file=str(world.routes_file),
            connect_to=world.connect_to(),
            extra_ca=(str(world.ca),),
        ),
    )
    host = Host(layout, {KEY_VARIABLE: world.key}, _nobody, progress=messages.debug)
    plan = prepare(request, host, instance=identity).plan
    plan = replace(plan, files=_files(world), resources=Resources(pids=PROCESSES))
    if world.gitleaks is not None:
        plan = with_gate(plan, world.code.token, world.gitleaks, layout.home.parent)
    plan = change(plan)
    complaints = layout.home / "agent.err"
    metadata = replace(request.metadata(utc_now(), mint_nonce(), __version__), workspace_mode="none")
    with bottles.create(layout, identity) as state, _Output(on_line, complaints) as console:
        outcome = Session(plan, metadata, state, layout, backend, console).run()
    return Ran(
        outcome, layout.guest(identity) / "home" / "upper", complaints.read_text(errors="replace")[-2000:]
    )


def run_outside(world: World, on_line: Line) -> None:
    """Make the same attempts as an ordinary process of the operator's, keys in its environment."""
    order = world.ca.with_name("order.json")
    order.write_text(json.dumps(world.order("outside")))
    env = {**plain_environment(), KEY_VARIABLE: world.key, TOKEN_VARIABLE: world.code.token}
    argv = [_python(), "-I", "-c", _START, str(SOURCE), str(order)]
    done = run(argv, timeout_s=CONTROL_TIMEOUT_S, env=env, cwd=order.parent)
    for line in done.stdout.splitlines():
        _take(line, on_line)


def _python() -> str:
    """The one that the bottle uses, where it is there: its control is the same program then."""
    return "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable


def _files(world: World) -> tuple[GuestFile, ...]:
    code = [
        GuestFile(PLACE / "inside" / path.name, path.read_bytes(), 0o644)
        for path in sorted((SOURCE / "inside").glob("*.py"))
    ]
    return (*code, GuestFile(PLACE / "order.json", json.dumps(world.order("inside")).encode(), 0o644))


def _nobody(prompt: str) -> str:
    raise LaunchError(f"nobody is asked for {prompt!r} in a trial")


class _Output:
    """The agent's standard output as records; hostile like any agent's: bounded, and only objects pass."""

    def __init__(self, on_line: Line, complaints: Path) -> None:
        self._on_line = on_line
        self._complaints = complaints

    def __enter__(self) -> Console:
        reading, self._writing = os.pipe()
        self._input = os.open(os.devnull, os.O_RDONLY)
        self._errors = os.open(self._complaints, os.O_WRONLY | os.O_CREAT, 0o600)
        self._thread = threading.Thread(target=self._read, args=(reading,), daemon=True)
        self._thread.start()
        return Console(self._input, self._writing, self._errors)

    def __exit__(self, *_: object) -> None:
        for fd in (self._writing, self._input, self._errors):
            os.close(fd)
        self._thread.join()

    def _read(self, reading: int) -> None:
        with os.fdopen(reading, "rb") as file:
            left = MAX_OUTPUT_BYTES
            while left > 0 and (line := file.readline(left)):
                left -= len(line)
                _take(line, self._on_line)
            while file.read(1 << 16):  # more than it may say: read, so that it is not held up, and dropped
                pass


def _take(line: bytes, on_line: Line) -> None:
    try:
        record = json.loads(line)
    except ValueError:
        return
    if isinstance(record, Mapping):
        on_line(dict(record))
