"""The system's roots: never more of them than OpenSSL's own default has, and read only as far as needed."""

from __future__ import annotations

import hashlib
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from bot_bottle.sidecar.proxy import tls
from bot_bottle.sidecar.proxy.ca import CertificateAuthority
from bot_bottle.testing.upstream import FakeUpstream

VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A system store of one root: a file, and a directory that ``openssl rehash`` prepared."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    directory = tmp_path / "certs"
    directory.mkdir()
    paths = replace_paths(str(tmp_path / "roots.pem"), str(directory))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    return tmp_path


def replace_paths(file: str, directory: str) -> ssl.DefaultVerifyPaths:
    return ssl.get_default_verify_paths()._replace(cafile=file, capath=directory)


def put(store: Path, pem: str, *, in_file: bool = True, in_directory: bool = True) -> None:
    if in_file:
        with (store / "roots.pem").open("a") as file:
            file.write(pem)
    if in_directory:
        name = hashlib.sha256(pem.encode()).hexdigest()[:8]
        (store / "certs" / f"{name}.pem").write_text(pem)
        subprocess.run(["openssl", "rehash", str(store / "certs")], check=True, capture_output=True)


def test_a_root_is_found_by_its_name_and_no_other_is_read(store, run_proxy):
    """A real handshake through the proxy: the upstream's root is in the directory; another's is not."""
    with FakeUpstream() as known, FakeUpstream() as unknown:
        put(store, known.ca_pem)
        assert tls.hashed_roots() == str(store / "certs")
        assert tls.upstream_context().cert_store_stats()["x509"] == 0
        where = {("known.example.com", 443): (known.address, known.port),
                 ("unknown.example.com", 443): (unknown.address, unknown.port)}  # fmt: skip
        policy = "routes:\n  - host: known.example.com\n  - host: unknown.example.com\n"
        proxy = run_proxy(policy, connect_to=where)
        for host, status in (("known.example.com", 200), ("unknown.example.com", 502)):
            client = proxy.tls(host)
            client.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            assert client.answer().status == status
        assert unknown.requests == []


@pytest.mark.parametrize("case", ["more in the file", "more in the directory", "no file", "nothing", "named"])
def test_where_file_and_directory_differ_openssl_decides(store, monkeypatch, case):
    """Also where a variable of the operator's names another store."""
    first, second = CertificateAuthority.create().ca_pem, CertificateAuthority.create().ca_pem
    if case != "nothing":
        put(store, first, in_file=case != "no file")
    if case == "more in the file":
        put(store, second, in_directory=False)
    elif case == "more in the directory":
        put(store, second, in_file=False)
    elif case == "named":
        monkeypatch.setenv("SSL_CERT_FILE", str(store / "roots.pem"))
    assert tls.hashed_roots() is None


def test_what_each_bottle_would_pay_for_is_imported_before_the_fork_or_not_at_all():
    """The reader of YAML (8 ms): a launch without files does not need it, a sidecar always does."""
    for module, wanted in (("bot_bottle.cli.launching", False), ("bot_bottle.sidecar.kinds", True)):
        program = f"import sys, {module}; sys.exit(('yaml' in sys.modules) is not {wanted})"
        subprocess.run([sys.executable, "-c", program], check=True)
