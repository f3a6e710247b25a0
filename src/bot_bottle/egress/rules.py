"""``matches`` and ``dlp`` of a route, to and from plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from bot_bottle.base.yamltext import KeyPath, dotted
from bot_bottle.egress import fields
from bot_bottle.egress.config import (
    ConfigError,
    Dlp,
    HeaderMatch,
    HeaderMatchType,
    InboundDetector,
    InboundOnMatch,
    Match,
    OutboundDetector,
    OutboundOnMatch,
    PathMatch,
    PathType,
)
from bot_bottle.egress.headers import FRAMING
from bot_bottle.egress.paths import BadPath, canonical_path

Item = TypeVar("Item")

MAX_MATCHES = 100
MAX_PATHS = 100
MAX_HEADER_MATCHES = 16
MAX_VALUE_CHARS = 1024
"""of a path, header value or expression"""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
"""RFC 9110 section 9 and RFC 5789. TRACE and CONNECT are words of the vocabulary only: never forwarded."""


def decode_matches(raw: object, path: KeyPath) -> tuple[Match, ...]:
    """A route's ``matches``."""
    return tuple(_decode_match(item, where) for item, where in fields.items(raw, path, limit=MAX_MATCHES))


def _decode_match(raw: object, path: KeyPath) -> Match:
    entry = fields.mapping(raw, ("paths", "methods", "headers"), path)
    if not entry:
        raise ConfigError(f"{dotted(path)} is empty and would match everything: remove it", path)
    return Match(
        paths=_each(entry, "paths", path, MAX_PATHS, _decode_path),
        methods=_decode_methods(entry, path),
        headers=_each(entry, "headers", path, MAX_HEADER_MATCHES, _decode_header),
    )


def _each(
    entry: Mapping[str, object],
    key: str,
    path: KeyPath,
    limit: int,
    decode: Callable[[object, KeyPath], Item],
) -> tuple[Item, ...]:
    if key not in entry:
        return ()
    return tuple(decode(item, where) for item, where in fields.items(entry[key], (*path, key), limit=limit))


def _decode_methods(entry: Mapping[str, object], path: KeyPath) -> tuple[str, ...]:
    methods = _each(entry, "methods", path, len(METHODS), _decode_method)
    fields.unique(methods, (*path, "methods"))
    return methods


def _decode_method(raw: object, path: KeyPath) -> str:
    if not isinstance(raw, str):
        raise fields.wrong_type("a method", raw, path)
    if raw not in METHODS:
        raise ConfigError(
            f"{dotted(path)} must be one of {', '.join(METHODS)}, not {raw[: fields.MAX_NAME_CHARS]!r}", path
        )
    return raw


def _decode_path(raw: object, path: KeyPath) -> PathMatch:
    entry = fields.mapping(raw, ("type", "value"), path)
    kind = fields.choice(PathType, entry.get("type", PathType.PREFIX.value), (*path, "type"))
    where = (*path, "value")
    value = fields.text(fields.required(entry, "value", path), where, limit=MAX_VALUE_CHARS)
    if kind is PathType.REGEX:
        _check_pattern(value, where)
        return PathMatch(value, kind)
    try:
        canonical = canonical_path(value)
    except BadPath as error:
        raise ConfigError(f"{dotted(where)} is not a path: {error}", where) from error
    if canonical != value:
        raise ConfigError(f"{dotted(where)} is compared as {canonical!r}: write it so", where)
    return PathMatch(value, kind)


def _decode_header(raw: object, path: KeyPath) -> HeaderMatch:
    entry = fields.mapping(raw, ("name", "value", "type"), path)
    kind = fields.choice(HeaderMatchType, entry.get("type", HeaderMatchType.EXACT.value), (*path, "type"))
    name = fields.header_name(fields.required(entry, "name", path), (*path, "name"))
    if name.lower() in FRAMING:
        raise ConfigError(
            f"{name!r} belongs to the connection and can't be matched: remove it", (*path, "name")
        )
    where = (*path, "value")
    value = fields.text(fields.required(entry, "value", path), where, limit=MAX_VALUE_CHARS)
    if kind is HeaderMatchType.REGEX:
        _check_pattern(value, where)
    return HeaderMatch(name, value, kind)


