"""Screens under a headless terminal: real Textual, real key names, no tty."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from textual import events
from textual.keys import REPLACED_KEYS, _character_to_key, _get_unicode_name_from_key
from textual.pilot import Pilot

from bot_bottle.cli.screens.frame import Line, Size
from bot_bottle.cli.screens.shown import Canvas, ModelApp


class Driven:
    """What is left after the keys: the model, and the lines and raw strips of the last screen."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.lines: list[Line] = []
        self.rows: list[str] = []
        self.styles: list[set[str]] = []


class Counting(ModelApp):
    """Knows how many keys reached the model."""

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self.pressed = 0
        press = model.press

        def count(key: str, character: str | None) -> None:
            assert not model.done, f"{key!r} comes after the end"
            self.pressed += 1
            press(key, character)

        model.press = count


async def _press(pilot: Pilot[Any], keys: tuple[str, ...]) -> None:
    """All at once, in the way that Textual's own Pilot makes them, which waits 40 ms for each."""
    app = pilot.app
    for key in keys:
        name = _character_to_key(key) if len(key) == 1 and not key.isalnum() else key
        try:
            character = unicodedata.lookup(_get_unicode_name_from_key(REPLACED_KEYS.get(name, name)))
        except KeyError:
            character = name if len(name) == 1 else None
        app._driver.send_message(events.Key(name, character))
    await pilot.pause()


@pytest.fixture
def drive() -> Callable[..., Driven]:
    """Press *keys* one after the other; those that come after the screen has closed are an error."""

    def run(model: Any, *keys: str, size: tuple[int, int] = (80, 24)) -> Driven:
        driven = Driven(model)

        async def press() -> None:
            app = Counting(model)
            async with app.run_test(size=size) as pilot:
                canvas = app.query_one(Canvas)
                if keys:
                    assert not model.done
                    await _press(pilot, keys)
                assert app.pressed == len(keys), "keys come after the end"
                driven.lines = model.view(Size(*size))
                strips = [canvas.render_line(y) for y in range(size[1])]
                driven.rows = [strip.text.rstrip() for strip in strips]
                driven.styles = [{str(segment.style) for segment in strip} for strip in strips]

        asyncio.run(press())
        return driven

    return run
