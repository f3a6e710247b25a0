"""Credentials of OpenWeather."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="openweather-key",
        vendor="OpenWeather",
        docs="https://openweathermap.org/appid",
        pattern="[0-9a-f]{32}",
        find=Find.ASSIGNED,
        keywords=(
            "openweather",
            "owm",
        ),
        named=(
            "key",
            "token",
        ),
        rank=30,
        positives=("OPENWEATHER_API_KEY=«{hex:32}»",),
    ),
)
