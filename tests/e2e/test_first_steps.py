"""``init``, ``edit``, ``info``, ``validate``, ``prune`` and completion, as commands of a person with nothing yet."""

from __future__ import annotations

import json
import os
import shutil
import time

import pytest

pytestmark = pytest.mark.new_user

INIT = ("init", "tester", "--bottle", "shell", "--provider", "command", "--prompt", "Be brief.")


def test_from_nothing_to_a_run(person) -> None:
    """init by flags, info, validate, start: no terminal, no file written by hand."""
    done = person.run(*INIT, "--", "sh", "-c", "echo it works")
    assert done.returncode == 0, done.stderr
    assert "next: bot-bottle start tester" in done.stderr
    assert (person.home / ".bot-bottle").stat().st_mode & 0o777 == 0o700
    info = person.run("info", "tester")
    assert info.returncode == 0
    for line in ("agent: tester", "provider: command", "prompt: 9 characters: Be brief.", "bottle: shell"):
        assert f"{line}\n" in info.stdout
    assert json.loads(person.run("info", "tester", "--json").stdout)["bottles"] == ["shell"]
    assert person.run("validate").returncode == 0
    started = person.run("start", "tester", "--yes")
    assert (started.returncode, started.stdout) == (0, "it works\n")
    again = person.run(*INIT, "--", "true")
    assert again.returncode == 2
    assert "there already" in again.stderr


def test_init_asks_on_the_terminal(person, terminal) -> None:
    """Questions, defaults, a wrong answer; the last lines say what comes next."""
    terminal.start("init")
    terminal.wait("the agent's name")
    terminal.text("Not One")
    terminal.keys("Enter")
    terminal.wait("can't be a name")
    for question, answer in (
        ("the agent's name", "fixer"), ("its bottle", ""), ("the coding agent", "command"), ("the program", "env"),
        ("further hosts", "a.example"), ("what the agent is told", "Be brief."),
    ):  # fmt: skip
        terminal.wait(question)
        terminal.text(answer)
        terminal.keys("Enter")
    assert terminal.status() == 0
    assert "next: bot-bottle start fixer" in terminal.history()
    assert person.run("validate").returncode == 0
    bottle = (person.home / ".bot-bottle" / "bottles" / "dev.md").read_text()
    assert "- host: a.example" in bottle


def test_ctrl_d_and_ctrl_c_make_nothing(person, terminal) -> None:
    for key, status in (("C-d", 1), ("C-c", 130)):
        terminal.start("init")
        terminal.wait("the agent's name")
        terminal.keys(key)
        assert terminal.status() == status
    assert not (person.home / ".bot-bottle" / "agents").exists()


def test_info_of_what_is_wrong(person) -> None:
    """An unknown agent, and one without a bottle: exit 1 with what to do."""
    person.write(".bot-bottle/agents/bare.md", "---\nskills: []\n---\n")
    assert person.run("info", "nobody").returncode == 1
    done = person.run("info", "bare")
    assert (done.returncode, done.stdout) == (1, "")
    assert "--bottle" in done.stderr


def test_validate_names_every_place(person) -> None:
    """On standard output, one line each; exit 1."""
    person.write(".bot-bottle/bottles/bad.md", "---\nsupervise: maybe\nnonsense: 1\n---\n")
    person.write("project/.bot-bottle/agents/theirs.md", "---\nbottle: gone\n---\n")
    person.write("routes.yaml", "log: 0\nroutes:\n- host: a_b\n")
    done = person.run("validate", cwd=person.home / "project")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert [line.partition(": ")[0].rpartition("/")[2] for line in lines] == [
        "bad.md:2",
        "bad.md:3",
        "theirs.md:2",
    ]
    named = person.run("validate", "routes.yaml", "gone.yaml", ".bot-bottle/bottles/bad.md", "--json")
    assert named.returncode == 1
    assert [(p["file"].rpartition("/")[2], p["line"]) for p in json.loads(named.stdout)] == [
        ("routes.yaml", 3), ("gone.yaml", 0), ("bad.md", 2), ("bad.md", 3),
    ]  # fmt: skip
    assert json.loads(person.run("validate", "no-such-thing.md", "--json").stdout)[0]["level"] == "error"
    person.write("project/.bot-bottle/bottles/theirs.md", "---\n---\n")
    done = person.run("validate", "project/.bot-bottle/bottles/theirs.md")
    assert (done.returncode, "is not read" in done.stdout) == (1, True)
    person.write("examples/agents/a.md", "---\nbottle: b\n---\n")
    person.write("examples/bottles/b.md", "---\nsupervise: true\n---\n")
    assert person.run("validate", "examples/agents/a.md", "examples/bottles/b.md").returncode == 0


