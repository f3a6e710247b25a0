"""Paths and queries in their one form: what is compared is what is forwarded (egress.md §2.6; threats D3).

Canonical: unreserved characters decoded, hexadecimal digits in upper case, dot segments removed (RFC 3986
section 5.2.4), empty segments merged, in that order. The result is its own canonical form.

Stricter than RFC 3986: refused are encoded slash, backslash and NUL (servers disagree whether they separate
or end a path), octets that are not UTF-8 (overlong forms of ``/`` and ``.`` hide there), ``..;x`` (some
servers strip the parameter, then go up), raw backslash and other characters that no URI may hold. Looser:
``[ ] ^ |``, which clients following the URL Standard send raw, are taken as their encoded form; ``/@scope%2Fname``,
as npm's clients write a package with a scope, is ``/@scope/name``, which its registries serve alike
(https://github.com/npm/npm-package-arg, ``escapedName``): judged and sent in that form, it has one reading.
"""

from __future__ import annotations

from bot_bottle.base.errors import BotBottleError

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PATH_CHARS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/%")
_ENCODE = {"[": "%5B", "]": "%5D", "^": "%5E", "|": "%7C"}
_FORBIDDEN_OCTETS = {0x00: "NUL", 0x2F: "slash", 0x5C: "backslash"}
_HEX = frozenset("0123456789ABCDEFabcdef")


class BadPath(BotBottleError):
    """A path or query with more than one reading."""


def canonical_path(raw: str) -> str:
    """The canonical form of *raw* (a path without query). Raises :class:`BadPath`."""
    if not raw.startswith("/"):
        raise BadPath("a path starts with '/'")
    if raw.startswith("/@") and "%2" in raw:
        raw = _plain_scope(raw)
    decoded = _decode_unreserved(raw) if "%" in raw or not _PATH_CHARS.issuperset(raw) else raw
    if "/." in decoded:
        decoded = _remove_dot_segments(decoded)
    while "//" in decoded:
        decoded = decoded.replace("//", "/")
    return decoded


def _plain_scope(raw: str) -> str:
    """``/@scope%2Fname…`` with a slash for the encoded one, if both are plain names; else *raw*."""
    first, slash, rest = raw[2:].partition("/")
    for encoded in ("%2f", "%2F"):
        scope, found, name = first.partition(encoded)
        if found and _is_npm_name(scope) and _is_npm_name(name):
            return f"/@{scope}/{name}{slash}{rest}"
    return raw


def _is_npm_name(text: str) -> bool:
    return (
        text[:1].isalnum()
        and text.isascii()
        and text.replace(".", "").replace("-", "").replace("_", "").isalnum()
    )


def _decode_unreserved(raw: str) -> str:
    out: list[str] = []
    octets = bytearray()
    """the path as octets, with percent-encoding taken off: must be UTF-8"""
    index = 0
    while index < len(raw):
        char = raw[index]
        if char == "%":
            octet = _percent_octet(raw, index)
            if octet in _FORBIDDEN_OCTETS:
                raise BadPath(f"an encoded {_FORBIDDEN_OCTETS[octet]} in the path")
            out.append(chr(octet) if octet in _UNRESERVED else f"%{octet:02X}")
            octets.append(octet)
            index += 3
            continue
        if char in _ENCODE:
            char_out = _ENCODE[char]
        elif char in _PATH_CHARS:
            char_out = char
        else:
            raise BadPath("a character in the path that no URI may hold")
        out.append(char_out)
        octets.append(ord(char))
        index += 1
    try:
        octets.decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        raise BadPath("encoded octets in the path that are not UTF-8") from error
    return "".join(out)


def _percent_octet(text: str, index: int) -> int:
    digits = text[index + 1 : index + 3]
    if len(digits) != 2 or not _HEX.issuperset(digits):
        raise BadPath("a '%' that two hexadecimal digits don't follow")
    return int(digits, 16)


def _remove_dot_segments(path: str) -> str:
    """RFC 3986 section 5.2.4 on an absolute path. Empty segments count as segments, as there."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for position, segment in enumerate(segments):
        last = position == len(segments) - 1
        bare = segment.partition(";")[0].partition("%3B")[0]
        if bare in (".", "..") and bare != segment:
            raise BadPath("a dot segment with a parameter")
        if segment == "..":
            if kept:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
            continue
        if last:
            kept.append("")
    return "/" + "/".join(kept)


def check_query(raw: str) -> str:
    """Return *raw* (without ``?``) if every character has one reading; it is forwarded as it is.

    Printable ASCII without ``#`` and backslash, every ``%`` with two hexadecimal digits. Raises
    :class:`BadPath`.
    """
    if not raw.isascii() or not raw.isprintable() or " " in raw or "#" in raw or "\\" in raw:
        raise BadPath("a character in the query that no URI may hold")
    index = raw.find("%")
    while index != -1:
        _percent_octet(raw, index)
        index = raw.find("%", index + 1)
    return raw


def query_pairs(raw: str) -> list[tuple[str, str]]:
    """Names and values of a checked query as any server could read them: ``&`` and ``;`` separate, ``+`` is
    a space, percent-encoding is taken off once (octets that are not UTF-8 become U+FFFD)."""
    pairs = []
    for piece in raw.replace(";", "&").split("&"):
        name, _, value = piece.partition("=")
        pairs.append((unquoted(name), unquoted(value)))
    return pairs


def unquoted(text: str) -> str:
    """A checked query or path with percent-encoding taken off once, as forms have it (``+`` is a space)."""
    if "%" not in text and "+" not in text:
        return text
    head, *rest = text.replace("+", " ").split("%")
    octets = bytearray(head.encode("ascii"))
    for piece in rest:
        octets.append(int(piece[:2], 16))
        octets += piece[2:].encode("ascii")
    return octets.decode("utf-8", "replace")
