"""Credentials of SonarQube."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="sonar-token",
        vendor="SonarQube",
        docs="https://docs.sonarsource.com/sonarqube-server/latest/user-guide/managing-tokens/",
        pattern="sq[uap]_[0-9a-f]{40}",
        positives=(
            "SONAR_TOKEN=«squ_{hex:40}»",
            "«sqp_{hex:40}»",
        ),
    ),
    Rule(
        name="sonar-legacy-token",
        vendor="SonarQube",
        docs="https://docs.sonarsource.com/sonarqube-server/latest/user-guide/managing-tokens/",
        pattern="[0-9a-f]{40}",
        find=Find.ASSIGNED,
        keywords=("sonar",),
        named=(
            "token",
            "login",
            "key",
        ),
        rank=30,
        positives=("SONAR_TOKEN=«{hex:40}»",),
    ),
)
