"""The trust store of Java's: what is read back is every whole certificate of the PEM text, in order."""

from __future__ import annotations

import base64
import hashlib
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.sidecar.proxy.ca import CertificateAuthority
from bot_bottle.store.java_keystore import trust_store


def certificates(store: bytes) -> list[bytes]:
    """Read as a JRE reads: magic, version, entries, checksum under the well-known password."""
    data, checksum = store[:-20], store[-20:]
    assert hashlib.sha1("changeit".encode("utf-16-be") + b"Mighty Aphrodite" + data).digest() == checksum
    magic, version, count = struct.unpack_from(">III", data)
    assert (magic, version) == (0xFEEDFEED, 2)
    at, found, aliases = 12, [], set()
    for _ in range(count):
        tag, size = struct.unpack_from(">IH", data, at)
        assert tag == 2
        aliases.add(data[at + 6 : at + 6 + size])
        at += 6 + size + 8
        assert data[at : at + 7] == b"\0\5X.509"
        (size,) = struct.unpack_from(">I", data, at + 7)
        found.append(data[at + 11 : at + 11 + size])
        at += 11 + size
    assert at == len(data)
    assert len(aliases) == count
    return found


def pem(der: bytes, kind: str = "CERTIFICATE") -> str:
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN {kind}-----\n{text}-----END {kind}-----\n"


SHORT = b"\x30\x03abc"
LONG = b"\x30\x82\x01\x00" + bytes(256)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("no certificate", []),
        (pem(SHORT), [SHORT]),
        (pem(LONG) + "# a comment between\n" + pem(SHORT), [LONG, SHORT]),
        (pem(LONG).replace("\n", "\r\n"), [LONG]),
        (pem(LONG[:-1]) + pem(SHORT), [SHORT]),
        (pem(LONG + b"x") + pem(SHORT), [SHORT]),
        (pem(b"\x31\x03abc"), []),
        (pem(SHORT, "PRIVATE KEY"), []),
        (pem(SHORT).replace("=", "") + pem(LONG), [LONG]),
        ("-----BEGIN CERTIFICATE-----\nMAA\n" + pem(LONG), [LONG]),
    ],
)
def test_whole_certificates_are_taken_in_order(text: str, found: list[bytes]) -> None:
    """Others are left out: one broken entry would cost a JRE the whole store."""
    assert certificates(trust_store(text)) == found


@given(st.lists(st.one_of(st.binary(max_size=300).map(pem), st.text(max_size=30))))
def test_any_text_gives_a_store(parts: list[str]) -> None:
    """Never an exception, never an entry that is no SEQUENCE."""
    assert all(der[0] == 0x30 for der in certificates(trust_store("".join(parts))))


@pytest.mark.skipif(shutil.which("keytool") is None, reason="needs a JRE's keytool")
def test_a_jre_reads_it(tmp_path: Path) -> None:
    """With the sum checked (a password is given): the JRE's own fingerprint of the certificate."""
    ca = CertificateAuthority.create().ca_pem
    (tmp_path / "cacerts").write_bytes(trust_store(ca))
    argv = ["keytool", "-list", "-keystore", str(tmp_path / "cacerts"), "-storepass", "changeit"]
    listing = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    der = base64.b64decode("".join(ca.split("-----")[2].split()))
    assert "contains 1 entry" in listing
    assert hashlib.sha256(der).digest().hex(":").upper() in listing
