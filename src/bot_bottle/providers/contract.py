"""What a provider is: a pure plan of how one coding agent is run, made before anything starts.

A provider has no I/O. What it needs from the host (a variable's name, a tool's directory) it names; the
launch resolves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Protocol

import msgspec
from msgspec import Struct

from bot_bottle.base.errors import BotBottleError
from bot_bottle.egress.config import Route

GUEST_HOME = PurePosixPath("/home/node")
GUEST_WORKSPACE = GUEST_HOME / "workspace"
PROMPT_PATH = GUEST_HOME / ".bot-bottle-prompt.txt"


MAX_TASK_BYTES = 128 * 1024 - 1
"""Linux's MAX_ARG_STRLEN: the longest single argument that execve takes."""

PLACEHOLDER = "placeholder-the-credential-stays-outside-the-bottle"
"""Looks like no token of any vendor, so that no detector takes it for one; no client checks the form."""


class ProviderError(BotBottleError):
    """A provider can't be used as asked: unknown template, missing credential, missing tool."""


@dataclass(frozen=True)
class GuestFile:
    """A file to be written inside, as the bottle's own user."""

    path: PurePosixPath
    content: bytes = field(repr=False)
    mode: int = 0o600


class Tool(Struct, frozen=True):
    """A program out of a package registry, pinned: installed once per version, bound read-only.

    ``package`` is an npm package whose tarball's ``integrity`` (``sha512-<base64>``, as npm's lock files
    have it) is checked before it is unpacked; ``program`` is the path of the executable in it.
    """

    name: str
    version: str
    package: str
    integrity: str
    program: PurePosixPath
    release: str = ""
    """the version as the registry calls it, where that says more; empty: ``version``"""
    lock: str = ""
    """file beside this module with a whole dependency tree, as npm locks it: every package of it for this
    machine is installed below ``node_modules``, *package* being one of them; empty: *package* alone"""
    cpu: str = ""
    """this machine as npm names it (``x64``); only with ``lock``"""
    megabytes: int = 0
    """on the disk, about; 0: not known"""
    script: str = ""
    """content of ``program`` where no package has it: a shell script of ours"""


class SkillCopy(Struct, frozen=True):
    """A skill of the operator's, named by the agent file: the launch copies the host's directory
    ``~/.claude/skills/<name>`` to ``target`` inside."""

    name: str
    target: PurePosixPath


class Transcript(Struct, frozen=True):
    """Where an agent keeps its conversations: all of its home that is copied out at a session's end, and put back
    when the home is gone (ruling 34). Settings, hooks and credentials lie beside them and match no pattern."""

    directory: PurePosixPath
    """inside, in the home"""
    files: tuple[str, ...]
    """relative to it, each part a name, ``*`` (any name) or ``*.suffix``; regular files that match are the
    conversations"""


@dataclass(frozen=True)
class ProviderRequest:
    """What the launch knows when it asks for a plan."""

    settings: Mapping[str, object] = field(default_factory=dict)
    auth_token: str = ""
    """name of the host variable with the credential; empty: none"""
    auth_kind: str = ""
    """``oauth`` or ``api_key``; empty: by the value's prefix"""
    host_env: Mapping[str, str] = field(default_factory=dict, repr=False)
    forward_host_credentials: bool = False
    """use the login that the agent's own program has on the host; what it holds is in ``host_env``"""
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
    """go on with an earlier conversation: there is one"""
    conversations: tuple[PurePosixPath, ...] = ()
    """those that there are when *resume* is set: below the transcript's directory, the newest first. The bottle chose
    their names, out of letters, digits and ``._-``"""
    machine: str = "x86_64"
    """the host's, as ``uname -m`` says it: which build of a tool is meant"""


class ProviderPlan(Struct, frozen=True):
    """How the agent is run."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = msgspec.field(default_factory=dict)
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
    reads_stdin: bool = True
    """False: its standard input is closed. A client that adds what comes there to its task would wait for an end
    that need not come (a script's, CI's)"""


class Provider(Protocol):
    """One coding agent."""

    template: str
    token_variables: tuple[str, ...]
    """host variables that ``run --provider`` tries, in order, when no ``auth_token`` is named"""
    transcript: Transcript | None
    """where its conversations lie, for one that can continue them (``ProviderRequest.resume``); None: it has none"""

    def plan(self, request: ProviderRequest) -> ProviderPlan:
        """Raises :class:`ProviderError`."""


def startup_args(settings: Mapping[str, object]) -> tuple[str, ...]:
    """The strings among ``settings.startup_args``; the manifest has already complained about the rest."""
    value = settings.get("startup_args")
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list | tuple) else ()


def check_task(task: str) -> None:
    """Raises :class:`ProviderError` for a task that can't be an argument."""
    if len(task.encode("utf-8", "surrogateescape")) > MAX_TASK_BYTES:
        raise ProviderError(
            f"the task has more than {MAX_TASK_BYTES} bytes: put it into a file of the workspace "
            "and ask for that to be read"
        )
    if "\0" in task:
        raise ProviderError("the task has a NUL byte, which no argument can have: remove it")


def check_credential(name: str, value: str) -> None:
    """Raises :class:`ProviderError`, without the value, when variable *name* can't be a credential."""
    if not value:
        raise ProviderError(f"the environment variable {name!r} is not set: export it with the credential")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ProviderError(
            f"the value of {name!r} has characters that no header can carry: export it without spaces, "
            "quotes and line ends"
        )
