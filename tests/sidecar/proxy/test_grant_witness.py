"""An allowed host is a grant: whatever channel names another account, nothing lands in that (threats E1, E6).

The witness is a host that takes an account out of anything (``testing.account_host``). Each channel is tried on
three kinds of route that only let a list through, and, as the control, on a route without such rules, where it
arrives; what an honest client sends arrives on all.
"""

from __future__ import annotations

import base64
import random
import re
from collections.abc import Callable
from typing import Any

import pytest

from bot_bottle.testing.account_host import LOGIN, SESSION, AccountHost

RANDOM = random.Random(20261124)
ATTACKER = f"{RANDOM.randrange(16**32):032x}"
OURS = "0urs" + f"{RANDOM.randrange(16**28):028x}"

CREDENTIALED = "api.example.com"
PROVIDER = "api.anthropic.com"
LISTED = "registry.example.com"
CONTROL = "open.example.com"
OFF = "dlp: {outbound_detectors: false, inbound_detectors: false}"
"""What is proven here has to hold without a scanner."""
POLICY = f"""
routes:
  - host: {CREDENTIALED}
    auth_scheme: Bearer
    token_env: T
    matches: [{{paths: [{{value: /v1}}]}}]
    {OFF}
  - host: {PROVIDER}
    provider: claude
    auth: [{{scheme: raw, header: x-api-key, token_env: T}}]
    matches: [{{paths: [{{value: /v1}}]}}]
    {OFF}
  - host: {LISTED}
    headers: false
    matches: [{{paths: [{{value: /v1}}]}}]
    {OFF}
  - host: {CONTROL}
    auth: {{scheme: passthrough}}
    {OFF}
"""
GUARDED = (CREDENTIALED, PROVIDER, LISTED)


def header(name: str, value: str = "{}") -> Callable[[str], str]:
    """A request with the field; ``{}`` is the secret."""
    return lambda host: (
        f"GET /v1/x HTTP/1.1\r\nHost: {host}\r\n{name.format(ATTACKER)}: {value.format(ATTACKER)}\r\n\r\n"
    )


def target(text: str) -> Callable[[str], str]:
    """A request for the path and query."""
    return lambda host: f"GET {text.format(ATTACKER)} HTTP/1.1\r\nHost: {host}\r\n\r\n"


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def encoded(text: str) -> str:
    return "".join(f"%{ord(char):02X}" for char in text)


