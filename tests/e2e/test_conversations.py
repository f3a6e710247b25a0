"""The real agents' conversations go on after the end: from the home that was kept, and, where that is gone, from the
copy beside it. Asserted on what the fake model received."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from agents_support import Screen, client_of, installed
from e2e_support import eventually

from bot_bottle.testing.anthropic_fake import AnthropicFake
from bot_bottle.testing.model_api import Say, Text, ToolUse, Turn
from bot_bottle.testing.openai_fake import OpenAIFake

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm to install the pinned clients"),
]

KEY = "sk-ant-api" + "03-of-the-operator-made-for-this-test"
DONE = Say((Text(("All done", ", as asked.")),))


def says(text: str) -> Say:
    return Say((Text((text,)),))


@dataclass
class Ground:
    """One agent, and how the person's commands find its fake model."""

    template: str
    person: Any

    def run(self, *args: str) -> Any:
        return self.person.run(*args, env={"MY_KEY": KEY})

    def shell(self, command: str) -> Say:
        """A turn in which the model has *command* run."""
        if self.template == "codex":
            script = f"text(JSON.stringify(await tools.exec_command({{cmd: {json.dumps(command)}}})))"
            return Say((Text(("I run it.",)), ToolUse("exec", {}, raw=script)))
        name = "Bash" if self.template == "claude" else "bash"
        return Say((Text(("I run it.",)), ToolUse(name, {"command": command})))

    def write_bottle(self) -> None:
        token = "" if self.template == "pi" else ", auth_token: MY_KEY"
        self.person.write(
            ".bot-bottle/bottles/b.md", f"---\nagent_provider: {{template: {self.template}{token}}}\n---\n"
        )

    @contextlib.contextmanager
    def served(self, turns: Sequence[Turn]) -> Iterator[tuple[Any, list[str]]]:
        """The fake, and the flags of the first launch; later ones have them from the record."""
        fakes = {
            "claude": lambda: AnthropicFake(turns),
            "codex": lambda: OpenAIFake(turns),
            "pi": lambda: OpenAIFake(turns, tls=False),
        }
        hosts = {"claude": "api.anthropic.com:443", "codex": "api.openai.com:443"}
        host = hosts.get(self.template, "host.bot-bottle.internal:11434")
        with fakes[self.template]() as api:
            trust = ["--extra-ca", str(self.person.write("api.pem", api.ca_pem))] if api.ca_pem else []
            yield api, ["--connect-to", f"{host}:127.0.0.1:{api.port}", *trust]

    def copied(self, identity: str) -> list[Path]:
        place = self.person.layout.transcript(identity)
        return sorted(path for path in place.rglob("*") if not path.is_dir())


@pytest.fixture(params=["claude", "codex", "pi"])
def ground(request: pytest.FixtureRequest, person: Any) -> Iterator[Ground]:
    with client_of(person, installed(request.param)):
        made = Ground(request.param, person)
        made.write_bottle()
        yield made


def test_a_conversation_goes_on_although_the_home_is_gone(ground: Ground) -> None:
    """Kept home, then no home: each time the model is told what was said before; the copy holds the conversation
    alone."""
    turns = [ground.shell("echo work > ~/made.txt"), DONE, says("Gone on."), says("The end.")]
    with ground.served(turns) as (api, flags):
        done = ground.run("run", "--bottle", "b", *flags, "-p", "begin with a heron")
        assert (done.returncode, done.stdout) == (0, "All done, as asked.\n"), done.stderr
        (state,) = ground.person.states()
        (first,) = ground.copied(state)
        assert first.suffix == ".jsonl" and "begin with a heron" in first.read_text()
        again = ground.run("resume", state, "--yes", "-p", "and now a stork?")
        assert (again.returncode, "Gone on." in again.stdout) == (0, True), again.stderr
        assert "put back" not in again.stderr
        assert any("and now a stork?" in path.read_text() for path in ground.copied(state))
        shutil.rmtree(ground.person.layout.guest(state))
        last = ground.run("resume", state, "--yes", "-p", "and an ibis?")
    assert (last.returncode, "The end." in last.stdout) == (0, True), last.stderr
    assert "the earlier conversation was put back (1 files)" in last.stderr
    asked = api.model_requests[-1].body.decode()
    for earlier in (
        "begin with a heron",
        "All done, as asked.",
        "and now a stork?",
        "Gone on.",
        "and an ibis?",
    ):
        assert earlier in asked


