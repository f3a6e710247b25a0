"""The launching process's side of a bottle's sidecars: hand over what they need, wait until they serve, watch them.

All of one bottle hang on one connection to the daemon, and are made at the same time.

The secrets' values are in this process and in the sidecar, and in the pipe between them for a moment; the
daemon passes the pipe on unread.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from bot_bottle.base import messages
from bot_bottle.base.secret import Secret
from bot_bottle.ipc import wire
from bot_bottle.ipc.client import DaemonClient, DaemonError, SidecarHandle
from bot_bottle.ipc.sidecar import (
    MAX_NEW_TOKENS_BYTES,
    FromSidecar,
    KindName,
    NewTokens,
    Ready,
    SidecarSecrets,
    SidecarSpec,
    TokensTaken,
)
from bot_bottle.ipc.sidecar import KnownValue as TellKnown
from bot_bottle.launch.known import KnownValue
from bot_bottle.launch.plan import LaunchError
from bot_bottle.store.layout import Layout

READY_TIMEOUT_S = 20.0
"""From the fork to the first request served: 0.06 s on an idle machine."""

ANSWER_TIMEOUT_S = 2.0
"""For a message that is obeyed at once: about 1 ms; the terminal stands still meanwhile."""

MAX_STALE_ANSWERS = 64
"""One comes for each question, and only those that nobody waited for are left."""

SOCKET_BACKLOG = 512
"""As many as the proxy serves at once (ruling 67)."""

NAMES: Mapping[KindName, str] = {"proxy": "the proxy", "gate": "the git gate"}
"""What the operator reads."""


class Sidecars:
    """Those of one bottle; :meth:`close` ends them."""

    def __init__(self, layout: Layout, bottle: str) -> None:
        self._layout = layout
        self._bottle = bottle
        self._client: DaemonClient | None = None
        self._all: dict[KindName, Sidecar] = {}

    def request(
        self,
        spec: SidecarSpec,
        log: Path,
        listener: socket.socket,
        tokens: Mapping[str, Secret],
        known: Sequence[KnownValue] = (),
    ) -> None:
        """Ask the daemon (started on demand) for one more sidecar; go on without waiting.

        Raises ``DaemonError``, :class:`LaunchError`.
        """
        if self._client is None:
            self._client = DaemonClient.ensure(self._layout)
        sidecar = self._all[spec.kind] = Sidecar(spec, log)
        sidecar.request(self._client, listener, tokens, known)

    def await_ready(self) -> Mapping[KindName, Ready]:
        """Wait until each that was asked for serves; raises :class:`LaunchError` or ``DaemonError``."""
        assert self._client is not None
        for sidecar in self._all.values():
            sidecar.await_birth(self._client)
        return {kind: sidecar.await_ready() for kind, sidecar in self._all.items()}

    def replace_tokens(self, tokens: Mapping[str, Secret], names: Mapping[str, str]) -> None:
        """:meth:`Sidecar.replace_tokens` of the proxy; a gate searches for them first, under the variable of *names*
        that fills each slot. Raises :class:`LaunchError`."""
        gate = self._all.get("gate")
        if gate is not None:
            known = [KnownValue(names.get(slot, slot), token, "injected") for slot, token in tokens.items()]
            gate.replace_tokens({}, known)
        self["proxy"].replace_tokens(tokens)

    def __getitem__(self, kind: KindName) -> Sidecar:
        return self._all[kind]

    def pidfds(self) -> Mapping[KindName, int]:
        """Each is readable when its sidecar has ended."""
        return {kind: sidecar.pidfd for kind, sidecar in self._all.items()}

    def daemon_fileno(self) -> int:
        """Readable when the daemon has ended."""
        assert self._client is not None
        return self._client.fileno()

    def rejoin(self) -> None:
        """The daemon has ended: start another one and register there; no sidecar was touched."""
        assert self._client is not None
        self._client.close()
        self._client = DaemonClient.ensure(self._layout)
        self._client.adopt(self._bottle, self.pidfds())

    def close(self) -> None:
        """End them and let the daemon forget the bottle; idempotent, raises nothing."""
        for sidecar in self._all.values():
            sidecar.close()
        if self._client is not None:
            try:
                self._client.finished()
            except (DaemonError, TimeoutError) as error:
                messages.debug(f"the daemon was not told of the bottle's end: {error}")
            self._client.close()
            self._client = None


class Sidecar:
    """One sidecar; :meth:`close` ends it, since its life hangs on our end of the control socket."""

    def __init__(self, spec: SidecarSpec, log: Path) -> None:
        self._spec = spec
        self._log = log
        self._control: socket.socket | None = None
        self._handle: SidecarHandle | None = None

    @property
    def _name(self) -> str:
        return NAMES[self._spec.kind]

    def request(
        self,
        client: DaemonClient,
        listener: socket.socket,
        tokens: Mapping[str, Secret],
        known: Sequence[KnownValue] = (),
    ) -> None:
        """Ask *client* for it and write its secrets. Raises ``DaemonError``, :class:`LaunchError`."""
        ours, theirs = wire.pair()
        self._control = ours
        reading, writing = os.pipe2(os.O_CLOEXEC)
        log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            client.request_sidecar(
                self._spec, listener=listener.fileno(), control=theirs.fileno(), secrets=reading, log=log
            )
        finally:
            theirs.close()
            os.close(reading)  # the sidecar's copy is the only one now: if it dies, our write fails
            os.close(log)
        with open(writing, "wb", buffering=0) as pipe:
            payload = memoryview(_encoded(tokens, known))
            try:
                while payload:
                    payload = payload[pipe.write(payload) :]
            except OSError as error:
                raise LaunchError(
                    f"{self._name} took no secrets ({error.strerror}): see {self._log}"
                ) from error

    def await_birth(self, client: DaemonClient) -> None:
        """Wait until its process is there; raises ``DaemonError``."""
        self._handle = client.await_sidecar(self._spec.kind)

    def await_ready(self) -> Ready:
        """Wait until requests are served; raises :class:`LaunchError`."""
        assert self._control is not None
        self._control.settimeout(READY_TIMEOUT_S)
        try:
            message, fds = wire.receive(self._control, FromSidecar)
        except TimeoutError as error:
            raise LaunchError(
                f"{self._name} did not come up within {READY_TIMEOUT_S:g} s: see {self._log}"
            ) from error
        except wire.WireError as error:
            raise LaunchError(f"{self._name} ended before it was ready: see {self._log}") from error
        wire.close_all(fds)
        if not isinstance(message, Ready):
            raise LaunchError(f"{self._name} refused to start: {getattr(message, 'reason', message)}")
        return message

    def replace_tokens(self, tokens: Mapping[str, Secret], known: Sequence[KnownValue] = ()) -> None:
        """Let every request from now on go out with *tokens*, slot to value, and none with what is *known*; wait
        until that is so. A gate takes *known* alone.

        Raises :class:`LaunchError` when the sidecar does not take them: it keeps those that it has.
        """
        assert self._control is not None
        payload = _encoded(tokens, known)
        if len(payload) > MAX_NEW_TOKENS_BYTES:
            raise LaunchError(f"the new tokens are too large for {self._name}")
        reading, writing = os.pipe2(os.O_CLOEXEC)
        try:
            try:
                os.set_blocking(writing, False)  # nobody reads yet
                if os.write(writing, payload) < len(payload):
                    raise BlockingIOError
            except (
                BlockingIOError
            ):  # a pipe holds MAX_NEW_TOKENS_BYTES, but of who has very many of them (pipe(7))
                raise LaunchError(
                    "the new tokens did not fit into a pipe: end what has so many open"
                ) from None
            finally:
                os.close(writing)
            self._forget_answers()
            wire.send(self._control, NewTokens(), (reading,))
            self._control.settimeout(ANSWER_TIMEOUT_S)
            answer, fds = wire.receive(self._control, FromSidecar)
        except (TimeoutError, wire.WireError) as error:
            raise LaunchError(f"{self._name} took no new tokens ({error}): see {self._log}") from error
        finally:
            os.close(reading)
        wire.close_all(fds)
        if not isinstance(answer, TokensTaken):
            raise LaunchError(f"{self._name} took no new tokens: {getattr(answer, 'reason', answer)}")

    def _forget_answers(self) -> None:
        """Of questions that nobody waits for any more; a sidecar that talks without end is not listened to."""
        assert self._control is not None
        self._control.settimeout(0)
        try:
            for _ in range(MAX_STALE_ANSWERS):
                wire.close_all(wire.receive(self._control, FromSidecar)[1])
        except (BlockingIOError, wire.WireError):
            pass

    @property
    def pidfd(self) -> int:
        """Readable when the sidecar has ended."""
        assert self._handle is not None
        return self._handle.pidfd

    def close(self) -> None:
        """End it; idempotent, raises nothing."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._handle is not None:
            os.close(self._handle.pidfd)
            self._handle = None


def listen(path: Path, uid: int | None) -> socket.socket:
    """A listening Unix socket at *path*, for the bottle's uid alone (0600)."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        listener.bind(str(path))
        os.chmod(path, 0o600)
        if uid is not None:
            os.chown(path, uid, uid)
        listener.listen(SOCKET_BACKLOG)
    except OSError as error:
        listener.close()
        raise LaunchError(f"{str(path)!r} can't be listened on: {error.strerror}") from error
    return listener


def _encoded(tokens: Mapping[str, Secret], known: Sequence[KnownValue] = ()) -> bytes:
    revealed = {slot: token.reveal() for slot, token in tokens.items()}
    values = tuple(TellKnown(item.name, item.value.reveal(), item.kind, item.hosts) for item in known)
    return msgspec.json.encode(SidecarSecrets(tokens=revealed, known=values))
