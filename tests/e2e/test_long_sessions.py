"""Twenty turns with tools of the real agents, over files that are full of what looks random: no false alarm.

What the fake API received is asserted on, and the proxy's own record. The one thing that is found is the canary,
where the agent prints its environment; a control shows that a credential would have been.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
import shutil
import string
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from agents_support import Screen, client_of, installed, loud
from session_project import make_project

from bot_bottle.testing.anthropic_fake import AnthropicFake
from bot_bottle.testing.model_api import Say, Text, ToolUse, Turn
from bot_bottle.testing.openai_fake import OpenAIFake
from bot_bottle.testing.scripted_api import ApiClient, Recorded

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm to install the pinned clients"),
]

KEY = "sk-ant-api" + "03-of-the-operator-made-for-this-test"
PLACE = "/home/node/workspace"
END = "All done, as asked."
MASK = "*" * 8

COMMANDS = (
    "ls -la; git log --stat; git status --short",
    "env | tee seen-environment.txt",
    "cat package-lock.json",
    "cat metadata.json",
    "cp env.example .env.example; cat .env.example README.md",
    "cat ids.txt | head -c 20000",
    "grep -rniE 'token|password|secret|key' src | head -150",
    "cat ca.crt; openssl x509 -in ca.crt -noout -text",
    "cat dist/app.min.js",
    "cat go.sum",
    "sha256sum dist/* src/* ids.txt; md5sum ids.txt; git rev-parse HEAD HEAD~1",
    "sed -n 1,200p src/ssl.py",
    "python3 -c 'import uuid, json; print(json.dumps([str(uuid.uuid4()) for _ in range(200)]))'",
    "echo 'export const cursor = 1;' > src/new.js; git add -A; git diff --cached --stat",
)


class Claude(AnthropicFake):
    """Without eating the script: what the client asks beside the conversation, for a title for instance."""

    def _answer_model(self, request: Recorded, client: ApiClient) -> None:
        if request.json().get("tools"):
            super()._answer_model(request, client)
        else:
            self._stream(Say((Text(("A title",)),)), "msg_beside", "model", client)


@dataclass(frozen=True)
class Agent:
    """One client, and how its model calls tools."""

    template: str
    host: str
    websocket: bool = False
    makes: tuple[str, ...] = ()
    """variables with secrets that the client makes up for its tools"""

    def fake(self, turns: Sequence[Turn]) -> Any:
        if self.template == "claude":
            return Claude(turns)
        return OpenAIFake(turns, tls=self.template != "pi", websocket=self.websocket)

    def calls(self) -> list[ToolUse]:
        """Twenty tool calls: each client by its own tools, and by a shell."""
        shell = [self.shell(command) for command in COMMANDS]
        match self.template:
            case "claude":
                own = [
                    ToolUse("Read", {"file_path": f"{PLACE}/src/client.py"}),
                    ToolUse("Read", {"file_path": f"{PLACE}/logo.png"}),
                    ToolUse("Read", {"file_path": f"{PLACE}/package-lock.json", "limit": 300}),
                    ToolUse("Write", {"file_path": f"{PLACE}/src/made.py", "content": CODE}),
                    ToolUse("Bash", {"command": "grep -n token src/string.py | head", "description": "look"}),
                    ToolUse("Bash", {"command": "cat src/decoder.py", "description": "look"}),
                ]
            case "pi":
                own = [
                    ToolUse("read", {"path": f"{PLACE}/src/client.py"}),
                    ToolUse("read", {"path": f"{PLACE}/logo.png"}),
                    ToolUse("read", {"path": f"{PLACE}/package-lock.json"}),
                    ToolUse("write", {"path": f"{PLACE}/src/made.py", "content": CODE}),
                    ToolUse("edit", {"path": f"{PLACE}/src/made.py", "oldText": "12", "newText": "13"}),
                    ToolUse("bash", {"command": "cat src/decoder.py"}),
                ]
            case _:
                write = f"cat > src/made.py <<'EOF'\n{CODE}EOF"
                own = [
                    self.shell(command)
                    for command in (
                        "cat src/client.py", "base64 logo.png", "head -300 package-lock.json", write,
                        "grep -n token src/string.py | head", "cat src/decoder.py",
                    )
                ]  # fmt: skip
        return [*shell[:7], *own, *shell[7:]]

    def shell(self, command: str) -> ToolUse:
        if self.template == "codex":
            script = f"text(JSON.stringify(await tools.exec_command({{cmd: {json.dumps(command)}}})))"
            return ToolUse("exec", {}, raw=script)
        if self.template == "claude":
            return ToolUse("Bash", {"command": command, "description": "as asked"})
        return ToolUse("bash", {"command": command})


CODE = 'LIMIT = 12\nTOKEN = "placeholder"\n\n\ndef cursor(page: int) -> str:\n    return f"{TOKEN}-{page}"\n'
SAID = (
    "I have read it. ", "Each entry has a digest, ", "so nothing here is secret; ", "I go on with the next file.\n",
    "```python\ntoken = os.environ['API_TOKEN']\n```\n",
)  # fmt: skip
AGENTS = {
    "claude": Agent("claude", "api.anthropic.com", makes=("CLAUDE_CODE_MESSAGING_TOKEN",)),
    "codex": Agent("codex", "api.openai.com"),
    "codex over a WebSocket": Agent("codex", "api.openai.com", websocket=True),
    "pi": Agent("pi", "host.bot-bottle.internal"),
}


@pytest.fixture(params=list(AGENTS))
def agent(request: pytest.FixtureRequest, person: Any) -> Iterator[Agent]:
    made = AGENTS[request.param]
    with client_of(person, installed(made.template)):
        token = "" if made.template == "pi" else ", auth_token: MY_KEY"
        person.write(
            ".bot-bottle/bottles/b.md", f"---\nagent_provider: {{template: {made.template}{token}}}\n---\n"
        )
        yield made


@contextlib.contextmanager
def served(person: Any, agent: Agent, calls: Sequence[ToolUse]) -> Iterator[tuple[Any, list[str]]]:
    """The fake, and the flags of a launch that asks it."""
    turns: list[Turn] = [Say((Text(SAID), call)) for call in calls]
    with agent.fake([*turns, Say((Text((END,)),)), Say((Text(("Gone on.",)),))]) as api:
        port = 11434 if agent.template == "pi" else 443
        ways = ["--connect-to", f"{agent.host}:{port}:127.0.0.1:{api.port}", *loud(person), "--cwd"]
        if agent.template == "codex":
            ways += ["--connect-to", f"chatgpt.com:443:127.0.0.1:{api.port}"]
        trust = ["--extra-ca", str(person.write("api.pem", api.ca_pem))] if api.ca_pem else []
        yield api, ["run", "--bottle", "b", *ways, *trust]


def records(person: Any, agent: Agent) -> list[dict[str, Any]]:
    """What the proxy wrote down of requests to the agent's host, and whatever the scanner stopped elsewhere."""
    found = [
        json.loads(line)
        for log in (person.home / ".bot-bottle" / "logs").rglob("*.egress.log")
        for line in log.read_text().splitlines()
    ]
    blocks = ("egress_block", "egress_not_http")
    return [
        record
        for record in found
        if record["event"] not in blocks
        or record.get("host") == agent.host
        or record.get("reason", "").startswith("egress DLP")
    ]


