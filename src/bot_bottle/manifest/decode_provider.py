"""``agent_provider``: which coding agent, and its settings by template. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot_bottle.manifest.fields import (
    boolean,
    choice,
    fail,
    integer,
    known_keys,
    listed,
    mapping,
    optional,
    string,
    strings,
    variable,
)
from bot_bottle.manifest.keys import below
from bot_bottle.manifest.paths import Paths
from bot_bottle.manifest.schema import BUILT_IN_TEMPLATES, AuthKind, ProviderConfig
from bot_bottle.manifest.tree import Node, plain

MAX_TOKENS_FIELDS = ("max_tokens", "max_completion_tokens")

Reader = Callable[[Node], object]


def _max_tokens_field(node: Node) -> str:
    if node.value not in MAX_TOKENS_FIELDS:
        fail(node, f"must be one of {', '.join(MAX_TOKENS_FIELDS)}, not {node.value!r}")
    return str(node.value)


_STARTUP: Mapping[str, Reader] = {"startup_args": strings}
PI_SETTINGS: Mapping[str, Reader] = {
    "provider": string,
    "base_url": string,
    "api": string,
    "api_key": string,
    "api_key_env": variable,
    "models": strings,
    "context_window": integer,
    "max_tokens": integer,
    "max_tokens_field": _max_tokens_field,
    "supports_developer_role": boolean,
    "supports_reasoning_effort": boolean,
}
SETTINGS: Mapping[str, Mapping[str, Reader]] = {
    "claude": _STARTUP,
    "codex": _STARTUP,
    "pi": {**_STARTUP, **PI_SETTINGS},
    "command": {"argv": strings},
}
"""Settings of the built-in templates."""

_TAKES_TOKEN = ("claude", "codex", "pi")
"""Ruling 62."""


def agent_provider(node: Node, paths: Paths) -> ProviderConfig:
    """The block at *node*. A template that is not built in is accepted: whoever looks it up refuses it."""
    entries = known_keys(node, below("bottle", "agent_provider"))
    template = optional(entries, "template", string, "claude")
    token = optional(entries, "auth_token", lambda child: _credential(child, template), "")
    kind = optional(entries, "auth_kind", lambda child: _kind(child, template), None)
    forward = optional(entries, "forward_host_credentials", boolean, False)
    if forward and template in BUILT_IN_TEMPLATES and template != "codex":
        fail(
            entries["forward_host_credentials"],
            f"is for template codex, not {template!r}: remove it (claude and pi take auth_token)",
        )
    return ProviderConfig(
        template=template,
        dockerfile=optional(entries, "dockerfile", paths.beside, ""),
        auth_token=token,
        auth_kind=kind,
        forward_host_credentials=forward,
        settings=optional(entries, "settings", lambda child: _settings(child, template), {}),
    )


def _credential(node: Node, template: str) -> str:
    if node.value == "":
        return ""
    if template in BUILT_IN_TEMPLATES and template not in _TAKES_TOKEN:
        fail(
            node,
            f"is for templates {listed(_TAKES_TOKEN)}, not {template!r}: give the credential to a route "
            "(egress.routes[].auth)",
        )
    return variable(node)


def _kind(node: Node, template: str) -> AuthKind:
    if template in BUILT_IN_TEMPLATES and template not in _TAKES_TOKEN:
        fail(node, f"is for templates {listed(_TAKES_TOKEN)}, not {template!r}: remove it")
    return choice(node, AuthKind)


def _settings(node: Node, template: str) -> dict[str, object]:
    readers = SETTINGS.get(template)
    if readers is None:
        mapping(node)
        return dict(plain(node))
    entries = known_keys(node, readers, f"setting of template {template!r}:")
    if "api_key" in entries and "api_key_env" in entries:
        fail(entries["api_key_env"], "can't stand beside api_key: keep one of the two")
    settings = {key: readers[key](child) for key, child in entries.items()}
    if settings.get("argv") == ():
        fail(entries["argv"], "must not be empty: name a program or remove the key")
    return settings
