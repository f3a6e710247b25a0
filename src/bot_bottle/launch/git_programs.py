"""The programs that a git gate runs: found and old enough, or the launch is refused with the fix."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.process import ProcessFailed, find_program, run

GITLEAKS_VARIABLE = "BOT_BOTTLE_GITLEAKS"
CHECKOUT_GITLEAKS = Path("tools/gitleaks/usr/bin/gitleaks")
"""Where ``scripts/gitleaks.sh`` lays it in a clone"""
GITLEAKS_AT_LEAST = (8, 20)
GITLEAKS_FEATURE = b"--max-decode-depth"
"""An option that came with that version. Debian's build says no version at all."""
GIT_AT_LEAST = (2, 39)
"""Debian 12's: its quarantine, ``--atomic`` and protocol v2 are what the gate was tested with"""

VERSION_TIMEOUT_S = 10.0
"""Milliseconds, but for a machine that is busy."""

_CLONE = Path(__file__).resolve().parents[3]
_NUMBERS = re.compile(rb"([0-9]{1,5})\.([0-9]{1,5})")
_HOW = (
    f"install gitleaks {GITLEAKS_AT_LEAST[0]}.{GITLEAKS_AT_LEAST[1]} or newer (in a clone: scripts/gitleaks.sh), "
    f"put it on PATH or name it in {GITLEAKS_VARIABLE}"
)


class ProgramMissing(BotBottleError):
    """A program is not there, or too old."""


def find_gitleaks(environ: Mapping[str, str]) -> Path:
    """The binary: the operator's variable, else PATH, else the clone that this package runs from.

    Raises :class:`ProgramMissing`, also for one that is older than 8.20: it does not decode.
    """
    path = _gitleaks_path(environ)
    _refuse_script(path)
    try:
        said = run([str(path), "version"], timeout_s=VERSION_TIMEOUT_S).stdout
        version = _version(said)
        if version is None:
            good = GITLEAKS_FEATURE in run([str(path), "git", "--help"], timeout_s=VERSION_TIMEOUT_S).stdout
        else:
            good = version >= GITLEAKS_AT_LEAST
    except ProcessFailed as error:
        raise ProgramMissing(f"gitleaks can't be used: {error}: {_HOW}") from error
    if not good:
        what = said.decode("utf-8", "replace").strip()[:40]
        raise ProgramMissing(f"{str(path)!r} is too old ({what!r}): {_HOW}")
    return path


def _gitleaks_path(environ: Mapping[str, str]) -> Path:
    named = environ.get(GITLEAKS_VARIABLE, "")
    if named:
        path = Path(named)
        if not path.is_absolute() or not os.access(path, os.X_OK) or not path.is_file():
            raise ProgramMissing(f"{GITLEAKS_VARIABLE} is {named!r}: name the program by its whole path")
        return path.resolve()
    found = find_program("gitleaks")
    if found is not None:
        return found.resolve()
    path = _CLONE / CHECKOUT_GITLEAKS
    if path.is_file():
        return path.resolve()
    raise ProgramMissing(f"no gitleaks here, without which nothing is pushed: {_HOW}")


def _refuse_script(path: Path) -> None:
    """The gate's view holds this one file: a version manager's shim could not find what it stands for."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise ProgramMissing(f"{str(path)!r} can't be read: {error.strerror}: {_HOW}") from error
    if magic != b"\x7fELF":
        raise ProgramMissing(
            f"{str(path)!r} is a script that stands for gitleaks: name the program itself in {GITLEAKS_VARIABLE}"
        )


def require_git() -> None:
    """Raise :class:`ProgramMissing` where git is missing or older than 2.39."""
    if find_program("git") is None:
        raise ProgramMissing("git is not on PATH: install git")
    try:
        said = run(["git", "--version"], timeout_s=VERSION_TIMEOUT_S).stdout
    except ProcessFailed as error:
        raise ProgramMissing(f"git can't be used: {error}") from error
    version = _version(said)
    if version is None or version < GIT_AT_LEAST:
        wanted = ".".join(map(str, GIT_AT_LEAST))
        raise ProgramMissing(
            f"git is too old ({said.decode('utf-8', 'replace').strip()[:40]!r}): install {wanted} or newer"
        )


def require_ssh() -> None:
    """Raise :class:`ProgramMissing` where there is no ssh client."""
    for name in ("ssh", "ssh-keygen"):
        if find_program(name) is None:
            raise ProgramMissing(
                f"{name} is not on PATH, and a repository has an ssh url: install openssh-client"
            )


def _version(text: bytes) -> tuple[int, int] | None:
    found = _NUMBERS.search(text)
    return (int(found[1]), int(found[2])) if found else None
