"""A credential that the bottle does not hold is put in at one place of one host's requests only, and does not come
back from a host that echoes (threats F1 to F3).

Read from what the upstream received, and from what the client got; that the upstream did send the credential is
asserted each time.
"""

from __future__ import annotations

import base64
import gzip
import html
import json
import urllib.parse
import zlib

import brotli
import pytest
import zstandard
from attack_support import prepare, words
from dlp_support import BLOCK, OFF, REDACT, SLOT, SLOT_VALUE, Sent, get, post, random_value

from bot_bottle.providers.contract import PLACEHOLDER
from bot_bottle.testing.upstream import FakeUpstream

OWN, THEIRS = "own.example.com", "theirs.example.com"
OTHER_SLOT = "EGRESS_TOKEN_1"
OTHER_VALUE = random_value(11)
POLICY = f"""
log: 2
routes:
  - host: {OWN}
    auth_scheme: Bearer
    token_env: {SLOT}
  - host: {THEIRS}
    auth:
      - {{scheme: raw, header: x-api-key, token_env: {OTHER_SLOT}}}
  - host: {BLOCK}
    dlp: {{outbound_on_match: block}}
  - host: {REDACT}
    dlp: {{outbound_on_match: redact}}
  - host: {OFF}
    dlp: {{outbound_detectors: false, inbound_detectors: false}}
"""
HOSTS = (OWN, THEIRS, BLOCK, REDACT, OFF)


class Echo:
    """An upstream whose answer holds the credential that came with the request, in a form that a test sets."""

    def __init__(self) -> None:
        self.write = lambda text: (text, ())
        self.sent = b""
        self.chunk = 0

    def __call__(self, request, connection) -> None:
        told = request.header("authorization") or request.header("x-api-key") or "none"
        body, fields = self.write(told.rpartition(" ")[2].encode())
        lines = ["HTTP/1.1 200 OK", *(f"{name}: {value}" for name, value in fields)]
        if self.chunk:
            lines.append("Transfer-Encoding: chunked")
            pieces = [body[at : at + self.chunk] for at in range(0, len(body), self.chunk)]
            sent = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces] + [b"0\r\n\r\n"]
        else:
            lines.append(f"Content-Length: {len(body)}")
            sent = [body]
        self.sent = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
        connection.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")
        for piece in sent:
            connection.send(piece)


@pytest.fixture(scope="module")
def echo():
    return Echo()


@pytest.fixture(scope="module")
def upstream_of_module(echo):
    with FakeUpstream(responder=echo) as fake:
        yield fake


@pytest.fixture(scope="module")
def proxy(run_shared_proxy, upstream_of_module, to):
    prepare()
    tokens = {SLOT: SLOT_VALUE, OTHER_SLOT: OTHER_VALUE}
    ways = to(upstream_of_module, *((host, 443) for host in HOSTS))
    return run_shared_proxy(POLICY, upstream=upstream_of_module, tokens=tokens, connect_to=ways)


@pytest.fixture(scope="module")
def asked(proxy):
    """``asked(host, request)``: the answer, over one connection a host."""
    clients = {}

    def send(host: str, request: Sent | bytes):
        client = clients.get(host) or clients.setdefault(host, proxy.tls(host))
        client.send(request if isinstance(request, bytes) else request.data)
        answer = client.answer()
        if answer.headers.get("connection") == "close":
            clients.pop(host).close()
        return answer

    return send


# F1, F3: where it goes

