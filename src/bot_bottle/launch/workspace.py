"""The workspace: what of a directory of the host's goes into a bottle, and the copying of it.

Mode ``copy``: tracked files and those that git would not ignore (all, where there is no repository), with
a sanitised ``.git`` (``workspace_git``). Left outside, and said so: secrets by name, excluded globs,
special files, whatever lies behind a link, repositories that belong elsewhere. The directory may be full
of hostile content and may change while it is read; it is only ever read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot_bottle.base.text import printable
from bot_bottle.launch import workspace_git
from bot_bottle.launch.workspace_copy import MAX_DEPTH, Descent, LeftOut, WorkspaceError, copy_entry, reason
from bot_bottle.launch.workspace_names import SECRET, Names
from bot_bottle.store.removal import remove_tree

MODES = ("none", "copy")
DEFAULT_LIMIT_BYTES = 20 * 1024**3
"""The bottle's own limit (``resources.disk``)."""
MAX_FILES = 2_000_000
"""A listing of them takes some 500 MiB here."""
MAX_REPOSITORIES = 200
"""Nested ones and submodules; each costs two runs of git."""
MAX_LEFT_OUT = 1000
"""Named in the report; the rest is counted."""
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
class LeftOutEntry:
    """One path (relative, printable) that stays outside, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class CopyReport:
    """What was copied."""

    files: int = 0
    bytes: int = 0
    left_out: tuple[LeftOutEntry, ...] = ()
    """at most :data:`MAX_LEFT_OUT`; ignored files are not in it"""
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
            copying = _Copying(plan, plan.source, source, lower, target, uid, limit_bytes)
            return copying.run(progress)
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


_Found = tuple[tuple[str, ...], bool, bool]
"""Path from the workspace's top, whether git tracks it, whether it is a repository of its own."""


