"""The host's side under attack: odd surroundings of the command, and what a bottle or a project makes of them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest


def _with_closed(person, closed: str, *args: str) -> subprocess.CompletedProcess[bytes]:
    """The command as a shell starts it with some standard descriptors closed."""
    argv = ["sh", "-c", f'exec "$@" {closed}', "sh", *person.prefix, *person.program, *args]
    return subprocess.run(argv, env=person.environ(), cwd=person.home, capture_output=True, timeout=60)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"])
def test_closed_descriptors_are_nobodys(person, closed: str) -> None:
    """What the agent prints to a closed output goes nowhere: not into the file that got its number."""
    script = "head -c 200000 /dev/zero | tr '\\0' A; head -c 200000 /dev/zero | tr '\\0' B >&2; exit 5"
    done = _with_closed(person, closed, "run", "--", "sh", "-c", script)
    assert done.returncode == 5, done.stderr[-500:]
    assert len(done.stdout) == (0 if ">&-" in closed.replace("2>&-", "") else 200000)
    assert done.stderr.count(b"B") == (0 if "2>&-" in closed else 200000)
    for path in Path(person.home / ".bot-bottle").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"A" * 40 not in content and b"B" * 40 not in content, path


@pytest.mark.parametrize("mask", ["000", "077", "777"])
def test_the_persons_umask_is_not_the_bottles(person, mask: str) -> None:
    """Any umask starts a bottle, whose files have usual modes; the state is private all the same."""
    argv = [*person.prefix, *person.program, "run", "--", "sh", "-c", "umask; touch /home/node/made"]
    line = ["sh", "-c", f'umask {mask}; exec "$@"', "sh", *argv]
    done = subprocess.run(line, env=person.environ(), cwd=person.home, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, b"0022\n"), done.stderr
    home = person.home / ".bot-bottle"
    for path in (home, home / "state", home / "logs"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_removed_directory_is_said(person) -> None:
    """The current directory is gone: a sentence, no crash; what needs none of it still works."""
    line = ["sh", "-c", 'mkdir gone; cd gone; rmdir ../gone; exec "$@"', "sh", *person.program]
    for args, status in ((["run", "--", "true"], 1), (["list", "available"], 1), (["list", "active"], 0)):
        done = subprocess.run(
            [*person.prefix, *line, *args],
            env=person.environ(),
            cwd=person.home,
            capture_output=True,
            timeout=60,
        )
        assert done.returncode == status, done.stderr
        assert status == 0 or b"directory was removed" in done.stderr


@pytest.mark.parametrize("variable", ["HOME", "XDG_RUNTIME_DIR"])
def test_a_relative_directory_is_not_the_persons_own(person, tmp_path: Path, variable: str) -> None:
    """The current directory may be a stranger's project: no state and no socket is looked for in it."""
    tmp_path.chmod(0o777)
    code = "from bot_bottle.store.layout import default_layout as d; l = d(); print(l.home, l.run)"
    done = subprocess.run(
        [*person.prefix, person.program[0], "-P", "-c", code], env=person.environ({variable: "."}),
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert all(path.startswith("/") and str(tmp_path) not in path for path in done.stdout.split())


@pytest.mark.parametrize("odd", ["two words", "line\nend", "a:b,c\\d=e", "ünï-\u202e", "x" * 90])
def test_a_home_of_any_name(person, odd: str) -> None:
    """A bottle is made, keeps its work and its uid, and is resumed."""
    home = person.home / odd
    home.mkdir(0o700)
    os.chown(home, person.uid, person.uid)
    subprocess.run(["cp", "-a", str(person.home / ".bot-bottle"), str(home)], check=True)  # compiled patterns
    env = {"HOME": str(home)}
    done = person.run("run", "--", "sh", "-c", "echo precious > work", env=env)
    assert done.returncode == 0, done.stderr
    (identity,) = [name for name in os.listdir(home / ".bot-bottle/state") if name[0] != "."]
    again = person.run("resume", "--yes", identity, "--", "cat", "work", env=env)
    assert (again.returncode, again.stdout) == (0, "precious\n"), again.stderr
    assert person.run("cleanup", "--yes", "--kept", env=env).returncode == 0
    assert not (home / ".bot-bottle/state" / identity).exists()


def test_a_project_can_not_choose_another_bottle_at_resume(person) -> None:
    """What a person confirmed once stands: the project's file says another bottle later, and gets the first."""
    for name, host in (("narrow", "narrow.example.com"), ("wide", "wide.example.com")):
        person.write(
            f".bot-bottle/bottles/{name}.md", f"---\negress:\n  routes:\n    - host: {host}\nagent_provider:\n"
            "  template: command\n---\n",
        )  # fmt: skip
    person.write("project/.bot-bottle/agents/dev.md", "---\nbottle: narrow\n---\n")
    (person.home / ".bot-bottle").chmod(0o700)
    args = ("run", "--agent", "dev", "--trust-project", "--", "sh", "-c", "echo x > work")
    done = person.run(*args, cwd=person.home / "project")
    assert done.returncode == 0, done.stderr
    (identity,) = person.states()
    person.write("project/.bot-bottle/agents/dev.md", "---\nbottle: wide\n---\n")
    again = person.run("resume", "--dry-run", identity, cwd=person.home / "project")
    assert again.returncode == 0, again.stderr
    assert "narrow.example.com" in again.stderr and "wide.example.com" not in again.stderr


def test_output_to_a_descriptor_that_does_not_block_is_whole(person) -> None:
    """Another program may have set O_NONBLOCK on what we share with it: nothing is lost."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    size = 1_000_000
    process = person.popen("run", "--", "head", "-c", str(size), "/dev/zero", stdout=writing)
    os.close(writing)
    with open(reading, "rb") as pipe:
        assert len(pipe.read()) == size
    assert process.wait(20) == 0


def test_logs_of_a_hostile_sidecar(person) -> None:
    """Lines that no proxy of ours would write neither drive the terminal nor end the command."""
    assert person.run("run", "--", "true").returncode == 0
    (directory,) = [p for p in (person.home / ".bot-bottle/logs").iterdir() if p.is_dir()]
    (log,) = directory.glob("*.egress.log")
    log.write_bytes(log.read_bytes() + b"[" * 200_000 + b"\n\x1b]52;c;aGk=\x07\x9b31m\xff\n")
    plain = person.run("logs", directory.name)
    assert plain.returncode == 0, plain.stderr
    assert "\x1b" not in plain.stdout and "\\x1b]52" in plain.stdout
    master, slave = os.openpty()
    process = person.popen("logs", "--json", directory.name, stdout=slave)
    os.close(slave)
    shown = b""
    while True:
        try:
            shown += os.read(master, 65536)
        except OSError:
            break
    os.close(master)
    assert process.wait(20) == 0
    assert b"]52" in shown and b"\x1b" not in shown and b"\x07" not in shown


@pytest.mark.parametrize("limit", [12, 14, 16])
def test_too_few_descriptors_are_the_hosts_lack(person, limit: int) -> None:
    """125 and what to raise; no bug of ours, no program half started, nothing left running."""
    argv = ["prlimit", f"--nofile={limit}:", "--", *person.prefix, *person.program, "run", "--", "true"]
    done = subprocess.run(argv, env=person.environ(), cwd=person.home, capture_output=True, timeout=60)
    assert done.returncode in (0, 125), done.stderr
    if done.returncode:
        assert b"open files" in done.stderr or b"can't" in done.stderr, done.stderr
    assert person.run("list", "active").stdout == ""


def test_exec_of_a_missing_program_is_127(person) -> None:
    """As a shell says it."""
    process = person.popen("run", "--", "sh", "-c", "echo started; exec sleep 60", stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"started\n"
    (identity,) = person.states()
    assert person.run("exec", identity, "--", "no-such-program").returncode == 127
