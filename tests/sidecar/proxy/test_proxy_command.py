"""``bot-bottle proxy`` as a process, with real curl through it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import kept_patterns
import pytest

HOST = "api.example.com"
SECRET = "n0t-a-real-secret-8472"
ROUTES = f"log: 1\nroutes:\n  - host: {HOST}\n    auth_scheme: Bearer\n    token_env: TEST_TOKEN\n"

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@pytest.fixture
def home(tmp_path, request):
    """With nothing but compiled patterns in it, and without them for a new user."""
    path = tmp_path / "home"
    path.mkdir(mode=0o700)
    if request.node.get_closest_marker("new_user") is None:
        kept_patterns.lay(path)
    return path


def command(home: Path, *arguments: str, **variables: str) -> list[str]:
    return [sys.executable, "-m", "bot_bottle", "proxy", *arguments]


def environment(home: Path, **variables: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), **variables}


@contextmanager
def running(home: Path, *arguments: str, listen: str = "127.0.0.1:0", **variables: str):
    """The process and the address of its first line."""
    process = subprocess.Popen(
        command(home, "--listen", listen, *arguments),
        env=environment(home, **variables), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        line = process.stdout.readline()
        assert line.startswith("listening on "), line or process.stderr.read()
        yield process, line.removeprefix("listening on ").strip()
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def failing(home: Path, *arguments: str, **variables: str) -> tuple[int, str]:
    done = subprocess.run(
        command(home, *arguments),
        env=environment(home, **variables), capture_output=True, text=True, timeout=20,
    )  # fmt: skip
    return done.returncode, done.stderr


def curl(proxy: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    where = (
        ["--unix-socket", proxy.removeprefix("unix:")] if proxy.startswith("unix:") else ["--proxy", proxy]
    )
    return subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", "10", *where, *arguments],
        env={"PATH": os.environ["PATH"]}, capture_output=True, text=True,
    )  # fmt: skip


@pytest.fixture
def routes(tmp_path):
    path = tmp_path / "routes.yaml"
    path.write_text(ROUTES)
    return path


@needs_curl
@pytest.mark.new_user
def test_curl_gets_what_the_routes_allow_and_the_reason_for_what_they_do_not(
    home, routes, tmp_path, upstream
):
    """TLS on both legs; the credential is put in; a refusal is readable; SIGTERM ends with 0."""
    roots = tmp_path / "upstream.pem"
    roots.write_text(upstream.ca_pem)
    with running(
        home, "--routes", str(routes), "--extra-ca", str(roots),
        "--connect-to", f"{HOST}:443:127.0.0.1:{upstream.port}", TEST_TOKEN=SECRET,
    ) as (process, address):  # fmt: skip
        ca = str(home / ".bot-bottle" / "proxy" / "ca.pem")
        good = curl(address, "--cacert", ca, "-H", "Authorization: Bearer mine", f"https://{HOST}/x")
        assert good.stdout == "hello", good.stderr
        posted = curl(address, "--cacert", ca, "--data-binary", "x" * 100_000, f"https://{HOST}/up")
        assert posted.stdout == "hello", posted.stderr
        bad = curl(address, "--cacert", ca, "-w", "%{http_code}", "https://evil.example/")
        assert bad.stdout.endswith("403")
        assert "egress: route" in bad.stdout
        assert "no route for this host" in bad.stdout
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=10)
    assert process.returncode == 0
    first, second = upstream.requests
    assert first.all("authorization") == [f"Bearer {SECRET}"]
    assert (second.method, len(second.body)) == ("POST", 100_000)
    assert SECRET not in log
    assert '"event": "egress_block"' in log


@needs_curl
def test_quick_routes_and_a_unix_socket(home, tmp_path, plain_upstream):
    """``--allow`` without a file; the socket is its owner's alone and goes with the process."""
    path = tmp_path / "p.sock"
    with running(
        home, "--allow", "plain.example.com", "--connect-to",
        f"plain.example.com:80:127.0.0.1:{plain_upstream.port}", listen=f"unix:{path}",
    ) as (process, address):  # fmt: skip
        assert address == f"unix:{path}"
        assert path.stat().st_mode & 0o777 == 0o600
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(b"GET http://plain.example.com/ HTTP/1.1\r\nHost: plain.example.com\r\n\r\n")
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
        process.send_signal(signal.SIGTERM)
        process.wait(10)
    assert not path.exists()


def test_hangup_reads_the_routes_again(home, routes, plain_upstream):
    """A good file is taken, a bad one changes nothing and says where it is wrong."""
    with running(home, "--routes", str(routes), TEST_TOKEN=SECRET) as (process, address):
        host, _, port = address.rpartition(":")

        def status() -> bytes:
            with socket.create_connection((host, int(port)), 10) as client:
                client.sendall(b"GET http://_egress.local/allowlist HTTP/1.1\r\nHost: _egress.local\r\n\r\n")
                return client.recv(65536)

        assert HOST.encode() in status()
        routes.write_text("routes:\n  - host: new.example.com\n")
        process.send_signal(signal.SIGHUP)
        assert "routes read again" in process.stderr.readline()
        assert b"new.example.com" in status()
        routes.write_text("routes:\n  - host: newer.example.com\n    nonsense: 1\n")
        process.send_signal(signal.SIGHUP)
        said = process.stderr.readline()
        assert f"{routes}:3" in said, said
        assert b"new.example.com" in status()


