"""Every provider, by template name. The one place that knows them all; a launch loads the one that it needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

from bot_bottle.providers.contract import Provider, ProviderError

_CLASSES = {"claude": "Claude", "codex": "Codex", "command": "Command", "pi": "Pi"}
"""By template, which is also the module's name."""


class _Providers(Mapping[str, Provider]):
    """Loaded when asked for."""

    def __init__(self) -> None:
        self._loaded: dict[str, Provider] = {}

    def __getitem__(self, template: str) -> Provider:
        if template not in self._loaded:
            name = _CLASSES[template]  # nothing but these is ever imported
            module = import_module(f"bot_bottle.providers.{template}")
            self._loaded[template] = getattr(module, name)()
        return self._loaded[template]

    def __iter__(self) -> Iterator[str]:
        return iter(_CLASSES)

    def __len__(self) -> int:
        return len(_CLASSES)


PROVIDERS: Mapping[str, Provider] = _Providers()


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
