"""Project files are confirmed by path and content; a damaged record confirms nothing."""

from __future__ import annotations

import pytest

from bot_bottle.store import confirmed
from bot_bottle.store.layout import Layout


@pytest.fixture
def layout(tmp_path) -> Layout:
    return Layout(tmp_path / "home", tmp_path / "home", tmp_path / "run")


def test_by_path_and_content(layout) -> None:
    assert not confirmed.is_confirmed(layout, "/p/a.md", "1")
    confirmed.confirm(layout, "/p/a.md", "1")
    assert confirmed.is_confirmed(layout, "/p/a.md", "1")
    assert not confirmed.is_confirmed(layout, "/p/a.md", "2")
    assert not confirmed.is_confirmed(layout, "/q/a.md", "1")
    assert not confirmed.is_confirmed(layout, "/p/a.md", "")
    confirmed.confirm(layout, "/p/a.md", "2")
    assert not confirmed.is_confirmed(layout, "/p/a.md", "1")


def test_it_has_an_end(layout, monkeypatch) -> None:
    """The oldest is forgotten; one that was confirmed again is not the oldest."""
    monkeypatch.setattr(confirmed, "MAX_ENTRIES", 2)
    for name in ("/a", "/b", "/a", "/c"):
        confirmed.confirm(layout, name, "1")
    assert [confirmed.is_confirmed(layout, name, "1") for name in ("/a", "/b", "/c")] == [True, False, True]


@pytest.mark.parametrize("damage", ["", "[]", '{"agents": []}', '{"agents": {"/a": [1]}}', "{", "\0"])
def test_damage_confirms_nothing(layout, damage) -> None:
    """And is written over."""
    layout.home.mkdir()
    (layout.home / confirmed.FILE).write_text(damage)
    assert not confirmed.is_confirmed(layout, "/a", "1")
    confirmed.confirm(layout, "/a", "1")
    assert confirmed.is_confirmed(layout, "/a", "1")
