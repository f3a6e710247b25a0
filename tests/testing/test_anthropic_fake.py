"""The fake model API: what a client gets from it, what it keeps, and that its pace is the test's."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bot_bottle.testing.anthropic_fake import AnthropicFake
from bot_bottle.testing.model_api import Refuse, Say, Text, ToolUse, Truncate, Usage

BASH = ToolUse("Bash", {"command": "echo 'a \"b\"' > x"})
ANSWER = Say((Text(("I ", "run ", "it.")), BASH), Usage(7, 3, 5, 21))


Connect = Callable[[AnthropicFake], http.client.HTTPConnection]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes connections that are closed with the test."""
    with contextlib.ExitStack() as stack:

        def make(api: AnthropicFake) -> http.client.HTTPConnection:
            connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=30)
            return stack.enter_context(contextlib.closing(connection))

        yield make


def post(connection: http.client.HTTPConnection, body: object) -> http.client.HTTPResponse:
    connection.request("POST", "/v1/messages?beta=true", json.dumps(body), {"X-Api-Key": "k"})
    return connection.getresponse()


def sse(response: http.client.HTTPResponse) -> Iterator[tuple[str, Any]]:
    """Events as they arrive: nothing is read ahead."""
    while line := response.readline():
        name = line.decode().removeprefix("event: ").strip()
        data = json.loads(response.readline().decode().removeprefix("data: "))
        assert response.readline() == b"\n"
        yield name, data


def test_whole_answer(connect: Connect) -> None:
    """Without stream, the turn is one message."""
    with AnthropicFake([ANSWER], tls=False) as api:
        response = post(connect(api), {"model": "m"})
        message = json.loads(response.read())
    assert response.status == 200
    assert [block["type"] for block in message["content"]] == ["text", "tool_use"]
    assert message["content"][0]["text"] == "I run it."
    assert message["content"][1]["input"] == BASH.input
    assert (message["model"], message["stop_reason"]) == ("m", "tool_use")
    assert message["usage"] == {
        "input_tokens": 7,
        "cache_creation_input_tokens": 3,
        "cache_read_input_tokens": 5,
        "output_tokens": 21,
    }


def test_stream_says_the_same(connect: Connect) -> None:
    """Streamed, the deltas add up to the same message; usage is cumulative, as the real API's."""
    with AnthropicFake([ANSWER], tls=False) as api:
        response = post(connect(api), {"model": "m", "stream": True})
        events = list(sse(response))
    assert response.headers["content-type"].startswith("text/event-stream")
    assert [name for name, _ in events] == [
        "message_start", "ping",
        "content_block_start", *["content_block_delta"] * 3, "content_block_stop",
        "content_block_start", *["content_block_delta"] * 2, "content_block_stop",
        "message_delta", "message_stop",
    ]  # fmt: skip
    assert all(data["type"] == name for name, data in events)
    deltas = [data["delta"] for name, data in events if name == "content_block_delta"]
    assert "".join(delta.get("text", "") for delta in deltas) == "I run it."
    assert json.loads("".join(delta.get("partial_json", "") for delta in deltas)) == BASH.input
    start, end = events[0][1]["message"]["usage"], events[-2][1]["usage"]
    assert (start["input_tokens"], start["output_tokens"]) == (7, 1)
    assert (end["input_tokens"], end["output_tokens"]) == (7, 21)
    assert events[-2][1]["delta"]["stop_reason"] == "tool_use"


def test_paced_deltas_wait(connect: Connect) -> None:
    """A paced turn sends a delta only after its permit: one read, one permit, and never one ahead."""
    with AnthropicFake([Say((Text(("a", "b", "c")),), paced=True)], tls=False) as api:
        events = sse(post(connect(api), {"stream": True}))
        for sent, text in enumerate("abc"):
            assert len(api.sent_deltas) == sent
            api.permit()
            delta = next(data for name, data in events if name == "content_block_delta")
            assert delta["delta"]["text"] == text
        assert [name for name, _ in events][-1] == "message_stop"


