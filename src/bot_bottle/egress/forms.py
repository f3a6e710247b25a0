"""What the value of an allowed header field may be: its purpose and nothing else (egress.md §10.1; threats E6).

A field that passes everywhere is a channel as soon as any text may stand in it. So each value is read by its
grammar, what is not known or too long is left out, and what is left is written anew in one spelling (case,
order and white space say nothing either). Values that only the server can judge (entity tags, boundaries,
digests) are bounded in length and number; they and the times of conditions are what remains of the channel.
Each form is linear in the text and depends on nothing else. Empty means: the field falls away.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from datetime import date

from bot_bottle.egress.features import FEATURES, known_features
from bot_bottle.egress.labels import looks_encoded

Form = Callable[[str], str]
"""value to what is sent of it"""

MAX_VALUE_CHARS = 1024
"""of a field that has a form; the longest of real clients (a browser's Accept) have 150"""
MAX_ITEMS = 16
"""of a list; browsers send 8 media types"""

_LOWER = frozenset("abcdefghijklmnopqrstuvwxyz")
_DIGITS = frozenset("0123456789")
_ALNUM = _LOWER | _DIGITS
_WORD = _ALNUM | frozenset("._-")

_TOP_LEVEL = frozenset(
    ["application", "audio", "binary", "font", "image", "message", "model", "multipart", "text", "video"]
)
"""https://www.iana.org/assignments/media-types, and ``binary/octet-stream``, which clients of S3 send"""
_SUBTYPE = _ALNUM | frozenset(".+-_")
_MAX_SUBTYPE_CHARS = 80
"""application/vnd.openxmlformats-officedocument.presentationml.presentation has 69"""

_CHARSETS = frozenset(
    {
        "utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "iso-8859-2", "iso-8859-15", "utf-16", "utf-16le",
        "utf-16be", "utf-32", "windows-1251", "windows-1252", "koi8-r", "shift_jis", "euc-jp", "euc-kr", "gb18030",
        "gbk", "big5", "*",
    }
)  # fmt: skip
_CODINGS = frozenset(["gzip", "x-gzip", "deflate", "br", "zstd", "compress", "identity", "*"])
"""https://www.iana.org/assignments/http-parameters: those that clients know"""
_BOUNDARY = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ'()+_,-./:=? ") | _ALNUM
"""bcharsnospace of RFC 2046 section 5.1.1, and the blank"""
_MAX_BOUNDARY_CHARS = 70

_CACHE_WORDS = frozenset(["no-cache", "no-store", "no-transform", "only-if-cached", "max-stale"])
_CACHE_SECONDS = frozenset(["max-age", "max-stale", "min-fresh"])
"""RFC 9111 section 5.2.1"""

_ETAG = frozenset(chr(octet) for octet in range(0x21, 0x7F)) - {'"'}
_MAX_ETAG_CHARS = 96
"""of one; a SHA-512 in base64 has 88"""
_MAX_ETAGS = 8
_MAX_RANGES = 4
_MAX_OFFSET_DIGITS = 13
"""ten terabytes"""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_YEARS = range(1970, 2101)

_DIGESTS = {"sha-256": 32, "sha-512": 64}
"""RFC 9530 section 5: name to length in bytes"""

_PRODUCTS = 4
_PRODUCT_PARTS = 3
_PRODUCT_CHARS = 24
"""of a user agent: words, parts of one between slashes, characters of a part"""
_PRODUCT = _ALNUM | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ._+-")


def _list(value: str, item: Form, *, limit: int = MAX_ITEMS) -> str:
    pieces = (item(piece.strip(" \t")) for piece in value.split(",")[:limit])
    return ", ".join(dict.fromkeys(piece for piece in pieces if piece))


def _weighted(piece: str, known: Callable[[str], bool]) -> str:
    """``name`` or ``name;q=0.5`` with a *known* name."""
    name, _, weight = piece.lower().partition(";")
    name = name.strip(" \t")
    return f"{name}{_weight(weight)}" if known(name) else ""


def _weight(parameter: str) -> str:
    """``;q=0.5``; empty: there is none (RFC 9110 section 12.4.2)."""
    key, _, number = parameter.strip(" \t").partition("=")
    whole, _, thousandths = number.partition(".")
    if key != "q" or whole not in ("0", "1") or len(thousandths) > 3 or not _DIGITS.issuperset(thousandths):
        return ""
    return f";q={number}"


def _accept(value: str) -> str:
    return _list(value, _media_range)


def _media_range(piece: str) -> str:
    kind, *parameters = piece.lower().split(";")
    kind = kind.strip(" \t")
    if kind != "*/*" and not _is_media_type(kind.removesuffix("/*") + "/x" if kind.endswith("/*") else kind):
        return ""
    out = kind
    for parameter in parameters[:4]:
        key, _, text = parameter.strip(" \t").partition("=")
        if key in ("version", "charset", "v", "level") and 0 < len(text) <= 16 and _WORD.issuperset(text):
            out += f";{key}={text}"
        else:
            out += _weight(parameter)
    return out


def _is_media_type(kind: str) -> bool:
    top, _, sub = kind.partition("/")
    if top not in _TOP_LEVEL or not 0 < len(sub) <= _MAX_SUBTYPE_CHARS or not _SUBTYPE.issuperset(sub):
        return False
    words = sub.replace("+", ".").replace("-", ".").replace("_", ".").split(".")
    return not any(looks_encoded(word) for word in words)


def _content_type(value: str) -> str:
    """The type, its charset and its boundary, which has to be as the body has it."""
    kind, *parameters = value.split(";")
    kind = kind.strip(" \t").lower()
    if not _is_media_type(kind):
        return ""
    out = kind
    for parameter in parameters[:4]:
        key, _, text = parameter.strip(" \t").partition("=")
        bare = text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
        if key.lower() == "charset" and bare.lower() in _CHARSETS - {"*"}:
            out += f"; charset={bare.lower()}"
        elif (
            key.lower() == "boundary"
            and kind.startswith("multipart/")
            and 0 < len(bare) <= _MAX_BOUNDARY_CHARS
            and _BOUNDARY.issuperset(bare)
        ):
            out += f"; boundary={text}"
    return out


def _coding(piece: str) -> str:
    name = piece.lower()
    return name if name in _CODINGS - {"*"} else ""


def _language(piece: str) -> str:
    """``de``, ``pt-BR``, ``zh-Hant-TW`` in lower case, with a weight (RFC 5646 section 2.1)."""
    return _weighted(piece, _is_language)


def _is_language(name: str) -> bool:
    first, *rest = name.split("-")
    shapes = len(rest) < 3 and all(2 <= len(part) <= 4 and _ALNUM.issuperset(part) for part in rest)
    return name == "*" or (2 <= len(first) <= 3 and _LOWER.issuperset(first) and shapes)


def _directive(piece: str) -> str:
    name, equals, seconds = piece.lower().partition("=")
    if not equals:
        return name if name in _CACHE_WORDS else ""
    plain = 0 < len(seconds) <= 8 and _DIGITS.issuperset(seconds)
    return f"{name}={seconds}" if name in _CACHE_SECONDS and plain else ""


def _etags(value: str) -> str:
    """``*`` or entity tags; those may hold commas, so they are read one by one (RFC 9110 section 8.8.3)."""
    rest = value.strip(" \t")
    if rest == "*":
        return rest
    kept: list[str] = []
    while rest and len(kept) < _MAX_ETAGS:
        weak = "W/" if rest.startswith("W/") else ""
        opaque, closed, after = rest[len(weak) + 1 :].partition('"')
        if rest[len(weak) : len(weak) + 1] != '"' or not closed:
            return ""
        if len(opaque) > _MAX_ETAG_CHARS or not _ETAG.issuperset(opaque):
            return ""
        kept.append(f'{weak}"{opaque}"')
        rest = after.lstrip(" \t")
        if rest and not rest.startswith(","):
            return ""
        rest = rest.lstrip(", \t")
    return ", ".join(kept)


def _http_date(value: str) -> str:
    """``Sun, 06 Nov 1994 08:49:37 GMT`` (RFC 9110 section 5.6.7, the preferred form), written anew."""
    words = value.split(" ")
    if len(words) != 6 or words[2] not in _MONTHS or words[5] != "GMT":
        return ""
    times = words[4].split(":")
    numbers = [words[1], words[3], *times]
    if [len(number) for number in numbers] != [2, 4, 2, 2, 2] or not _DIGITS.issuperset("".join(numbers)):
        return ""
    day, year, hour, minute, second = map(int, numbers)
    if year not in _YEARS or hour > 23 or minute > 59 or second > 60:
        return ""
    try:
        when = date(year, _MONTHS.index(words[2]) + 1, day)
    except ValueError:
        return ""
    return f"{_DAYS[when.weekday()]}, {words[1]} {words[2]} {words[3]} {words[4]} GMT"


def _etag_or_date(value: str) -> str:
    return _http_date(value) or ("" if "," in value else _etags(value))


def _range(value: str) -> str:
    unit, _, text = value.lower().partition("=")
    pieces = [piece.strip(" \t") for piece in text.split(",")]
    if unit != "bytes" or len(pieces) > _MAX_RANGES:
        return ""
    for piece in pieces:
        first, dash, last = piece.partition("-")
        digits = first + last
        if not dash or not digits or not _DIGITS.issuperset(digits):
            return ""
        if max(len(first), len(last)) > _MAX_OFFSET_DIGITS:
            return ""
    return f"bytes={','.join(pieces)}"


def _digest(piece: str) -> str:
    name, _, text = piece.partition("=")
    name = name.strip(" \t").lower()
    if name not in _DIGESTS or len(text) > 96 or not (text.startswith(":") and text.endswith(":")):
        return ""
    try:
        octets = b64decode(text[1:-1].encode("ascii"), validate=True)
    except (Base64Error, UnicodeEncodeError):
        return ""
    return f"{name}={text}" if len(octets) == _DIGESTS[name] else ""


def _git_protocol(value: str) -> str:
    """git-config(1), ``protocol.version``."""
    return value if value in ("version=0", "version=1", "version=2") else ""


def plain_user_agent(value: str) -> str:
    """The leading ``product/version`` words; comments and whatever else could carry data are left out."""
    products: list[str] = []
    for word in value.split(" ")[:_PRODUCTS]:
        parts = word.split("/")
        if len(parts) > _PRODUCT_PARTS or not all(map(_is_product, parts)):
            break
        products.append(word)
    return " ".join(products)


def _is_product(part: str) -> bool:
    if not 0 < len(part) <= _PRODUCT_CHARS or not _PRODUCT.issuperset(part):
        return False
    lower = part.lower()
    return not any(looks_encoded(piece) for piece in lower.replace("_", "-").replace(".", "-").split("-"))


def _short_word(value: str) -> str:
    """A name such as ``cli`` or ``codex_exec``."""
    short = 0 < len(value) <= 24 and _WORD.issuperset(value.lower()) and not looks_encoded(value.lower())
    return value if short else ""


def _version(value: str) -> str:
    """``0.169.0``, ``2023-06-01``, ``1.2.3-alpha.1``."""
    return _short_word(value) if value[:1] in _DIGITS else ""


FORMS: Mapping[str, Form] = {
    "accept": _accept,
    "accept-charset": lambda value: _list(value, lambda piece: _weighted(piece, _CHARSETS.__contains__)),
    "accept-encoding": lambda value: _list(value, lambda piece: _weighted(piece, _CODINGS.__contains__)),
    "accept-language": lambda value: _list(value, _language, limit=8),
    "anthropic-version": _version,
    "cache-control": lambda value: _list(value, _directive),
    "content-digest": lambda value: _list(value, _digest, limit=2),
    "content-encoding": lambda value: _list(value, _coding, limit=2),
    "content-language": lambda value: _list(value, _language, limit=2),
    "content-type": _content_type,
    "git-protocol": _git_protocol,
    "if-match": _etags,
    "if-modified-since": _http_date,
    "if-none-match": _etags,
    "if-range": _etag_or_date,
    "if-unmodified-since": _http_date,
    "originator": _short_word,
    "pragma": lambda value: "no-cache" if value.lower() == "no-cache" else "",
    "range": _range,
    "user-agent": plain_user_agent,
    "version": _version,
    "x-app": _short_word,
} | {name: known_features(name) for name in FEATURES}
"""By name in lower case. A field without a form is one that the route's own ``headers`` names: it passes as it
is, whoever wrote the route has said so."""


_NEVER_HOLDS: Mapping[str, str] = {
    "if-match": '"unreadable"',
    "if-unmodified-since": "Thu, 01 Jan 1970 00:00:00 GMT",
}
"""What is sent for a precondition of a change that can't be read: left out, the change would be made all the same
(RFC 9110 section 13.1); so the server answers 412."""


def narrowed(name: str, value: str) -> str:
    """*value* of field *name* (lower case) cut to what the field is let through for; empty: nothing is left."""
    form = FORMS.get(name)
    if form is None:
        return value
    left = form(value) if len(value) <= MAX_VALUE_CHARS else ""
    return left or _NEVER_HOLDS.get(name, "")
