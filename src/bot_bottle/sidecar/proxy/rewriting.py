"""A request written anew without what was found in it (dlp.md §3, ``redact``). Pure.

Whoever calls it judges the result again: by the route's rules, and by the scanner.
"""

from __future__ import annotations

from dataclasses import replace

from bot_bottle.dlp.crlf import without_breaks
from bot_bottle.dlp.inbound.mask import Known
from bot_bottle.dlp.known import Approved
from bot_bottle.dlp.redact import Unredactable, redact
from bot_bottle.dlp.scan import Engine, What
from bot_bottle.egress.paths import BadPath, canonical_path, check_query
from bot_bottle.egress.request import RequestIdentity
from bot_bottle.sidecar.proxy.http1 import Field

_SAID_OF_BODIES = frozenset({"content-digest", "content-md5", "digest", "repr-digest"})
"""Fields that are wrong once the body is another one (RFC 9530, RFC 1864)."""


def redacted_head(
    engine: Engine, identity: RequestIdentity, what: What, approved: Approved
) -> RequestIdentity:
    """*identity* with path, query and values of fields cleaned, and no line break hidden in them. The host stays.
    Raises :class:`Unredactable`."""

    def clean(text: str) -> str:
        raw = without_breaks(text.encode("latin-1"))
        if raw is None:
            raise Unredactable("line breaks are nested too deep")
        return redact(engine, raw, what, approved).decode("latin-1")

    try:
        path = canonical_path(clean(identity.path))
        query = None if identity.query is None else check_query(clean(identity.query))
    except BadPath as error:
        raise Unredactable(f"what is left is no path: {error}") from error
    headers = tuple([(name, clean(value).strip(" \t")) for name, value in identity.headers])
    if path == identity.path and query == identity.query and headers == identity.headers:
        return identity
    return replace(identity, path=path, query=query, headers=headers)


def without_secrets(known: Known, headers: list[Field]) -> list[Field]:
    """*headers* of a response with the values of known secrets covered; the list itself where there are none."""
    if not known.spans(b"\n".join([field[2] for field in headers])):
        return headers
    found = []
    for name, lower, value, pair in headers:
        covered = value
        for start, end in known.spans(value):
            covered = covered[:start] + b"*" * (end - start) + covered[end:]
        found.append((name, lower, covered, (pair[0], covered)))
    return found


def for_another_body(identity: RequestIdentity) -> RequestIdentity:
    """*identity* without what it says of the body that it came with."""
    headers = tuple([field for field in identity.headers if field[0].lower() not in _SAID_OF_BODIES])
    return replace(identity, headers=headers)
