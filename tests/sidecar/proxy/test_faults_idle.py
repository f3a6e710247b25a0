"""Ruling 67 at the real command: 10,240 idle connections, the oldest closed first, and what one costs."""

from __future__ import annotations

import resource
import subprocess
import sys
import time

import pytest
from faults_support import HOST, OTHER, TIMEOUT_S, incidents, running, until

MANY = 10_240
POLICY = f"log: 1\nroutes:\n  - host: {HOST}\n  - host: {OTHER}\n"
HOLDER = """
import resource, select, socket, ssl, sys
address, source, count, ca = (sys.argv[1], int(sys.argv[2])), sys.argv[3], int(sys.argv[4]), sys.argv[5]
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
context = ssl.create_default_context(cafile=ca) if ca else None
held = []
for _ in range(count):
    sock = socket.create_connection(address, 60, source_address=(source, 0))
    if context:
        sock.sendall(b"CONNECT api.example.com:443 HTTP/1.1\\r\\nHost: api.example.com:443\\r\\n\\r\\n")
        while b"\\r\\n\\r\\n" not in sock.recv(4096):
            pass
        sock = context.wrap_socket(sock, server_hostname="api.example.com")
    held.append(sock)
print("open", flush=True)
for line in sys.stdin:
    poller = select.poll()
    for number, sock in enumerate(held):
        poller.register(sock, select.POLLIN | select.POLLHUP)
    numbers = {sock.fileno(): number for number, sock in enumerate(held)}
    print(*sorted(numbers[fd] for fd, _ in poller.poll(0)), flush=True)
"""


class Holder:
    """A process that holds connections from an address of its own, and says which of them were closed."""

    def __init__(self, proxy, number, count, *, tls):
        host, port = proxy.address
        ca = str(proxy.directory / "ca" / "ca.pem") if tls else ""
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, host, str(port), f"127.0.0.{2 + number}", str(count), ca],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def is_open(self) -> bool:
        return self.process.stdout.readline() == "open\n"

    def closed(self) -> list[int]:
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return [int(word) for word in self.process.stdout.readline().split()]

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize(("tls", "most_kib"), [(False, 6), (True, 64)], ids=["plain", "TLS"])
def test_ten_thousand_idle_connections(tmp_path, plain_upstream, to, tls, most_kib):
    """All of them stay; new requests pass; each further connection closes the one that waited longest; when
    they are gone, the proxy is as small as before but for what the allocator keeps."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < MANY + 1024:
        pytest.skip(f"this machine allows {hard} descriptors")
    holders = []
    prefix = ("prlimit", "--nofile=1024:")  # the command raises it itself
    where = to(plain_upstream, (OTHER, 80))
    with running(tmp_path, POLICY, where, prefix=prefix, limits={"idle_s": 600}) as proxy:
        try:
            assert proxy.ask() == (200, b"hello")
            time.sleep(0.5)  # what that request used is closed
            before, memory = proxy.descriptors(), proxy.private_kib()
            first = Holder(proxy, 0, 8, tls=tls)
            holders.append(first)
            assert first.is_open()
            rest = [Holder(proxy, 1 + number, MANY // 4 - 2, tls=tls) for number in range(4)]
            holders += rest
            assert all(holder.is_open() for holder in rest)
            until(lambda: proxy.descriptors() >= before + MANY, "all of them are accepted", 60)
            cost = (proxy.private_kib() - memory) / MANY
            print(f"\n{MANY} idle {'TLS' if tls else 'plain'} connections: {cost:.1f} KiB each")
            assert [holder.closed() for holder in holders] == [[]] * 5
            further = [proxy.connect() for _ in range(3)]
            until(lambda: first.closed() == [0, 1, 2], "the oldest are closed")
            assert proxy.ask() == (200, b"hello")
            until(lambda: first.closed() == [0, 1, 2, 3], "one more for that request")
            for sock in further:
                sock.close()
            assert [holder.closed() for holder in rest] == [[]] * 4
            assert cost < most_kib
        finally:
            for holder in holders:
                holder.end()
        until(lambda: proxy.descriptors() <= before, "all of them are gone", 3 * TIMEOUT_S)
        assert proxy.ask() == (200, b"hello")
    assert incidents(tmp_path) == []
