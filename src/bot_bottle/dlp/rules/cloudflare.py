"""Credentials of Cloudflare."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="cloudflare-token",
        vendor="Cloudflare",
        docs="https://developers.cloudflare.com/fundamentals/api/get-started/token-formats/",
        pattern="cf(?:k|ut|at)_[A-Za-z0-9_-]{46,52}",
        prefix="cfut_",
        positives=(
            "CLOUDFLARE_API_TOKEN=«cfut_{b62:40}{hex:8}»",
            "«cfat_{b62:40}{hex:8}»",
            "«cfk_{b62:40}{hex:8}»",
        ),
        known="how the checksum is made is not documented",
    ),
    Rule(
        name="cloudflare-origin-ca-key",
        vendor="Cloudflare",
        docs="https://developers.cloudflare.com/ssl/origin-configuration/origin-ca/",
        pattern=r"v1\.0-[0-9a-f]{24}-[0-9a-f]{146}",
        positives=("«v1.0-{hex:24}-{hex:146}»",),
    ),
    Rule(
        name="cloudflare-legacy-token",
        vendor="Cloudflare",
        docs="https://developers.cloudflare.com/fundamentals/api/get-started/token-formats/",
        pattern="(?:[A-Za-z0-9_-]{40}|[0-9a-f]{37,45})",
        find=Find.ASSIGNED,
        keywords=(
            "cloudflare",
            "cf_api",
            "cf-api",
            "cf_token",
            "x-auth-key",
        ),
        named=(
            "token",
            "key",
            "auth",
        ),
        entropy=3.2,
        rank=30,
        positives=(
            "CLOUDFLARE_API_TOKEN=«{b62:20}5{b62:19}»",
            "CLOUDFLARE_API_KEY=«{hex:37}»",
        ),
    ),
)
