"""A bottle and the terminals that come and go: started here, left, found again, taken over, lost by force."""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from e2e_support import eventually, processes_of
from screen_terminal import Terminal

BOTTLE = "---\nagent_provider: {template: command, settings: {argv: [%s]}}\n---\n"
AGENT = "---\nbottle: dev\n---\nBe brief.\n"


@pytest.fixture
def manifest(person) -> Callable[[str], None]:
    """Gives the agent ``worker`` another program; a shell at first."""

    def program(argv: str) -> None:
        person.write(".bot-bottle/bottles/dev.md", BOTTLE % argv)

    program("bash, --norc")
    person.write(".bot-bottle/agents/worker.md", AGENT)
    return program


@pytest.fixture
def open_terminal(person) -> Iterator[Callable[..., Terminal]]:
    """Each call is another terminal; *program* stands for the command, as in :class:`Person`."""
    directory = Path(tempfile.mkdtemp(prefix="bb-t-"))
    opened: list[Terminal] = []

    def open_one(program: tuple[str, ...] = person.program) -> Terminal:
        owner = dataclasses.replace(person, program=program)
        opened.append(Terminal(directory / str(len(opened)), owner))
        return opened[-1]

    yield open_one
    for identity in person.states():
        person.run("stop", identity)
    for terminal in opened:
        terminal.end()
    shutil.rmtree(directory)


def active(person) -> dict[str, dict[str, object]]:
    """Identity to record."""
    return {
        record["identity"]: record for record in json.loads(person.run("list", "active", "--json").stdout)
    }


def session_of(person, identity: str) -> int:
    """The pid of the session process."""
    record = json.loads((person.layout.state(identity) / "launch.json").read_text())
    return int(record["launcher_pid"])


def start_detached(person, label: str = "one", *args: str) -> None:
    done = person.run("start", "worker", "--yes", "--label", label, "-d", *args)
    assert (done.returncode, done.stdout) == (0, f"{label}\n"), done.stderr


def test_a_bottle_outlives_its_terminal(person, manifest, open_terminal) -> None:
    """Started in one that is then closed, found in another of another size with what was on the screen."""
    first = open_terminal()
    first.start("start", "worker", "--yes", "--label", "one", "--color", "blue")
    first.wait("bash-")
    first.text("echo marker-$((40+2)) > w; cat w; stty size")
    first.keys("Enter")
    first.wait("24 80")
    first.end()
    eventually(lambda: active(person)["one"]["attached"] is False, "the terminal is gone")
    assert person.run("exec", "one", "--", "cat", "w").stdout == "marker-42\n"
    second = open_terminal()
    second.start("attach", "one", size=(200, 50))
    assert "marker-42" in second.wait("24 80")
    second.text("stty size; exit 7")
    second.keys("Enter")
    assert second.status() == 0
    history = second.history()
    assert "50 200" in history
    assert "the agent ended with status 7" in history
    assert "bot-bottle resume one" in history
    assert "/home/node/w" in history
    assert person.states() == ["one"]


@pytest.mark.slow
def test_detach_and_come_back(person, manifest, open_terminal) -> None:
    """The detach keys leave it running; its state and who is attached are listed."""
    start_detached(person)
    eventually(lambda: active(person)["one"]["state"] == "waiting", "it waits for somebody to type")
    terminal = open_terminal()
    terminal.start("attach", "one")
    terminal.wait("bash-")
    assert active(person)["one"]["attached"] is True
    terminal.text("x=still-here")
    terminal.keys("Enter", "C-]", "d")
    assert terminal.status() == 0
    assert "detached; one goes on: bot-bottle attach one" in terminal.history()
    again = open_terminal()
    again.start("attach", "one", "--detach-keys", "ctrl-p,ctrl-q", "--exit-status")
    again.wait("still-here")
    again.keys("C-]", "d", "C-h", "C-h")
    again.text("echo $x; while :; do echo; sleep 0.2; done")
    again.keys("Enter")
    eventually(lambda: active(person)["one"]["state"] == "running", "it prints")
    again.keys("C-c")
    again.text("exit 5")
    again.keys("Enter")
    assert again.status() == 5
    assert active(person) == {}


def test_the_agents_status_is_the_commands_on_demand(person, manifest, open_terminal) -> None:
    """As without a process of its own; a bottle without work is gone at its end."""
    terminal = open_terminal()
    terminal.start("start", "worker", "--yes", "--label", "one", "--exit-status")
    terminal.wait("bash-")
    terminal.text("exit 9")
    terminal.keys("Enter")
    assert terminal.status() == 9
    assert "the agent ended with status 9" in terminal.history()
    assert person.run("resume", "--yes", "one", "--", "-c", "true").returncode == 0
    assert person.states() == []


