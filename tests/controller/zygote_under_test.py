"""The real preloaded parent with another sidecar in it: one of the functions below, by name.

python zygote_under_test.py ENTRY        (its socket is descriptor 3)
"""

from __future__ import annotations

import dataclasses
import gc
import importlib.util
import os
import select
import socket
import sys
import time
from pathlib import Path

from bot_bottle.base import linux
from bot_bottle.controller import zygote
from bot_bottle.ipc import wire
from bot_bottle.ipc.sidecar import Ready
from bot_bottle.sidecar import boot, confine, view

SIDECAR_TESTS = Path(__file__).parent.parent / "sidecar"


def _load(name):
    spec = importlib.util.spec_from_file_location(name, SIDECAR_TESTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


probes, sealed_programs = _load("probes"), _load("sealed_programs")


def obedient(spec, fds):
    """Takes its secrets, says that it is ready, ends with its control socket."""
    with os.fdopen(fds.secrets, "rb") as pipe:
        secrets = pipe.read()
    control = socket.socket(fileno=fds.control)
    wire.send(control, Ready(version=str(len(secrets)), ca_pem=""))
    while control.recv(1024):
        pass
    return 0


def keeper(spec, fds):
    """Keeps its secrets in memory for as long as it lives."""
    with os.fdopen(fds.secrets, "rb") as pipe:
        secrets = bytearray(pipe.read())
    control = socket.socket(fileno=fds.control)
    wire.send(control, Ready(version=str(len(secrets)), ca_pem=""))
    while control.recv(1024):
        pass
    return int(not secrets)


def stubborn(spec, fds):
    """Never ends by itself."""
    wire.send(socket.socket(fileno=fds.control), Ready(version="", ca_pem=""))
    while True:
        time.sleep(3600)


def hostile(spec, fds):
    """Tries everything that it must not be able to do, leaves the results in its directory, stays."""
    control, link = socket.socket(fileno=fds.control), socket.socket(fileno=fds.link)
    probes.flood(link)
    probes.flood(control)
    probes.run_inside(keep=(fds.listener, fds.control, fds.link, fds.secrets, fds.log))
    wire.send(control, Ready(version="", ca_pem=""))
    poller = select.poll()
    poller.register(control, select.POLLIN)
    while True:
        poller.poll()
        try:
            if not control.recv(1024):
                return 0
        except OSError:
            return 0


PLAIN = {
    name: boot.Kind(f"test-{name}", run=None, network=True, limits=confine.Limits(2**28, 4096), sees=sees)
    for name, sees in (("proxy", view.of_proxy), ("gate", view.of_gate))
}


def real_kinds():
    """The product's own table; what a proxy imports comes with it, which takes a while."""
    from bot_bottle.sidecar.kinds import KINDS

    return KINDS


def sealing(spec, fds):
    """A gate that starts programs as it would git; what they found is left in its directory."""
    if spec.kind == "gate":
        sealed_programs.run_inside()
    return obedient(spec, fds)


def _confined(run, kinds=lambda: PLAIN):
    def start(spec, fds, report):
        boot.become(dataclasses.replace(kinds()[spec.kind], run=run), spec, fds, report)

    return start


def unmade(spec, fds, report):
    """A child that dies before it has made a sidecar."""
    os._exit(3)


def never_answers(spec, fds, report):
    """Blocks the parent itself: the report's pipe stays open in a child that lives on."""
    os.kill(os.getppid(), 19)  # SIGSTOP
    time.sleep(3600)


ENTRIES = {
    "obedient": _confined(obedient),
    "keeper": _confined(keeper),
    "stubborn": _confined(stubborn),
    "hostile": _confined(hostile, real_kinds),
    "sealing": _confined(sealing, real_kinds),
    "unmade": unmade,
    "never-answers": never_answers,
}


def main() -> None:
    parent = os.getppid()
    gc.disable()
    os.environ.clear()
    assert linux
    if sys.argv[1] in ("hostile", "sealing"):
        real_kinds()
    zygote.run(ENTRIES[sys.argv[1]], socket.socket(fileno=zygote.SOCKET_FD), parent)


if __name__ == "__main__":
    main()
