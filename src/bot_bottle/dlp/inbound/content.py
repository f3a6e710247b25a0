"""What kind of text a response is, by its head: what is inspected, what may be altered.

Altering (taking characters out) is for text that an agent reads. It is left where somebody may compare or run what
came: where the head has a digest, in a part of a file (206), in source code and styles, in files that package
managers hash or that are signed, and in character sets that are not UTF-8. Entity tags are no digests that a client
checks (RFC 9110 8.8.3), so they change nothing. Covering secrets keeps each length and is done everywhere.
"""

from __future__ import annotations

import codecs
from collections.abc import Collection
from enum import StrEnum

from msgspec import Struct


class Kind(StrEnum):
    TEXT = "text"
    JSON = "json"
    CODE = "code"
    """JavaScript, CSS, shell: inspected, never altered"""
    EVENTS = "events"
    """server-sent events (WHATWG HTML 9.2)"""
    UNKNOWN = "unknown"
    """no type, or one that says nothing: text until a byte comes that no text has"""
    BINARY = "binary"


class Content(Struct, frozen=True):
    kind: Kind
    charset: str = "utf-8"
    """Python's name of it"""


_CODE = ("javascript", "ecmascript", "css", "x-sh", "x-shellscript", "typescript", "x-python", "wasm")
_TEXT = (
    "xml",
    "yaml",
    "toml",
    "markdown",
    "html",
    "graphql",
    "sql",
    "latex",
    "x-tex",
    "rtf",
    "x-subrip",
    "x-www-form-urlencoded",
    "n-triples",
    "turtle",
)
_UNKNOWN = (
    "",
    "application/octet-stream",
    "binary/octet-stream",
    "application/unknown",
    "unknown/unknown",
    "content/unknown",
    "*/*",
)
_FIXED_CHARSETS = frozenset(
    [
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "utf-32-le",
        "utf-32-be",
        "gbk",
        "gb2312",
        "gb18030",
        "big5",
        "big5hkscs",
        "shift_jis",
        "cp932",
        "euc_jp",
        "iso2022_jp",
        "euc_kr",
        "cp949",
        "utf-7",
        "koi8-r",
        "koi8-u",
        "iso8859-1",
        "iso8859-2",
        "iso8859-5",
        "iso8859-15",
        "cp1250",
        "cp1251",
        "cp1252",
        "cp1253",
        "cp1254",
        "cp1255",
        "cp1256",
        "ascii",
        "utf-8",
    ]
)
"""that are decoded; another one is read as UTF-8"""
_DIGESTS = (
    "content-md5",
    "digest",
    "content-digest",
    "repr-digest",
    "x-amz-checksum-sha256",
    "x-amz-checksum-crc32",
    "x-goog-hash",
)
"""RFC 9530, RFC 3230, RFC 2616 14.15, and the two object stores'. The proxy drops these where a secret was covered."""
_HASHED_NAMES = (
    ".pom",
    ".metadata",
    ".mod",
    ".info",
    ".sha1",
    ".sha256",
    ".sha512",
    ".md5",
    ".asc",
    ".sig",
    ".narinfo",
    ".dsc",
    ".patch",
    ".diff",
    ".sum",
    "sums",
    "/inrelease",
    "/release",
    "/packages",
    "/sources",
)
"""ends of a path: Maven, PyPI (PEP 658), Go's module proxy, Nix, Debian, lists of digests"""


def content(content_type: str | None) -> Content:
    """Read a ``Content-Type``; what is odd in it counts as not said."""
    name, _, rest = (content_type or "").partition(";")
    name = name.strip().lower()
    charset = "utf-8"
    for parameter in rest.split(";"):
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "charset":
            charset = _charset(value.strip().strip("\"'"))
    return Content(_kind(name), charset)


def _kind(name: str) -> Kind:
    if name in _UNKNOWN or "/" not in name:
        return Kind.UNKNOWN
    main, _, sub = name.partition("/")
    if sub == "event-stream":
        return Kind.EVENTS
    if any(part in sub for part in _CODE):
        return Kind.CODE
    if "json" in sub or sub in ("x-ndjson", "jsonl"):
        return Kind.JSON
    if main in ("text", "message") or any(part in sub for part in _TEXT):
        return Kind.TEXT
    return Kind.BINARY


def _charset(label: str) -> str:
    try:
        name = codecs.lookup(label).name
    except (LookupError, ValueError):
        return "utf-8"
    return name if name in _FIXED_CHARSETS else "utf-8"


def may_alter(
    said: Content, *, status: int = 200, header_names: Collection[str] = (), path: str = ""
) -> bool:
    """Whether characters may be taken out of this response. *header_names* in lower case; *path* without a query."""
    if said.kind in (Kind.BINARY, Kind.CODE) or said.charset not in ("utf-8", "ascii"):
        return False
    if status == 206 or any(name in _DIGESTS for name in header_names):
        return False
    return not path.lower().endswith(_HASHED_NAMES)


def digest_headers() -> tuple[str, ...]:
    """Names of the fields that no longer hold once a body was changed."""
    return _DIGESTS


class Sniff:
    """Is a body that has no type a text? Its first bytes say it: :meth:`feed` keeps them until they do."""

    WINDOW_BYTES = 256
    """packages, images, archives and git packs all have a control character by then"""
    _NEVER = frozenset(range(32)) - {8, 9, 10, 12, 13, 27}

    def __init__(self) -> None:
        self._held = b""
        self.is_text: bool | None = None
        """None: not known yet"""

    def feed(self, data: bytes) -> bytes:
        """What may be worked on now."""
        self._held += data
        if self.is_text is None and not self._NEVER.isdisjoint(self._held[: self.WINDOW_BYTES]):
            self.is_text = False
        elif self.is_text is None and len(self._held) >= self.WINDOW_BYTES:
            self.is_text = True
        return b"" if self.is_text is None else self._take()

    def finish(self) -> bytes:
        self.is_text = self.is_text is not False
        return self._take()

    def _take(self) -> bytes:
        taken, self._held = self._held, b""
        return taken
