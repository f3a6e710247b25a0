"""Descriptors and other things of the kernel's run out, at the real command: who is served goes on, nothing
spins, nothing is sent that should not be, and afterwards all is as before.
"""

from __future__ import annotations

import contextlib
import resource
import time

import pytest
from faults_support import HOST, OTHER, failing_calls, incidents, read_until, running, until

from bot_bottle.testing.upstream import FakeUpstream

POLICY = f"log: 1\nroutes:\n  - host: {HOST}\n    allow_private: true\n  - host: {OTHER}\n"
KEPT = f"GET http://{OTHER}/kept HTTP/1.1\r\nHost: {OTHER}\r\n\r\n".encode()


@pytest.fixture
def served(tmp_path, to):
    with FakeUpstream(tls=False) as fake:
        with running(tmp_path, POLICY, to(fake, (HOST, 80), (OTHER, 80))) as proxy:
            assert proxy.ask() == (200, b"hello")
            yield proxy, fake
            assert proxy.ask() == (200, b"hello")
        assert incidents(tmp_path) == []
        assert {request.header("host") for request in fake.requests} <= {HOST, OTHER}


def outcomes(proxy, count):
    """What so many requests on connections of their own come to: a status, or "" for none."""
    found = []
    for _ in range(count):
        try:
            found.append(proxy.ask(HOST)[0])
        except (OSError, AssertionError):  # reset, or cut
            found.append("")
    return found


def test_no_descriptor_is_left_for_new_connections(served):
    """EMFILE: connections that are there go on; new ones are turned away or wait, without a busy loop; with
    descriptors again, all is as before."""
    proxy, _ = served
    with contextlib.ExitStack() as stack:
        kept = stack.enter_context(proxy.connect())
        kept.sendall(KEPT)
        assert read_until(kept, b"hello").startswith(b"HTTP/1.1 200 ")
        usual = proxy.descriptors()
        limits = resource.prlimit(proxy.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(proxy.pid, resource.RLIMIT_NOFILE, (usual + 8, limits[1]))
        crowd = [stack.enter_context(proxy.connect()) for _ in range(40)]
        until(lambda: proxy.descriptors() >= usual + 6, "they are accepted as far as they can be")
        used = proxy.cpu_s()
        time.sleep(1.5)
        assert proxy.cpu_s() - used < 0.5, "it spins"
        kept.sendall(KEPT)  # on the upstream connection that it has
        assert read_until(kept, b"hello").startswith(b"HTTP/1.1 200 ")
        for sock in crowd:
            sock.close()
        resource.prlimit(proxy.pid, resource.RLIMIT_NOFILE, limits)
        until(lambda: outcomes(proxy, 1) == [200], "it takes new connections again")
    proxy.settles_at(usual)


def test_no_descriptor_is_left_for_an_upstream(served):
    """The client was accepted, the dial fails: 502; then again 200 on the same connection."""
    proxy, _ = served
    with proxy.connect() as sock:
        limits = resource.prlimit(proxy.pid, resource.RLIMIT_NOFILE)
        until(lambda: proxy.descriptors() > 0, "it is there")
        sock.sendall(b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        assert read_until(sock, b'"hint"').startswith(b"HTTP/1.1 403 ")
        resource.prlimit(proxy.pid, resource.RLIMIT_NOFILE, (3, limits[1]))
        sock.sendall(KEPT)
        refusal = read_until(sock, b'"path"')
        assert b"HTTP/1.1 502 " in refusal
        assert b"no connection can be made (Too many open files)" in refusal
        resource.prlimit(proxy.pid, resource.RLIMIT_NOFILE, limits)
        sock.sendall(KEPT)
        assert b"HTTP/1.1 200 " in read_until(sock, b"hello")


@pytest.mark.slow
@pytest.mark.parametrize(
    "error", ["EMFILE", "ENFILE", "ENOMEM", "ENOBUFS", "EINTR", "EAGAIN", "EPERM", "EIO"]
)
@pytest.mark.parametrize(
    ("call", "statuses"),
    [
        ("accept4", {200, ""}),
        ("socket", {502}),
        ("connect", {502}),
        ("epoll_ctl", {200, 502, ""}),
        ("setsockopt", {200, 502, ""}),
        ("getsockopt", {200, 502, ""}),
        ("getrandom", {200}),
        ("recvfrom", {200, 502, ""}),
        ("sendto", {200, 502, ""}),
        ("write", {200, 502, ""}),
        ("writev", {200, 502, ""}),
        ("shutdown", {200, 502, ""}),
        ("close", {200, 502, ""}),
    ],
)
def test_a_system_call_fails_a_few_times(served, call, statuses, error):
    """Whatever it is: this flow is refused or cut, never sent elsewhere, and the proxy lives on."""
    proxy, fake = served
    before = proxy.descriptors()
    with failing_calls(proxy, call, error, "1..3"):
        found = outcomes(proxy, 5)
    assert set(found) <= statuses | {200}, found
    until(lambda: outcomes(proxy, 1) == [200], "it works again")
    if call != "close":  # one that was not closed is not
        proxy.settles_at(before)
    assert all(request.header("host") in {HOST, OTHER} for request in fake.requests)


def test_a_system_call_fails_for_a_while(served):
    """Nobody can be accepted; who is there already is served; then new ones are again."""
    proxy, _ = served
    with proxy.connect() as kept:
        kept.sendall(KEPT)
        assert read_until(kept, b"hello")
        with failing_calls(proxy, "accept4", "ENOMEM"):
            waiting = proxy.connect()
            kept.sendall(KEPT)
            assert read_until(kept, b"hello").startswith(b"HTTP/1.1 200 ")
        waiting.close()
    assert outcomes(proxy, 3)[-1] == 200
