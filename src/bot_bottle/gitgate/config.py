"""The typed definition of every setting of the gate: of the manifest's repositories, and of a gate process.

Frozen; msgspec carries them from the host to the gate. No secret is in them, only the names of slots. No I/O.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class UrlScheme(StrEnum):
    SSH = "ssh"
    HTTPS = "https"


class Lfs(StrEnum):
    """What becomes of a push with pointers of Git LFS: what they point at does not go through the gate."""

    REFUSE = "refuse"
    POINTERS = "pointers"
    """they pass, as the text that they are"""


DEFAULT_ALLOW_REFS = ("refs/heads/*", "refs/tags/*")
DEFAULT_MAX_PACK_BYTES = 256 * 2**20


class RepoPolicy(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may be pushed to one upstream, and how fresh a fetch must be."""

    allow_refs: tuple[str, ...] = DEFAULT_ALLOW_REFS
    """globs (``gitgate.refs``)"""
    deny_refs: tuple[str, ...] = ()
    """win over ``allow_refs``"""
    allow_force: bool = False
    """refs may be set to what does not descend from what they were"""
    allow_delete: bool = False
    deny_paths: tuple[str, ...] = ()
    """globs (``gitgate.paths``) of files that a push may not touch"""
    ask_paths: tuple[str, ...] | None = None
    """globs of files whose change needs the operator; None: ``gitgate.elsewhere.RUN_ELSEWHERE``"""
    max_pack_bytes: int = DEFAULT_MAX_PACK_BYTES
    stale_ok: bool = False
    """a fetch may be served from the mirror when upstream can't be asked"""
    lfs: Lfs = Lfs.REFUSE


class GateRepo(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One upstream, as a gate process needs it."""

    name: str
    """the path that the agent sees is ``/NAME.git``"""
    url: str
    """as git is given it: ``ssh://[user@]host[:port]/path`` or ``https://host[:port]/path``"""
    scheme: UrlScheme
    host: str
    """lower case; an IPv6 address in brackets"""
    port: int | None = None
    """None: the scheme's own"""
    user: str = ""
    path: str
    """without the leading slash"""
    host_keys: tuple[str, ...] = ()
    """of an SSH upstream: ``TYPE BASE64``; no other key is taken"""
    slot: str
    """where its private key or token is in ``ipc.sidecar.SidecarSecrets.tokens``: ``GATE_KEY_0``"""
    policy: RepoPolicy = RepoPolicy()


DEFAULT_ASK_TIMEOUT_S = 300


class GateSpec(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All that the gate of one bottle serves, and with what."""

    repos: tuple[GateRepo, ...]
    gitleaks: str
    """the host's path of the binary"""
    ask_timeout_s: int = DEFAULT_ASK_TIMEOUT_S
    """how long a push waits for the operator"""
