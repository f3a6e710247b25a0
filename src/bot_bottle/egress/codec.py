"""Routes and policies, to and from plain data: the one decoder for manifest and routes file.

Strict: unknown keys, wrong types and everything that has two readings are a :class:`ConfigError` with the
key's path. What is accepted encodes back to an equal value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from bot_bottle.base.yamltext import KeyPath
from bot_bottle.egress.config import ConfigError, Dialect, Policy, Route


def decode_route(raw: object, dialect: Dialect, *, path: KeyPath = ()) -> Route:
    """One entry of ``routes``. *path* is where it stands; errors carry the full path."""
    raise ConfigError("not readable", path)


def decode_routes(raw: object, dialect: Dialect, *, path: KeyPath = ()) -> tuple[Route, ...]:
    """The whole list; also refuses duplicate hosts."""
    raise ConfigError("not readable", path)


def decode_policy(data: Mapping[str, object]) -> Policy:
    """A whole routes file (``log, routes, extra_ca, upstream_proxy, on_taint, provider_features,
    provider_schema``)."""
    raise ConfigError("not readable")


def encode_route(route: Route, dialect: Dialect) -> dict[str, object]:
    """Plain data without defaults; :func:`decode_route` of it is *route*."""
    raise ConfigError("not writable")


def encode_policy(policy: Policy) -> dict[str, object]:
    """The routes file's top level without defaults (``routes`` always)."""
    raise ConfigError("not writable")


def introspection(policy: Policy) -> dict[str, object]:
    """``{"routes": [...]}`` in the routes file's own keys: what the bottle may know, and can propose back."""
    raise ConfigError("not writable")


def load_policy(text: str) -> Policy:
    """A routes file's text. Raises :class:`ConfigError` or :class:`base.yamltext.YamlError`."""
    raise ConfigError("not readable")


def dump_policy(policy: Policy) -> str:
    """*policy* as a routes file; :func:`load_policy` of it is *policy*."""
    raise ConfigError("not writable")


def policy_version(text: str) -> str:
    """SHA-256 hex of the routes file's text: names what is in force."""
    return hashlib.sha256(text.encode()).hexdigest()


def effective_routes(
    provider_routes: Sequence[Route], manifest_routes: Sequence[Route]
) -> tuple[Route, ...]:
    """Provider routes, then manifest routes. A manifest route that names a provider's host is a
    :class:`ConfigError` naming both (ruling 59); its path is the manifest route's index."""
    raise ConfigError("not readable")
