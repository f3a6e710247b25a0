"""Compiled patterns for the homes of tests, as a second start finds them: a fresh one would pay two seconds for each.

Made once, by the command's own way, in a directory that is removed at the end. What a first start does without them
is tested in ``tests/e2e`` (``new_user``).
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

MAKE = """
import sys
from pathlib import Path
from bot_bottle.dlp import databases
from bot_bottle.sidecar.proxy import arming
from bot_bottle.store.pattern_cache import PatternCache
databases.keep_in(PatternCache(Path(sys.argv[1])))
arming.preload()
"""


@cache
def _made() -> Path:
    directory = Path(tempfile.mkdtemp(prefix="bb-patterns-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    subprocess.run([sys.executable, "-c", MAKE, directory], check=True, timeout=120)
    return directory


def lay(home: Path, uid: int | None = None) -> None:
    """Into *home* (of *uid*, if that is another), where ``default_layout`` looks; what is there stays."""
    place = home
    for name in (".bot-bottle", "cache", "patterns"):
        place /= name
        if not place.exists():
            place.mkdir(mode=0o700)
            if uid is not None:
                os.chown(place, uid, uid)
    for file in _made().iterdir():
        if not (place / file.name).exists():
            shutil.copy(file, place)
            (place / file.name).chmod(0o644)
