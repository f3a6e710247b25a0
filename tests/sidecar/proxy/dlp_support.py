"""Made-up secrets, routes and requests for the tests of what is scanned on its way out."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass

from bot_bottle.dlp.sample import make
from bot_bottle.proposals.records import Proposal, Status
from bot_bottle.store.layout import Layout
from bot_bottle.store.proposals import Questions

BLOCK, REDACT, SUPERVISE, OFF, OWN = (
    f"{name}.example.com" for name in ("block", "redact", "supervise", "off", "own")
)
HOSTS = (BLOCK, REDACT, SUPERVISE, OFF, OWN)

SLOT = "EGRESS_TOKEN_0"

LAUNCH = "a" * 32
"""under which a proxy asks"""

POLICY = f"""
log: 1
routes:
  - host: {BLOCK}
    dlp: {{outbound_on_match: block}}
  - host: {REDACT}
    dlp: {{outbound_on_match: redact}}
  - host: {SUPERVISE}
  - host: {OFF}
    dlp: {{outbound_detectors: false, inbound_detectors: false}}
  - host: {OWN}
    provider: claude
    auth_scheme: Bearer
    token_env: {SLOT}
"""


def token(seed: int) -> str:
    """A GitHub token of nobody's, with the right checksum."""
    return make("ghp_{b62:30}{crc62}", random.Random(seed)).text.decode()


def random_value(seed: int, size: int = 40) -> str:
    """A secret of no known form."""
    alphabet = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    return "".join(random.Random(seed).choices(alphabet, k=size))


TOKEN = token(1)
SLOT_VALUE = random_value(2)


@dataclass(frozen=True)
class Sent:
    """A request's bytes."""

    head: bytes
    body: bytes

    @property
    def data(self) -> bytes:
        return self.head + self.body


def post(
    host: str, body: bytes, path: str = "/p", *, chunked: int = 0, fields: tuple[tuple[str, str], ...] = ()
) -> Sent:
    """*chunked*: size of the chunks that the body is sent in."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in fields)]
    if chunked:
        lines.append("Transfer-Encoding: chunked")
        pieces = [body[at : at + chunked] for at in range(0, len(body), chunked)]
        body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    else:
        lines.append(f"Content-Length: {len(body)}")
    return Sent(("\r\n".join(lines) + "\r\n\r\n").encode(), body)


def get(host: str, path: str = "/g", fields: tuple[tuple[str, str], ...] = ()) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in fields)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Operator:
    """A session on the host: renews its lease in a thread, until it leaves."""

    def __init__(self, layout: Layout) -> None:
        self.questions = Questions(layout, "dev", LAUNCH)
        self._gone = threading.Event()
        self._thread: threading.Thread | None = None

    def come(self) -> None:
        self.questions.renew_lease()
        self._thread = threading.Thread(target=self._stay)
        self._thread.start()

    def _stay(self) -> None:
        while not self._gone.wait(1.0):
            self.questions.renew_lease()

    def leave(self) -> None:
        self._gone.set()
        if self._thread is not None:
            self._thread.join()

    def asked(self, count: int = 1) -> list[Proposal]:
        """The pending questions, as soon as there are *count*."""
        until = time.monotonic() + 10
        while len(found := self.questions.pending()) < count and time.monotonic() < until:
            time.sleep(0.02)
        assert len(found) == count, found
        return found

    def answer(self, status: Status, notes: str, id: str | None = None) -> None:
        id = id or self.asked()[0].id
        self.questions.claim(id)
        self.questions.answer(id, status, notes)
