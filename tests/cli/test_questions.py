"""What ``start`` asks and what it does not, as a table of flags, files and terminals.

The screens are answered by pressing keys on the real models; only the terminal below them is left out, which
``test_shown`` and ``tests/e2e/test_screens.py`` have.
"""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from bot_bottle.cli.asking import Asker
from bot_bottle.cli.errors import Exit
from bot_bottle.cli.questions import Answers, Given, NothingToStart, Questions, read_index
from bot_bottle.cli.screens import shown
from bot_bottle.manifest.tree import ManifestError
from bot_bottle.store import bottles
from bot_bottle.store.bottles import IdentityTaken
from bot_bottle.store.layout import Layout


class Person(Asker):
    """Presses keys on screens and answers questions, in order; knows which screens were shown."""

    def __init__(self, *screens: str | None, yes: bool = False) -> None:
        super().__init__(-1)
        self.screens = list(screens)
        self.shown: list[str] = []
        self.answer_yes = yes
        self.asked: list[str] = []

    def yes(self, question: str) -> bool:
        self.asked.append(question)
        return self.answer_yes

    def show(self, model, terminal: int) -> bool:
        """Keys separated by spaces; None: the terminal is too small."""
        self.shown.append(type(model).__name__)
        keys = self.screens.pop(0)
        if keys is None:
            return False
        for key in keys.split():
            model.press(key, key if len(key) == 1 else None)
        assert model.done
        return True


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    home = tmp_path / "home" / ".bot-bottle"
    for path, text in (
        ("bottles/dev.md", "---\n---\n"), ("bottles/web.md", "---\nextends: dev\n---\n"),
        ("agents/worker.md", "---\nbottle: dev\n---\n"), ("agents/bare.md", "---\n---\n"),
        ("agents/broken.md", "---\n]\n---\n"),
    ):  # fmt: skip
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text(text)
    for name in ("theirs", "bare"):
        theirs = tmp_path / "project" / ".bot-bottle" / "agents" / f"{name}.md"
        theirs.parent.mkdir(parents=True, exist_ok=True)
        theirs.write_text("---\nbottle: web\n---\n")
    return Layout(home, home, tmp_path / "run")


def given(**flags) -> Given:
    base = {"agent": "worker", "bottles": (), "label": None, "color": None, "quiet": False, "named": True,
            "trust_project": False}  # fmt: skip
    return Given(**{**base, **flags})


