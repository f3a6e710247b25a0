"""Where a launch finds the routes of a bottle: ``manifest.preset_routes``, loaded only where there is a bottle."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot_bottle.egress.config import Route
    from bot_bottle.manifest.schema import Bottle


def bottle_routes(bottle: Bottle) -> tuple[Route, ...]:
    """Raises ``ManifestError`` with file and line."""
    from bot_bottle.manifest.preset_routes import bottle_routes as written_out  # 30 ms of manifest

    return written_out(bottle)
