"""From a request to a plan: reads manifests, files and the operator's environment; starts nothing.

The order is that of the spec (backends, section 2): manifest, what is not enforced, provider, routes,
credentials, environment, workspace. Every error is raised here, before anything exists.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from msgspec import structs

from bot_bottle.base import messages
from bot_bottle.egress.config import Policy, Route
from bot_bottle.launch import skills
from bot_bottle.launch.canary import mint_canary
from bot_bottle.launch.environment import GATE_URL, GATE_VARIABLE, RESERVED, agent_environment
from bot_bottle.launch.known import known_values
from bot_bottle.launch.plan import Given, LaunchError, LaunchPlan, LoginSource, PlannedGate, Subject
from bot_bottle.launch.policy import compose, flag_routes, parse_connect_to, resolve_slots
from bot_bottle.launch.request import LaunchRequest
from bot_bottle.launch.routes_file import read_routes_file
from bot_bottle.proposals.limits import TIMEOUT_VARIABLE, read_timeout
from bot_bottle.providers.contract import (
    GUEST_HOME,
    GUEST_WORKSPACE,
    GuestFile,
    ProviderPlan,
    ProviderRequest,
    Transcript,
)
from bot_bottle.providers.registry import find_provider, pick_token_variable
from bot_bottle.sandbox.contract import Mount, Resources
from bot_bottle.store.layout import Layout

if TYPE_CHECKING:
    from bot_bottle.launch.tools import BoundTool
    from bot_bottle.launch.workspace import WorkspacePlan
    from bot_bottle.manifest.load import Loaded
    from bot_bottle.manifest.schema import Bottle

VISIBLE = "is visible to the agent: the operator gives it to the bottle itself"


@dataclass(frozen=True)
class Host:
    """The operator's side that a plan is made from; a test makes its own."""

    layout: Layout
    environ: Mapping[str, str]
    ask: Callable[[str], str]
    """asks for a secret with echo off; raises :class:`LaunchError` where there is nobody to ask"""
    progress: Callable[[str], None] = messages.info
    term: str | None = None


@dataclass(frozen=True)
class Prepared:
    """A plan, and what the preflight shows of it."""

    plan: LaunchPlan
    loaded: Loaded | None
    bottles: tuple[str, ...]


def prepare(request: LaunchRequest, host: Host, instance: str = "") -> Prepared:
    """Make the plan of *request*.

    Raises ``ManifestError``, ``ProviderError``, ``PolicyError``, ``ToolError`` and :class:`LaunchError`;
    each message says what to mend.
    """
    _settings(host.layout)
    loaded = _load(request, host)
    bottle = loaded.bottle if loaded else None
    workspace = None if request.resume else _workspace(request, bottle, host)
    mode = request.workspace_mode if request.resume else ("copy" if workspace else "none")
    workdir = _workdir(request, mode)
    login = _host_login(request, bottle, host)
    if login is not None:
        host = replace(host, environ={**host.environ, **login.values})
    template = _template(request, bottle)
    transcript = find_provider(template).transcript
    in_home, in_copy = _conversations(request, transcript, host.layout, instance)
    provider = _provider_plan(request, loaded, host, workdir, instance, conversations=in_home or in_copy)
    tool = _tool(provider, bottle, host)
    base, others, roots = _routes(request, bottle)
    slotted = compose(provider.routes, others, base)
    literals, secrets = _env_entries(request, bottle, host)
    canary = mint_canary()
    env = agent_environment(provider.env, literals, secrets, host.term)
    env.setdefault(canary[0], canary[1].reveal())
    argv, mounts = provider.argv, [*_tool_mounts(bottle)]
    if tool is not None:
        argv = (str(tool.program), *argv[1:])
        mounts.append(tool.mount)
        env["PATH"] = f"{tool.program.parent}:{env['PATH']}"
    hold_s, warning = read_timeout(host.environ.get(TIMEOUT_VARIABLE))
    tokens = resolve_slots(slotted.slots, host.environ)
    known = known_values(host.environ, secrets, _allow_to(bottle), canary)
    gate = _gate(bottle, host, Given(known, tokens, slotted.slots))
    if gate.plan is not None:
        env[GATE_VARIABLE] = GATE_URL
    notes = [*(loaded.warnings if loaded else ()), *(f"{name} {VISIBLE}" for name in sorted(secrets))]
    notes += gate.warnings
    notes += [warning] if warning else []
    plan = LaunchPlan(
        subject=Subject(
            request.agent or template, _bottle_names(request, loaded), request.label, request.color
        ),
        template=template,
        provider=structs.replace(provider, argv=argv),
        policy=slotted.policy,
        tokens=tokens,
        slots=slotted.slots,
        known=known,
        gate=gate.plan,
        supervise=bottle.supervise if bottle else True,
        hold_s=hold_s,
        login=replace(login, slots=slotted.slots) if login else None,
        env=env,
        workdir=workdir,
        workspace=workspace,
        workspace_mode=mode,
        files=(*provider.files, *_skill_files(provider, host), *_git_files(bottle)),
        mounts=tuple(mounts),
        pending=tool.pending if tool else None,
        resources=_resources(bottle),
        connect_to=tuple(parse_connect_to(text) for text in request.run.connect_to),
        extra_ca=roots,
        transcript=transcript,
        restore_transcript=bool(in_copy and not in_home),
        notes=tuple(notes),
    )
    return Prepared(plan, loaded, plan.subject.bottles)


