"""Model providers: the paths that answer a conversation, by POST. Never files, batches, fine-tuning, agents,
accounts or lists of what an account holds (threats E1).

Agents of our own (``providers``) take their paths from here. Headers that name an organisation, project or
application are not let through: which account it is, the route's credential says.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot_bottle.egress.config import Match
from bot_bottle.egress.presets.parts import Host, Preset, exact, regex

_POST = ("POST",)

ANTHROPIC_HOST = "api.anthropic.com"
ANTHROPIC_MATCH = exact("/v1/messages", "/v1/messages/count_tokens", methods=_POST)
OPENAI_HOST = "api.openai.com"
OPENAI_RESPONSES = exact("/v1/responses", "/v1/responses/compact", methods=_POST)

_CLOSED = "files, batches, fine-tuning, agents, containers, accounts, lists of models"


def _model(
    about: str, host: str, *matches: Match, pages: tuple[str, ...], headers: tuple[str, ...] = ()
) -> Preset:
    return Preset(about, {"infer": (Host(host, matches, pages, headers=headers, credential=True),)}, _CLOSED)


MODELS: Mapping[str, Preset] = {
    "anthropic": _model(
        "`auth: {scheme: raw, header: x-api-key, token_ref: …}`",
        ANTHROPIC_HOST,
        ANTHROPIC_MATCH,
        pages=(
            "https://docs.claude.com/en/api/messages",
            "https://docs.claude.com/en/api/messages-count-tokens",
        ),
        headers=("anthropic-version", "anthropic-beta"),
    ),
    "deepseek": _model(
        "`auth: {scheme: Bearer, token_ref: …}`",
        "api.deepseek.com",
        exact(
            "/chat/completions",
            "/v1/chat/completions",
            "/beta/chat/completions",
            "/beta/completions",
            "/anthropic/v1/messages",
            methods=_POST,
        ),
        pages=("https://api-docs.deepseek.com/",),
        headers=("anthropic-version",),
    ),
    "gemini": _model(
        "`auth: {scheme: raw, header: x-goog-api-key, token_ref: …}`",
        "generativelanguage.googleapis.com",
        regex(
            "/v1(?:beta)?/models/[A-Za-z0-9._-]+:"
            "(?:generateContent|streamGenerateContent|countTokens|embedContent|batchEmbedContents)",
            methods=_POST,
        ),
        exact("/v1beta/openai/chat/completions", "/v1beta/openai/embeddings", methods=_POST),
        pages=(
            "https://ai.google.dev/api/generate-content",
            "https://ai.google.dev/api/tokens",
            "https://ai.google.dev/api/embeddings",
            "https://ai.google.dev/gemini-api/docs/openai",
        ),
    ),
    "groq": _model(
        "`auth: {scheme: Bearer, token_ref: …}`",
        "api.groq.com",
        exact("/openai/v1/chat/completions", "/openai/v1/responses", "/openai/v1/embeddings", methods=_POST),
        pages=("https://console.groq.com/docs/api-reference",),
    ),
    "mistral": _model(
        "`auth: {scheme: Bearer, token_ref: …}`",
        "api.mistral.ai",
        exact("/v1/chat/completions", "/v1/fim/completions", "/v1/embeddings", methods=_POST),
        pages=("https://docs.mistral.ai/api/",),
    ),
    "openai": _model(
        "`auth: {scheme: Bearer, token_ref: …}`",
        OPENAI_HOST,
        OPENAI_RESPONSES,
        exact("/v1/chat/completions", "/v1/completions", "/v1/embeddings", methods=_POST),
        pages=(
            "https://platform.openai.com/docs/api-reference/responses",
            "https://platform.openai.com/docs/api-reference/chat",
            "https://platform.openai.com/docs/api-reference/embeddings",
        ),
        headers=("openai-beta",),
    ),
    "openrouter": _model(
        "`auth: {scheme: Bearer, token_ref: …}`",
        "openrouter.ai",
        exact(
            "/api/v1/chat/completions",
            "/api/v1/completions",
            "/api/v1/responses",
            "/api/v1/embeddings",
            methods=_POST,
        ),
        pages=("https://openrouter.ai/docs/api-reference/overview",),
    ),
    "xai": _model(
        "`auth: {scheme: Bearer, token_ref: …}`",
        "api.x.ai",
        exact("/v1/chat/completions", "/v1/responses", methods=_POST),
        pages=("https://docs.x.ai/docs/api-reference",),
    ),
}
