"""What a preset is made of."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from bot_bottle.egress.config import Match, PathMatch, PathType

READ = ("GET", "HEAD")


class Host(Struct, frozen=True):
    """One host and what of it is open."""

    host: str
    matches: tuple[Match, ...]
    pages: tuple[str, ...]
    """addresses of the documentation that the rules were read from"""
    ports: tuple[int, ...] = (443,)
    headers: tuple[str, ...] | None = ()
    """request headers beside the standard ones; None: all pass, and a URL may hold a signature (``read`` only)"""
    git_fetch: bool = False
    credential: bool = False
    """``auth`` of the route stands here"""


class Preset(Struct, frozen=True):
    """``access`` word to what it opens; several words open all of theirs."""

    about: str
    access: Mapping[str, tuple[Host, ...]]
    closed: str
    """what it leaves closed, for people"""


def prefix(*paths: str, methods: tuple[str, ...] = READ) -> Match:
    """What lies at or below *paths*."""
    return Match(tuple(PathMatch(path) for path in paths), methods)


def exact(*paths: str, methods: tuple[str, ...] = READ) -> Match:
    """These *paths* alone."""
    return Match(tuple(PathMatch(path, PathType.EXACT) for path in paths), methods)


def regex(*patterns: str, methods: tuple[str, ...] = READ) -> Match:
    """Paths of one of these shapes, whole."""
    return Match(tuple(PathMatch(pattern, PathType.REGEX) for pattern in patterns), methods)