CHANNELS: dict[str, Callable[[str], str]] = {
    # fields that are a credential
    "bearer": header("Authorization", "Bearer {}"),
    "basic, password": header("Authorization", basic("x", ATTACKER)),
    "basic, user": header("Authorization", basic(ATTACKER, "")),
    "authorization in another case": header("aUTHORIZATION", "token {}"),
    "authorization twice": header("Authorization", "Bearer x\r\nAuthorization: Bearer {}"),
    "x-api-key twice": header("X-Api-Key", "x\r\nx-api-key: {}"),
    "x-api-key": header("X-Api-Key"),
    "x_api_key": header("X_Api_Key"),
    "api-key": header("api-key"),
    "x-goog-api-key": header("x-goog-api-key"),
    "private-token": header("PRIVATE-TOKEN"),
    "x-auth-token": header("X-Auth-Token"),
    "security token": header("X-Amz-Security-Token"),
    "cookie": header("Cookie", SESSION + "={}"),
    # fields that name an account, a project, a person, a place
    "organization": header("OpenAI-Organization"),
    "project": header("x-goog-user-project"),
    "account": header("chatgpt-account-id"),
    "origin": header("Origin", "https://{}.example"),
    "referer": header("Referer", "https://example/{}"),
    "from": header("From", "{}@example"),
    "forwarded for": header("X-Forwarded-For"),
    "forwarded user": header("X-Forwarded-User"),
    "forwarded": header("Forwarded", "for={}"),
    "original url": header("X-Original-URL", "/v1/{}"),
    "client certificate": header("X-SSL-Client-Cert"),
    # tracing
    "traceparent": header("traceparent", "00-{}-00f067aa0ba902b7-01"),
    "baggage": header("baggage", "account={}"),
    "request id": header("X-Request-Id"),
    "any other": header("X-Whatever"),
    "a field's name": header("X-{}", "1"),
    # free text in fields that pass
    "user agent": header("User-Agent", "{}/1"),
    "user agent, version": header("User-Agent", "agent/{}"),
    "user agent, comment": header("User-Agent", "agent/1 ({})"),
    "accept": header("Accept", "application/{}"),
    "accept, parameter": header("Accept", "application/json;account={}"),
    "accept-language": header("Accept-Language", "en, {}"),
    "accept-encoding": header("Accept-Encoding", "gzip, {}"),
    "content-type": header("Content-Type", "application/json; account={}"),
    "content-language": header("Content-Language"),
    "content-encoding": header("Content-Encoding"),
    "cache-control": header("Cache-Control", 'private="{}"'),
    "pragma": header("Pragma", "account={}"),
    "range": header("Range", "{}=0-1"),
    "if-none-match without quotes": header("If-None-Match"),
    "if-modified-since": header("If-Modified-Since"),
    "git-protocol": header("Git-Protocol", "version=2:account={}"),
    "anthropic-version": header("anthropic-version"),
    "anthropic-beta": header("anthropic-beta", "oauth-2025-04-20,{}"),
    "x-app": header("x-app"),
    # the query
    "key": target("/v1/x?key={}"),
    "api_key": target("/v1/x?a=1&api_key={}"),
    "access_token": target("/v1/x?access_token={}"),
    "token": target("/v1/x?token={}"),
    "auth": target("/v1/x?auth={}"),
    "client_id": target("/v1/x?client_id={}&client_secret=y"),
    "signature of Azure": target("/v1/x?sv=2022-11-02&se=2030-01-01&sp=rw&sig={}"),
    "signature of AWS": target("/v1/x?X-Amz-Credential={}%2F20260101&X-Amz-Signature=0"),
    "signature of Google": target("/v1/x?X-Goog-Signature={}"),
    "older signature of AWS": target("/v1/x?AWSAccessKeyId={}&Signature=x&Expires=1"),
    "an encoded name": target(f"/v1/x?{encoded('api_key')}={{}}"),
    "an array": target("/v1/x?token[]={}"),
    "within an array": target("/v1/x?a[access_token]={}"),
    "behind a semicolon": target("/v1/x?a=1;api_key={}"),
    "another case": target("/v1/x?Api-Key={}"),
    # the path
    "path, bot": target("/v1/bot123456:{}/send"),
    "path, bot encoded": target("/v1/bot123456%3A{}/send"),
    "path, parameter": target("/v1/x;token={}"),
    "path, assignment": target("/v1/api_key={}/x"),
    "path, user and password": target("/v1/a:{}@host/x"),
    "path, another tree": target("/accounts/{}/inbox"),
    "path, climbing": target("/v1/../accounts/{}/inbox"),
}
"""By name."""


@pytest.fixture(scope="module")
def host():
    return AccountHost({"attacker": ATTACKER, "ours": OURS})


@pytest.fixture(scope="module")
def listening(host):
    with host.serve() as upstream:
        yield upstream
    assert upstream.failures == []


@pytest.fixture(scope="module")
def proxy(run_shared_proxy, listening, to):
    pairs = [(name, 443) for name in (*GUARDED, CONTROL)]
    return run_shared_proxy(POLICY, upstream=listening, tokens={"T": OURS}, connect_to=to(listening, *pairs))


_OPEN: dict[tuple[int, str], Any] = {}
"""By proxy and host: the connection of the last request, where it was kept open. A handshake costs 0.1 s."""


def send(proxy, host: str, request: str) -> int:
    """The status of the answer."""
    client = _OPEN.pop((id(proxy), host), None) or proxy.tls(host)
    client.send(request.encode("latin-1"))
    answer = client.answer()
    if answer.headers.get("connection") != "close":
        _OPEN[id(proxy), host] = client
    return answer.status


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_attackers_account_stays_empty(proxy, host, channel):
    """On each kind of guarded route: the field falls away, or the request does."""
    for name in GUARDED:
        status = send(proxy, name, CHANNELS[channel](name))
        assert status in (200, 400, 403, 404), channel
    assert [request for request in host.of("attacker") if request.header("host") != CONTROL] == [], channel


DROPPED_EVERYWHERE = {"forwarded for", "forwarded user", "forwarded", "original url"}
"""On every route, since they make a server judge another request (threats D4)."""
OURS_TO_SAY = {"accept-encoding"}
"""Which codings an answer may have is for the one to say who has to read it."""