BASIC = base64.b64encode(f"user:{PLACEHOLDER}".encode()).decode()
PLACES = {
    "authorization": lambda host: get(host, fields=(("Authorization", f"Bearer {PLACEHOLDER}"),)),
    "basic": lambda host: get(host, fields=(("Authorization", f"Basic {BASIC}"),)),
    "api key": lambda host: get(host, fields=(("x-api-key", PLACEHOLDER),)),
    "proxy": lambda host: get(host, fields=(("Proxy-Authorization", f"Bearer {PLACEHOLDER}"),)),
    "cookie": lambda host: get(host, fields=(("Cookie", f"session={PLACEHOLDER}"),)),
    "user agent": lambda host: get(host, fields=(("User-Agent", PLACEHOLDER),)),
    "query": lambda host: get(host, f"/g?q={PLACEHOLDER}"),
    "path": lambda host: get(host, f"/{PLACEHOLDER}"),
    "body": lambda host: post(host, json.dumps({"key": PLACEHOLDER}).encode()),
    "body, escaped": lambda host: post(host, "".join(f"\\u{ord(char):04x}" for char in PLACEHOLDER).encode()),
    "body, in chunks": lambda host: post(host, PLACEHOLDER.encode(), chunked=5),
    "name of the slot": lambda host: post(
        host, f"${{{SLOT}}} {{{{{SLOT}}}}} %{SLOT}% ${SLOT} {OTHER_SLOT}".encode()
    ),
}


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("place", PLACES)
def test_a_placeholder_is_never_filled_in(asked, upstream_of_module, host, place):
    """What the bottle holds instead of a credential has no magic: the credential is put into one field of requests
    to its own host, whatever the client wrote where, and into nothing else."""
    before = len(upstream_of_module.requests)
    asked(host, PLACES[place](host))
    for seen in upstream_of_module.requests[before:]:
        values = {name.lower(): value for name, value in seen.headers}
        injected = {OWN: ("authorization", f"Bearer {SLOT_VALUE}"), THEIRS: ("x-api-key", OTHER_VALUE)}.get(
            host
        )
        if injected is not None:
            assert values.pop(injected[0]) == injected[1]
        rest = "\n".join([seen.target, *values, *values.values(), seen.body.decode("latin-1")])
        assert SLOT_VALUE not in rest and OTHER_VALUE not in rest
        assert base64.b64encode(b"user:" + SLOT_VALUE.encode()).decode().rstrip("=") not in rest


def test_a_credential_belongs_to_its_host(asked, upstream_of_module):
    """To each its own, also where the client names the other's field."""
    fields = (("Authorization", f"Bearer {PLACEHOLDER}"), ("x-api-key", PLACEHOLDER))
    for host, field, value in (
        (OWN, "authorization", f"Bearer {SLOT_VALUE}"),
        (THEIRS, "x-api-key", OTHER_VALUE),
    ):
        assert asked(host, get(host, fields=fields)).status == 200
        seen = upstream_of_module.requests[-1]
        assert (seen.header(field), PLACEHOLDER in str(seen.headers)) == (value, False)
        assert len([name for name, _ in seen.headers if name.lower() in ("authorization", "x-api-key")]) == 1


# F2: how it comes back

TEXT, JSON, EVENTS = (
    (("Content-Type", kind),) for kind in ("text/plain", "application/json", "text/event-stream")
)


def _coded(coding: str, encode):
    return lambda key: (encode(words(2000) + key + words(2000)), (*TEXT, ("Content-Encoding", coding)))


def _field(name: str, form: str = "{}"):
    return lambda key: (b"", ((name, form.format(key.decode())), *TEXT))


