"""What goes out: requests and responses composed anew, never a byte range of what came in.

:meth:`Credentials.value` is the one place where a credential is revealed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.memo import Memo
from bot_bottle.base.secret import Secret
from bot_bottle.egress.config import ConfigError, Inject, Policy
from bot_bottle.egress.headers import Headers, credential_value
from bot_bottle.egress.request import RequestIdentity
from bot_bottle.egress.verdict import Allow
from bot_bottle.sidecar.proxy.http1 import Body, Framing, ParsedResponse

LAUNCH_HEADER = "x-bot-bottle-launch"
"""On every answer of the proxy's own: tells the self-test that it is ours."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
TUNNEL_OPEN = b"HTTP/1.1 200 Connection established\r\n"
LAST_CHUNK = b"0\r\n\r\n"

_HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-connection proxy-authenticate proxy-authentication-info te trailer"
    b" transfer-encoding upgrade content-length alt-svc refresh".split()
)
"""RFC 9110 section 7.6.1, framing (written anew), and what sends a client elsewhere without a status that
says so (threats C8): Alt-Svc offers a way around, Refresh is a redirect that no specification knows."""

_HOP_AND_COOKIES = _HOP_BY_HOP | {b"set-cookie", b"set-cookie2"}
"""Where the client's cookies don't go through: no answer opens a session either."""

_OURS = b"x-bot-bottle"
"""No upstream speaks with our headers."""


class CredentialError(BotBottleError):
    """A slot that a route names has no value, or one that no header can carry."""


class Credentials:
    """The values of the slots that routes name. They belong to routes: only an ``Allow`` asks for one."""

    def __init__(self, values: Mapping[str, Secret]) -> None:
        self._values = dict(values)

    @property
    def values(self) -> Mapping[str, Secret]:
        """By slot."""
        return self._values

    def check(self, policy: Policy) -> None:
        """Raises :class:`CredentialError` when *policy* names a slot without a value: nothing is ever sent
        without the credential that its route is to have."""
        for route in policy.routes:
            for inject in route.auth if isinstance(route.auth, tuple) else ():
                if not self._values.get(inject.token):
                    raise CredentialError(
                        f"route {route.host!r}: {inject.token!r} has no value: set it before the proxy starts"
                    )
                try:
                    self.value(inject)
                except ConfigError as error:
                    raise CredentialError(f"route {route.host!r}: {error.message}") from error

    def replace(self, values: Mapping[str, Secret], policy: Policy) -> None:
        """Other values for slots that there are, from the next request on; all of them, or none.

        Raises :class:`CredentialError` for a slot that is none, and for a value that *policy* could not send.
        """
        unknown = sorted(values.keys() - self._values.keys())
        if unknown:
            raise CredentialError(f"{unknown[0]!r} is no slot of this proxy's: none is ever added")
        candidate = Credentials({**self._values, **values})
        candidate.check(policy)
        self._values = candidate._values

    def value(self, inject: Inject) -> str:
        """The field value for *inject*. Raises KeyError for a slot that has none."""
        return credential_value(inject, self._values[inject.token].reveal())


def readable_answers(headers: Headers) -> Headers:
    """*headers* that ask for nothing that could not be read when it comes: other codings than those that are known
    here, and parts of an encoded file."""
    for index, (name, value) in enumerate(headers):
        if len(name) == len(_ACCEPT) and name.lower() == _ACCEPT:
            wants_part = any(other.lower() == "range" for other, _ in headers)
            kept = "identity" if wants_part else _READABLE[value]
            return headers if kept == value else (*headers[:index], (name, kept), *headers[index + 1 :])
    return headers


def _readable(value: str) -> str:
    asked = [coding.strip() for coding in value.split(",")]
    return ", ".join([coding for coding in asked if coding.partition(";")[0].strip().lower() in _CODINGS])


_ACCEPT = "accept-encoding"
_CODINGS = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd", "identity"})
_READABLE = Memo(_readable)


def request_head(
    identity: RequestIdentity,
    allow: Allow,
    framing: Framing,
    credentials: Credentials,
    more: Sequence[tuple[str, str]] = (),
) -> bytes:
    """The head of the request that goes upstream; *more*: fields of the proxy's own. Raises ValueError rather than
    write a line too many."""
    lines = [f"{identity.method} {identity.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in readable_answers(allow.headers)]
    lines += [f"{inject.header}: {credentials.value(inject)}" for inject in allow.inject]
    lines += [f"{name}: {value}" for name, value in more]
    if framing.body is Body.LENGTH:
        lines.append(f"Content-Length: {framing.length}")
    elif framing.body is Body.CHUNKED:
        lines.append("Transfer-Encoding: chunked")
    head = "\r\n".join(lines).encode("latin-1")
    if head.count(b"\n") != len(lines) - 1 or head.count(b"\r") != len(lines) - 1:
        raise ValueError("a line end inside a head")
    return head + b"\r\n\r\n"


def response_head(
    response: ParsedResponse, *, chunked: bool, keep_alive: bool, cookies: bool = True
) -> bytes:
    """The head that the client gets. *chunked*: the body is re-framed in chunks by us. *cookies*: those that it
    sets go through."""
    dropped = _HOP_BY_HOP if cookies else _HOP_AND_COOKIES
    lines = [b"HTTP/1.1 %d %b" % (response.status, response.reason)]
    named = response.connection_names
    for name, lower, value, _ in response.headers:
        if lower not in dropped and lower not in named and not lower.startswith(_OURS):
            lines.append(name + b": " + value)
        elif lower == b"content-length" and not chunked and response.status != 204:
            lines.append(b"Content-Length: " + value)
    if chunked:
        lines.append(b"Transfer-Encoding: chunked")
    if not keep_alive:
        lines.append(b"Connection: close")
    lines.append(b"\r\n")
    return b"\r\n".join(lines)


def chunk(data: bytes) -> bytes:
    """*data* (not empty) as one chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def own_answer(
    status: int,
    body: bytes,
    headers: tuple[tuple[str, str], ...],
    *,
    nonce: str,
    keep_alive: bool,
    head_only: bool = False,
) -> bytes:
    """An answer of the proxy itself. *head_only*: to a HEAD request."""
    lines = [f"HTTP/1.1 {status} {_phrase(status)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines.append(f"Content-Length: {len(body)}")
    lines.append("Cache-Control: no-store")
    if nonce:
        lines.append(f"{LAUNCH_HEADER}: {nonce}")
    if not keep_alive:
        lines.append("Connection: close")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    return head if head_only else head + body


def tunnel_open(nonce: str) -> bytes:
    """The answer to a CONNECT."""
    return TUNNEL_OPEN + (f"{LAUNCH_HEADER}: {nonce}\r\n\r\n".encode() if nonce else b"\r\n")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Refused"