@pytest.fixture
def ask(layout, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")

    def run(flags: Given, person: Person | None = None, *, project: bool = False) -> Answers:
        if person is not None:
            monkeypatch.setattr(shown, "show", person.show)
        cwd = layout.home.parent.parent / ("project" if project else "elsewhere")
        return Questions(flags, read_index(layout, cwd), layout, person).answer()

    return run


ALL = {"bottles": ("dev",), "label": "My Run", "color": ""}


@pytest.mark.parametrize(
    ("flags", "keys", "screens", "answers"),
    [
        (ALL, [], [], Answers("worker", ("dev",), "My Run", "", "my-run")),
        ({**ALL, "agent": None}, ["enter"], ["SinglePicker"], Answers("bare", ("dev",), "My Run", "", "my-run")),
        ({**ALL, "bottles": ()}, ["enter"], ["MultiPicker"], Answers("worker", ("dev",), "My Run", "", "my-run")),
        ({**ALL, "bottles": ()}, ["space enter"], ["MultiPicker"], Answers("worker", (), "My Run", "", "my-run")),
        ({**ALL, "label": None}, ["x enter"], ["NamingModal"], Answers("worker", ("dev",), "x", "", "x")),
        ({**ALL, "color": None}, ["down enter"], ["NamingModal"],
         Answers("worker", ("dev",), "My Run", "red", "my-run")),
        ({}, ["w space enter", "escape", "escape"], ["MultiPicker", "NamingModal", "NamingModal"],
         Answers("worker", ("dev", "web"), "worker", "", "worker")),
        ({"quiet": True}, [], [], Answers("worker", ())),
        ({"quiet": True, "agent": None}, ["down down enter"], ["SinglePicker"], Answers("worker", ())),
        ({"named": False, "bottles": ("web",)}, [], [], Answers("worker", ("web",))),
        ({**ALL, "label": "!"}, ["x enter"], ["NamingModal"], Answers("worker", ("dev",), "x", "", "x")),
        # a terminal that is too small: the defaults
        ({"bottles": ("dev",)}, [None], ["NamingModal"], Answers("worker", ("dev",), "worker", "", "worker")),
        ({**ALL, "color": None}, [None], ["NamingModal"], Answers("worker", ("dev",), "My Run", "", "my-run")),
    ],
)  # fmt: skip
def test_a_screen_only_for_what_no_flag_answered(ask, flags, keys, screens, answers) -> None:
    person = Person(*keys)
    assert ask(given(**flags), person) == answers
    assert (person.shown, person.screens) == (screens, [])


@pytest.mark.parametrize(
    ("flags", "keys"),
    [({"agent": None}, ["escape"]), ({"agent": None}, [None]), ({}, ["escape"]), ({}, [None]),
     ({"agent": None}, ["enter", "q"])],
)  # fmt: skip
def test_cancelled(ask, flags, keys) -> None:
    """Exit 1; a terminal that is too small counts so."""
    with pytest.raises(Exit) as end:
        ask(given(**flags), Person(*keys))
    assert end.value.status == 1


@pytest.mark.parametrize(
    ("flags", "project", "flag"),
    [
        ({"agent": None}, False, "--agent"),
        ({"agent": "bare"}, False, "--bottle"),
        ({"agent": "broken"}, False, "--bottle"),
        ({"agent": "theirs"}, True, "--trust-project"),
        ({"agent": "bare"}, True, "--trust-project"),
    ],
)
@pytest.mark.parametrize("somebody", [True, False])
def test_nobody_to_ask_names_the_flag(ask, capsys, flags, project, flag, somebody) -> None:
    """Exit 2: without a terminal, and with --yes for what has no default."""
    if somebody and flags["agent"] is None:
        flags = {**flags, "agent": "bare"}
        flag = "--bottle"
    with pytest.raises(Exit) as end:
        ask(given(**flags, quiet=somebody), Person() if somebody else None, project=project)
    assert end.value.status == 2
    assert flag in capsys.readouterr().err


def test_without_a_terminal_defaults_hold(ask) -> None:
    assert ask(given()) == Answers("worker", ())
    assert ask(given(label="X", color="red")) == Answers("worker", (), "X", "red", "x")
    assert ask(given(agent="theirs", trust_project=True), project=True) == Answers("theirs", ())
    with pytest.raises(click.UsageError, match="letter or a digit"):
        ask(given(label="!"))
    with pytest.raises(ManifestError, match="not defined"):
        ask(given(agent="nobody"))


def test_a_project_s_suggestion_is_pre_selected(ask) -> None:
    """And confirmed by the picker; --trust-project answers it."""
    person = Person("enter")
    assert ask(given(agent="theirs", label="x", color=""), person, project=True).bottles == ("web",)
    person = Person()
    assert (
        ask(given(agent="theirs", label="x", color="", trust_project=True), person, project=True).bottles
        == ()
    )


def test_one_in_place_of_yours_is_asked_about_once(ask, layout) -> None:
    flags = given(agent="bare", **ALL)
    with pytest.raises(Exit) as end:
        ask(flags, Person(yes=False), project=True)
    assert end.value.status == 1
    person = Person(yes=True)
    ask(flags, person, project=True)
    assert "bare.md takes the place of your own agent" in person.asked[0]
    person = Person()
    ask(flags, person, project=True)
    assert person.asked == []
    ask(flags, project=True)


def test_a_name_that_runs_is_asked_again(ask, layout) -> None:
    """The rejected label is the default of the next modal, with a notice."""
    with bottles.create(layout, "taken"):
        person = Person("enter", "f r e e enter")
        assert ask(given(bottles=("dev",), label="Taken", color="red"), person) == Answers(
            "worker", ("dev",), "free", "red", "free"
        )
        assert person.asked == []
        with pytest.raises(IdentityTaken):
            ask(given(bottles=("dev",), label="Taken"))
        with pytest.raises(IdentityTaken):
            ask(given(**{**ALL, "label": "Taken"}), Person(None))


@pytest.mark.parametrize("yes", [True, False])
def test_a_kept_name_is_offered(ask, layout, yes) -> None:
    bottles.create(layout, "mine").close()
    person = Person(*([] if yes else ["x enter"]), yes=yes)
    answers = ask(given(**{**ALL, "label": "Mine"}), person)
    assert answers == (
        Answers("worker", ("dev",), resume="mine") if yes else Answers("worker", ("dev",), "x", "", "x")
    )
    assert "'mine'" in person.asked[0]


def test_a_dumb_terminal_has_no_screens(ask, monkeypatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    with pytest.raises(Exit) as end:
        ask(given(agent=None), Person())
    assert end.value.status == 2
    assert ask(given(), Person()) == Answers("worker", ())


def test_no_agents_at_all(ask, layout) -> None:
    for file in layout.agents.iterdir():
        file.unlink()
    with pytest.raises(NothingToStart, match="init"):
        ask(given(agent=None), Person())
