"""Credentials of NuGet."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="nuget-key",
        vendor="NuGet",
        docs="https://learn.microsoft.com/en-us/nuget/nuget-org/scoped-api-keys",
        pattern="oy2[a-z0-9]{43}",
        edge=Edge.ALONE,
        end="[A-Za-z0-9_-]",
        positives=("dotnet nuget push --api-key «oy2k{b36:42}»",),
    ),
)
