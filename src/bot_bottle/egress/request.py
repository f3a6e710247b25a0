"""One request's identity: what is judged is what is dialled and forwarded.

Built from a head that the proxy's strict parser has already split; every check on names and paths is here,
none on framing. Nothing is repaired: what has two readings is refused (egress.md §2; threats C, D).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from bot_bottle.base.memo import Memo
from bot_bottle.egress.fields import is_token
from bot_bottle.egress.hosts import HOST_ALIAS, BadHost, canonical_host, split_authority
from bot_bottle.egress.paths import BadPath, canonical_path, check_query
from bot_bottle.egress.verdict import Deny, Hint

FORWARDED_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""The standard nine without TRACE (echoes credentials, threats F2) and CONNECT (a tunnel in a tunnel); exact
case (RFC 9110 section 9.1): what a server might take for one of them is not forwarded."""

MAX_TARGET_BYTES = 16 * 1024
MAX_HEADERS = 100
"""egress.md section 4"""

_LENGTHS_MISSPELT = frozenset({"content_length", "transfer_encoding"})
"""Servers that make variables of fields may take them for the real ones."""

_JUDGED = frozenset({"connection", "content-type", "proxy-connection", "sec-websocket-version", "upgrade"})
_LOWER: Memo[str, str] = Memo(str.lower)

_CONTROLS = bytes({*range(0x20), 0x7F} - {0x09})


@dataclass(frozen=True)
class RequestHead:
    """A request line and header fields, split but not judged. Names and values are without the colon, line
    end and optional white space around the value; the parser has refused obs-fold, bare CR and LF, NUL."""

    method: bytes
    target: bytes
    version: bytes
    """``b"HTTP/1.1"``"""
    headers: tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True)
class Tunnel:
    """The CONNECT that a request came through."""

    host: str
    """canonical, as :func:`parse_connect` returned it"""
    port: int
    tls: bool
    """we took up TLS inside: the scheme is https"""
    sni: str | None = None
    """server name of the ClientHello, as it was sent; None: none"""

    @property
    def may_be_plain(self) -> bool:
        """Whether HTTP without TLS may go through: to port 80 (ruling 63), and to the operator's own machine,
        whose services speak plain HTTP on ports that a route has to name (ruling 8). Clients tunnel that, too
        (undici, so node's fetch)."""
        return self.port == 80 or self.host == HOST_ALIAS


@dataclass(frozen=True)
class RequestIdentity:
    """What a request is. All parts are canonical; no part is read again from the client's bytes."""

    scheme: str
    """``http`` or ``https``"""
    host: str
    """canonical name or IP literal (v6 without brackets)"""
    port: int
    method: str
    path: str
    """starts with ``/``; canonical percent-encoding"""
    query: str | None
    """as received, checked characters, without ``?``; None: no question mark"""
    headers: tuple[tuple[str, str], ...]
    """as received, decoded as latin-1, without ``Host``"""

    @property
    def target(self) -> str:
        """Origin-form for the upstream's request line: path and query."""
        return self.path if self.query is None else f"{self.path}?{self.query}"

    @property
    def authority(self) -> str:
        """Value of the upstream's ``Host``: brackets for IPv6, the port unless it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80
        return host if self.port == default else f"{host}:{self.port}"

    @cached_property
    def judged(self) -> Mapping[str, str]:
        """What the fields say that are judged by their name, joined by commas where one stands twice; names in
        lower case."""
        found: dict[str, str] = {}
        lower = _LOWER
        for name, value in self.headers:
            key = lower[name]
            if key in _JUDGED:
                found[key] = f"{found[key]},{value}" if key in found else value
        return found

    def header(self, name: str) -> str | None:
        """The value of the only field *name*; None when there is none or several."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return values[0] if len(values) == 1 else None

    @property
    def expects_continue(self) -> bool:
        """``Expect: 100-continue``: the proxy answers 100 itself after an :class:`Allow`; the field is not
        forwarded."""
        return (self.header("expect") or "").lower() == "100-continue"


def parse_connect(target: bytes) -> tuple[str, int] | Deny:
    """``host:port`` of a CONNECT request line, canonical. A :class:`Deny` is answered instead of 200.

    The port must be there (RFC 9110 section 9.3.6).
    """
    try:
        host, port = split_authority(target.decode("ascii"), 0)
        if port == 0:
            raise BadHost("a CONNECT target has a port")
    except (BadHost, UnicodeDecodeError) as error:
        return _malformed("the CONNECT target", error)
    return host, port