class _Copying:
    """One run of :func:`copy_in`: collect paths, add up, copy."""

    def __init__(
        self,
        plan: WorkspacePlan,
        top: Path,
        source: int,
        lower: Path,
        target: int,
        uid: int | None,
        limit: int,
    ) -> None:
        self._plan = plan
        self._top = top
        self._source = source
        self._lower = lower
        self._target = target
        self._uid = uid
        self._limit = limit
        self._paths: set[tuple[str, ...]] = set()
        self._repositories = 0
        self._git_bytes = 0
        self._notes: list[str] = []
        self._left_out: list[LeftOutEntry] = []
        self._left_out_count = 0
        self._kept_back_tracked = 0

    def run(self, progress: Progress | None) -> CopyReport:
        pending: list[tuple[str, ...]] = [()]
        while pending:
            pending += self._collect(pending.pop())
        ordered = sorted(self._paths)
        total = self._git_bytes + self._add_up(ordered)
        files, copied = self._copy(ordered, total, progress)
        if self._kept_back_tracked:
            self._notes.append(
                f"{self._kept_back_tracked} of the files left out are tracked by git: "
                "what was committed of them is in the copied history"
            )
        return CopyReport(
            files, copied + self._git_bytes, tuple(self._left_out), self._left_out_count, tuple(self._notes)
        )

    # -- which paths

    def _collect(self, base: tuple[str, ...]) -> list[tuple[str, ...]]:
        """Take in the paths of the directory *base*; returns the repositories found further down."""
        nested: list[tuple[str, ...]] = []
        for parts, tracked, repository in self._list(base):
            if len(parts) > MAX_DEPTH:
                self._leave(parts, "nested too deep")
                continue
            stays = self._plan.names.reason_to_leave_out(parts)
            if stays:
                self._leave(parts, stays)
                self._kept_back_tracked += tracked and stays == SECRET
            elif repository:
                nested.append(parts)
            else:
                self._paths.add(parts)
                if len(self._paths) > MAX_FILES:
                    raise WorkspaceError(f"the workspace has more than {MAX_FILES} files: exclude some")
        return nested

    def _list(self, base: tuple[str, ...]) -> Iterator[_Found]:
        """Everything in the directory *base*, as git or a walk finds it."""
        directory = self._top.joinpath(*base)
        try:
            self._check_directory(base)
            located, top = workspace_git.locate(directory), directory
            if located is None and not base:
                located, top = self._enclosing()
            if located is None:
                yield from self._walk(base)
                return
            self._repositories += 1
            if self._repositories > MAX_REPOSITORIES:
                raise LeftOut(f"more than {MAX_REPOSITORIES} repositories")
        except LeftOut as error:
            if base:
                self._leave(base, str(error))
                return
            self._notes.append(f"history left out: {error}")
            located, top = None, directory
        yield from self._list_by_git(base, located, top)

    def _list_by_git(
        self, base: tuple[str, ...], located: workspace_git.Located | None, top: Path
    ) -> Iterator[_Found]:
        """With a copy of the repository *located* (None: an empty one, for the ignore files' sake), which
        stays if it has a history that belongs to *base*."""
        directory = self._top.joinpath(*base)
        git_dir = self._lower.joinpath(*base, ".git")
        room = self._limit - self._git_bytes
        self._make_parents(base)
        copy = None
        if located is not None:
            try:
                copy = workspace_git.copy_git_dir(located, git_dir, self._uid, room, history=top == directory)
            except LeftOut as error:
                if base:
                    self._leave(base, str(error))
                    return
                self._notes.append(f"history left out: {error}")
        copy = copy or workspace_git.blank_git_dir(git_dir)
        self._git_bytes += copy.bytes
        self._notes += [f"{printable('/'.join(base))}: {note}" if base else note for note in copy.notes]
        try:
            found = list(self._listed(base, git_dir, top))
        finally:
            if not copy.history:
                remove_tree(git_dir)
        # an ignored directory of a larger repository: what that one ignores says nothing about it
        yield from found if found or top == directory else self._walk(base)

    def _listed(self, base: tuple[str, ...], git_dir: Path, top: Path) -> Iterator[_Found]:
        directory = self._top.joinpath(*base)
        try:
            for name, tracked, repository in workspace_git.list_files(
                git_dir, top, directory, self._plan.ignore
            ):
                parts = tuple(name.split("/"))
                if all(part not in ("", ".", "..") and part.lower() != ".git" for part in parts):
                    yield (*base, *parts), tracked, repository
                else:
                    self._leave((*base, *parts), "not a path of a working tree")
        except WorkspaceError as error:
            if not base:
                raise
            self._leave(base, str(error))

    def _enclosing(self) -> tuple[workspace_git.Located | None, Path]:
        """The repository that the workspace is a part of: its ignore rules hold, its history stays out.

        One at the home or above (dotfiles) is none of the workspace's; nor is another user's."""
        for parent in self._top.parents:
            if parent == self._plan.home or parent in self._plan.home.parents:
                break
            try:
                owner = os.lstat(parent / ".git").st_uid
                located = workspace_git.locate(parent)
            except (OSError, LeftOut):
                continue
            if located is not None and owner in (0, os.geteuid()):
                self._notes.append(
                    f"the workspace is a part of the repository {printable(str(parent))!r}: "
                    "its history stays outside"
                )
                return located, parent
            break
        return None, self._top

    def _walk(self, base: tuple[str, ...]) -> Iterator[_Found]:
        """Without a repository: every file; a directory with a ``.git`` is a repository of its own."""
        pending = [base]
        descent = Descent(self._source)
        try:
            while pending:
                parts = pending.pop()
                try:
                    directory, _ = descent.enter(parts)
                    with os.scandir(directory) as entries:
                        found = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
                except (LeftOut, OSError) as error:
                    self._leave(parts, reason(error))
                    continue
                if parts != base and any(name == ".git" for name, _ in found):
                    yield parts, False, True
                    continue
                for name, is_directory in found:
                    path = (*parts, name)
                    names = self._plan.names
                    stays = names.reason_to_leave_out(path) and not names.may_hold_wanted(path)
                    if is_directory and not stays and name != ".git":
                        pending.append(path)
                    elif name != ".git":
                        yield path, False, False
        finally:
            descent.close()

    def _check_directory(self, base: tuple[str, ...]) -> None:
        """*base* is reached without a link: by then its path may be used as one."""
        descent = Descent(self._source)
        try:
            descent.enter(base)
        finally:
            descent.close()

    def _make_parents(self, base: tuple[str, ...]) -> None:
        descent = Descent(self._source, self._target, self._uid)
        try:
            descent.enter(base)
        finally:
            descent.close()

    # -- sizes and copying

    def _add_up(self, ordered: list[tuple[str, ...]]) -> int:
        sizes: list[tuple[int, str]] = []
        total = self._git_bytes
        descent = Descent(self._source)
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
        if total > self._limit:
            largest = sorted(sizes, reverse=True)[:3]
            raise WorkspaceTooLarge(total, self._limit, [(name, size) for size, name in largest])
        return total - self._git_bytes

    def _copy(self, ordered: list[tuple[str, ...]], total: int, progress: Progress | None) -> tuple[int, int]:
        files = copied = reported = 0
        descent = Descent(self._source, self._target, self._uid)
        try:
            for parts in ordered:
                try:
                    directory, copy = descent.enter(parts[:-1])
                    assert copy is not None
                    copied += copy_entry(directory, copy, parts[-1], self._uid)
                except LeftOut as error:
                    if str(error) != _MISSING:
                        self._leave(parts, str(error))
                    continue
                files += 1
                if self._git_bytes + copied > self._limit:
                    raise WorkspaceTooLarge(self._git_bytes + copied, self._limit)
                if progress is not None and copied - reported >= REPORT_EVERY_BYTES:
                    reported = copied
                    progress(self._git_bytes + copied, total)
        finally:
            descent.close()
        if progress is not None:
            progress(self._git_bytes + copied, total)
        return files, copied

    # -- what stays outside

    def _leave(self, parts: tuple[str, ...], why: str) -> None:
        self._left_out_count += 1
        if len(self._left_out) < MAX_LEFT_OUT:
            path = printable("/".join(parts) or ".", limit=300)
            self._left_out.append(LeftOutEntry(path, printable(why)))


_MISSING = os.strerror(2).lower()
"""A tracked file that is deleted in the working tree is no news."""
