"""The typed definition of every egress setting: one table of route keys, one type.

Used by the manifest (``Dialect.MANIFEST``: ``auth: {scheme, token_ref}``) and by the routes file
(``Dialect.ROUTES_FILE``: ``auth_scheme`` + ``token_env``) alike; nothing is validated twice.
Vocabulary of ``matches``: the Kubernetes Gateway API's HTTPRoute
(https://gateway-api.sigs.k8s.io/api-types/httproute/).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct, field

from bot_bottle.base.errors import BotBottleError

if TYPE_CHECKING:  # a launch without a manifest does without the YAML library (40 ms)
    from bot_bottle.base.yamltext import KeyPath


class ConfigError(BotBottleError):
    """A value that is not acceptable. ``path`` is relative to what was decoded."""

    def __init__(self, message: str, path: KeyPath = ()) -> None:
        super().__init__(message)
        self.message = message
        self.path = path


class Dialect(StrEnum):
    """Which file a route is written in; only the credential's keys differ."""

    MANIFEST = "manifest"
    ROUTES_FILE = "routes"


class Scheme(StrEnum):
    """How a credential is written into its header (RFC 6750, RFC 7617; ``token`` as forges use it)."""

    BEARER = "Bearer"
    TOKEN = "token"  # noqa: S105
    BASIC = "Basic"
    RAW = "raw"


class Inject(Struct, frozen=True):
    """``header: <scheme> <value of the slot>``; for RAW the value alone.

    ``token`` is a reference, never a value: in a manifest the name of a host variable, in a routes file
    the name of a slot in the sidecar.
    """

    scheme: Scheme
    token: str
    header: str = "Authorization"


class Passthrough(Struct, frozen=True):
    """The client's own credential headers go through."""


Auth = tuple[Inject, ...] | Passthrough
"""``()``: no credential; the client's own is removed all the same."""


class PathType(StrEnum):
    PREFIX = "prefix"
    EXACT = "exact"
    REGEX = "regex"


class PathMatch(Struct, frozen=True):
    value: str
    type: PathType = PathType.PREFIX


class HeaderMatchType(StrEnum):
    EXACT = "exact"
    REGEX = "regex"


class HeaderMatch(Struct, frozen=True):
    name: str
    value: str
    type: HeaderMatchType = HeaderMatchType.EXACT


class Match(Struct, frozen=True):
    """Any of ``paths``, any of ``methods``, all of ``headers``; an empty list holds."""

    paths: tuple[PathMatch, ...] = ()
    methods: tuple[str, ...] = ()
    headers: tuple[HeaderMatch, ...] = ()


class OutboundDetector(StrEnum):
    TOKEN_PATTERNS = "token_patterns"  # noqa: S105
    KNOWN_SECRETS = "known_secrets"
    ENTROPY = "entropy"


class InboundDetector(StrEnum):
    NAIVE_INJECTION_DETECTION = "naive_injection_detection"


class OutboundOnMatch(StrEnum):
    BLOCK = "block"
    REDACT = "redact"
    SUPERVISE = "supervise"


class InboundOnMatch(StrEnum):
    BLOCK = "block"
    WARN = "warn"
    OFF = "off"


class Dlp(Struct, frozen=True):
    """None: the default. An empty tuple is written ``false``: none."""

    outbound_detectors: tuple[OutboundDetector, ...] | None = None
    inbound_detectors: tuple[InboundDetector, ...] | None = None
    outbound_on_match: OutboundOnMatch | None = None
    inbound_on_match: InboundOnMatch | None = None


class MeterFormat(StrEnum):
    ANTHROPIC = "anthropic"
    OPENAI_RESPONSES = "openai-responses"
    OPENAI_CHAT = "openai-chat"
    GEMINI = "gemini"


class Meter(Struct, frozen=True):
    provider: str
    format: MeterFormat


DEFAULT_PORTS = (80, 443)
"""The only ports of a route that names none."""


class Route(Struct, frozen=True):
    """One host that requests may go to, and what they may be."""

    host: str
    """canonical: lower case, A-labels, no trailing dot; ``*.example.com``: any depth below, not the apex;
    an IP literal in canonical form; ``host.bot-bottle.internal``: the operator's own machine"""
    ports: tuple[int, ...] = ()
    """empty: :data:`DEFAULT_PORTS`"""
    auth: Auth = ()
    matches: tuple[Match, ...] = ()
    git_fetch: bool = False
    dlp: Dlp = field(default_factory=Dlp)
    headers: tuple[str, ...] | None = None
    """None: not written. Written: only the standard list of request headers and these pass, as it is where a
    credential is set; ``()``, written ``false``: the standard list alone"""
    allow_private: bool = False
    meter: Meter | None = None
    preset: str | None = None
    """name of a set of hosts and rules (``presets``); None in a routes file that is in force (ruling 59)"""
    access: tuple[str, ...] = ()
    """which parts of the preset; empty: its first word"""
    repos: tuple[str, ...] = ()
    """of a forge's preset: the repositories that it opens, ``owner/name``; empty: those of the git gate"""
    provider: str | None = None
    """read-only: the provider that owns the route"""


class OnTaint(StrEnum):
    NOTE = "note"
    TIGHTEN = "tighten"


class ProviderSchema(StrEnum):
    ENFORCE = "enforce"
    LOG = "log"


class UpstreamProxy(Struct, frozen=True):
    """A corporate proxy; ``token`` as in :class:`Inject`."""

    url: str
    token: str | None = None
    resolve_remote: bool = False


class Policy(Struct, frozen=True):
    """A whole routes file."""

    routes: tuple[Route, ...] = ()
    log: int = 0
    extra_ca: str | None = None
    upstream_proxy: UpstreamProxy | None = None
    on_taint: OnTaint | None = None
    provider_features: tuple[str, ...] = ()
    provider_schema: ProviderSchema | None = None
