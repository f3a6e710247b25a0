"""Compiled patterns are the same when they were kept; what is damaged or not ours is made anew."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hyperscan
import pytest

from bot_bottle.dlp import databases
from bot_bottle.dlp.databases import compiled
from bot_bottle.store import pattern_cache
from bot_bottle.store.pattern_cache import PatternCache

ROWS = [(rb"abc[0-9]{4}", 3, 0), (rb"xyz", 8, 0)]


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "cache" / "patterns"
    databases.keep_in(PatternCache(directory))
    yield directory
    databases.keep_in(None)


def found(database: hyperscan.Database) -> list[tuple[int, int]]:
    hits: list[tuple[int, int]] = []

    def note(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
        hits.append((number, end))

    database.scan(b"..abc1234..xyz", match_event_handler=note)
    return hits


def test_what_was_kept_finds_the_same(cache: Path) -> None:
    first = found(compiled(ROWS))
    (kept,) = cache.iterdir()
    before = kept.stat().st_mtime_ns
    assert found(compiled(ROWS)) == first == [(3, 9), (8, 14)]
    assert kept.stat().st_mtime_ns == before
    assert (kept.stat().st_mode & 0o777, cache.stat().st_mode & 0o777) == (0o600, 0o700)


def test_other_patterns_have_another_name(cache: Path) -> None:
    compiled(ROWS)
    compiled(ROWS[:1])
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_what_is_damaged_is_made_anew(cache: Path, damage: bytes | None) -> None:
    compiled(ROWS)
    (kept,) = cache.iterdir()
    data = kept.read_bytes()
    kept.write_bytes(data[:-40] + bytes(40) if damage is None else damage)
    assert found(compiled(ROWS)) == [(3, 9), (8, 14)]
    assert kept.read_bytes() == data


@pytest.mark.parametrize("mode", [0o622, 0o606])
def test_what_others_can_write_is_not_read(cache: Path, mode: int) -> None:
    """A database goes into native code: nobody else may have written it."""
    compiled(ROWS)
    (kept,) = cache.iterdir()
    kept.chmod(mode)
    assert PatternCache(cache).get(kept.stem) is None
    kept.chmod(0o600)
    assert PatternCache(cache).get(kept.stem) is not None
    cache.chmod(0o777)
    assert PatternCache(cache).get(kept.stem) is None


def test_a_link_or_a_pipe_is_not_read(cache: Path, tmp_path: Path) -> None:
    compiled(ROWS)
    (kept,) = cache.iterdir()
    elsewhere = tmp_path / "elsewhere"
    kept.rename(elsewhere)
    kept.symlink_to(elsewhere)
    assert PatternCache(cache).get(kept.stem) is None
    kept.unlink()
    os.mkfifo(kept)
    assert PatternCache(cache).get(kept.stem) is None


def test_a_place_that_can_not_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    databases.keep_in(PatternCache(tmp_path / "file" / "patterns"))
    try:
        assert found(compiled(ROWS)) == [(3, 9), (8, 14)]
    finally:
        databases.keep_in(None)


def test_only_so_many_are_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pattern_cache, "MAX_FILES", 2)
    for number in range(4):
        compiled([(b"word%d" % number, 0, 0)])
    assert len(list(cache.iterdir())) == 2
