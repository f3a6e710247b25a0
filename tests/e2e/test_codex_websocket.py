"""The real Codex over its WebSocket, in a real bottle, against a fake API that takes it up.

Asserted on what the fake received: the operator's own credential with the handshake and in no message, the tool's
result in a later message of the same connection.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agents_support import LOOK, client_of, installed

from bot_bottle.providers.contract import PLACEHOLDER
from bot_bottle.testing.model_api import Say, Text, ToolUse, Truncate
from bot_bottle.testing.openai_fake import OpenAIFake
from bot_bottle.testing.scripted_api import MESSAGE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm to install the pinned client"),
]

KEY = "key-made-for-this-test-of-the-operator-0001"
TOKEN = "token-made-for-this-test-of-the-operator-0003"
DONE = Say((Text(("All done", ", as asked.")),))


@pytest.fixture(scope="session")
def tree() -> Path:
    return installed("codex")


@pytest.fixture
def client(person, tree: Path) -> Iterator[None]:
    with client_of(person, tree):
        yield


def shell(command: str) -> Say:
    """The model reaches the shell through a tool that runs JavaScript."""
    script = f"text(JSON.stringify(await tools.exec_command({{cmd: {json.dumps(command)}}})))"
    return Say((Text(("I run it.",)), ToolUse("exec", {}, raw=script)))


def ways(person, api: OpenAIFake) -> list[str]:
    ca = person.write("api.pem", api.ca_pem)
    hosts = ("api.openai.com", "chatgpt.com")
    return [
        *(word for host in hosts for word in ("--connect-to", f"{host}:443:127.0.0.1:{api.port}")),
        *("--extra-ca", str(ca)),
    ]


def login(account: str) -> str:
    """The host's own ``auth.json``."""
    tokens = {"access_token": TOKEN, "account_id": account, "refresh_token": "r"}
    return json.dumps({"auth_mode": "chatgpt", "tokens": tokens})


def said(api: OpenAIFake) -> list[dict[str, Any]]:
    """The messages that asked for an answer."""
    return [request.json() for request in api.requests if request.method == MESSAGE]


def test_a_turn_with_a_tool_call(person, client) -> None:
    """One connection carries the whole turn, and nothing is asked by POST. The key is in the handshake alone."""
    looking = shell(LOOK + "; cat ~/.codex/auth.json")
    with OpenAIFake([looking, DONE], websocket=True) as api:
        done = person.run(
            "run", "--provider", "codex", *ways(person, api), "-p", "do it", env={"CODEX_API_KEY": KEY}
        )
    assert (done.returncode, done.stdout) == (0, "All done, as asked.\n"), done.stderr
    opening, *messages = api.requests
    assert (opening.method, opening.path) == ("GET", "/v1/responses")
    assert opening.header("authorization") == f"Bearer {KEY}"
    assert opening.header("openai-beta") == "responses_websockets=2026-02-06"
    assert {request.method for request in messages} == {MESSAGE}
    warm, first, second = said(api)
    assert {message["type"] for message in (warm, first, second)} == {"response.create"}
    assert warm["generate"] is False
    assert "do it" in json.dumps(first)
    assert second["previous_response_id"] == "resp_0001"  # only what is new is sent
    result = json.dumps(second)
    assert "marker-42" in result and PLACEHOLDER in result
    assert re.search(r"[A-Z]+_[A-Z]+_SECRET=\*{8}", result), "the bait went out, or was not there"
    assert not any(KEY.encode() in request.body for request in messages)
    assert KEY not in done.stderr


def test_chatgpt_login(person, client) -> None:
    """The same for chatgpt.com: token and account are set outside, with the handshake."""
    person.write(".codex/auth.json", login("acct-of-the-operator"))
    person.write(
        ".bot-bottle/bottles/b.md",
        "---\nagent_provider: {template: codex, forward_host_credentials: true}\n---\n",
    )
    with OpenAIFake([shell(LOOK), DONE], account="acct-of-the-operator", websocket=True) as api:
        done = person.run("run", "--bottle", "b", *ways(person, api), "-p", "do it")
    assert (done.returncode, done.stdout) == (0, "All done, as asked.\n"), done.stderr
    openings = [request for request in api.requests if request.method == "GET" and request.header("upgrade")]
    assert {request.path for request in openings} == {"/backend-api/codex/responses"}
    for request in openings:
        assert request.header("authorization") == f"Bearer {TOKEN}"
        assert request.header("chatgpt-account-id") == "acct-of-the-operator"
    assert not any(request.method == "POST" for request in api.requests)
    assert "marker-42" in json.dumps(said(api)[-1])
    assert not any(TOKEN.encode() in request.body for request in api.requests)


def test_an_upstream_that_takes_up_none(person, client) -> None:
    """426 of the API's own reaches the client, which goes over to POST at once and without a word."""
    with OpenAIFake([shell("echo marker-$((40 + 2))"), DONE]) as api:
        done = person.run(
            "run", "--provider", "codex", *ways(person, api), "-p", "do it", env={"CODEX_API_KEY": KEY}
        )
    assert (done.returncode, done.stdout) == (0, "All done, as asked.\n"), done.stderr
    assert [request.method for request in api.requests] == ["GET", "POST", "POST"]
    assert "marker-42" in api.requests[-1].body.decode()
    assert "Falling back" not in done.stderr


def test_a_connection_that_breaks_off(person, client) -> None:
    """Amid an answer: the client connects again and asks once more; the turn ends well."""
    with OpenAIFake([Truncate(DONE, 2), DONE], websocket=True) as api:
        done = person.run(
            "run", "--provider", "codex", *ways(person, api), "-p", "do it", env={"CODEX_API_KEY": KEY}
        )
    assert (done.returncode, done.stdout) == (0, "All done, as asked.\n"), done.stderr
    assert (
        len([request for request in api.requests if request.header("upgrade") and request.method == "GET"])
        == 2
    )
