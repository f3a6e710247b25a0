"""The shim as one byte string, and the argv that starts it: what a bottle runs first.

It goes in through a descriptor and is held in memory: no file inside names it, so nothing of a bottle's
own root, however hostile, can stand in its place (ruling 44). The modules travel compiled when the
interpreter inside is the one that runs here, else as source.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import marshal
from collections.abc import Sequence
from pathlib import Path
from types import CodeType

SHIM_MODULES = (
    "wire",
    "native",
    "loop",
    "names",
    "target",
    "origin",
    "relay",
    "lookup",
    "programs",
    "files",
    "probes",
    "init",
)
"""In the order of their imports: each finds those before it."""

_LOADER = """\
import sys, os, marshal
P = type(sys)("shim"); P.__path__ = []; sys.modules["shim"] = P
fds = [int(a) for a in sys.argv[1:]]
with open(fds.pop(), "rb") as f: parts = marshal.load(f)
for name, code in parts:
    m = type(sys)("shim." + name); m.__package__ = "shim"
    sys.modules["shim." + name] = m; setattr(P, name, m)
    exec(code, m.__dict__)
m.main(fds)
"""


def bundle(*, compiled: bool) -> bytes:
    """The shim's modules, marshalled: code objects when *compiled*, else their source text."""
    parts: list[tuple[str, CodeType | str]] = []
    for name in SHIM_MODULES:
        path = Path(__file__).with_name("shim") / f"{name}.py"
        if compiled:
            loader = importlib.machinery.SourceFileLoader(f"bot_bottle.sandbox.shim.{name}", str(path))
            code = loader.get_code(loader.name)
            assert code is not None
            parts.append((name, code))
        else:
            parts.append((name, path.read_text(encoding="utf-8")))
    return marshal.dumps(parts)


def argv(python: str, descriptors: Sequence[int], bundle_fd: int) -> list[str]:
    """The command line of init: *descriptors* as ``shim.init.main`` wants them, the bundle's last.

    ``-I`` and ``-S``: no variable, no directory of a user's, no site file has a say.
    """
    return [python, "-IS", "-c", _LOADER, *(str(fd) for fd in descriptors), str(bundle_fd)]
