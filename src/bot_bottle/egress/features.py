"""Names of an API's optional features that a client may ask for by a header field (egress.md §10.1).

Lists of names, so that a new feature is closed until somebody has looked at what it does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

FEATURES: Mapping[str, frozenset[str]] = {
    "anthropic-beta": frozenset(
        {
            "adaptive-thinking",
            "advanced-tool-use",
            "advisor-tool",
            "afk-mode",
            "auto-mode-classifier",
            "cache-diagnosis",
            "cache-keepalive",
            "claude-code",
            "claude-code-side-query",
            "compact",
            "context-1m",
            "context-hint",
            "context-management",
            "effort",
            "extended-cache-ttl",
            "fast-mode",
            "fine-grained-tool-streaming",
            "inline-tools",
            "interleaved-thinking",
            "max-tokens",
            "mid-conversation-system",
            "mid-conversation-system-clear-at",
            "mid-conversation-tool-changes",
            "oauth",
            "output-128k",
            "per-turn-control",
            "prompt-caching",
            "prompt-caching-evict",
            "prompt-caching-scope",
            "redact-thinking",
            "structured-outputs",
            "task-budgets",
            "thinking-binding-controls",
            "thinking-display-updates",
            "thinking-resumption",
            "thinking-token-count",
            "timing",
            "token-counting",
            "token-efficient-tools",
            "tool-examples",
            "tool-provenance",
            "tool-search-tool",
        }
    ),
    "openai-beta": frozenset({"responses", "responses_websockets"}),
    "x-codex-beta-features": frozenset({"remote_compaction_v2"}),
    "x-openai-internal-codex-responses-lite": frozenset({"true"}),
}
"""Feature names without their date: those of a conversation (read in Claude Code 2.1.330, which asks again
without one that the API refuses). Not here, so they fall away: whatever lets the provider fetch, call out, run
code, keep files or know another identity (web fetch and search, MCP connector and tunnels, code execution,
Files, memory, message threads, skills, batches, managed agents, user profiles). ``advanced-tool-use`` stands
for tool search here; the code execution that it also knows is a tool in the body, judged there."""


def known_features(name: str) -> Callable[[str], str]:
    """What of a list in the field *name* is known, in order."""
    allowed = FEATURES[name]
    return lambda value: _known(value, allowed)


def _known(value: str, allowed: Collection[str]) -> str:
    features = [feature.strip() for feature in value.split(",")]
    return ", ".join(dict.fromkeys(feature for feature in features if _without_date(feature) in allowed))


def _without_date(feature: str) -> str:
    """``files-api-2025-04-14``, ``claude-code-20250219`` or ``responses=v1`` without the last part."""
    name, equals, version = feature.partition("=")
    if equals and not (0 < len(version) <= 10 and version.replace("-", "").isalnum() and version.isascii()):
        return ""
    words = name.split("-")
    for digits in ((4, 2, 2), (8,)):
        tail = words[-len(digits) :]
        if len(words) > len(digits) and all(
            len(word) == count and word.isascii() and word.isdigit()
            for word, count in zip(tail, digits, strict=True)
        ):
            return "-".join(words[: -len(digits)])
    return name
