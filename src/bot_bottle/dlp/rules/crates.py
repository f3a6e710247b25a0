"""Credentials of crates.io."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="crates-io-token",
        vendor="crates.io",
        docs="https://doc.rust-lang.org/cargo/reference/publishing.html",
        pattern="cio[A-Za-z0-9]{32}",
        edge=Edge.ALONE,
        end="[A-Za-z0-9_-]",
        positives=("CARGO_REGISTRY_TOKEN=«cio{b62:32}»",),
    ),
)
