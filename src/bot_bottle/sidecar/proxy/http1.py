"""HTTP/1.1 heads, parsed strictly (RFC 9110, RFC 9112). Pure, sans-I/O; judges framing, never policy.

Stricter than the RFC on purpose: what two parsers could read in two ways is refused, never repaired
(egress.md §2.2). Control characters, tabs included, bare CR or LF, obs-fold, space before the colon, an
empty line before the request line, any other version than 1.0 and 1.1, ``Transfer-Encoding`` other than one
plain ``chunked``, lengths that are not plain decimal, both at once.

Looser on responses in one point: a tab or obs-text in a field value of an upstream is passed on.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from bot_bottle.base.memo import Memo
from bot_bottle.egress.request import RequestHead
from bot_bottle.sidecar.proxy.limits import Limits

_TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_TOKEN_BYTES = bytes(sorted(_TOKEN))
_TARGET_BYTES = bytes(range(0x21, 0x7F))
_DIGITS = b"0123456789"
_FOR_THIS_HOP = frozenset({b"content-length", b"transfer-encoding", b"connection", b"proxy-connection"})
_REQUEST_TEXT = bytes([0x0D, 0x0A, *range(0x20, 0x7F), *range(0x80, 0x100)])
_RESPONSE_TEXT = _REQUEST_TEXT + b"\t"

MAX_LENGTH_DIGITS = 15
"""A petabyte: every larger ``Content-Length`` is a trick, and 64-bit parsers overflow behind it."""


Field = tuple[bytes, bytes, bytes, tuple[bytes, bytes]]
"""name as received, name in lower case, value; name and value once more as a pair"""


class Malformed(Exception):
    """The bytes are no message that has exactly one reading. ``status`` is for a request's sender."""

    def __init__(self, what: str, status: int = 403) -> None:
        super().__init__(what)
        self.what = what
        self.status = status


class Body(IntEnum):
    """How a message's body is delimited (RFC 9112 section 6)."""

    NONE = 0
    LENGTH = 1
    CHUNKED = 2
    UNTIL_CLOSE = 3


@dataclass(frozen=True, slots=True)
class Framing:
    """``length`` is that of :attr:`Body.LENGTH`, else 0."""

    body: Body
    length: int = 0


NO_BODY = Framing(Body.NONE)


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """A request's head and what follows from it for the connection."""

    head: RequestHead
    framing: Framing
    keep_alive: bool


@dataclass(frozen=True, slots=True)
class ParsedResponse:
    """A response's head and what follows from it."""

    status: int
    reason: bytes
    headers: list[Field]
    framing: Framing
    keep_alive: bool
    connection_names: frozenset[bytes]
    """fields that ``Connection`` names: for this hop only"""


def find_head_end(data: bytes | bytearray, limits: Limits, start: int = 0) -> tuple[int, int] | None:
    """Where the first head in *data* ends: (end of its last line, begin of what follows), or None: not yet.

    *start* is how much of *data* an earlier call has seen. Lenient about the line end on purpose: a head
    whose end some parser would see is handed to the strict one, which refuses it, at once and whatever the
    pieces that it came in. Raises :class:`Malformed` with 414 or 431.
    """
    line_end = data.find(b"\n")
    if (line_end if line_end >= 0 else len(data)) > limits.request_line_bytes:
        raise Malformed("the request line is too long", 414)
    start = max(start - 2, 0)
    crlf = data.find(b"\n\r\n", start)
    bare = data.find(b"\n\n", start, crlf + 1 if crlf >= 0 else len(data))
    if bare >= 0:
        end = after = bare + 2  # the strict parser is to see the bare LF
    elif crlf >= 0:
        end, after = crlf + 1, crlf + 3
    else:
        end, after = -1, len(data)
    if after > limits.head_bytes:
        raise Malformed("the header section is too large", 431)
    return None if end < 0 else (end, after)


def parse_request(head: bytes, limits: Limits) -> ParsedRequest:
    """Parse one whole head: up to and with the line end of its last line, without the empty line.

    Raises :class:`Malformed`.
    """
    lines = _lines(head, _REQUEST_TEXT)
    parts = lines[0].split(b" ")
    if len(parts) != 3:
        raise Malformed("the request line is not 'method target version'")
    method, target, version = parts
    if not method or method.translate(None, _TOKEN_BYTES):
        raise Malformed("the method is not a token")
    if not target or target.translate(None, _TARGET_BYTES):
        raise Malformed("the request target has characters that do not belong there")
    if version != b"HTTP/1.1" and version != b"HTTP/1.0":
        raise Malformed("the version is not HTTP/1.0 or HTTP/1.1")
    fields = _fields(lines, limits)
    lengths: list[bytes] = []
    encodings: list[bytes] = []
    connection: list[bytes] = []
    for _, lower, value, _ in fields:
        if lower not in _FOR_THIS_HOP:
            continue
        if lower == b"content-length":
            lengths.append(value)
        elif lower == b"transfer-encoding":
            encodings.append(value)
        else:
            connection.append(value.lower())
    framing = _framing(lengths, encodings, version) or NO_BODY
    keep_alive = version == b"HTTP/1.1" and not any(b"close" in value for value in connection)
    headers = tuple([field[3] for field in fields])
    return ParsedRequest(RequestHead(method, target, version, headers), framing, keep_alive)


