"""Install an agent's program, pinned, once per version. Nothing of it is executed here.

It comes as one tarball from the npm registry, is checked against its pinned SHA-512 *before* it is
opened, unpacked by code of ours that makes plain files and directories only, and sealed read-only; no
install script runs, not even ``--version``.

Layout: ``<tools root>/<name>/<version>/`` holds the package's files and ``.integrity``, the pin that it
was checked against; it appears by one rename, so it is whole or absent.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import hmac
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from bot_bottle.base import process
from bot_bottle.base.errors import BotBottleError
from bot_bottle.providers.contract import Tool

DOWNLOAD_TIMEOUT_S = 900.0
"""Claude Code's tarball has 175 MB: 15 minutes is 200 kB/s."""

MAX_UNPACKED_BYTES = 2 * 1024**3
"""The largest known agent unpacks to about 400 MB."""

MAX_MEMBERS = 50_000
"""Pi, the one with the most files, has about 10,000."""

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
    place = _place(tool, tools_root)
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
        return (_place(tool, tools_root) / _INTEGRITY_FILE).read_text() == tool.integrity
    except OSError:
        return False


def _place(tool: Tool, tools_root: Path) -> Path:
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
    progress(f"downloading {tool.package} {tool.version} (once; it is kept in {place})")
    archive = _download(tool, staging)
    _check_integrity(tool, archive)
    progress(f"unpacking {tool.package} {tool.version}")
    package = staging / "package"
    _unpack(archive, package)
    program = package / tool.program
    if not program.is_file() or not os.access(program, os.X_OK):
        raise ToolError(f"{tool.package} {tool.version} has no program {str(tool.program)!r}")
    (package / _INTEGRITY_FILE).write_text(tool.integrity)
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


def _download(tool: Tool, staging: Path) -> Path:
    """Fetch the tarball by npm, which knows the operator's registry; its cache and logs stay in staging,
    where no ``.npmrc`` of a project is in sight."""
    npm = process.find_program("npm")
    if npm is None:
        raise ToolError(
            f"npm is needed to install {tool.name} {tool.version}: install it (Debian: 'apt install npm'), "
            f"or name the directory of your own {tool.name} in the bottle's 'tools'"
        )
    downloads = staging / "download"
    downloads.mkdir()
    env = process.plain_environment()
    env |= {name: os.environ[name] for name in _NPM_ENVIRONMENT if name in os.environ}
    try:
        process.run(
            [
                str(npm), "pack", f"{tool.package}@{tool.version}", "--ignore-scripts", "--loglevel=error",
                f"--pack-destination={downloads}", f"--cache={staging / 'cache'}", f"--prefix={staging}",
                "--no-update-notifier", "--logs-max=0",
            ],
            timeout_s=DOWNLOAD_TIMEOUT_S, env=env, cwd=staging,
        )  # fmt: skip
    except process.ProcessFailed as error:
        raise ToolError(
            f"npm could not fetch {tool.package} {tool.version}: {error} "
            f"(or name the directory of your own {tool.name} in the bottle's 'tools')"
        ) from error
    found = list(downloads.iterdir())
    if len(found) != 1 or not found[0].is_file() or found[0].is_symlink():
        raise ToolError(f"npm left {len(found)} files instead of one tarball of {tool.package}: try again")
    return found[0]


def _check_integrity(tool: Tool, archive: Path) -> None:
    """Compare with the pin (W3C Subresource Integrity, SHA-512 alone); nothing has looked inside yet."""
    algorithm, _, encoded = tool.integrity.partition("-")
    try:
        wanted = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        wanted = b""
    if algorithm != "sha512" or len(wanted) != hashlib.sha512().digest_size:
        raise ToolError(f"the pin of {tool.package} is no sha512 integrity: {tool.integrity!r}")
    with archive.open("rb") as file:
        got = hashlib.file_digest(file, "sha512").digest()
    if not hmac.compare_digest(wanted, got):
        raise ToolError(
            f"{tool.package} {tool.version} from the registry is not what was pinned: expected "
            f"{tool.integrity}, got sha512-{base64.b64encode(got).decode()}; it was thrown away unopened "
            "(ask whoever runs your registry)"
        )


def _unpack(archive: Path, target: Path) -> None:
    """Write the regular files of an npm tarball below *target*, its ``package/`` taken off.

    Stricter than tarfile's own ``data`` filter (which Debian 12's Python lacks): a link, a device, a name
    that leaves, repeats or hides, or too much of it ends the installation.
    """
    target.mkdir()
    total = 0
    try:
        with tarfile.open(archive, "r|gz") as tar:
            for count, member in enumerate(tar, 1):
                total += member.size
                if count > MAX_MEMBERS or total > MAX_UNPACKED_BYTES:
                    raise ToolError(f"{archive.name} holds too much: more than {MAX_UNPACKED_BYTES} bytes")
                relative = _member_path(member, archive)
                if member.isdir():
                    (target / relative).mkdir(parents=True, exist_ok=True)
                    continue
                destination = target / relative
                destination.parent.mkdir(parents=True, exist_ok=True)
                source = tar.extractfile(member)
                assert source is not None
                with destination.open("xb") as out:
                    shutil.copyfileobj(source, out, 1024 * 1024)
                destination.chmod(0o555 if member.mode & 0o111 else 0o444)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise ToolError(f"{archive.name} is no npm tarball: {error}") from error


def _member_path(member: tarfile.TarInfo, archive: Path) -> PurePosixPath:
    parts = member.name.rstrip("/").split("/")
    plain = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE) and not member.issparse()
    if (
        not plain
        or parts[0] != "package"
        or any(part in ("", ".", "..", _INTEGRITY_FILE) or not part.isprintable() for part in parts)
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
