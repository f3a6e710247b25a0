"""Where everything lies on the host; one value, so that a test can move it all.

Three roots, because one can't serve (rulings 26 and 43):

* ``home``: ``~/.bot-bottle``, 0700: manifests, metadata, logs. No uid but the operator's reaches it.
* ``shared``: what a bottle's own uid must reach. The same as ``home`` for a user; below
  ``/var/lib/bot-bottle`` for root, whose bottles run as other uids.
* ``run``: sockets; short, since a socket's path ends at 107 bytes.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from bot_bottle.base.ids import parse_identity


@dataclass(frozen=True)
class Layout:
    """The three roots; every other path is derived here and nowhere else."""

    home: Path
    shared: Path
    run: Path

    # -- the operator's files
    @property
    def bottles(self) -> Path:
        return self.home / "bottles"

    @property
    def agents(self) -> Path:
        return self.home / "agents"

    # -- a bottle: what only the operator reaches
    @property
    def states(self) -> Path:
        return self.home / "state"

    def state(self, identity: str) -> Path:
        """``state/<identity>/``: metadata, lock, marker, policy; gone after a clean end."""
        return self.states / parse_identity(identity)

    def transcript(self, identity: str) -> Path:
        """``state/<identity>/transcript/``: the agent's conversations, as its last session left them."""
        return self.state(identity) / "transcript"

    def egress(self, identity: str) -> Path:
        """The directory with ``routes.yaml``; the sidecar sees it read-only."""
        return self.guest(identity) / "egress"

    def logs(self, identity: str) -> Path:
        """``logs/<identity>/``: outlives the state (30 days)."""
        return self.home / "logs" / parse_identity(identity)

    @property
    def patterns(self) -> Path:
        """``cache/patterns/``: compiled, disposable."""
        return self.home / "cache" / "patterns"

    @property
    def endings(self) -> Path:
        """``ended/<identity>.json``: how sessions ended that nobody looked at."""
        return self.home / "ended"

    def ending(self, identity: str) -> Path:
        return self.endings / f"{parse_identity(identity)}.json"

    # -- a bottle: what its own uid reaches
    @property
    def guests(self) -> Path:
        return self.shared / "guests"

    def guest(self, identity: str) -> Path:
        """Overlay layers, generated ``/etc``, the sidecar's writable directory."""
        return self.guests / parse_identity(identity)

    @property
    def tools(self) -> Path:
        """``tools/<provider>/<version>/``: agents' programs, bound read-only."""
        return self.shared / "tools"

    # -- sockets
    @property
    def daemon_socket(self) -> Path:
        return self.run / "controller.sock"

    def sockets(self, identity: str) -> Path:
        """The directory that is bound into the bottle: ``proxy.sock`` and nothing else."""
        return self.run / "b" / parse_identity(identity)

    def exec_socket(self, identity: str) -> Path:
        """Where the operator's commands reach the bottle's init; not in the bottle's view."""
        return self.run / "x" / f"{parse_identity(identity)}.sock"

    def tty_socket(self, identity: str) -> Path:
        """Where terminals are attached to the bottle's session; as little in anybody's view."""
        return self.run / "x" / f"{parse_identity(identity)}.tty"

    def tty_sockets(self, identity: str) -> tuple[Path, Path]:
        """That, and the name that it has before anybody listens."""
        path = self.tty_socket(identity)
        return path, path.with_suffix(".new")


def default_layout() -> Layout:
    """The layout of whoever runs this: from ``HOME``, the effective uid and ``XDG_RUNTIME_DIR``. A relative
    one counts as unset: what lies in the current directory is not the operator's own."""
    home = Path(_absolute("HOME") or _home_of_account()) / ".bot-bottle"
    key = hashlib.sha256(os.fsencode(home)).hexdigest()[:8]
    if os.geteuid() == 0:
        return Layout(home, Path("/var/lib/bot-bottle") / key, Path("/run/bot-bottle") / key)
    runtime = _absolute("XDG_RUNTIME_DIR")
    base = Path(runtime) / "bot-bottle" if runtime else Path(f"/tmp/bot-bottle-{os.geteuid()}")  # noqa: S108
    return Layout(home, home, base / key)


def _absolute(variable: str) -> str:
    value = os.environ.get(variable, "")
    return value if os.path.isabs(value) else ""


def _home_of_account() -> str:
    import pwd  # hardly ever needed

    try:
        home = pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        home = ""
    return home if os.path.isabs(home) else "/"
