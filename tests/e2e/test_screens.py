"""``start`` as a person uses it, in a terminal: what is asked, what the keys do, what gets recorded."""

from __future__ import annotations

import json

import pytest

HELLO = "{template: command, settings: {argv: [sh, -c, 'echo hello from the agent']}}"
WORK = "{template: command, settings: {argv: [sh, -c, 'echo x > work']}}"
STAY = "{template: command, settings: {argv: [sh, -c, 'echo at work; exec sleep 300']}}"


@pytest.fixture
def manifest(person) -> None:
    person.write(".bot-bottle/bottles/dev.md", f"---\nagent_provider: {HELLO}\n---\n")
    person.write(".bot-bottle/bottles/web.md", "---\nextends: dev\n---\n")
    person.write(".bot-bottle/agents/fixer.md", "---\nbottle: dev\n---\nBe brief.\n")
    person.write(".bot-bottle/agents/worker.md", "---\nbottle: dev\n---\nBe brief.\n")


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
def test_pick_name_look_start(person, manifest, terminal, size) -> None:
    """Agent, bottles in order with lineage, name, colour, preflight, y: and the agent runs."""
    terminal.start("start", size=size)
    assert "> fixer" in terminal.wait("Select agent")
    terminal.keys("Down", "Enter")
    screen = terminal.wait("Select bottles")
    assert "[*] dev" in screen
    assert "[ ] dev -> web" in screen
    terminal.keys("w", "e", "b", "Space")
    terminal.wait("2. dev -> web")
    terminal.keys("Tab")
    terminal.wait("> 1. dev")
    terminal.keys("J", "C-d")
    terminal.wait("Label: worker")
    terminal.text("My Run")
    terminal.keys("Enter")
    terminal.wait("Colour of My Run")
    terminal.keys("Down", "Down", "Enter")
    terminal.wait("start? [y/N]")
    assert "bottles:\n- web\n- dev\n" in terminal.history()
    assert "Select" not in terminal.shown()
    terminal.keys("y", "Enter")
    assert terminal.status() == 0
    assert "hello from the agent" in terminal.history()


@pytest.mark.slow
def test_a_picker_appears_only_for_what_no_flag_answered(person, manifest, terminal) -> None:
    """With all flags there is no screen; with all but one, that one."""
    every = ["start", "-a", "worker", "--bottle", "web", "--label", "one", "--color", "none"]
    terminal.start(*every)
    terminal.wait("start? [y/N]")
    terminal.keys("n", "Enter")
    assert terminal.status() == 1
    assert "declined" in terminal.history()
    for missing, title in (
        (1, "Select agent"),
        (3, "Select bottles"),
        (5, "Label: worker"),
        (7, "Colour of one"),
    ):
        terminal.start(*every[:missing], *every[missing + 2 :])
        terminal.wait(title)
        terminal.keys("Escape")
        if missing in (1, 3):
            assert terminal.status() == 1
            assert "cancelled" in terminal.history()
        else:
            terminal.wait("start? [y/N]")
    terminal.start("start", "worker", "--yes")
    assert terminal.status() == 0


def test_answers_are_recorded_and_resumed(person, manifest, terminal) -> None:
    """Label, colour, bottles in order: in the record, and again at resume."""
    person.write(".bot-bottle/bottles/dev.md", f"---\nagent_provider: {WORK}\n---\n")
    terminal.start("start", "worker", "--bottle", "web", "--bottle", "dev")
    terminal.wait("Label:")
    terminal.text("[red]x ü")
    terminal.keys("Enter")
    terminal.wait("Colour of [red]x ü")
    terminal.keys("Down", "Enter")
    terminal.wait("start? [y/N]")
    terminal.keys("y", "Enter")
    assert terminal.status() == 0
    (record,) = json.loads(person.run("list", "kept", "--json").stdout)
    assert record["identity"] == "red-x"
    assert (record["label"], record["color"], record["bottles"]) == ("[red]x ü", "red", ["web", "dev"])
    assert person.run("resume", "--yes", "red-x").returncode == 0
    (again,) = json.loads(person.run("list", "kept", "--json").stdout)
    assert {**again, "started_at": ""} == {**record, "started_at": ""}


def test_a_name_in_use_is_asked_again(person, manifest, terminal) -> None:
    """The notice names it; the loop ends with a free one."""
    person.write(".bot-bottle/bottles/stay.md", f"---\nagent_provider: {STAY}\n---\n")
    running = person.popen("start", "worker", "--bottle", "stay", "--label", "taken", "--yes", stdout=-1)
    assert running.stdout.readline() == b"at work\n"
    terminal.start("start", "worker", "--bottle", "dev", "--label", "Taken", "--color", "blue")
    assert "Label: Taken" in terminal.wait('"Taken" is already in use')
    terminal.text("!!!")
    terminal.keys("Enter")
    terminal.wait('"!!!" needs a letter or a digit')
    terminal.text("free")
    terminal.keys("Enter")
    terminal.wait("start? [y/N]")
    terminal.keys("y", "Enter")
    assert terminal.status() == 0
    done = person.run("start", "worker", "--label", "taken", "--yes")
    assert (done.returncode, "is running already" in done.stderr) == (1, True)


