"""Credentials of GitHub."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="github-token",
        vendor="GitHub",
        docs="https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github",
        pattern="(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{36}",
        prefix="ghp_",
        edge=Edge.FREE,
        check="crc_base62",
        rank=70,
        positives=(
            "https://x-access-token:«ghp_{b62:30}{crc62}»@github.com/o/r.git",
            "GH_TOKEN=«gho_{b62:30}{crc62}»",
            '{lb}"token":"«ghu_{b62:30}{crc62}»"{rb}',
            "«ghs_{b62:30}{crc62}»",
            "«ghr_{b62:30}{crc62}»",
        ),
        negatives=(
            "ghp_{b62:36}",
            "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        ),
    ),
    Rule(
        name="github-refresh-token",
        vendor="GitHub",
        docs="https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github",
        pattern="ghr_[A-Za-z0-9]{76}",
        rank=71,
        positives=("«ghr_{b62:76}»",),
    ),
    Rule(
        name="github-app-token",
        vendor="GitHub",
        docs="https://github.blog/changelog/2026-05-15-github-app-installation-tokens-per-request-override-header/",
        pattern=r"ghs_[A-Za-z0-9]{1,16}_eyJ[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
        trigger="ghs_[A-Za-z0-9]{1,16}_eyJ[A-Za-z0-9_-]{16}",
        rank=80,
        reach=2048,
        positives=("GITHUB_TOKEN=«ghs_123456_{jwt:256}»",),
    ),
    Rule(
        name="github-fine-grained-token",
        vendor="GitHub",
        docs="https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github",
        pattern="github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
        edge=Edge.FREE,
        rank=70,
        positives=("«github_pat_{b62:22}_{b62:59}»",),
        negatives=(
            "github_pat_1111111111111111111111_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ),
    ),
)