def test_the_control_leaks(proxy, host):
    """The same requests on a route without such rules: all but those arrive, each under the attacker's account."""
    arrived = set()
    for channel, make in CHANNELS.items():
        before = len(host.of("attacker"))
        assert send(proxy, CONTROL, make(CONTROL)) == 200, channel
        if len(host.of("attacker")) > before:
            arrived.add(channel)
    assert CHANNELS.keys() - arrived - OURS_TO_SAY == DROPPED_EVERYWHERE
    assert len(arrived) >= 60


LEGITIMATE = [
    "GET /v1/x HTTP/1.1\r\nHost: {}\r\nAccept: */*\r\nUser-Agent: curl/8.5.0\r\n\r\n",
    'GET /v1/x?page_token=abc&limit=5 HTTP/1.1\r\nHost: {}\r\nIf-None-Match: W/"0815"\r\n\r\n',
    "GET /v1/x HTTP/1.1\r\nHost: {}\r\nRange: bytes=0-99\r\nAccept-Encoding: gzip, br\r\n\r\n",
    "GET /v1/@scope%2fname HTTP/1.1\r\nHost: {}\r\n\r\n".replace("%2f", "/"),
    "POST /v1/messages?beta=true HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n"
    "anthropic-version: 2023-06-01\r\nContent-Length: 2\r\n\r\n{{}}",
    "POST /v1/x HTTP/1.1\r\nHost: {}\r\nContent-Type: multipart/form-data; boundary=abc\r\n"
    "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "DELETE /v1/x HTTP/1.1\r\nHost: {}\r\n\r\n",
]


@pytest.mark.parametrize("request_text", LEGITIMATE)
def test_what_an_honest_client_sends_arrives(proxy, host, request_text):
    """As ours where our credential stands, under no account where none does; never under another."""
    for name in GUARDED:
        mine, nobodys = len(host.of("ours")), len(host.unclaimed)
        assert send(proxy, name, request_text.format(name)) == 200
        if name == LISTED:
            assert len(host.unclaimed) == nobodys + 1
        else:
            assert len(host.of("ours")) == mine + 1


def test_the_clients_key_beside_ours(proxy, host):
    """The request goes out under ours alone, once."""
    before = len(host.of("ours"))
    for name in (CREDENTIALED, PROVIDER):
        assert send(proxy, name, CHANNELS["bearer"](name)) == 200
    assert len(host.of("ours")) == before + 2


def test_a_session_is_not_opened(proxy, host):
    """A login that the host answers with a cookie gives the client none; on the control it does."""
    for name, kept in ((CREDENTIALED, False), (LISTED, False), (CONTROL, True)):
        client = proxy.tls(name)
        client.send(f"GET /v1{LOGIN}attacker HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
        assert (ATTACKER.encode() in client.answer().head) is kept
        client.close()


def test_a_trailer_says_nothing(proxy, listening):
    """What stands behind a body is not passed on."""
    for name in GUARDED:
        before = len(listening.raw)
        send(
            proxy,
            name,
            f"POST /v1/x HTTP/1.1\r\nHost: {name}\r\nTransfer-Encoding: chunked\r\nTrailer: X-Api-Key\r\n\r\n"
            f"1\r\na\r\n0\r\nX-Api-Key: {ATTACKER}\r\n\r\n",
        )
        assert ATTACKER.encode() not in listening.raw[before:]


def test_userinfo_is_no_host(proxy, listening):
    """``https://user:secret@host/`` in the request line or in Host is refused."""
    before = len(listening.raw)
    for line in (f"GET https://x:{ATTACKER}@{CREDENTIALED}/v1/x", "GET /v1/x"):
        client = proxy.tls(CREDENTIALED)
        client.send(f"{line} HTTP/1.1\r\nHost: x:{ATTACKER}@{CREDENTIALED}\r\n\r\n".encode())
        assert client.answer().status == 403
        client.close()
    assert ATTACKER.encode() not in listening.raw[before:]


def test_no_refusal_repeats_the_secret(proxy):
    """Reason and hint name the key as it is documented, never a value."""
    client = proxy.tls(CREDENTIALED)
    client.send(f"GET /v1/x?Access-Token={ATTACKER} HTTP/1.1\r\nHost: {CREDENTIALED}\r\n\r\n".encode())
    answer = client.answer()
    assert (answer.status, ATTACKER.encode() in answer.body) == (403, False)
    assert re.search(r"credential or identity \(access_token\)", answer.reason)
