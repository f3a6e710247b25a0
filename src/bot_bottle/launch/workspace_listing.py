"""Which paths of a directory of the host's a workspace has: as git knows them, or by a walk.

Makes the sanitised copies of repositories on the way, in the target: git lists by those alone. What comes
out are paths that nobody has opened yet; what stays outside is in :class:`Report`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bot_bottle.base.text import printable
from bot_bottle.launch import workspace_git
from bot_bottle.launch.workspace_copy import MAX_DEPTH, Descent, LeftOut, WorkspaceError, reason
from bot_bottle.launch.workspace_names import SECRET, Names
from bot_bottle.store.removal import remove_tree

MAX_FILES = 2_000_000
"""A listing of them takes some 500 MiB here."""
MAX_REPOSITORIES = 200
"""Nested ones and submodules; each costs two runs of git."""
MAX_LEFT_OUT = 1000
"""Named in the report; the rest is counted."""

Parts = tuple[str, ...]
"""A path from the workspace's top."""
_Found = tuple[Parts, bool, bool]
"""Path, whether git tracks it, whether it is a repository of its own."""


@dataclass(frozen=True)
class LeftOutEntry:
    """One path (relative, printable) that stays outside, and why."""

    path: str
    reason: str


@dataclass
class Report:
    """What there is to say about a workspace, as it is found out."""

    left_out: list[LeftOutEntry] = field(default_factory=list)
    left_out_count: int = 0
    notes: list[str] = field(default_factory=list)

    def leave(self, parts: Parts, why: str) -> None:
        """*parts* stays outside."""
        self.left_out_count += 1
        if len(self.left_out) < MAX_LEFT_OUT:
            path = printable("/".join(parts) or ".", limit=300)
            self.left_out.append(LeftOutEntry(path, printable(why)))


@dataclass(frozen=True)
class Ground:
    """Where a copy goes from and to; the descriptors are the caller's. ``home`` and ``ignore`` are the
    operator's own: where enclosing repositories are not looked for, and what git ignores for them."""

    top: Path
    source: int
    lower: Path
    target: int
    uid: int | None
    limit_bytes: int
    names: Names
    home: Path
    ignore: Path | None


