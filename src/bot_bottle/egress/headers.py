"""Which of a client's header fields are forwarded, and how a credential is written (egress.md §2.7, §10).

On every route: hop-by-hop and framing fields fall away (RFC 9110 section 7.6.1), what the client sent as a
credential, and fields that make a server treat the request as another one than was judged (method and path
overrides, forwarding fields). Where a credential of ours is set, and on provider hosts, only a list passes:
an allowed host must not be told that somebody else is asking (threats E1, E2).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import lru_cache

from bot_bottle.base.memo import Memo
from bot_bottle.egress.config import ConfigError, Inject, Passthrough, Route, Scheme

Headers = tuple[tuple[str, str], ...]

FRAMING = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "max-forwards",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Between two neighbours only, or the proxy's own to write: never forwarded, injected, matched or listed."""

_OVERRIDES = frozenset(
    {
        "forwarded",
        "via",
        "x-host",
        "x-http-host-override",
        "x-http-method",
        "x-http-method-override",
        "x-http-path-override",
        "x-method-override",
        "x-original-host",
        "x-original-method",
        "x-original-uri",
        "x-original-url",
        "x-override-url",
        "x-rewrite-url",
    }
)
"""Dropped on every route, rather than refused: no server reads them then, and clients that add them for
every request still work (threats D4)."""

_CREDENTIALS = frozenset({"authorization"})
"""The client's own, on every route without passthrough; ``proxy-authorization`` is in :data:`FRAMING`."""

_PASSED_ON = frozenset({"authorization", "x-api-key", "api-key", "x-goog-api-key"})
"""On a provider host with passthrough these go through as well."""

_ALLOWED = frozenset(
    {
        "accept",
        "accept-charset",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "content-digest",
        "content-encoding",
        "content-language",
        "content-type",
        "git-protocol",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "pragma",
        "range",
        "user-agent",
    }
)
"""Negotiation, type, range, conditions: what passes on a credentialed route. Tracing, cookies, origin,
referrer and every identity field do not."""

_PROVIDER_ALLOWED: Mapping[str, frozenset[str]] = {
    "claude": frozenset({"anthropic-version", "anthropic-beta", "x-app"}),
    # How Codex 0.169.0 writes its body is told by its version and by the "lite" switch.
    "codex": frozenset(
        {
            "openai-beta",
            "originator",
            "version",
            "x-codex-beta-features",
            "x-openai-internal-codex-responses-lite",
        }
    ),
    "pi": frozenset({"anthropic-version", "anthropic-beta", "openai-beta"}),
}
"""What each provider's client needs beside :data:`_ALLOWED`."""

_BETA_ALLOWED: Mapping[str, frozenset[str]] = {
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

_USER_AGENT_PRODUCTS = 4
_USER_AGENT_CHARS = 48
_PRODUCT_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-/")


def field_key(name: str) -> str:
    """*name* as servers that make variables of fields read it (CGI, WSGI, PHP): an underscore is a hyphen to
    them, so that ``X_HTTP_Method_Override`` says the same."""
    lower = name.lower()
    return lower.replace("_", "-") if "_" in lower else lower


def is_guarded(route: Route) -> bool:
    """Whether only listed fields pass: a credential of ours is set, or a provider owns the host."""
    return bool(injections(route)) or route.provider is not None


def injections(route: Route) -> tuple[Inject, ...]:
    """The credentials that *route* sets."""
    return () if isinstance(route.auth, Passthrough) else route.auth


_KEYS = Memo(field_key)


def end_to_end(headers: Headers) -> Headers:
    """*headers* without hop-by-hop and framing fields and those that ``Connection`` names."""
    keys = [_KEYS[name] for name, _ in headers]
    gone: Collection[str] = FRAMING
    for key, (_, value) in zip(keys, headers, strict=True):
        if key in ("connection", "proxy-connection"):
            gone = {*gone, *(field_key(option.strip()) for option in value.split(","))}
    return tuple([field for key, field in zip(keys, headers, strict=True) if key not in gone])


@dataclass(frozen=True)
class HeaderPlan:
    """Which fields of a client go to one route's upstream. Made by :func:`plan_headers`."""

    dropped: frozenset[str]
    """:func:`field_key` of names"""
    allowed: frozenset[str] | None
    """names in lower case; None: all but the dropped ones"""
    _sent: Memo[tuple[str, str], tuple[str, str] | None] = dataclass_field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "_sent", Memo(self._send))

    def forwarded(self, headers: Headers) -> Headers:
        """What of *headers* (already :func:`end_to_end`) is sent, in order and case."""
        sent = self._sent
        return tuple([kept for field in headers if (kept := sent[field]) is not None])

    def _send(self, field: tuple[str, str]) -> tuple[str, str] | None:
        name, value = field
        lower, key = name.lower(), field_key(name)
        if key in self.dropped or key.startswith("x-forwarded-"):
            return None
        if self.allowed is None:
            return field
        narrowed = _narrowed(lower, value) if lower in self.allowed else ""
        return (name, narrowed) if narrowed else None


