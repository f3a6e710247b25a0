"""Skills: directories of the operator's that an agent file names, carried into the bottle file by file."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath

from bot_bottle.launch.plan import LaunchError
from bot_bottle.providers.contract import GuestFile

MAX_SKILL_BYTES = 16 * 1024 * 1024
"""A skill is text and scripts; one that is larger is a mistake in the name."""


def read(source: Path, target: PurePosixPath) -> list[GuestFile]:
    """Every regular file below *source*, to be written below *target*; links and special files are left out.

    Raises :class:`LaunchError` when *source* is no directory or holds more than :data:`MAX_SKILL_BYTES`.
    """
    if not source.is_dir():
        raise LaunchError(f"skill {source.name!r} is not there: make the directory {str(source)!r}")
    files: list[GuestFile] = []
    total = 0
    for directory, _, names in os.walk(source):
        for name in sorted(names):
            path = Path(directory) / name
            status = path.lstat()
            if not stat.S_ISREG(status.st_mode):
                continue
            total += status.st_size
            if total > MAX_SKILL_BYTES:
                raise LaunchError(
                    f"skill {source.name!r} has more than {MAX_SKILL_BYTES} bytes: make it smaller"
                )
            mode = 0o700 if status.st_mode & 0o100 else 0o600
            files.append(GuestFile(target / path.relative_to(source).as_posix(), path.read_bytes(), mode))
    return files
