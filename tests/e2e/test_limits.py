"""Limits: held, or refused when asked for, or said; never silently absent (ruling 45)."""

from __future__ import annotations

import os

import pytest

BOTTLE = "---\nagent_provider: {template: command}\nresources: {%s}\n---\n"


@pytest.mark.slow
def test_a_full_disk_limit_stops_the_bottle_and_keeps_its_work(person) -> None:
    """What was written until then is there after it."""
    person.write(".bot-bottle/bottles/small.md", BOTTLE % "disk: 8MiB")
    script = "echo precious > work; head -c 64M /dev/urandom > big; sleep 100"
    done = person.run("run", "--bottle", "small", "--", "sh", "-c", script)
    assert done.returncode == 125, done.stderr
    assert "over its limit of 8388608" in done.stderr
    (identity,) = person.states()
    person.write(".bot-bottle/bottles/small.md", BOTTLE % "disk: 1GiB")
    again = person.run("resume", "--yes", identity, "--", "cat", "work")
    assert again.stdout == "precious\n", again.stderr


def test_a_limit_that_was_asked_for_is_held_or_refused(person) -> None:
    """Where control groups can't be written the launch says so instead of going on."""
    person.write(".bot-bottle/bottles/small.md", BOTTLE % "memory: 256MiB")
    script = "import sys; x = bytearray(1 << 30); print(len(x))"
    done = person.run("run", "--bottle", "small", "--", "python3", "-c", script)
    if done.returncode == 125:
        assert "resources: memory can't be enforced on this host" in done.stderr
        assert person.uid != 0 or not os.path.ismount("/sys/fs/cgroup")
    else:
        assert done.returncode == 137, (done.stdout, done.stderr)


def test_processes_are_limited(person) -> None:
    """Root or not."""
    person.write(".bot-bottle/bottles/small.md", BOTTLE % "pids: 40")
    script = (
        "import os, time\n"
        "made = 0\n"
        "try:\n"
        "    while made < 200:\n"
        "        if os.fork() == 0: time.sleep(30); os._exit(0)\n"
        "        made += 1\n"
        "except OSError as error: print(type(error).__name__, made < 40)\n"
    )
    done = person.run("run", "--bottle", "small", "--", "python3", "-c", script)
    assert done.stdout == "BlockingIOError True\n", done.stderr
