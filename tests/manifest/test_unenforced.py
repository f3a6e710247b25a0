"""No silent gap: every key of the reference is enforced by this version or refused at launch (ruling 50)."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bot_bottle.manifest import keys
from bot_bottle.manifest.settings import load_settings
from bot_bottle.manifest.tree import ManifestError
from bot_bottle.manifest.unenforced import refuse_unenforced, refuse_unenforced_settings

STATIC = "{provider: static, path: /k}"
REPO = f"url: 'git@h.example:a', key: {STATIC}"


def pi(settings: str) -> str:
    return f"agent_provider: {{template: pi, settings: {{{settings}}}}}"


def repo(fields: str) -> str:
    return f"git-gate: {{repos: {{a: {{{REPO}{', ' if fields else ''}{fields}}}}}}}"


def forge(fields: str) -> str:
    return f"git-gate: {{repos: {{a: {{url: 'git@h.example:a', key: {{provider: gitea, token_ref: T{fields}}}}}}}}}"


def route(fields: str) -> str:
    return f"egress: {{routes: [{{host: a.example, {fields}}}]}}"


def proxy(fields: str) -> str:
    return f"egress: {{upstream_proxy: {{url: 'http://p.example:1'{fields}}}}}"


ENFORCED = {
    "extends": "extends: base",
    "env": "env: {}",
    "env.*": "env: {A: x, B: '?x', C: '${X}'}",
    "env.*.value": "env: {A: {value: '${X}'}}",
    "agent_provider": "agent_provider: {}",
    "agent_provider.template": "agent_provider: {template: command}",
    "agent_provider.auth_token": "agent_provider: {auth_token: T}",
    "agent_provider.auth_kind": "agent_provider: {auth_kind: oauth}",
    "agent_provider.settings": "agent_provider: {settings: {}}",
    "agent_provider.settings.startup_args": "agent_provider: {settings: {startup_args: [x]}}",
    "agent_provider.forward_host_credentials": "agent_provider: {template: codex, forward_host_credentials: true}",
    "agent_provider.settings.provider": pi("provider: x"),
    "agent_provider.settings.base_url": pi("base_url: x"),
    "agent_provider.settings.api": pi("api: x"),
    "agent_provider.settings.api_key": pi("api_key: x"),
    "agent_provider.settings.api_key_env": pi("api_key_env: X"),
    "agent_provider.settings.models": pi("models: [x]"),
    "agent_provider.settings.context_window": pi("context_window: 1"),
    "agent_provider.settings.max_tokens": pi("max_tokens: 1"),
    "agent_provider.settings.max_tokens_field": pi("max_tokens_field: max_tokens"),
    "agent_provider.settings.supports_developer_role": pi("supports_developer_role: true"),
    "agent_provider.settings.supports_reasoning_effort": pi("supports_reasoning_effort: true"),
    "agent_provider.settings.argv": "agent_provider: {template: command, settings: {argv: [x]}}",
    "git-gate": "git-gate: {}",
    "git-gate.user": "git-gate: {user: {}}",
    "git-gate.user.name": "git-gate: {user: {name: x}}",
    "git-gate.user.email": "git-gate: {user: {email: x}}",
    "git-gate.repos": repo(""),
    "git-gate.repos.*.url": repo(""),
    "git-gate.repos.*.key": repo(""),
    "git-gate.repos.*.key.provider": repo(""),
    "git-gate.repos.*.key.path": repo(""),
    "git-gate.repos.*.key.token_ref": forge(""),
    "git-gate.repos.*.key.api_url": forge(", api_url: 'https://h.example'"),
    "git-gate.repos.*.host_key": repo("host_key: x"),
    "git-gate.repos.*.alias": repo("alias: x"),
    "git-gate.repos.*.allow_refs": repo("allow_refs: [x]"),
    "git-gate.repos.*.deny_refs": repo("deny_refs: [x]"),
    "git-gate.repos.*.allow_force": repo("allow_force: false"),
    "git-gate.repos.*.allow_delete": repo("allow_delete: false"),
    "git-gate.repos.*.deny_paths": repo("deny_paths: [x]"),
    "git-gate.repos.*.ask_paths": repo("ask_paths: [x]"),
    "git-gate.repos.*.max_pack": repo("max_pack: 1MiB"),
    "git-gate.repos.*.stale_ok": repo("stale_ok: false"),
    "git-gate.repos.*.lfs": repo("lfs: refuse"),
    "egress": "egress: {}",
    "egress.log": "egress: {log: 2}",
    "egress.extra_ca": "egress: {extra_ca: /ca.pem}",
    "egress.routes": "egress: {routes: []}",
    "egress.routes[].host": "egress: {routes: [{host: a.example}]}",
    "egress.routes[].ports": route("ports: [8443]"),
    "egress.routes[].preset": "egress: {routes: [{preset: npm}]}",
    "egress.routes[].access": "egress: {routes: [{preset: npm, access: [read]}]}",
    "egress.routes[].repos": "egress: {routes: [{preset: github, repos: [o/r]}]}",
    "egress.routes[].auth": route("auth: {scheme: passthrough}"),
    "egress.routes[].auth.scheme": route("auth: {scheme: passthrough}"),
    "egress.routes[].auth.token_ref": route("auth: {scheme: Bearer, token_ref: T}"),
    "egress.routes[].auth.header": route("auth: [{scheme: raw, token_ref: T, header: x-api-key}]"),
    "egress.routes[].matches": route("matches: [{methods: [GET]}]"),
    "egress.routes[].matches[].paths": route("matches: [{paths: [{value: /}]}]"),
    "egress.routes[].matches[].paths[].type": route("matches: [{paths: [{type: exact, value: /}]}]"),
    "egress.routes[].matches[].paths[].value": route("matches: [{paths: [{value: /}]}]"),
    "egress.routes[].matches[].methods": route("matches: [{methods: [GET]}]"),
    "egress.routes[].matches[].headers": route("matches: [{headers: [{name: a, value: b}]}]"),
    "egress.routes[].matches[].headers[].name": route("matches: [{headers: [{name: a, value: b}]}]"),
    "egress.routes[].matches[].headers[].value": route("matches: [{headers: [{name: a, value: b}]}]"),
    "egress.routes[].matches[].headers[].type": route(
        "matches: [{headers: [{name: a, value: b, type: exact}]}]"
    ),
    "egress.routes[].git": route("git: {}"),
    "egress.routes[].git.fetch": route("git: {fetch: true}"),
    "egress.routes[].headers": route("headers: [x-a]"),
    "egress.routes[].allow_private": route("allow_private: true"),
    "egress.routes[].dlp": route("dlp: {}"),
    "egress.routes[].dlp.outbound_detectors": route("dlp: {outbound_detectors: [known_secrets]}"),
    "egress.routes[].dlp.inbound_detectors": route("dlp: {inbound_detectors: [naive_injection_detection]}"),
    "egress.routes[].dlp.outbound_on_match": route("dlp: {outbound_on_match: block}"),
    "egress.routes[].dlp.inbound_on_match": route("dlp: {inbound_on_match: 'off'}"),
    "egress.on_taint": "egress: {on_taint: note}",
    "env.*.allow_to": "env: {A: {value: '?x', allow_to: [a.example]}}",
    "supervise": "supervise: true",
    "budget": "budget: {}",
    "workspace": "workspace: {}",
    "workspace.mode": "workspace: {mode: copy}",
    "workspace.path": "workspace: {path: /src/x}",
    "workspace.exclude": "workspace: {exclude: [x]}",
    "resources": "resources: {}",
    "resources.cpus": "resources: {cpus: 1}",
    "resources.memory": "resources: {memory: 1GiB}",
    "resources.pids": "resources: {pids: 9}",
    "resources.disk": "resources: {disk: 1GiB}",
    "tools": "tools: []",
}
"""What is built, each with a bottle that uses it and can be launched. An empty container says nothing."""

REFUSED = {
    "agent_provider.template": "agent_provider: {template: another}",
    "agent_provider.dockerfile": "agent_provider: {dockerfile: Dockerfile}",
    "egress.upstream_proxy": proxy(""),
    "egress.upstream_proxy.url": proxy(""),
    "egress.upstream_proxy.token_ref": proxy(", token_ref: T"),
    "egress.upstream_proxy.resolve": proxy(", resolve: local"),
    "egress.provider_features": "egress: {provider_features: [x]}",
    "egress.provider_schema": "egress: {provider_schema: log}",
    "egress.routes[].meter": route("meter: {provider: x, format: gemini}"),
    "egress.routes[].meter.provider": route("meter: {provider: x, format: gemini}"),
    "egress.routes[].meter.format": route("meter: {provider: x, format: gemini}"),
    "budget.*": "budget: {claude: 5}",
    "budget.*.tokens": "budget: {claude: {tokens: 5}}",
    "budget.*.per": "budget: {claude: {tokens: 5, per: day}}",
    "budget.*.warn_at": "budget: {claude: {tokens: 5, warn_at: [0.5]}}",
    "budget.*.hard": "budget: {claude: {tokens: 5, hard: false}}",
    "shutdown": "shutdown: cutoff",
    "workspace.mode": "workspace: {mode: mount}",
    "workspace.protect": "workspace: {protect: []}",
    "tools": "tools: [ripgrep]",
}
"""What is not, each with a bottle that uses it."""

ENFORCED_OF_AGENTS = {
    "bottle": "bottle: dev",
    "skills": "skills: [review]",
    "git-gate": "git-gate: {}",
    "git-gate.user": "git-gate: {user: {}}",
    "git-gate.user.name": "git-gate: {user: {name: x}}",
    "git-gate.user.email": "git-gate: {user: {email: x}}",
    "budget": "budget: {}",
}
REFUSED_OF_AGENTS = {
    key: REFUSED[key]
    for key in ("budget.*", "budget.*.tokens", "budget.*.per", "budget.*.warn_at", "budget.*.hard")
}
ENFORCED_SETTINGS = {
    "logs_days": "logs_days: 3",
    "kept_days": "kept_days: 3",
    "budget": "budget: {}",
    "weights": "weights: {}",
}
REFUSED_SETTINGS = {
    **{key: value for key, value in REFUSED_OF_AGENTS.items() if key.startswith("budget")},
    "shutdown": "shutdown: kill",
    "gate": "gate: exact",
    "warn_at": "warn_at: [0.5]",
    "weights.input": "weights: {input: 1}",
    "weights.output": "weights: {output: 1}",
    "weights.cache_write": "weights: {cache_write: 1}",
    "weights.cache_read": "weights: {cache_read: 1}",
    "timezone": "timezone: Europe/Berlin",
    "ledger": "ledger: sqlite",
    "metrics": "metrics: 127.0.0.1:9464",
}


@pytest.mark.parametrize(
    ("table", "enforced", "refused"),
    [
        (keys.BOTTLE, ENFORCED, REFUSED),
        (keys.AGENT, ENFORCED_OF_AGENTS, REFUSED_OF_AGENTS),
        (keys.SETTINGS, ENFORCED_SETTINGS, REFUSED_SETTINGS),
    ],
    ids=["bottle", "agent", "settings"],
)
def test_every_key_is_in_one_of_the_two_lists(table, enforced, refused):
    """A new key must be put into one of them, with an example that is run below."""
    assert {row.pattern for row in table} == set(enforced) | set(refused)


def uses(pattern: str, text: str) -> bool:
    """Is the key *pattern* written in *text*?"""

    def found(value: object, steps: list[str]) -> bool:
        if not steps:
            return True
        if isinstance(value, list):
            return any(found(item, steps) for item in value)
        if not isinstance(value, dict):
            return False
        names = value if steps[0] == "*" else [steps[0]] if steps[0] in value else []
        return any(found(value[name], steps[1:]) for name in names)

    return found(yaml.safe_load(text), pattern.replace("[]", "").split("."))


EXAMPLES = [
    (pattern, text)
    for table in (
        ENFORCED,
        REFUSED,
        ENFORCED_OF_AGENTS,
        REFUSED_OF_AGENTS,
        ENFORCED_SETTINGS,
        REFUSED_SETTINGS,
    )
    for pattern, text in table.items()
]


@pytest.mark.parametrize(("pattern", "text"), EXAMPLES)
def test_the_examples_use_their_key(pattern, text):
    assert uses(pattern, text)


@pytest.mark.parametrize(("pattern", "text"), ENFORCED.items(), ids=ENFORCED)
def test_what_is_enforced_can_be_launched(files, pattern, text):
    files.bottle("base", "")
    files.bottle("dev", text)
    refuse_unenforced(files.load("dev"))


@pytest.mark.parametrize(("pattern", "text"), REFUSED.items(), ids=REFUSED)
def test_what_is_not_is_refused_with_file_and_line(files, pattern, text):
    """It is read without complaint, and refused also where it is inherited."""
    file = files.bottle("base", text)
    files.bottle("dev", "extends: base")
    for name in ("base", "dev"):
        loaded = files.load(name)
        with pytest.raises(ManifestError, match="is not enforced by this version") as caught:
            refuse_unenforced(loaded)
        assert (caught.value.file, caught.value.line) == (str(file), 2)
        assert str(caught.value).startswith(f"{file}:2: {pattern.split('.')[0].split('[')[0]}")


@pytest.mark.parametrize(("pattern", "text"), ENFORCED_OF_AGENTS.items(), ids=ENFORCED_OF_AGENTS)
def test_agents_that_can_be_launched(files, pattern, text):
    files.bottle("dev", "")
    files.agent("worker", text)
    refuse_unenforced(files.load("dev", agent="worker"))


@pytest.mark.parametrize(("pattern", "text"), REFUSED_OF_AGENTS.items(), ids=REFUSED_OF_AGENTS)
def test_agents_that_can_not(files, pattern, text):
    files.bottle("dev", "")
    file = files.agent("worker", text)
    with pytest.raises(ManifestError, match="is not enforced by this version") as caught:
        refuse_unenforced(files.load("dev", agent="worker"))
    assert (caught.value.file, caught.value.line) == (str(file), 2)


@pytest.mark.parametrize("text", ENFORCED_SETTINGS.values(), ids=ENFORCED_SETTINGS)
def test_settings_that_say_nothing(files, text):
    files.write("settings.yml", text)
    refuse_unenforced_settings(load_settings(files.home))


@pytest.mark.parametrize("text", REFUSED_SETTINGS.values(), ids=REFUSED_SETTINGS)
def test_settings_that_are_not_enforced(files, text):
    file = files.write("settings.yml", text)
    with pytest.raises(ManifestError, match="is not enforced by this version") as caught:
        refuse_unenforced_settings(load_settings(files.home))
    assert (caught.value.file, caught.value.line) == (str(file), 1)


@pytest.mark.parametrize(
    "text",
    [
        "egress: {log: 0}",
        "agent_provider: {dockerfile: ''}",
        "agent_provider: {forward_host_credentials: false}",
        "workspace: {mode: none}",
        "tools: [/opt/tool, ~/bin]",
        "supervise: false",
        route("dlp: {outbound_detectors: false, inbound_detectors: false}"),
    ],
)
def test_values_that_are_enforced_of_keys_that_are_not_quite(files, text):
    files.bottle("dev", text)
    refuse_unenforced(files.load("dev"))


@pytest.mark.parametrize(
    "text", [route("dlp: {outbound_detectors: []}"), route("dlp: {inbound_detectors: []}")]
)
def test_an_empty_detector_list_is_not_a_switch(files, text):
    """Either the decoder refuses it or the table does."""
    files.bottle("dev", text)
    with pytest.raises(ManifestError):
        refuse_unenforced(files.load("dev"))


def test_the_message_says_what_to_do(files):
    file: Path = files.bottle("dev", "env: {A: x}\nagent_provider: {template: another}")
    with pytest.raises(ManifestError) as caught:
        refuse_unenforced(files.load("dev"))
    assert str(caught.value) == (
        f"{file}:3: agent_provider.template: is not enforced by this version: "
        "use one of claude, codex, command, pi"
    )


def test_skills_are_for_templates_that_copy_them(files):
    """``command`` runs any program: nothing there would read them."""
    files.bottle("dev", "agent_provider: {template: command}")
    file = files.agent("worker", "bottle: dev\nskills: [review]")
    with pytest.raises(
        ManifestError, match="is not enforced by this version for template 'command'"
    ) as caught:
        refuse_unenforced(files.load(agent="worker"))
    assert (caught.value.file, caught.value.line) == (str(file), 3)
    files.agent("worker", "bottle: dev\nskills: []")
    refuse_unenforced(files.load(agent="worker"))
