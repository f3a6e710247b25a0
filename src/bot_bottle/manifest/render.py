"""What the operator reads before a launch and with ``info``: the effective bottle as YAML, or line by line.

Shows what the manifest says, never what a reference stands for: a variable's name, not its value. Same
manifest, same text. An agent's file may be a project's, so its text is escaped (``base.text``, and the
emitter escapes all but ASCII).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from bot_bottle.base import yamltext
from bot_bottle.base.text import printable
from bot_bottle.egress.config import Dlp, Passthrough, Route
from bot_bottle.manifest.load import Loaded
from bot_bottle.manifest.schema import Bottle, GitUser, Origin

FIRST_LINE_CHARS = 100


def preflight(loaded: Loaded, *, hidden_env: Collection[str] = ()) -> str:
    """The summary of ``spec: cli §5``; *hidden_env* are names that the provider keeps out of the list."""
    agent = loaded.agent
    about: dict[str, Any] = {}
    if agent.name:
        about["name"] = agent.name
    if agent.source:
        about["file"] = agent.source.file
        if agent.source.origin is Origin.PROJECT:
            about["origin"] = "project (untrusted)"
        if agent.source.shadows:
            about["shadows"] = agent.source.shadows
    if agent.skills:
        about["skills"] = list(agent.skills)
    if agent.git_user != GitUser():
        about["git-gate"] = {"user": _user(agent.git_user)}
    summary: dict[str, Any] = {"bottles": list(loaded.bottle_names)}
    if about:
        summary["agent"] = about
    summary["bottle"] = _bottle(loaded.bottle, hidden_env)
    notes = _notes(loaded.bottle)
    if notes:
        summary["notes"] = notes
    return yamltext.dump(summary)


def _user(user: GitUser) -> dict[str, str]:
    return {key: value for key, value in (("name", user.name), ("email", user.email)) if value}


def _bottle(bottle: Bottle, hidden_env: Collection[str]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    provider = bottle.agent_provider
    if provider.template != "claude" or provider.dockerfile:
        out["agent_provider"] = {"template": provider.template}
        if provider.dockerfile:
            out["agent_provider"]["dockerfile"] = provider.dockerfile
    shown = [bottle.env[name] for name in sorted(bottle.env) if name not in hidden_env]
    if shown:
        out["env"] = {entry.name: entry.written for entry in shown}
    secrets = [entry.name for entry in shown if entry.secret]
    if secrets:
        out["env_secrets_visible_to_the_agent"] = secrets
    gate: dict[str, Any] = {}
    if bottle.git_user != GitUser():
        gate["user"] = _user(bottle.git_user)
    if bottle.repos:
        gate["repos"] = {name: {"url": repo.upstream.written} for name, repo in bottle.repos.items()}
    if gate:
        out["git-gate"] = gate
    egress: dict[str, Any] = {}
    if bottle.egress.extra_ca:
        egress["extra_ca"] = bottle.egress.extra_ca
    if bottle.egress.routes:
        egress["routes"] = [_route(route) for route in bottle.egress.routes]
    if egress:
        out["egress"] = egress
    if bottle.workspace:
        out["workspace"] = {"mode": bottle.workspace.mode.value}
        if bottle.workspace.path:
            out["workspace"]["path"] = bottle.workspace.path
    if bottle.tools:
        out["tools"] = [getattr(tool, "path", None) or getattr(tool, "name", "") for tool in bottle.tools]
    out["supervise"] = bottle.supervise
    return out


def _route(route: Route) -> dict[str, Any]:
    """The host, and what widens it: a credential by its scheme, private addresses, other ports."""
    out: dict[str, Any] = {"host": route.host} if route.host else {}
    if route.preset:
        out["preset"] = route.preset
    if route.access:
        out["access"] = list(route.access)
    if route.repos:
        out["repos"] = list(route.repos)
    if route.ports:
        out["ports"] = list(route.ports)
    schemes = _schemes(route)
    if schemes:
        out["auth"] = {"scheme": schemes[0]} if len(schemes) == 1 else [{"scheme": s} for s in schemes]
    if route.allow_private:
        out["allow_private"] = True
    return out


def _schemes(route: Route) -> list[str]:
    if isinstance(route.auth, Passthrough):
        return ["passthrough"]
    return [inject.scheme.value for inject in route.auth]


def _notes(bottle: Bottle) -> list[str]:
    """What this version does not do although nothing says so in the files (ruling 50), and what is switched off."""
    notes = []
    if bottle.supervise:
        notes.append(
            "supervise is not enforced by this version: the agent can't ask, what no route allows is refused"
        )
    unscanned = [route.host or str(route.preset) for route in bottle.egress.routes if _off(route.dlp)]
    if unscanned:
        notes.append("requests and answers are not scanned (dlp): " + ", ".join(unscanned))
    return notes


def _off(dlp: Dlp) -> bool:
    return dlp.outbound_detectors == () and dlp.inbound_detectors == ()


def info_lines(loaded: Loaded, *, hidden_env: Collection[str] = ()) -> list[str]:
    """The plan line by line, for ``info`` and screens; every value is fit for a terminal."""
    agent, bottle = loaded.agent, loaded.bottle
    first = next((line for line in agent.prompt.splitlines() if line.strip()), "")
    size = f"{len(agent.prompt)} characters: {printable(first, limit=FIRST_LINE_CHARS)}"
    rows = [
        ("agent", agent.name),
        ("file", agent.source.file if agent.source else ""),
        ("provider", bottle.agent_provider.template),
        ("env", ", ".join(name for name in sorted(bottle.env) if name not in hidden_env)),
        ("skills", ", ".join(agent.skills)),
        ("prompt", size if agent.prompt else ""),
        ("bottle", ", ".join(loaded.bottle_names)),
        ("git identity", loaded.git_identity),
        (
            "git upstreams",
            ", ".join(f"{name} {repo.upstream.written}" for name, repo in bottle.repos.items()),
        ),
        ("egress", ", ".join(route.host or f"preset {route.preset}" for route in bottle.egress.routes)),
    ]
    empty = {"prompt": "(empty)"}
    return [f"{label}: {printable(value) or empty.get(label, '(none)')}" for label, value in rows]
