"""A repository's ``.git`` made fit for a bottle, and the list of files that git knows: hostile input.

Nothing that a repository says is ever executed on the host (threats H6): git runs on *our* copy of the
``.git`` alone, which has a configuration written here, no hooks, no attributes, no includes, no helper;
with no configuration of the system's or the operator's, and no protocol allowed. Copied are data: HEAD,
refs, objects, index, ``shallow``, ``info/exclude``. Left behind are the rest, states of a rebase or merge
included (their todo lists hold commands).
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bot_bottle.base import process
from bot_bottle.launch.workspace_copy import Descent, LeftOut, WorkspaceError, copy_entry, open_directory
from bot_bottle.launch.workspace_git_config import Settings, read_settings, render
from bot_bottle.store.files import read_small

GIT_TIMEOUT_S = 120.0
"""Listing a million files takes some seconds; a hostile index must not hold the launch for ever."""
MAX_POINTER_BYTES = 8192
MAX_STATE_BYTES = 512 * 1024 * 1024
"""An index of two million files has some 200 MiB; objects have the workspace's own limit."""

_OBJECT_FILE = re.compile(
    r"(?:[0-9a-f]{2}/[0-9a-f]{38}(?:[0-9a-f]{24})?"
    r"|pack/(?:pack|loose)-[0-9a-f]{40}(?:[0-9a-f]{24})?\.(?:pack|idx|rev|bitmap|mtimes|promisor)"
    r"|pack/multi-pack-index"
    r"|info/commit-graph|info/commit-graphs/(?:commit-graph-chain|graph-[0-9a-f]{40,64}\.graph))\Z"
)
_INDEX_FILE = re.compile(r"(?:index|sharedindex\.[0-9a-f]{40,64})\Z")
_REF_VALUE = re.compile(rb"(?:[0-9a-f]{40}|[0-9a-f]{64}|ref: refs/[!-~]{1,1000})\s*\Z")
_REF_PART = re.compile(r"(?!-)[!-~\u00a0-\U0010ffff]{1,255}\Z")

_QUIET = (
    "core.fsmonitor=false", "core.untrackedCache=false", "core.hooksPath=/dev/null", "core.quotePath=false",
    "submodule.recurse=false", "protocol.allow=never",
)  # fmt: skip


@dataclass(frozen=True)
class Located:
    """Where a working tree's repository is: *gitdir* has HEAD and index, *common* objects and refs."""

    gitdir: Path
    common: Path


@dataclass(frozen=True)
class GitCopy:
    """What :func:`copy_git_dir` made. ``history`` False: good for listing only, to be removed then."""

    settings: Settings
    history: bool
    bytes: int
    notes: tuple[str, ...] = field(default=())


