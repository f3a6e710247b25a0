"""Credentials of Supabase."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="supabase-token",
        vendor="Supabase",
        docs="https://supabase.com/docs/guides/api/api-keys",
        pattern="sbp_(?:v0_|oauth_)?[0-9a-f]{40}",
        positives=("SUPABASE_ACCESS_TOKEN=«sbp_{hex:40}»",),
    ),
    Rule(
        name="supabase-secret-key",
        vendor="Supabase",
        docs="https://supabase.com/docs/guides/api/api-keys",
        pattern="sb_secret_[A-Za-z0-9_-]{22,}",
        edge=Edge.FREE,
        positives=("SUPABASE_SECRET_KEY=«sb_secret_{b64u:22}_{b64u:8}»",),
    ),
)
