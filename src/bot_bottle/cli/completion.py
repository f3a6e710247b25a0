"""What a shell completes behind TAB: names of agents and bottles. Never an error, never a question."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot_bottle.base.errors import BotBottleError

if TYPE_CHECKING:
    from bot_bottle.manifest.source import Index


def agents(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Names of agents, the current directory's too."""
    index = _index()
    return [name for name in index.agents if name.startswith(incomplete)] if index else []


def bottles(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Names of bottles of the manifest."""
    index = _index()
    return [name for name in index.bottles if name.startswith(incomplete)] if index else []


def kept(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Identities of bottles that don't run."""
    from bot_bottle.store import bottles as states
    from bot_bottle.store.layout import default_layout

    found = states.list_states(default_layout())
    return [state.identity for state in found if not state.running and state.identity.startswith(incomplete)]


def _index() -> Index | None:
    from bot_bottle.manifest.source import resolve
    from bot_bottle.store.layout import default_layout

    try:
        return resolve(default_layout().home.parent, Path.cwd(), missing_ok=True)
    except (BotBottleError, OSError):
        return None