def environment() -> dict[str, str]:
    """For every git that we start: no configuration but what we give it, no network, no prompt."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "XDG_CONFIG_HOME": "/nonexistent",
        "LC_ALL": "C", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_SYSTEM": "/dev/null",
        "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_ATTR_NOSYSTEM": "1", "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0", "GIT_NO_REPLACE_OBJECTS": "1", "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none", "GIT_PROTOCOL_FROM_USER": "0",
    }  # fmt: skip


def locate(work_tree: Path) -> Located | None:
    """The repository of *work_tree*; None when it has no ``.git``. Raises :class:`LeftOut`.

    A ``.git`` *file* may name any repository of the host's: it is believed only if that repository says
    in turn that *work_tree* is one of its own (a worktree's ``gitdir``, a submodule's ``core.worktree``).
    """
    dot_git = work_tree / ".git"
    try:
        mode = os.lstat(dot_git).st_mode
    except OSError:
        return None
    if stat.S_ISDIR(mode):
        return Located(dot_git, dot_git)
    if not stat.S_ISREG(mode):
        raise LeftOut("'.git' is a link or special file")
    text = (read_small(dot_git, MAX_POINTER_BYTES) or b"").decode("utf-8", "surrogateescape")
    if not text.startswith("gitdir: "):
        raise LeftOut("'.git' is a file of no known form")
    gitdir = _resolve(work_tree, text.removeprefix("gitdir: "))
    if gitdir is None:
        raise LeftOut("'.git' names no directory")
    back = _resolve(gitdir, _line(gitdir / "gitdir"))
    if back is not None and back == Path(os.path.realpath(dot_git)):
        common = _resolve(gitdir, _line(gitdir / "commondir"))
        if common is None or gitdir.parent != common / "worktrees":
            raise LeftOut("'.git' names a worktree whose repository is not where it should be")
        return Located(gitdir, common)
    worktree = read_settings(read_small(gitdir / "config") or b"").worktree
    if worktree and _resolve(gitdir, worktree) == Path(os.path.realpath(work_tree)):
        return Located(gitdir, gitdir)
    raise LeftOut("'.git' names a repository that does not know this directory (a moved worktree?)")


def blank_git_dir(target: Path) -> GitCopy:
    """Make *target* an empty repository, for listing a directory by its ``.gitignore`` files alone."""
    settings = Settings()
    _make_bare(target, b"ref: refs/heads/main\n", settings)
    return GitCopy(settings, False, 0)


def copy_git_dir(
    located: Located, target: Path, uid: int | None, room_bytes: int, *, history: bool = True
) -> GitCopy:
    """Make *target* (``…/.git``, its parent exists, it doesn't) the sanitised copy of *located*; without
    *history* only what listing needs.

    Raises :class:`LeftOut` when there is no repository to speak of, ``WorkspaceError`` when its objects
    take more than *room_bytes*; *target* is not made then.
    """
    common = open_directory(str(located.common))
    try:
        if os.readlink(f"/proc/self/fd/{common}") != str(located.common):
            raise LeftOut("'.git' was replaced while it was read")
        gitdir = open_directory(str(located.gitdir))
        try:
            settings = read_settings(read_small(located.common / "config") or b"")
            head = read_small(located.gitdir / "HEAD", MAX_POINTER_BYTES) or b""
            if not _REF_VALUE.match(head):
                raise LeftOut("'.git' is no repository (no valid HEAD)")
            obstacle = _obstacle(located, settings) if history else None
            history = history and obstacle is None
            size = _measure(common, room_bytes) if history else 0
            _make_bare(target, head if history else b"ref: refs/heads/main\n", settings)
            _copy_state(gitdir, common, target)
            notes = list(settings.notes) if history else []
            if history:
                _copy_history(common, target)
            elif obstacle:
                notes.append(f"history left out: {obstacle}")
        finally:
            os.close(gitdir)
    finally:
        os.close(common)
    if uid is not None:
        _give(target, uid)
    return GitCopy(settings, history, size, tuple(notes))


def list_files(
    git_dir: Path, top: Path, below: Path, ignore: Path | None
) -> Iterator[tuple[str, bool, bool]]:
    """Tracked and untracked-not-ignored paths below *below*, relative to it: (path, tracked, repository).

    *git_dir* is a copy made by :func:`copy_git_dir`; *top* its working tree; *ignore* the operator's own
    ignore file. *repository* marks a directory that is one of its own. Paths are hostile: neither their
    parts nor their existence has been looked at. Raises ``WorkspaceError``.
    """
    git = process.find_program("git")
    if git is None:
        raise WorkspaceError("git is not installed and the workspace is a repository: install git")
    options = [*_QUIET, *([f"core.excludesFile={ignore}"] if ignore else [])]
    argv = [str(git), f"--git-dir={git_dir}", f"--work-tree={top}"]
    argv += [word for option in options for word in ("-c", option)]
    listing = [*argv, "ls-files", "-z", "--cached", "--stage"]
    others = [*argv, "ls-files", "-z", "--others", "--exclude-standard"]
    for record in _records(listing, below):
        head, _, name = record.partition(b"\t")
        yield os.fsdecode(name), True, head.startswith(b"160000 ")
    for record in _records(others, below):
        yield os.fsdecode(record.rstrip(b"/")), False, record.endswith(b"/")


def _records(argv: list[str], cwd: Path) -> list[bytes]:
    try:
        done = process.run(argv, timeout_s=GIT_TIMEOUT_S, env=environment(), cwd=cwd)
    except process.ProcessFailed as error:
        raise WorkspaceError(f"git can't list the workspace: {error}") from error
    return [record for record in done.stdout.split(b"\0") if record]


def _obstacle(located: Located, settings: Settings) -> str | None:
    """Why the history can't come along; the files still can."""
    borrowed = read_small(located.common / "objects" / "info" / "alternates", MAX_POINTER_BYTES)
    if borrowed is None and os.path.lexists(located.common / "objects" / "info" / "alternates"):
        return "objects/info/alternates can't be read"
    if borrowed and borrowed.strip():
        return (
            "objects are borrowed from another repository (objects/info/alternates): "
            "run 'git repack -a -d' and remove that file"
        )
    if settings.obstacle:
        return settings.obstacle
    for name in ("objects", "refs"):
        if not stat.S_ISDIR(_mode(located.common / name)):
            return f"'.git/{name}' is no directory"
    return None


def _make_bare(target: Path, head: bytes, settings: Settings) -> None:
    for name in ("", "objects", "refs", "refs/heads", "info"):
        os.mkdir(target / name, 0o755)
    (target / "HEAD").write_bytes(head)
    (target / "config").write_text(render(settings), encoding="utf-8", errors="surrogateescape")


def _copy_state(gitdir: int, common: int, target: Path) -> None:
    """The index is the working tree's own, the rest the repository's."""
    out = open_directory(str(target))
    walk = Descent(common, out)
    try:
        for name in sorted(os.listdir(gitdir)):
            if _INDEX_FILE.match(name):
                _copy_or_skip(gitdir, out, name)
        for name in ("shallow", "packed-refs"):
            _copy_or_skip(common, out, name)
        source, copy = walk.enter(("info",))
        assert copy is not None
        _copy_or_skip(source, copy, "exclude")
    except LeftOut:
        pass  # no 'info'
    finally:
        walk.close()
        os.close(out)


def _copy_history(common: int, target: Path) -> None:
    out = open_directory(str(target))
    walk = Descent(common, out)
    try:
        for parts in _walk(common, ("objects",)):
            if _OBJECT_FILE.match("/".join(parts[1:])):
                source, copy = walk.enter(parts[:-1])
                assert copy is not None
                _copy_or_skip(source, copy, parts[-1])
        for parts in _walk(common, ("refs",)):
            if all(_REF_PART.match(part) and not part.endswith(".lock") for part in parts):
                source, copy = walk.enter(parts[:-1])
                assert copy is not None
                if _REF_VALUE.match(_read_at(source, parts[-1])):
                    _copy_or_skip(source, copy, parts[-1])
    finally:
        walk.close()
        os.close(out)


def _copy_or_skip(source: int, target: int, name: str) -> None:
    try:
        found = os.stat(name, dir_fd=source, follow_symlinks=False)
        if stat.S_ISREG(found.st_mode) and (found.st_size <= MAX_STATE_BYTES or not _is_state(name)):
            copy_entry(source, target, name, None)
    except (LeftOut, FileNotFoundError):
        pass  # gone meanwhile, or unreadable: git says what it misses


def _is_state(name: str) -> bool:
    return _INDEX_FILE.match(name) is not None or name in ("shallow", "packed-refs", "exclude")


def _measure(common: int, room_bytes: int) -> int:
    total = 0
    walk = Descent(common)
    try:
        for parts in _walk(common, ("objects",)):
            directory, _ = walk.enter(parts[:-1])
            try:
                total += os.stat(parts[-1], dir_fd=directory, follow_symlinks=False).st_size
            except OSError:
                continue
            if total > room_bytes:
                raise WorkspaceError(
                    f"the repository's history takes more than the bottle's {room_bytes} bytes of disk: "
                    "raise 'resources.disk', or start from a shallow clone"
                )
    finally:
        walk.close()
    return total


def _walk(top: int, start: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Paths of the files below *start*, directory by directory; links are not followed, nor listed."""
    pending = [start]
    walk = Descent(top)
    try:
        while pending:
            parts = pending.pop()
            try:
                directory, _ = walk.enter(parts)
                with os.scandir(directory) as entries:
                    found = [(entry.name, entry.is_dir(follow_symlinks=False),
                              entry.is_file(follow_symlinks=False)) for entry in entries]  # fmt: skip
            except (LeftOut, OSError):
                continue
            pending += [(*parts, name) for name, is_directory, _ in sorted(found) if is_directory]
            yield from ((*parts, name) for name, _, is_file in sorted(found) if is_file)
    finally:
        walk.close()


def _read_at(directory: int, name: str) -> bytes:
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    except OSError:
        return b""
    try:
        return os.read(fd, MAX_POINTER_BYTES) if stat.S_ISREG(os.fstat(fd).st_mode) else b""
    finally:
        os.close(fd)


def _give(tree: Path, uid: int) -> None:
    """All of the copy to *uid*; it has no links, since we made it."""
    for directory, _, files, fd in os.fwalk(tree, follow_symlinks=False):
        del directory
        os.fchown(fd, uid, uid)
        for name in files:
            os.chown(name, uid, uid, dir_fd=fd, follow_symlinks=False)


def _resolve(base: Path, text: str) -> Path | None:
    """The real path of what *text* (a line) names, relative to *base*; None when there is nothing."""
    name = text.rstrip("\r\n")
    if not name or "\0" in name or "\n" in name:
        return None
    try:
        return Path(os.path.realpath(base / name, strict=True))
    except (OSError, ValueError):
        return None


def _line(path: Path) -> str:
    return (read_small(path, MAX_POINTER_BYTES) or b"").decode("utf-8", "surrogateescape")


def _mode(path: Path) -> int:
    try:
        return os.lstat(path).st_mode
    except OSError:
        return 0