def test_turns_in_order_then_an_error(connect: Connect) -> None:
    """Each request takes one turn; when there is none left, the client is told so."""
    turns = [Say((Text(("1",)),)), Refuse(402, "billing_error", "no more", {"x-a": "b"})]
    with AnthropicFake(turns, tls=False) as api:
        assert json.loads(post(connect(api), {}).read())["content"][0]["text"] == "1"
        refused = post(connect(api), {})
        assert (refused.status, refused.headers["x-a"]) == (402, "b")
        assert json.loads(refused.read()) == {
            "type": "error", "error": {"type": "billing_error", "message": "no more"},
        }  # fmt: skip
        assert post(connect(api), {}).status == 400
        assert api.played == 2


def test_truncated_stream(connect: Connect) -> None:
    """The connection ends in the middle of the body, as a client must be able to tell."""
    with AnthropicFake([Truncate(ANSWER, 4)], tls=False) as api:
        response = post(connect(api), {"stream": True})
        with pytest.raises(http.client.IncompleteRead):
            response.read()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v1/messages/count_tokens?beta=true", 200),
        ("GET", "/api/claude_code/settings", 404),
        ("GET", "/v1/messages", 404),
        ("POST", "/api/event_logging/v2/batch", 404),
        ("DELETE", "/v1/files/x", 404),
    ],
)
def test_other_paths(connect: Connect, method: str, path: str, status: int) -> None:
    """Everything else is answered without using up a turn."""
    with AnthropicFake([ANSWER], tls=False) as api:
        connection = connect(api)
        connection.request(method, path, b"{}")
        assert connection.getresponse().status == status
        assert (api.played, api.requests[0].method, api.requests[0].target) == (0, method, path)


def test_everything_is_recorded(connect: Connect) -> None:
    """Headers with their case folded and every repetition, the exact body; a planted value is found."""
    with AnthropicFake([ANSWER], tls=False) as api:
        connection = connect(api)
        connection.putrequest("POST", "/v1/messages?q=in-target")
        for name, value in [("X-Api-Key", "one"), ("x-api-key", "two"), ("X-In-Name", "v")]:
            connection.putheader(name, value)
        body = b'{"a": "in-body"}'
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        connection.getresponse().read()
        (request,) = api.model_requests
    assert request.headers["x-api-key"] == ("one", "two")
    assert request.header("X-API-Key") == "one, two"
    assert request.header("authorization") is None
    assert (request.body, request.json()) == (body, {"a": "in-body"})
    assert all(request.contains(text) for text in ("in-target", "two", "x-in-name", "in-body"))
    assert not request.contains("elsewhere")


def test_chunked_requests_are_read(connect: Connect) -> None:
    with AnthropicFake([ANSWER], tls=False) as api:
        connection = connect(api)
        connection.request("POST", "/v1/messages", iter([b'{"a"', b": 1}"]), encode_chunked=True)
        connection.getresponse().read()
        assert api.requests[0].json() == {"a": 1}


def test_tls_under_its_own_authority() -> None:
    """The API's name verifies against the fake's CA, a client that does not know it gets nowhere."""
    with AnthropicFake([ANSWER]) as api:
        trusting = ssl.create_default_context(cadata=api.ca_pem)
        with trusting.wrap_socket(_connect(api), server_hostname="api.anthropic.com") as tls:
            tls.sendall(b"GET / HTTP/1.1\r\nhost: api.anthropic.com\r\n\r\n")
            assert tls.recv(12) == b"HTTP/1.1 404"
        for context, name in [(ssl.create_default_context(), "api.anthropic.com"), (trusting, "example.com")]:
            with _connect(api) as plain, pytest.raises(ssl.SSLCertVerificationError):
                context.wrap_socket(plain, server_hostname=name)


def _connect(api: AnthropicFake) -> socket.socket:
    return socket.create_connection(("127.0.0.1", api.port), timeout=30)
