"""Level 2 of the log, written by the real proxy: what is in it, and what never is."""

from __future__ import annotations

import base64
import gzip
import json

import pytest
from dlp_support import TOKEN
from websocket_support import WebSocketUpstream, opened

from bot_bottle.sidecar.proxy.recording import (
    KEPT_BYTES,
    SHOWN_BYTES,
    UNSURE_BYTES,
    Excerpt,
    everything_redacted,
)
from bot_bottle.testing.upstream import FakeUpstream, RecordedRequest, UpstreamConnection

HOST = "api.example.com"
KEY = "key-of-the-operator-0123456789"
SECRET = "a-value-that-nobody-may-read-in-a-log"
POLICY = f"log: 2\nroutes: [{{host: {HOST}, auth_scheme: Bearer, token_env: T, headers: [x-note, cookie]}}]\n"


def mask(text: str) -> str:
    return text.replace(SECRET, "********")


@pytest.fixture
def recorded(run_proxy, to):
    """``recorded(responder, request)``: the proxy's traffic records of one exchange, and the raw log."""

    def start(responder, request: bytes, policy: str = POLICY):
        with FakeUpstream(responder) as upstream:
            proxy = run_proxy(
                policy, upstream=upstream, connect_to=to(upstream, (HOST, 443)), tokens={"T": KEY}
            )
            proxy.server._gateway.redact = mask
            client = proxy.tls(HOST)
            client.send(request)
            client.answer()
            client.close()
            assert upstream.requests[0].header("authorization") == f"Bearer {KEY}"
        records = [
            record for record in proxy.records() if record["event"] in ("egress_request", "egress_response")
        ]
        return records, proxy.log_path.read_text()

    return start


def test_a_request_and_its_response(recorded) -> None:
    """Both, with headers and bodies, every text redacted; fields that carry a credential are left out."""

    def echo(request: RecordedRequest, connection: UpstreamConnection) -> None:
        more = [
            ("X-Echo", request.header("authorization") or ""),
            ("Set-Cookie", "sid=1"),
            ("X-S", f"a {SECRET}"),
        ]
        connection.reply(201, b"you said: " + request.body, [("Content-Type", "text/plain"), *more[1:]])

    body = f'{{"a": "{SECRET}"}}'.encode()
    request, response = recorded(
        echo,
        b"POST /v1/x?q=%b HTTP/1.1\r\nHost: %b\r\nAuthorization: Bearer theirs\r\nCookie: c=1\r\nX-Note: %b\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (SECRET.encode(), HOST.encode(), SECRET.encode(), len(body), body),
    )[0]
    assert request["path"] == "/v1/x?q=********"
    assert (request["method"], request["host"], request["port"]) == ("POST", HOST, 443)
    assert request["headers"] == [["Host", HOST], ["X-Note", "********"]]
    assert (request["body"], request["body_bytes"]) == ('{"a": "********"}', len(body))
    assert (response["status"], response["request"]) == (201, request["request"])
    assert response["headers"] == [
        ["Content-Type", "text/plain"],
        ["X-S", "a ********"],
        ["Content-Length", "56"],
    ]
    assert response["body"] == 'you said: {"a": "********"}'


def test_no_secret_is_in_the_log(recorded) -> None:
    """Wherever it stands, the cut amid it included."""
    body = b"x" * (SHOWN_BYTES - 10) + SECRET.encode() * 200 + b"y" * 40_000

    def answer(request: RecordedRequest, connection: UpstreamConnection) -> None:
        connection.reply(200, gzip.compress(request.body), [("Content-Encoding", "gzip"), (SECRET, "v")])

    records, log = recorded(
        answer,
        b"POST / HTTP/1.1\r\nHost: %b\r\nContent-Length: %d\r\n\r\n%b" % (HOST.encode(), len(body), body),
    )
    assert [record["body_bytes"] > 0 for record in records] == [True, True]
    assert all("********" in record["body"] for record in records)
    assert SECRET not in log and SECRET[:12] not in log and KEY not in log


def test_a_body_that_is_no_text_is_only_counted(recorded) -> None:
    def answer(request: RecordedRequest, connection: UpstreamConnection) -> None:
        connection.reply(200, b"\x00\xff" * 100, [("Content-Encoding", "br")])

    request, response = recorded(answer, b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % HOST.encode())[0]
    assert request["body_bytes"] == 0 and "body" not in request
    assert response["body_bytes"] == 200 and "body" not in response


@pytest.mark.parametrize("level", [0, 1])
def test_below_level_2_there_is_no_traffic(recorded, level: int) -> None:
    request = b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % HOST.encode()
    answer = lambda request, connection: connection.reply(200, b"x")  # noqa: E731
    assert recorded(answer, request, POLICY.replace("log: 2", f"log: {level}"))[0] == []


