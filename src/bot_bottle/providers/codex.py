"""Codex: command line, quiet configuration, a login without a credential, its one route. A plan only, no I/O.

Two ways in: an API key (``auth_token``), for api.openai.com, or the ChatGPT login that the operator's own
Codex keeps on the host (``forward_host_credentials``), for chatgpt.com. The client sends one and the same
credential to both hosts where it can, so a route never stands for "any host of OpenAI's". What the client
needs and sends was measured with the real one: ``docs/providers.md``.
"""

from __future__ import annotations

import json
from pathlib import PurePosixPath

from bot_bottle.egress.config import HeaderMatch, Inject, Match, PathMatch, PathType, Route, Scheme
from bot_bottle.egress.presets.models import OPENAI_HOST, OPENAI_RESPONSES
from bot_bottle.providers.codex_login import (
    ACCOUNT_VARIABLE,
    PLAN_VARIABLE,
    TOKEN_VARIABLE,
    guest_key,
    guest_login,
)
from bot_bottle.providers.contract import (
    GUEST_HOME,
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

VERSION = "0.169.0"
"""The pinned version; everything in ``docs/providers.md`` was measured with it."""

_BUILDS = {
    "x86_64": (
        "linux-x64",
        "x86_64-unknown-linux-musl",
        "sha512-o05NyAOCDygSPRo1yinzxvkRSdmsZyBD9E7mbpmjRanSfM8lypqWtQgEo4XfNkwhuCR2aFu8mlGOsQGFXVbVww==",
    ),
    "aarch64": (
        "linux-arm64",
        "aarch64-unknown-linux-musl",
        "sha512-NZ/DaQUpcQmxmqee7Z9uC1rzw3GhSbooawcaTe1LN5Yk+WlinUKGdTXJgClRT/9ogQEEM9TWxYzvxPfj5G/xFg==",
    ),
}
"""Machine to the version's suffix, the directory in it, and its ``dist.integrity``. A platform's build is a
version of the same npm package; its static program runs without node."""

API_HOST = OPENAI_HOST
CHATGPT_HOST = "chatgpt.com"
API_KEY_VARIABLES = ("CODEX_API_KEY", "OPENAI_API_KEY")

BYPASS = "--dangerously-bypass-approvals-and-sandbox"
WITHOUT_PROMPT = frozenset({"resume", "remote-control"})
"""Sub-commands that take no instruction: the conversation has it, or nobody types one."""


def _websocket(path: str) -> Match:
    """The client asks for answers over a WebSocket first; where it gets none (426), by POST."""
    version = HeaderMatch("sec-websocket-version", "13")
    return Match((PathMatch(path, PathType.EXACT),), ("GET",), (version,))


API_MATCHES = (OPENAI_RESPONSES, _websocket("/v1/responses"))
"""All that api.openai.com is open for."""

CHATGPT_MATCHES = (
    Match(
        paths=(
            PathMatch("/backend-api/codex/responses", PathType.EXACT),
            PathMatch("/backend-api/codex/responses/compact", PathType.EXACT),
        ),
        methods=("POST",),
    ),
    _websocket("/backend-api/codex/responses"),
    Match(
        paths=(
            PathMatch("/backend-api/codex/models", PathType.EXACT),
            PathMatch("/backend-api/wham/accounts/check", PathType.EXACT),
        ),
        methods=("GET",),
    ),
)
"""The same for chatgpt.com, where conversations, files and settings of the person's lie too."""

_CONFIG = GUEST_HOME / ".codex"

_QUIET = """\
check_for_update_on_startup = false
cli_auth_credentials_store = "file"

[analytics]
enabled = false

[feedback]
enabled = false

[otel]
exporter = "none"
metrics_exporter = "none"

[features]
plugins = false
remote_plugin = false
apps = false
api_key_model_discovery = false
unbounded_connection_retries = false

[notice]
hide_full_access_warning = true
"""
"""Nothing but the conversation: no telemetry, update check, plugin catalogue; and where the way out is gone the
client gives up instead of waiting for ever."""


class Codex:
    """``template: codex``."""

    template = "codex"
    token_variables: tuple[str, ...] = API_KEY_VARIABLES
    transcript: Transcript | None = Transcript(_CONFIG, ("sessions/*/*/*/*.jsonl",))

    def plan(self, request: ProviderRequest) -> ProviderPlan:
        """Raises :class:`ProviderError` for a credential that is missing or unusable."""
        _check(request)
        build = _BUILDS.get(request.machine)
        return ProviderPlan(
            argv=_argv(request),
            files=_files(request),
            routes=_routes(request),
            skills=tuple(SkillCopy(name, _CONFIG / "skills" / name) for name in request.skills),
            command="codex",
            tool=_tool(*build) if build else None,
            scratch=(PROMPT_PATH, _CONFIG, GUEST_HOME / ".cache"),
            reads_stdin=not request.task,
        )


def _tool(suffix: str, directory: str, integrity: str) -> Tool:
    program = PurePosixPath("vendor", directory, "bin", "codex")
    return Tool(
        "codex", VERSION, "@openai/codex", integrity, program, release=f"{VERSION}-{suffix}", megabytes=400
    )


def _check(request: ProviderRequest) -> None:
    if request.forward_host_credentials and request.auth_token:
        raise ProviderError(
            "auth_token and forward_host_credentials are two ways to sign in: keep one of the two"
        )
    if request.auth_kind not in ("", "api_key"):
        raise ProviderError(
            f"auth_kind {request.auth_kind!r}: codex takes an API key in auth_token; for a ChatGPT login set "
            "forward_host_credentials: true"
        )
    if request.auth_token and request.needs_credential:
        check_credential(request.auth_token, request.host_env.get(request.auth_token, ""))


def _argv(request: ProviderRequest) -> tuple[str, ...]:
    """Bypass, startup, resume, then the person's own, then the instruction or the task behind ``--``.

    It stands last behind its own ``--``: neither its first character nor an option with several values
    before it can change what it is.
    """
    check_task(request.task)
    argv = ["codex", *(("exec", "--skip-git-repo-check") if request.task else ()), BYPASS]
    argv += startup_args(request.settings)
    if request.resume:  # on a terminal, those that began headless are not among the last otherwise
        argv += ["resume", "--last", *(() if request.task else ("--include-non-interactive",))]
    argv += request.argv
    said = _said(request, has_conversation=not WITHOUT_PROMPT.isdisjoint(argv))
    return (*argv, "--", said) if said else tuple(argv)


def _said(request: ProviderRequest, *, has_conversation: bool) -> str:
    """The client has no option for a prompt file: it is told to read it."""
    if not request.prompt or has_conversation:
        return request.task
    read = f"Read the file {PROMPT_PATH} and follow the instructions in it"
    if not request.task:
        return f"{read}."
    return f"{read}; then do this: {request.task}"


def _routes(request: ProviderRequest) -> tuple[Route, ...]:
    if request.forward_host_credentials:
        token = Inject(Scheme.BEARER, TOKEN_VARIABLE)
        account = Inject(Scheme.RAW, ACCOUNT_VARIABLE, header="chatgpt-account-id")
        return (Route(CHATGPT_HOST, (443,), (token, account), CHATGPT_MATCHES, provider=Codex.template),)
    if not request.auth_token:
        return ()
    key = Inject(Scheme.BEARER, request.auth_token)
    return (Route(API_HOST, (443,), (key,), API_MATCHES, provider=Codex.template),)


def _files(request: ProviderRequest) -> tuple[GuestFile, ...]:
    if request.forward_host_credentials:
        known = request.host_env
        login = guest_login(known.get(ACCOUNT_VARIABLE, ""), known.get(PLAN_VARIABLE, "plus"))
    else:
        login = guest_key()
    return (
        GuestFile(PROMPT_PATH, request.prompt.encode()),
        GuestFile(_CONFIG / "config.toml", _config(request.workdir)),
        GuestFile(_CONFIG / "auth.json", login),
    )


def _config(workdir: PurePosixPath) -> bytes:
    trust = f'\n[projects.{_toml(str(workdir))}]\ntrust_level = "trusted"\n'
    return (_QUIET + trust).encode("utf-8", "replace")


def _toml(text: str) -> str:
    """A basic string of TOML 1.0: JSON's, but that DEL is escaped and what is no control is not."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