def edit_with(person, text: str) -> dict[str, str]:
    """An editor that writes *text* over the file."""
    person.write("new-text", text)
    script = person.write("editor", '#!/bin/sh\ncp "$HOME/new-text" "$1"\n')
    script.chmod(0o755)
    return {"EDITOR": str(script)}


def test_edit_checks_what_was_written(person) -> None:
    """The project's file wins; a mistake is named with file and line, exit 1."""
    person.write(".bot-bottle/bottles/dev.md", "---\n---\n")
    person.write(".bot-bottle/agents/worker.md", "---\nbottle: dev\n---\nmine\n")
    project = person.home / "project"
    theirs = person.write("project/.bot-bottle/agents/worker.md", "---\nbottle: dev\n---\ntheirs\n")
    done = person.run("edit", "worker", cwd=project, env=edit_with(person, "---\nbottle: dev\n---\nnew\n"))
    assert done.returncode == 0, done.stderr
    assert theirs.read_text().endswith("new\n")
    assert "mine" in (person.home / ".bot-bottle/agents/worker.md").read_text()
    done = person.run("edit", "--bottle", "dev", env=edit_with(person, "---\nsupervise: maybe\n---\n"))
    assert done.returncode == 1
    assert "dev.md:2: supervise" in done.stderr
    assert person.run("edit", "nobody").returncode == 1
    assert person.run("edit", "worker", env={"EDITOR": "/no/such/editor"}).returncode == 1
    assert person.run("edit", "worker", env={"EDITOR": "false"}).returncode == 1
    assert person.run("edit", "worker", env={"EDITOR": "'"}).returncode == 2


@pytest.mark.parametrize("name", ["routes.yaml", "settings.yml", "agents/a.md"])
def test_validate_waits_for_nobody(person, name) -> None:
    """A FIFO's writer need not come; a file that is not there is said in words."""
    person.write("settings/agents/.made", "")
    os.mkfifo(person.home / "settings" / name)
    for file, why in ((f"settings/{name}", "regular file"), (f"nothing/{name}", "is not there: name a file")):
        done = person.run("validate", file)
        assert (done.returncode, why in done.stdout) == (1, True), done.stdout
        assert "Errno" not in done.stdout


@pytest.mark.parametrize("name", ["vim", "vi"])
def test_vim_heeds_no_modelines(person, name) -> None:
    """A project's file must not set the editor's options, even for one whose own settings say so (ruling 21);
    ``vi`` and ``editor`` are links to it on many hosts."""
    program = shutil.which("vim")
    if program is None:
        pytest.skip("vim is not installed")
    (person.home / "vi").symlink_to(program)
    program = program if name == "vim" else f"{person.home}/vi"
    person.write(".vimrc", "set modeline modelines=5\n")
    person.write("ask.vim", "redir! > said\nset tabstop?\nredir END\nqall!\n")
    person.write(".bot-bottle/bottles/dev.md", "---\n---\nvim: set tabstop=3 :\n")
    vim = f"{program} -u {person.home}/.vimrc -es -S {person.home}/ask.vim"
    assert person.run("edit", "--bottle", "dev", env={"EDITOR": vim}).returncode == 0
    assert (person.home / "said").read_text().split() == ["tabstop=8"]


