"""PROCESS entry of the daemon, ``python -m bot_bottle.cli.daemon``: its composition root.

Started by ``ipc.client`` with a pipe as descriptor 3, on which it says ``ready``, or why not. It leaves its
starter's process at once, keeps no descriptor but its log, and hands the controller what it may not import:
the sidecar's entry, and how a launch is reaped.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import resource
import sys
import time
from pathlib import Path

from bot_bottle.base import linux
from bot_bottle.base.errors import BotBottleError
from bot_bottle.controller.daemon import STOP_TIMEOUT_S, Daemon
from bot_bottle.controller.launches import IDLE_S, Settings
from bot_bottle.controller.sockets import DaemonStartError
from bot_bottle.store.directories import prepare
from bot_bottle.store.layout import Layout

READY_FD = 3

ENDING_TIMEOUT_S = STOP_TIMEOUT_S + 1
"""A daemon that ends has taken its socket away already, but may still be waiting for its children."""

ZYGOTE = (sys.executable, "-P", "-m", "bot_bottle.controller.zygote", "bot_bottle.sidecar.kinds:start")
"""and where it keeps compiled patterns"""


def main(argv: list[str]) -> int:
    options = _options(argv)
    layout = Layout(options.home, options.shared, options.run)
    if os.fork():
        os._exit(0)  # the starter waits for this one
    linux.close_all_except({0, 1, 2, READY_FD})
    os.chdir("/")
    os.umask(0o077)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # the starter's was for the starter
    try:
        prepare(layout)
        lock = take_lock(layout)
        daemon = Daemon(settings(layout, options))
        daemon.start()
    except BotBottleError as error:
        os.write(READY_FD, str(error).encode()[:4000])
        return 1
    os.write(READY_FD, b"ready\n")
    os.close(READY_FD)
    daemon.serve()
    os.close(lock)
    return 0


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bot-bottle-daemon", description="started by bot-bottle on demand")
    for name in ("home", "shared", "run"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--idle-s", type=float, default=IDLE_S)
    return parser.parse_args(argv)


def settings(layout: Layout, options: argparse.Namespace) -> Settings:
    """What only the composition root knows. The imports are the children's that do the work, not ours."""

    def reap(bottle: str) -> None:
        from bot_bottle.cli.backends import all_backends
        from bot_bottle.launch import reap

        reap.reap(layout, bottle, all_backends(layout))

    def recover() -> None:
        from bot_bottle.cli.backends import all_backends
        from bot_bottle.launch import reap
        from bot_bottle.manifest.settings import load_settings

        days = load_settings(layout.home.parent).logs_days
        reap.recover(layout, all_backends(layout), keep_logs_days=days)

    return Settings(
        layout=layout,
        zygote=(*ZYGOTE, str(layout.patterns)),
        reap=reap,
        recover=recover,
        idle_s=options.idle_s,
    )


def take_lock(layout: Layout) -> int:
    """Held for the daemon's life: one daemon for one state root, whatever directory its socket is in."""
    path = layout.home / "daemon.lock"
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + ENDING_TIMEOUT_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError as error:
            holder = os.pread(fd, 1024, 0).decode("utf-8", "replace").strip()
            ending = not os.path.lexists(holder.partition(" ")[2])
            if ending and time.monotonic() < deadline:
                time.sleep(0.01)
                continue
            os.close(fd)
            raise DaemonStartError(
                f"another daemon serves {str(layout.home)!r} already (pid and socket: {holder}): "
                "use the same XDG_RUNTIME_DIR, or end that one"
            ) from error
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{os.getpid()} {layout.daemon_socket}\n".encode(), 0)
    return fd


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