def policy_routes(
    request: LaunchRequest, layout: Layout
) -> tuple[tuple[Route, ...], tuple[Route, ...], Policy]:
    """Provider routes, other routes and top-level settings of *request*, for ``explain``: no credential's
    value is needed."""
    host = Host(layout, os.environ, ask=lambda _: "", progress=lambda _: None)
    loaded = _load(request, host)
    provider: tuple[Route, ...] = ()
    if loaded is not None and loaded.bottle.agent_provider.template != "command":
        provider = _provider_plan(request, loaded, host, GUEST_HOME, "", needs_credential=False).routes
    base, others, _ = _routes(request, loaded.bottle if loaded else None)
    return provider, others, base


# -- the manifest
def _settings(layout: Layout) -> None:
    """Refuse settings of the host that nothing obeys yet; costs nothing where there is no file."""
    if not os.path.lexists(layout.home / "settings.yml"):
        return
    from bot_bottle.manifest.settings import load_settings
    from bot_bottle.manifest.unenforced import refuse_unenforced_settings

    refuse_unenforced_settings(load_settings(layout.home.parent))


def _load(request: LaunchRequest, host: Host) -> Loaded | None:
    """Nothing of the manifest is read where neither an agent nor a bottle was named (``run``)."""
    if not request.agent and not request.bottles:
        return None
    from bot_bottle.manifest.load import load  # 30 ms that a plain ``run`` need not pay
    from bot_bottle.manifest.source import resolve
    from bot_bottle.manifest.unenforced import refuse_unenforced

    index = resolve(host.layout.home.parent, Path(request.cwd) if request.cwd else None)
    loaded = load(index, request.agent or None, request.bottles, trust_project=request.trust_project)
    refuse_unenforced(loaded)
    return loaded


def _bottle_names(request: LaunchRequest, loaded: Loaded | None) -> tuple[str, ...]:
    return loaded.bottle_names if loaded else request.bottles


# -- the provider
def _template(request: LaunchRequest, bottle: Bottle | None) -> str:
    return request.template or (bottle.agent_provider.template if bottle else "command")


