"""The real Claude Code, run by its plan against the fake model API: what it needs, asks for and shows.

Asserted on what the fake received and on what the client printed. ``docs/providers.md`` tells these
facts; a new pinned version has to pass here first.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from bot_bottle.egress.headers import plan_headers
from bot_bottle.launch.tools import provide
from bot_bottle.providers.claude import INFERENCE_MATCHES, Claude
from bot_bottle.providers.contract import PLACEHOLDER, ProviderRequest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm to install the pinned client"),
]

REPOSITORY = Path(__file__).parents[2]
SCENARIO = Path(__file__).with_name("claude_scenario.py")
CREDENTIALS = {"OAUTH": "sk-ant-oat" + "-made-for-this-test", "KEY": "sk-ant-api" + "-made-for-this-test"}


@dataclass(frozen=True)
class Outcome:
    """What one run left; see the end of ``claude_scenario``. ``asked``: what the relay was asked for, or the
    proxy's log."""

    status: int
    stdout: str
    stderr: str
    shown: list[list[Any]]
    asked: list[str]
    requests: list[dict[str, Any]]
    home: list[str]
    workspace: dict[str, str]

    @property
    def questions(self) -> list[dict[str, Any]]:
        return [request for request in self.requests if request["path"] == "/v1/messages"]


Run = Callable[..., Outcome]


@pytest.fixture(scope="session")
def program() -> Path:
    """The pinned client, installed once into the working copy's ``tools`` directory."""
    planned = Claude().plan(ProviderRequest(machine=os.uname().machine))
    bound = provide(planned.command, planned.tool, (), REPOSITORY / "tools", print)
    if bound.pending is not None:
        bound.pending.carry_out(print)
    return bound.mount.source / bound.program.relative_to(bound.mount.target)


