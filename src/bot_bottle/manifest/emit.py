"""Typed values back to the keys of the files; what is written here loads to an equal value. Pure.

Used for the recorded plan of a ``run`` (ruling 32) and for files that commands write. Holds references to
secrets, never values. Defaults are left out.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from bot_bottle.base import yamltext
from bot_bottle.egress.codec import encode_policy, encode_route
from bot_bottle.egress.config import Dialect, Policy
from bot_bottle.gitgate.config import RepoPolicy
from bot_bottle.manifest.schema import (
    Agent,
    Bottle,
    Budget,
    DeployKey,
    EgressConfig,
    EnvEntry,
    GitUser,
    HostDirectory,
    Key,
    ProviderConfig,
    Repo,
    Resources,
    StaticKey,
    Workspace,
)

EFFECTIVE = "effective"
"""Name of the one bottle in :func:`mapping_of`."""

_UNITS = (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))

Data = dict[str, Any]


def front_matter(data: Data, body: str = "") -> str:
    """A whole file: *data* between ``---`` lines, then *body*."""
    keys = yamltext.dump(data) if data else ""
    return f"---\n{keys}---\n{body}"


def mapping_of(bottle: Bottle, agent: Agent | None = None) -> Data:
    """A mapping for ``load.from_mapping``; bottle ``effective`` in it is *bottle*.

    Each budget scope becomes a parent of its own, in their order. The agent's default is ``effective``.
    """
    name = EFFECTIVE
    while name in {scope.bottle for scope in bottle.budgets}:
        name += "-"
    chain = [name, *(scope.bottle for scope in bottle.budgets)]
    bottles: Data = {name: bottle_data(bottle)}
    for scope in bottle.budgets:
        bottles[scope.bottle] = {"budget": {key: _budget(value) for key, value in scope.budgets.items()}}
    for child, parent in pairwise(chain):
        bottles[child]["extends"] = parent
    agents: Data = {}
    if agent and agent.name:
        agents[agent.name] = {**agent_data(agent), "bottle": name, "prompt": agent.prompt}
    return {"bottles": bottles, "agents": agents}


def bottle_data(bottle: Bottle) -> Data:
    """The keys of one bottle file, but for budgets, which may belong to several files."""
    gate = _present(
        user=_user(bottle.git_user), repos={name: _repo(repo) for name, repo in bottle.repos.items()}
    )
    return _present(
        env={entry.name: _env(entry) for entry in bottle.env.values()},
        agent_provider=_provider(bottle.agent_provider),
        **{"git-gate": gate},
        egress=_egress(bottle.egress),
        supervise=None if bottle.supervise else False,
        shutdown=bottle.shutdown.value if bottle.shutdown else None,
        workspace=_workspace(bottle.workspace) if bottle.workspace else None,
        resources=_resources(bottle.resources),
        tools=[tool.path if isinstance(tool, HostDirectory) else tool.name for tool in bottle.tools],
    )


def agent_data(agent: Agent) -> Data:
    """The keys of one agent file; the prompt is its body."""
    return _present(
        bottle=agent.bottle,
        skills=list(agent.skills),
        **{"git-gate": _present(user=_user(agent.git_user))},
        budget={key: _budget(value) for key, value in agent.budget.items()},
    )


def _present(**fields: Any) -> Data:
    """The fields that say something. ``False`` and 0 do; a mapping that is kept empty is not among them."""
    return {key: value for key, value in fields.items() if value is not None and value not in ("", [], {})}


def size(value: int) -> str:
    """A size in the largest unit that holds it exactly."""
    unit, factor = next((unit, factor) for unit, factor in _UNITS if value % factor == 0)
    return f"{value // factor}{unit}"


def _env(entry: EnvEntry) -> Any:
    if not entry.allow_to:
        return entry.written
    return {"value": entry.written, "allow_to": list(entry.allow_to)}


def _provider(config: ProviderConfig) -> Data | None:
    if config == ProviderConfig():
        return None
    return _present(
        template=config.template,
        dockerfile=config.dockerfile,
        auth_token=config.auth_token,
        auth_kind=config.auth_kind.value if config.auth_kind else None,
        forward_host_credentials=config.forward_host_credentials or None,
        settings={
            key: list(value) if isinstance(value, tuple) else value for key, value in config.settings.items()
        },
    )


def _user(user: GitUser) -> Data:
    return _present(name=user.name, email=user.email)


def _repo(repo: Repo) -> Data:
    policy, default = repo.policy, RepoPolicy()
    data: Data = {"url": repo.upstream.written, "key": _key(repo.key)}
    data |= _present(host_key=repo.host_key, alias=repo.alias)
    for name in ("allow_refs", "deny_refs", "deny_paths", "ask_paths"):
        if getattr(policy, name) != getattr(default, name):
            data[name] = list(getattr(policy, name))
    for name in ("allow_force", "allow_delete", "stale_ok"):
        if getattr(policy, name):
            data[name] = True
    if policy.max_pack_bytes != default.max_pack_bytes:
        data["max_pack"] = size(policy.max_pack_bytes)
    if policy.lfs is not default.lfs:
        data["lfs"] = policy.lfs.value
    return data


def _key(key: Key) -> Data:
    if isinstance(key, StaticKey):
        return {"provider": "static", "path": key.path}
    if isinstance(key, DeployKey):
        return {"provider": key.forge.value, "token_ref": key.token_ref, "api_url": key.api_url}
    return {"provider": "token", "token_ref": key.token_ref}


def _egress(config: EgressConfig) -> Data:
    rest = encode_policy(
        Policy(
            log=config.log,
            extra_ca=config.extra_ca,
            upstream_proxy=config.upstream_proxy,
            on_taint=config.on_taint,
            provider_features=config.provider_features,
            provider_schema=config.provider_schema,
        )
    )
    proxy = rest.get("upstream_proxy")
    if isinstance(proxy, dict) and "token_env" in proxy:
        proxy["token_ref"] = proxy.pop("token_env")
    routes = [encode_route(route, Dialect.MANIFEST) for route in config.routes]
    return _present(**{**rest, "routes": routes})


def _workspace(workspace: Workspace) -> Data:
    return {"mode": workspace.mode.value} | _present(
        path=workspace.path, exclude=list(workspace.exclude), protect=list(workspace.protect)
    )


def _resources(resources: Resources) -> Data:
    sizes = {
        name: size(value)
        for name, value in (("memory", resources.memory_bytes), ("disk", resources.disk_bytes))
        if value is not None
    }
    return _present(cpus=resources.cpus, pids=resources.pids, **sizes)


def _budget(budget: Budget) -> Any:
    if budget == Budget(budget.tokens):
        return budget.tokens
    return {"tokens": budget.tokens} | _present(
        per=budget.per.value if budget.per else None, warn_at=list(budget.warn_at), hard=budget.hard or None
    )
