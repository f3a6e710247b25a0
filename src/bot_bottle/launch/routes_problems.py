"""Every mistake in a routes file, for ``validate``: apart from ``routes_file``, which a launch stops at the first."""

from __future__ import annotations

from pathlib import Path

from bot_bottle.base.yamltext import MAX_BYTES, KeyPath, YamlError, load
from bot_bottle.egress.codec import decode_policy, decode_route
from bot_bottle.egress.config import ConfigError, Dialect, Policy, Route
from bot_bottle.launch.policy import PolicyError, refuse_unbuilt
from bot_bottle.manifest.problems import Problem


def routes_problems(path: Path) -> list[Problem]:
    """What is wrong, and what this version does not enforce; each with its line, in the order of the file."""
    file = str(path)
    try:
        with open(path, encoding="utf-8") as stream:
            document = load(stream.read(MAX_BYTES + 1))
    except YamlError as error:
        return [Problem(error.message, file, error.line, error.path)]
    except (OSError, UnicodeDecodeError) as error:
        return [Problem(f"can't be read ({error}): name a routes file", file)]
    found = [Problem(message, file, document.line(at), at) for message, at in _mistakes(document.data)]
    return sorted(found, key=lambda problem: problem.line)


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
            decode_policy(data)
        except ConfigError as error:
            found.append((error.message, error.path))
    return found


def _route(raw: object, at: KeyPath, found: list[tuple[str, KeyPath]]) -> Route | None:
    try:
        return decode_route(raw, Dialect.ROUTES_FILE, path=at)
    except ConfigError as error:
        found.append((error.message, error.path))
        return None
