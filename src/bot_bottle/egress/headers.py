"""Which of a client's header fields are forwarded, and how a credential is written (egress.md §2.7, §10).

On every route: hop-by-hop and framing fields fall away (RFC 9110 section 7.6.1), what the client sent as a
credential, and fields that make a server treat the request as another one than was judged (method and path
overrides, forwarding fields). Where a credential of ours is set, and on provider hosts, only a list passes:
an allowed host must not be told that somebody else is asking (threats E1, E2). What their values may be is in
``forms``. Answers there give no session: a cookie that the client got would come back with its next request.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import lru_cache

from bot_bottle.base.memo import Memo
from bot_bottle.egress.config import ConfigError, Inject, Passthrough, Route, Scheme
from bot_bottle.egress.forms import FORMS, narrowed

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

HANDSHAKE = frozenset(
    {"sec-websocket-accept", "sec-websocket-extensions", "sec-websocket-key", "sec-websocket-version"}
)
"""Of a WebSocket's opening handshake (RFC 6455 section 11.3): the proxy's own to write on both legs. They can be
matched. ``Sec-WebSocket-Protocol`` is a field like any other."""

_CREDENTIALS = frozenset({"authorization"})
"""The client's own, on every route without passthrough; ``proxy-authorization`` is in :data:`FRAMING`."""

_PASSED_ON = frozenset({"authorization", "x-api-key", "api-key", "x-goog-api-key"})
"""Where only listed fields pass, these go through with passthrough as well."""

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


def field_key(name: str) -> str:
    """*name* as servers that make variables of fields read it (CGI, WSGI, PHP): an underscore is a hyphen to
    them, so that ``X_HTTP_Method_Override`` says the same."""
    lower = name.lower()
    return lower.replace("_", "-") if "_" in lower else lower


def is_guarded(route: Route) -> bool:
    """Whether only listed fields pass, and a URL names no account: a credential of ours is set, a provider owns
    the host, or the route says which fields pass (``headers``)."""
    return bool(injections(route)) or route.provider is not None or route.headers is not None


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

    @property
    def keeps_cookies(self) -> bool:
        """Whether an answer may set cookies: where the client's own go through as well."""
        return self.allowed is None or "cookie" in self.allowed

    _sent: Memo[tuple[str, str], tuple[str, str] | None] = dataclass_field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "_sent", Memo(self._send))

    def forwarded(self, headers: Headers) -> Headers:
        """What of *headers* (already :func:`end_to_end`) is sent, in order and case. Of fields that have a form
        the first of a name: said again and again, what is left of each would add up."""
        sent = self._sent
        kept = [field for given in headers if (field := sent[given]) is not None]
        if self.allowed is not None and len({_KEYS[name] for name, _ in kept}) < len(kept):
            return _said_once(kept)
        return tuple(kept)

    def _send(self, field: tuple[str, str]) -> tuple[str, str] | None:
        name, value = field
        lower, key = name.lower(), field_key(name)
        if key in self.dropped or key.startswith("x-forwarded-"):
            return None
        if self.allowed is None:
            return field
        kept = narrowed(lower, value) if lower in self.allowed else ""
        return (name, kept) if kept else None


def _said_once(fields: list[tuple[str, str]]) -> Headers:
    seen: set[str] = set()
    kept = []
    for field in fields:
        key = _KEYS[field[0]]
        if key not in seen or key not in FORMS:
            kept.append(field)
        seen.add(key)
    return tuple(kept)


def plan_headers(route: Route) -> HeaderPlan:
    """The plan of *route*."""
    passthrough = isinstance(route.auth, Passthrough)
    dropped = _OVERRIDES | HANDSHAKE | {field_key(inject.header) for inject in injections(route)}
    if not passthrough:
        dropped |= _CREDENTIALS
    if not is_guarded(route):
        return _plan(dropped, None)
    allowed = _ALLOWED | {name.lower() for name in route.headers or ()}
    if route.provider is not None:
        allowed |= _PROVIDER_ALLOWED.get(route.provider, frozenset())
    if passthrough:
        allowed |= _PASSED_ON
    return _plan(dropped, allowed)


@lru_cache(maxsize=64)
def _plan(dropped: frozenset[str], allowed: frozenset[str] | None) -> HeaderPlan:
    """One for all routes that are alike: each keeps answers, and routes may be a thousand."""
    return HeaderPlan(dropped, allowed)


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
