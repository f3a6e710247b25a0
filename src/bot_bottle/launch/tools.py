"""Which program an agent runs: the operator's own, or the pinned one. It is bound read-only into bottles.

The operator's own is whatever the bottle's ``tools`` names; nothing of it is executed here.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from bot_bottle.base import process
from bot_bottle.launch.tool_install import (
    Progress,
    ToolError,
    ensure_tool,
    is_installed,
    npm_is_missing,
    place_of,
    seal,
    staging_area,
)
from bot_bottle.providers.contract import Tool
from bot_bottle.sandbox.contract import Mount

GUEST_TOOLS = PurePosixPath("/opt/bot-bottle/tools")
"""Where tools are seen inside, one directory each; outside of the home, so that no agent file hides it."""

_MAX_ANCESTORS = 6
"""How far above a program its ``package.json`` is looked for (``vendor/<triple>/bin/codex``)."""


@dataclass(frozen=True)
class Pending:
    """What has to be done before a tool can be bound; nobody has agreed to it yet."""

    what: str
    """for the operator: what is installed, how large, where"""
    carry_out: Callable[[Progress], object] = field(compare=False, repr=False)
    """raises :class:`ToolError`"""


@dataclass(frozen=True)
class BoundTool:
    """A tool as the launch uses it: ``mount`` goes into the bottle's spec, ``program`` (a path inside)
    takes the place of the plan's ``argv[0]``."""

    mount: Mount
    program: PurePosixPath
    pending: Pending | None = None
    """None: it is there"""


def provide(
    command: str, tool: Tool | None, named: Sequence[Path], tools_root: Path, progress: Progress
) -> BoundTool:
    """The program for *command*: from what the operator named in ``tools``, else the pinned one. Nothing is fetched
    or copied: that is what may be pending.

    Without npm the operator's own on PATH is taken, and said so. Raises :class:`ToolError`.
    """
    own = find_own(command, named)
    if own is None and tool is not None and not is_installed(tool, tools_root) and not _has_npm():
        own = find_own(command, (), search_path=True)
        if own is None:
            raise npm_is_missing(tool)
        progress(f"npm is not installed: using your own {own} instead of {tool.name} {tool.version}")
    if own is not None:
        return _bind_own(command, own, tools_root)
    if tool is None:
        raise ToolError(
            f"there is no pinned build of {command!r} for this machine: "
            f"name the directory of your own {command} in the bottle's 'tools'"
        )
    place = place_of(tool, tools_root)
    pending = None
    if not is_installed(tool, tools_root):
        size = f" ({tool.megabytes} MB)" if tool.megabytes else ""
        pending = Pending(
            f"{tool.package} {tool.version}{size} in {place}", lambda say: ensure_tool(tool, tools_root, say)
        )
    target = GUEST_TOOLS / tool.name
    return BoundTool(Mount(place, target), target / tool.program, pending)


def find_own(command: str, named: Sequence[Path], *, search_path: bool = False) -> Path | None:
    """The operator's own program called *command*, links resolved; None if there is none.

    Looked for as each of *named* itself, in it, and in its ``bin`` (and ``node_modules/.bin``); with
    *search_path* on PATH as well.
    """
    candidates = [
        path
        for root in named
        for path in (
            *([root] if root.name == command or root.stem == command else []),
            root / command,
            root / "bin" / command,
            root / "node_modules" / ".bin" / command,
        )
    ]
    if search_path and (found := process.find_program(command)):
        candidates.append(found)
    for candidate in candidates:
        resolved = candidate.resolve()
        if resolved.is_file() and os.access(resolved, os.X_OK):
            return resolved
    return None


def _has_npm() -> bool:
    return process.find_program("npm") is not None


def _bind_own(command: str, program: Path, tools_root: Path) -> BoundTool:
    """Bind the package that *program* belongs to, or the program alone where it belongs to none.

    Real root starts bottles as other uids: what those can't read (root's home) is copied for them.
    """
    package = _package_of(program)
    inside, is_file = program.relative_to(package), package.is_file()
    source, pending = package, None
    if os.geteuid() == 0 and not _readable_by_all(program, package):
        source = _place_of_copy(command, package, tools_root)
        if not source.exists():
            pending = Pending(
                f"a copy of {package}, which bottles can't read, in {source}",
                lambda say: _copy_own(package, source, say),
            )
    target = GUEST_TOOLS / command
    if is_file:
        target /= command
        return BoundTool(Mount(source, target), target, pending)
    return BoundTool(Mount(source, target), target / PurePosixPath(inside), pending)


def _package_of(program: Path) -> Path:
    """The directory of the npm package around *program*; *program* itself if there is none near."""
    for directory in list(program.parents)[:_MAX_ANCESTORS]:
        if directory.name == "node_modules":
            break
        if (directory / "package.json").is_file():
            return directory
    return program


def _readable_by_all(program: Path, package: Path) -> bool:
    above = all(parent.stat().st_mode & stat.S_IXOTH for parent in package.parents)
    between = (package, *(p for p in program.parents if p.is_relative_to(package) and p != package))
    open_dirs = all(not path.is_dir() or path.stat().st_mode & 0o005 == 0o005 for path in between)
    return above and open_dirs and program.stat().st_mode & 0o005 == 0o005


def _place_of_copy(command: str, package: Path, tools_root: Path) -> Path:
    """In the tools' directory; another one when the original has changed."""
    info = package.stat()
    identity = f"{package}\0{info.st_dev}\0{info.st_ino}\0{info.st_size}\0{info.st_mtime_ns}"
    return tools_root / command / f"own-{hashlib.sha256(os.fsencode(identity)).hexdigest()[:16]}"


def _copy_own(package: Path, place: Path, progress: Progress) -> None:
    """A readable copy of *package* at *place*."""
    try:
        with staging_area(place.parent, progress) as staging:
            if place.exists():
                return
            copy = staging / "copy"
            if package.is_dir():
                shutil.copytree(package, copy, symlinks=True)
                seal(copy)
            else:
                shutil.copyfile(package, copy)
                copy.chmod(0o555)
            copy.rename(place)
    except OSError as error:
        raise ToolError(f"can't copy {package} to {place}: {error.strerror}") from error