def test_the_authority_is_made_once_and_its_key_is_the_owners(home, tmp_path):
    directory = tmp_path / "ca"
    for _ in range(2):
        done = subprocess.run(
            command(home, "--ca-dir", str(directory), "--print-ca"),
            env=environment(home), capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout == f"{directory / 'ca.pem'}\n"
        content = (directory / "ca.pem").read_text()
    assert (directory / "ca-key.pem").stat().st_mode & 0o777 == 0o600
    assert "PRIVATE" not in content
    os.chmod(directory / "ca-key.pem", 0o644)
    status, said = failing(home, "--ca-dir", str(directory), "--print-ca")
    assert status == 1
    assert "chmod 600" in said


def test_errors_name_what_is_wrong_and_where(home, routes, tmp_path):
    """Exit 1 for what the person can mend, 2 for wrong usage."""
    assert failing(home, "--routes", str(routes))[0] == 1
    assert "TEST_TOKEN" in failing(home, "--routes", str(routes))[1]
    routes.write_text("routes:\n  - host: a.example.com\n    hots: 1\n")
    status, said = failing(home, "--routes", str(routes))
    assert (status, f"{routes}:3" in said) == (1, True)
    routes.write_text("routes: [\n")
    status, said = failing(home, "--routes", str(routes))
    assert (status, str(routes) in said) == (1, True)
    routes.write_text("provider_schema: log\nroutes: []\n")
    status, said = failing(home, "--routes", str(routes))
    assert (status, "not enforced by this version" in said) == (1, True)
    assert failing(home, "--routes", str(tmp_path / "missing.yaml"))[0] == 1
    assert failing(home, "--allow", "a.example.com", "--extra-ca", str(tmp_path / "missing.pem"))[0] == 1
    assert failing(home)[0] == 2
    assert failing(home, "--allow", "a.example.com", "--listen", "nonsense")[0] == 2
    assert failing(home, "--allow", "a.example.com", "--listen", "0.0.0.0:0")[0] == 2
    assert "--proxy-auth" in failing(home, "--allow", "a.example.com", "--listen", "0.0.0.0:0")[1]
    status, said = failing(home, "--allow", "a.example.com", "--proxy-auth", "NOT_SET")
    assert (status, "NOT_SET" in said) == (1, True)


def test_a_taken_port_is_an_error_the_person_can_mend(home):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        status, said = failing(home, "--allow", "a.example.com", "--listen", address)
    assert (status, address in said) == (1, True)


def test_proxy_auth_opens_the_proxy_to_who_knows_it(home, plain_upstream):
    with running(
        home, "--allow", "plain.example.com", "--proxy-auth", "WHO", "--connect-to",
        f"plain.example.com:80:127.0.0.1:{plain_upstream.port}", WHO="me:secret",
    ) as (_, address):  # fmt: skip
        host, _, port = address.rpartition(":")
        for credential, status in ((b"", b"407"), (b"Proxy-Authorization: Basic bWU6c2VjcmV0\r\n", b"200")):
            with socket.create_connection((host, int(port)), 10) as client:
                client.sendall(
                    b"GET http://plain.example.com/ HTTP/1.1\r\nHost: plain.example.com\r\n"
                    + credential + b"\r\n"
                )  # fmt: skip
                assert client.recv(1000).split(b" ")[1] == status


def test_the_process_dies_with_its_terminal_interrupt(home):
    with running(home, "--allow", "plain.example.com") as (process, _):
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert time.monotonic() - started < 5


def test_a_server_name_that_no_certificate_could_have_makes_a_record_and_no_traceback(home, routes):
    """OpenSSL's binding writes an error about each to standard error, which is the log: unbounded, and with
    the client's bytes."""
    outgoing = ssl.MemoryBIO()
    hello = ssl.create_default_context().wrap_bio(
        ssl.MemoryBIO(), outgoing, server_hostname="abcdefgh.example"
    )
    with pytest.raises(ssl.SSLWantReadError):
        hello.do_handshake()
    data = outgoing.read().replace(b"abcdefgh.example", b"abcd\xe9\xe9gh.example")
    with running(home, "--routes", str(routes), TEST_TOKEN=SECRET) as (process, address):
        host, _, port = address.rpartition(":")
        for _ in range(3):
            with socket.create_connection((host, int(port)), 10) as client:
                client.sendall(f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n".encode())
                assert client.recv(4096).startswith(b"HTTP/1.1 200 ")
                client.sendall(data)
                while client.recv(4096):
                    pass
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=10)
    records = [json.loads(line) for line in log.splitlines()]
    assert [record["error"] for record in records if record["event"] == "proxy_stray_error"] == [
        "UnicodeDecodeError"
    ] * 3
