"""PROCESS: ``pre-receive``, started by ``git receive-pack`` in its sealed sandbox. Asks the gate, and obeys.

It decides nothing. Over the one descriptor that it was given it sends what git told it, prints the gate's lines as
they come (git carries them to the client), and ends with the gate's verdict. Whatever is unexpected is a refusal.
A single file that imports next to nothing: it is copied to where git runs, and started once a push.

::

    hook to gate:  "LENGTH\\n", then LENGTH bytes: quarantine NUL objects NUL alternates NUL standard input
    gate to hook:  "P TEXT\\n" print TEXT;  "A\\n" accepted;  "R\\n" refused;  the end without either: refused
"""

from __future__ import annotations

import os
import sys

DESCRIPTOR = "BOT_BOTTLE_HOOK_FD"
VARIABLES = ("GIT_QUARANTINE_PATH", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES")
MAX_INPUT_BYTES = 1024 * 1024
"""of ref lines: some 8,000 refs, more than any push that is not a whole mirror"""
MAX_LINE_BYTES = 8192
"""of one line of the gate's"""

_ACCEPTED, _REFUSED = 0, 1


class _Broken(Exception):
    """Its text is what the client reads."""


def main() -> int:
    """The exit status of the hook."""
    try:
        fd = int(os.environ[DESCRIPTOR])
        _send(fd, _message())
        return _obey(fd)
    except _Broken as error:
        return _refused(str(error))
    except (OSError, ValueError, KeyError):
        return _refused("the gate could not be asked")


def _message() -> bytes:
    parts = [os.environb.get(name.encode(), b"") for name in VARIABLES]
    if any(b"\n" in part for part in parts):
        raise _Broken("the gate could not be asked")
    lines = sys.stdin.buffer.read(MAX_INPUT_BYTES + 1)
    if len(lines) > MAX_INPUT_BYTES:
        raise _Broken("too many refs in one push: push fewer at a time")
    body = b"\0".join([*parts, lines])
    return b"%d\n" % len(body) + body


def _send(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _obey(fd: int) -> int:
    rest = b""
    while True:
        data = os.read(fd, 65536)
        if not data:
            raise _Broken("the gate ended before it had decided")
        *lines, rest = (rest + data).split(b"\n")
        if len(rest) > MAX_LINE_BYTES:
            raise _Broken("the gate's answer can't be read")
        for line in lines:
            if line == b"A":
                return _ACCEPTED
            if line == b"R":
                return _REFUSED
            if line[:2] != b"P ":
                raise _Broken("the gate's answer can't be read")
            _print(line[2:])


def _refused(why: str) -> int:
    try:
        _print(b"bot-bottle: refused: " + why.encode())
    except OSError:
        pass  # nobody reads it; the status says it
    return _REFUSED


def _print(text: bytes) -> None:
    _send(2, text + b"\n")


if __name__ == "__main__":
    sys.exit(main())
