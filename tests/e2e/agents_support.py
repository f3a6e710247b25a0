"""Pinned agents for the tests of real clients: downloaded once into the working copy's ``tools``, then linked
into each person's own state root."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bot_bottle.launch.tool_install import ensure_tool
from bot_bottle.providers.contract import ProviderRequest
from bot_bottle.providers.registry import PROVIDERS

REPOSITORY = Path(__file__).parents[2]


def installed(template: str) -> Path:
    """The directory of the pinned agent of *template*."""
    tool = PROVIDERS[template].plan(ProviderRequest(machine=os.uname().machine)).tool
    assert tool is not None
    return ensure_tool(tool, REPOSITORY / "tools", print)


@contextlib.contextmanager
def client_of(person: Any, tree: Path) -> Iterator[None]:
    """The agent in *tree* where this person's launches look for it; gone afterwards."""
    person.write(".bot-bottle/.made", "")
    place = person.layout.tools / tree.parent.name / tree.name
    place.parent.mkdir(parents=True)
    for directory in (place.parent, place.parent.parent):
        directory.chmod(0o755)
    if all(parent.stat().st_mode & 0o001 for parent in tree.parents):
        place.symlink_to(tree)  # 10,000 files of Pi's need not be laid out anew for each test
        yield
        place.unlink()
        return
    subprocess.run(["cp", "-a", tree, place], check=True)
    try:
        yield
    finally:
        for directory, _, _ in os.walk(place):
            os.chmod(directory, 0o755)
        shutil.rmtree(place)


LOOK = (
    "id -u; env; cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n'; "
    "grep -rsha -e '-of-the-operator-' /home /etc /tmp /run; "
    "echo marker-$((40 + 2)) | tee made.txt"
)
"""A shell command that shows whatever a bottle could know of a credential, and that it ran."""


def loud(person: Any) -> list[str]:
    """Flags by which the proxy writes down what it refuses."""
    return ["--routes", str(person.write("loud.yaml", "log: 1\n"))]


def refused_hosts(person: Any) -> set[str]:
    """Names that an agent asked for and did not get, out of all logs of *person*; the self-test's are left
    out."""
    records = [
        json.loads(line)
        for log in (person.home / ".bot-bottle" / "logs").rglob("*.egress.log")
        for line in log.read_text().splitlines()
    ]
    hosts = {str(record["host"]) for record in records if record["event"] == "egress_block"}
    return {host for host in hosts if host[0].isalpha() and not host.startswith("self-test.")}


class Screen:
    """A terminal with a person at it: what was shown, without escape sequences and spaces (which agents move
    over), and keys."""

    def __init__(
        self, person: Any, *args: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.process = person.popen(
            *args, env={"TERM": "xterm-256color", **(env or {})}, stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True, cwd=cwd or person.home,
        )  # fmt: skip
        os.close(slave)
        self._raw = ""

    @property
    def shown(self) -> str:
        return _SEQUENCES.sub("", self._raw)

    def until(self, *awaited: str, within_s: float = 60.0) -> str:
        """Read until one of *awaited* is shown, and return it."""
        deadline = time.monotonic() + within_s
        while True:
            for text in awaited:
                if text.replace(" ", "") in self.shown:
                    return text
            left = deadline - time.monotonic()
            assert left > 0, f"not shown within {within_s} s: {awaited}; but: {self.shown[-3000:]}"
            if select.select([self._master], [], [], min(left, 0.5))[0]:
                try:
                    data = os.read(self._master, 65536)
                except OSError:  # EIO: everything that had the terminal has ended
                    data = b""
                assert data, f"ended without {awaited}: {self.shown[-3000:]}"
                self._raw += data.decode("utf-8", "replace")

    def forget(self) -> None:
        """What was shown so far is not looked at any more."""
        self._raw = ""

    def type(self, text: str) -> None:
        """Each key on its own, as fingers do: agents take a burst for something pasted."""
        for key in text:
            os.write(self._master, key.encode())
            time.sleep(0.02)

    def end(self) -> int:
        """End the session as a closed terminal does not: by a signal to the command."""
        self.process.terminate()
        return self.rest()

    def rest(self) -> int:
        """Wait until the command has ended by itself; its status."""
        while True:
            try:
                if not os.read(self._master, 65536):
                    break
            except OSError:
                break
        os.close(self._master)
        return self.process.wait(30)


_SEQUENCES = re.compile(r"\x1b\[[0-9;:<=>?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.|\s")