def plan_headers(route: Route) -> HeaderPlan:
    """The plan of *route*."""
    passthrough = isinstance(route.auth, Passthrough)
    dropped = _OVERRIDES | {field_key(inject.header) for inject in injections(route)}
    if not passthrough:
        dropped |= _CREDENTIALS
    if not is_guarded(route):
        return _plan(dropped, None)
    allowed = _ALLOWED | {name.lower() for name in route.headers}
    if route.provider is not None:
        allowed |= _PROVIDER_ALLOWED.get(route.provider, frozenset())
        allowed |= _PASSED_ON if passthrough else frozenset()
    return _plan(dropped, allowed)


@lru_cache(maxsize=64)
def _plan(dropped: frozenset[str], allowed: frozenset[str] | None) -> HeaderPlan:
    """One for all routes that are alike: each keeps answers, and routes may be a thousand."""
    return HeaderPlan(dropped, allowed)


def _narrowed(name: str, value: str) -> str:
    """*value* cut to what the field is let through for; empty: nothing is left."""
    if name in _BETA_ALLOWED:
        return _known_betas(value, _BETA_ALLOWED[name])
    if name == "user-agent":
        return _plain_user_agent(value)
    return value


def _known_betas(value: str, allowed: Collection[str]) -> str:
    betas = [beta.strip() for beta in value.split(",")]
    return ", ".join(beta for beta in betas if _without_date(beta) in allowed)


def _without_date(beta: str) -> str:
    """``files-api-2025-04-14``, ``claude-code-20250219`` or ``responses=v1`` without the last part."""
    beta = beta.partition("=")[0]
    words = beta.split("-")
    for digits in ((4, 2, 2), (8,)):
        tail = words[-len(digits) :]
        if len(words) > len(digits) and all(
            len(word) == count and word.isascii() and word.isdigit()
            for word, count in zip(tail, digits, strict=True)
        ):
            return "-".join(words[: -len(digits)])
    return beta


def _plain_user_agent(value: str) -> str:
    """The leading ``product/version`` words; comments and whatever else could carry data are left out."""
    products = []
    for word in value.split(" ")[:_USER_AGENT_PRODUCTS]:
        if not word or len(word) > _USER_AGENT_CHARS or not _PRODUCT_CHARS.issuperset(word):
            break
        products.append(word)
    return " ".join(products)


def credential_value(inject: Inject, value: str) -> str:
    """The field value that carries *value*. For ``Basic`` a value with a colon is ``user:password`` and is
    encoded (RFC 7617), one without is taken as encoded already.

    Raises :class:`ConfigError`, without the value, when it can't stand in a header.
    """
    if not value or not value.isascii() or not value.isprintable():
        raise ConfigError(f"the value of {inject.token} is empty or can't stand in a header: set it again")
    match inject.scheme:
        case Scheme.RAW:
            return value
        case Scheme.BASIC if ":" in value:
            return f"Basic {b64encode(value.encode('ascii')).decode('ascii')}"
        case _:
            return f"{inject.scheme.value} {value}"