def parse_response(head: bytes, method: str, limits: Limits) -> ParsedResponse:
    """Parse the head of a response to a *method* request; raises :class:`Malformed`.

    Body rules of RFC 9112 section 6.3; a response with several readings is no response.
    """
    lines = _lines(head, _RESPONSE_TEXT)
    version, _, rest = lines[0].partition(b" ")
    code, _, reason = rest.partition(b" ")
    if version != b"HTTP/1.1" and version != b"HTTP/1.0":
        raise Malformed("the version is not HTTP/1.0 or HTTP/1.1")
    if len(code) != 3 or code.translate(None, _DIGITS) or not b"100" <= code <= b"599":
        raise Malformed("the status is not three digits from 100 to 599")
    status = int(code)
    fields = _fields(lines, limits)
    lengths: list[bytes] = []
    encodings: list[bytes] = []
    named: set[bytes] = set()
    for _, lower, value, _ in fields:
        if lower not in _FOR_THIS_HOP:
            continue
        if lower == b"content-length":
            lengths.append(value)
        elif lower == b"transfer-encoding":
            encodings.append(value)
        elif lower == b"connection":
            named.update(token.strip(b" \t") for token in value.lower().split(b","))
    framing = _framing(lengths, encodings, version)
    keep_alive = version == b"HTTP/1.1" and b"close" not in named
    if status < 200 or status == 204:
        if encodings or (framing is not None and framing.length):
            raise Malformed("a response that has no body announces one")
        framing = NO_BODY
    elif method == "HEAD" or status == 304:
        framing = NO_BODY
    elif framing is None:
        framing, keep_alive = Framing(Body.UNTIL_CLOSE), False
    return ParsedResponse(status, reason, fields, framing, keep_alive, frozenset(named))


def _lines(head: bytes, text: bytes) -> list[bytes]:
    lines = head.split(b"\r\n")
    if lines.pop() or not lines:
        raise Malformed("a line does not end with CR LF")
    if head.count(b"\n") != len(lines) or head.count(b"\r") != len(lines):
        raise Malformed("a line has a bare CR or LF")
    if head.translate(None, text):
        raise Malformed("the header section has control characters")
    return lines


def _fields(lines: list[bytes], limits: Limits) -> list[Field]:
    """The fields of all lines but the first."""
    if len(lines) - 1 > limits.header_count:
        raise Malformed("more header fields than accepted", 431)
    read = _FIELDS
    return [read[line] for line in lines[1:]]


def _field(line: bytes) -> Field:
    name, colon, value = line.partition(b":")
    if not name or name.translate(None, _TOKEN_BYTES):
        raise Malformed("a header field's name is not a token")
    if not colon:
        raise Malformed("a header line has no colon")
    value = value.strip(b" \t")
    return (name, name.lower(), value, (name, value))


_FIELDS = Memo(_field)
"""A line's meaning depends on nothing but itself."""


def _framing(lengths: list[bytes], encodings: list[bytes], version: bytes) -> Framing | None:
    """The body as the fields announce it; None: they say nothing."""
    if encodings:
        if lengths:
            raise Malformed("both Content-Length and Transfer-Encoding")
        if len(encodings) != 1 or encodings[0].lower() != b"chunked":
            raise Malformed("Transfer-Encoding is not one plain 'chunked'")
        if version != b"HTTP/1.1":
            raise Malformed("Transfer-Encoding in an HTTP/1.0 message")
        return Framing(Body.CHUNKED)
    if lengths:
        if len(lengths) != 1:
            raise Malformed("several Content-Length fields")
        digits = lengths[0]
        if not digits or digits.translate(None, _DIGITS) or len(digits) > MAX_LENGTH_DIGITS:
            raise Malformed("Content-Length is not a plain decimal number")
        if digits[0] == 0x30 and len(digits) > 1:
            raise Malformed("Content-Length has a leading zero")
        return Framing(Body.LENGTH, int(digits))
    return None
