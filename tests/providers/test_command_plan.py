"""Any program as an agent, and the table of providers."""

from __future__ import annotations

import pytest

from bot_bottle.providers.command import Command
from bot_bottle.providers.contract import ProviderError, ProviderPlan, ProviderRequest
from bot_bottle.providers.registry import PROVIDERS, find_provider, pick_token_variable


@pytest.mark.parametrize(
    ("settings", "argv", "expected"),
    [
        ({}, ("true",), ("true",)),
        ({"argv": ["make", "test"]}, (), ("make", "test")),
        ({"argv": ["make"]}, ("-j", "2"), ("make", "-j", "2")),
        ({"argv": ["sh", "-c", ""]}, (), ("sh", "-c", "")),
    ],
)
def test_argv(settings: dict[str, object], argv: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """settings.argv and then what stands behind '--'; nothing else comes with it."""
    assert Command().plan(ProviderRequest(settings=settings, argv=argv)) == ProviderPlan(expected)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (ProviderRequest(), "nothing to run"),
        (ProviderRequest(settings={"argv": []}), "nothing to run"),
        (ProviderRequest(argv=("",)), "name is empty"),
        (ProviderRequest(settings={"argv": "make test"}), "must be a list of strings"),
        (ProviderRequest(settings={"argv": ["sleep", 1]}), "must be a list of strings"),
        (ProviderRequest(argv=("true",), task="fix it"), "-p"),
        (ProviderRequest(argv=("true",), auth_token="T"), "auth_token"),
    ],
)
def test_refused(request_: ProviderRequest, message: str) -> None:
    """What could only be ignored is refused."""
    with pytest.raises(ProviderError, match=message):
        Command().plan(request_)


def test_prompt_is_handed_over_as_a_file() -> None:
    planned = Command().plan(ProviderRequest(argv=("true",), prompt="hello"))
    (file,) = planned.files
    assert planned.argv == ("true",)
    assert planned.env == {"BOT_BOTTLE_PROMPT_FILE": str(file.path)}
    assert (file.content, file.mode) == (b"hello", 0o600)


def test_registry_keys_are_the_templates() -> None:
    assert {name: provider.template for name, provider in PROVIDERS.items()} == {
        "claude": "claude",
        "codex": "codex",
        "command": "command",
        "pi": "pi",
    }


@pytest.mark.parametrize("template", ["", "Claude", "codexx", "claude\n"])
def test_unknown_template(template: str) -> None:
    """The error quotes what was asked for and lists what there is."""
    with pytest.raises(ProviderError) as caught:
        find_provider(template)
    assert repr(template) in str(caught.value)
    assert str(caught.value).endswith("claude, codex, command, pi")


@pytest.mark.parametrize(
    ("template", "env", "expected"),
    [
        ("claude", {"CLAUDE_CODE_OAUTH_TOKEN": "a", "ANTHROPIC_API_KEY": "b"}, "CLAUDE_CODE_OAUTH_TOKEN"),
        ("claude", {"CLAUDE_CODE_OAUTH_TOKEN": "", "ANTHROPIC_API_KEY": "b"}, "ANTHROPIC_API_KEY"),
        ("claude", {"OPENAI_API_KEY": "c"}, ""),
        ("codex", {"OPENAI_API_KEY": "c", "CODEX_API_KEY": "d"}, "CODEX_API_KEY"),
        ("codex", {"OPENAI_API_KEY": "c", "ANTHROPIC_API_KEY": "b"}, "OPENAI_API_KEY"),
        ("codex", {"ANTHROPIC_API_KEY": "b"}, ""),
        ("pi", {"ANTHROPIC_API_KEY": "b", "OPENAI_API_KEY": "c"}, ""),
        ("command", {"ANTHROPIC_API_KEY": "b"}, ""),
    ],
)
def test_first_variable_that_is_set(template: str, env: dict[str, str], expected: str) -> None:
    assert pick_token_variable(find_provider(template), env) == expected