ECHOES = {
    "plain": lambda key: (b"your key is " + key, TEXT),
    "JSON": lambda key: (json.dumps({"headers": {"authorization": key.decode()}}).encode(), JSON),
    "HTML": lambda key: (
        f"<pre>{html.escape(key.decode())}</pre>".encode(),
        (("Content-Type", "text/html"),),
    ),
    "an event": lambda key: (b"data: {}\n\ndata: " + key + b"\n\ndata: {}\n\n", EVENTS),
    "no type": lambda key: (key, ()),
    "bytes": lambda key: (bytes(300) + key + bytes(300), (("Content-Type", "application/octet-stream"),)),
    "a picture": lambda key: (b"\x89PNG" + bytes(300) + key, (("Content-Type", "image/png"),)),
    "twice": lambda key: (key + key + b" " + key, TEXT),
    "base64": lambda key: (b"Basic " + base64.b64encode(b"user:" + key), TEXT),
    "base64url": lambda key: (base64.urlsafe_b64encode(b"?" + key).rstrip(b"="), TEXT),
    "base64 in lines": lambda key: (base64.encodebytes(words(70) + key), TEXT),
    "hex": lambda key: (key.hex().encode(), TEXT),
    "percent": lambda key: ("".join(f"%{byte:02X}" for byte in key).encode(), TEXT),
    "JSON escapes": lambda key: ("".join(f"\\u{byte:04x}" for byte in key).encode(), TEXT),
    "reversed": lambda key: (key[::-1], TEXT),
    "UTF-16": lambda key: (key.decode().encode("utf-16"), (("Content-Type", "text/plain; charset=utf-16"),)),
    "gzip": _coded("gzip", lambda data: gzip.compress(data, mtime=0)),
    "br": _coded("br", brotli.compress),
    "zstd": _coded("zstd", lambda data: zstandard.ZstdCompressor().compress(data)),
    "deflate": _coded("deflate", zlib.compress),
    "gzip, gzip": _coded("gzip, gzip", lambda data: gzip.compress(gzip.compress(data, mtime=0), mtime=0)),
    "location": _field("Location", "https://a.example/?token={}"),
    "cookie": _field("Set-Cookie", "session={}; Path=/"),
    "tag": _field("ETag", '"{}"'),
    "any field": _field("X-Your-Key"),
    "link": _field("Link", "<https://a.example/{}>; rel=next"),
}


def forms(value: str) -> list[bytes]:
    """Of a credential, as somebody could still read it."""
    raw = value.encode()
    shifted = [base64.b64encode(b"x" * at + raw)[4:-4] for at in range(3)]
    urls = [form.translate(bytes.maketrans(b"+/", b"-_")) for form in shifted]
    wide = raw.decode().encode("utf-16-le")
    quoted = urllib.parse.quote(value).encode()
    return [raw, raw[::-1], raw.hex().encode(), wide, quoted, *shifted, *urls]


@pytest.mark.parametrize("chunk", [0, 1, 13])
@pytest.mark.parametrize("host", [OWN, THEIRS])
@pytest.mark.parametrize("name", ECHOES)
def test_an_echo_is_covered(asked, echo, host, name, chunk):
    """In body and fields, encoded and in any chunks; what is around it arrives."""
    echo.write, echo.chunk = ECHOES[name], chunk
    value = SLOT_VALUE if host == OWN else OTHER_VALUE
    answer = asked(host, get(host))
    assert answer.status == 200
    body, _ = ECHOES[name](value.encode())
    assert echo.sent.endswith(body)  # the upstream did send it
    got = answer.head + answer.body
    text = got.replace(b"\r\n", b"").replace(b"\n", b"")
    assert [form for form in forms(value) if form in text] == []
    decoded = "".join(chr(int(part[2:6], 16)) if part[:2] == "\\u" else "" for part in _escapes(answer.body))
    assert value not in decoded + urllib.parse.unquote(answer.body.decode("latin-1"))
    assert b"*" in got or name == "cookie"  # which does not come through to a bottle on such a route


def _escapes(body: bytes) -> list[str]:
    text = body.decode("latin-1")
    return [text[at : at + 6] for at in range(0, len(text), 6)]


def test_nothing_of_it_is_logged(proxy):
    """At level 2 neither (threats G11)."""
    log = proxy.log_path.read_text()
    assert "egress_response" in log
    for value in (SLOT_VALUE, OTHER_VALUE):
        assert [form for form in forms(value) if form.decode("latin-1") in log] == []


def test_trace(asked, upstream_of_module):
    """The method that echoes does not go out."""
    before = len(upstream_of_module.requests)
    answer = asked(OWN, f"TRACE /g HTTP/1.1\r\nHost: {OWN}\r\n\r\n".encode())
    assert answer.status in (403, 405, 501)
    assert len(upstream_of_module.requests) == before
