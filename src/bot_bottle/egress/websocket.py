"""The opening handshake of a WebSocket as a client asks for it, read strictly (RFC 6455 section 4.1). Pure.

Nothing of the client's handshake but the names of its subprotocols goes on: the proxy makes a key of its own and
offers extensions of its own. What has two readings is refused, as everywhere.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from dataclasses import dataclass

from bot_bottle.egress.fields import is_token
from bot_bottle.egress.headers import HANDSHAKE
from bot_bottle.egress.request import RequestIdentity
from bot_bottle.egress.verdict import Handshake

SUBPROTOCOL_FIELD = "sec-websocket-protocol"

DEFLATE = "permessage-deflate"
MAX_OFFERS = 8
"""extensions, parameters of one, and subprotocols: clients name one or two"""
MAX_VALUE_CHARS = 1024

_PREFIX = "sec-websocket-"
_KEY_BYTES = 16
_FLAGS = frozenset({"client_no_context_takeover", "server_no_context_takeover"})
_BITS = frozenset({"client_max_window_bits", "server_max_window_bits"})
_WINDOW_BITS = frozenset(str(bits) for bits in range(8, 16))
"""RFC 7692 section 7.1.2: 8 to 15, in plain decimal"""


class BadHandshake(ValueError):
    """Says in fixed words what is wrong; quotes nothing."""


@dataclass(frozen=True)
class Deflate:
    """``permessage-deflate`` as two ends have agreed on it (RFC 7692)."""

    client_no_context_takeover: bool = False
    server_no_context_takeover: bool = False
    client_max_window_bits: int = 15
    server_max_window_bits: int = 15


def parse_handshake(identity: RequestIdentity) -> Handshake:
    """The handshake that *identity*, which has ``Upgrade``, asks for. Raises :class:`BadHandshake`."""
    if identity.method != "GET":
        raise BadHandshake("a WebSocket is asked for with GET")
    if identity.judged.get("upgrade", "").lower() != "websocket":
        raise BadHandshake("Upgrade is not one plain 'websocket'")
    connection = identity.judged.get("connection", "").lower()
    if "upgrade" not in [option.strip(" \t") for option in connection.split(",")]:
        raise BadHandshake("Connection does not name Upgrade")
    found: dict[str, list[str]] = {}
    for name, value in identity.headers:
        key = name.lower()
        if key.replace("_", "-").startswith(_PREFIX):
            found.setdefault(key, []).append(value)
    unknown = found.keys() - HANDSHAKE - {SUBPROTOCOL_FIELD}
    if unknown or "sec-websocket-accept" in found:
        raise BadHandshake("a field that is none of a client's handshake")
    if found.get("sec-websocket-version") != ["13"]:
        raise BadHandshake("Sec-WebSocket-Version is not 13")
    keys = found.get("sec-websocket-key", [])
    if len(keys) != 1 or not _is_key(keys[0]):
        raise BadHandshake("Sec-WebSocket-Key is not one base64 value of 16 bytes")
    protocols = subprotocols(found.get(SUBPROTOCOL_FIELD, []))
    return Handshake(keys[0], protocols, _answer(found.get("sec-websocket-extensions", [])))


def subprotocols(values: list[str]) -> tuple[str, ...]:
    """The names in the *values* of ``Sec-WebSocket-Protocol``. Raises :class:`BadHandshake`."""
    names = [name.strip(" \t") for value in values for name in value.split(",")]
    if len(names) > MAX_OFFERS or sum(map(len, names)) > MAX_VALUE_CHARS:
        raise BadHandshake("more subprotocols than accepted")
    if not all(map(is_token, names)) or len(set(names)) != len(names):
        raise BadHandshake("Sec-WebSocket-Protocol is no list of different names")
    return tuple(names)


def agreed_deflate(values: list[str]) -> Deflate | None:
    """What a server's ``Sec-WebSocket-Extensions`` (its *values*) makes of our offer, which was a plain
    ``permessage-deflate``; None: no extension is used. Raises :class:`BadHandshake`."""
    offers = list(_extensions(values))
    if not offers:
        return None
    if len(offers) != 1 or offers[0][0] != DEFLATE:
        raise BadHandshake("an extension that nobody offered")
    parameters = offers[0][1]
    if not _is_deflate(parameters, in_answer=True) or "client_max_window_bits" in parameters:
        raise BadHandshake("parameters of permessage-deflate that nobody offered")
    return Deflate(
        client_no_context_takeover="client_no_context_takeover" in parameters,
        server_no_context_takeover="server_no_context_takeover" in parameters,
        server_max_window_bits=int(parameters.get("server_max_window_bits") or 15),
    )


def _is_key(key: str) -> bool:
    try:
        return len(key) == 24 and len(b64decode(key, validate=True)) == _KEY_BYTES
    except (Base64Error, ValueError):
        return False


def _answer(values: list[str]) -> str:
    """The first offer that can be taken, as we take it. What the server has to agree to is agreed to: the proxy
    compresses nothing on that leg, so that any window of its own is kept to."""
    for name, parameters in _extensions(values):
        if name == DEFLATE and _is_deflate(parameters, in_answer=False):
            kept = [
                key if value is None else f"{key}={value}"
                for key, value in parameters.items()
                if key in ("server_no_context_takeover", "server_max_window_bits")
            ]
            return "; ".join([DEFLATE, *kept])
    return ""


def _is_deflate(parameters: dict[str, str | None], *, in_answer: bool) -> bool:
    """RFC 7692 section 7.1: known names, and values where they belong."""
    for name, value in parameters.items():
        if name in _FLAGS:
            if value is not None:
                return False
        elif name not in _BITS:
            return False
        elif value is None:
            if in_answer or name == "server_max_window_bits":
                return False
        elif value not in _WINDOW_BITS:
            return False
    return True


def _extensions(values: list[str]) -> Iterator[tuple[str, dict[str, str | None]]]:
    """Names and parameters (RFC 6455 section 9.1). Raises :class:`BadHandshake`."""
    if not values:
        return
    text = ",".join(values)
    offers = text.split(",")
    if len(text) > MAX_VALUE_CHARS or len(offers) > MAX_OFFERS:
        raise BadHandshake("more extensions than accepted")
    for offer in offers:
        name, *rest = (part.strip(" \t") for part in offer.split(";"))
        parameters: dict[str, str | None] = {}
        for part in rest:
            key, equals, value = part.partition("=")
            key, value = key.rstrip(" \t").lower(), value.lstrip(" \t")
            if value[:1] == '"':  # a quoted value has to be a token, too
                value = value[1:-1] if len(value) > 1 and value[-1] == '"' else ""
            if not is_token(key) or key in parameters or (equals and not is_token(value)):
                raise BadHandshake("Sec-WebSocket-Extensions is no list of extensions")
            parameters[key] = value if equals else None
        if not is_token(name):
            raise BadHandshake("Sec-WebSocket-Extensions is no list of extensions")
        yield name.lower(), parameters
