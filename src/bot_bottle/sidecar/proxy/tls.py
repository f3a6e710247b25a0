"""TLS on both legs: contexts, and a sans-I/O pipe over OpenSSL's memory buffers.

A pipe and not the event loop's own TLS, because the first bytes after a CONNECT are looked at before it is
known whether they are TLS, and because an upstream's close must be told from a cut. TLS 1.2 or later, ALPN
``http/1.1`` alone. No certificate check is ever off. No context is made at import.
"""

from __future__ import annotations

import os
import re
import ssl
from collections import OrderedDict
from datetime import UTC, datetime, timedelta

from bot_bottle.egress.request import parse_connect
from bot_bottle.egress.verdict import Deny
from bot_bottle.sidecar.proxy.ca import CertificateAuthority, Leaf

MAX_CONTEXTS = 256
"""Hosts whose leaf is kept: some 30 KiB each; a client that names others only costs a new signature."""

_HASH_NAME = re.compile("[0-9a-f]{8}\\.[0-9]{1,3}")
"""A root in a directory that ``openssl rehash`` has prepared."""

RECORD_BYTES = 16 * 1024
"""The most that one TLS record holds (RFC 8446 section 5.1)."""


class _Client(ssl.SSLObject):
    """The server's side of a handshake; ``sni`` is what the ClientHello named, as it was sent."""

    sni: str | None = None


class LeafContexts:
    """Server contexts by host, at most :data:`MAX_CONTEXTS`, least recently used out first."""

    def __init__(self, authority: CertificateAuthority) -> None:
        self._authority = authority
        self._contexts: OrderedDict[str, tuple[ssl.SSLContext, datetime]] = OrderedDict()

    def get(self, host: str) -> ssl.SSLContext:
        """The context that answers for *host* (canonical)."""
        found = self._contexts.get(host)
        if found is not None and found[1] > datetime.now(UTC):
            self._contexts.move_to_end(host)
            return found[0]
        leaf = self._authority.leaf(host)
        context = self._make(leaf)
        self._contexts[host] = (context, leaf.until - timedelta(days=1))
        self._contexts.move_to_end(host)
        if len(self._contexts) > MAX_CONTEXTS:
            self._contexts.popitem(last=False)
        return context

    def _make(self, leaf: Leaf) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_NO_TICKET
        context.num_tickets = 0
        context.set_alpn_protocols(["http/1.1"])
        context.sslobject_class = _Client
        context.sni_callback = self._named
        load_leaf(context, leaf)
        return context

    def _named(self, client: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        """Show a leaf for the name that the ClientHello has, so that a refusal of it can be read."""
        assert isinstance(client, _Client)
        client.sni = name
        if name is None:
            return
        target = parse_connect(name.encode("ascii", "replace") + b":443")
        if not isinstance(target, Deny):
            client.context = self.get(target[0])


def load_leaf(context: ssl.SSLContext, leaf: Leaf) -> None:
    """Chain and key into *context*. OpenSSL's binding reads files only: an anonymous one in memory."""
    fd = os.memfd_create("leaf", os.MFD_CLOEXEC)
    try:
        os.write(fd, leaf.chain_pem + leaf.key_pem)
        context.load_cert_chain(f"/proc/self/fd/{fd}")
    finally:
        os.close(fd)


def upstream_context(extra_ca_pem: str = "") -> ssl.SSLContext:
    """A client context that trusts the system's store and *extra_ca_pem*.

    Raises ValueError when *extra_ca_pem* has no certificate that can be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.hostname_checks_common_name = False
    context.set_alpn_protocols(["http/1.1"])
    directory = hashed_roots()
    if directory is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        context.load_verify_locations(capath=directory)
    if extra_ca_pem:
        try:
            context.load_verify_locations(cadata=extra_ca_pem)
        except ssl.SSLError as error:
            raise ValueError("the extra CA holds no PEM certificate that can be read") from error
    return context


def hashed_roots() -> str | None:
    """The system's directory of roots where it says all that the system's file of roots says; else None.

    OpenSSL looks into it for the one root that a chain ends in. Reading the file takes 20 ms and 1.5 MB, of
    each bottle. OpenSSL itself trusts both, so this is never more than its default.
    """
    paths = ssl.get_default_verify_paths()
    if paths.openssl_cafile_env in os.environ or paths.openssl_capath_env in os.environ:
        return None
    try:
        with open(paths.cafile or paths.openssl_cafile, "rb") as file:
            in_file = file.read().count(b"-----BEGIN CERTIFICATE-----")
        directory = paths.capath or paths.openssl_capath
        in_directory = sum(_HASH_NAME.fullmatch(name) is not None for name in os.listdir(directory))
    except OSError:
        return None
    return directory if in_file == in_directory > 0 else None


class TlsPipe:
    """One end of a TLS connection between two byte streams that the caller moves."""

    def __init__(self, context: ssl.SSLContext, *, server_hostname: str | None = None) -> None:
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self._ssl = context.wrap_bio(
            self._in, self._out, server_side=server_hostname is None, server_hostname=server_hostname
        )
        self.established = False
        self.closed = False
        """the peer has said that nothing more comes (close_notify)"""

    @property
    def sni(self) -> str | None:
        """Server's side, once established: the name of the ClientHello."""
        return self._ssl.sni if isinstance(self._ssl, _Client) else None

    def start(self) -> bytes:
        """The first bytes of a client; call once."""
        self._handshake()
        return self._out.read()

    def feed(self, data: bytes) -> bytes:
        """Take what the peer sent; the plain text in it. Then send :meth:`pending`.

        Raises ssl.SSLError (an alert may be pending).
        """
        self._in.write(data)
        if not self.established and not self._handshake():
            return b""
        incoming, read = self._in, self._ssl.read
        pieces: list[bytes] = []
        try:
            while True:
                piece = read(RECORD_BYTES)
                if not piece:
                    self.closed = True
                    break
                pieces.append(piece)
                if not incoming.pending and not self._ssl.pending():
                    break
        except ssl.SSLWantReadError:
            pass
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _handshake(self) -> bool:
        try:
            self._ssl.do_handshake()
        except ssl.SSLWantReadError:
            return False
        self.established = True
        return True

    def seal(self, plain: bytes) -> bytes:
        """*plain* (not empty) as records to send."""
        written = self._ssl.write(plain)
        if written < len(plain):
            rest = memoryview(plain)
            while written < len(plain):
                written += self._ssl.write(rest[written:])
        return self._out.read()

    def pending(self) -> bytes:
        """What has to be sent besides: handshake, alerts, key updates."""
        return self._out.read() if self._out.pending else b""

    def close(self) -> bytes:
        """A close_notify to send; b"" where none can be."""
        try:
            self._ssl.unwrap()
        except (ssl.SSLError, ValueError):
            pass
        return self.pending()
