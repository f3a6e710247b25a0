"""State directories of bottles: made exclusively, locked while a launch lives, removed safely.

One launch owns ``state/<identity>/`` through an flock on the file ``lock`` in it, for the life of its
process; the kernel lets go of it however the process ends. Making, taking and removing happen under a
lock over the directory of all states, held for milliseconds, so that two starts with one label can't both
win and a removal can't meet a start halfway.

The lock's descriptor is close-on-exec. A child that is forked and goes on *without* exec must close
:attr:`BottleState.lock_fd`, or the bottle counts as running for as long as that child lives.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from msgspec import Struct

from bot_bottle.base.ids import BadIdentity, parse_identity
from bot_bottle.store.deploy_keys import DEPLOY_KEYS_NAME
from bot_bottle.store.files import StoreError, make_directory, make_home
from bot_bottle.store.layout import Layout
from bot_bottle.store.metadata import Metadata, read_metadata, write_metadata
from bot_bottle.store.records import LaunchRecord, read_launch_record, write_launch_record
from bot_bottle.store.removal import remove_tree
from bot_bottle.store.uids import UidRegistry

LOCK_NAME = "lock"
PRESERVE_NAME = ".preserve"
PHASE_NAME = "phase"
STARTING, RUNNING, ENDING = PHASES = ("starting", "running", "ending")
_STATES_LOCK = ".lock"
_TRASH_PREFIX = ".removing-"

STATES_LOCK_WAIT_S = 5.0
"""The lock over all states is held for milliseconds; who waits longer waits for a stopped process."""
PROBE_WAIT_S = 0.1
"""A reader that tests a launch lock holds it for microseconds: not a sign of a running bottle."""


class IdentityTaken(StoreError):
    """A state directory of that identity is there already. ``running`` tells whether a launch owns it."""

    def __init__(self, identity: str, *, running: bool) -> None:
        fix = "stop it or choose another label" if running else (
            f"run 'bot-bottle resume {identity}', choose another label, or run 'bot-bottle cleanup'"
        )  # fmt: skip
        state = "is running" if running else "has a kept state directory"
        super().__init__(f"a bottle {identity!r} {state} already: {fix}")
        self.identity = identity
        self.running = running


class NoSuchBottle(StoreError):
    """No state directory of that identity."""


class BottleRunning(StoreError):
    """A launch owns the state directory."""


class BottleKept(StoreError):
    """The state directory has the preserve marker and was to be spared."""


class BottleState:
    """A state directory that this process owns until :meth:`close` or :meth:`remove`."""

    def __init__(self, layout: Layout, identity: str, lock_fd: int) -> None:
        self.layout = layout
        self.identity = identity
        self.path = layout.state(identity)
        self.lock_fd = lock_fd

    def __enter__(self) -> BottleState:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the lock back and keep the directory; idempotent."""
        if self.lock_fd >= 0:
            os.close(self.lock_fd)
            self.lock_fd = -1

    def write_metadata(self, metadata: Metadata) -> None:
        write_metadata(self.path, metadata)

    def metadata(self) -> Metadata | None:
        return read_metadata(self.path)

    def write_launch_record(self, record: LaunchRecord) -> None:
        write_launch_record(self.path, record)

    def write_phase(self, phase: str) -> None:
        """How far the launch is, for ``list`` (:data:`PHASES`); nothing depends on it."""
        with contextlib.suppress(OSError):
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            fd = os.open(self.path / PHASE_NAME, flags, 0o600)
            os.write(fd, phase.encode())
            os.close(fd)

    def preserve(self) -> None:
        """Keep the directory at the session's end."""
        preserve(self.layout, self.identity)

    def is_preserved(self) -> bool:
        return is_preserved(self.layout, self.identity)

    def clear_preserve(self) -> None:
        """Done at every launch: an earlier session's marker keeps nothing alive for ever."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path / PRESERVE_NAME)

    def remove(self) -> tuple[str, ...]:
        """Delete everything of the bottle but its logs, then let go of the lock; idempotent.

        Returns what could not be deleted. The bottle and its sidecar must be gone.
        """
        problems = _delete(self.layout, self.identity)
        self.close()
        return problems


def create(layout: Layout, identity: str) -> BottleState:
    """Make ``state/<identity>/`` exclusively and own it.

    Raises :class:`IdentityTaken`, ``BadIdentity``, ``StoreError``. Nothing is left then.
    """
    path = layout.state(identity)
    make_home(layout.home)
    make_directory(layout.states, 0o700)
    with _all_states(layout):
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            raise IdentityTaken(identity, running=is_running(layout, identity)) from None
        except OSError as error:
            raise StoreError(f"{str(path)!r} can't be made: {error.strerror}") from error
        try:
            fd = _try_lock(path)
        except BaseException:
            remove_tree(path)
            raise
    if fd is None:
        raise StoreError(f"{str(path / LOCK_NAME)!r} is locked by another process: end it and try again")
    state = BottleState(layout, identity, fd)
    # remains of a removal that was cut off must not become the new bottle's home
    problems = remove_tree(_detach_guest(layout, identity))
    if problems:
        state.remove()
        raise StoreError(f"remains of an earlier bottle {identity!r} can't be deleted: {'; '.join(problems)}")
    return state


def open_for_resume(layout: Layout, identity: str) -> BottleState:
    """Own the state directory that is there. Raises :class:`NoSuchBottle`, :class:`BottleRunning`,
    ``BadIdentity``, ``StoreError``."""
    path = layout.state(identity)
    if not _is_directory(path):
        raise _no_such_bottle(layout, identity)
    with _all_states(layout):
        if not _is_directory(path):
            raise _no_such_bottle(layout, identity)
        fd = _try_lock(path)
    if fd is None:
        raise BottleRunning(f"bottle {identity!r} is running: use 'bot-bottle exec' or stop it first")
    return BottleState(layout, identity, fd)


def is_running(layout: Layout, identity: str) -> bool:
    """Whether a launch owns the state directory; never blocks, changes nothing, never raises on content."""
    path = layout.state(identity) / LOCK_NAME
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EWOULDBLOCK, errno.EACCES)
    finally:
        os.close(fd)
    return False


def preserve(layout: Layout, identity: str) -> None:
    """Set the marker that keeps the directory at the session's end; missing parents are made."""
    path = layout.state(identity)
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        os.close(os.open(path / PRESERVE_NAME, flags, 0o600))
    except OSError as error:
        raise StoreError(f"{str(path / PRESERVE_NAME)!r} can't be made: {error.strerror}") from error


