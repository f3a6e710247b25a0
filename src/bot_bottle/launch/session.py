"""One bottle, from nothing to nothing: the foreground use case that ``run``, ``start`` and ``resume`` share.

Whatever is made is registered for removal as it is made, and removed in reverse order however the session
ends; what a kill -9 leaves is the daemon's to reap (``launch.reap``). The agent is started last, after the
self-test; nothing of it runs when anything before has failed.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace as struct_replace

from bot_bottle.base import messages
from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.ids import mint_nonce
from bot_bottle.egress.codec import dump_policy
from bot_bottle.gitgate.config import GateSpec
from bot_bottle.ipc.sidecar import KindName, SidecarSpec
from bot_bottle.launch.disk import DiskWatch
from bot_bottle.launch.leftovers import Leftovers, unapplied
from bot_bottle.launch.plan import LaunchError, LaunchPlan
from bot_bottle.launch.routes_file import read_roots
from bot_bottle.launch.sidecar import Sidecars, listen
from bot_bottle.launch.watching import Stopped, Watchers, terminations
from bot_bottle.providers.contract import GUEST_HOME, GUEST_WORKSPACE, Transcript
from bot_bottle.sandbox.contract import (
    Backend,
    Bottle,
    BottleSpec,
    Layer,
    Process,
    ProgramNotStarted,
    SandboxError,
    Terminal,
)
from bot_bottle.sandbox.selftest import ProbeListeners
from bot_bottle.store.bottles import ENDING, RUNNING, STARTING, BottleState
from bot_bottle.store.guests import GuestDirs, prepare_guest, write_ca_bundle, write_egress_file
from bot_bottle.store.layout import Layout
from bot_bottle.store.logs import BOTTLE, EGRESS, GIT, new_log
from bot_bottle.store.metadata import Metadata
from bot_bottle.store.records import LaunchRecord
from bot_bottle.store.uids import UidRegistry

SELF_TEST_TIMEOUT_S = 30.0
"""A few milliseconds on an idle machine; a machine that takes longer than this is not tested, so refused."""

PROXY_SOCKET = "proxy.sock"
GATE_SOCKET = "gate.sock"

_GONE: Mapping[KindName, str] = {
    "proxy": "the bottle's proxy ended, so nothing could leave any more: see its logs",
    "gate": "the bottle's git gate ended, so nothing could be fetched or pushed any more: see its logs",
}


class Outcome(Struct, frozen=True):
    """How a session ended."""

    identity: str
    status: int
    """the agent's exit status, 128+n for a signal"""
    preserved: bool
    leftovers: Leftovers
    directory: Path
    """where the bottle's layers lie; gone unless preserved"""


class Front(Protocol):
    """The operator's side of a session: this terminal (``relay.Console``), or those that are attached
    (``attach_hub.Hub``)."""

    def begin(self, identity: str) -> None:
        """The state directory is ours; nothing runs yet."""

    def terminal(self) -> Terminal | None:
        """The terminal that the agent is to get; None: pipes."""

    def carry(self, process: Process, watch: Watchers, tick: Callable[[], None]) -> int:
        """Carry *process* to its end and return its status; what a watcher or *tick* raises comes out."""


class SidecarGone(LaunchError):
    """The proxy or the git gate ended while the agent ran; the bottle was stopped."""


