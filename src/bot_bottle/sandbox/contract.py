"""The contract of a sandbox backend: what a bottle is made from and what can be done with it.

Every backend passes ``bot_bottle.testing.backend_suite`` and ``backend_isolation``. Nothing here decides policy; a
backend gets a finished :class:`BottleSpec` and holds it or refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Literal, Protocol

from msgspec import Struct, field

from bot_bottle.base.errors import BotBottleError


class SandboxError(BotBottleError):
    """A bottle could not be made or used."""


class SelfTestFailed(SandboxError):
    """The self-test found an open way out; the launch was aborted. ``probes`` names what answered."""

    def __init__(self, probes: Sequence[str]) -> None:
        super().__init__(
            "the sandbox's self-test found an open way out: "
            + "; ".join(probes)
            + " (nothing of the agent was started; run 'bot-bottle doctor')"
        )
        self.probes = tuple(probes)


class ProgramNotStarted(SandboxError):
    """A program could not be started inside; ``status`` is what a shell would end with (126, 127)."""

    def __init__(self, name: str, reason: str, status: int) -> None:
        super().__init__(f"{name!r} could not be started in the bottle: {reason}")
        self.status = status


class Problem(Struct, frozen=True):
    """One thing that ``doctor`` found; ``fatal`` ones keep the backend from working."""

    what: str
    fix: str
    fatal: bool = True


Limit = Literal["cpus", "memory_bytes", "pids", "disk_bytes"]
"""The fields of :class:`Resources`: one word for one limit, wherever it is named."""


class Resources(Struct, frozen=True):
    """Limits of a bottle. ``explicit`` names the fields that the manifest set: those must be enforceable,
    the defaults are reported when they are not."""

    cpus: float = 2.0
    memory_bytes: int = 4 * 1024**3
    pids: int = 512
    disk_bytes: int = 20 * 1024**3
    explicit: frozenset[Limit] = frozenset()


class Mount(Struct, frozen=True):
    """A read-only directory or file of the host's (a tool, a skill)."""

    source: Path
    target: PurePosixPath


class Layer(Struct, frozen=True):
    """One overlay: ``lower`` (read-only, may be None: empty) below ``upper``, seen at ``target``."""

    target: PurePosixPath
    upper: Path
    work: Path
    lower: Path | None = None


class Probes(Struct, frozen=True):
    """What the self-test needs: listeners of the launcher's own that must see nothing, and addresses
    that must not answer."""

    nonce: str
    tcp_port: int
    """of a listener on the host's loopback"""
    udp_port: int
    abstract_socket: str
    """name of an abstract Unix listener on the host"""
    seen: Callable[[], Sequence[str]]
    """what reached those listeners, one line each; empty is what passes"""
    gateways: tuple[str, ...] = ()
    """the host's own default gateways and addresses"""


class BottleSpec(Struct, frozen=True):
    """All that a backend needs. Directories exist and belong to ``uid`` where it is set."""

    identity: str
    layers: tuple[Layer, ...]
    """root ``/``, home, and with a workspace that too; the root's lower may be None"""
    etc: Path
    """generated files (passwd, group, hosts, resolv.conf, nsswitch.conf, ssl/...) bound over ``/etc``"""
    sockets: Path
    """host directory with ``proxy.sock``, and ``gate.sock`` if ``gate`` says so: all of the host that a bottle
    may talk to"""
    exec_socket: Path
    """where the backend listens for :meth:`Backend.attach`; not in the bottle's view"""
    env: Mapping[str, str]
    """environment of every process inside"""
    workdir: PurePosixPath
    probes: Probes
    uid: int | None = None
    """host uid of everything inside, where we are root; None: the operator's own"""
    mounts: tuple[Mount, ...] = ()
    resources: Resources = field(default_factory=Resources)
    log: Path | None = None
    """where the backend's own messages and the shim's go"""
    gate: bool = False
    """``gate.sock`` is there too: what is dialled at 127.0.0.1:9418 inside is carried to it byte by byte. Else
    nothing answers there."""


class Terminal(Struct, frozen=True):
    """Size of a terminal in characters."""

    rows: int
    columns: int


class Process(Protocol):
    """One program inside a bottle, as the host sees it. The three descriptors are the caller's to close;
    a program whose Process is dropped before its end is hung up.

    With a terminal, ``stdin`` and ``stdout`` are the same master descriptor and ``stderr`` is None.
    What comes out of them is hostile.
    """

    stdin: int
    stdout: int
    stderr: int | None

    def fileno(self) -> int:
        """Readable when the program has ended or the bottle is gone."""

    def wait(self, timeout_s: float | None = None) -> int:
        """Exit status, 128+n for a signal. Raises SandboxError when the bottle is gone, TimeoutError."""

    def signal(self, number: int) -> None:
        """Send a signal to the program's process group."""

    def resize(self, terminal: Terminal) -> None: ...


class Bottle(Protocol):
    """A running bottle."""

    identity: str

    def self_test(self, timeout_s: float) -> Mapping[str, str]:
        """Wait for the self-test; probe name to what stopped it. Raises :class:`SelfTestFailed`.

        Called once, after the sidecar is ready and before anything else."""

    def write(self, path: PurePosixPath, content: bytes, mode: int) -> None:
        """Write a file as the bottle's user, from inside: a link in a hostile home leads nowhere else."""

    def spawn(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: PurePosixPath | None = None,
        terminal: Terminal | None = None,
    ) -> Process:
        """Start a program inside, confined like everything there. *env* is added to the bottle's own."""

    def fileno(self) -> int:
        """Readable when the bottle is gone."""

    def stop(self) -> None:
        """End every process inside and remove what the backend made; idempotent, never raises for a
        bottle that is gone."""


class Backend(Protocol):
    """One way of making bottles."""

    name: str

    def check(self) -> list[Problem]:
        """What keeps it from working here, and how to mend it; starts nothing that stays."""

    def unenforced(self, resources: Resources) -> list[Limit]:
        """Names of the limits that can't be enforced on this host."""

    def start(self, spec: BottleSpec) -> Bottle:
        """Start the sandbox; the agent is not started. Returns before the self-test is over.
        Raises :class:`SandboxError`; nothing is left then."""

    def attach(self, exec_socket: Path) -> Bottle:
        """A second handle on a running bottle, for ``exec``; its ``stop`` does nothing."""

    def reap(self, identity: str) -> None:
        """Remove whatever a killed launcher of *identity* left (processes, control groups); idempotent."""
