"""The real Pi, headless and on a terminal, in a real bottle, against fakes of the servers that it talks to.

Asserted on what the fake received: the operator's own key, or none at all; the tool's result out of the bottle.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from agents_support import LOOK, client_of, installed

from bot_bottle.testing.model_api import Say, Text, ToolUse
from bot_bottle.testing.openai_fake import OpenAIFake

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm to install the pinned client"),
]

KEY = "key-made-for-this-test-of-the-operator-0002"
DONE = Say((Text(("All done", ", as asked.")),))


@pytest.fixture(scope="session")
def tree() -> Path:
    return installed("pi")


@pytest.fixture
def client(person, tree: Path) -> Iterator[None]:
    with client_of(person, tree):
        yield


def bash(command: str) -> Say:
    return Say((Text(("I run it.",)), ToolUse("bash", {"command": command})))


def test_a_model_server_on_this_machine(person, client) -> None:
    """Without settings: an Ollama on the operator's loopback, in the clear, without a credential."""
    with OpenAIFake([bash(LOOK), DONE], tls=False) as api:
        connect = f"host.bot-bottle.internal:11434:127.0.0.1:{api.port}"
        done = person.run("run", "--provider", "pi", "--connect-to", connect, "-p", "do it")
    assert (done.returncode, done.stdout) == (0, "All done, as asked.\n"), done.stderr
    assert len(api.model_requests) == 2
    assert "marker-42" in api.model_requests[-1].body.decode()
    for request in api.requests:
        assert (request.method, request.path) == ("POST", "/v1/chat/completions")
        assert request.header("authorization") is None
        assert request.json()["model"] == "qwen3:14b"
