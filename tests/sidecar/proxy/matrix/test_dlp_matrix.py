"""Every encoding of a secret in every place of a request: with scanning off all of them arrive, with it on none does.

The encoders are not the scanner's (``mx_encodings``); the witness is what the upstream received whole.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from mx_encodings import Encoding, encodings
from mx_surfaces import SURFACES, Request, Surface

from bot_bottle.base.secret import Secret
from bot_bottle.dlp.known import Kind
from bot_bottle.sidecar.proxy.arming import Extra
from bot_bottle.testing.upstream import FakeUpstream

OFF, ON = "off.example.com", "on.example.com"

POLICY = f"""
log: 1
routes:
  - host: {OFF}
    dlp: {{outbound_detectors: false, inbound_detectors: false}}
  - host: {ON}
    dlp: {{outbound_on_match: block}}
"""

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
SECRETS = {
    "WORK_TOKEN_0": "".join(random.Random(11).choices(LETTERS, k=40)),
    "WORK_TOKEN_1": "".join(random.Random(12).choices(LETTERS + "+/=!$&", k=32)),
    "WORK_TOKEN_2": "".join(random.Random(13).choices("0123456789abcdef", k=64)),
}
"""letters and digits, with marks between them, hexadecimal"""


@dataclass(frozen=True)
class Case:
    number: int
    secret: str
    encoding: Encoding
    request: Request

    @property
    def name(self) -> str:
        return f"{self.encoding.name} of {self.secret}"


def cases(surface: Surface) -> list[Case]:
    """All that *surface* can carry."""
    made = []
    for name, secret in SECRETS.items():
        for at, encoding in enumerate(encodings(secret)):
            if surface.big and at % 4:
                continue
            request = surface.write(encoding.encode(secret))
            if request is not None:
                made.append(Case(len(made), name, encoding, request))
    return made


def written(case: Case, host: str) -> bytes:
    request = case.request
    method = "GET" if request.body is None and request.chunks is None else "POST"
    lines = [
        f"{method} {request.target} HTTP/1.1".encode(),
        f"Host: {host}".encode(),
        b"X-Case: %d" % case.number,
    ]
    lines += [f"{name}: ".encode() + value for name, value in request.headers]
    if request.chunks is not None:
        lines.append(b"Transfer-Encoding: chunked")
        body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in request.chunks) + b"0\r\n\r\n"
    else:
        body = request.body or b""
        if method == "POST":
            lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


@pytest.fixture(scope="module")
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream() as fake:
        yield fake


@pytest.fixture(scope="module")
def proxy(run_shared_proxy, upstream):
    """The secrets are the operator's: the third fragment of an injected one would end the whole bottle."""
    to = {(host, 443): ("127.0.0.1", upstream.port) for host in (OFF, ON)}
    extras = tuple(Extra(name, Secret(value), Kind.OPERATOR) for name, value in SECRETS.items())
    return run_shared_proxy(POLICY, upstream=upstream, secrets=extras, connect_to=to)


def arrived(proxy, upstream: FakeUpstream, host: str, of: list[Case]) -> set[int]:
    """Send them all to *host*; the numbers of those that the upstream received whole."""
    before = len(upstream.requests)
    client = proxy.tls(host)
    for case in of:
        try:
            client.send(written(case, host))
            closes = client.answer().headers.get("connection") == "close"
        except (EOFError, OSError):
            closes = True
        if closes:
            client.close()
            client = proxy.tls(host)
    client.close()
    numbers = [dict(request.headers).get("X-Case") for request in upstream.requests[before:]]
    return {int(number) for number in numbers if number is not None}


@pytest.mark.slow
@pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)
def test_none_arrives(proxy, upstream, surface: Surface) -> None:
    of = cases(surface)
    assert arrived(proxy, upstream, OFF, of) == {case.number for case in of}, "without scanning all arrive"
    leaked = arrived(proxy, upstream, ON, of)
    names = [case.name for case in of if case.number in leaked]
    assert not names, f"{len(names)} arrived: " + "; ".join(names)


def test_there_are_thousands() -> None:
    assert sum(len(cases(surface)) for surface in SURFACES) > 4000
