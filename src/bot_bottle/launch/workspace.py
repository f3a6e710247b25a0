"""The workspace: what of a directory of the host's goes into a bottle, and the copying of it.

Mode ``copy``: tracked files and those that git would not ignore (all, where there is no repository), with
a sanitised ``.git`` (``workspace_git``). Left outside, and said so: secrets by name, excluded globs,
special files, whatever lies behind a link, repositories that belong elsewhere. The directory may be full
of hostile content and may change while it is read; it is only ever read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot_bottle.base.text import printable
from bot_bottle.launch.workspace_copy import Descent, LeftOut, WorkspaceError, copy_entry
from bot_bottle.launch.workspace_listing import Ground, LeftOutEntry, Listing, Parts, Report
from bot_bottle.launch.workspace_names import Names
from bot_bottle.store.removal import remove_tree

MODES = ("none", "copy")
DEFAULT_LIMIT_BYTES = 20 * 1024**3
"""The bottle's own limit (``resources.disk``)."""
REPORT_EVERY_BYTES = 16 * 1024 * 1024

_CHOOSE = "choose a project's directory"

Progress = Callable[[int, int], None]
"""Called now and then with the bytes copied and the bytes to copy."""


class WorkspaceTooLarge(WorkspaceError):
    """More than the bottle may hold. ``largest`` names the biggest files with their sizes in bytes."""

    def __init__(self, total_bytes: int, limit_bytes: int, largest: Sequence[tuple[str, int]] = ()) -> None:
        names = ", ".join(f"{printable(name, limit=80)} ({size} bytes)" for name, size in largest)
        super().__init__(
            f"the workspace takes {total_bytes} bytes and the bottle's disk is limited to {limit_bytes}"
            + (f"; the largest files are {names}" if names else "")
            + ": exclude files with 'workspace.exclude' or raise 'resources.disk'"
        )
        self.total_bytes = total_bytes
        self.limit_bytes = limit_bytes
        self.largest = tuple(largest)


@dataclass(frozen=True)
class WorkspacePlan:
    """What is to be copied; ``source`` is None in mode ``none``."""

    mode: str
    source: Path | None = None
    names: Names = field(default_factory=Names)
    home: Path = Path("/")
    ignore: Path | None = None
    """the operator's own ignore file"""


@dataclass(frozen=True)
class CopyReport:
    """What was copied."""

    files: int = 0
    bytes: int = 0
    left_out: tuple[LeftOutEntry, ...] = ()
    """at most ``workspace_listing.MAX_LEFT_OUT``; ignored files are not in it"""
    left_out_count: int = 0
    notes: tuple[str, ...] = ()
    """what the operator should know, a sentence each"""


def plan_workspace(
    source: Path, mode: str, exclude: Sequence[str] = (), home: Path | None = None
) -> WorkspacePlan:
    """Judge *source* before anything starts; *exclude* are the manifest's globs (``!GLOB`` wants a secret).

    Raises ``WorkspaceError``: no directory, ``/``, *home* or what contains it, our own state.
    """
    if mode == "none":
        return WorkspacePlan("none")
    if mode not in MODES:
        raise WorkspaceError(f"workspace mode {mode!r} is not enforced by this version: use 'copy' or 'none'")
    home = Path(os.path.realpath(home or Path.home()))
    try:
        real = Path(os.path.realpath(source, strict=True))
        if not real.is_dir():
            raise WorkspaceError(f"workspace {str(source)!r} is no directory: name one")
        parents = [os.stat(path) for path in (home, *home.parents) if path.exists()]
        found = os.stat(real)
    except OSError as error:
        raise WorkspaceError(f"workspace {str(source)!r} can't be used: {error.strerror}") from error
    # by identity, not by name: a bind mount or a link of the home is the home
    if any(os.path.samestat(found, parent) for parent in parents):
        raise WorkspaceError(f"workspace {str(source)!r} is or contains your home: {_CHOOSE}")
    state = home / ".bot-bottle"
    if real == state or state in real.parents:
        raise WorkspaceError(f"workspace {str(source)!r} is bot-bottle's own state: {_CHOOSE}")
    ignore = home / ".config" / "git" / "ignore"
    return WorkspacePlan("copy", real, Names(exclude), home, ignore if ignore.is_file() else None)