def test_one_types_and_the_others_look_on(person, manifest, open_terminal) -> None:
    """A second terminal takes over from the first, which is told; one that is read-only does not."""
    start_detached(person)
    first, second, looker = open_terminal(), open_terminal(), open_terminal()
    first.start("attach", "one")
    first.wait("bash-")
    looker.start("attach", "one", "--read-only")
    looker.wait("bash-")
    looker.text("echo from-the-looker")
    looker.keys("Enter")
    second.start("attach", "one")
    assert first.status() == 0
    assert "another terminal has taken one over" in first.history()
    second.wait("bash-")
    second.text("echo from-the-second")
    second.keys("Enter")
    second.wait("\nfrom-the-second")
    assert "from-the-looker" not in looker.wait("\nfrom-the-second")
    looker.keys("q")
    assert looker.status() == 0
    assert active(person)["one"]["attached"] is True


def test_the_end_is_kept_for_who_comes_later(person, manifest) -> None:
    """An agent that ends while nobody looks is listed as finished until somebody has seen its last words."""
    manifest("bash, -c, 'printf \"did \\033]52;c;eA==\\007it\"; exit 3'")
    start_detached(person)
    eventually(lambda: active(person)["one"]["state"] == "finished", "it has ended")
    eventually(lambda: active(person)["one"]["status"] == 3, "its session has ended, too")
    shown = person.run("attach", "one")
    assert shown.returncode == 0
    assert "did it" in shown.stdout
    assert "52;" not in shown.stdout
    assert "the agent ended with status 3" in shown.stderr
    assert active(person) == {}
    assert person.run("attach", "one").returncode == 1


def test_what_was_stopped_is_finished(person, manifest) -> None:
    """Nobody attached: it is listed with all its names until somebody has seen its end."""
    start_detached(person)
    assert person.run("stop", "one").returncode == 0
    ended = active(person)["one"]
    assert (ended["state"], ended["status"], ended["preserved"]) == ("finished", None, True)
    assert (ended["agent"], ended["label"], ended["bottles"]) == ("worker", "one", ["dev"])
    assert person.run("attach", "one").returncode == 143
    assert active(person) == {}


def test_an_end_that_nobody_has_seen_is_forgotten_when_it_is_started_again(person, manifest) -> None:
    """In the foreground as well: what is listed afterwards would be the end of the session before."""
    manifest("bash, -c, 'test -e ~/was || { touch ~/was; exit 3; }'")
    start_detached(person)
    eventually(lambda: active(person)["one"]["status"] == 3, "it has ended")
    assert person.run("resume", "one", "--yes", "--exit-status").returncode == 0
    assert active(person) == {}


def test_a_launch_that_fails_is_told_at_once(person, manifest) -> None:
    """Detached or not: nothing is left running, the reason is said, the status is not 0."""
    manifest("no-such-program")
    done = person.run("start", "worker", "--yes", "--label", "one", "-d")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no-such-program" in done.stderr
    assert active(person) == {}


def test_refusals_are_a_state(person, manifest) -> None:
    """What the proxy has just refused is told by ``list active``."""
    manifest("bash, -c, 'curl -s https://evil.example.com/; exec sleep 300'")
    bottle = person.home / ".bot-bottle/bottles/dev.md"
    bottle.write_text(bottle.read_text().replace("\n---\n", "\negress: {log: 1}\n---\n"))
    start_detached(person)
    eventually(lambda: active(person)["one"]["state"] == "refused", "the refusal is listed")
    assert person.run("stop", "one").returncode == 0


