"""Credentials of Cloudinary."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="cloudinary-secret",
        vendor="Cloudinary",
        docs="https://cloudinary.com/documentation/how_to_integrate_cloudinary",
        pattern="[A-Za-z0-9_-]{27}",
        find=Find.ASSIGNED,
        keywords=("cloudinary",),
        named=("secret",),
        entropy=3.5,
        rank=30,
        positives=("CLOUDINARY_API_SECRET=«{b64u:13}4{b64u:13}»",),
    ),
)
