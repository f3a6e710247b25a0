"""Claude Code: command line, environment, configuration files, its one route. A plan only, no I/O.

The bottle gets a placeholder in the variable that makes the client take the right road (OAuth or API
key); the credential itself is named, never touched, and put into the request by the proxy. What the
client needs and sends was measured with the real one: ``docs/providers.md``.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from enum import StrEnum
from pathlib import PurePosixPath
from uuid import UUID

from bot_bottle.base.ids import slug
from bot_bottle.base.text import printable
from bot_bottle.egress.config import Inject, Match, PathMatch, PathType, Route, Scheme
from bot_bottle.egress.presets.models import ANTHROPIC_HOST, ANTHROPIC_MATCH
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

VERSION = "2.1.330"
"""The pinned version; everything in ``docs/providers.md`` was measured with it."""

_BUILDS = {
    "x86_64": (
        "@anthropic-ai/claude-code-linux-x64",
        "sha512-9Gn+V7DtJ8M1nztP9CeDVl9g3RtrepI7rOFTyPRRnZe8D6zebIHKmC7OvBauucuAP0X0k85SDN/LPVZyjsGezQ==",
    ),
    "aarch64": (
        "@anthropic-ai/claude-code-linux-arm64",
        "sha512-V4yanAY5EA5UpwwRPtjSfqDbNqAlUJeVn3NYZw2AgmRHjdpSsLtHAzbxRXfkAnbjwTXzE0uedjQxUY02ARPcsA==",
    ),
}
"""Machine to npm package and its ``dist.integrity``. The platform packages hold one native program each,
so neither node nor an install script is needed."""

API_HOST = ANTHROPIC_HOST
OAUTH_VARIABLE = "CLAUDE_CODE_OAUTH_TOKEN"
API_KEY_VARIABLE = "ANTHROPIC_API_KEY"

QUIET_ENV: Mapping[str, str] = {
    # nothing but the conversation: no telemetry, flags, updates, and no plugin marketplace out of github.com
    # and downloads.claude.ai (all that is closed anyway)
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_INSTALLATION_CHECKS": "1",
    # a refusal or a cut ends the turn with its message instead of being tried 11 times over 3 minutes,
    # or again without streaming (billed again)
    "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1",
    "CLAUDE_CODE_MAX_RETRIES": "2",
    # the bypass flag is refused for uid 0 without it; the bottle is the sandbox
    "IS_SANDBOX": "1",
}

INFERENCE_MATCHES = (
    ANTHROPIC_MATCH,
    Match(
        paths=(
            PathMatch("/api/claude_code/settings", PathType.EXACT),
            PathMatch("/api/claude_code/policy_limits", PathType.EXACT),
        ),
        methods=("GET",),
    ),
)
"""All that the host is open for. Telemetry, files, batches and other people's organisations are not."""

COLORS: Mapping[str, tuple[str, str]] = {
    "red": ("\033[91m", "ansi:redBright"),
    "green": ("\033[92m", "ansi:greenBright"),
    "yellow": ("\033[93m", "ansi:yellowBright"),
    "blue": ("\033[94m", "ansi:blueBright"),
    "magenta": ("\033[95m", "ansi:magentaBright"),
}
"""Name to SGR sequence and to the colour's name in a theme file; another name means no colour."""

_CONFIG = GUEST_HOME / ".claude"


class AuthKind(StrEnum):
    """Which of the API's two kinds of credential it is; they differ in header and client behaviour."""

    OAUTH = "oauth"
    API_KEY = "api_key"


_KIND_BY = (
    ("sk-ant-oat", OAUTH_VARIABLE, AuthKind.OAUTH),
    ("sk-ant-api", API_KEY_VARIABLE, AuthKind.API_KEY),
)
"""Prefix of the value, the client's own variable, kind. The prefix is the stronger sign."""


class Claude:
    """``template: claude``."""

    template = "claude"
    token_variables: tuple[str, ...] = (OAUTH_VARIABLE, API_KEY_VARIABLE)
    transcript: Transcript | None = Transcript(
        _CONFIG,
        (
            "projects/*/*.jsonl",
            "projects/*/*/subagents/*.jsonl",
            "projects/*/*/subagents/*.meta.json",
            "projects/*/*/tool-results/*.json",
            "projects/*/*/tool-results/*.txt",
        ),
    )

    def plan(self, request: ProviderRequest) -> ProviderPlan:
        """Raises :class:`ProviderError` for a credential that is missing, unusable or of unclear kind."""
        kind = _auth_kind(request) if request.auth_token else None
        build = _BUILDS.get(request.machine)
        return ProviderPlan(
            argv=_argv(request),
            env={**QUIET_ENV, **({_placeholder_variable(kind): PLACEHOLDER} if kind else {})},
            hidden_env=frozenset({_placeholder_variable(kind)}) if kind else frozenset(),
            files=_files(request),
            routes=(_route(kind, request.auth_token),) if kind else (),
            skills=tuple(SkillCopy(name, _CONFIG / "skills" / name) for name in request.skills),
            command="claude",
            tool=Tool("claude", VERSION, *build, PurePosixPath("claude"), megabytes=380) if build else None,
            scratch=(
                PROMPT_PATH,
                _CONFIG,
                GUEST_HOME / ".claude.json",
                GUEST_HOME / ".claude.json.backup",
                GUEST_HOME / ".claude.json.lock",
                GUEST_HOME / ".cache",
                GUEST_HOME / ".npm",
                GUEST_HOME / ".local" / "share" / "claude",
                GUEST_HOME / ".local" / "state" / "claude",
            ),
        )