def is_preserved(layout: Layout, identity: str) -> bool:
    """It has the marker, or keys at a forge that nobody has revoked yet."""
    return any(os.path.lexists(layout.state(identity) / name) for name in (PRESERVE_NAME, DEPLOY_KEYS_NAME))


class StateSummary(Struct, frozen=True):
    """One state directory as ``list``, ``resume`` and ``cleanup`` see it."""

    identity: str
    path: Path
    running: bool
    preserved: bool
    metadata: Metadata | None
    """None: nothing readable is recorded"""
    launch: LaunchRecord | None
    """who runs it, or ran it last"""
    phase: str = ""
    """of a running one: one of :data:`PHASES`; empty: not known"""


def list_states(layout: Layout) -> list[StateSummary]:
    """Every state directory, sorted; what is no directory or no identity is passed over. Never raises."""
    return [summary for name in _entries(layout.states) if (summary := find_state(layout, name)) is not None]


def find_state(layout: Layout, identity: str) -> StateSummary | None:
    """The state directory *identity*; None when there is none or it is no identity."""
    try:
        path = layout.state(identity)
    except BadIdentity:
        return None
    if not _is_directory(path):
        return None
    return StateSummary(
        identity, path, is_running(layout, identity), is_preserved(layout, identity),
        read_metadata(path), read_launch_record(path), _read_phase(path),
    )  # fmt: skip


def _read_phase(path: Path) -> str:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with open(path / PHASE_NAME, "rb", opener=lambda name, _: os.open(name, flags)) as file:
            phase = file.read(64).decode("ascii", "replace")
    except OSError:
        return ""
    return phase if phase in PHASES else ""


def orphans(layout: Layout) -> list[str]:
    """Identities that have guest or socket directories and no state directory, sorted: left by a removal
    that was cut off. :func:`remove` clears them."""
    names: set[str] = set()
    for parent in (layout.guests, layout.run / "b"):
        names.update(_entries(parent))
    return sorted(name for name in names if _is_identity(name) and not os.path.lexists(layout.state(name)))


