"""The routes of a bottle with its presets written out: a forge's for the repositories of its git gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot_bottle.egress.config import ConfigError, Route
from bot_bottle.launch.policy import without_presets

if TYPE_CHECKING:
    from bot_bottle.manifest.schema import Bottle


def bottle_routes(bottle: Bottle) -> tuple[Route, ...]:
    """Raises ``ManifestError`` with file and line."""
    try:
        return without_presets(bottle.egress.routes, gate_repos(bottle))
    except ConfigError as error:
        from bot_bottle.manifest.tree import ManifestError  # read already where there is a bottle

        place = bottle.place("egress", "routes", *error.path)
        raise ManifestError(error.message, place) from error


def gate_repos(bottle: Bottle) -> dict[str, tuple[str, ...]]:
    """``owner/name`` of the upstreams, by host."""
    found: dict[str, tuple[str, ...]] = {}
    for repo in bottle.repos.values():
        host = repo.upstream.host
        name = repo.upstream.path.strip("/").removesuffix(".git")
        if "/" in name and name not in found.get(host, ()):
            found[host] = (*found.get(host, ()), name)
    return found