class Session:
    """Runs one plan in one state directory; :meth:`run` may be called once."""

    def __init__(
        self,
        plan: LaunchPlan,
        metadata: Metadata,
        state: BottleState,
        layout: Layout,
        backend: Backend,
        front: Front,
        *,
        fresh: bool = True,
    ) -> None:
        """*metadata* is what gets recorded, its uids filled in here. *fresh*: nothing is there yet (else
        the layers of an earlier session are used again)."""
        self._plan = plan
        self._metadata = metadata
        self._state = state
        self._layout = layout
        self._backend = backend
        self._front = front
        self._fresh = fresh
        self._nonce = mint_nonce()
        self._started = False
        """the agent was"""

    def run(self, announce: Callable[[str], None] = messages.debug) -> Outcome:
        """Launch, run the agent to its end, tear down.

        *announce* gets a line for each step. Raises :class:`LaunchError`, ``SandboxError`` and the other
        families of the parts; :class:`Stopped` when a signal ended it. The state directory is preserved
        in each of these cases once the agent was started.
        """
        identity = self._state.identity
        self._state.write_phase(STARTING)
        self._front.begin(identity)
        if self._fresh:  # an earlier session's work stays marked until this one's end is known
            self._state.clear_preserve()
        try:
            status, dirs = self._run(announce)
        except BaseException:
            self._keep_transcript()
            raise
        self._state.write_phase(ENDING)
        left = unapplied(dirs, provisioned=self._plan.files, scratch=self._plan.provider.scratch)
        preserved = (self._started and status != 0) or bool(left)
        if preserved:
            self._keep_transcript()
        else:
            self._state.clear_preserve()
        return Outcome(identity, status, preserved or self._state.is_preserved(), left, dirs.base)

    def _run(self, announce: Callable[[str], None]) -> tuple[int, GuestDirs]:
        """The agent's status; nothing of the bottle runs afterwards, nor when this raises."""
        with ExitStack() as stack, terminations():
            dirs = self._prepare(announce)
            self._register_keys(stack, announce)
            bottle, sidecars = self._launch(stack, dirs, announce)
            self._provision(bottle)
            announce("the agent starts")
            self._state.write_phase(RUNNING)
            self._state.preserve()  # until its end is known: whatever kills us now must not lose its work
            self._started = True
            try:
                return self._attach(bottle, sidecars, dirs), dirs
            except ProgramNotStarted as error:
                messages.error(str(error))
                self._started = False
                return error.status, dirs
            except (LaunchError, SandboxError, Stopped):
                messages.warning(f"the bottle was stopped; its storage is kept in {dirs.base}")
                raise

    # -- before the launch
    def _prepare(self, announce: Callable[[str], None]) -> GuestDirs:
        state, identity = self._state, self._state.identity
        uid = sidecar_uid = None
        if os.geteuid() == 0:
            pair = UidRegistry.of(self._layout).claim(state.path, self._layout.guest(identity))
            uid, sidecar_uid = pair.bottle, pair.sidecar
        state.write_launch_record(
            LaunchRecord.of_this_process(
                self._backend.name, uid=uid, sidecar_uid=sidecar_uid, nonce=self._nonce
            )
        )
        state.write_metadata(
            replace(
                self._metadata,
                identity=identity,
                uid=uid,
                sidecar_uid=sidecar_uid,
                workspace_mode=self._plan.workspace_mode,
            )
        )
        dirs = prepare_guest(self._layout, identity, uid, sidecar_uid=sidecar_uid)
        if self._fresh and self._plan.workspace is not None:
            from bot_bottle.launch.workspace import copy_in  # 10 ms that most launches need not pay

            limit = self._plan.resources.disk_bytes
            report = copy_in(self._plan.workspace, dirs.workspace_lower, uid, limit_bytes=limit)
            announce(f"copied {report.files} files ({report.bytes} bytes) into the workspace")
            for left in report.left_out:
                messages.info(f"left out of the workspace: {left.path} ({left.reason})")
            if report.left_out_count > len(report.left_out):
                messages.info(f"left out of the workspace: {report.left_out_count} entries in all")
            for note in report.notes:
                messages.info(f"workspace: {note}")
        write_egress_file(dirs, "routes.yaml", dump_policy(self._plan.policy).encode())
        return dirs

    def _register_keys(self, stack: ExitStack, announce: Callable[[str], None]) -> None:
        """Deploy keys, where the manifest asks for some: last to come, last to go, recorded in between."""
        if self._plan.gate is None or not self._plan.gate.deploy:
            return
        from bot_bottle.launch.deploy_keys import DeployKeys  # an HTTP client, for few only

        keys = DeployKeys(self._state.path, self._state.identity, self._plan.gate.deploy)
        stack.callback(keys.revoke)
        keys.make(announce)
        self._plan = keys.completed(self._plan)

    # -- the launch
    def _launch(
        self, stack: ExitStack, dirs: GuestDirs, announce: Callable[[str], None]
    ) -> tuple[Bottle, Sidecars]:
        # Our own copies of what the sidecars listen on: once they are ready, theirs are the only ones.
        with ExitStack() as listeners:
            sidecars = self._start_sidecars(stack, listeners, dirs)
            probes = stack.enter_context(ProbeListeners(self._nonce))
            announce("the sandbox starts")
            bottle = self._backend.start(self._bottle_spec(dirs, probes))
            stack.callback(bottle.stop)
            ready = sidecars.await_ready()
        write_ca_bundle(dirs, ready["proxy"].ca_pem)
        for each in ready.values():
            for warning in each.warnings:
                messages.warning(self._by_variable(warning))
        results = bottle.self_test(SELF_TEST_TIMEOUT_S)
        version = ready["proxy"].version[:12]
        announce(f"the self-test passed ({len(results)} probes); routes {version} are in force")
        return bottle, sidecars

    def _start_sidecars(self, stack: ExitStack, listeners: ExitStack, dirs: GuestDirs) -> Sidecars:
        """Ask for all of them; they are made, and start, while the caller goes on."""
        plan = self._plan
        sidecars = Sidecars(self._layout, self._state.identity)
        listener = self._listen(stack, listeners, dirs.sockets / PROXY_SOCKET, dirs.uid)
        stack.callback(sidecars.close)
        sidecars.request(self._proxy_spec(dirs), self._log(EGRESS), listener, plan.tokens, plan.known)
        if plan.gate is None:
            (dirs.sockets / GATE_SOCKET).unlink(missing_ok=True)  # of a launch that had one, and was killed
            return sidecars
        listener = self._listen(stack, listeners, dirs.sockets / GATE_SOCKET, dirs.uid)
        spec = self._gate_spec(dirs, plan.gate.spec)
        sidecars.request(spec, self._log(GIT), listener, plan.gate.secrets, plan.gate.known)
        return sidecars

    @staticmethod
    def _listen(stack: ExitStack, listeners: ExitStack, path: Path, uid: int | None) -> socket.socket:
        """Listen at *path*, which *stack* removes."""
        path.unlink(missing_ok=True)  # of a launch that was killed
        listener = listeners.enter_context(listen(path, uid))
        stack.callback(path.unlink, missing_ok=True)
        return listener

    def _log(self, kind: str) -> Path:
        return new_log(self._layout, self._state.identity, kind, started_at=self._metadata.started_at)

    def _gate_spec(self, dirs: GuestDirs, gate: GateSpec) -> SidecarSpec:
        spec = self._spec(dirs.gate_told, dirs.gate_run, dirs.gate_uid)
        return struct_replace(spec, kind="gate", gate=gate)

    def _proxy_spec(self, dirs: GuestDirs) -> SidecarSpec:
        spec = self._spec(dirs.egress, dirs.sidecar_run, dirs.sidecar_uid)
        return struct_replace(spec, hold_s=self._plan.hold_s)

    def _spec(self, told: Path, run: Path, uid: int | None) -> SidecarSpec:
        """What all kinds are told."""
        return SidecarSpec(
            bottle=self._state.identity,
            nonce=self._nonce,
            egress_dir=str(told),
            run_dir=str(run),
            uid=uid,
            extra_ca_pem=read_roots(self._plan.extra_ca),
            connect_to=self._plan.connect_to,
            supervise=self._plan.supervise,
            launch=self._metadata.launch_id,
        )

    def _by_variable(self, warning: str) -> str:
        """A sentence about a slot, about the variable that fills it."""
        name, colon, what = warning.partition(":")
        return f"{self._plan.slots.get(name, name)}{colon}{what}"

    def _bottle_spec(self, dirs: GuestDirs, probes: ProbeListeners) -> BottleSpec:
        return BottleSpec(
            identity=self._state.identity,
            layers=self._layers(dirs),
            etc=dirs.etc,
            sockets=dirs.sockets,
            exec_socket=dirs.exec_socket,
            env=self._plan.env,
            workdir=self._plan.workdir,
            probes=probes.probes(),
            uid=dirs.uid,
            mounts=self._plan.mounts,
            resources=self._plan.resources,
            log=self._log(BOTTLE),
            gate=self._plan.gate is not None,
        )

    def _layers(self, dirs: GuestDirs) -> tuple[Layer, ...]:
        layers = [
            Layer(PurePosixPath("/"), dirs.root_upper, dirs.root_work, dirs.root_lower),
            Layer(GUEST_HOME, dirs.home_upper, dirs.home_work, dirs.home_lower),
        ]
        if self._plan.workspace_mode != "none":
            lower = dirs.workspace_lower
            layers.append(Layer(GUEST_WORKSPACE, dirs.workspace_upper, dirs.workspace_work, lower))
        return tuple(layers)

    def _provision(self, bottle: Bottle) -> None:
        if self._plan.transcript is not None and self._plan.restore_transcript:
            self._restore_transcript(bottle, self._plan.transcript)
        for file in self._plan.files:
            bottle.write(file.path, file.content, file.mode)

    # -- the conversation (ruling 34); what goes wrong with it ends nothing
    def _restore_transcript(self, bottle: Bottle, transcript: Transcript) -> None:
        from bot_bottle.launch.transcript import restore  # only a resumed bottle pays for it

        try:
            count = restore(self._layout.transcript(self._state.identity), transcript, bottle.write)
        except (OSError, BotBottleError) as error:
            messages.warning(f"the earlier conversation was not put back: {error}")
        else:
            messages.info(f"the earlier conversation was put back ({count} files)")

    def _keep_transcript(self) -> None:
        if not self._started or self._plan.transcript is None:
            return
        from bot_bottle.launch.transcript import save  # only an agent's session pays for it

        upper = self._layout.guest(self._state.identity) / "home" / "upper"
        try:
            saved = save(upper, self._plan.transcript, self._layout.transcript(self._state.identity))
        except (OSError, BotBottleError) as error:
            messages.warning(f"the conversation was not copied: {error}")
            return
        if saved.left_out_count:
            named = ", ".join(saved.left_out)
            messages.warning(f"left out of the conversation's copy ({saved.left_out_count} in all): {named}")

    # -- the agent
    def _attach(self, bottle: Bottle, sidecars: Sidecars, dirs: GuestDirs) -> int:
        process = bottle.spawn(
            self._plan.provider.argv, cwd=self._plan.workdir, terminal=self._front.terminal()
        )
        disk = DiskWatch(self._layers(dirs), self._plan.resources.disk_bytes)
        watch: dict[int, Callable[[], Watchers | None]] = {
            pidfd: partial(_raise, SidecarGone(_GONE[kind])) for kind, pidfd in sidecars.pidfds().items()
        }
        watch[sidecars.daemon_fileno()] = lambda: self._rejoin(sidecars)
        try:
            return self._front.carry(process, watch, _all(disk.tick, *self._login_watch(sidecars)))
        finally:
            disk.close()

    def _login_watch(self, sidecars: Sidecars) -> list[Callable[[], None]]:
        """A login that is refreshed on the host reaches the running bottle (ruling 62)."""
        source = self._plan.login
        if source is None:
            return []
        from bot_bottle.launch.credentials import LoginWatch  # what nobody else needs

        # On a terminal the agent's screen is there: what has to be said would be in the middle of it.
        complain = messages.debug if self._front.terminal() else messages.warning
        hand_on = partial(sidecars.replace_tokens, names=self._plan.slots)
        watch = LoginWatch(source.login, source.slots, source.values, hand_on, complain)
        return [watch.tick]

    def _rejoin(self, sidecars: Sidecars) -> Watchers:
        messages.debug("the daemon ended; starting another one")
        sidecars.rejoin()
        return {sidecars.daemon_fileno(): lambda: self._rejoin(sidecars)}


def _all(*ticks: Callable[[], None]) -> Callable[[], None]:
    def tick() -> None:
        for each in ticks:
            each()

    return tick


def _raise(error: Exception) -> None:
    raise error