def received(api: Any) -> str:
    """All that reached it, unpacked where the client packs."""
    return "\n".join(_text(request) for request in api.requests)


def _text(request: Recorded) -> str:
    body = request.body
    if request.header("content-encoding") == "zstd":
        body = subprocess.run(["zstd", "-dc"], input=body, capture_output=True, check=True).stdout
    return f"{request.target} {dict(request.headers)} {body.decode('utf-8', 'replace')}"


def canary(person: Any) -> tuple[str, str]:
    """(name, value), out of what the agent saw of its environment."""
    (state,) = person.states()
    (seen,) = person.layout.guest(state).rglob("seen-environment.txt")
    (found,) = re.findall(r"^([A-Z]+_[A-Z]+_SECRET)=(.+)$", seen.read_text(), re.MULTILINE)
    return str(found[0]), str(found[1])


def check_session(person: Any, agent: Agent, api: Any) -> None:
    """All twenty turns are in what was asked last; nothing was found but the canary, which never arrived."""
    assert len(api.model_requests) >= 21
    all_of_it = received(api)
    for shown in (
        "lockfileVersion",
        "BEGIN CERTIFICATE",
        "sourceMappingURL",
        "your-access-key-id",
        "h1:",
        "made.py",
    ):
        assert shown in all_of_it, shown
    name, value = canary(person)
    assert f"{name}={MASK}" in all_of_it
    assert value not in all_of_it
    told = {(r["event"], r.get("detector"), r.get("rule"), r.get("reason")) for r in records(person, agent)}
    assert told == {
        ("egress_redacted", "canary", "canary", None),
        (
            "egress_redacted",
            "token_patterns",
            "generic-secret",
            None,
        ),  # the same: it looks like one
    }
    masked = re.findall(r"(?:\\+n|(?<!\w))([A-Z_]+)=\*{8}", all_of_it)
    assert len(masked) == len(re.findall(r"\*{8,}", all_of_it))
    assert set(masked) == {name, *agent.makes}
    assert {r["host"] for r in records(person, agent)} == {agent.host}