def test_a_kept_bottle_of_that_name_is_offered(person, manifest, terminal) -> None:
    """y resumes it; anything else asks for another name."""
    person.write(".bot-bottle/bottles/dev.md", f"---\nagent_provider: {WORK}\n---\n")
    assert person.run("start", "worker", "--label", "worker", "--yes").returncode == 0
    terminal.start("start", "worker", "--bottle", "dev", "--color", "none")
    terminal.wait("Label: worker")
    terminal.keys("Enter")
    terminal.wait("resume it instead? [y/N]")
    terminal.keys("n", "Enter")
    terminal.wait('"worker" is already in use')
    terminal.keys("Enter")
    terminal.wait(lambda screen: screen.count("resume it instead? [y/N]") == 2)
    terminal.keys("y", "Enter")
    terminal.wait("start? [y/N]")
    terminal.keys("y", "Enter")
    assert terminal.status() == 0
    assert person.states() == ["worker"]


def test_which_bottle_is_resumed(person, manifest, terminal) -> None:
    """Asked where nobody named one: the newest first, found by what is typed; what stands behind -- is no name."""
    person.write(".bot-bottle/bottles/dev.md", f"---\nagent_provider: {WORK}\n---\n")
    terminal.start("resume")
    assert terminal.status() == 1
    assert "no bottle is kept" in terminal.history()
    for label in ("first one", "second one"):
        assert person.run("start", "worker", "--label", label, "--yes").returncode == 0
    terminal.start("resume", "--yes", "--", "-c", "echo resumed as $HOME; exit 3")
    screen = terminal.wait("Select bottle to resume")
    assert screen.index("second-one  second one (worker)") < screen.index("first-one  first one (worker)")
    terminal.text("first")
    terminal.keys("Enter")
    terminal.wait("bot-bottle resume first-one")
    terminal.start("resume")
    terminal.wait("Select bottle to resume")
    terminal.keys("Escape")
    assert terminal.status() == 1
    done = person.run("resume", "--yes")
    assert (done.returncode, "give its identity ('bot-bottle list kept'" in done.stderr) == (2, True)


def test_what_stands_behind_dashes_is_no_agent(person, manifest, terminal) -> None:
    """Without an agent it is asked for, or its flag is named; the words go to the agent that is chosen."""
    done = person.run("start", "--yes", "--", "worker")
    assert (done.returncode, "give --agent A" in done.stderr) == (2, True)
    terminal.start("start", "--bottle", "dev", "--label", "one", "--color", "none", "--", "worker")
    terminal.wait("Select agent")
    terminal.keys("Escape")
    assert terminal.status() == 1
    done = person.run("start", "worker", "--agent", "worker", "--yes")
    assert (done.returncode, "two agents" in done.stderr) == (2, True)


def test_standard_streams_may_go_elsewhere(person, manifest, terminal) -> None:
    """Screens and questions are on the terminal; the files get the agent's output and the messages."""
    out, err = person.home / "out", person.home / "err"
    terminal.start("start", redirect=f"</dev/null >{out} 2>{err}")
    terminal.wait("Select agent")
    terminal.keys("Enter")
    terminal.wait("Select bottles")
    terminal.keys("Enter")
    terminal.wait("Label: fixer")
    terminal.keys("Enter")
    terminal.wait("Colour of fixer")
    terminal.keys("Enter")
    terminal.wait("start? [y/N]")
    terminal.keys("y", "Enter")
    assert terminal.status() == 0
    assert out.read_text() == "hello from the agent\n"
    assert "\x1b" not in err.read_text()
    assert "bottles:" in err.read_text()


def test_closed_streams_and_no_term(person, manifest, terminal) -> None:
    """Even with standard input closed and TERM unset."""
    terminal.start("start", redirect="<&-", unset=("TERM",))
    terminal.wait("Select agent")
    terminal.keys("q")
    assert terminal.status() == 1


def test_a_terminal_that_is_too_small(person, manifest, terminal) -> None:
    """Pickers count as cancelled, the modal as its default; a warning says so."""
    terminal.start("start", "worker", size=(80, 6))
    assert terminal.status() == 1
    assert "too small" in terminal.history()
    terminal.start("start", "worker", "--bottle", "dev", size=(80, 6))
    terminal.wait("start? [y/N]")
    assert "too small" in terminal.history()
    terminal.keys("y", "Enter")
    assert terminal.status() == 0


def test_a_dumb_terminal_shows_no_screens(person, manifest, terminal) -> None:
    terminal.start("start", env={"TERM": "dumb"})
    assert terminal.status() == 2
    assert "--agent" in terminal.history()


