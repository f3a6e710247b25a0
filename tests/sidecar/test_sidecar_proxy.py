"""The real proxy in the real confinement: threads, name resolution, TLS and its log work there."""

from __future__ import annotations

import http.server
import json
import re
import socket
import ssl
import threading

import pytest

HOST = "api.example.test"


class _Upstream(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.seen.append((self.path, self.headers.get("Host")))
        body = b"from upstream"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def upstream():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Upstream)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def proxy(host, upstream):
    """Its socket's path, its CA, and what was forwarded."""
    launcher, event = host.ready(
        entry="proxy",
        routes=f"log: 2\nroutes:\n  - host: {HOST}\n  - host: localhost\n    ports: [{upstream.server_port}]\n",
        connect_to=[[HOST, 80, "127.0.0.1", upstream.server_port]],
    )
    return host.layout.sockets("one") / "proxy.sock", event["ca"], launcher


def _exchange(path, request: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(20)
        sock.connect(str(path))
        sock.sendall(request)
        with sock.makefile("rb") as stream:
            head = b"".join(iter(stream.readline, b"\r\n"))
            length = re.search(rb"(?i)^content-length: (\d+)", head, re.MULTILINE)
            if length is not None:
                return head + stream.read(int(length[1]))
            body = b""
            while size := int(stream.readline(), 16):
                body += stream.read(size + 2)[:-2]
            return head + body


def _get(path, host: str, where: str) -> bytes:
    head = f"GET http://{host}{where} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    return _exchange(path, head.encode())


def test_an_allowed_request_reaches_its_upstream_and_another_does_not(proxy, upstream):
    path, _, _ = proxy
    answer = _get(path, HOST, "/x")
    assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"from upstream")
    assert _get(path, "other.example.test", "/x").startswith(b"HTTP/1.1 403")
    assert [where for where, _ in upstream.seen] == ["/x"]


def test_names_are_resolved_by_the_generated_files(proxy, upstream):
    """``localhost`` is in the copy of the hosts file; that it is private is the proxy's own refusal."""
    path, _, _ = proxy
    answer = _get(path, f"localhost:{upstream.server_port}", "/y")
    assert answer.startswith(b"HTTP/1.1 403")
    assert upstream.seen == []


def test_a_leaf_certificate_is_made_without_a_writable_file_system(proxy):
    path, authority, _ = proxy
    context = ssl.create_default_context(cadata=authority)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(20)
        sock.connect(str(path))
        sock.sendall(f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n".encode())
        assert sock.recv(4096).startswith(b"HTTP/1.1 200")
        with context.wrap_socket(sock, server_hostname=HOST) as tls:
            assert tls.getpeercert()["subjectAltName"] == (("DNS", HOST),)


def test_its_log_is_written_by_the_descriptor_that_it_was_given(host, proxy):
    path, _, launcher = proxy
    _get(path, "blocked.example.test", "/logged")
    log = host.layout.guest("one") / "sidecar.log"
    host.eventually(lambda: "/logged" in log.read_text(), "the refusal is in the log")
    assert all(isinstance(json.loads(line), dict) for line in log.read_text().splitlines())
    launcher.tell("finish")
