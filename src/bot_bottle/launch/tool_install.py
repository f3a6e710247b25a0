"""Install an agent's program, pinned, once per version. Nothing of it is executed here.

It comes as tarballs from the npm registry (one, or a locked tree of them: ``tool_lock``), each is checked
against its pinned SHA-512 *before* it is opened, unpacked by code of ours that makes plain files and
directories only, and sealed read-only; no install script runs, not even ``--version``.

Layout: ``<tools root>/<name>/<version>/`` holds the package's files and ``.integrity``, the pin that it
was checked against; it appears by one rename, so it is whole or absent.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from bot_bottle.base import process
from bot_bottle.base.errors import BotBottleError
from bot_bottle.launch.tool_lock import Part, parts_of, pin_of
from bot_bottle.providers.contract import Tool

DOWNLOAD_TIMEOUT_S = 900.0
"""Claude Code's tarball has 175 MB: 15 minutes is 200 kB/s."""

MAX_UNPACKED_BYTES = 2 * 1024**3
"""The largest known agent unpacks to about 400 MB."""

MAX_MEMBERS = 50_000
"""Pi, the one with the most files, has about 10,000; of one tarball."""

_NPM_ENVIRONMENT = (
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "npm_config_registry", "NPM_CONFIG_REGISTRY",
    "NPM_CONFIG_USERCONFIG",
)  # fmt: skip
"""What npm may need of the operator's environment to reach a registry, and no more."""

_STAGING_PREFIX = ".installing-"
_INTEGRITY_FILE = ".integrity"

Progress = Callable[[str], None]
"""Gets a line for the person who waits."""


class ToolError(BotBottleError):
    """A tool can't be installed or found; the message says what to do."""


def ensure_tool(tool: Tool, tools_root: Path, progress: Progress) -> Path:
    """The directory of *tool*, installed first if it is not there yet. Raises :class:`ToolError`.

    Two calls at once install it once; one that is interrupted, even killed, leaves nothing that a later
    one takes for a tool.
    """
    place = place_of(tool, tools_root)
    if is_installed(tool, tools_root):
        return place
    try:
        with staging_area(place.parent, progress) as staging:
            if not is_installed(tool, tools_root):
                _install(tool, place, staging, progress)
    except OSError as error:
        raise ToolError(f"can't install {tool.name} {tool.version} in {place}: {error.strerror}") from error
    return place


def is_installed(tool: Tool, tools_root: Path) -> bool:
    """Whether exactly this pin is there; a changed one means a new installation."""
    try:
        return (place_of(tool, tools_root) / _INTEGRITY_FILE).read_text() == pin_of(tool)
    except OSError:
        return False


def place_of(tool: Tool, tools_root: Path) -> Path:
    """Where it is once it is installed. Raises :class:`ToolError`."""
    for part in (tool.name, tool.version):
        if not part or part.startswith(".") or "/" in part or "\0" in part:
            raise ToolError(f"{part!r} can't be part of a path: mend the tool's pin")
    return tools_root / tool.name / tool.version


@contextmanager
def staging_area(directory: Path, progress: Progress) -> Iterator[Path]:
    """A fresh directory in *directory*, which is made and locked meanwhile; gone afterwards.

    The kernel lets the lock go when the process ends, however it ends; what a killed one left behind is
    removed by the next. Raises OSError.
    """
    for path in reversed((directory, *directory.parents)):
        if not path.exists():
            path.mkdir(exist_ok=True)
            path.chmod(0o755)  # whatever the umask: other uids read tools, and none writes
    fd = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(f"waiting for another launch that installs {directory.name}")
            fcntl.flock(fd, fcntl.LOCK_EX)
        for leftover in directory.glob(f"{_STAGING_PREFIX}*"):
            _remove(leftover)
        staging = Path(tempfile.mkdtemp(prefix=_STAGING_PREFIX, dir=directory))
        try:
            yield staging
        finally:
            _remove(staging)
    finally:
        os.close(fd)


def _install(tool: Tool, place: Path, staging: Path, progress: Progress) -> None:
    parts = parts_of(tool)
    many = f" ({len(parts)} packages)" if len(parts) > 1 else ""
    progress(f"downloading {tool.package} {tool.version}{many} (once; it is kept in {place})")
    archives = _checked(parts, _download(tool, parts, staging))
    progress(f"unpacking {tool.package} {tool.version}")
    package = staging / "package"
    package.mkdir()
    for part in parts:
        _unpack(archives[part.integrity], package / part.place)
    program = package / tool.program
    if tool.script:
        program.parent.mkdir(parents=True)
        program.write_text(tool.script)
        program.chmod(0o555)
    if not program.is_file() or not os.access(program, os.X_OK):
        raise ToolError(f"{tool.package} {tool.version} has no program {str(tool.program)!r}")
    (package / _INTEGRITY_FILE).write_text(pin_of(tool))
    _swap_in(package, place, staging)


def _swap_in(package: Path, place: Path, staging: Path) -> None:
    """Seal *package* and put it at *place*. Its top stays writable until it is there: a directory that
    can't be written can't be moved to another parent."""
    seal(package)
    package.chmod(0o755)
    if place.exists():
        place.chmod(0o755)
        place.rename(staging / "replaced")
    package.rename(place)
    place.chmod(0o555)


def npm_is_missing(tool: Tool) -> ToolError:
    return ToolError(
        f"npm is needed to install {tool.name} {tool.version}: install it (Debian: 'apt install npm'), "
        f"or name the directory of your own {tool.name} in the bottle's 'tools'"
    )