def build_identity(head: RequestHead, *, tunnel: Tunnel | None = None) -> RequestIdentity | Deny:
    """The identity of *head*; *tunnel* None: it came to the proxy's port directly, in absolute form.

    Cross-checks the CONNECT target, SNI, Host and absolute-form target: all must name one host and port.
    """
    method = head.method.decode("latin-1")
    if method not in FORWARDED_METHODS:
        return Deny(403, "egress: target: the method is not one that is forwarded", Hint.MALFORMED)
    if head.version not in (b"HTTP/1.0", b"HTTP/1.1"):
        return Deny(403, "egress: target: the HTTP version is neither 1.0 nor 1.1", Hint.MALFORMED)
    if len(head.target) > MAX_TARGET_BYTES:
        return Deny(414, "egress: target: the URL is too long", Hint.MALFORMED)
    if len(head.headers) > MAX_HEADERS:
        return Deny(431, "egress: target: too many header fields", Hint.MALFORMED)
    hosts: list[str] = []
    headers: list[Field] = []
    for raw in head.headers:
        read = _FIELDS[raw]
        if isinstance(read, Deny):
            return read
        field, is_host = read
        if is_host:
            hosts.append(field[1])
        else:
            headers.append(field)
    where = _read_target(head.target, hosts, tunnel)
    if isinstance(where, Deny):
        return where
    scheme, host, port, path_and_query = where
    try:
        raw_path, question, raw_query = path_and_query.partition("?")
        path = canonical_path(raw_path)
        query = check_query(raw_query) if question else None
    except BadPath as error:
        return _malformed("the target", error)
    return RequestIdentity(scheme, host, port, method, path, query, tuple(headers))


def _malformed(what: str, error: Exception) -> Deny:
    """Only our own errors' words go into a reason, never a codec's: those quote the input."""
    words = str(error) if isinstance(error, BadHost | BadPath) else "not ASCII"
    return Deny(403, f"egress: target: {what}: {words}", Hint.MALFORMED)


Field = tuple[str, str]
"""name and value"""


def _read_field(raw: tuple[bytes, bytes]) -> tuple[Field, bool] | Deny:
    """A field, and whether it is ``Host``. Names are tokens, values hold no control character but a tab
    (RFC 9110 sections 5.1, 5.5)."""
    name, value = raw[0].decode("latin-1"), raw[1].decode("latin-1")
    lower = name.lower()
    if not is_token(name):
        what = "a header field's name is not a token"
    elif raw[1].translate(None, _CONTROLS) != raw[1] or value != value.strip(" \t"):
        what = "a header field's value holds a control character"
    elif lower in _LENGTHS_MISSPELT:
        what = "a field of the framing is spelt with an underscore"
    else:
        return (name, value), lower == "host"
    return Deny(403, f"egress: target: {what}", Hint.MALFORMED)


_FIELDS = Memo(_read_field)


def _read_target(target: bytes, hosts: list[str], tunnel: Tunnel | None) -> tuple[str, str, int, str] | Deny:
    """Scheme, host, port, and path with query; every name that the request gives must be the same."""
    if tunnel is not None and not tunnel.tls and not tunnel.may_be_plain:
        return Deny(403, "egress: target: plain HTTP in a tunnel goes to port 80 only", Hint.HTTPS)
    scheme = "https" if tunnel is not None and tunnel.tls else "http"
    default_port = 443 if scheme == "https" else 80
    if len(hosts) != 1:
        return Deny(403, "egress: target: not exactly one Host", Hint.MALFORMED)
    try:
        named = [split_authority(hosts[0], default_port)]
        text = target.decode("ascii")
        if text.startswith("/"):
            path_and_query = text
            if tunnel is None:
                return Deny(403, "egress: target: a request to the proxy names the whole URL", Hint.MALFORMED)
        else:
            absolute_scheme, authority, path_and_query = _split_absolute(text)
            if absolute_scheme != scheme:
                return Deny(403, "egress: target: the URL's scheme is not the connection's", Hint.MALFORMED)
            named.append(split_authority(authority, default_port))
        if tunnel is not None:
            named.append((tunnel.host, tunnel.port))
            if tunnel.sni is not None:
                named.append((canonical_host(tunnel.sni), tunnel.port))
    except (BadHost, UnicodeDecodeError) as error:
        return _malformed("the target or host", error)
    if len(set(named)) != 1:
        return Deny(403, "egress: target: CONNECT, SNI, Host and URL name different hosts", Hint.MALFORMED)
    return scheme, named[0][0], named[0][1], path_and_query


def _split_absolute(text: str) -> tuple[str, str, str]:
    """``http://authority/path?query`` in three; an empty path is ``/`` (RFC 9110 section 4.2.3)."""
    scheme, separator, rest = text.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        raise BadHost("neither a path nor an http URL")
    cut = min((rest.index(char) for char in "/?#" if char in rest), default=len(rest))
    authority, path_and_query = rest[:cut], rest[cut:]
    if not path_and_query.startswith("/"):
        path_and_query = "/" + path_and_query
    return scheme.lower(), authority, path_and_query
