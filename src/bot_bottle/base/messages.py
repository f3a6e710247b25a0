"""Messages to the person at the keyboard: one line each on standard error, never data, never an exception.

The threshold is read at every call from ``BOT_BOTTLE_LOG_LEVEL`` (``debug``, ``info``, ``warn``,
``error``; anything else means ``info``). What others chose is made printable first.
"""

from __future__ import annotations

import os
import sys

from bot_bottle.base.text import printable

DEBUG, INFO, WARN, ERROR = 10, 20, 30, 40
_LEVELS = {"debug": DEBUG, "info": INFO, "warn": WARN, "warning": WARN, "error": ERROR}
_PREFIXES = {DEBUG: "debug: ", INFO: "", WARN: "warning: ", ERROR: "error: "}


def threshold() -> int:
    """The lowest level that is shown now."""
    return _LEVELS.get(os.environ.get("BOT_BOTTLE_LOG_LEVEL", "").strip().lower(), INFO)


def debug(message: str, **context: object) -> None:
    _say(DEBUG, message, context)


def info(message: str, **context: object) -> None:
    _say(INFO, message, context)


def warning(message: str, **context: object) -> None:
    _say(WARN, message, context)


def error(message: str, **context: object) -> None:
    """Errors are shown whatever the threshold."""
    _say(ERROR, message, context)


def render(level: int, message: str, context: dict[str, object]) -> str:
    """The line without its end: ``bot-bottle: warning: text [a=1 b="two words"]``."""
    lines = [printable(line) for line in message.split("\n")]
    text = f"bot-bottle: {_PREFIXES[level]}" + "\n  ".join(lines)
    if context:
        text += " [" + " ".join(f"{key}={_quoted(str(context[key]))}" for key in sorted(context)) + "]"
    return text


def _quoted(value: str) -> str:
    value = printable(value)
    if not value or any(char.isspace() or char == '"' for char in value):
        return '"' + value.replace('"', '\\"') + '"'
    return value


def _say(level: int, message: str, context: dict[str, object]) -> None:
    try:
        if level >= min(threshold(), ERROR):
            print(render(level, message, context), file=sys.stderr, flush=True)
    except Exception:  # noqa: S110 - a message that can't be shown must not end what it is about
        pass
