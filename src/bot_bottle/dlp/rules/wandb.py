"""Credentials of Weights & Biases."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Find, Rule

RULES = (
    Rule(
        name="wandb-key",
        vendor="Weights & Biases",
        docs="https://docs.wandb.ai/support/find_api_key/",
        pattern="wandb_v1_[A-Za-z0-9_]{60,}",
        edge=Edge.FREE,
        positives=("«wandb_v1_{b62:27}_{b62:49}»",),
        known="40 hexadecimal digits before",
    ),
    Rule(
        name="wandb-legacy-key",
        vendor="Weights & Biases",
        docs="https://docs.wandb.ai/support/find_api_key/",
        pattern="[0-9a-f]{40}",
        find=Find.ASSIGNED,
        keywords=(
            "wandb",
            "weights_and_biases",
            "weights-and-biases",
        ),
        named=(
            "key",
            "token",
        ),
        rank=30,
        positives=("WANDB_API_KEY=«{hex:40}»",),
    ),
)