PLANT = (
    "echo work > ~/made.txt; "
    'd=$(dirname "$(find ~/.claude/projects ~/.codex/sessions ~/.pi/agent/sessions -name "*.jsonl" | head -1)"); '
    'mkfifo "$d/fifo.jsonl"; ln -s /etc/passwd "$d/link.jsonl"; ln ~/made.txt "$d/hard.jsonl"; '
    'truncate -s 1T "$d/sparse.jsonl"; printf x > "$d/$(printf "a\\033[2Jb").jsonl"'
)


def test_a_bottle_that_turns_its_home_against_the_copy(ground: Ground) -> None:
    """What it plants among its conversations is neither followed nor waited for nor copied; the session ends as it
    would have."""
    turns = [ground.shell(PLANT), DONE]
    with ground.served(turns) as (_, flags):
        done = ground.run("run", "--bottle", "b", *flags, "-p", "begin with a heron")
    assert (done.returncode, done.stdout) == (0, "All done, as asked.\n"), done.stderr
    (state,) = ground.person.states()
    (own,) = ground.copied(state)
    assert "begin with a heron" in own.read_text()
    assert "left out of the conversation's copy" in done.stderr
    for why in ("FIFO", "link", "hard link", "too large", "not a name that agents give"):
        assert f"({why})" in done.stderr
    assert "\x1b" not in done.stderr


def test_a_bottle_that_is_stopped(ground: Ground) -> None:
    """In the middle of a turn, nobody attached: what was said until then is there."""
    ground.person.write(".bot-bottle/agents/a.md", "---\nbottle: b\n---\n")
    turns = [ground.shell("touch ~/ready; sleep 600")]
    with ground.served(turns) as (api, flags):
        process = ground.person.popen(
            "run", "--bottle", "b", *flags, "-p", "begin with a heron", env={"MY_KEY": KEY}
        )
        eventually(ground.person.states, "a state directory", within_s=30)
        (state,) = ground.person.states()
        ready = ["exec", state, "--", "test", "-e", "/home/node/ready"]
        eventually(lambda: ground.person.run(*ready).returncode == 0, "the tool call", within_s=40)
        assert ground.person.run("stop", state).returncode == 0
        assert process.wait(30) == 143
    assert len(api.model_requests) == 1
    assert any("begin with a heron" in path.read_text() for path in ground.copied(state))


PROMPTS = {
    "claude": "bypass permissions on",
    "codex": "Ask Codex to do anything",
    "pi": "All done, as asked.",
}
"""What each agent shows when it waits for somebody to type."""
LEAVE = {"claude": "/exit\r", "codex": "/quit\r", "pi": "/quit\r"}


def test_from_a_task_to_a_terminal_and_back(ground: Ground) -> None:
    """It is one conversation, on a terminal too, where what was said before is shown."""
    turns = [ground.shell("echo work > ~/made.txt"), DONE, *(says("Gone on.") for _ in range(4))]
    with ground.served(turns) as (api, flags):
        assert ground.run("run", "--bottle", "b", *flags, "-p", "begin with a heron").returncode == 0
        (state,) = ground.person.states()
        screen = Screen(ground.person, "resume", state, "--yes", env={"MY_KEY": KEY})
        screen.until("begin with a heron")
        screen.until(PROMPTS[ground.template])
        screen.type("and now a stork?\r")
        screen.until("Gone on.")
        screen.type(LEAVE[ground.template])
        screen.until("the agent ended with status 0")
        screen.end()
        last = ground.run("resume", state, "--yes", "-p", "and an ibis?")
    assert last.returncode == 0, last.stderr
    asked = api.model_requests[-1].body.decode()
    for earlier in ("begin with a heron", "All done, as asked.", "and now a stork?", "and an ibis?"):
        assert earlier in asked