def test_without_a_scanner_nothing_is_shown(run_proxy, to, upstream) -> None:
    """The default redactor: every value and body is gone."""
    proxy = run_proxy(POLICY, upstream=upstream, connect_to=to(upstream, (HOST, 443)), tokens={"T": KEY})
    proxy.server._gateway.redact = everything_redacted
    client = proxy.tls(HOST)
    client.send(
        b"POST /%b HTTP/1.1\r\nHost: %b\r\nX-Note: n\r\nContent-Length: 5\r\n\r\nhello"
        % (b"p", HOST.encode())
    )
    client.answer()
    client.close()
    (request, _) = [record for record in proxy.records() if record["event"].startswith("egress_re")]
    assert (request["path"], request["body"]) == ("[redacted]", "[redacted]")
    assert {tuple(field) for field in request["headers"]} == {("[redacted]", "[redacted]")}


@pytest.mark.parametrize("size", [0, 1, SHOWN_BYTES, SHOWN_BYTES + 1, KEPT_BYTES, KEPT_BYTES + 1, 100_000])
@pytest.mark.parametrize("step", [1000, 7, 100_000])
def test_an_excerpt_is_the_beginning(size: int, step: int) -> None:
    text = "".join(chr(0x61 + index % 26) for index in range(size))
    excerpt = Excerpt()
    for at in range(0, size, step):
        excerpt.add(text[at : at + step].encode())
    shown = excerpt.shown(lambda text: text)
    assert shown["body_bytes"] == size
    assert shown.get("body", "") == text[:SHOWN_BYTES]


def test_what_redaction_shortens_shows_nothing_unsure() -> None:
    """A body that is nearly all secrets: after redaction its end is near, and what begins there is left out."""
    excerpt = Excerpt()
    excerpt.add((SECRET.encode() * 2000)[: KEPT_BYTES * 2])
    shown = str(excerpt.shown(lambda text: text.replace(SECRET, "*"))["body"])
    assert SECRET[:5] not in shown and len(shown) <= max(
        0, KEPT_BYTES // len(SECRET) + len(SECRET) - UNSURE_BYTES
    )


def test_token_events_are_written_at_every_level(run_proxy) -> None:
    """With the proposal's id (ruling 11)."""
    proxy = run_proxy("log: 0\nroutes: []\n")
    proxy.server.log.token("egress_token_allowed", "p-1", host=HOST)
    (record,) = proxy.records()
    assert json.loads(json.dumps(record)) | {"time": ""} == {
        "time": "", "event": "egress_token_allowed", "proposal": "p-1", "host": HOST,
    }  # fmt: skip


def test_messages_of_a_websocket(through) -> None:
    """The handshake is a request and a response; each message is a record of its own, redacted."""
    with WebSocketUpstream() as upstream:
        proxy, client = through(upstream, "log: 2\nroutes: [{host: ws.example.com}]\n")
        proxy.server._gateway.redact = mask
        end = opened(client)
        end.say(f"say {SECRET}")
        assert end.message() == f"say {SECRET}"
        end.say(b"\xff\x00")
        end.message()
        end.close()
        end.until_end()
    request, response, *messages = [r for r in proxy.records() if r["event"].startswith("egress_")]
    assert (request["event"], response["status"], len(messages)) == ("egress_request", 101, 4)
    assert [(m["by"], m["kind"], m.get("body"), m["body_bytes"]) for m in messages] == [
        ("bottle", "text", "say ********", 4 + len(SECRET)),
        ("upstream", "text", "say ********", 4 + len(SECRET)),
        ("bottle", "binary", None, 2),
        ("upstream", "binary", None, 2),
    ]
    assert SECRET not in proxy.log_path.read_text()


def test_the_real_scanner_redacts(run_proxy, to, upstream) -> None:
    """What the route lets through is covered in the log all the same: patterns, slots, in encodings too."""
    encoded = base64.b64encode(KEY.encode()).decode()
    proxy = run_proxy(
        f"log: 2\nroutes: [{{host: {HOST}, dlp: {{outbound_detectors: false}}}}]\n",
        upstream=upstream,
        connect_to=to(upstream, (HOST, 443)),
        tokens={"EGRESS_TOKEN_0": KEY},
    )
    client = proxy.tls(HOST)
    body = f"see {TOKEN} and {KEY} and {encoded}".encode()
    client.send(
        b"POST /%b HTTP/1.1\r\nHost: %b\r\nX-Note: %b\r\nContent-Length: %d\r\n\r\n%b"
        % (TOKEN.encode(), HOST.encode(), KEY.encode(), len(body), body)
    )
    assert client.answer().status == 200
    assert upstream.requests[0].body == body
    client.close()
    (request, _) = [record for record in proxy.records() if record["event"].startswith("egress_re")]
    assert request["body"] == "see ******** and ******** and ********"
    assert request["path"] == "/********"
    assert ["X-Note", "********"] in request["headers"]
    log = proxy.log_path.read_text()
    assert not any(secret in log for secret in (TOKEN, KEY, encoded))
