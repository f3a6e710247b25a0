"""Credentials of Hugging Face."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="huggingface-token",
        vendor="Hugging Face",
        docs="https://huggingface.co/docs/hub/security-tokens",
        pattern="(?:hf_(?:oauth_)?|api_org_)[A-Za-z0-9]{34,40}",
        prefix="hf_",
        positives=(
            "HF_TOKEN=«hf_{b62:34}»",
            "«api_org_{b62:34}»",
        ),
        negatives=("hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",),
    ),
)