def _provider_plan(
    request: LaunchRequest,
    loaded: Loaded | None,
    host: Host,
    workdir: PurePosixPath,
    instance: str,
    *,
    needs_credential: bool = True,
    conversations: tuple[PurePosixPath, ...] = (),
) -> ProviderPlan:
    """*conversations*: those that there are to go on with."""
    config = loaded.bottle.agent_provider if loaded else None
    use_config = config is not None and request.template in ("", config.template)
    template = _template(request, loaded.bottle if loaded else None)
    provider = find_provider(template)
    token = (config.auth_token if config is not None and use_config else "") or request.run.auth_token
    if not token and not loaded and provider.token_variables:
        token = pick_token_variable(provider, host.environ)
        if token:
            host.progress(f"{template} signs in with the value of {token}")
        else:
            raise LaunchError(
                f"no credential for {template}: export one of {', '.join(provider.token_variables)}, or name "
                "another variable in a bottle (agent_provider.auth_token) and start that"
            )
    kind = config.auth_kind if config is not None and use_config else None
    return provider.plan(
        ProviderRequest(
            settings=config.settings if config is not None and use_config else request.run.settings,
            auth_token=token,
            auth_kind=str(kind) if kind else request.run.auth_kind,
            host_env=host.environ,
            prompt=loaded.agent.prompt if loaded else "",
            task=request.run.task,
            argv=request.run.argv,
            workdir=workdir,
            label=request.label,
            instance=instance,
            color=request.color,
            skills=loaded.agent.skills if loaded else (),
            forward_host_credentials=_forwards(request, loaded.bottle if loaded else None),
            resume=bool(conversations),
            conversations=conversations,
            needs_credential=needs_credential,
            machine=os.uname().machine,
        )
    )


def _forwards(request: LaunchRequest, bottle: Bottle | None) -> bool:
    """Whether the bottle asks for the login that the agent's own program has on this host."""
    config = bottle.agent_provider if bottle else None
    return (
        config is not None and config.forward_host_credentials and request.template in ("", config.template)
    )


def _host_login(request: LaunchRequest, bottle: Bottle | None, host: Host) -> LoginSource | None:
    """Raises ``ProviderError`` with a hint how to sign in."""
    if not _forwards(request, bottle):
        return None
    from bot_bottle.launch.credentials import HostLogin  # what nobody else needs

    login = HostLogin.of(host.environ, host.layout.home.parent)
    return LoginSource(login, login.read().variables())


def _conversations(
    request: LaunchRequest, transcript: Transcript | None, layout: Layout, instance: str
) -> tuple[tuple[PurePosixPath, ...], tuple[PurePosixPath, ...]]:
    """What a resumed agent has to go on with: conversations in the home that is used again, and in the copy of it.
    The home is hostile, and nothing of the bottle runs yet."""
    if transcript is None or not request.resume:
        return (), ()
    from bot_bottle.launch.transcript import conversations_at, conversations_in  # where something is resumed

    in_home = conversations_in(layout.guest(instance) / "home" / "upper", transcript)
    return in_home, conversations_at(layout.transcript(instance), transcript)


def _tool(provider: ProviderPlan, bottle: Bottle | None, host: Host) -> BoundTool | None:
    """The agent's program; None where ``argv[0]`` is looked up inside."""
    if not provider.command:
        return None
    from bot_bottle.launch.tools import provide  # tar, hashes: nothing that a plain command needs

    return provide(provider.command, provider.tool, _named_tools(bottle), host.layout.tools, host.progress)


def _named_tools(bottle: Bottle | None) -> list[Path]:
    return [mount.source for mount in _tool_mounts(bottle)]


def _tool_mounts(bottle: Bottle | None) -> list[Mount]:
    """Host directories of ``tools``, seen read-only at the same path."""
    mounts = []
    for tool in bottle.tools if bottle else ():
        path = getattr(tool, "path", None)
        if path is None:
            continue  # a package: refused by the table of what is not enforced
        if not Path(path).exists():
            raise LaunchError(f"tools: {path!r} is not there: name a directory of this host")
        mounts.append(Mount(Path(path).resolve(), PurePosixPath(path)))
    return mounts


def _skill_files(provider: ProviderPlan, host: Host) -> list[GuestFile]:
    source = host.layout.home.parent / ".claude" / "skills"
    return [file for skill in provider.skills for file in skills.read(source / skill.name, skill.target)]


