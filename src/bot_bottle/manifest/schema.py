"""What a manifest says, as frozen typed values: an agent and an effective bottle. No I/O.

A value here is valid; what it takes to make one is in the decoders. References to secrets are names of host
variables, never values. Equality ignores where something was written.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot_bottle.egress.config import OnTaint, ProviderSchema, Route, UpstreamProxy
from bot_bottle.gitgate.config import RepoPolicy, UrlScheme
from bot_bottle.manifest.tree import Node, Place

BUILT_IN_TEMPLATES = ("claude", "codex", "command", "pi")


# -- env
@dataclass(frozen=True)
class Literal:
    """Passed on as it is; shown in the preflight."""

    value: str


@dataclass(frozen=True)
class Prompt:
    """``?text``: asked from the terminal with echo off at launch."""

    text: str


@dataclass(frozen=True)
class HostVariable:
    """``${NAME}``: read from the operator's environment at launch."""

    name: str


EnvSource = Literal | Prompt | HostVariable


@dataclass(frozen=True)
class EnvEntry:
    """One variable of the bottle.

    A secret that the operator gives the bottle itself (every source but ``Literal``) is visible to the
    agent; ``allow_to`` names the hosts that it may be sent to (ruling 48). Written ``NAME: value`` or
    ``NAME: {value: …, allow_to: [host]}``.
    """

    name: str
    source: EnvSource
    allow_to: tuple[str, ...] = ()

    @property
    def secret(self) -> bool:
        return not isinstance(self.source, Literal)

    @property
    def written(self) -> str:
        """The value as the manifest has it; never what it stands for."""
        match self.source:
            case Literal(value):
                return value
            case Prompt(text):
                return f"?{text}"
            case HostVariable(name):
                return f"${{{name}}}"


# -- agent_provider
class AuthKind(StrEnum):
    OAUTH = "oauth"
    API_KEY = "api_key"


@dataclass(frozen=True)
class ProviderConfig:
    """Which coding agent, and how it signs in."""

    template: str = "claude"
    dockerfile: str = ""
    """absolute, or relative to the current directory where no file holds it; empty: the provider's own"""
    auth_token: str = ""
    """name of the host variable with the credential"""
    auth_kind: AuthKind | None = None
    """None: by the value's prefix"""
    forward_host_credentials: bool = False
    settings: Mapping[str, object] = field(default_factory=dict)
    """checked for the built-in templates, passed through for others"""


# -- git-gate
@dataclass(frozen=True)
class GitUser:
    """An empty field is not set."""

    name: str = ""
    email: str = ""


@dataclass(frozen=True)
class Upstream:
    """A repository's URL, split; ``written`` is the manifest's own text, which the agent will use too."""

    written: str
    scheme: UrlScheme
    host: str
    path: str
    """without the leading slash"""
    user: str = ""
    port: int | None = None
    """None: the scheme's own"""
    scp: bool = False
    """``user@host:path``: the path is relative to the user's home"""


class Forge(StrEnum):
    GITEA = "gitea"
    FORGEJO = "forgejo"
    GITHUB = "github"
    GITLAB = "gitlab"


@dataclass(frozen=True)
class StaticKey:
    """A private key file on the host; looked for when the gate starts, not before."""

    path: str


@dataclass(frozen=True)
class DeployKey:
    """A key of this launch alone, registered and revoked through the forge's API."""

    forge: Forge
    token_ref: str
    api_url: str


@dataclass(frozen=True)
class TokenKey:
    """The HTTPS credential is the value of a host variable."""

    token_ref: str


Key = StaticKey | DeployKey | TokenKey


@dataclass(frozen=True)
class Repo:
    """One upstream repository; ``name`` is the path that the agent sees and the merge key."""

    name: str
    upstream: Upstream
    key: Key
    host_key: str = ""
    alias: str = ""
    """a further SSH host alias of the same upstream"""
    policy: RepoPolicy = field(default_factory=RepoPolicy)


# -- egress
@dataclass(frozen=True)
class EgressConfig:
    """The bottle's own policy; the provider's routes come to it at launch."""

    log: int = 0
    routes: tuple[Route, ...] = ()
    extra_ca: str | None = None
    """path on the host, absolute unless no file holds it"""
    upstream_proxy: UpstreamProxy | None = None
    on_taint: OnTaint | None = None
    provider_features: tuple[str, ...] = ()
    provider_schema: ProviderSchema | None = None


