"""The real Pi, headless and on a terminal, in a real bottle, against fakes of the servers that it talks to.

Asserted on what the fake received: the operator's own key, or none at all; the tool's result out of the bottle.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from agents_support import LOOK, Screen, client_of, installed, loud, refused_hosts

from bot_bottle.providers.contract import PLACEHOLDER
from bot_bottle.testing.anthropic_fake import AnthropicFake
from bot_bottle.testing.model_api import Refuse, Say, Text, ToolUse
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


def bottle(person, settings: str) -> None:
    person.write(
        ".bot-bottle/bottles/b.md", f"---\nagent_provider: {{template: pi, settings: {{{settings}}}}}\n---\n"
    )


def served(person, api: OpenAIFake, host: str = "llm.example.com:443") -> list[str]:
    """Flags by which *host* is the fake."""
    trust = ["--extra-ca", str(person.write("api.pem", api.ca_pem))] if api.ca_pem else []
    return ["--connect-to", f"{host}:127.0.0.1:{api.port}", *trust]


OLLAMA = "host.bot-bottle.internal:11434"


def test_a_model_server_on_this_machine(person, client) -> None:
    """Without settings: an Ollama on the operator's loopback, in the clear, without a credential; no environment
    variable of the operator's is needed or seen."""
    with OpenAIFake([bash(LOOK), DONE], tls=False) as api:
        done = person.run(
            "run",
            "--provider",
            "pi",
            *served(person, api, OLLAMA),
            "-p",
            "do it",
            env={"OPENAI_API_KEY": KEY},
        )
    assert (done.returncode, done.stdout) == (0, "All done, as asked.\n"), done.stderr
    assert len(api.model_requests) == 2
    assert "marker-42" in api.model_requests[-1].body.decode()
    for request in api.requests:
        assert (request.method, request.path) == ("POST", "/v1/chat/completions")
        assert request.header("host") == OLLAMA
        assert request.header("authorization") is None
        assert request.json()["model"] == "qwen3:14b"
        assert not request.contains(KEY)


def test_it_is_the_loopback_of_the_operators_machine(person, client) -> None:
    """Without ``--connect-to``: the port that the bottle names on the host's own 127.0.0.1, and no other."""
    with OpenAIFake([DONE], tls=False) as api, OpenAIFake([], tls=False) as other:
        bottle(person, f"base_url: 'http://host.bot-bottle.internal:{api.port}/v1'")
        done = person.run("run", "--bottle", "b", "-p", "do it")
        assert (done.returncode, done.stdout) == (0, "All done, as asked.\n"), done.stderr
        url = f"http://host.bot-bottle.internal:{other.port}/v1/models"
        probe = person.run(
            "run", "--allow", f"host.bot-bottle.internal:{api.port}", "--",
            "curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", url,
        )  # fmt: skip
        assert (probe.returncode, probe.stdout) == (0, "403"), probe.stderr
        assert other.requests == ()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"http://127.0.0.1:{other.port}/v1/models")
    assert [request.path for request in api.requests] == ["/v1/chat/completions"]
    assert [request.path for request in other.requests] == ["/v1/models"]


def test_a_key_of_the_operators(person, client) -> None:
    """Named by ``api_key_env``: the API sees it, the bottle a placeholder."""
    bottle(
        person,
        "provider: lab, base_url: 'https://llm.example.com/v1', api_key_env: MY_KEY, models: [one, two], "
        "context_window: 9000, max_tokens: 700, max_tokens_field: max_completion_tokens",
    )
    looking = bash(LOOK + "; cat ~/.pi/agent/models.json")
    with OpenAIFake([looking, DONE], hosts=["llm.example.com"]) as api:
        done = person.run("run", "--bottle", "b", *served(person, api), "-p", "do it", env={"MY_KEY": KEY})
    assert (done.returncode, done.stdout) == (0, "All done, as asked.\n"), done.stderr
    assert len(api.model_requests) == 2
    result = api.model_requests[-1].body.decode()
    assert "marker-42" in result and PLACEHOLDER in result
    for request in api.requests:
        assert (request.method, request.path) == ("POST", "/v1/chat/completions")
        assert request.header("authorization") == f"Bearer {KEY}"
        assert KEY not in request.body.decode()
        assert (request.json()["model"], request.json()["max_completion_tokens"]) == ("one", 700)
    assert KEY not in done.stderr


def test_responses(person, client) -> None:
    """The other dialect of OpenAI's."""
    bottle(person, "base_url: 'https://llm.example.com/v1', api: openai-responses, api_key_env: MY_KEY")
    with OpenAIFake([bash("echo marker-$((40 + 2))"), DONE], hosts=["llm.example.com"]) as api:
        done = person.run("run", "--bottle", "b", *served(person, api), "-p", "do it", env={"MY_KEY": KEY})
    assert (done.returncode, done.stdout) == (0, "All done, as asked.\n"), done.stderr
    assert {(request.path, request.header("authorization")) for request in api.requests} == {
        ("/v1/responses", f"Bearer {KEY}")
    }
    assert "marker-42" in api.model_requests[-1].body.decode()


