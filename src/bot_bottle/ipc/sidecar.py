"""What the host and the processes beside a bottle say to each other.

Of each kind (:data:`KINDS`) a bottle has at most one; the messages are the same for all.

At its start a sidecar gets five descriptors, in the order of :data:`SIDECAR_FDS`: the listening Unix
socket that the bottle reaches, its control socket (peer: the launching process), its link (peer: the
daemon; this is its identity, nothing else of the daemon is in its view), the reading end of the pipe that
brings its secrets once, and its log (append only).
When the control socket ends, the launching process is gone, and the sidecar ends too.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import msgspec

from bot_bottle.gitgate.config import GateSpec

SIDECAR_FDS = ("listener", "control", "link", "secrets", "log")

KindName = Literal["proxy", "gate"]
"""``proxy``: every request of the bottle's; ``gate``: its git repositories."""
KINDS: tuple[KindName, ...] = get_args(KindName)


class ConnectTo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``--connect-to HOST:PORT:ADDRESS:PORT``: connections for the first pair go to the second one.

    The operator's word: exempt from the address guard, except for what is never reachable.
    """

    host: str
    port: int
    address: str
    to_port: int


class SidecarSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that a sidecar needs and that is no secret. Paths are the host's."""

    bottle: str
    """the bottle's identity"""
    nonce: str
    """of this launch; goes out in the header ``x-bot-bottle-launch`` of every answer of the proxy's own"""
    egress_dir: str
    """the host directory that the host alone writes: of a proxy with ``routes.yaml``, seen read-only as
    ``/etc/egress``; of a gate with answers, seen as ``/etc/gate``"""
    run_dir: str
    """the host directory that is all that the sidecar can write, seen as ``/run/bot-bottle``; another one for
    each kind"""
    kind: KindName = "proxy"
    gate: GateSpec | None = None
    """of a gate, and only of one: what it serves"""
    uid: int | None = None
    """the uid to change to where the daemon is root; None: the sidecar gets a user namespace"""
    extra_ca_pem: str = ""
    """further roots for upstream certificates, PEM"""
    connect_to: tuple[ConnectTo, ...] = ()
    supervise: bool = False
    """what is held may be asked about, by files in the two directories (``proposals.files``)"""
    launch: str = ""
    """the launch's id, under which it asks"""
    hold_s: float = 300.0
    """how long a request is held for an answer"""
    refuse_ports: tuple[int, ...] = ()
    """ports of the product's own on the host's loopback, never dialled"""

    def __post_init__(self) -> None:
        if (self.kind == "gate") != (self.gate is not None):
            raise ValueError(
                f"a sidecar of kind {self.kind!r} {'has' if self.gate else 'lacks'} a gate's settings"
            )


MAX_NEW_TOKENS_BYTES = 64 * 1024
"""What a pipe holds on Linux: it is written whole before anybody reads."""


class KnownValue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A secret that may not leave, and is in no slot."""

    name: str
    value: str
    kind: str
    """``dlp.known.Kind``: ``operator``, ``env``, ``canary``; to a gate also ``injected``"""
    hosts: tuple[str, ...] = ()
    """where it may go all the same"""


class SidecarSecrets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The one message in a pipe with secrets: JSON, then end of file."""

    tokens: dict[str, str]
    """slot name (``EGRESS_TOKEN_0``) to value"""
    known: tuple[KnownValue, ...] = ()


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """sidecar to launcher: requests are served under policy *version*; *ca_pem* is the bottle's own CA."""

    version: str
    """of a proxy: SHA-256 hex of the routes file in force; of a gate: what it scans with"""
    ca_pem: str
    """of a proxy; else empty"""
    warnings: tuple[str, ...] = ()
    """secrets that can't be looked for, by name (rulings 12, 54)"""


class Reload(msgspec.Struct, frozen=True, tag="reload"):
    """host to sidecar: read ``routes.yaml`` again."""


class Reloaded(msgspec.Struct, frozen=True, tag="reloaded"):
    """sidecar to host: *version* is in force."""

    version: str


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """sidecar to host: it could not start, or the file was not taken and the last good one stays."""

    reason: str


class NewTokens(msgspec.Struct, frozen=True, tag="new_tokens"):
    """host to sidecar: other values for slots that it has. They come as :class:`SidecarSecrets` in a pipe
    (the one descriptor of the message), already written whole and closed; all of them count, or none."""


class TokensTaken(msgspec.Struct, frozen=True, tag="tokens_taken"):
    """sidecar to host: every request from now on goes out with them."""


class Drain(msgspec.Struct, frozen=True, tag="drain"):
    """host to sidecar: take no more connections, end within 5 s."""


ToSidecar: Any = Reload | NewTokens | Drain
FromSidecar: Any = Ready | Reloaded | TokensTaken | Refused
