"""Credentials of Vercel."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Find, Rule

RULES = (
    Rule(
        name="vercel-token",
        vendor="Vercel",
        docs="https://vercel.com/changelog/new-token-formats-and-secret-scanning",
        pattern="vc[piarkst]_[A-Za-z0-9]{24,64}",
        positives=(
            "VERCEL_TOKEN=«vcp_{b62:56}»",
            "«vck_{b62:56}»",
        ),
        known="the prefixes are documented, the length is not",
    ),
    Rule(
        name="vercel-blob-token",
        vendor="Vercel",
        docs="https://vercel.com/docs/vercel-blob",
        pattern="vercel_blob_rw_[A-Za-z0-9]{16}_[A-Za-z0-9]{30,}",
        edge=Edge.FREE,
        positives=("«vercel_blob_rw_{b62:16}_{b62:32}»",),
    ),
    Rule(
        name="vercel-legacy-token",
        vendor="Vercel",
        docs="https://vercel.com/changelog/new-token-formats-and-secret-scanning",
        pattern="[A-Za-z0-9]{24}",
        find=Find.ASSIGNED,
        keywords=("vercel",),
        named=(
            "token",
            "key",
        ),
        entropy=3.5,
        rank=30,
        positives=("VERCEL_TOKEN=«{b62:12}5{b62:11}»",),
    ),
)