# -- workspace, resources, tools
class WorkspaceMode(StrEnum):
    COPY = "copy"
    MOUNT = "mount"
    NONE = "none"


@dataclass(frozen=True)
class Workspace:
    mode: WorkspaceMode = WorkspaceMode.COPY
    path: str | None = None
    """absolute directory on the host; None: the current directory"""
    exclude: tuple[str, ...] = ()
    protect: tuple[str, ...] = ()


ResourceName = typing.Literal["cpus", "memory_bytes", "pids", "disk_bytes"]
"""As the sandbox contract names its limits."""


@dataclass(frozen=True)
class Resources:
    """None: not written; the backend's default holds. Field names are those of the sandbox contract."""

    cpus: float | None = None
    memory_bytes: int | None = None
    pids: int | None = None
    disk_bytes: int | None = None

    @property
    def explicit(self) -> frozenset[ResourceName]:
        """Names of the fields that were written: those must be enforceable."""
        names: tuple[ResourceName, ...] = ("cpus", "memory_bytes", "pids", "disk_bytes")
        return frozenset(name for name in names if getattr(self, name) is not None)


@dataclass(frozen=True)
class HostDirectory:
    """Made visible read-only at the same path."""

    path: str


@dataclass(frozen=True)
class Package:
    """A package by name, for backends that install."""

    name: str


ToolSource = HostDirectory | Package


# -- budgets
class Period(StrEnum):
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True)
class Budget:
    """Tokens of one provider; ``per`` None: for ever, until reset."""

    tokens: int
    per: Period | None = None
    warn_at: tuple[float, ...] = ()
    """fractions of it; empty: the host's setting"""
    hard: bool = False
    """cut the stream that crosses it"""


@dataclass(frozen=True)
class BudgetScope:
    """The budgets that one bottle file sets; scopes are not merged (ruling 25)."""

    bottle: str
    budgets: Mapping[str, Budget]
    """provider key to budget"""


class Shutdown(StrEnum):
    CUTOFF = "cutoff"
    FREEZE = "freeze"
    KILL = "kill"


# -- the two entities
@dataclass(frozen=True)
class Bottle:
    """One effective bottle: everything that ``extends`` and the selection gave, the agent's git identity
    laid over it. ``Bottle()`` is the empty one: nothing may leave."""

    env: Mapping[str, EnvEntry] = field(default_factory=dict)
    agent_provider: ProviderConfig = field(default_factory=ProviderConfig)
    git_user: GitUser = field(default_factory=GitUser)
    repos: Mapping[str, Repo] = field(default_factory=dict)
    egress: EgressConfig = field(default_factory=EgressConfig)
    supervise: bool = True
    budgets: tuple[BudgetScope, ...] = ()
    """last selected … first selected, then parents, nearest first"""
    shutdown: Shutdown | None = None
    workspace: Workspace | None = None
    """None: nothing was said, so ``none`` unless the command line asks (ruling 30)"""
    resources: Resources = field(default_factory=Resources)
    tools: tuple[ToolSource, ...] = ()
    tree: Node = field(default_factory=Node, compare=False, repr=False)
    """the merged raw values with the place of each"""

    def place(self, *path: str | int) -> Place:
        """File, line and key path of a value: ``bottle.place("egress", "routes", 0, "auth")``."""
        return self.tree.at(path)


class Origin(StrEnum):
    """Whose file it is; a project's is untrusted."""

    HOME = "home"
    PROJECT = "project"
    PROGRAM = "program"


@dataclass(frozen=True)
class AgentSource:
    """Which file an agent came from; what a confirmation asks about (rulings 33, 49)."""

    file: str
    origin: Origin
    shadows: str | None = None
    """the home file of the same name that this project file hides"""
    sha256: str = ""
    """of the file's content: a confirmation holds for this content only"""


@dataclass(frozen=True)
class Agent:
    """``Agent()`` is what runs when bottles alone were named: no prompt, no skills."""

    name: str = ""
    bottle: str | None = None
    """the default bottle; of a project's agent only a suggestion"""
    skills: tuple[str, ...] = ()
    git_user: GitUser = field(default_factory=GitUser)
    """what the agent itself declared"""
    budget: Mapping[str, Budget] = field(default_factory=dict)
    prompt: str = ""
    source: AgentSource | None = field(default=None, compare=False)
    tree: Node = field(default_factory=Node, compare=False, repr=False)

    def place(self, *path: str | int) -> Place:
        """File, line and key path of a value."""
        return self.tree.at(path)
