"""An attacker inside the bottle who sends a secret in many disguises, and what of it an upstream received.

Each attack goes to a route that blocks, and to one without detectors, where it must arrive: else it proves nothing
(ruling 70).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from dlp_support import BLOCK, HOSTS, OFF, POLICY, SLOT, SLOT_VALUE, TOKEN, Sent, post

from bot_bottle.testing.upstream import FakeUpstream

SECRETS = {"pattern": TOKEN, "known": SLOT_VALUE}
WORDS = b"the quick brown fox jumps over the lazy dog, nothing to be seen in here\n"
KIB = 1024

Write = Callable[[bytes], bytes]
"""a secret to a body that holds it"""


def words(size: int) -> bytes:
    """Text of so many bytes that holds nothing."""
    return (WORDS * (size // len(WORDS) + 1))[:size]


class Attack:
    """Sends bodies over one connection a host, and tells what became of them."""

    def __init__(self, proxy, upstream: FakeUpstream) -> None:
        self._proxy = proxy
        self._upstream = upstream
        self._numbers = itertools.count()
        self._clients: dict[str, object] = {}

    def send(self, host: str, request: Callable[[str], Sent | bytes]):
        """The answer to what *request* makes of a path of its own, and whether the upstream saw a whole request."""
        path = f"/attack-{next(self._numbers)}"
        sent = request(path)
        client = self._clients.get(host)
        if client is None:
            client = self._clients[host] = self._proxy.tls(host)
        client.send(sent if isinstance(sent, bytes) else sent.data)
        answer = client.answer()
        if answer.headers.get("connection") == "close":
            client.close()
            del self._clients[host]
        seen = [request for request in self._upstream.requests if path in request.target]
        return answer, seen

    def body(self, host: str, body: bytes, fields: tuple[tuple[str, str], ...] = (), *, chunked: int = 0):
        return self.send(host, lambda path: post(host, body, path, fields=fields, chunked=chunked))

    def is_stopped(self, body: bytes, fields: tuple[tuple[str, str], ...] = (), *, chunked: int = 0) -> None:
        """*body* is refused and not received; without detectors it arrives as it is."""
        self.arrives(OFF, body, fields)
        answer, seen = self.body(BLOCK, body, fields, chunked=chunked)
        assert answer.status == 403, "it was let through"
        assert answer.reason.startswith("egress DLP: "), answer.reason
        assert seen == []

    def arrives(self, host: str, body: bytes, fields: tuple[tuple[str, str], ...] = ()) -> None:
        answer, seen = self.body(host, body, fields)
        assert answer.status == 200, answer.body
        assert [request.body for request in seen] == [body]

    def shows_nothing(self) -> None:
        """No log line holds a secret."""
        log = self._proxy.log_path.read_text()
        assert [name for name, value in SECRETS.items() if value in log] == []


def attacking(
    run_proxy, to, policy: str = POLICY, hosts: tuple[str, ...] = HOSTS, **options
) -> Iterator[Attack]:
    """For a fixture."""
    with FakeUpstream() as upstream:
        ways = to(upstream, *((host, 443) for host in hosts))
        proxy = run_proxy(policy, upstream=upstream, tokens={SLOT: SLOT_VALUE}, connect_to=ways, **options)
        attack = Attack(proxy, upstream)
        yield attack
        attack.shows_nothing()