class Listing:
    """Collects the paths of one workspace."""

    def __init__(self, ground: Ground, report: Report) -> None:
        self._ground = ground
        self._report = report
        self._paths: set[Parts] = set()
        self._repositories = 0
        self._kept_back_tracked = 0
        self.git_bytes = 0
        """copied as history, from :meth:`run` on"""

    def run(self) -> list[Parts]:
        """All paths to copy, sorted. Raises ``WorkspaceError``."""
        pending: list[Parts] = [()]
        while pending:
            pending += self._collect(pending.pop())
        if self._kept_back_tracked:
            self._report.notes.append(
                f"{self._kept_back_tracked} of the files left out are tracked by git: "
                "what was committed of them is in the copied history"
            )
        return sorted(self._paths)

    def _collect(self, base: Parts) -> list[Parts]:
        """Take in the paths of the directory *base*; returns the repositories found further down."""
        nested: list[Parts] = []
        for parts, tracked, repository in self._list(base):
            if len(parts) > MAX_DEPTH:
                self._report.leave(parts, "nested too deep")
                continue
            stays = self._ground.names.reason_to_leave_out(parts)
            if stays:
                self._report.leave(parts, stays)
                self._kept_back_tracked += tracked and stays == SECRET
            elif repository:
                nested.append(parts)
            else:
                self._paths.add(parts)
                if len(self._paths) > MAX_FILES:
                    raise WorkspaceError(f"the workspace has more than {MAX_FILES} files: exclude some")
        return nested

    def _list(self, base: Parts) -> Iterator[_Found]:
        """Everything in the directory *base*, as git or a walk finds it."""
        directory = self._ground.top.joinpath(*base)
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
                self._report.leave(base, str(error))
                return
            self._report.notes.append(f"history left out: {error}")
            located, top = None, directory
        yield from self._list_by_git(base, located, top)

    def _list_by_git(self, base: Parts, located: workspace_git.Located | None, top: Path) -> Iterator[_Found]:
        """With a copy of the repository *located* (None: an empty one, for the ignore files' sake), which
        stays if it has a history that belongs to *base*."""
        directory = self._ground.top.joinpath(*base)
        git_dir = self._ground.lower.joinpath(*base, ".git")
        room = self._ground.limit_bytes - self.git_bytes
        self._make_parents(base)
        copy = None
        if located is not None:
            try:
                copy = workspace_git.copy_git_dir(
                    located, git_dir, self._ground.uid, room, history=top == directory
                )
            except LeftOut as error:
                if base:
                    self._report.leave(base, str(error))
                    return
                self._report.notes.append(f"history left out: {error}")
        copy = copy or workspace_git.blank_git_dir(git_dir)
        self.git_bytes += copy.bytes
        self._report.notes += [
            f"{printable('/'.join(base))}: {note}" if base else note for note in copy.notes
        ]
        try:
            found = list(self._listed(base, git_dir, top))
        finally:
            if not copy.history:
                remove_tree(git_dir)
        # an ignored directory of a larger repository: what that one ignores says nothing about it
        yield from found if found or top == directory else self._walk(base)

    def _listed(self, base: Parts, git_dir: Path, top: Path) -> Iterator[_Found]:
        directory = self._ground.top.joinpath(*base)
        try:
            for name, tracked, repository in workspace_git.list_files(
                git_dir, top, directory, self._ground.ignore
            ):
                parts = tuple(name.split("/"))
                if all(part not in ("", ".", "..") and part.lower() != ".git" for part in parts):
                    yield (*base, *parts), tracked, repository
                else:
                    self._report.leave((*base, *parts), "not a path of a working tree")
        except WorkspaceError as error:
            if not base:
                raise
            self._report.leave(base, str(error))

    def _enclosing(self) -> tuple[workspace_git.Located | None, Path]:
        """The repository that the workspace is a part of: its ignore rules hold, its history stays out.

        One at the home or above (dotfiles) is none of the workspace's; nor is another user's."""
        for parent in self._ground.top.parents:
            if parent == self._ground.home or parent in self._ground.home.parents:
                break
            try:
                owner = os.lstat(parent / ".git").st_uid
                located = workspace_git.locate(parent)
            except (OSError, LeftOut):
                continue
            if located is not None and owner in (0, os.geteuid()):
                self._report.notes.append(
                    f"the workspace is a part of the repository '{printable(str(parent))}': "
                    "its history stays outside"
                )
                return located, parent
            break
        return None, self._ground.top

    def _walk(self, base: Parts) -> Iterator[_Found]:
        """Without a repository: every file; a directory with a ``.git`` is a repository of its own."""
        pending = [base]
        descent = Descent(self._ground.source)
        try:
            while pending:
                parts = pending.pop()
                try:
                    directory, _ = descent.enter(parts)
                    with os.scandir(directory) as entries:
                        found = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
                except (LeftOut, OSError) as error:
                    self._report.leave(parts, reason(error))
                    continue
                if parts != base and any(name == ".git" for name, _ in found):
                    yield parts, False, True
                    continue
                for name, is_directory in found:
                    path = (*parts, name)
                    names = self._ground.names
                    stays = names.reason_to_leave_out(path) and not names.may_hold_wanted(path)
                    if is_directory and not stays and name != ".git":
                        pending.append(path)
                    elif name != ".git":
                        yield path, False, False
        finally:
            descent.close()

    def _check_directory(self, base: Parts) -> None:
        """*base* is reached without a link: by then its path may be used as one."""
        descent = Descent(self._ground.source)
        try:
            descent.enter(base)
        finally:
            descent.close()

    def _make_parents(self, base: Parts) -> None:
        descent = Descent(self._ground.source, self._ground.target, self._ground.uid)
        try:
            descent.enter(base)
        finally:
            descent.close()
