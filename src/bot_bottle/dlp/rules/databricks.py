"""Credentials of Databricks."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="databricks-token",
        vendor="Databricks",
        docs="https://docs.databricks.com/aws/en/dev-tools/auth/pat",
        pattern="(?:dapi|dose|dkea)[0-9a-f]{32}(?:-[0-9])?",
        prefix="dapi",
        end="[0-9a-zA-Z]",
        positives=(
            "DATABRICKS_TOKEN=«dapi{hex:32}»",
            "«dapi{hex:32}-2»",
        ),
    ),
)
