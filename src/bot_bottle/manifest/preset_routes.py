"""The routes of a bottle with its presets written out: a forge's for the repositories of its git gate."""

from __future__ import annotations

from bot_bottle.egress.config import ConfigError, Route
from bot_bottle.egress.preset_keys import without_presets
from bot_bottle.manifest.schema import Bottle
from bot_bottle.manifest.tree import ManifestError


def bottle_routes(bottle: Bottle) -> tuple[Route, ...]:
    """Raises :class:`ManifestError` with file and line."""
    try:
        return without_presets(bottle.egress.routes, gate_repos(bottle))
    except ConfigError as error:
        raise ManifestError(error.message, bottle.place("egress", "routes", *error.path)) from error


def gate_repos(bottle: Bottle) -> dict[str, tuple[str, ...]]:
    """``owner/name`` of the upstreams, by host."""
    found: dict[str, tuple[str, ...]] = {}
    for repo in bottle.repos.values():
        host = repo.upstream.host
        name = repo.upstream.path.strip("/").removesuffix(".git")
        if "/" in name and name not in found.get(host, ()):
            found[host] = (*found.get(host, ()), name)
    return found
