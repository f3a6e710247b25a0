"""The one door to other programs: argv lists, an explicit environment, always a timeout."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from bot_bottle.base.errors import BotBottleError

PLAIN_ENVIRONMENT_NAMES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
"""What a helper program may inherit: nothing in it is a credential."""


class ProcessFailed(BotBottleError):
    """A program could not be started, ran too long or ended with a status other than 0."""


class Completed(Struct, frozen=True):
    """What a finished program left: ``status`` as Python has it (negative for a signal), its output."""

    status: int
    stdout: bytes
    stderr: bytes


def plain_environment() -> dict[str, str]:
    """The part of our own environment that any helper program may see."""
    return {name: os.environ[name] for name in PLAIN_ENVIRONMENT_NAMES if name in os.environ}


def find_program(name: str) -> Path | None:
    """Where *name* is on PATH or in the sbin directories that a user's PATH may lack; None if nowhere.

    Never in the current directory, which an empty entry or a missing PATH would mean."""
    entries = [*os.environ.get("PATH", os.defpath).split(os.pathsep), "/usr/sbin", "/sbin"]
    found = shutil.which(name, path=os.pathsep.join(entry for entry in entries if os.path.isabs(entry)))
    return Path(found) if found else None


def start(argv: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start *argv* beside the caller, who polls, kills and waits: no input, its output in a pipe.

    Raises :class:`ProcessFailed` when it can't be started.
    """
    try:
        return subprocess.Popen(
            list(argv),
            env=plain_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise ProcessFailed(f"{argv[0]!r} could not be started: {error.strerror or error}") from error


def foreground(argv: Sequence[str], terminal: int | None) -> int:
    """Run a program of the operator's own (an editor) with the whole environment, as their shell would, and
    wait for it; its exit status, negative for a signal. It talks to *terminal*, or to our standard streams.

    Ctrl-C is the program's meanwhile. Raises :class:`ProcessFailed` when it can't be started.
    """
    previous = signal.signal(signal.SIGINT, lambda *_: None)  # a handler, unlike "ignore", is not inherited
    try:
        child = subprocess.Popen(
            list(argv),
            env=dict(os.environ),
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
        )
        return child.wait()
    except OSError as error:
        raise ProcessFailed(f"{argv[0]!r} could not be started: {error.strerror or error}") from error
    finally:
        signal.signal(signal.SIGINT, previous)


def run(
    argv: Sequence[str],
    *,
    timeout_s: float,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: bytes = b"",
    check: bool = True,
) -> Completed:
    """Run *argv* to its end and return what it wrote.

    *env* replaces the whole environment (default: :func:`plain_environment`). The program's process group
    is killed when *timeout_s* is over.

    Raises :class:`ProcessFailed` when it can't be started, times out, or (with *check*) ends with another
    status than 0; the message has the end of its standard error.
    """
    try:
        with subprocess.Popen(
            list(argv),
            env=dict(plain_environment() if env is None else env),
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as child:
            try:
                stdout, stderr = child.communicate(stdin, timeout=timeout_s)
            except subprocess.TimeoutExpired as error:
                os.killpg(child.pid, 9)
                child.communicate()
                raise ProcessFailed(f"{argv[0]!r} did not end within {timeout_s:g} s") from error
            except BaseException:
                os.killpg(child.pid, 9)
                raise
    except OSError as error:
        raise ProcessFailed(f"{argv[0]!r} could not be started: {error.strerror or error}") from error
    if check and child.returncode != 0:
        tail = stderr.decode("utf-8", "replace").strip()[-500:]
        raise ProcessFailed(f"{argv[0]!r} ended with status {child.returncode}: {tail or 'no message'}")
    return Completed(child.returncode, stdout, stderr)
