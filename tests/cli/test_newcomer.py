"""``init``: every question, by flags and by answers; what is written loads to what was asked for."""

from __future__ import annotations

import errno
from pathlib import Path

import click
import pytest

from bot_bottle.cli import newcomer
from bot_bottle.cli.asking import Asker
from bot_bottle.cli.errors import Exit
from bot_bottle.cli.newcomer import Dialogue, Flags, Plan
from bot_bottle.launch.plan import LaunchError
from bot_bottle.manifest.load import load
from bot_bottle.manifest.source import resolve
from bot_bottle.providers.registry import PROVIDERS
from bot_bottle.store.layout import Layout


class Scripted(Asker):
    """A person who answers from a list; running out of answers is the end of input."""

    def __init__(self, *answers: str) -> None:
        super().__init__(-1)
        self.answers = list(answers)
        self.said: list[str] = []

    def line(self, question: str) -> str | None:
        self.said.append(question)
        return self.answers.pop(0) if self.answers else None

    def say(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    home = tmp_path / "home" / ".bot-bottle"
    return Layout(home, home, tmp_path / "run")


def flags(**given) -> Flags:
    base = {"name": None, "bottle": None, "provider": None, "auth_token": None, "host_login": False, "allow": (),
            "skills": (), "prompt": None, "argv": ()}  # fmt: skip
    return Flags(**{**base, **given})


def ask(layout: Layout, given: Flags, asker: Asker | None = None, **environ: str) -> Plan:
    index = resolve(layout.home.parent, None, missing_ok=True)
    return Dialogue(given, index, layout, asker, environ).ask()


def test_enter_is_enough(layout) -> None:
    """A name, then Enter for all: an agent and a bottle for claude."""
    person = Scripted("fixer", "", "", "", "", "")
    plan = ask(layout, flags(), person)
    plan.write(layout)
    loaded = load(resolve(layout.home.parent, None), "fixer")
    assert loaded.bottle_names == ("dev",)
    assert loaded.bottle.agent_provider.template == "claude"
    assert loaded.bottle.agent_provider.auth_token == "CLAUDE_CODE_OAUTH_TOKEN"
    assert loaded.agent.prompt == ""
    assert any("claude setup-token" in text for text in person.said)
    assert any("CLAUDE_CODE_OAUTH_TOKEN is not set" in line for line in plan.what_next())
    assert any("bot-bottle start fixer" in line for line in plan.what_next())


def test_answers(layout) -> None:
    """Everything answered; wrong answers are asked again."""
    (layout.home.parent / ".claude" / "skills" / "review").mkdir(parents=True)
    person = Scripted(
        "Fixer!", "", "fixer", "web", "perl", "claude", "sk-ant-oat-secret", "MY_TOKEN", "bad_host",
        "api.github.com  *.example.com", "gone", "review", "You fix tests: [red] ü",
    )  # fmt: skip
    plan = ask(layout, flags(), person)
    plan.write(layout)
    loaded = load(resolve(layout.home.parent, None), "fixer")
    assert loaded.agent.prompt == "You fix tests: [red] ü"
    assert loaded.agent.skills == ("review",)
    assert loaded.bottle.agent_provider.auth_token == "MY_TOKEN"
    assert [route.host for route in loaded.bottle.egress.routes] == ["api.github.com", "*.example.com"]
    assert person.answers == []
    assert not any("sk-ant" in text for text in person.said), "a secret is never repeated"


def test_flags_alone(layout) -> None:
    """Without a terminal, when all of them are there."""
    given = flags(
        name="t",
        bottle="sh",
        provider="command",
        prompt="--- not front matter\n---",
        argv=("sh", "-c", "make test"),
    )
    ask(layout, given).write(layout)
    loaded = load(resolve(layout.home.parent, None), "t")
    assert loaded.bottle.agent_provider.settings["argv"] == ("sh", "-c", "make test")
    assert loaded.agent.prompt == "--- not front matter\n---"


def test_a_credential_that_is_set_is_found(layout) -> None:
    """The variable's name is taken, its value is not looked at."""
    person = Scripted("fixer", "", "", "", "", "")
    plan = ask(layout, flags(), person, OPENAI_API_KEY="the-secret-value")
    assert (plan.new.template, plan.new.auth_token) == ("codex", "OPENAI_API_KEY")
    assert not any("the-secret-value" in text for text in person.said)
    given = flags(name="x", bottle="y", provider="claude", prompt="")
    assert ask(layout, given, ANTHROPIC_API_KEY="s").new.auth_token == "ANTHROPIC_API_KEY"


@pytest.mark.parametrize(
    ("given", "flag"),
    [
        ({}, "NAME"),
        ({"name": "x"}, "--bottle"),
        ({"name": "x", "bottle": "y"}, "--provider"),
        ({"name": "x", "bottle": "y", "provider": "claude"}, "--auth-token"),
        ({"name": "x", "bottle": "y", "provider": "command"}, "-- ARGV"),
        ({"name": "x", "bottle": "y", "provider": "claude", "auth_token": "T"}, "--prompt"),
    ],
)
def test_without_a_terminal_a_missing_answer_names_its_flag(layout, given, flag, capsys) -> None:
    with pytest.raises(Exit) as end:
        ask(layout, flags(**given))
    assert end.value.status == 2
    assert flag in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"name": "Not/a name"}, "must match"),
        ({"name": "a" * 65}, "must match"),
        ({"name": "x", "bottle": "../y"}, "must match"),
        ({"name": "x", "bottle": "y", "provider": "perl"}, "use one of"),
        ({"name": "x", "bottle": "y", "provider": "claude", "auth_token": "sk-ant-1"}, "never the value"),
        ({"name": "x", "bottle": "y", "provider": "claude", "auth_token": "ghp_aB3"}, "never the value"),
        ({"name": "x", "bottle": "y", "provider": "claude", "auth_token": "0A1B" * 8}, "never the value"),
        ({"name": "x", "bottle": "y", "provider": "claude", "auth_token": "A1B2" * 8}, "never the value"),
        ({"name": "x", "bottle": "y", "provider": "claude", "host_login": True}, "--host-login"),
        ({"name": "x", "bottle": "y", "provider": "pi", "auth_token": "T"}, "needs none"),
        (
            {"name": "x", "bottle": "y", "provider": "claude", "auth_token": "T", "argv": ("sh",)},
            "--provider command",
        ),
        (
            {"name": "x", "bottle": "y", "provider": "claude", "auth_token": "T", "allow": ("a_b",)},
            "is no host",
        ),
        ({"name": "x", "bottle": "y", "provider": "pi", "skills": ("gone",)}, "not in"),
    ],
)
def test_wrong_flags_are_usage(layout, given, says) -> None:
    with pytest.raises(click.UsageError) as error:
        ask(layout, flags(**given, prompt="p"))
    assert says in error.value.message
    assert "sk-ant" not in error.value.message


def test_nothing_is_written_over(layout) -> None:
    """A file that is there is refused, by the question and again by the write; then neither is made."""
    given = flags(name="one", bottle="dev", provider="command", prompt="p", argv=("true",))
    plan = ask(layout, given)
    plan.write(layout)
    with pytest.raises(click.UsageError, match="there already"):
        ask(layout, given)
    with pytest.raises(LaunchError, match="there already"):
        Plan(
            "one", "new", (), "", ask(layout, flags(name="two", bottle="new", provider="pi", prompt="")).new
        ).write(layout)
    assert not (layout.bottles / "new.md").exists()
    link = layout.agents / "link.md"
    link.symlink_to(layout.home / "elsewhere")
    with pytest.raises(LaunchError):
        Plan("link", "dev", (), "", None).write(layout)
    assert not (layout.home / "elsewhere").exists()
    assert (layout.agents / "one.md").stat().st_mode & 0o777 == 0o600


def test_a_bottle_that_is_there_is_taken_as_it_is(layout) -> None:
    given = flags(name="one", bottle="dev", provider="command", prompt="p", argv=("true",))
    ask(layout, given).write(layout)
    before = (layout.bottles / "dev.md").read_bytes()
    ask(layout, flags(name="two", bottle="dev", prompt="q")).write(layout)
    assert (layout.bottles / "dev.md").read_bytes() == before
    with pytest.raises(click.UsageError, match="there already"):
        ask(layout, flags(name="three", bottle="dev", prompt="q", allow=("a.example",)))


@pytest.mark.parametrize("template", sorted(PROVIDERS))
def test_every_provider_makes_a_file_that_loads(layout, template) -> None:
    token = PROVIDERS[template].token_variables[:1]
    given = flags(name="x", bottle="y", provider=template, prompt="p", auth_token=token[0] if token else None,
                  argv=("true",) if template == "command" else ())  # fmt: skip
    ask(layout, given).write(layout)
    assert load(resolve(layout.home.parent, None), "x").bottle.agent_provider.template == template


def test_codex_may_take_the_host_s_login(layout) -> None:
    for given, person in (
        (flags(name="x", bottle="y", provider="codex", host_login=True, prompt=""), None),
        (flags(name="x", bottle="y", provider="codex", prompt=""), Scripted("login", "")),
    ):
        plan = ask(layout, given, person)
        assert (plan.new.host_login, plan.new.auth_token) == (True, "")


def test_the_end_of_input_cancels(layout) -> None:
    """Ctrl-D at any question: exit 1, nothing written."""
    for answers in ((), ("x",), ("x", "y"), ("x", "y", "pi"), ("x", "y", "pi", "")):
        with pytest.raises(Exit) as end:
            ask(layout, flags(), Scripted(*answers))
        assert end.value.status == 1
    assert not layout.home.exists()


def test_half_a_file_is_taken_away_again(layout, monkeypatch) -> None:
    """The disk is full: neither file is left, so that the next try is not told that one is there already."""
    plan = ask(layout, flags(name="x", bottle="dev", provider="command", prompt="p", argv=("true",)))
    write_all = newcomer.write_all

    def full(fd: int, content: bytes) -> None:
        write_all(fd, content[:10])
        if b"bottle: dev" in content:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(newcomer, "write_all", full)
    with pytest.raises(OSError, match="No space left"):
        plan.write(layout)
    assert not list(layout.home.rglob("*.md"))
