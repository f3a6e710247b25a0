"""``preset``, ``access`` and ``repos`` of a route, from plain data, what may stand beside them, and their end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot_bottle.base.yamltext import KeyPath, dotted
from bot_bottle.egress import fields
from bot_bottle.egress.config import ConfigError, Route
from bot_bottle.egress.presets.names import PRESETS, Kind

MAX_REPOS = 64
MAX_REPO_CHARS = 255

_REPO = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


def decode_preset(
    entry: Mapping[str, object], path: KeyPath
) -> tuple[str | None, tuple[str, ...], tuple[str, ...]]:
    """Name, access and repositories of the route *entry*; each is checked for itself."""
    if "preset" not in entry:
        for key in ("access", "repos"):
            if key in entry:
                raise ConfigError(f"{key!r} belongs to a preset: name one under 'preset'", (*path, key))
        return None, (), ()
    preset = fields.text(entry["preset"], (*path, "preset"))
    if preset not in PRESETS:
        raise ConfigError(f"preset must be one of {', '.join(PRESETS)}, not {preset!r}", (*path, "preset"))
    return preset, _decode_access(entry, preset, path), _decode_repos(entry, preset, path)


def _decode_access(entry: Mapping[str, object], preset: str, path: KeyPath) -> tuple[str, ...]:
    if "access" not in entry:
        return ()
    raw, where = entry["access"], (*path, "access")
    listed = [(raw, where)] if isinstance(raw, str) else fields.items(raw, where, limit=16)
    access = tuple(fields.text(item, item_path) for item, item_path in listed)
    fields.unique(access, where)
    words = PRESETS[preset].access
    for word in access:
        if word not in words:
            raise ConfigError(
                f"access of preset {preset!r} must be of {', '.join(words)}, not {word!r}", where
            )
    return access


def _decode_repos(entry: Mapping[str, object], preset: str, path: KeyPath) -> tuple[str, ...]:
    if "repos" not in entry:
        return ()
    where = (*path, "repos")
    if PRESETS[preset].kind is not Kind.FORGE:
        raise ConfigError(f"preset {preset!r} has no repositories: remove 'repos'", where)
    repos = tuple(
        _repo(fields.text(item, item_path, limit=MAX_REPO_CHARS), preset, item_path)
        for item, item_path in fields.items(entry["repos"], where, limit=MAX_REPOS)
    )
    fields.unique(repos, where)
    return repos


def _repo(text: str, preset: str, path: KeyPath) -> str:
    """``owner/name``; of GitLab also deeper paths and numbers."""
    steps = text.split("/")
    plain = all(step and not step.startswith((".", "-")) and _REPO.issuperset(step) for step in steps)
    number = preset == "gitlab" and len(steps) == 1 and text.isascii() and text.isdecimal()
    deep = len(steps) == 2 or (preset == "gitlab" and len(steps) > 2)
    if not plain or text.endswith(".git") or not (deep or number):
        raise ConfigError(f"{dotted(path)} must be a repository as owner/name, not {text!r}", path)
    return text


def check_preset_route(route: Route, path: KeyPath) -> None:
    """Refuse what a route with a preset can't say: the rules are the preset's own."""
    assert route.preset is not None
    traits = PRESETS[route.preset]
    beside = f"beside preset {route.preset!r}"
    refused = (
        ("matches", bool(route.matches), "it has its own: write a route with its host for other paths"),
        ("git", route.git_fetch, "it says itself whether git may fetch: remove it"),
        ("provider", route.provider is not None, "a provider's routes are its own: remove it"),
        ("host", not route.host and not traits.public, "there is no public host: name yours"),
        ("host", route.host.startswith("*."), "name the exact host"),
        ("ports", bool(route.ports) and not route.host, "they belong to a 'host' of your own: remove it"),
        (
            "allow_private",
            route.allow_private and not route.host,
            "it belongs to a 'host' of your own: remove it",
        ),
        (
            "auth",
            bool(route.auth) and not (route.host or traits.credential),
            "its hosts take none to read: remove it",
        ),
        (
            "meter",
            route.meter is not None and traits.kind is not Kind.MODEL,
            "it counts models' tokens: remove it",
        ),
    )
    for key, wrong, fix in refused:
        if wrong:
            raise ConfigError(f"{key!r} {beside}: {fix}", (*path, key))


def without_presets(
    routes: Sequence[Route], gate: Mapping[str, tuple[str, ...]] | None = None
) -> tuple[Route, ...]:
    """*routes* with presets written out; *gate*: repositories of the git gate by host, which a forge's preset
    without ``repos`` opens. Raises :class:`ConfigError` whose path begins with a route's index."""
    if not any(route.preset for route in routes):
        return tuple(routes)
    from bot_bottle.egress.presets.expand import expand  # rules that few launches need

    return expand(routes, gate)
