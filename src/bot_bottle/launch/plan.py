"""What one launch will do, decided before anything starts. Pure values; made by ``launch.prepare``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.secret import Secret
from bot_bottle.egress.config import Policy
from bot_bottle.gitgate.config import GateSpec
from bot_bottle.ipc.sidecar import ConnectTo
from bot_bottle.launch.known import KnownValue
from bot_bottle.proposals.limits import TIMEOUT_S
from bot_bottle.providers.contract import GuestFile, ProviderPlan, Transcript
from bot_bottle.sandbox.contract import Mount, Resources

if TYPE_CHECKING:
    from bot_bottle.launch.credentials import HostLogin
    from bot_bottle.launch.tools import Pending
    from bot_bottle.launch.workspace import WorkspacePlan
    from bot_bottle.manifest.schema import DeployKey
    from bot_bottle.manifest.tree import Place


class LaunchError(BotBottleError):
    """A bottle could not be launched, or ended otherwise than by its agent."""


@dataclass(frozen=True)
class Subject:
    """Who runs: names for the operator's eyes and for the record."""

    agent: str = ""
    bottles: tuple[str, ...] = ()
    label: str = ""
    color: str = ""

    @property
    def display_name(self) -> str:
        """``<label> (<agent>)`` with a label, else the agent, as titles and lists show it."""
        return f"{self.label} ({self.agent})" if self.label else self.agent


@dataclass(frozen=True)
class LoginSource:
    """A login on the host, as the launch has read it."""

    login: HostLogin
    values: Mapping[str, str] = field(repr=False)
    """by host variable"""
    slots: Mapping[str, str] = field(default_factory=dict)
    """which host variable fills each slot"""


@dataclass(frozen=True)
class DeployKeyPlan:
    """A key that is made and registered once the launch is agreed to."""

    name: str
    """the repository's, in the manifest"""
    slot: str
    """of ``GateSpec``, which its private half will fill"""
    key: DeployKey
    repository: str
    """as the forge names it: ``owner/name``"""
    token: Secret = field(repr=False)
    """for the forge's API; stays in this process"""
    place: Place
    """where the key is written, for what goes wrong"""
    extra_ca: str = ""
    """a file of further roots that the forge's certificate may come from"""


@dataclass(frozen=True)
class GatePlan:
    """What the git gate of a bottle serves, and with which credentials."""

    spec: GateSpec
    secrets: Mapping[str, Secret] = field(repr=False)
    """slot to private key (a file's text) or token; those of ``deploy`` come to it at the launch"""
    known: tuple[KnownValue, ...] = field(default=(), repr=False)
    """all values that no push may hold: those of the plan, its tokens and these secrets"""
    deploy: tuple[DeployKeyPlan, ...] = ()
    lines: tuple[str, ...] = ()
    """what the operator reads before: what is served, by which rules"""


@dataclass(frozen=True)
class Given:
    """What of a plan the gate's part is made with."""

    known: tuple[KnownValue, ...] = field(repr=False)
    tokens: Mapping[str, Secret] = field(repr=False)
    slots: Mapping[str, str]


@dataclass(frozen=True)
class PlannedGate:
    """The gate's part, and what the operator is told of it."""

    plan: GatePlan | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class LaunchPlan:
    """Everything that a session needs; holds secrets, is never written anywhere."""

    subject: Subject
    template: str
    provider: ProviderPlan
    policy: Policy
    """what the routes file will say; credentials are slots"""
    tokens: Mapping[str, Secret] = field(repr=False)
    """slot to value"""
    slots: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    """slot to the host variable that fills it"""
    known: tuple[KnownValue, ...] = field(default=(), repr=False, kw_only=True)
    """other values that may not leave; the canary is among them"""
    gate: GatePlan | None = field(default=None, kw_only=True)
    """None: no repositories, and no gate"""
    supervise: bool = field(default=True, kw_only=True)
    """the operator may be asked about what is held"""
    hold_s: float = field(default=TIMEOUT_S, kw_only=True)
    """how long a request is held for an answer"""
    login: LoginSource | None = field(default=None, repr=False, kw_only=True)
    """the host's login that some of them come from, to be read again while the bottle runs"""
    env: Mapping[str, str] = field(repr=False)
    """the whole environment inside; may hold values that the operator gives the bottle itself"""
    workdir: PurePosixPath
    workspace: WorkspacePlan | None = None
    """what is copied in; None: nothing"""
    workspace_mode: str = "none"
    """``copy``: the bottle has a workspace, from this launch or from the one that is resumed"""
    files: tuple[GuestFile, ...] = ()
    """the provider's, the prompt, the git configuration"""
    mounts: tuple[Mount, ...] = ()
    pending: Pending | None = None
    """an agent's program that is installed once the operator has agreed to the launch"""
    resources: Resources = field(default_factory=Resources)
    connect_to: tuple[ConnectTo, ...] = ()
    extra_ca: tuple[Path, ...] = ()
    transcript: Transcript | None = None
    """what is copied out at the end; None: the agent has no conversations"""
    restore_transcript: bool = False
    """the home has no conversation, and an earlier session's copy has: it is put back before the agent starts"""
    notes: tuple[str, ...] = ()
    """what the operator must know before: what is not enforced, what the agent can see"""
