"""Host uids of bottles and sidecars, where we are root: three reserved ranges, one tree of claims.

A bottle's uid is ``1,900,000,000 + n``, its proxy's ``1,900,100,000 + n``, its git gate's ``1,900,200,000 +
n``, gids alike. The claim is the
file ``uids/<n>``, made exclusively under a lock, holding the path of the state directory; the tree is one
for all homes of a host. A claim lives as long as its state directory: ``resume`` finds it again, removal
gives it back, and one whose directory is gone is taken back by the next claim.
Numbers go round, so that one is not used again soon.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from bot_bottle.store.files import StoreError, make_directory, make_missing, read_small, write_all
from bot_bottle.store.layout import Layout

FIRST_BOTTLE_UID = 1_900_000_000
FIRST_SIDECAR_UID = 1_900_100_000
FIRST_GATE_UID = 1_900_200_000
UIDS = 65_536
"""Far above what distributions, /etc/subuid defaults and directory services give out, below 2^31."""

MAX_CLAIM_BYTES = 16_384
"""Two paths (PATH_MAX is 4,096), escaped."""
LOCK_WAIT_S = 5.0
_LOCK = ".lock"


class Uids(Struct, frozen=True):
    """The uids (and gids) of one bottle and its sidecars."""

    bottle: int
    sidecar: int
    """of the proxy"""
    gate: int

    @staticmethod
    def of_number(n: int) -> Uids:
        return Uids(FIRST_BOTTLE_UID + n, FIRST_SIDECAR_UID + n, FIRST_GATE_UID + n)


def sidecar_uid_for(bottle_uid: int) -> int:
    """The sidecar's uid that belongs to a bottle's. Raises ``StoreError`` outside the reserved range."""
    if not FIRST_BOTTLE_UID <= bottle_uid < FIRST_BOTTLE_UID + UIDS:
        raise StoreError(f"uid {bottle_uid} is no bottle's: take one from the registry")
    return bottle_uid - FIRST_BOTTLE_UID + FIRST_SIDECAR_UID


def gate_uid_for(sidecar_uid: int) -> int:
    """The git gate's uid that belongs to a proxy's, which records have. Raises ``StoreError`` outside the
    reserved range."""
    if not FIRST_SIDECAR_UID <= sidecar_uid < FIRST_SIDECAR_UID + UIDS:
        raise StoreError(f"uid {sidecar_uid} is no sidecar's: take one from the registry")
    return sidecar_uid - FIRST_SIDECAR_UID + FIRST_GATE_UID


class UidRegistry:
    """The claims below *root*; root only."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @staticmethod
    def of(layout: Layout) -> UidRegistry:
        """The registry beside the layout's shared root: ``/var/lib/bot-bottle/uids`` for root's own."""
        parent = layout.shared if layout.shared == layout.home else layout.shared.parent
        return UidRegistry(parent / "uids")

    def claim(self, state: Path, guest: Path) -> Uids:
        """The uids of the bottle whose state directory is *state*: its own from before, or new ones.

        *state* exists (a claim without it is stale); *guest* is where files of that uid will lie: the
        number is not given to anybody else before both are gone. Raises ``StoreError``.
        """
        if not os.path.lexists(state):
            raise StoreError(f"{str(state)!r} is not there: make the state directory first")
        mine = _line(state)
        make_missing(self.root.parent, 0o711)
        make_directory(self.root, 0o711)
        with self._locked() as lock:
            taken: set[int] = set()
            for n, owner in self._claims():
                if owner[0] == mine:
                    return Uids.of_number(n)
                if any(os.path.lexists(_path(line)) for line in owner if line):
                    taken.add(n)
                else:
                    os.unlink(self.root / str(n))
            n = self._choose(lock, taken)
            self._record(n, mine + b"\n" + _line(guest) + b"\n")
        return Uids.of_number(n)

    def release(self, state: Path) -> None:
        """Give the claim of *state* back; idempotent. Nothing of the bottle runs or lies about any more."""
        if not self.root.is_dir():
            return
        mine = _line(state)
        with self._locked():
            for n, owner in self._claims():
                if owner[0] == mine:
                    os.unlink(self.root / str(n))

    def find(self, state: Path) -> Uids | None:
        """The claim of *state*, if there is one; takes no lock."""
        mine = _line(state)
        return next((Uids.of_number(n) for n, owner in self._claims() if owner[0] == mine), None)

    def _claims(self) -> Iterator[tuple[int, tuple[bytes, ...]]]:
        """Numbers and the paths in their files. A damaged file (empty, cut) names nothing that exists."""
        try:
            names = os.listdir(self.root)
        except OSError:
            return
        for name in names:
            if name.isascii() and name.isdigit() and str(int(name)) == name and int(name) < UIDS:
                content = read_small(self.root / name, MAX_CLAIM_BYTES) or b""
                paths = tuple(line for line in content.split(b"\n") if b"\0" not in line)
                yield int(name), paths or (b"",)

    def _choose(self, lock: int, taken: set[int]) -> int:
        """The next free number after the last one given out, which stands in the lock's file."""
        text = os.pread(lock, 16, 0)
        # the first of a new registry is random, so that two trees (tests) don't share uids
        start = int(text) if text.isdigit() else int.from_bytes(os.urandom(4), "big") % UIDS
        for step in range(UIDS):
            n = (start + step) % UIDS
            if n not in taken:
                os.ftruncate(lock, 0)
                os.pwrite(lock, str((n + 1) % UIDS).encode(), 0)
                return n
        raise StoreError(f"all {UIDS} uids for bottles are taken: run 'bot-bottle cleanup'")

    def _record(self, n: int, content: bytes) -> None:
        path = self.root / str(n)
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                write_all(fd, content)
                os.fsync(fd)
            finally:
                os.close(fd)
        except OSError as error:
            raise StoreError(f"{str(path)!r} can't be written: {error.strerror}") from error

    @contextlib.contextmanager
    def _locked(self) -> Iterator[int]:
        path = self.root / _LOCK
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"{str(path)!r} can't be opened: {error.strerror}") from error
        try:
            deadline = time.monotonic() + LOCK_WAIT_S
            while True:
                try:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        raise StoreError(f"{str(path)!r} is held by another process: end it") from None
                    time.sleep(0.005)
            yield fd
        finally:
            os.close(fd)


def _line(path: Path) -> bytes:
    """*path* as a line of a claim: a home's name may hold a line's end."""
    return os.fsencode(path).replace(b"\\", b"\\\\").replace(b"\n", b"\\n")


def _path(line: bytes) -> bytes:
    parts = line.split(b"\\\\")
    return b"\\".join(part.replace(b"\\n", b"\n") for part in parts)