@pytest.fixture
def run(program: Path) -> Run:
    """Run a script of the scenario's with fields of a ProviderRequest; ``KEY`` is the credential."""

    def start(script: str, *, way: str = "print", front: str = "relay", **plan: Any) -> Outcome:
        request = {
            "program": str(program), "script": script, "way": way, "front": front, "env": {},
            "plan": {"auth_token": "KEY", "host_env": CREDENTIALS, **plan},
        }  # fmt: skip
        namespaces = ["--net", "--mount"] if os.geteuid() == 0 else ["--net", "--mount", "--map-root-user"]
        done = subprocess.run(
            ["unshare", *namespaces, sys.executable, SCENARIO],
            input=json.dumps(request), capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return Outcome(**json.loads(done.stdout))

    return start


@pytest.mark.parametrize(
    ("variable", "header", "other", "value"),
    [
        ("KEY", "x-api-key", "authorization", PLACEHOLDER),
        ("OAUTH", "authorization", "x-api-key", f"Bearer {PLACEHOLDER}"),
    ],
)
def test_turn_with_a_tool_call(run: Run, variable: str, header: str, other: str, value: str) -> None:
    """With nothing but the placeholder it takes a turn, runs the tool, and answers; OAuth has its beta."""
    outcome = run("tool", auth_token=variable, task="do it")
    assert (outcome.status, outcome.stdout) == (0, "All done, as asked.\n"), outcome.stderr
    assert outcome.workspace == {"made.txt": "marker-42\n"}
    first, second = outcome.questions
    assert "marker-42" not in first["body"]
    (result,) = json.loads(second["body"])["messages"][-1]["content"]
    assert (result["type"], "marker-42" in json.dumps(result["content"])) == ("tool_result", True)
    for question in (first, second):
        assert question["headers"][header] == [value]
        assert other not in question["headers"]
        beta = question["headers"]["anthropic-beta"][0].split(",")
        assert ("oauth-2025-04-20" in beta) == (variable == "OAUTH")
        assert json.loads(question["body"])["stream"] is True


def test_asks_one_host_for_open_paths_only(run: Run) -> None:
    """With the quiet switches, everything it asks for is open on the provider's route; the settings that
    are not there (404) do it no harm."""
    outcome = run("tool", task="do it")
    assert set(outcome.asked) == {"CONNECT api.anthropic.com:443 HTTP/1.1"}
    open_paths = {
        (method, path.value)
        for match in INFERENCE_MATCHES
        for path in match.paths
        for method in match.methods
    }
    assert {(request["method"], request["path"]) for request in outcome.requests} <= open_paths


@pytest.mark.parametrize("variable", ["KEY", "OAUTH"])
def test_the_proxy_lets_its_headers_through(run: Run, variable: str) -> None:
    """What means something to the API passes the route's list whole: version and every beta. One that fell
    away would leave a body with fields that the API refuses."""
    outcome = run("tool", auth_token=variable, task="do it")
    (route,) = Claude().plan(ProviderRequest(auth_token=variable, host_env=CREDENTIALS)).routes
    for question in outcome.questions:
        sent = {name: value for name, values in question["headers"].items() for value in values}
        passed = dict(plan_headers(route).forwarded(tuple(sent.items())))
        assert passed["anthropic-version"] == sent["anthropic-version"]
        assert passed["anthropic-beta"].replace(" ", "").split(",") == sent["anthropic-beta"].split(",")
        assert passed["user-agent"] == "claude-cli/2.1.330"


@pytest.mark.parametrize(
    ("script", "tries", "message"),
    [
        ("refuse-400", 1, "API Error: 400 egress: no route for that"),
        ("refuse-402", 1, "API Error: 402 egress: budget used up"),
        ("truncate", 3, "API Error"),
        ("refuse-503", 4, "upstream is away"),
    ],
)
@pytest.mark.parametrize("variable", ["KEY", "OAUTH"])
def test_refusals_end(run: Run, variable: str, script: str, tries: int, message: str) -> None:
    """A refusal in the API's shape ends the turn at once with our words; a fault after few tries."""
    outcome = run(script, auth_token=variable, task="do it")
    assert outcome.status == 1
    assert outcome.stdout.startswith("API Error") and message in outcome.stdout
    assert 1 <= len(outcome.questions) <= tries
    if script.startswith("refuse-40"):
        assert len(outcome.questions) == 1


def test_task_and_prompt_arrive_as_they_are(run: Run) -> None:
    """A task that looks like an option, behind one that takes several values, is still the task; the
    agent file's prompt is in the system prompt."""
    prompt, argv = "speak like a lighthouse", ("--allowedTools", "Bash")
    outcome = run("answer", task="--version", prompt=prompt, argv=argv)
    assert outcome.stdout == "All done, as asked.\n", outcome.stderr
    (question,) = outcome.questions
    body = json.loads(question["body"])
    assert "--version" in json.dumps(body["messages"])
    assert "speak like a lighthouse" in json.dumps(body["system"])


@pytest.mark.parametrize("way", ["print", "screen"])
def test_leaves_nothing_but_scratch(run: Run, way: str) -> None:
    """What it writes into the home by itself is on the plan's scratch list, so it counts as no work."""
    outcome = run("tool", way=way, task="do it" if way == "print" else "")
    scratch = Claude().plan(ProviderRequest()).scratch
    counted = [
        path for path in outcome.home if not any(PurePosixPath(path).is_relative_to(own) for own in scratch)
    ]
    assert counted == ["/home/node/workspace/made.txt"]


@pytest.mark.parametrize("variable", ["KEY", "OAUTH"])
def test_first_start_on_a_terminal_asks_nothing(run: Run, variable: str) -> None:
    """Interactive, in an empty home: straight to the prompt, and a turn completes."""
    outcome = run("answer", way="screen", auth_token=variable, label="Research UI", color="blue")
    assert len(outcome.questions) >= 1, outcome.stdout
    assert "Alldone,asasked." in outcome.stdout
    assert "ResearchUI" in outcome.stdout
    assert set(outcome.asked) == {"CONNECT api.anthropic.com:443 HTTP/1.1"}


def test_without_credential_nothing_is_asked(run: Run) -> None:
    outcome = run("answer", auth_token="", task="do it")
    assert (outcome.status, outcome.requests) == (1, [])
    assert "Not logged in" in outcome.stdout


@pytest.mark.parametrize("front", ["relay", "proxy"])
def test_streams_through(run: Run, front: str) -> None:
    """Each delta is shown before the next one is sent: the fake waits for the client's own output."""
    argv = ("--output-format", "stream-json", "--verbose", "--include-partial-messages")
    outcome = run("paced", front=front, task="count", argv=argv)
    assert outcome.status == 0, outcome.stderr
    assert outcome.shown == [["one ", 1], ["two ", 2], ["three", 3]]


@pytest.mark.parametrize(
    ("variable", "header", "other"),
    [("KEY", "x-api-key", "authorization"), ("OAUTH", "authorization", "x-api-key")],
)
def test_the_proxy_puts_the_credential_in(run: Run, variable: str, header: str, other: str) -> None:
    """Through the real proxy: the upstream sees the real credential, where it belongs, and no placeholder;
    the client never had it."""
    outcome = run("tool", front="proxy", auth_token=variable, task="do it")
    assert (outcome.status, outcome.stdout) == (0, "All done, as asked.\n"), outcome.stderr
    assert outcome.workspace == {"made.txt": "marker-42\n"}
    assert len(outcome.questions) == 2
    for request in outcome.requests:
        assert request["headers"][header][0].removeprefix("Bearer ") == CREDENTIALS[variable]
        assert other not in request["headers"]
        assert PLACEHOLDER not in json.dumps(request)
        assert CREDENTIALS[variable] not in request["body"]


def test_an_attackers_key_gets_nowhere(run: Run) -> None:
    """An agent that brings a key of its own to the allowed host: the upstream sees ours instead, and nothing
    at all where the key stands in the URL, on a path that is closed, on a host without a route."""
    outcome = run("attack", front="proxy", task="do it")
    assert (outcome.status, outcome.stdout) == (0, "All done, as asked.\n"), outcome.stderr
    assert "for the attacker" in outcome.workspace["made.txt"]
    assert len(outcome.questions) == 6
    for request in outcome.requests:
        assert request["headers"]["x-api-key"] == [CREDENTIALS["KEY"]]
        assert "key-of-an-attacker" not in json.dumps([request["target"], request["headers"]])
    assert {request["path"] for request in outcome.requests} <= {
        "/v1/messages", "/api/claude_code/settings", "/api/claude_code/policy_limits",
    }  # fmt: skip
