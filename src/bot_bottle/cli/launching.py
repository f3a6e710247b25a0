"""What ``run``, ``start`` and ``resume`` share: from a request to the end of its session, and what is said.

The composition root of a launch: it picks the backend and hands everything down.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from msgspec import Struct

from bot_bottle import __version__
from bot_bottle.base import messages
from bot_bottle.base.clock import utc_now
from bot_bottle.base.ids import mint_identity, mint_nonce
from bot_bottle.base.text import printable
from bot_bottle.cli.backends import choose, make_backend
from bot_bottle.launch.plan import LaunchError, LaunchPlan
from bot_bottle.launch.prepare import Host, Prepared, prepare
from bot_bottle.launch.reap import discard
from bot_bottle.launch.relay import Console
from bot_bottle.launch.request import LaunchRequest
from bot_bottle.launch.session import Front, Outcome, Session
from bot_bottle.sandbox.contract import Backend, Limit
from bot_bottle.store import bottles
from bot_bottle.store.bottles import BottleState, IdentityTaken
from bot_bottle.store.confirmed import is_confirmed
from bot_bottle.store.directories import prepare as prepare_directories
from bot_bottle.store.layout import Layout

NO_INPUT = -1
"""No descriptor: the program inside reads an end at once."""

MINT_TRIES = 8
"""36^5 suffixes: a second collision in a row is a sign of something else."""


class Ready(Struct, frozen=True):
    """A prepared launch that a person may still decline."""

    request: LaunchRequest
    prepared: Prepared
    identity: str


def host_of(layout: Layout, environ: Mapping[str, str] = os.environ) -> Host:
    """The operator's side as this process has it."""
    return Host(layout, dict(environ), ask_secret, term=environ.get("TERM") if os.isatty(0) else None)


def ask_secret(prompt: str) -> str:
    """Ask on the controlling terminal with echo off."""
    from getpass import getpass

    try:
        fd = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise LaunchError(
            f"{prompt!r} must be typed in, and there is no terminal: use ${{NAME}} instead"
        ) from error
    os.close(fd)
    return getpass(f"{printable(prompt)}: ")


def make_ready(request: LaunchRequest, layout: Layout, identity: str | None = None) -> Ready:
    """Plan *request*; nothing exists yet. *identity*: the one to use, else one is minted.

    Raises :class:`LaunchError` also for a limit that was asked for and can't be enforced here (ruling 45).
    """
    request = replace(request, backend=choose(request.backend or None))
    identity = identity or mint_identity(request.agent or request.template or _program(request))
    prepared = prepare(request, host_of(layout), instance=identity)
    _refuse_unconfirmed(request, prepared, layout)
    note = _limits_note(make_backend(layout, request.backend), prepared.plan)
    if note:
        prepared = replace(prepared, plan=replace(prepared.plan, notes=(*prepared.plan.notes, note)))
    return Ready(request, prepared, identity)


def _refuse_unconfirmed(request: LaunchRequest, prepared: Prepared, layout: Layout) -> None:
    """A project's agent in the place of the operator's own was looked at, with this content (ruling 49)."""
    source = prepared.loaded.agent.source if prepared.loaded else None
    if source is None or source.shadows is None or request.trust_project:
        return
    if not is_confirmed(layout, source.file, source.sha256):
        raise LaunchError(
            f"{source.file!r} takes the place of your own {source.shadows!r}: look at it, and confirm it with "
            "--trust-project"
        )


def _limits_note(backend: Backend, plan: LaunchPlan) -> str:
    unenforced = sorted(backend.unenforced(plan.resources))
    refused = [name for name in unenforced if name in plan.resources.explicit]
    if refused:
        raise LaunchError(f"resources: {_keys(refused)} can't be enforced on this host: remove it")
    return f"not enforced on this host: the default limits of {_keys(unenforced)}" if unenforced else ""


def _keys(limits: Sequence[Limit]) -> str:
    """Limits as the manifest's ``resources`` names them."""
    return ", ".join(limit.removesuffix("_bytes") for limit in limits)


def _program(request: LaunchRequest) -> str:
    return os.path.basename(request.run.argv[0]) if request.run.argv else "bottle"


def install(ready: Ready) -> None:
    """Put the agent's program in place, where it is not there yet: the operator has agreed. Raises ``ToolError``."""
    pending = ready.prepared.plan.pending
    if pending is not None:
        pending.carry_out(messages.info)


def carry_out(ready: Ready, layout: Layout, front: Front, state: BottleState | None = None) -> Outcome:
    """Run the session in *state* (None: a new one) to its end; keep or remove what it left, and say so."""
    prepare_directories(layout)
    backend = make_backend(layout, ready.request.backend)
    plan = ready.prepared.plan
    if isinstance(front, Console) and not plan.provider.reads_stdin:
        front = replace(front, stdin=NO_INPUT)
    fresh = state is None
    if state is None:
        state = _create(layout, ready)
    with suppress(OSError):  # how an earlier session ended: what counts now is this one
        layout.ending(state.identity).unlink()
    earlier = None if fresh else state.metadata()
    request = ready.request
    if (
        request.agent
    ):  # those that were confirmed: a project's file that changes can't choose others at resume
        request = replace(request, bottles=ready.prepared.bottles)
    metadata = request.metadata(
        utc_now(), earlier.launch_id if earlier and earlier.launch_id else mint_nonce(), __version__
    )
    session = Session(plan, metadata, state, layout, backend, front, fresh=fresh)
    try:
        outcome = session.run()
    except BaseException:
        _end(layout, state, kept=state.is_preserved())
        raise
    _end(layout, state, kept=outcome.preserved)
    _say_what_is_left(outcome)
    return outcome


def _create(layout: Layout, ready: Ready) -> BottleState:
    """A label's identity is taken or not; a minted one is minted again."""
    if ready.request.label:
        return bottles.create(layout, ready.identity)
    identity = ready.identity
    for _ in range(MINT_TRIES):
        try:
            return bottles.create(layout, identity)
        except IdentityTaken:
            identity = mint_identity(identity.rpartition("-")[0])
    raise LaunchError(f"no free identity for {ready.identity!r}: run 'bot-bottle cleanup'")


def _end(layout: Layout, state: BottleState, *, kept: bool) -> None:
    state.close()
    if kept:
        messages.info(f"kept: bot-bottle resume {state.identity}")
    else:
        discard(layout, state.identity, spare_kept=True)


def _say_what_is_left(outcome: Outcome) -> None:
    left = outcome.leftovers
    for layer in left.layers:
        many = f"{layer.count}{'' if layer.complete else ' or more'}"
        changes = "change" if many == "1" else "changes"
        messages.info(f"work left in the bottle's {layer.name} ({many} {changes}): {layer.upper}")
        for path in layer.paths:
            messages.info(f"  {path}")