def test_a_project_s_link_is_not_followed(person) -> None:
    """A link in a cloned repository could lead the editor to the operator's key."""
    person.write(".bot-bottle/bottles/dev.md", "---\n---\n")
    key = person.write("secret-key", "the key")
    agents = person.write("project/.bot-bottle/agents/x.md", "").parent
    (agents / "worker.md").symlink_to(key)
    done = person.run("edit", "worker", cwd=person.home / "project", env=edit_with(person, "over"))
    assert done.returncode == 1
    assert "link" in done.stderr
    assert key.read_text() == "the key"


def test_edit_again_is_offered(person, terminal) -> None:
    """On a terminal; n leaves it, with exit 1."""
    person.write(".bot-bottle/bottles/dev.md", "---\n---\n")
    terminal.start("edit", "--bottle", "dev", env=edit_with(person, "---\nsupervise: maybe\n---\n"))
    terminal.wait("edit it again? [y/N]")
    person.write("new-text", "---\nsupervise: true\n---\n")
    terminal.keys("y", "Enter")
    assert terminal.status() == 0


def test_prune(person) -> None:
    """Shown, asked, removed: what has rested; a bottle that runs, and its log, stay."""
    assert person.run("run", "--", "sh", "-c", "head -c 500000 /dev/zero > work").returncode == 0
    (identity,) = person.states()
    running = person.popen("run", "--", "sh", "-c", "echo up; exec sleep 300", stdout=-1)
    assert running.stdout.readline() == b"up\n"
    (record,) = json.loads(person.run("list", "kept", "--json").stdout)
    assert record["disk_bytes"] >= 500_000
    assert "iB" in person.run("list", "kept").stdout
    assert person.run("prune", "--yes").returncode == 0
    assert identity in person.states()
    old = time.time() - 40 * 86_400
    for directory in (f".bot-bottle/state/{identity}", f".bot-bottle/logs/{identity}"):
        for path in ((person.home / directory), *(person.home / directory).iterdir()):
            os.utime(path, (old, old))
    dry = json.loads(person.run("prune", "--dry-run", "--json").stdout)
    assert [(bottle["identity"], bottle["removed"]) for bottle in dry["bottles"]] == [(identity, True)]
    asked = person.run("prune")
    assert (asked.returncode, "--yes" in asked.stderr) == (2, True)
    assert identity in person.states()
    person.write(".bot-bottle/settings.yml", "kept_days: 100\n")
    assert person.run("prune", "--yes").returncode == 0
    assert identity in person.states()
    assert person.run("prune", "--days", "nan", "--yes").returncode == 2
    assert identity in person.states()
    done = person.run("prune", "--days", "20", "--yes")
    assert "to be removed" in done.stdout
    assert identity not in person.states()
    assert len(person.states()) == 1
    assert not (person.home / ".bot-bottle/logs" / identity).exists()
    assert running.poll() is None


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["va"], "validate"),
        (["start", "te"], "tester"),
        (["start", "--bottle", ""], "shell"),
        (["info", ""], "tester"),
        (["start", "--col"], "--color"),
        (["resume", ""], "kept-one"),
    ],
)
def test_completion(person, words, expected) -> None:
    """What bash asks for behind TAB."""
    assert person.run(*INIT, "--", "true").returncode == 0
    person.write(".bot-bottle/state/kept-one/.preserve", "")
    env = {"_BOT_BOTTLE_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(["bot-bottle", *words])}
    done = person.run(env={**env, "COMP_CWORD": str(len(words))})
    assert f"plain,{expected}" in done.stdout.splitlines()


def test_completion_scripts(person) -> None:
    for shell in ("bash", "zsh", "fish"):
        done = person.run(env={"_BOT_BOTTLE_COMPLETE": f"{shell}_source"})
        assert done.returncode == 0
        assert "_BOT_BOTTLE_COMPLETE" in done.stdout
