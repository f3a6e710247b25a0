"""Certificates of upstreams that are not right in one way each: 502 with the reason, and not one byte of a
request. The control is the same without the fault. Revocation is not looked at (docs/threat-model.md).
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from faults_support import HOST, OTHER, incidents, read_all, response, running

POLICY = f"log: 1\nroutes:\n  - host: {HOST}\n  - host: a.b.example.com\n  - host: {OTHER}\n"
NOW = datetime.now(UTC)
DAY = timedelta(days=1)


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Issued:
    """A certificate and its key."""

    def __init__(
        self, common: str, issuer: Issued | None = None, *, ca: bool = False, names=(), key=None, begins=-DAY,
        ends=30 * DAY, digest=None, usage=ExtendedKeyUsageOID.SERVER_AUTH, only_under: str = "",
    ) -> None:  # fmt: skip
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        builder = (
            x509.CertificateBuilder()
            .subject_name(name(common))
            .issuer_name(issuer.certificate.subject if issuer else name(common))
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW + begins)
            .not_valid_after(NOW + ends)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([*map(x509.DNSName, names)]), False)
        if not ca:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if only_under:
            permitted = x509.NameConstraints([x509.DNSName(only_under)], None)
            builder = builder.add_extension(permitted, critical=True)
        self.certificate = builder.sign(issuer.key if issuer else self.key, digest or hashes.SHA256())

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


ROOT = Issued("a root", ca=True)
UNKNOWN = Issued("a root", ca=True)
"""of the same name, with another key"""
MIDDLE = Issued("a middle", ROOT, ca=True)
NOT_A_CA = Issued("no authority", ROOT, names=["no-authority.example.com"])
NARROW = Issued("a narrow middle", ROOT, ca=True, only_under="example.net")
NAMES = [HOST]


def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


GOOD = {
    "as it should be": ([Issued("x", ROOT, names=NAMES)], HOST),
    "a chain of three": ([Issued("x", MIDDLE, names=NAMES), MIDDLE], HOST),
    "a wildcard": ([Issued("x", ROOT, names=["*.example.com"])], HOST),
    "RSA of 2048 bits": ([Issued("x", ROOT, names=NAMES, key=rsa_key(2048))], HOST),
}
BAD = {
    "expired": ([Issued("x", ROOT, names=NAMES, begins=-9 * DAY, ends=-DAY)], HOST, "expired"),
    "not yet valid": ([Issued("x", ROOT, names=NAMES, begins=DAY)], HOST, "not yet valid"),
    "another name": ([Issued("x", ROOT, names=["other.example.net"])], HOST, "mismatch"),
    "the name in CN alone": ([Issued(HOST, ROOT)], HOST, "mismatch"),
    "the name in CN beside another": ([Issued(HOST, ROOT, names=["x.example.net"])], HOST, "mismatch"),
    "self-signed": ([Issued(HOST, names=NAMES)], HOST, "self-signed"),
    "an unknown authority": ([Issued("x", UNKNOWN, names=NAMES), UNKNOWN], HOST, "issuer|self-signed|signature"),
    "a chain without its middle": ([Issued("x", MIDDLE, names=NAMES)], HOST, "local issuer"),
    "signed by no authority": ([Issued("x", NOT_A_CA, names=NAMES), NOT_A_CA], HOST, "CA certificate"),
    "outside of its authority's names": ([Issued("x", NARROW, names=NAMES), NARROW], HOST, "permitted"),
    "RSA of 1024 bits": ([Issued("x", ROOT, names=NAMES, key=rsa_key(1024))], HOST, "too (weak|small)"),
    "a client's": (
        [Issued("x", ROOT, names=NAMES, usage=ExtendedKeyUsageOID.CLIENT_AUTH)], HOST, "purpose",
    ),
    "a wildcard one level up": ([Issued("x", ROOT, names=["*.example.com"])], "a.b.example.com", "mismatch"),
    "a wildcard of everything": ([Issued("x", ROOT, names=["*.com", "*"])], HOST, "mismatch"),
    "an expired middle": (
        [Issued("x", old := Issued("old", ROOT, ca=True, begins=-9 * DAY, ends=-DAY), names=NAMES), old],
        HOST, "expired",
    ),
}  # fmt: skip


@contextmanager
def showing(tmp_path, chain):
    """An upstream with that chain; yields its port and what it has read of requests."""
    path = tmp_path / "chain.pem"
    path.write_bytes(b"".join(issued.pem for issued in chain) + chain[0].key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # it may show a weak key
    context.load_cert_chain(path)
    read: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            sock, _ = listener.accept()
            try:
                with context.wrap_socket(sock, server_side=True) as secure:
                    read.append(secure.recv(65536))
                    secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
            except OSError:
                sock.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1], read
        thread.join(20)


def ask(tmp_path, chain, host, to, good):
    with showing(tmp_path, chain) as (port, read):
        where = {(host, 443): ("127.0.0.1", port), **to(good, (OTHER, 80))}
        with running(tmp_path, POLICY, where, roots=ROOT.pem.decode()) as proxy:
            with proxy.tls(host) as sock:
                sock.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                answer = response(read_all(sock))
            assert proxy.ask() == (200, b"hello"), "the bystander"
    assert incidents(tmp_path) == []
    return answer, b"".join(read)


@pytest.mark.parametrize("case", GOOD)
def test_a_good_certificate_passes(tmp_path, plain_upstream, to, case):
    (status, _, body, whole), read = ask(tmp_path, *GOOD[case], to, plain_upstream)
    assert (status, body, whole) == (200, b"hello", True)
    assert read.startswith(b"GET / HTTP/1.1\r\n")


@pytest.mark.parametrize("case", BAD)
def test_a_bad_certificate_is_502_with_its_reason(tmp_path, plain_upstream, to, case):
    """Nothing of the request reaches who shows it."""
    chain, host, reason = BAD[case]
    (status, fields, body, whole), read = ask(tmp_path, chain, host, to, plain_upstream)
    assert (status, whole, fields["x-bot-bottle"]) == (502, True, "blocked")
    assert re.search(reason, body.decode()), body
    assert read == b""