def test_anthropic(person, client) -> None:
    """Another vendor's dialect, whose key stands in a header of its own."""
    bottle(
        person,
        "base_url: 'https://llm.example.com', api: anthropic-messages, api_key_env: MY_KEY, models: [m]",
    )
    with AnthropicFake([bash("echo marker-$((40 + 2))"), DONE], host="llm.example.com") as api:
        done = person.run("run", "--bottle", "b", *served(person, api), "-p", "do it", env={"MY_KEY": KEY})
    assert (done.returncode, done.stdout) == (0, "All done, as asked.\n"), done.stderr
    assert {
        (request.path, request.header("x-api-key"), request.header("authorization"))
        for request in api.requests
    } == {("/v1/messages", KEY, None)}
    assert "marker-42" in api.model_requests[-1].body.decode()


def test_a_literal_key(person, client) -> None:
    """Some servers want one that is no secret: it goes through as the client sends it."""
    bottle(person, "base_url: 'https://llm.example.com/v1', api_key: dummy-key")
    with OpenAIFake([DONE], hosts=["llm.example.com"]) as api:
        done = person.run("run", "--bottle", "b", *served(person, api), "-p", "do it")
    assert (done.returncode, done.stdout) == (0, "All done, as asked.\n"), done.stderr
    assert [request.header("authorization") for request in api.requests] == ["Bearer dummy-key"]


def test_it_streams(person, client) -> None:
    """Out of the bottle comes each delta before the server sends the next one."""
    with OpenAIFake([Say((Text(("one ", "two ", "three")),), paced=True)], tls=False) as api:
        process = person.popen(
            "run", "--provider", "pi", *served(person, api, OLLAMA), "-p", "count", "--", "--mode", "json",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        api.permit()
        shown = []
        for line in process.stdout:
            event = json.loads(line).get("assistantMessageEvent", {})
            if event.get("type") == "text_delta":
                shown.append((event["delta"], len(api.sent_deltas)))
                api.permit()
        assert process.wait(60) == 0
    assert shown == [("one ", 1), ("two ", 2), ("three", 3)]


def test_standard_input_is_not_waited_for(person, client) -> None:
    """One that stays open, as a script's or CI's may, does not keep a task from being done."""
    with OpenAIFake([DONE], tls=False) as api:
        process = person.popen(
            "run", "--provider", "pi", *served(person, api, OLLAMA), "-p", "do it",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert process.wait(60) == 0
        assert process.stdout.read() == b"All done, as asked.\n"


def test_a_refusal_ends_it(person, client) -> None:
    """One try, the message shown, the client's own status returned."""
    with OpenAIFake(
        [Refuse(400, "invalid_request_error", "egress: no route for that")] * 9, tls=False
    ) as api:
        done = person.run("run", "--provider", "pi", *served(person, api, OLLAMA), "-p", "do it")
    assert done.returncode == 1
    assert "egress: no route for that" in done.stderr
    assert len(api.model_requests) == 1


def test_no_server_is_said(person, client) -> None:
    """Nobody listens on the port: the proxy's own refusal is shown, and the client gives up."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    bottle(person, f"base_url: 'http://host.bot-bottle.internal:{port}/v1'")
    done = person.run("run", "--bottle", "b", "-p", "do it")
    assert done.returncode == 1
    assert "egress: upstream: " in done.stderr


def test_prompt_and_skills(person, client) -> None:
    """The agent file's prompt is in the system prompt, its skill is known to the client; a session that only
    talked leaves nothing behind."""
    bottle(person, "models: [m]")
    person.write(".bot-bottle/agents/a.md", "---\nskills: [lighthouse]\n---\nspeak like a lighthouse\n")
    person.write(
        ".claude/skills/lighthouse/SKILL.md",
        "---\nname: lighthouse\ndescription: how to speak like one\n---\nblink\n",
    )
    with OpenAIFake([DONE], tls=False) as api:
        way = served(person, api, OLLAMA)
        done = person.run("run", "--agent", "a", "--bottle", "b", *way, "-p", "--version")
    assert (done.returncode, done.stdout) == (0, "All done, as asked.\n"), done.stderr
    (request,) = api.model_requests
    system, *rest = request.json()["messages"]
    assert "speak like a lighthouse" in json.dumps(system)
    assert "how to speak like one" in json.dumps(system)
    assert "--version" in json.dumps(rest)
    assert person.states() == []


def test_on_a_terminal(person, client) -> None:
    """Interactive, in an empty home: straight to the prompt, no question, nobody else is asked anything; a turn
    completes."""
    with OpenAIFake([bash("echo marker-$((40 + 2)) > ~/made.txt"), DONE], tls=False) as api:
        screen = Screen(person, "run", "--provider", "pi", *served(person, api, OLLAMA), *loud(person))
        screen.until("Pi can explain its own features")
        for question in ("trust", "login", "update available", "API key"):
            assert question.replace(" ", "") not in screen.shown, screen.shown
        screen.type("hello\r")
        screen.until("All done, as asked.")
        screen.end()
    assert api.played == 2
    assert "hello" in api.model_requests[0].body.decode()
    assert {(request.method, request.path) for request in api.requests} == {("POST", "/v1/chat/completions")}
    assert refused_hosts(person) == set()
