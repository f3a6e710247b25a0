"""What a decision is: values, not exceptions. Built by ``egress`` alone, acted on by the proxy.

A reason, hint or body never holds a secret or a header's value: they are made of fixed sentences and of
the request's own host, method and path.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot_bottle.egress.config import Inject, Route


class Hint(StrEnum):
    """The few sentences that a refusal may end with (ruling 5)."""

    ASK = "ask for the route with the egress-allow tool, or have the operator add it to the bottle's manifest"
    GIT_GATE = "push through git: the git gate forwards it where the bottle's manifest names the repository"
    GIT_FETCH = "have the operator set git.fetch to true on this route"
    MALFORMED = "the request is ambiguous or malformed; send it in plain form"
    HTTPS = "use https for this host"
    NO_UPGRADE = "of upgraded connections this proxy carries WebSockets alone; use plain HTTP requests"
    CREDENTIAL = "remove the credential from the request: the proxy sets its own for this host"
    CUT_OFF = "the operator has cut this bottle off"
    UPSTREAM = "the upstream could not be reached through the proxy"
    TAKE_OUT = "take the secret out of the request: it may not go to this host"
    UNREDACTABLE = "it could not be redacted: take it out of the request"
    UNREADABLE = "send the body without a content coding, or in gzip, deflate, br or zstd"
    ASKED = "the operator has been asked: try again once it is approved"
    REJECTED = "the operator rejected it"
    TIMED_OUT = "the operator was asked and did not answer in time"
    NO_OPERATOR = "nobody can approve it here: take the secret out of the request"
    BUSY = "too much is held for a decision already: try again later"
    NONE = ""


@dataclass(frozen=True)
class Deny:
    """The request goes nowhere; the client gets ``status`` and :func:`refusal.refusal_body`."""

    status: int
    reason: str
    """``egress: <target|route|git|match|credential|cut off|upstream|address>: …``"""
    hint: Hint = Hint.NONE
    code: str = "egress_blocked"
    """the body's ``error`` field"""
    detail: str = ""
    """of this one case, behind the hint: a proposal's id, the operator's reason (redacted), seconds"""
    provider: str | None = None
    """whose API shape the body has: ``Route.provider`` of the host's route; None: ours"""


@dataclass(frozen=True)
class Handshake:
    """What a client's opening handshake of a WebSocket says; read by ``websocket``."""

    key: str
    """checked; the accept value is made of it"""
    protocols: tuple[str, ...] = ()
    """subprotocols that go to the upstream, in order"""
    extension: str = ""
    """the answer to the extensions that the client offers; empty: none is used with it"""


@dataclass(frozen=True)
class Allow:
    """The request may go, written anew from the identity and these values; nothing else of the client's."""

    route: Route
    headers: tuple[tuple[str, str], ...]
    """to forward, in the client's order and case, ``Host`` first; no credential of ours, no framing header
    (``Content-Length``, ``Transfer-Encoding``) and no ``Connection``: those are the proxy's to write"""
    inject: tuple[Inject, ...] = ()
    """the proxy sets each header to the scheme and the revealed value of the slot ``Inject.token``; a header
    of that name is not in ``headers``"""
    keeps_cookies: bool = True
    """False: the answer's cookies are taken out, since the client's are"""
    websocket: Handshake | None = None
    """the request opens a WebSocket: both legs end at the proxy, which makes a handshake of its own upstream"""


@dataclass(frozen=True)
class Introspect:
    """``http://_egress.local/allowlist``: the proxy answers 200 with :func:`codec.introspection` as JSON."""


Verdict = Allow | Deny | Introspect
