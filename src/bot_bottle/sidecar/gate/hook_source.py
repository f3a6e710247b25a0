"""What stands in for git's ``pre-receive``: a template without logic, and the program that it starts.

Read when the process that forks gates imports this: in a gate's own view the installation may not be there.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from bot_bottle.sidecar.gate import hook

NAME = "hook.py"
SOURCE = Path(hook.__file__).read_bytes()
"""``hook.py``, to be written where the sandbox sees it and cannot write"""


def template(python: str, place: str) -> bytes:
    """The content of ``hooks/pre-receive``, mode 0755: *python* runs :data:`NAME` in the directory *place*.

    ``-I`` and ``-S``: no variable, no directory of a user's, no site file has a say.
    """
    return f"#!/bin/sh\nexec {shlex.quote(python)} -IS {shlex.quote(f'{place}/{NAME}')}\n".encode()
