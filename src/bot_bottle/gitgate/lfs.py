"""Pointers of Git LFS: text in the place of a file whose content goes elsewhere, past the gate.

https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: UTF-8, at most 1024 bytes, ``key SP value`` lines, first
``version`` with a URL, the others in order of their keys, among them ``oid sha256:…`` and ``size``. Whoever reads a
pointer is laxer than the specification (line ends, order, older versions' URLs), so this is too: what any client
could take for a pointer is one. No I/O.
"""

from __future__ import annotations

import re

from msgspec import Struct

MAX_POINTER_BYTES = 1024
_OID = re.compile(rb"oid[ \t]+(?:sha256:)?([0-9a-fA-F]{64})[ \t\r]*\Z")
_SIZE = re.compile(rb"size[ \t]+[0-9]{1,20}[ \t\r]*\Z")
_VERSION = re.compile(rb"version[ \t]+https?://[!-~]{1,200}[ \t\r]*\Z")
"""the page of the specification, of its versions 1 and 2 and of the first one at a host of its own
(http://git-media.io/v/2, https://hawser.github.com/spec/v1, https://git-lfs.github.com/spec/v1)"""


class Pointer(Struct, frozen=True):
    """One of them in a push."""

    object_id: str
    """of the blob that is the pointer"""
    path: str = ""
    """fit for a terminal"""
    commit: str = ""


def is_pointer(data: bytes) -> bool:
    """Whether a blob of at most :data:`MAX_POINTER_BYTES` (longer ones never are) is a pointer."""
    if len(data) > MAX_POINTER_BYTES:
        return False
    lines = [line for line in data.lstrip(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
    has = [any(pattern.match(line.lstrip()) for line in lines) for pattern in (_VERSION, _OID, _SIZE)]
    return all(has)