def remove(layout: Layout, identity: str, *, spare_kept: bool = False) -> tuple[str, ...]:
    """Delete everything of a bottle that isn't running, but its logs; idempotent, also for remains without
    a state directory. Returns what could not be deleted. Raises :class:`BottleRunning`, ``BadIdentity``.

    *spare_kept*: raises :class:`BottleKept` where it is preserved, looked at under the lock: a session may have
    come and gone. Else that is the caller's to look at; so is whether every backend says that nothing runs.
    """
    path = layout.state(identity)
    make_home(layout.home)
    make_directory(layout.states, 0o700)
    with _all_states(layout):
        orphan = not _is_directory(path)
        fd = None if orphan else _try_lock(path)
        if orphan:
            # nobody's, as long as there is no state directory: a launch makes that one first
            aside = _detach_guest(layout, identity)
    if orphan:
        return remove_tree(aside)
    if fd is None:
        raise BottleRunning(f"bottle {identity!r} is running: stop it first")
    state = BottleState(layout, identity, fd)
    if spare_kept and state.is_preserved():
        state.close()
        raise BottleKept(f"bottle {identity!r} is kept")
    return state.remove()


def sweep(layout: Layout) -> tuple[str, ...]:
    """Delete what removals that were cut off have set aside. Returns what could not be deleted."""
    problems: list[str] = []
    for parent in (layout.states, layout.guests):
        for name in _entries(parent):
            if name.startswith(_TRASH_PREFIX):
                problems += remove_tree(parent / name)
    return tuple(problems)


def _delete(layout: Layout, identity: str) -> tuple[str, ...]:
    """Delete a bottle whose lock we hold. The guest's files go first: as long as any are left there is a
    state directory that names them; the uids are free before the name is."""
    problems = remove_tree(_detach_guest(layout, identity))
    with _all_states(layout):
        aside = _set_aside(layout.state(identity))
    return problems + remove_tree(aside)


def _detach_guest(layout: Layout, identity: str) -> Path:
    """Take a bottle's sockets, guest directory and uids from its name; returns where the rest lies."""
    for path in (layout.sockets(identity), layout.exec_socket(identity), *layout.tty_sockets(identity)):
        remove_tree(path)
    aside = _set_aside(layout.guest(identity))
    if os.geteuid() == 0:
        UidRegistry.of(layout).release(layout.state(identity))
    return aside


def _set_aside(path: Path) -> Path:
    """Rename *path*, so that its name is free at once and never half there; returns the new path, where
    nothing is if nothing was."""
    aside = path.with_name(f"{_TRASH_PREFIX}{path.name}-{os.urandom(4).hex()}")
    try:
        os.rename(path, aside)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise StoreError(f"{str(path)!r} can't be removed: {error.strerror}") from error
    return aside


@contextlib.contextmanager
def _all_states(layout: Layout) -> Iterator[None]:
    """The lock over the directory of all states, held for moments only."""
    path = layout.states / _STATES_LOCK
    fd = _lock(path, STATES_LOCK_WAIT_S)
    if fd is None:
        raise StoreError(f"{str(path)!r} is held by another process: end it and try again")
    try:
        yield
    finally:
        os.close(fd)


def _try_lock(state: Path) -> int | None:
    return _lock(state / LOCK_NAME, PROBE_WAIT_S)


def _lock(path: Path, wait_s: float) -> int | None:
    """An exclusive flock on *path*; None when another holds it for longer than *wait_s*."""
    deadline = time.monotonic() + wait_s
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"{str(path)!r} can't be opened: {error.strerror}") from error
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(fd)
                return None
            time.sleep(0.005)
        except OSError as error:
            os.close(fd)
            raise StoreError(f"{str(path)!r} can't be locked: {error.strerror}") from error
        else:
            return fd


def _no_such_bottle(layout: Layout, identity: str) -> NoSuchBottle:
    return NoSuchBottle(
        f"no bottle {identity!r} is recorded in {str(layout.states)!r}: "
        "run 'bot-bottle list', or 'bot-bottle start' for a new one"
    )


def _is_directory(path: Path) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def _is_identity(name: str) -> bool:
    try:
        parse_identity(name)
    except BadIdentity:
        return False
    return True


def _entries(directory: Path) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []
