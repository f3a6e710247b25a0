"""Programs that draw look the same through the relay as without it, at two sizes, at once and after coming back.

Screens are compared with their colours, as a terminal emulator (tmux) shows them: here with the program on
the host, there in a bottle.
"""

from __future__ import annotations

import dataclasses
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from agents_support import client_of, installed
from screen_terminal import Terminal

from bot_bottle.testing.anthropic_fake import AnthropicFake

SIZES = [(80, 24), (200, 50)]
LINES = "seq -f 'line %03g of many' 1 300 > /tmp/bb-lines; export TERM=xterm-256color LC_ALL=C.UTF-8; "
STILL = {
    "vim": "exec vim -u NONE -N -i NONE -n -c 'syntax on' -c 'set number' /tmp/bb-lines",
    "less": "exec less -S /tmp/bb-lines",
    "colours": "printf '\\033[38;2;1;2;3;48;5;200mtrue\\033[0m \\033[1;3;4;7mall\\033[0m 漢字 é\\n'; exec cat",
}
"""Programs whose screens depend on nothing but the size."""
KEYS = {
    "vim": ("Down", "Down", "C-f", ":", "s", "p", "l", "i", "t", "Enter", "C-l"),
    "less": ("Space", "/", "2", "7", "0", "Enter"),
}
LOOKS = 4
LEFT_OVER = re.compile(r"\[\?[0-9]|[0-9];[0-9]+[mHR]|;rgb:|\^\[")
"""What a broken sequence, or an answer that somebody echoed, looks like on a screen."""


@pytest.fixture
def open_terminal(person) -> Iterator[Callable[..., Terminal]]:
    """Each call is another terminal; with ``host`` its commands are the host's own."""
    directory = Path(tempfile.mkdtemp(prefix="bb-t-"))
    opened: list[Terminal] = []

    def open_one(*, host: bool = False) -> Terminal:
        owner = dataclasses.replace(person, program=()) if host else person
        opened.append(Terminal(directory / str(len(opened)), owner))
        return opened[-1]

    yield open_one
    for identity in person.states():
        person.run("stop", identity)
    for terminal in opened:
        terminal.end()
    shutil.rmtree(directory)
    Path("/tmp/bb-lines").unlink(missing_ok=True)


def agent(person, script: str) -> None:
    person.write("script.sh", script)
    quoted = script.replace("'", "''")
    person.write(
        ".bot-bottle/bottles/dev.md",
        f"---\nagent_provider: {{template: command, settings: {{argv: [sh, -c, '{quoted}']}}}}\n---\n",
    )
    person.write(".bot-bottle/agents/worker.md", "---\nbottle: dev\n---\nBe brief.\n")


def settled(terminal: Terminal, sign: str) -> str:
    """The screen, once *sign* is on it and a few looks in a row see the same."""
    terminal.wait(sign)
    last: list[str] = []

    def same(_screen: str) -> bool:
        last.append(terminal.shown(escapes=True))
        return len(last) >= LOOKS and len(set(last[-LOOKS:])) == 1

    terminal.wait(same)
    return last[-1]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", STILL)
def test_a_still_screen_is_the_same(person, open_terminal, name, size) -> None:
    """At the start, after some keys, and for another terminal that is attached later."""
    if name in ("vim", "less") and shutil.which(name) is None:
        pytest.fail(f"{name} is missing: scripts/setup.sh installs it")
    script = LINES + STILL[name]
    sign = {"vim": "line 001", "less": "line 001", "colours": "all 漢字"}[name]
    after = {"vim": "bb-lines", "less": "line 270", "colours": "all 漢字"}[name]
    agent(person, script)
    plain, bottled = open_terminal(host=True), open_terminal()
    plain.start("sh", "-c", script, size=size)
    bottled.start("start", "worker", "--yes", "--label", "one", size=size)
    assert settled(bottled, sign) == settled(plain, sign)
    for terminal in (plain, bottled):
        terminal.keys(*KEYS.get(name, ()))
    expected = settled(plain, after)
    assert settled(bottled, after) == expected
    again = open_terminal()
    again.start("attach", "one", size=size)
    assert bottled.status() == 0
    assert settled(again, after) == expected


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(("name", "heading"), [("top", "PID USER"), ("htop", "PID")])
def test_a_moving_screen_has_the_same_form(person, open_terminal, name, heading, size) -> None:
    """Its heading is where it is without the relay, in the same colours; nothing of a sequence is left over."""
    if shutil.which(name) is None:
        pytest.fail(f"{name} is missing: scripts/setup.sh installs it")
    script = f"export TERM=xterm-256color LC_ALL=C.UTF-8; exec {name} -d {5 if name == 'top' else 50}"
    agent(person, script)
    plain, bottled = open_terminal(host=True), open_terminal()
    plain.start("sh", "-c", script, size=size)
    bottled.start("start", "worker", "--yes", "--label", "one", size=size)
    heads = []
    for terminal in (plain, bottled):
        terminal.wait(heading)
        shown = settled(terminal, heading)
        heads.append(
            next(line for line in shown.splitlines() if heading in re.sub(r"\x1b\[[0-9;]*m", "", line))
        )
        assert not LEFT_OVER.search(terminal.shown())
    assert words(heads[0]) == words(heads[1])
    bottled.keys("q")
    assert bottled.status() == 0


