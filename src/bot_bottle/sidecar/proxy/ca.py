"""The bottle's own certificate authority: ECDSA P-256, path length 0, trusted by its one bottle.

It is not name-constrained: a refusal has to be shown for any name (ruling 6). The key stays in memory; only
the standalone proxy's ``--ca-dir`` keeps one, with mode 0600.
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bot_bottle.base.errors import BotBottleError

BACKDATED = timedelta(hours=25)
"""Clocks in virtual machines lag after a suspend, and some clients compare in local time."""

BOTTLE_DAYS = 30
"""A bottle that runs longer has to be resumed, which makes a new authority."""

STANDALONE_DAYS = 365
"""``--ca-dir``: installed by hand, so not every month."""

MAX_LEAF_DAYS = 90
"""Clients of Apple's refuse more than 398 days; nothing of ours needs more than a quarter."""


class AuthorityError(BotBottleError):
    """The files of ``--ca-dir`` can't be used."""


@dataclass(frozen=True)
class Leaf:
    """A certificate with its chain, and its key; PEM. ``until`` is when it ends."""

    chain_pem: bytes
    key_pem: bytes
    until: datetime

    def __repr__(self) -> str:
        return f"Leaf(until={self.until.isoformat()})"


class CertificateAuthority:
    """Signs a leaf for any host on the spot; all leaves share one key, so that only a signature is paid."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self._certificate = certificate
        self._key = key
        self.ca_pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())
        self._leaf_key_pem = _private_pem(self._leaf_key)
        self._key_id = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
            certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        )

    def __repr__(self) -> str:
        return "CertificateAuthority(***)"

    @classmethod
    def create(cls, *, days: int = BOTTLE_DAYS) -> CertificateAuthority:
        """A new authority, in memory only."""
        key = ec.generate_private_key(ec.SECP256R1())
        serial = x509.random_serial_number()
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "bot-bottle"),
                x509.NameAttribute(NameOID.COMMON_NAME, f"bot-bottle egress {serial & 0xFFFFFFFF:08x}"),
            ]
        )
        now = _now()
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(serial)
            .not_valid_before(now - BACKDATED)
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate, key)

    @classmethod
    def in_directory(cls, directory: Path) -> CertificateAuthority:
        """The authority of ``ca.pem`` and ``ca-key.pem`` in *directory*; made there when neither exists.

        Raises :class:`AuthorityError` when they can't be read, don't belong together, have run out, or when
        others may read the key.
        """
        cert_path, key_path = directory / "ca.pem", directory / "ca-key.pem"
        try:
            if not cert_path.exists() and not key_path.exists():
                return _create_in(directory, cert_path, key_path)
            if key_path.stat().st_mode & 0o077:
                raise AuthorityError(f"{key_path} can be read by others: chmod 600 it")
            certificate = x509.load_pem_x509_certificate(cert_path.read_bytes())
            key = serialization.load_pem_private_key(key_path.read_bytes(), None)
        except OSError as error:
            raise AuthorityError(
                f"{error.filename}: {error.strerror}: mend it or choose another --ca-dir"
            ) from error
        except (ValueError, TypeError) as error:
            raise AuthorityError(
                f"{directory} holds no certificate authority: remove ca.pem and ca-key.pem"
            ) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
            raise AuthorityError(f"{key_path} is not the key of {cert_path}: remove both")
        if certificate.not_valid_after_utc <= _now() + timedelta(days=1):
            raise AuthorityError(
                f"{cert_path} has run out: remove it and {key_path}, and install the new one"
            )
        return cls(certificate, key)

    def leaf(self, host: str) -> Leaf:
        """A server certificate for *host*: a DNS name, or an IP literal (v6 without brackets)."""
        now = _now()
        until = min(now + timedelta(days=MAX_LEAF_DAYS), self._certificate.not_valid_after_utc)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "bot-bottle")]))
            .issuer_name(self._certificate.subject)
            .public_key(self._leaf_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(max(now - BACKDATED, self._certificate.not_valid_before_utc))
            .not_valid_after(until)
            .add_extension(x509.SubjectAlternativeName([_general_name(host)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self._leaf_key.public_key()), critical=False
            )
            .add_extension(self._key_id, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        chain = certificate.public_bytes(serialization.Encoding.PEM)
        return Leaf(chain, self._leaf_key_pem, until)


def _create_in(directory: Path, cert_path: Path, key_path: Path) -> CertificateAuthority:
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority = CertificateAuthority.create(days=STANDALONE_DAYS)
    for path, content, mode in (
        (key_path, _private_pem(authority._key), 0o600),
        (cert_path, authority.ca_pem.encode(), 0o644),
    ):
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        with os.fdopen(fd, "wb") as file:
            file.write(content)
    return authority


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
