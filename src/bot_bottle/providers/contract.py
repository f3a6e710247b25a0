"""What a provider is: a pure plan of how one coding agent is run, made before anything starts.

A provider has no I/O. What it needs from the host (a variable's name, a tool's directory) it names; the
launch resolves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Protocol

from bot_bottle.base.errors import BotBottleError
from bot_bottle.egress.config import Route

GUEST_HOME = PurePosixPath("/home/node")
GUEST_WORKSPACE = GUEST_HOME / "workspace"
PROMPT_PATH = GUEST_HOME / ".bot-bottle-prompt.txt"


class ProviderError(BotBottleError):
    """A provider can't be used as asked: unknown template, missing credential, missing tool."""


@dataclass(frozen=True)
class GuestFile:
    """A file to be written inside, as the bottle's own user."""

    path: PurePosixPath
    content: bytes = field(repr=False)
    mode: int = 0o600


@dataclass(frozen=True)
class Tool:
    """A program out of a package registry, pinned: installed once per version, bound read-only.

    ``package`` is an npm package whose tarball's ``integrity`` (``sha512-<base64>``, as npm's lock files
    have it) is checked before it is unpacked; ``program`` is the path of the executable in it.
    """

    name: str
    version: str
    package: str
    integrity: str
    program: PurePosixPath


@dataclass(frozen=True)
class SkillCopy:
    """A skill of the operator's, named by the agent file: the launch copies the host's directory
    ``~/.claude/skills/<name>`` to ``target`` inside."""

    name: str
    target: PurePosixPath


@dataclass(frozen=True)
class ProviderRequest:
    """What the launch knows when it asks for a plan."""

    settings: Mapping[str, object] = field(default_factory=dict)
    auth_token: str = ""
    """name of the host variable with the credential; empty: none"""
    auth_kind: str = ""
    """``oauth`` or ``api_key``; empty: by the value's prefix"""
    host_env: Mapping[str, str] = field(default_factory=dict, repr=False)
    needs_credential: bool = True
    """False: the plan is only looked at (``explain``), so a credential may be missing or of unclear kind"""
    prompt: str = ""
    """the agent's system prompt"""
    task: str = ""
    """``-p TEXT``: run headless with this task; empty: interactive"""
    argv: tuple[str, ...] = ()
    """what the person put behind ``--``"""
    workdir: PurePosixPath = GUEST_HOME
    label: str = ""
    instance: str = ""
    """the bottle's identity, shown where there is no label"""
    color: str = ""
    skills: tuple[str, ...] = ()
    resume: bool = False
    machine: str = "x86_64"
    """the host's, as ``uname -m`` says it: which build of a tool is meant"""


@dataclass(frozen=True)
class ProviderPlan:
    """How the agent is run."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    """placeholders and quiet switches, never a credential"""
    hidden_env: frozenset[str] = frozenset()
    """names that are placeholders, not worth showing to the operator"""
    files: tuple[GuestFile, ...] = ()
    routes: tuple[Route, ...] = ()
    """provider-owned; a route's credential names a host variable (``token``), never a value"""
    skills: tuple[SkillCopy, ...] = ()
    command: str = ""
    """name of the agent's program where it has to be provided (``argv[0]`` then, to be replaced by the
    place that it is bound to); empty: ``argv[0]`` is looked up inside the bottle"""
    tool: Tool | None = None
    """the pinned build of ``command``; None: there is none for this machine, the operator brings it"""
    scratch: tuple[PurePosixPath, ...] = ()
    """absolute paths inside (files or whole directories) that hold the tool's own state: not counted as
    work left behind"""


class Provider(Protocol):
    """One coding agent."""

    template: str
    token_variables: tuple[str, ...]
    """host variables that ``run --provider`` tries, in order, when no ``auth_token`` is named"""
    session: PurePosixPath | None
    """path inside that is there once a conversation can be continued; None: there are none"""

    def plan(self, request: ProviderRequest) -> ProviderPlan:
        """Raises :class:`ProviderError`."""
