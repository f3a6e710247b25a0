"""A terminal of a real emulator (tmux) with a person's command in it: keys in, what is to be seen out."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

WITHIN_S = 40.0


class Terminal:
    """One tmux server with one pane; the server ends with the test."""

    def __init__(self, socket: Path, person: Any) -> None:
        self._socket = socket
        self._person = person
        self._count = 0

    def _tmux(self, *argv: str) -> str:
        command = ["tmux", "-S", f"{self._socket}{self._count}", "-f", "/dev/null", *argv]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, env=self._env())
        return done.stdout

    @staticmethod
    def _env() -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": "/", "TERM": "xterm-256color"}

    def start(
        self, *args: str, size: tuple[int, int] = (80, 24), env: Mapping[str, str] | None = None,
        redirect: str = "", cwd: Path | None = None, unset: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        """Run the command with *args* in a fresh window of *size*; *redirect* is shell text behind it. Its
        status is shown at the end."""
        given = [f"{name}={value}" for name, value in self._person.environ(env).items()]
        inherited = ["-i", "TERM=screen-256color", *given]
        without = [word for name in unset for word in ("-u", name)]
        argv = [*self._person.prefix, "env", *inherited, "env", *without, *self._person.program, *args]
        script = (
            f"trap : INT; {shlex.join(argv)} {redirect}; status=$?; echo; echo status=$status=; sleep 600"
        )
        columns, rows = size
        self.end()
        self._count += 1  # a server that is ending still holds its socket
        self._tmux(
            "new-session", "-d", "-x", str(columns), "-y", str(rows), "-c", str(cwd or self._person.home),
            "sh", "-c", script,
        )  # fmt: skip

    def keys(self, *keys: str) -> None:
        """As tmux names them: ``Enter``, ``Down``, ``C-d``."""
        self._tmux("send-keys", *keys)

    def text(self, text: str) -> None:
        self._tmux("send-keys", "-l", text)

    def shown(self, *, escapes: bool = False) -> str:
        """What is on the screen now."""
        return self._tmux("capture-pane", "-p", *(["-e"] if escapes else []))

    def history(self) -> str:
        """The screen and what has scrolled off it."""
        return self._tmux("capture-pane", "-p", "-S", "-2000", "-J")

    def wait(self, text: str | Callable[[str], bool]) -> str:
        """The screen once *text* is on it (or the condition holds)."""
        holds = text if callable(text) else lambda screen: text in screen
        deadline = time.monotonic() + WITHIN_S
        while not holds(screen := self.shown()):
            assert time.monotonic() < deadline, f"never seen: {text!r}\n{self.history()}"
            time.sleep(0.05)
        return screen

    def status(self) -> int:
        """The command's exit status, once it has ended."""
        self.wait("status=")
        return int(self.history().rpartition("status=")[2].partition("=")[0])

    def end(self) -> None:
        self._tmux("kill-server")
