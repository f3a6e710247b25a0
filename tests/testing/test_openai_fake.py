"""The fake OpenAI API: both dialects, whole and streamed, and the paths that are not the model's."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from bot_bottle.testing.model_api import Refuse, Say, Text, ToolUse, Truncate, Usage
from bot_bottle.testing.openai_fake import OpenAIFake

ANSWER = Say((Text(("I ", "run it.")), ToolUse("bash", {"command": "ls"})), Usage(7, 3, 5, 21))
CUSTOM = Say((ToolUse("exec", {}, raw="text(1)"),))


@contextlib.contextmanager
def asked(
    api: OpenAIFake, path: str, body: object, headers: dict[str, str] | None = None, method: str = "POST"
) -> Iterator[http.client.HTTPResponse]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", api.port, timeout=30)) as connection:
        connection.request(method, path, json.dumps(body), headers or {})
        yield connection.getresponse()


def events(response: http.client.HTTPResponse) -> list[Any]:
    """The data of each event; names are checked against it."""
    found: list[Any] = []
    name = None
    for line in response.read().decode().splitlines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line == "data: [DONE]":
            found.append("[DONE]")
        elif line.startswith("data: "):
            found.append(json.loads(line.removeprefix("data: ")))
            assert name == found[-1].get("type")
    return found


@pytest.mark.parametrize("path", ["/v1/responses", "/backend-api/codex/responses"])
def test_streamed_response(path: str) -> None:
    """Items are added, filled by deltas and done; the last event has all of them and the usage."""
    with OpenAIFake([ANSWER], tls=False) as api, asked(api, path, {"model": "m", "stream": True}) as response:
        got = events(response)
    assert [event["type"] for event in got] == [
        "response.created",
        "response.output_item.added", "response.output_text.delta", "response.output_text.delta",
        "response.output_item.done",
        "response.output_item.added", "response.function_call_arguments.delta", "response.output_item.done",
        "response.completed",
    ]  # fmt: skip
    done = got[-1]["response"]
    assert [item["type"] for item in done["output"]] == ["message", "function_call"]
    assert done["output"][0]["content"][0]["text"] == "I run it."
    assert json.loads(done["output"][1]["arguments"]) == {"command": "ls"}
    assert (done["model"], done["usage"]["input_tokens"], done["usage"]["output_tokens"]) == ("m", 15, 21)
    assert api.sent_deltas == ("I ", "run it.", '{"command": "ls"}')


def test_custom_tool() -> None:
    """A tool that takes text gets it as ``input``."""
    with OpenAIFake([CUSTOM], tls=False) as api, asked(api, "/v1/responses", {"model": "m"}) as response:
        (item,) = json.loads(response.read())["output"]
    assert (item["type"], item["name"], item["input"]) == ("custom_tool_call", "exec", "text(1)")


def test_streamed_chat() -> None:
    body = {"model": "m", "stream": True}
    with OpenAIFake([ANSWER], tls=False) as api, asked(api, "/v1/chat/completions", body) as response:
        *chunks, usage, end = events(response)
    assert end == "[DONE]"
    assert (usage["choices"], usage["usage"]["prompt_tokens"]) == ([], 15)
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert "".join(delta.get("content", "") for delta in deltas) == "I run it."
    (call,) = [call for delta in deltas for call in delta.get("tool_calls", [])]
    assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == (
        "bash",
        {"command": "ls"},
    )
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_whole_chat() -> None:
    with (
        OpenAIFake([ANSWER], tls=False) as api,
        asked(api, "/v1/chat/completions", {"model": "m"}) as response,
    ):
        (choice,) = json.loads(response.read())["choices"]
    assert choice["message"]["content"] == "I run it."
    assert choice["message"]["tool_calls"][0]["function"]["name"] == "bash"


def test_refusal_and_end_of_the_script() -> None:
    """Both in the API's shape."""
    with OpenAIFake([Refuse(429, "insufficient_quota", "no more", {"x-a": "b"})], tls=False) as api:
        with asked(api, "/v1/responses", {}) as response:
            assert (response.status, response.headers["x-a"]) == (429, "b")
            assert json.loads(response.read())["error"]["message"] == "no more"
        with asked(api, "/v1/responses", {}) as response:
            assert response.status == 400
    assert api.played == 1


def test_truncated() -> None:
    turns = [Truncate(ANSWER, 3)]
    with (
        OpenAIFake(turns, tls=False) as api,
        asked(api, "/v1/responses", {"stream": True}) as response,
        pytest.raises(http.client.IncompleteRead),
    ):
        response.read()


def test_other_paths() -> None:
    """The account, an upgrade that is refused, and nothing else; all of it is kept."""
    with OpenAIFake([], tls=False, account="acct") as api:
        with asked(api, "/backend-api/wham/accounts/check", None, method="GET") as response:
            assert json.loads(response.read())["accounts"][0]["id"] == "acct"
        with asked(api, "/v1/responses", None, {"Upgrade": "websocket"}, method="GET") as response:
            assert response.status == 426
        with asked(api, "/v1/files", None, method="GET") as response:
            assert response.status == 404
    assert [request.path for request in api.requests] == [
        "/backend-api/wham/accounts/check", "/v1/responses", "/v1/files",
    ]  # fmt: skip
    assert api.model_requests == ()


def test_a_title_is_no_turn() -> None:
    """What Codex asks beside the conversation does not eat the script."""
    body = {"stream": True, "text": {"format": {"type": "json_schema", "name": "x"}}}
    with OpenAIFake([], tls=False) as api, asked(api, "/v1/responses", body) as response:
        (item,) = events(response)[-1]["response"]["output"]
    assert json.loads(item["content"][0]["text"]) == {"title": "A title"}
    assert (api.played, len(api.model_requests)) == (0, 1)


def test_a_packed_body_is_taken_for_a_stream() -> None:
    packed = {"Content-Encoding": "zstd"}
    with OpenAIFake([ANSWER], tls=False) as api, asked(api, "/v1/responses", None, packed) as response:
        assert events(response)[-1]["type"] == "response.completed"
