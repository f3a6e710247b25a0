"""Credentials of Heroku."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="heroku-key",
        vendor="Heroku",
        docs="https://devcenter.heroku.com/articles/authentication",
        pattern="HRKU-(?:AA)?[A-Za-z0-9_-]{36,60}",
        positives=(
            "HEROKU_API_KEY=«HRKU-AA{b64u:58}»",
            "«HRKU-{uuid}»",
        ),
    ),
    Rule(
        name="heroku-legacy-key",
        vendor="Heroku",
        docs="https://devcenter.heroku.com/articles/authentication",
        pattern="[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        find=Find.ASSIGNED,
        keywords=("heroku",),
        named=(
            "key",
            "token",
            "secret",
        ),
        rank=30,
        positives=("HEROKU_API_KEY=«{uuid}»",),
    ),
)