def words(line: str) -> list[str]:
    """Words and colours, whatever the widths of the columns."""
    return re.sub(r"\x1b\[[0-9;]*m", lambda found: f" {found.group()} ", line).split()


LOGO_LINES = 5


def without_logo(screen: str) -> str:
    """Claude's figure at the top moves, and goes: of its lines, only the words."""
    lines = screen.rstrip().splitlines()
    top = [" ".join(re.sub(r"\x1b\[[0-9;]*m|[▀-▟·]", "", line).split()) for line in lines[:LOGO_LINES]]
    return "\n".join([*top, *lines[LOGO_LINES:]])


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_first_screen_of_claude_is_the_same(person, open_terminal, size) -> None:
    """The real client, filtered and not (``--raw-terminal``), and for a terminal that comes back to it."""
    key = "sk-ant-api" + "03-of-the-operator-made-for-this-test"
    person.write(
        ".bot-bottle/bottles/dev.md", "---\nagent_provider: {template: claude, auth_token: MODEL_KEY}\n---\n"
    )
    person.write(".bot-bottle/agents/worker.md", "---\nbottle: dev\n---\n")
    shown = []
    with AnthropicFake(()) as api, client_of(person, installed("claude")):
        ca = person.write("api.pem", api.ca_pem)
        flags = ["--connect-to", f"api.anthropic.com:443:127.0.0.1:{api.port}", "--extra-ca", str(ca)]
        for more in ([], ["--raw-terminal"]):
            terminal = open_terminal()
            terminal.start(
                "start", "worker", "--yes", "--label", "one", *flags, *more, size=size, env={"MODEL_KEY": key}
            )
            shown.append(settled(terminal, "\n  one\n"))
            terminal.keys("C-]", "d")
            assert terminal.status() == 0
            again = open_terminal()
            again.start("attach", "one", size=size)
            shown.append(settled(again, "\n  one\n"))
            assert person.run("stop", "one").returncode == 0
            assert again.status() == 143
            person.run("cleanup", "--yes", "--kept")
    first, again, unfiltered, _ = (without_logo(screen) for screen in shown)
    assert first == unfiltered
    assert again == first
    assert not LEFT_OVER.search(re.sub(r"\x1b\[[0-9;]*m", "", first))


SIGNS = {"codex": "Ask Codex to do anything", "pi": "Pi can explain its own features"}
"""What each shows when it waits for its first task."""


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("template", SIGNS)
def test_the_first_screen_of_another_agent_is_the_same(person, open_terminal, template, size) -> None:
    """As of Claude Code: filtered and not, and for a terminal that comes back to it."""
    token = "" if template == "pi" else ", auth_token: MODEL_KEY"
    person.write(".bot-bottle/bottles/dev.md", f"---\nagent_provider: {{template: {template}{token}}}\n---\n")
    person.write(".bot-bottle/agents/worker.md", "---\nbottle: dev\n---\n")
    shown = []
    with client_of(person, installed(template)):
        for more in ([], ["--raw-terminal"]):
            terminal = open_terminal()
            terminal.start(
                "start", "worker", "--yes", "--label", "one", *more, size=size,
                env={"MODEL_KEY": "key-made-for-this-test"},
            )  # fmt: skip
            shown.append(settled(terminal, SIGNS[template]))
            terminal.keys("C-]", "d")
            assert terminal.status() == 0
            again = open_terminal()
            again.start("attach", "one", size=size)
            shown.append(settled(again, SIGNS[template]))
            assert person.run("stop", "one").returncode == 0
            assert again.status() == 143
            person.run("cleanup", "--yes", "--kept")
    first, again, unfiltered, again_unfiltered = shown
    assert first == unfiltered
    assert again == again_unfiltered
    assert texts(again) == texts(first)
    assert not LEFT_OVER.search("\n".join(texts(first)))


def texts(screen: str) -> list[str]:
    """Lines without colours; Pi draws itself anew for who comes back, and what it said before that is scrolled off."""
    lines = (re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in screen.splitlines())
    return [line for line in lines if line and not line.startswith("Model scope:")]
