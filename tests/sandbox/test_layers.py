"""Layers are hostile: whatever lies in them is counted, and nothing outside is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path, PurePosixPath

from bot_bottle.sandbox.contract import Layer
from bot_bottle.sandbox.layers import DiskCount
from bot_bottle.store.removal import remove_tree


def _deep(base: Path, levels: int) -> None:
    """A chain of directories whose path is longer than PATH_MAX."""
    fd = os.open(base, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d" * 40, dir_fd=fd)
        below = os.open("d" * 40, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    file = os.open("bottom", os.O_CREAT | os.O_WRONLY, dir_fd=fd)
    os.write(file, bytes(100_000))
    os.close(file)
    os.close(fd)


def _hostile(base: Path, outside: Path) -> None:
    (base / "closed" / "inner").mkdir(parents=True)
    (base / "closed" / "inner" / "file").write_bytes(bytes(200_000))
    (base / "closed" / "inner").chmod(0)
    (base / "closed").chmod(0)
    (base / "link").symlink_to(outside)
    (base / "to-root").symlink_to("/")
    os.mkfifo(base / "fifo")
    (base / ".bot-bottle-removed-0").mkdir()
    (base / ".bot-bottle-removed-1").write_text("in the way", encoding="ascii")
    _deep(base, 1500)


def _as_user(program: str, *arguments: str) -> None:
    command = [sys.executable, "-c", program, *arguments]
    if os.geteuid() == 0:
        command = ["setpriv", "--reuid=64903", "--regid=64903", "--clear-groups", *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd="/")
    assert done.returncode == 0, done.stderr


def test_an_ordinary_user_is_kept_out_of_nothing() -> None:
    """Modes that a bottle has set hide nothing from its owner who is not root."""
    program = (
        "import os, sys, tempfile; from pathlib import Path, PurePosixPath\n"
        "sys.path[:0] = sys.argv[1:]\n"
        "from bot_bottle.sandbox.contract import Layer\n"
        "from bot_bottle.sandbox.layers import DiskCount\n"
        "from bot_bottle.store.removal import remove_tree\n"
        "base = Path(tempfile.mkdtemp(dir='/var/tmp')); work = base / 'work'; upper = base / 'upper'\n"
        "(upper / 'closed' / 'inner').mkdir(parents=True); work.mkdir()\n"
        "(upper / 'closed' / 'inner' / 'file').write_bytes(bytes(3_000_000))\n"
        "(upper / 'closed' / 'inner').chmod(0); (upper / 'closed').chmod(0)\n"
        "used = DiskCount([Layer(PurePosixPath('/'), upper, work)]).result(60.0)\n"
        "remove_tree(base); assert not base.exists()\n"
        "assert 3_000_000 <= used < 4_000_000, used\n"
    )
    _as_user(program, str(Path(__file__).parents[2] / "src"))


def test_usage_counts_what_is_deep(tmp_path: Path) -> None:
    """The bottom of a tree deeper than a path may be is counted; what a link names is not."""
    upper, work = tmp_path / "upper", tmp_path / "work"
    upper.mkdir()
    work.mkdir()
    _hostile(upper, Path("/usr"))
    used = DiskCount([Layer(PurePosixPath("/"), upper, work)]).result(60.0)
    assert 300_000 <= used < 20_000_000
    remove_tree(upper)
