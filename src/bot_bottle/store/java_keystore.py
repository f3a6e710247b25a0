"""The trust store of Java's, made from PEM: what a JRE reads where everybody else reads the CA bundle.

The old format "JKS", version 2, because it needs no ASN.1 and no cipher, and every JRE reads it whatever its
default type is (``keystore.type.compat``, on since Java 8). Source: ``sun.security.provider.JavaKeyStore`` of
OpenJDK. Pure: bytes in, bytes out. Nothing secret is in it; its password is the one that everybody knows.
"""

from __future__ import annotations

import base64
import hashlib
import re
import struct
from collections.abc import Iterator

_MAGIC, _VERSION, _TRUSTED = 0xFEEDFEED, 2, 2
_PASSWORD = "changeit"  # noqa: S105 - the JRE's own default for cacerts; the sum below detects damage only
_SALT = b"Mighty Aphrodite"
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")
_TYPE = b"\x00\x05X.509"


def trust_store(pem: str) -> bytes:
    """A trust store with every certificate of *pem*, under the aliases ``root-0``, ``root-1`` ….

    What is not whole is left out: a JRE that meets one broken certificate takes none of the store.
    """
    ders = list(_certificates(pem))
    data = bytearray(struct.pack(">III", _MAGIC, _VERSION, len(ders)))
    for number, der in enumerate(ders):
        alias = f"root-{number}".encode()
        # the date of entry is nobody's business: 0
        data += struct.pack(">IH", _TRUSTED, len(alias)) + alias + bytes(8) + _TYPE
        data += struct.pack(">I", len(der)) + der
    checksum = hashlib.sha1(_PASSWORD.encode("utf-16-be") + _SALT + data, usedforsecurity=False)
    return bytes(data) + checksum.digest()


def _certificates(pem: str) -> Iterator[bytes]:
    for text in _CERTIFICATE.findall(pem):
        try:
            der = base64.b64decode(text)
        except ValueError:
            continue
        if _is_whole(der):
            yield der


def _is_whole(der: bytes) -> bool:
    """Whether *der* is one SEQUENCE of exactly the length that it names (DER: X.690, 8.1.3)."""
    if len(der) < 4 or der[0] != 0x30:
        return False
    if der[1] < 0x80:
        return len(der) == 2 + der[1]
    size = der[1] & 0x7F
    return len(der) == 2 + size + int.from_bytes(der[2 : 2 + size])
