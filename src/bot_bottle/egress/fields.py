"""Reading plain data strictly: the small checks that every decoder of routes is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TypeVar

from bot_bottle.base.yamltext import KeyPath, dotted
from bot_bottle.egress.config import ConfigError

Choice = TypeVar("Choice", bound=StrEnum)

_TOKEN_CHARS = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_NAME_START = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")
_NAME_CHARS = _NAME_START | frozenset("0123456789")

MAX_NAME_CHARS = 128
"""of a variable, header or other name; longer ones are a mistake"""

_KINDS: dict[type, str] = {
    dict: "a mapping",
    list: "a list",
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    type(None): "nothing",
}


def is_token(text: str) -> bool:
    """A token of RFC 9110 section 5.6.2, as header names and methods are."""
    return bool(text) and _TOKEN_CHARS.issuperset(text)


def kind(raw: object) -> str:
    """What *raw* is, for a message; never its value, which may be a secret in the wrong place."""
    return _KINDS.get(type(raw), type(raw).__name__)


def wrong_type(wanted: str, raw: object, path: KeyPath) -> ConfigError:
    """The error for a value of another type than *wanted*."""
    return ConfigError(f"{dotted(path) or 'the value'} must be {wanted}, not {kind(raw)}", path)


def mapping(raw: object, accepted: Iterable[str], path: KeyPath) -> Mapping[str, object]:
    """*raw* as a mapping whose keys are all *accepted*."""
    if not isinstance(raw, Mapping):
        raise wrong_type("a mapping", raw, path)
    names = sorted(accepted)
    for key in raw:
        if key not in names:
            where = f" in {dotted(path)}" if path else ""
            raise ConfigError(
                f"unknown key {str(key)[:MAX_NAME_CHARS]!r}{where}: accepted are {', '.join(names)}",
                (*path, str(key)),
            )
    return raw


def required(raw: Mapping[str, object], key: str, path: KeyPath) -> object:
    """The value of *key*, which must be there."""
    if key not in raw:
        raise ConfigError(f"{dotted(path) or 'the mapping'} needs the key {key!r}", path)
    return raw[key]


def text(raw: object, path: KeyPath, *, limit: int = MAX_NAME_CHARS) -> str:
    """A non-empty string of at most *limit* characters without control characters."""
    if not isinstance(raw, str):
        raise wrong_type("a string", raw, path)
    if not raw or len(raw) > limit:
        raise ConfigError(f"{dotted(path)} must have 1 to {limit} characters, not {len(raw)}", path)
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in raw):
        raise ConfigError(f"{dotted(path)} holds a control character: remove it", path)
    return raw


def boolean(raw: object, path: KeyPath) -> bool:
    if not isinstance(raw, bool):
        raise wrong_type("true or false", raw, path)
    return raw


def integer(raw: object, path: KeyPath, *, low: int, high: int) -> int:
    """A whole number from *low* to *high*; booleans are none."""
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise wrong_type(f"a whole number from {low} to {high}", raw, path)
    if not low <= raw <= high:
        raise ConfigError(f"{dotted(path)} must be from {low} to {high}, not {raw}", path)
    return raw


def items(raw: object, path: KeyPath, *, limit: int) -> list[tuple[object, KeyPath]]:
    """The entries of a list of 1 to *limit*, each with its path. An empty list has two readings (nothing,
    everything): the key is left out instead."""
    if not isinstance(raw, list):
        raise wrong_type("a list", raw, path)
    if not raw:
        raise ConfigError(f"{dotted(path)} must not be empty: leave the key out", path)
    if len(raw) > limit:
        raise ConfigError(f"{dotted(path)} has {len(raw)} entries: at most {limit} are accepted", path)
    return [(entry, (*path, index)) for index, entry in enumerate(raw)]


def choice(kinds: type[Choice], raw: object, path: KeyPath) -> Choice:
    """A member of *kinds* by its value."""
    names = ", ".join(member.value for member in kinds)
    if not isinstance(raw, str):
        raise wrong_type(f"one of {names}", raw, path)
    try:
        return kinds(raw)
    except ValueError as error:
        raise ConfigError(
            f"{dotted(path)} must be one of {names}, not {raw[:MAX_NAME_CHARS]!r}", path
        ) from error


def variable(raw: object, path: KeyPath) -> str:
    """The name of an environment variable or slot. A value that is no name is not quoted: it may be the
    credential itself."""
    name = text(raw, path)
    if name[0] not in _NAME_START or not _NAME_CHARS.issuperset(name):
        raise ConfigError(
            f"{dotted(path)} must name a variable (letters, digits, underscores), not hold a value", path
        )
    return name


def header_name(raw: object, path: KeyPath) -> str:
    """A header field's name."""
    name = text(raw, path)
    if not is_token(name):
        raise ConfigError(f"{dotted(path)} must be a header's name, not {name!r}", path)
    return name


def unique(values: Iterable[str], path: KeyPath) -> None:
    """Refuse a value that stands twice."""
    seen: set[str] = set()
    for index, value in enumerate(values):
        if value in seen:
            raise ConfigError(f"{value!r} stands twice in {dotted(path)}: keep one", (*path, index))
        seen.add(value)
