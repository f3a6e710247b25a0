"""Pi: command line, ``models.json``, the one route to its model server. A plan only, no I/O.

Without settings it talks to an Ollama on the operator's own machine. What the client needs and sends was
measured with the real one: ``docs/providers.md``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from bot_bottle.egress.address import is_private_literal
from bot_bottle.egress.config import Auth, Inject, Match, Passthrough, PathMatch, PathType, Route, Scheme
from bot_bottle.egress.hosts import HOST_ALIAS, BadHost, canonical_host
from bot_bottle.egress.paths import BadPath, canonical_path
from bot_bottle.egress.request import Tunnel
from bot_bottle.providers.contract import (
    GUEST_HOME,
    PLACEHOLDER,
    PROMPT_PATH,
    GuestFile,
    ProviderError,
    ProviderPlan,
    ProviderRequest,
    SkillCopy,
    Tool,
    Transcript,
    check_credential,
    check_task,
    startup_args,
)

VERSION = "0.87.1"
"""The pinned version; everything in ``docs/providers.md`` was measured with it."""

INTEGRITY = "sha512-m8ArJUtVcQMSe1lLE/Ei7vX/JV7O39sWmWBsXV2NOU70F0qCp8GubA24pT3LnwTmM6LL2xV80/h6sQg85n69ew=="

_CPUS = {"x86_64": "x64", "aarch64": "arm64"}

_SCRIPT = """\
#!/bin/sh
tree=${0%/*}/..
exec "$tree/node_modules/node-linux-CPU/bin/node" \
"$tree/node_modules/@earendil-works/pi-coding-agent/dist/bundle/cli.js" "$@"
"""
"""The client needs a node of 22.19 or newer, which a host need not have: the pinned tree brings one."""

QUIET_ENV: Mapping[str, str] = {
    # no catalogue, update check or report of an installation out of pi.dev (all that is closed anyway)
    "PI_OFFLINE": "1",
    "PI_SKIP_VERSION_CHECK": "1",
    "PI_TELEMETRY": "0",
}

DEFAULT_PROVIDER = "ollama"
DEFAULT_BASE_URL = f"http://{HOST_ALIAS}:11434/v1"
"""Ollama's port on the operator's machine (https://docs.ollama.com/faq); inside, localhost is the bottle."""
DEFAULT_API = "openai-completions"
DEFAULT_MODEL = "qwen3:14b"

_ENDPOINTS: Mapping[str, str] = {
    "openai-completions": "/chat/completions",
    "openai-responses": "/responses",
    "anthropic-messages": "/v1/messages",
}
"""What the client asks below ``base_url``, with POST; of another API, all paths below it are open."""

_KEY_HEADERS: Mapping[str, str] = {
    "anthropic-messages": "x-api-key",
    "google-generative-ai": "x-goog-api-key",
}
"""Where an API takes a key elsewhere than in ``Authorization: Bearer``."""

_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 - refused

_CONFIG = GUEST_HOME / ".pi"
_AGENT = _CONFIG / "agent"


@dataclass(frozen=True)
class _Server:
    """Where the models are."""

    url: str
    scheme: str
    host: str
    port: int
    path: str
    """without a slash at its end"""


class Pi:
    """``template: pi``."""

    template = "pi"
    token_variables: tuple[str, ...] = ()
    transcript: Transcript | None = Transcript(_AGENT, ("sessions/*/*.jsonl",))

    def plan(self, request: ProviderRequest) -> ProviderPlan:
        """Raises :class:`ProviderError` for settings or a credential that can't be used."""
        server = _server(_text(request.settings, "base_url", DEFAULT_BASE_URL))
        token = _token(request)
        cpu = _CPUS.get(request.machine)
        return ProviderPlan(
            argv=_argv(request),
            env=QUIET_ENV,
            files=_files(request, server),
            routes=(_route(request.settings, server, token),),
            skills=tuple(SkillCopy(name, _AGENT / "skills" / name) for name in request.skills),
            command="pi",
            tool=_tool(cpu) if cpu else None,
            scratch=(PROMPT_PATH, _CONFIG, GUEST_HOME / ".cache"),
            reads_stdin=not request.task,
        )


def _tool(cpu: str) -> Tool:
    return Tool(
        "pi",
        VERSION,
        "@earendil-works/pi-coding-agent",
        INTEGRITY,
        PurePosixPath("bin/pi"),
        lock="pi-lock.json",
        cpu=cpu,
        megabytes=350,
        script=_SCRIPT.replace("CPU", cpu),
    )


# -- settings
def _text(settings: Mapping[str, object], name: str, default: str) -> str:
    value = settings.get(name, default)
    if not isinstance(value, str) or not value:
        raise ProviderError(f"agent_provider.settings.{name} must be a text: write one or remove it")
    return value


def _models(settings: Mapping[str, object]) -> tuple[str, ...]:
    value = settings.get("models", (DEFAULT_MODEL,))
    if not isinstance(value, list | tuple) or not value:
        raise ProviderError("agent_provider.settings.models must be a list of names: name one or remove it")
    for model in value:
        if not isinstance(model, str) or not model or "," in model:
            raise ProviderError(f"agent_provider.settings.models: {model!r} can't be a model's name")
    return tuple(value)


def _server(url: str) -> _Server:
    """*url* taken apart. Raises :class:`ProviderError` for one that no route can stand for."""
    where = "agent_provider.settings.base_url"
    if "@" in url:  # never shown: what stands before it may be a password
        raise ProviderError(
            f"{where} must be http(s)://HOST[:PORT][/PATH], without '@': put a key into a variable and name "
            "it in api_key_env"
        )
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = canonical_host(
            f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        )
        path = canonical_path(parts.path or "/")
    except (ValueError, BadHost, BadPath) as error:
        raise ProviderError(f"{where}: {url!r} is no address of a server: {error}") from error
    if parts.scheme not in ("http", "https") or parts.query or parts.fragment:
        raise ProviderError(f"{where}: {url!r} must be http(s)://HOST[:PORT][/PATH], with nothing else in it")
    if host in _LOCAL_NAMES or host.startswith("127."):
        raise ProviderError(
            f"{where}: {parts.hostname!r} is the bottle itself: for a server on this machine write "
            f"{HOST_ALIAS!r} instead"
        )
    if parts.scheme == "http" and not Tunnel(host, port, tls=False).may_be_plain:
        raise ProviderError(
            f"{where}: plain HTTP goes to port 80 or to {HOST_ALIAS!r}, not to {host}:{port}: use https"
        )
    return _Server(url, parts.scheme, host, port, path.rstrip("/"))


def _token(request: ProviderRequest) -> str:
    """The name of the host variable with the key; empty: none is injected."""
    settings = request.settings
    if request.auth_kind not in ("", "api_key"):
        raise ProviderError(f"auth_kind {request.auth_kind!r}: pi takes an API key")
    named = {name for name in (settings.get("api_key_env"), request.auth_token) if name}
    if len(named) > 1:
        raise ProviderError("auth_token and settings.api_key_env name two variables: keep one of the two")
    if not named:
        return ""
    if settings.get("api_key"):
        raise ProviderError("settings.api_key can't stand beside auth_token: keep one of the two")
    (token,) = named
    if not isinstance(token, str):
        raise ProviderError("agent_provider.settings.api_key_env must be the name of a variable")
    if request.needs_credential:
        check_credential(token, request.host_env.get(token, ""))
    return token


# -- the plan's parts
def _argv(request: ProviderRequest) -> tuple[str, ...]:
    """Startup, resume, prompt, then the person's own, then the task behind ``--``."""
    check_task(request.task)
    provider = _text(request.settings, "provider", DEFAULT_PROVIDER)
    scope = ",".join(f"{provider}/{model}" for model in _models(request.settings))
    argv = ["pi", "--models", scope, *startup_args(request.settings)]
    if request.resume:
        argv.append("--continue")
    if request.prompt:
        argv += ["--append-system-prompt", str(PROMPT_PATH)]
    argv += request.argv
    if request.task:
        argv += ["-p", "--", request.task]
    return tuple(argv)


def _route(settings: Mapping[str, object], server: _Server, token: str) -> Route:
    api = _text(settings, "api", DEFAULT_API)
    auth: Auth = ()
    if token:
        if server.scheme != "https":
            raise ProviderError(
                f"the key in {token!r} goes over TLS only, and base_url {server.url!r} has none: use https, or "
                "settings.api_key for a key that may be seen"
            )
        header = _KEY_HEADERS.get(api)
        auth = (Inject(Scheme.RAW, token, header) if header else Inject(Scheme.BEARER, token),)
    elif settings.get("api_key"):
        auth = Passthrough()
    endpoint = _ENDPOINTS.get(api)
    if endpoint:
        match = Match((PathMatch(server.path + endpoint, PathType.EXACT),), ("POST",))
    else:
        match = Match((PathMatch(f"{server.path}/"),))
    return Route(
        server.host,
        (server.port,),
        auth,
        (match,),
        allow_private=is_private_literal(server.host),
        provider=Pi.template,
    )


def _files(request: ProviderRequest, server: _Server) -> tuple[GuestFile, ...]:
    return (
        GuestFile(PROMPT_PATH, request.prompt.encode()),
        GuestFile(_AGENT / "models.json", _json(_models_file(request.settings, server))),
        GuestFile(_AGENT / "settings.json", _json({"defaultProjectTrust": "always"})),
    )


def _models_file(settings: Mapping[str, object], server: _Server) -> dict[str, object]:
    """``models.json``; keys whose setting is not there are left out, but for those with a default."""
    sizes = {"contextWindow": settings.get("context_window"), "maxTokens": settings.get("max_tokens")}
    given = {key: value for key, value in sizes.items() if value is not None}
    compat: dict[str, object] = {
        "supportsDeveloperRole": settings.get("supports_developer_role", False),
        "supportsReasoningEffort": settings.get("supports_reasoning_effort", False),
    }
    if settings.get("max_tokens_field") is not None:
        compat["maxTokensField"] = settings["max_tokens_field"]
    provider = {
        "baseUrl": server.url,
        "api": _text(settings, "api", DEFAULT_API),
        "apiKey": _literal(settings.get("api_key")),
        "compat": compat,
        "models": [{"id": model, **given} for model in _models(settings)],
    }
    return {"providers": {_text(settings, "provider", DEFAULT_PROVIDER): provider}}


def _literal(key: object) -> str:
    """A key as it is: the client would run one that begins with ``!`` and look variables up in one with ``$``."""
    if key is None:
        return PLACEHOLDER
    if not isinstance(key, str) or not key or key.startswith("!") or "$" in key:
        raise ProviderError(
            "agent_provider.settings.api_key must be a text without '$' and without '!' at its start: put "
            "the key into a variable and name it in api_key_env"
        )
    return key


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()
