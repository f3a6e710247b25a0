"""One request's identity: what is judged is what is dialled and forwarded.

Built from a head that the proxy's strict parser has already split; every check on names and paths is here,
none on framing. Nothing is repaired: what has two readings is refused (egress.md §2; threats C, D).
"""

from __future__ import annotations

from dataclasses import dataclass

from bot_bottle.egress.verdict import Deny, Hint


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
    """``host:port`` of a CONNECT request line, canonical. A :class:`Deny` is answered instead of 200."""
    return Deny(403, "egress: target: the CONNECT target is not acceptable", Hint.MALFORMED)


def build_identity(head: RequestHead, *, tunnel: Tunnel | None = None) -> RequestIdentity | Deny:
    """The identity of *head*; *tunnel* None: it came to the proxy's port directly, in absolute form.

    Cross-checks the CONNECT target, SNI, Host and absolute-form target: all must name one host and port.
    """
    return Deny(403, "egress: target: the request is not acceptable", Hint.MALFORMED)