def test_no_color(person, manifest, terminal) -> None:
    """NO_COLOR takes the colours, not the weight."""
    for env, colored in (({}, True), ({"NO_COLOR": "1"}, False)):
        terminal.start("start", "worker", "--bottle", "dev", "--label", "x", env=env)
        terminal.wait("Colour of x")
        row = next(row for row in terminal.shown(escapes=True).split("\n") if "magenta" in row)
        assert ("95m" in row) is colored, row
        assert "\x1b[1" in row


def test_without_a_terminal_a_missing_answer_names_its_flag(person, manifest) -> None:
    """Exit 2, nothing made (rulings 29, 33)."""
    project = person.home / "project"
    person.write("project/.bot-bottle/agents/theirs.md", "---\nbottle: dev\n---\n")
    person.write(".bot-bottle/agents/bare.md", "---\nskills: []\n---\n")
    for args, flag in (
        (["start"], "--agent"),
        (["start", "worker"], "--yes"),
        (["start", "bare", "--yes"], "--bottle"),
        (["start", "theirs", "--yes"], "--trust-project"),
    ):
        done = person.run(*args, cwd=project)
        assert (done.returncode, flag in done.stderr) == (2, True), done.stderr
    assert person.states() == []
    assert person.run("start", "theirs", "--yes", "--bottle", "web", cwd=project).returncode == 0
    assert person.run("start", "theirs", "--yes", "--trust-project", cwd=project).returncode == 0


def test_a_project_s_agent_is_marked_and_only_pre_selects(person, manifest, terminal) -> None:
    """Whose it is stands beside it; its bottle is taken when a person confirms it."""
    person.write("project/.bot-bottle/agents/theirs.md", "---\nbottle: web\n---\n")
    terminal.start("start", "--label", "x", "--color", "none", cwd=person.home / "project")
    assert "theirs (this project's)" in terminal.wait("Select agent")
    terminal.keys("t", "h", "e", "i", "Enter")
    terminal.wait("1. dev -> web")
    terminal.keys("Enter")
    terminal.wait("start? [y/N]")
    terminal.keys("y", "Enter")
    assert terminal.status() == 0
    assert "hello from the agent" in terminal.history()


def test_a_project_s_agent_in_place_of_yours_is_confirmed_once(person, manifest, terminal) -> None:
    """For each content of it; without a terminal only by --trust-project, for run too (ruling 49)."""
    project = person.home / "project"
    person.write("project/.bot-bottle/agents/worker.md", "---\nbottle: dev\n---\ntheirs\n")
    chosen = ("worker", "--bottle", "dev", "--label", "x", "--color", "none")
    done = person.run("start", *chosen, "--yes", cwd=project)
    assert (done.returncode, "--trust-project" in done.stderr) == (2, True)
    done = person.run("run", "--agent", "worker", "--bottle", "dev", cwd=project)
    assert (done.returncode, "--trust-project" in done.stderr) == (125, True)
    terminal.start("start", *chosen, cwd=project, size=(200, 50))
    terminal.wait("takes the place of your own agent: use it? [y/N]")
    terminal.keys("n", "Enter")
    assert terminal.status() == 1
    terminal.start("start", *chosen, cwd=project, size=(200, 50))
    terminal.wait("use it? [y/N]")
    terminal.keys("y", "Enter")
    terminal.wait("start? [y/N]")
    terminal.keys("y", "Enter")
    assert terminal.status() == 0
    assert person.run("start", *chosen, "--yes", cwd=project).returncode == 0
    assert person.run("run", "--agent", "worker", "--bottle", "dev", cwd=project).returncode == 0
    person.write("project/.bot-bottle/agents/worker.md", "---\nbottle: dev\n---\nchanged\n")
    assert person.run("start", *chosen, "--yes", cwd=project).returncode == 2
    assert person.run("start", *chosen, "--yes", "--trust-project", cwd=project).returncode == 0


def test_resume_asks_about_a_project_s_agent_that_changed(person, manifest) -> None:
    """The content that was taken at the start resumes; another needs a person, or --trust-project."""
    person.write(".bot-bottle/bottles/dev.md", f"---\nagent_provider: {WORK}\n---\n")
    person.write("project/.bot-bottle/agents/worker.md", "---\nbottle: dev\n---\ntheirs\n")
    project = person.home / "project"
    done = person.run("start", "worker", "--yes", "--label", "one", "--trust-project", cwd=project)
    assert (done.returncode, person.states()) == (0, ["one"])
    assert person.run("resume", "one", "--yes").returncode == 0
    person.write("project/.bot-bottle/agents/worker.md", "---\nbottle: dev\n---\nchanged\n")
    done = person.run("resume", "one", "--yes")
    assert (done.returncode, "--trust-project" in done.stderr) == (2, True)
    assert person.states() == ["one"]
    assert person.run("resume", "one", "--yes", "--trust-project").returncode == 0
    assert person.run("resume", "one", "--yes").returncode == 0


def test_no_agent_yet_points_to_init(person, terminal) -> None:
    terminal.start("start")
    assert terminal.status() == 1
    assert "bot-bottle init" in terminal.history()
