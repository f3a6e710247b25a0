"""The daemon's real composition root with another sidecar and reaper; run as a program, like the real one.

python daemon_under_test.py ENTRY REAPER --home … --shared … --run … [--idle-s S]
"""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent


def reaper(layout, behaviour):
    from bot_bottle.launch import reap

    def work(bottle: str) -> None:
        if behaviour == "fails" and bottle.startswith("bad"):
            raise RuntimeError("this reaper fails on purpose")
        if behaviour == "hangs" and bottle.startswith("bad"):
            time.sleep(3600)
        reap.reap(layout, bottle, {})

    return work


def main() -> int:
    from bot_bottle.cli import daemon
    from bot_bottle.launch import reap

    entry, behaviour, *argv = sys.argv[1:]
    real = daemon.settings

    def settings(layout, options):
        return dataclasses.replace(
            real(layout, options),
            zygote=(sys.executable, "-P", str(HERE / "zygote_under_test.py"), entry),
            reap=reaper(layout, behaviour),
            recover=lambda: reap.recover(layout, {}),
            reap_timeout_s=1.0 if behaviour == "hangs" else 30.0,
            linger_s=1.0,
            recover_again_s=2.0,
            fork_timeout_s=1.0 if entry == "never-answers" else 10.0,
        )

    daemon.settings = settings
    return daemon.main(argv)


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    sys.exit(main())
