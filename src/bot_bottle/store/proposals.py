"""The host's side of asking: what a bottle's sidecar asks, who answers it, and the answer (``proposals.files``).

A sidecar may be hostile: its directory is read by descriptor, regular files alone, no links, bounded; what is not
what its place says is skipped. Answers lie where it can't write. Of several sessions that answer, one wins.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot_bottle.base.clock import utc_now
from bot_bottle.base.errors import BotBottleError
from bot_bottle.proposals import files
from bot_bottle.proposals.claims import Claim, decode_claim, encode_claim
from bot_bottle.proposals.lease import write_lease
from bot_bottle.proposals.limits import MAX_PENDING
from bot_bottle.proposals.records import (
    MAX_RECORD_BYTES,
    BadRecord,
    Proposal,
    Response,
    Status,
    decode_proposal,
    decode_response,
    encode,
)
from bot_bottle.store.files import StoreError, atomic_write, make_directory, read_small
from bot_bottle.store.guests import GATE_RUN, GATE_TOLD
from bot_bottle.store.layout import Layout
from bot_bottle.store.records import boot_id, process_start

LOCK_WAIT_S = 5.0
"""for another session that is just claiming: it takes milliseconds"""

MAX_LISTED = 4 * MAX_PENDING
"""names in a sidecar's directory that are looked at: it writes no more than MAX_PENDING itself"""


class NotAnswerable(BotBottleError):
    """Somebody else answers it, or nobody can any more."""


class Questions:
    """What one launch of one bottle asks."""

    def __init__(
        self,
        layout: Layout,
        identity: str,
        launch: str,
        *,
        sidecar_uid: int | None = None,
        gate: bool = False,
    ) -> None:
        """*sidecar_uid*: who reads the answers. *gate*: what its git gate asks, instead of its proxy."""
        self._identity = identity
        guest = layout.guest(identity)
        self._asked = guest / (GATE_RUN if gate else "run") / files.ASKED / launch
        self._egress = guest / (GATE_TOLD if gate else "egress")
        self._answered = self._egress / files.ANSWERED
        self._claims = layout.state(identity) / files.CLAIMS
        self._uid = sidecar_uid

    def renew_lease(self) -> None:
        """Say that an operator session is there, for the next ten seconds. Raises ``StoreError``."""
        atomic_write(self._egress / files.LEASE, write_lease(_boot_clock()), uid=self._uid)

    def pending(self) -> list[Proposal]:
        """Unanswered proposals, the oldest first. What is malformed is skipped; raises nothing."""
        found = []
        for name in self._names():
            id = files.id_of_proposal(name)
            proposal = None if id is None else self._read(id)
            if proposal is not None and not self._is_answered(proposal.id):
                found.append(proposal)
        return sorted(found, key=lambda proposal: (proposal.arrival_timestamp, proposal.id))

    def claim(self, id: str) -> Proposal:
        """Be the one who answers *id*; a claim of a process that is gone counts no more (ruling 57).

        Raises :class:`NotAnswerable` and ``StoreError``.
        """
        make_directory(self._claims, 0o700)
        with self._locked():
            proposal = self._read(id)
            if proposal is None or self._is_answered(id):
                raise NotAnswerable(f"proposal {id} is not pending")
            path = self._claims / files.claim_name(id)
            holder = decode_claim(read_small(path))
            if holder is not None and _is_alive(holder) and holder.pid != os.getpid():
                raise NotAnswerable(f"proposal {id} is being answered by process {holder.pid}")
            atomic_write(path, encode_claim(_own_claim()))
        return proposal

    def release(self, id: str) -> None:
        """Give a claim of ours up: the proposal is pending again. Idempotent."""
        path = self._claims / files.claim_name(id)
        with self._locked():
            if decode_claim(read_small(path)) is not None and self._is_ours(path):
                path.unlink(missing_ok=True)

    def answer(self, id: str, status: Status, notes: str, final: str | None = None) -> Response:
        """Answer *id*, which :meth:`claim` gave us. Raises :class:`NotAnswerable`, :class:`BadRecord` for an
        answer that can't be one, and ``StoreError``."""
        response = Response(id, status, notes, final)
        with self._locked():
            if not self._is_ours(self._claims / files.claim_name(id)):
                raise NotAnswerable(f"proposal {id} was not claimed")
            proposal = self._read(id)
            if proposal is None or self._is_answered(id):
                raise NotAnswerable(f"proposal {id} is not pending any more")
            data = encode(response)
            decode_response(data, proposal)
            make_directory(self._answered, 0o700, self._uid)
            atomic_write(self._answered / files.response_name(id), data, uid=self._uid)
            (self._claims / files.claim_name(id)).unlink(missing_ok=True)
        return response

    def is_acknowledged(self, id: str) -> bool:
        """Whether the sidecar has read the answer (ruling 18: only then is it approved)."""
        return not os.path.lexists(self._asked / files.proposal_name(id))

    def _is_answered(self, id: str) -> bool:
        return os.path.lexists(self._answered / files.response_name(id))

    def _is_ours(self, path: Path) -> bool:
        claim = decode_claim(read_small(path))
        return claim is not None and claim.pid == os.getpid() and _is_alive(claim)

    # -- reading what a sidecar wrote

    def _names(self) -> list[str]:
        try:
            with self._directory() as directory, os.scandir(directory) as entries:
                names = []
                for entry in entries:
                    names.append(entry.name)
                    if len(names) >= MAX_LISTED:
                        break
                return names
        except OSError:
            return []

    def _read(self, id: str) -> Proposal | None:
        try:
            with self._directory() as directory:
                data = _read_at(directory, files.proposal_name(id))
            return decode_proposal(data, bottle=self._identity, id=id)
        except (OSError, ValueError, BadRecord):
            return None

    @contextmanager
    def _directory(self) -> Iterator[int]:
        """The directory of the questions, reached from the sidecar's own without following a link."""
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        run = os.open(self._asked.parent.parent, flags)
        opened = [run]
        try:
            for name in (files.ASKED, self._asked.name):
                opened.append(os.open(name, flags, dir_fd=opened[-1]))
            yield opened[-1]
        finally:
            for fd in opened:
                os.close(fd)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One session at a time, by the directory of the claims. Raises ``StoreError``."""
        try:
            fd = os.open(self._claims, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise StoreError(f"{str(self._claims)!r} can't be opened: {error.strerror}") from error
        try:
            until = time.monotonic() + LOCK_WAIT_S
            while True:
                try:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > until:
                        raise StoreError("another session holds the claims: try again") from None
                    time.sleep(0.01)
            yield
        finally:
            os.close(fd)


def _read_at(directory: int, name: str) -> bytes:
    """Raises OSError, also for what is no regular file or too large."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    fd = os.open(name, flags, dir_fd=directory)
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_RECORD_BYTES:
            raise OSError("no proposal's file")
        data = bytearray()
        while len(data) <= MAX_RECORD_BYTES and (block := os.read(fd, 1 << 20)):
            data += block
        return bytes(data)
    finally:
        os.close(fd)


def _own_claim() -> Claim:
    pid = os.getpid()
    return Claim(pid, process_start(pid) or 0, boot_id(), utc_now())


def _is_alive(claim: Claim) -> bool:
    return claim.boot_id == boot_id() and process_start(claim.pid) == claim.start


def _boot_clock() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)
