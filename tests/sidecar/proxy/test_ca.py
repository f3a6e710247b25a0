"""The bottle's authority, checked with OpenSSL and by its own fields."""

from __future__ import annotations

import ipaddress
import os
import ssl
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from bot_bottle.sidecar.proxy.ca import AuthorityError, CertificateAuthority
from bot_bottle.sidecar.proxy.tls import MAX_CONTEXTS, LeafContexts, TlsPipe, upstream_context


@pytest.fixture(scope="module")
def authority():
    return CertificateAuthority.create()


def test_the_authority_is_p256_with_path_length_0(authority):
    certificate = x509.load_pem_x509_certificate(authority.ca_pem.encode())
    assert isinstance(certificate.public_key().curve, ec.SECP256R1)
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)
    assert certificate.not_valid_before_utc < datetime.now(UTC) - timedelta(hours=24)
    assert certificate.not_valid_after_utc > datetime.now(UTC) + timedelta(days=20)


@pytest.mark.parametrize(
    "host", ["api.example.com", "_egress.local", "a" * 63 + ".example", "127.0.0.1", "::1"]
)
def test_a_leaf_names_its_host(authority, host):
    leaf = x509.load_pem_x509_certificate(authority.leaf(host).chain_pem)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    try:
        assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address(host)]
    except ValueError:
        assert names.get_values_for_type(x509.DNSName) == [host]
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_openssl_verifies_a_leaf_strictly(authority, tmp_path):
    (tmp_path / "ca.pem").write_text(authority.ca_pem)
    (tmp_path / "leaf.pem").write_bytes(authority.leaf("api.example.com").chain_pem)
    done = subprocess.run(
        ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "api.example.com",
         "-CAfile", "ca.pem", "leaf.pem"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout == "leaf.pem: OK\n", done.stderr


def test_two_authorities_share_nothing():
    first, second = CertificateAuthority.create(), CertificateAuthority.create()
    assert first.ca_pem != second.ca_pem
    assert first.leaf("a.example").key_pem != second.leaf("a.example").key_pem


def test_no_key_shows(authority):
    assert "PRIVATE" not in authority.ca_pem + repr(authority) + repr(authority.leaf("a.example"))


def test_the_cache_of_contexts_is_bounded(authority):
    leaves = LeafContexts(authority)
    first = leaves.get("0.example")
    assert leaves.get("0.example") is first
    for number in range(MAX_CONTEXTS + 1):
        leaves.get(f"{number}.example")
    assert len(leaves._contexts) == MAX_CONTEXTS
    assert leaves.get("0.example") is not first


def spoil(directory, how):
    certificate, key = directory / "ca.pem", directory / "ca-key.pem"
    if how == "other key":
        other = CertificateAuthority.in_directory(directory.parent / "other")
        assert other.ca_pem
        key.write_bytes((directory.parent / "other" / "ca-key.pem").read_bytes())
    elif how == "no key":
        key.unlink()
    elif how == "no certificate":
        certificate.unlink()
    elif how == "noise":
        certificate.write_text("noise")
    elif how == "readable":
        os.chmod(key, 0o640)


@pytest.mark.parametrize("how", ["other key", "no key", "no certificate", "noise", "readable"])
def test_a_directory_that_does_not_fit_is_an_error(tmp_path, how):
    directory = tmp_path / "ca"
    first = CertificateAuthority.in_directory(directory)
    assert CertificateAuthority.in_directory(directory).ca_pem == first.ca_pem
    spoil(directory, how)
    with pytest.raises(AuthorityError):
        CertificateAuthority.in_directory(directory)


def test_an_authority_that_has_run_out_is_an_error(tmp_path, monkeypatch):
    directory = tmp_path / "ca"
    monkeypatch.setattr("bot_bottle.sidecar.proxy.ca.STANDALONE_DAYS", 0)
    CertificateAuthority.in_directory(directory)
    with pytest.raises(AuthorityError, match="run out"):
        CertificateAuthority.in_directory(directory)


def test_upstreams_are_always_verified():
    context = upstream_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    with pytest.raises(ValueError, match="PEM"):
        upstream_context("noise")


def joined(client: TlsPipe, server: TlsPipe) -> None:
    """Move handshake bytes until both are done."""
    data = client.start()
    for _ in range(4):
        server.feed(data)
        client.feed(server.pending())
        data = client.pending()
        if client.established and server.established:
            return
    raise AssertionError("no handshake")


def pipes(authority, host="api.example.com"):
    context = ssl.create_default_context(cadata=authority.ca_pem)
    client = TlsPipe(context, server_hostname=host)
    server = TlsPipe(LeafContexts(authority).get(host))
    joined(client, server)
    return client, server


def test_a_pipe_carries_large_texts_in_any_pieces(authority):
    """More than one record, cut anywhere."""
    client, server = pipes(authority)
    text = os.urandom(100_000)
    sealed = client.seal(text)
    received = b"".join(server.feed(sealed[at : at + 777]) for at in range(0, len(sealed), 777))
    assert received == text
    assert server.sni == "api.example.com"


def test_a_pipe_tells_a_good_end(authority):
    client, server = pipes(authority)
    assert server.feed(client.seal(b"last") + client.close()) == b"last"
    assert server.closed


def test_tls_1_1_is_refused(authority):
    context = ssl.create_default_context(cadata=authority.ca_pem)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    client, server = (
        TlsPipe(context, server_hostname="a.example"), TlsPipe(LeafContexts(authority).get("a.example")),
    )  # fmt: skip
    with pytest.raises(ssl.SSLError):
        server.feed(client.start())
