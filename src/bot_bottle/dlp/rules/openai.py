"""Credentials of OpenAI."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="openai-legacy-key",
        vendor="OpenAI",
        docs="https://platform.openai.com/docs/api-reference/authentication",
        pattern="sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}",
        rank=60,
        positives=('OPENAI_API_KEY="«sk-{b62:20}T3BlbkFJ{b62:20}»"',),
        known="the middle says OpenAI in base64",
    ),
    Rule(
        name="openai-key",
        vendor="OpenAI",
        docs="https://platform.openai.com/docs/api-reference/authentication",
        pattern="sk-(?:proj|svcacct|service|admin|None)-[A-Za-z0-9_-]{40,}",
        rank=70,
        positives=(
            "export OPENAI_API_KEY=«sk-proj-{b64u:74}T3BlbkFJ{b64u:74}»",
            "key: «sk-svcacct-{b64u:74}T3BlbkFJ{b64u:74}»",
            "«sk-admin-{b64u:58}T3BlbkFJ{b64u:58}»",
            "«sk-proj-{b62:20}T3BlbkFJ{b62:20}»",
        ),
        negatives=(
            "sk-proj-your-project-key-goes-here-and-is-secret",
            "sk-proj-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        ),
    ),
    Rule(
        name="openai-style-key",
        vendor="OpenAI",
        docs="https://platform.openai.com/docs/api-reference/authentication",
        pattern="sk-[A-Za-z0-9]{32,64}",
        end="[A-Za-z0-9_-]",
        rank=35,
        positives=('api_key="«sk-{b62:48}»"',),
        negatives=(
            "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "sk-1234567890abcdef1234567890abcdef",
            "task-{b62:40}",
        ),
        known="what many services compatible with the API of OpenAI give out",
    ),
)
