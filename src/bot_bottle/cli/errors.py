"""The only place that turns an exception into an exit status (ruling 35).

0 done, 1 the person can mend it, 2 wrong usage, 3 a bug of ours with the log's path, 130 Ctrl-C.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from typing import Any

import click

from bot_bottle.base import messages
from bot_bottle.base.errors import BotBottleError

OK, FIXABLE, USAGE, BUG, INTERRUPTED = 0, 1, 2, 3, 130


class Exit(Exception):
    """A command ends with ``status``, having said all that is to be said."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def guarded(call: Callable[[], Any]) -> int:
    """Run *call*; its integer result is the exit status, None is 0, an exception is as the table says."""
    try:
        result = call()
        sys.stdout.flush()
    except Exit as end:
        return end.status
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "", err=True)
        return USAGE
    except click.UsageError as error:
        error.show()
        return USAGE
    except (KeyboardInterrupt, click.Abort):
        messages.error("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        _silence_stdout()
        return FIXABLE
    except (BotBottleError, click.ClickException) as error:
        messages.error(error.format_message() if isinstance(error, click.ClickException) else str(error))
        return getattr(error, "exit_status", FIXABLE)
    except Exception as error:
        if isinstance(error, FileNotFoundError) and not _has_directory():
            messages.error("the current directory was removed: change to another one")
            return FIXABLE
        if (fix := lack_of_host(error)) is not None:
            messages.error(fix)
            return FIXABLE
        messages.error(f"a bug of ours: {type(error).__name__}", log=_crash_log())
        return BUG
    return result if isinstance(result, int) else OK


_LACKS = {
    errno.EMFILE: "raise the limit of open files ('ulimit -n')",
    errno.ENFILE: "the host has too many files open: end what holds them",
    errno.ENOSPC: "free some, or run 'bot-bottle cleanup'",
    errno.EDQUOT: "the quota is used up: free some, or run 'bot-bottle cleanup'",
    errno.ENOMEM: "end what takes the memory",
    errno.EAGAIN: "raise the limit of processes ('ulimit -u')",
    errno.EROFS: "set HOME to a place that can be written",
}


def lack_of_host(error: Exception) -> str | None:
    """What the host has run out of, and how to mend it; None: *error* is another one."""
    if isinstance(error, OSError) and error.errno in _LACKS:
        return f"{(error.strerror or '').lower()}: {_LACKS[error.errno]}"
    return None


def _has_directory() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True


def _silence_stdout() -> None:
    """The reader of our output is gone; Python must not complain about it at its own exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _crash_log() -> str:
    """Write the traceback, without the values of variables, to ``logs/crash-<time>-<pid>.txt``."""
    import traceback  # only a crash pays for it

    from bot_bottle.base.clock import utc_now
    from bot_bottle.base.text import printable
    from bot_bottle.store.layout import default_layout

    text = traceback.format_exc()
    directory = default_layout().home / "logs"
    path = directory / f"crash-{utc_now().replace(':', '')}-{os.getpid()}.txt"
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
    except OSError:
        sys.stderr.write("\n".join(map(printable, text.split("\n"))))
        return "standard error"
    return str(path)
