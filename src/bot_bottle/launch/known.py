"""Which values, beside those of the slots, the sidecar is told never to let out (dlp.md §2; rulings 16, 48). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot_bottle.base.secret import Secret

PREFIXES_VARIABLE = "BOT_BOTTLE_SENSITIVE_PREFIXES"
"""the operator's list, comma-separated: variables of theirs whose names begin so"""


@dataclass(frozen=True)
class KnownValue:
    """One of them. ``kind`` as ``dlp.known.Kind`` has it."""

    name: str
    value: Secret = field(repr=False)
    kind: str
    hosts: tuple[str, ...] = ()
    """where it may go all the same"""


def known_values(
    host_env: Mapping[str, str],
    given: Mapping[str, str],
    allow_to: Mapping[str, tuple[str, ...]],
    canary: tuple[str, Secret] | None,
) -> tuple[KnownValue, ...]:
    """*given*: secrets that the operator gives the bottle itself; *allow_to*: where each may go."""
    prefixes = tuple(
        prefix for word in host_env.get(PREFIXES_VARIABLE, "").split(",") if (prefix := word.strip())
    )
    found = [
        KnownValue(name, Secret(value), "operator")
        for name, value in host_env.items()
        if value and name != PREFIXES_VARIABLE and name.startswith(prefixes) and name not in given
    ]
    found += [
        KnownValue(name, Secret(value), "env", allow_to.get(name, ()))
        for name, value in given.items()
        if value
    ]
    if canary is not None:
        found.append(KnownValue(canary[0], canary[1], "canary"))
    return tuple(found)
