"""What a program finds in the sandbox that a gate runs git in, in the gate's real view, filter and identity."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

CONFIG_INSIDE = "/etc/gate/probes.json"
RESULTS_INSIDE = "/run/bot-bottle/results.json"

LOOK_AROUND = """
import ctypes, json, os, socket
def attempt(action):
    try:
        action()
    except OSError as error:
        return error.strerror
    return "through"
def dial():
    with socket.create_connection(("127.0.0.1", PORT), timeout=5) as sock:
        sock.sendall(b"LABEL")
def namespace():
    if ctypes.CDLL(None, use_errno=True).unshare(0x10000000):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
print(json.dumps({
    "root": sorted(os.listdir("/")), "run": sorted(os.listdir("/run")) if os.path.exists("/run") else [],
    "etc": sorted(os.listdir("/etc")), "uid": os.getuid(), "pid": os.getpid(), "environ": dict(os.environ),
    "interfaces": [name for _, name in socket.if_nameindex()], "hostname": socket.gethostname(),
    "dial": attempt(dial), "namespace": attempt(namespace),
    "unix": attempt(lambda: socket.socket(socket.AF_UNIX).close()),
    "signal": attempt(lambda: os.kill(os.getppid(), 9)) if os.getppid() else "nobody there",
    "write": attempt(lambda: open("/usr/planted", "w")),
}))
"""


async def _run(sealed) -> list:
    from bot_bottle.sidecar.gate.confined import running

    async with running(sealed) as process:
        out, error = await asyncio.wait_for(process.communicate(), 60)
    return [process.returncode, out.decode(), error.decode()]


async def _all(config: dict) -> dict:
    from bot_bottle.sidecar import view
    from bot_bottle.sidecar.gate.confined import Confinement, Files

    confinement = Confinement(Path(view.WORK, "sandboxes"))
    Path(view.KEYS, "key").write_text("private")
    mirror = Path(view.RUN, "mirror")
    found = {
        "gitleaks": await _run(confinement.wrap([view.GITLEAKS], Files(readable=[Path(view.GITLEAKS)]), {}))
    }
    mirror.mkdir()
    git = ["/usr/bin/git", "init", "--bare", str(mirror)]
    found["git"] = await _run(confinement.wrap(git, Files(writable=[mirror]), {"HOME": "/nonexistent"}))
    found["mirror"] = sorted(path.name for path in mirror.iterdir())
    for label, network in (("sealed", False), ("network", True)):
        script = LOOK_AROUND.replace("PORT", str(config["port"])).replace("LABEL", label)
        argv = ["/usr/bin/python3", "-I", "-c", script]
        found[label] = await _run(confinement.wrap(argv, Files(), {"LANG": "C"}, network=network))
    return found


def run_inside() -> None:
    config = json.loads(Path(CONFIG_INSIDE).read_text())
    Path(RESULTS_INSIDE).write_text(json.dumps(asyncio.run(_all(config))))
