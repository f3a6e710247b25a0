"""Credentials of AssemblyAI."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="assemblyai-key",
        vendor="AssemblyAI",
        docs="https://www.assemblyai.com/docs",
        pattern="[0-9a-f]{32}",
        find=Find.ASSIGNED,
        keywords=("assemblyai",),
        named=(
            "key",
            "token",
            "auth",
        ),
        rank=30,
        positives=("ASSEMBLYAI_API_KEY=«{hex:32}»",),
    ),
)