def _check_pattern(pattern: str, path: KeyPath) -> None:
    from bot_bottle.egress.regex import (
        BadPattern,
        Pattern,
    )  # 10 ms, needed by few routes: off the launch's path

    try:
        Pattern(pattern)
    except BadPattern as error:
        raise ConfigError(f"{dotted(path)}: {error}", path) from error


def encode_match(match: Match) -> dict[str, object]:
    """One entry of ``matches``, without defaults."""
    out: dict[str, object] = {}
    if match.paths:
        out["paths"] = [
            {"value": item.value}
            if item.type is PathType.PREFIX
            else {"type": item.type.value, "value": item.value}
            for item in match.paths
        ]
    if match.methods:
        out["methods"] = list(match.methods)
    if match.headers:
        out["headers"] = [_encode_header(item) for item in match.headers]
    return out


def _encode_header(item: HeaderMatch) -> dict[str, object]:
    out: dict[str, object] = {"name": item.name, "value": item.value}
    if item.type is not HeaderMatchType.EXACT:
        out["type"] = item.type.value
    return out


def decode_dlp(raw: object, path: KeyPath) -> Dlp:
    """A route's ``dlp``."""
    entry = fields.mapping(
        raw, ("outbound_detectors", "inbound_detectors", "outbound_on_match", "inbound_on_match"), path
    )
    outbound, inbound = (*path, "outbound_on_match"), (*path, "inbound_on_match")
    return Dlp(
        outbound_detectors=_decode_detectors(OutboundDetector, entry, "outbound_detectors", path),
        inbound_detectors=_decode_detectors(InboundDetector, entry, "inbound_detectors", path),
        outbound_on_match=(
            fields.choice(OutboundOnMatch, entry["outbound_on_match"], outbound)
            if "outbound_on_match" in entry
            else None
        ),
        inbound_on_match=(
            _decode_inbound_on_match(entry["inbound_on_match"], inbound)
            if "inbound_on_match" in entry
            else None
        ),
    )


def _decode_inbound_on_match(raw: object, path: KeyPath) -> InboundOnMatch:
    """``off`` without quotes is ``false`` in YAML 1.1: both are taken."""
    return InboundOnMatch.OFF if raw is False else fields.choice(InboundOnMatch, raw, path)


def _decode_detectors(
    kinds: type[fields.Choice], entry: Mapping[str, object], key: str, path: KeyPath
) -> tuple[fields.Choice, ...] | None:
    """``false``: none; a list: only these; no such key: the default."""
    if key not in entry:
        return None
    raw, where = entry[key], (*path, key)
    if raw is False:
        return ()
    if not isinstance(raw, list):
        raise fields.wrong_type("false or a list of detectors", raw, where)
    detectors = tuple(
        fields.choice(kinds, item, item_path)
        for item, item_path in fields.items(raw, where, limit=len(kinds))
    )
    fields.unique(detectors, where)
    return detectors


def encode_dlp(dlp: Dlp) -> dict[str, object]:
    """A route's ``dlp`` without defaults; empty when all are."""
    out: dict[str, object] = {}
    for key, detectors in (
        ("outbound_detectors", dlp.outbound_detectors),
        ("inbound_detectors", dlp.inbound_detectors),
    ):
        if detectors is not None:
            out[key] = [detector.value for detector in detectors] or False
    if dlp.outbound_on_match is not None:
        out["outbound_on_match"] = dlp.outbound_on_match.value
    if dlp.inbound_on_match is not None:
        out["inbound_on_match"] = dlp.inbound_on_match.value
    return out