@pytest.mark.parametrize("victim", ["client", "session"])
def test_one_of_the_two_is_killed(person, manifest, open_terminal, victim) -> None:
    """kill -9: the client's end is nothing to the bottle; the session's is the bottle's, and the terminal is
    put back and told."""
    terminal = open_terminal()
    terminal.start("start", "worker", "--yes", "--label", "one")
    terminal.wait("bash-")
    terminal.text("echo precious > work; echo do''ne")
    terminal.keys("Enter")
    terminal.wait("\ndone")
    session = session_of(person, "one")
    client = int(Path(f"/proc/{session}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(session if victim == "session" else client, signal.SIGKILL)
    if victim == "client":
        eventually(lambda: active(person)["one"]["attached"] is False, "its end is seen")
        assert person.run("exec", "one", "--", "cat", "work").stdout == "precious\n"
        assert person.run("stop", "one").returncode == 0
    else:
        assert terminal.status() == 1
        assert "the session process of one was killed" in terminal.history()
        assert "bot-bottle resume one" in terminal.history()
        assert active(person) == {}
    assert os.listdir(person.layout.run / "x") == []
    assert person.run("resume", "--yes", "one", "--", "-c", "cat work").stdout == "precious\n"


def test_stop_ends_a_bottle_that_is_attached(person, manifest, open_terminal) -> None:
    """The terminal is put back and told; work is kept."""
    terminal = open_terminal()
    terminal.start("start", "worker", "--yes", "--label", "one")
    terminal.wait("bash-")
    assert person.run("stop", "one").returncode == 0
    assert terminal.status() == 128 + signal.SIGTERM
    assert "bot-bottle resume one" in terminal.history()


def test_the_daemon_may_come_and_go(person, manifest) -> None:
    """A session without a terminal starts another one, as every launching process does."""
    start_detached(person)
    daemons = processes_of(person.layout)
    for pid in daemons:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: set(processes_of(person.layout)) - set(daemons), "another daemon runs")
    assert person.run("exec", "one", "--", "true").returncode == 0
    assert person.run("stop", "one").returncode == 0


def test_nobody_else_can_attach(person, manifest) -> None:
    """The socket is the operator's alone, and no bottle sees it."""
    start_detached(person)
    path = person.layout.tty_socket("one")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    seen = person.run("exec", "one", "--", "sh", "-c", f"ls -A /run/bot-bottle; ls {path.parent} 2>&1")
    assert seen.stdout.splitlines()[0] == "proxy.sock"
    assert "No such file" in seen.stdout
    if os.geteuid() == 0:
        code = f"import socket; socket.socket(1, 5).connect({str(path)!r})"
        other = subprocess.run(
            ["setpriv", "--reuid=64996", "--regid=64996", "--clear-groups", "/usr/bin/python3", "-c", code],
            capture_output=True, text=True,
        )  # fmt: skip
        assert "PermissionError" in other.stderr
    assert person.run("stop", "one").returncode == 0


def test_without_a_terminal(person, manifest) -> None:
    """attach needs one; start does as it always did."""
    start_detached(person)
    done = person.run("attach", "one")
    assert done.returncode == 2
    assert "no terminal" in done.stderr
    assert person.run("attach", "nobody").returncode == 1
    assert person.run("attach", "one", "--detach-keys", "x").returncode == 2
    assert person.run("stop", "one").returncode == 0
    done = person.run("start", "worker", "--yes", "--label", "two", given=b"echo $((6*7))\n")
    assert (done.returncode, done.stdout) == (0, "42\n"), done.stderr


def test_a_shell_beside_the_agent(person, manifest, open_terminal) -> None:
    """Filtered as the agent is, with its status; without a terminal it reads commands."""
    start_detached(person)
    terminal = open_terminal()
    terminal.start("shell", "one")
    terminal.wait("$")
    terminal.text("printf 'a\\033]0;hostile\\007b\\n'; tty; exit 4")
    terminal.keys("Enter")
    assert terminal.status() == 4
    assert "\nab\n/dev/pts/1" in terminal.history()
    assert person.run("shell", "one", given=b"pwd\n").stdout == "/home/node\n"
    assert person.run("stop", "one").returncode == 0


def test_a_hostile_agent_changes_nothing_here(person, manifest, open_terminal) -> None:
    """Through the whole way, session and all: neither title nor clipboard of the terminal, nor its modes."""
    attacks = (
        r"\033]0;evil\007\033]52;c;ZXZpbA==\007\033kevil\033\134\033[?1003h\033[?25l\033[2;3r\033[8mbefore"
    )
    manifest(f'bash, -c, \'printf "{attacks}"; read -r x; printf "{attacks} after"\'')
    terminal = open_terminal()
    terminal.start("start", "worker", "--yes", "--label", "one")
    terminal.wait("before")
    state = "#{pane_title} #{cursor_flag} #{mouse_any_flag} #{scroll_region_upper} #{scroll_region_lower}"
    assert terminal._tmux("display-message", "-p", state) == "one (worker) 0 1 1 2\n"
    terminal.keys("Enter")
    assert terminal.status() == 0
    assert "before after" in terminal.history()
    title, *modes = terminal._tmux("display-message", "-p", state).split()
    assert title not in ("evil", "one")
    assert modes == ["1", "0", "0", "23"]
    assert terminal._tmux("list-buffers") == ""


@pytest.mark.slow
def test_a_shell_can_stop_it_and_go_on(person, manifest, open_terminal) -> None:
    """Job control: the shell has its terminal while the attached command is stopped."""
    start_detached(person)
    terminal = open_terminal(program=())
    terminal.start("bash", "--norc", "-i", env={"PS1": "outside> "})
    terminal.wait("outside>")
    terminal.text(shlex.join([*person.program, "attach", "one"]))
    terminal.keys("Enter")
    terminal.wait(lambda shown: "bash-" in shown and "outside>" not in shown)
    client = next(pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if is_client(pid, person))
    os.kill(client, signal.SIGTSTP)
    terminal.wait("Stopped")
    terminal.text("echo in-the-$((1+1))nd-shell")
    terminal.keys("Enter")
    terminal.wait("\nin-the-2nd-shell")
    terminal.text("fg")
    terminal.keys("Enter")
    terminal.wait(lambda shown: "bash-" in shown and "outside>" not in shown)
    terminal.text("echo in-the-$((1+2))rd-bottle")
    terminal.keys("Enter")
    terminal.wait("\nin-the-3rd-bottle")
    terminal.keys("C-]", "d")
    terminal.wait("detached; one goes on")


def is_client(pid: int, person) -> bool:
    try:
        argv = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        environ = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    return argv[-3:-1] == [b"attach", b"one"] and f"HOME={person.home}\0".encode() in environ
