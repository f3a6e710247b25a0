"""A real terminal emulator (tmux) to compare with: what is written to it, where its cursor is, what it shows."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

_WRITER = """
import os, re, socket, sys, tty
tty.setraw(0)
link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
link.connect(sys.argv[1])
while data := link.recv(1 << 17):
    while data:
        data = data[os.write(1, data):]
    os.write(1, b"\\x1b[6n")
    told = b""
    while not (found := re.search(rb"\\x1b\\[(\\d+);(\\d+)R", told)):
        told += os.read(0, 1024)
    link.send(told)
"""


class Emulator:
    """One window of the given size; :meth:`write` returns where the cursor is afterwards. ``told`` is all that
    the terminal answered to the last one."""

    told = b""

    def __init__(self, directory: Path, rows: int, columns: int) -> None:
        assert shutil.which("tmux"), "tmux is missing: scripts/setup.sh installs it"
        self._argv = ["tmux", "-S", str(directory / "t"), "-f", "/dev/null"]
        self._env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": "/", "TERM": "xterm-256color"}
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(str(directory / "w"))
        listener.listen()
        listener.settimeout(30)
        self._tmux("new-session", "-d", "-x", "80", "-y", "24", "sleep", "600")
        self._tmux("set", "-g", "status", "off")
        self._tmux("set", "-g", "alternate-screen", "on")
        self._tmux("set", "-g", "set-clipboard", "on")
        self._tmux("set", "-g", "allow-passthrough", "on")
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))
        self._tmux("respawn-pane", "-k", sys.executable, "-c", _WRITER, str(directory / "w"))
        self._link, _ = listener.accept()
        self._link.settimeout(30)
        listener.close()

    def _tmux(self, *argv: str) -> str:
        done = subprocess.run(
            [*self._argv, *argv], env=self._env, capture_output=True, text=True, timeout=30, check=True
        )
        return done.stdout

    def state(self) -> str:
        """All that outlives what is shown: title, modes, margins, tab stops, the clipboard."""
        flags = (
            "pane_title", "alternate_on", "cursor_flag", "insert_flag", "keypad_flag", "keypad_cursor_flag",
            "mouse_any_flag", "mouse_sgr_flag", "mouse_utf8_flag", "origin_flag", "wrap_flag", "pane_tabs",
            "scroll_region_upper", "scroll_region_lower", "bracket_paste_flag", "pane_path", "pane_in_mode",
        )  # fmt: skip
        told = self._tmux("display-message", "-p", " ".join(f"{flag}=#{{{flag}}}" for flag in flags))
        return told + self._tmux("list-buffers")

    def write(self, data: bytes) -> tuple[int, int]:
        """Row and column, from 1."""
        self._link.send(data or b"\0")
        self.told = self._link.recv(4096)
        found = re.search(rb"\x1b\[(\d+);(\d+)R", self.told)
        assert found
        return int(found[1]), int(found[2])

    def reset(self) -> None:
        self.write(b"\x1b[?1049l\x1bc\x1b[!p\x1b[?6l\x1b[2J\x1b[3J\x1b[H\x1b7")

    def forget(self) -> None:
        """The clipboard, the title and the directory, which a reset leaves."""
        self.write(b"\x1b]7;\x1b\\")
        while self._tmux("list-buffers"):
            self._tmux("delete-buffer")
        self._tmux("select-pane", "-T", "mine")

    def shown(self) -> str:
        """The screen with its colours."""
        return self._tmux("capture-pane", "-p", "-e")

    def end(self) -> None:
        subprocess.run([*self._argv, "kill-server"], env=self._env, timeout=30, check=False)
        self._link.close()
