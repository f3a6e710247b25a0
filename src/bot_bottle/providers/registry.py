"""Every provider, by template name. The one place that knows them all."""

from __future__ import annotations

from collections.abc import Mapping

from bot_bottle.providers.claude import Claude
from bot_bottle.providers.codex import Codex
from bot_bottle.providers.command import Command
from bot_bottle.providers.contract import Provider, ProviderError
from bot_bottle.providers.pi import Pi

PROVIDERS: dict[str, Provider] = {
    "claude": Claude(),
    "codex": Codex(),
    "command": Command(),
    "pi": Pi(),
}


def find_provider(template: str) -> Provider:
    """The provider of *template*; raises :class:`ProviderError` with the list of those there are."""
    provider = PROVIDERS.get(template)
    if provider is None:
        known = ", ".join(sorted(PROVIDERS))
        raise ProviderError(f"no provider is called {template!r}: use one of {known}")
    return provider


def pick_token_variable(provider: Provider, host_env: Mapping[str, str]) -> str:
    """The first of the provider's own variables that is set and not empty, for a launch without an
    ``auth_token``; ``""`` if none is. The launch says which it took."""
    return next((name for name in provider.token_variables if host_env.get(name)), "")
