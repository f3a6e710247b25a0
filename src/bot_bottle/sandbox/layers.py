"""What a bottle's layers take on the disk; may be asked while it runs.

What lies in them is hostile: directories without permissions, links, trees deeper than any path can go.
No link is followed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from bot_bottle.base.process import run
from bot_bottle.sandbox.contract import Layer, SandboxError

_USAGE_TIMEOUT_S = 120.0
"""Some million files are counted in ten seconds; a slow disk takes longer."""


def disk_usage(layers: Iterable[Layer]) -> int:
    """Bytes that the writable parts of *layers* take on the disk, by ``du``.

    A user's own files are counted as the root of a user namespace: a directory that a bottle has closed
    with its mode hides nothing. Raises ProcessFailed, or SandboxError when ``du`` says nothing.
    """
    directories = [str(path) for layer in layers for path in (layer.upper, layer.work)]
    argv = ["du", "--summarize", "--one-file-system", "--block-size=1", "--total", "--", *directories]
    if os.geteuid() != 0:
        argv = ["unshare", "--map-root-user", *argv]
    done = run(argv, timeout_s=_USAGE_TIMEOUT_S, check=False)  # 1 where a file vanished meanwhile
    total, _, name = done.stdout.rstrip().rpartition(b"\n")[2].partition(b"\t")
    if name != b"total":
        raise SandboxError(f"du could not count the bottle's layers: {done.stderr[-300:]!r}")
    return int(total)
