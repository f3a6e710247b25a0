"""Any program as an agent: its argv comes from ``settings.argv`` and from behind ``--``. No routes."""

from __future__ import annotations

from collections.abc import Mapping

from bot_bottle.providers.contract import (
    PROMPT_PATH,
    GuestFile,
    ProviderError,
    ProviderPlan,
    ProviderRequest,
    Transcript,
)

PROMPT_VARIABLE = "BOT_BOTTLE_PROMPT_FILE"
"""Tells a program of the operator's where the agent file's prompt lies; set only when there is one."""


class Command:
    """``template: command``: what is named is run as it is, looked up on the bottle's own PATH."""

    template = "command"
    token_variables: tuple[str, ...] = ()
    transcript: Transcript | None = None

    def plan(self, request: ProviderRequest) -> ProviderPlan:
        """``settings.argv``, then the request's argv. Raises :class:`ProviderError`."""
        argv = (*_settings_argv(request.settings), *request.argv)
        if not argv:
            raise ProviderError(
                "nothing to run: set agent_provider.settings.argv, or name the program behind '--'"
            )
        if not argv[0]:
            raise ProviderError("the program's name is empty: name one behind '--'")
        if request.task:
            raise ProviderError(
                "a task (-p) needs an agent that takes one: add --provider claude, codex or pi"
            )
        if request.auth_token:
            raise ProviderError(
                f"template 'command' takes no auth_token ({request.auth_token!r}): "
                "give the credential to a route (egress.routes[].auth)"
            )
        if not request.prompt:
            return ProviderPlan(argv)
        return ProviderPlan(
            argv,
            env={PROMPT_VARIABLE: str(PROMPT_PATH)},
            files=(GuestFile(PROMPT_PATH, request.prompt.encode()),),
            scratch=(PROMPT_PATH,),
        )


def _settings_argv(settings: Mapping[str, object]) -> tuple[str, ...]:
    value = settings.get("argv", ())
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise ProviderError("agent_provider.settings.argv must be a list of strings: quote its numbers")
    return tuple(value)
