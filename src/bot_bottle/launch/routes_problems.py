"""Every mistake in a routes file, for ``validate``: apart from ``routes_file``, which a launch stops at the first."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from bot_bottle.base.yamltext import MAX_BYTES, KeyPath, YamlError, load
from bot_bottle.egress.codec import decode_policy, decode_route
from bot_bottle.egress.config import ConfigError, Dialect, Policy, Route
from bot_bottle.egress.preset_keys import without_presets
from bot_bottle.launch.policy import PolicyError, refuse_unbuilt
from bot_bottle.manifest.problems import Problem


def routes_problems(path: Path) -> list[Problem]:
    """What is wrong, and what this version does not enforce; each with its line, in the order of the file."""
    file = str(path)
    try:
        document = load(_read(path))
    except YamlError as error:
        return [Problem(error.message, file, error.line, error.path)]
    except UnicodeDecodeError:
        return [Problem("is not UTF-8: name a routes file", file)]
    except OSError as error:
        return [Problem(f"can't be read: {(error.strerror or str(error)).lower()}: name a routes file", file)]
    found = [Problem(message, file, document.line(at), at) for message, at in _mistakes(document.data)]
    return sorted(found, key=lambda problem: problem.line)


def _read(path: Path) -> str:
    """Raises OSError, for what is no regular file too: a FIFO's writer may never come."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "not a regular file")
    with open(fd, encoding="utf-8") as stream:
        return stream.read(MAX_BYTES + 1)


def _mistakes(data: dict[str, object]) -> list[tuple[str, KeyPath]]:
    """Of each route by itself, of the rest, and, where those are right, of the whole."""
    found: list[tuple[str, KeyPath]] = []
    parts: list[tuple[Policy, KeyPath]] = []
    routes = data.get("routes")
    listed = routes if isinstance(routes, list) else []
    for index, raw in enumerate(listed):
        at: KeyPath = ("routes", index)
        route = _route(raw, at, found)
        if route is not None:
            parts.append((Policy(routes=(route,)), at))
    rest = {key: value for key, value in data.items() if key != "routes" or not listed}
    for key, value in rest.items():
        try:
            parts.append((decode_policy({key: value}), (key,)))
        except ConfigError as error:
            found.append((error.message, error.path))
    for part, at in parts:
        try:
            refuse_unbuilt(part)
        except PolicyError as error:
            found.append((str(error), at))
    if not found:
        try:
            whole = decode_policy(data)
        except ConfigError as error:
            found.append((error.message, error.path))
            return found
        try:
            without_presets(whole.routes)
        except ConfigError as error:
            found.append((error.message, ("routes", *error.path)))
    return found


def _route(raw: object, at: KeyPath, found: list[tuple[str, KeyPath]]) -> Route | None:
    try:
        return decode_route(raw, Dialect.ROUTES_FILE, path=at)
    except ConfigError as error:
        found.append((error.message, error.path))
        return None