def test_twenty_turns(person: Any, agent: Agent) -> None:
    """Headless."""
    project = make_project(person)
    with served(person, agent, agent.calls()) as (api, argv):
        done = person.run(
            *argv, "-p", "look through all of it", env={"MY_KEY": KEY}, cwd=project, timeout_s=180
        )
    assert (done.returncode, done.stdout.endswith(f"{END}\n")) == (0, True), done.stderr
    assert api.played == 21
    check_session(person, agent, api)


@pytest.mark.parametrize("agent", ["claude"], indirect=True)
def test_twenty_turns_on_a_terminal(person: Any, agent: Agent) -> None:
    """With somebody at it, who says something more at the end."""
    project = make_project(person)
    with served(person, agent, agent.calls()) as (api, argv):
        screen = Screen(person, *argv, env={"MY_KEY": KEY}, cwd=project)
        screen.until("bypass permissions on")
        screen.type("look through all of it\r")
        screen.until(END, within_s=180)
        screen.type("and now?\r")
        screen.until("Gone on.")
        screen.type("/exit\r")
        assert screen.rest() == 0
    assert api.played == 22
    check_session(person, agent, api)


def planted() -> str:
    """A token of a forge in the shape that it has, of nobody's."""
    rng = random.Random(54)
    return "glpat" + "-" + "".join(rng.choice(string.ascii_letters + string.digits) for _ in range(20))


def test_a_credential_in_a_file_is_taken_out(person: Any, agent: Agent) -> None:
    """The control: the same files and one more line; the turn goes on without it."""
    token = planted()
    project = make_project(person, {"deploy.sh": f"set -e\nexport DEPLOY='{token}'\nmake release\n"})
    calls = [agent.shell("cat README.md deploy.sh | tee seen.txt")]
    with served(person, agent, calls) as (api, argv):
        done = person.run(*argv, "-p", "look", env={"MY_KEY": KEY}, cwd=project)
    assert (done.returncode, done.stdout.endswith(f"{END}\n")) == (0, True), done.stderr
    (state,) = person.states()
    (seen,) = person.layout.guest(state).rglob("seen.txt")
    assert token in seen.read_text()  # the agent had it
    all_of_it = received(api)
    assert f"export DEPLOY='{MASK}'" in all_of_it and "make release" in all_of_it
    assert token not in all_of_it
    told = {(record["event"], record.get("detector")) for record in records(person, agent)}
    assert told == {("egress_redacted", "token_patterns")}
