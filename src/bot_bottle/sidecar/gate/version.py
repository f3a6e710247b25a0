"""Whether this machine's git is one that the gate knows how to keep in bounds."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot_bottle.base.errors import BotBottleError
from bot_bottle.sidecar.gate import confined
from bot_bottle.sidecar.gate.confined import Confinement

OLDEST_GIT = (2, 39)
"""Debian 12's: pins addresses of HTTPS (2.37), believes ``safe.directory`` of the environment alone (2.38)"""
TIMEOUT_S = 15.0


class GitMissing(BotBottleError):
    """There is no git, or one that is too old."""


async def check_git(confinement: Confinement, objects: Path) -> str:
    """The version of git in a sandbox: that sandboxes work is seen as well. Raises :class:`GitMissing`."""
    async with confined.running(confinement.seal(["git", "version"], objects=objects)) as process:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                out, err = await process.communicate()
        except TimeoutError:
            raise GitMissing(f"git did not start in a sandbox within {TIMEOUT_S:g} s") from None
    if process.returncode != 0:
        reason = err.decode("utf-8", "replace").strip()[-300:] or f"status {process.returncode}"
        raise GitMissing(f"git does not run in a sandbox here: {reason}")
    version = parse_version(out)
    if version < OLDEST_GIT:
        needed = ".".join(str(part) for part in OLDEST_GIT)
        raise GitMissing(
            f"git {out.decode('ascii', 'replace').strip()!r} is too old: install git {needed} or later"
        )
    return ".".join(str(part) for part in version)


def parse_version(out: bytes) -> tuple[int, ...]:
    """``git version 2.39.5`` as numbers; what follows them is left out. Empty: it is none."""
    words = out.split()
    numbers: list[int] = []
    for part in words[2].split(b".") if words[:2] == [b"git", b"version"] and len(words) > 2 else []:
        if not part.isdigit() or len(part) > 4:
            break
        numbers.append(int(part))
    return tuple(numbers)