def _argv(request: ProviderRequest) -> tuple[str, ...]:
    """Bypass, startup, resume, prompt, then the person's own, then the task behind ``--``.

    The task stands last behind its own ``--``: neither its first character nor an option with several
    values before it can change what it is.
    """
    argv = ["claude", "--dangerously-skip-permissions", *startup_args(request.settings)]
    if request.resume:
        argv += _resumed(request)
    if request.prompt:
        argv += ["--append-system-prompt-file", str(PROMPT_PATH)]
    argv += request.argv
    if request.task:
        check_task(request.task)
        argv += ["-p", "--", request.task]
    return tuple(argv)


def _resumed(request: ProviderRequest) -> tuple[str, ...]:
    """On a terminal ``--continue`` passes conversations over that began as a task (2.1.330), and ``--resume`` with
    an identifier takes any of the working directory's."""
    project = "".join(char if char.isascii() and char.isalnum() else "-" for char in str(request.workdir))
    for path in request.conversations if not request.task else ():
        if path.parts[:-1] == ("projects", project) and path.suffix == ".jsonl" and _is_identifier(path.stem):
            return "--resume", path.stem
    return ("--continue",)


def _is_identifier(text: str) -> bool:
    """Whether it is a UUID as the client writes it; what else a hostile home has is no argument."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _auth_kind(request: ProviderRequest) -> AuthKind:
    """By ``auth_kind``, else by the value's prefix, else by a variable that has one meaning only."""
    name = request.auth_token
    value = request.host_env.get(name, "")
    if request.needs_credential:
        check_credential(name, value)
    if request.auth_kind:
        try:
            return AuthKind(request.auth_kind)
        except ValueError:
            raise ProviderError(f"unknown auth_kind {request.auth_kind!r}: use oauth or api_key") from None
    for prefix, _, kind in _KIND_BY:
        if value.startswith(prefix):
            return kind
    for _, variable, kind in _KIND_BY:
        if name == variable:
            return kind
    if not request.needs_credential:
        return AuthKind.OAUTH
    raise ProviderError(f"can't tell what kind of credential {name!r} holds: set auth_kind: oauth or api_key")


def _placeholder_variable(kind: AuthKind) -> str:
    """The variable decides what the client sends: for OAuth its beta header too, without which the API
    takes no OAuth token."""
    return OAUTH_VARIABLE if kind is AuthKind.OAUTH else API_KEY_VARIABLE


def _route(kind: AuthKind, token: str) -> Route:
    if kind is AuthKind.OAUTH:
        inject = Inject(Scheme.BEARER, token)
    else:
        inject = Inject(Scheme.RAW, token, header="x-api-key")
    return Route(
        API_HOST,
        ports=(443,),
        auth=(inject,),
        matches=INFERENCE_MATCHES,
        provider=Claude.template,
    )


def _files(request: ProviderRequest) -> tuple[GuestFile, ...]:
    name = printable(request.label or request.instance or "bot-bottle", limit=80)
    sgr, theme_color = COLORS.get(request.color, ("", ""))
    theme = f"bot-bottle-{slug(name) or 'bottle'}"
    settings = {
        "skipDangerousModePermissionPrompt": True,
        "disableDeepLinkRegistration": "disable",  # on a terminal it would write a .desktop file
        "statusLine": {"type": "command", "command": "~/.claude/statusline.sh"},
        "theme": f"custom:{theme}" if theme_color else "dark",
    }
    files = [
        GuestFile(PROMPT_PATH, request.prompt.encode()),
        GuestFile(GUEST_HOME / ".claude.json", _json(_first_start(request.workdir))),
        GuestFile(_CONFIG / "settings.json", _json(settings)),
        GuestFile(_CONFIG / "statusline.sh", _status_line(name, sgr), mode=0o700),
    ]
    if theme_color:
        overrides = {"claude": theme_color, "promptBorder": theme_color}
        body = _json({"name": name, "base": "dark", "overrides": overrides})
        files.append(GuestFile(_CONFIG / "themes" / f"{theme}.json", body))
    return tuple(files)


def _first_start(workdir: PurePosixPath) -> dict[str, object]:
    """What the client would ask for at its first start, answered."""
    return {
        "hasCompletedOnboarding": True,
        "theme": "dark",
        "customApiKeyResponses": {"approved": [PLACEHOLDER[-20:]], "rejected": []},
        "projects": {str(workdir): {"hasTrustDialogAccepted": True}},
    }


def _status_line(name: str, sgr: str) -> bytes:
    """A script that prints *name* in its colour; the client's JSON on its standard input is not read."""
    reset = "\033[0m" if sgr else ""
    return f"#!/bin/sh\nprintf '%s\\n' {shlex.quote(sgr + name + reset)}\n".encode()


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()