# -- routes
def _routes(
    request: LaunchRequest, bottle: Bottle | None
) -> tuple[Policy, tuple[Route, ...], tuple[Path, ...]]:
    """The top-level settings, all routes that are not the provider's, and every file of further roots: those
    of the bottle, of the routes file (relative to it, as ``proxy`` has it) and of the flags."""
    log, on_taint = 0, None
    routes: list[Route] = []
    roots: list[Path] = []
    if bottle:
        from bot_bottle.manifest.preset_routes import bottle_routes  # loaded already, as the bottle was

        log, on_taint = bottle.egress.log, bottle.egress.on_taint
        routes += bottle_routes(bottle)
        roots += [Path(bottle.egress.extra_ca)] if bottle.egress.extra_ca else []
    if request.run.routes_file:
        from_file, named = read_routes_file(Path(request.run.routes_file))
        log, on_taint = max(log, from_file.log), from_file.on_taint or on_taint
        routes += from_file.routes
        roots += named
    routes += flag_routes(request.run.allow, request.run.auth)
    roots += [Path(path) for path in request.run.extra_ca]
    return Policy(log=log, on_taint=on_taint), tuple(routes), tuple(roots)


# -- environment
def _env_entries(
    request: LaunchRequest, bottle: Bottle | None, host: Host
) -> tuple[dict[str, str], dict[str, str]]:
    """Literals, and the secrets that the operator gives the bottle itself (ruling 48)."""
    literals: dict[str, str] = {}
    secrets: dict[str, str] = {}
    for name, entry in (bottle.env if bottle else {}).items():
        if not name:
            continue
        source = entry.source
        variable = getattr(source, "name", None)
        if not entry.secret:
            literals[name] = entry.written
        elif variable is not None:
            if variable not in host.environ:
                raise LaunchError(f"env.{name}: the variable {variable!r} is not set here: export it")
            secrets[name] = host.environ[variable]
        else:
            secrets[name] = host.ask(getattr(source, "text", "") or name)
    literals.update(request.run.env)
    taken = sorted(RESERVED & (literals.keys() | secrets.keys()))
    if taken:
        raise LaunchError(f"env: {', '.join(taken)} can't be set: the sandbox needs its own value; remove it")
    return literals, secrets


def _allow_to(bottle: Bottle | None) -> dict[str, tuple[str, ...]]:
    return {name: entry.allow_to for name, entry in (bottle.env if bottle else {}).items()}


def _git_files(bottle: Bottle | None) -> list[GuestFile]:
    """``~/.gitconfig``: the effective identity, and the way to the gate."""
    if bottle is None:
        return []
    from bot_bottle.launch.git_config import gitconfig  # loaded already, as the bottle was

    text = gitconfig(bottle.git_user, bottle.repos.values())
    return [GuestFile(GUEST_HOME / ".gitconfig", text.encode(), 0o644)] if text else []


# -- the git gate
def _gate(bottle: Bottle | None, host: Host, given: Given) -> PlannedGate:
    if bottle is None or not bottle.repos:
        return PlannedGate()
    from bot_bottle.launch.git_gate import plan_gate  # keys and programs: only what has repositories

    return plan_gate(bottle, host.environ, host.layout.home.parent, given)


# -- workspace and limits
def _workspace(request: LaunchRequest, bottle: Bottle | None, host: Host) -> WorkspacePlan | None:
    wanted = bottle.workspace if bottle else None
    mode = str(wanted.mode) if wanted else "none"
    if request.copy_cwd:
        mode = "copy"
    if mode == "none":
        return None
    from bot_bottle.launch.workspace import plan_workspace  # 10 ms that most launches need not pay

    source = Path((wanted.path if wanted else None) or request.cwd or os.getcwd())
    exclude = (*(wanted.exclude if wanted else ()), *request.run.exclude)
    return plan_workspace(source, mode, exclude, host.layout.home.parent)


def _workdir(request: LaunchRequest, mode: str) -> PurePosixPath:
    if request.run.workdir:
        return PurePosixPath(request.run.workdir)
    return GUEST_HOME if mode == "none" else GUEST_WORKSPACE


def _resources(bottle: Bottle | None) -> Resources:
    if bottle is None:
        return Resources()
    written = {name: getattr(bottle.resources, name) for name in bottle.resources.explicit}
    return Resources(**written, explicit=bottle.resources.explicit)