def _download(tool: Tool, parts: Sequence[Part], staging: Path) -> list[Path]:
    """Fetch the tarballs by npm, which knows the operator's registry; its cache and logs stay in staging,
    where no ``.npmrc`` of a project is in sight."""
    npm = process.find_program("npm")
    if npm is None:
        raise npm_is_missing(tool)
    downloads = staging / "download"
    downloads.mkdir()
    env = process.plain_environment()
    env |= {name: os.environ[name] for name in _NPM_ENVIRONMENT if name in os.environ}
    try:
        process.run(
            [
                str(npm), "pack", *dict.fromkeys(part.spec for part in parts), "--ignore-scripts",
                "--loglevel=error", f"--pack-destination={downloads}", f"--cache={staging / 'cache'}",
                f"--prefix={staging}", "--no-update-notifier", "--logs-max=0",
            ],
            timeout_s=DOWNLOAD_TIMEOUT_S, env=env, cwd=staging,
        )  # fmt: skip
    except process.ProcessFailed as error:
        raise ToolError(
            f"npm could not fetch {tool.package} {tool.version}: {error} "
            f"(or name the directory of your own {tool.name} in the bottle's 'tools')"
        ) from error
    found = list(downloads.iterdir())
    if any(not path.is_file() or path.is_symlink() for path in found):
        raise ToolError(f"npm left something else than tarballs of {tool.package}: try again")
    return found


def _checked(parts: Sequence[Part], archives: Sequence[Path]) -> dict[str, Path]:
    """Integrity to tarball, for every part (W3C Subresource Integrity, SHA-512 alone); nothing has looked
    inside yet. What npm called a file says nothing: only what it holds counts."""
    wanted = {part.integrity: part for part in parts}
    for part in parts:
        _check_pin(part)
    found: dict[str, Path] = {}
    for archive in archives:
        with archive.open("rb") as file:
            digest = hashlib.file_digest(file, "sha512").digest()
        got = f"sha512-{base64.b64encode(digest).decode()}"
        if got not in wanted:
            what = parts[0].spec if len(parts) == 1 else archive.name
            expected = f"expected {parts[0].integrity}, " if len(parts) == 1 else ""
            raise ToolError(
                f"{what} from the registry is not what was pinned: {expected}got {got}; it was thrown away "
                "unopened (ask whoever runs your registry)"
            )
        found[got] = archive
    missing = next((part.spec for integrity, part in wanted.items() if integrity not in found), None)
    if missing is not None:
        raise ToolError(f"npm left no tarball of {missing}: try again")
    return found


def _check_pin(part: Part) -> None:
    algorithm, _, encoded = part.integrity.partition("-")
    try:
        digest = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        digest = b""
    if algorithm != "sha512" or len(digest) != hashlib.sha512().digest_size:
        raise ToolError(f"the pin of {part.spec} is no sha512 integrity: {part.integrity!r}")


def _unpack(archive: Path, target: Path) -> None:
    """Write the regular files of an npm tarball below *target*, its one top directory taken off.

    Stricter than tarfile's own ``data`` filter (which Debian 12's Python lacks): a link, a device, a name
    that leaves, repeats or hides, or too much of it ends the installation.
    """
    target.mkdir(parents=True, exist_ok=True)
    total = 0
    top = ""
    try:
        with tarfile.open(archive, "r|gz") as tar:
            for count, member in enumerate(tar, 1):
                total += member.size
                if count > MAX_MEMBERS or total > MAX_UNPACKED_BYTES:
                    raise ToolError(f"{archive.name} holds too much: more than {MAX_UNPACKED_BYTES} bytes")
                top = top or member.name.partition("/")[0]
                relative = _member_path(member, top, archive)
                if member.isdir():
                    (target / relative).mkdir(parents=True, exist_ok=True)
                    continue
                destination = target / relative
                destination.parent.mkdir(parents=True, exist_ok=True)
                source = tar.extractfile(member)
                assert source is not None
                if destination.is_file():  # two packages of Pi's name a file twice; the same is no harm
                    if destination.read_bytes() != source.read():
                        raise ToolError(f"{archive.name} holds two files {str(relative)!r}: thrown away")
                    continue
                with destination.open("xb") as out:
                    shutil.copyfileobj(source, out, 1024 * 1024)
                destination.chmod(0o555 if member.mode & 0o111 else 0o444)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise ToolError(f"{archive.name} is no npm tarball: {error}") from error


def _member_path(member: tarfile.TarInfo, top: str, archive: Path) -> PurePosixPath:
    parts = [part for part in member.name.rstrip("/").split("/") if part != "."]  # some packages have them
    plain = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE) and not member.issparse()
    if (
        not plain
        or parts[:1] != [top]
        or any(part in ("", "..", _INTEGRITY_FILE) or not part.isprintable() for part in parts)
        or (len(parts) == 1 and not member.isdir())
    ):
        raise ToolError(f"{archive.name} holds {member.name!r}, which no npm tarball has: thrown away")
    return PurePosixPath(*parts[1:])


def seal(tree: Path) -> None:
    """Make every directory of *tree* 0555 and every file 0444 or 0555; links are left alone."""
    for directory, _, names in os.walk(tree, topdown=False):
        for name in names:
            path = Path(directory, name)
            if not path.is_symlink():
                path.chmod(0o555 if path.stat().st_mode & 0o111 else 0o444)
        Path(directory).chmod(0o555)


def _remove(tree: Path) -> None:
    """Delete *tree* although parts of it are sealed."""
    for directory, _, _ in os.walk(tree):
        os.chmod(directory, 0o700)
    shutil.rmtree(tree, ignore_errors=True)