def copy_in(
    plan: WorkspacePlan,
    lower: Path,
    uid: int | None,
    *,
    limit_bytes: int = DEFAULT_LIMIT_BYTES,
    progress: Progress | None = None,
) -> CopyReport:
    """Copy what *plan* says into *lower* (an empty directory that no bottle can write yet), owned by *uid*.

    Sizes are summed up before a file is copied. Raises :class:`WorkspaceTooLarge`, ``WorkspaceError``;
    *lower* is empty again then.
    """
    if plan.source is None:
        return CopyReport()
    try:
        if os.listdir(lower):
            raise WorkspaceError(f"{str(lower)!r} is not empty: remove the bottle and start again")
        source = os.open(plan.source, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise WorkspaceError(f"the workspace can't be read: {error.strerror or error}") from error
    try:
        target = os.open(lower, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            ground = Ground(
                plan.source, source, lower, target, uid, limit_bytes, plan.names, plan.home, plan.ignore
            )
            return _Copying(ground).run(progress)
        finally:
            os.close(target)
    except OSError as error:
        _empty(lower)
        raise WorkspaceError(f"the workspace can't be copied: {error.strerror or error}") from error
    except BaseException:
        _empty(lower)
        raise
    finally:
        os.close(source)


def _empty(lower: Path) -> None:
    for name in os.listdir(lower):
        remove_tree(lower / name)


_MISSING = os.strerror(2).lower()
"""A tracked file that is deleted in the working tree is no news."""


class _Copying:
    """One run of :func:`copy_in`: collect paths, add up, copy."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._report = Report()
        self._listing = Listing(ground, self._report)

    def run(self, progress: Progress | None) -> CopyReport:
        ordered = self._listing.run()
        total = self._listing.git_bytes + self._add_up(ordered)
        files, copied = self._copy(ordered, total, progress)
        report = self._report
        return CopyReport(
            files,
            copied + self._listing.git_bytes,
            tuple(report.left_out),
            report.left_out_count,
            tuple(report.notes),
        )

    def _add_up(self, ordered: list[Parts]) -> int:
        sizes: list[tuple[int, str]] = []
        total = self._listing.git_bytes
        descent = Descent(self._ground.source)
        try:
            for parts in ordered:
                try:
                    directory, _ = descent.enter(parts[:-1])
                    found = os.stat(parts[-1], dir_fd=directory, follow_symlinks=False)
                except (LeftOut, OSError):
                    continue  # the copying finds out, too, and says why
                if stat.S_ISREG(found.st_mode):
                    total += found.st_size
                    sizes.append((found.st_size, "/".join(parts)))
        finally:
            descent.close()
        if total > self._ground.limit_bytes:
            largest = sorted(sizes, reverse=True)[:3]
            raise WorkspaceTooLarge(total, self._ground.limit_bytes, [(name, size) for size, name in largest])
        return total - self._listing.git_bytes

    def _copy(self, ordered: list[Parts], total: int, progress: Progress | None) -> tuple[int, int]:
        files = copied = reported = 0
        descent = Descent(self._ground.source, self._ground.target, self._ground.uid)
        try:
            for parts in ordered:
                try:
                    directory, copy = descent.enter(parts[:-1])
                    assert copy is not None
                    copied += copy_entry(directory, copy, parts[-1], self._ground.uid)
                except LeftOut as error:
                    if str(error) != _MISSING:
                        self._report.leave(parts, str(error))
                    continue
                files += 1
                if self._listing.git_bytes + copied > self._ground.limit_bytes:
                    raise WorkspaceTooLarge(self._listing.git_bytes + copied, self._ground.limit_bytes)
                if progress is not None and copied - reported >= REPORT_EVERY_BYTES:
                    reported = copied
                    progress(self._listing.git_bytes + copied, total)
        finally:
            descent.close()
        if progress is not None:
            progress(self._listing.git_bytes + copied, total)
        return files, copied
