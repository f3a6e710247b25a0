"""What a bottle's layers take on the disk; may be asked while it runs.

What lies in them is hostile: directories without permissions, links, trees deeper than any path can go.
No link is followed.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterable

from bot_bottle.base.process import start
from bot_bottle.sandbox.contract import Layer, SandboxError

_COUNT_TIMEOUT_S = 120.0
"""Some million files are counted in ten seconds; a slow disk takes longer."""


class DiskCount:
    """One count of the bytes that the writable parts of *layers* take on the disk, by ``du``, beside the caller.

    A user's own files are counted as the root of a user namespace: a directory that a bottle has closed
    with its mode hides nothing.
    """

    def __init__(self, layers: Iterable[Layer]) -> None:
        """Raises ProcessFailed when ``du`` can't be started."""
        directories = [str(path) for layer in layers for path in (layer.upper, layer.work)]
        argv = ["du", "--summarize", "--one-file-system", "--block-size=1", "--total", "--", *directories]
        if os.geteuid() != 0:
            argv = ["unshare", "--map-root-user", *argv]
        self._child = start(argv)
        self._deadline = time.monotonic() + _COUNT_TIMEOUT_S

    def result(self, wait_s: float = 0.0) -> int | None:
        """The number; None while it is being counted. Raises SandboxError when there will be none."""
        try:
            self._child.wait(wait_s)  # its few lines fit into the pipe
        except subprocess.TimeoutExpired:
            if time.monotonic() < self._deadline:
                return None
            self.close()
            raise SandboxError(
                f"the bottle's layers were not counted within {_COUNT_TIMEOUT_S:g} s"
            ) from None
        said, _ = self._child.communicate()
        total, _, name = said.rstrip().rpartition(b"\n")[2].partition(b"\t")
        if name != b"total":
            raise SandboxError(f"du could not count the bottle's layers (status {self._child.returncode})")
        return int(total)  # status 1 where a file vanished meanwhile

    def close(self) -> None:
        """Give up what is not counted yet; idempotent."""
        if self._child.poll() is None:
            self._child.kill()
        self._child.communicate()
