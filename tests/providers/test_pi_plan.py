"""What Pi is started with, as plans: command line, ``models.json``, the route to its server."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.egress.codec import dump_policy, load_policy
from bot_bottle.egress.config import Inject, Match, Passthrough, PathMatch, PathType, Policy, Scheme
from bot_bottle.providers.contract import PLACEHOLDER, ProviderError, ProviderPlan, ProviderRequest
from bot_bottle.providers.pi import QUIET_ENV, Pi

KEY = "key-made-for-this-test"
SCOPE = ("pi", "--models", "ollama/qwen3:14b")
PROMPT = ("--append-system-prompt", "/home/node/.bot-bottle-prompt.txt")


def plan(**fields: object) -> ProviderPlan:
    return Pi().plan(ProviderRequest(**fields))  # type: ignore[arg-type]


def content(planned: ProviderPlan, path: str) -> bytes:
    (file,) = [file for file in planned.files if file.path == PurePosixPath(path)]
    return file.content


def models(**settings: object) -> dict[str, object]:
    text = content(plan(settings=settings), "/home/node/.pi/agent/models.json").decode()
    made = json.loads(text)
    assert text == json.dumps(made, indent=2) + "\n"
    return dict(made["providers"])


@pytest.mark.parametrize(
    ("fields", "argv"),
    [
        ({}, SCOPE),
        (
            {"settings": {"models": ["qwen3:14b"], "startup_args": ["--no-stream"]}},
            ("pi", "--models", "ollama/qwen3:14b", "--no-stream"),
        ),
        (
            {"settings": {"provider": "lab", "models": ("a", "b/c")}},
            ("pi", "--models", "lab/a,lab/b/c"),
        ),
        ({"prompt": "be brief"}, (*SCOPE, *PROMPT)),
        ({"argv": ("--thinking", "low")}, (*SCOPE, "--thinking", "low")),
        ({"task": "--version"}, (*SCOPE, "-p", "--", "--version")),
        (
            {"resume": True, "prompt": "be brief", "task": "go on"},
            (*SCOPE, "--continue", *PROMPT, "-p", "--", "go on"),
        ),
    ],
)
def test_argv(fields: dict[str, object], argv: tuple[str, ...]) -> None:
    """Models, startup, prompt, the person's own, the task; a task can't become an option."""
    assert plan(**fields).argv == argv


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


@given(
    task=texts, prompt=texts, argv=st.lists(texts, max_size=3), startup=st.lists(texts, max_size=3),
    names=st.lists(texts.filter(lambda name: name and "," not in name), min_size=1, max_size=3),
)  # fmt: skip
def test_nothing_said_becomes_an_option(
    task: str, prompt: str, argv: list[str], startup: list[str], names: list[str]
) -> None:
    """Whatever the texts are: the models are one argument, the task is one, last, behind a ``--`` of ours."""
    settings = {"startup_args": startup, "models": names}
    made = plan(task=task, prompt=prompt, argv=tuple(argv), settings=settings).argv
    head = ("pi", "--models", ",".join(f"ollama/{name}" for name in names), *startup)
    assert made == (*head, *(PROMPT if prompt else ()), *argv, *(("-p", "--", task) if task else ()))


def test_defaults() -> None:
    """Without settings: an Ollama on the operator's machine, one model, no key."""
    assert models() == {
        "ollama": {
            "baseUrl": "http://host.bot-bottle.internal:11434/v1",
            "api": "openai-completions",
            "apiKey": PLACEHOLDER,
            "compat": {"supportsDeveloperRole": False, "supportsReasoningEffort": False},
            "models": [{"id": "qwen3:14b"}],
        }
    }
    planned = plan()
    (route,) = planned.routes
    assert (route.host, route.ports, route.auth) == ("host.bot-bottle.internal", (11434,), ())
    assert route.matches == (
        Match((PathMatch("/v1/chat/completions", PathType.EXACT),), ("POST",)),
    )  # fmt: skip
    assert (route.provider, planned.env) == ("pi", QUIET_ENV)


def test_every_setting() -> None:
    made = models(
        provider="lab", base_url="https://llm.example.com/api/v1", api="openai-responses", api_key="literal",
        models=["a", "b"], context_window=1000, max_tokens=100, max_tokens_field="max_tokens",
        supports_developer_role=True, supports_reasoning_effort=True,
    )  # fmt: skip
    assert made == {
        "lab": {
            "baseUrl": "https://llm.example.com/api/v1",
            "api": "openai-responses",
            "apiKey": "literal",
            "compat": {
                "supportsDeveloperRole": True, "supportsReasoningEffort": True, "maxTokensField": "max_tokens",
            },
            "models": [
                {"id": "a", "contextWindow": 1000, "maxTokens": 100},
                {"id": "b", "contextWindow": 1000, "maxTokens": 100},
            ],
        }
    }  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "host", "port", "path"),
    [
        ({"base_url": "https://llm.example.com/v1"}, "llm.example.com", 443, "/v1/chat/completions"),
        ({"base_url": "https://llm.example.com/v1/"}, "llm.example.com", 443, "/v1/chat/completions"),
        ({"base_url": "https://LLM.example.com:8443"}, "llm.example.com", 8443, "/chat/completions"),
        ({"base_url": "http://llm.example.com/v1"}, "llm.example.com", 80, "/v1/chat/completions"),
        ({"base_url": "https://a.example/v1", "api": "openai-responses"}, "a.example", 443, "/v1/responses"),
        ({"base_url": "https://a.example", "api": "anthropic-messages"}, "a.example", 443, "/v1/messages"),
        ({"base_url": "https://[fd00::7]:8000/v1"}, "fd00::7", 8000, "/v1/chat/completions"),
    ],
)
def test_route(settings: dict[str, object], host: str, port: int, path: str) -> None:
    """The server's host and port alone, and what is asked there."""
    (route,) = plan(settings=settings).routes
    assert (route.host, route.ports) == (host, (port,))
    assert route.matches == (Match((PathMatch(path, PathType.EXACT),), ("POST",)),)


def test_another_api_opens_what_is_below() -> None:
    settings = {"base_url": "https://g.example/v1beta", "api": "google-generative-ai"}
    (route,) = plan(settings=settings).routes
    assert route.matches == (Match((PathMatch("/v1beta/"),)),)


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("http://192.168.1.7/v1", True),
        ("https://[fd00::7]:11434/v1", True),
        ("http://93.184.216.34:80/v1", False),
        ("https://llm.example.com/v1", False),
    ],
)
def test_a_private_address_is_the_operators_word(url: str, private: bool) -> None:
    """Written out, not resolved: a name never opens one."""
    (route,) = plan(settings={"base_url": url}).routes
    assert route.allow_private is private


@pytest.mark.parametrize(
    ("api", "inject"),
    [
        ("openai-completions", Inject(Scheme.BEARER, "MY_KEY")),
        ("openai-responses", Inject(Scheme.BEARER, "MY_KEY")),
        ("anthropic-messages", Inject(Scheme.RAW, "MY_KEY", "x-api-key")),
        ("google-generative-ai", Inject(Scheme.RAW, "MY_KEY", "x-goog-api-key")),
    ],
)
@pytest.mark.parametrize("by", ["api_key_env", "auth_token"])
def test_key(api: str, inject: Inject, by: str) -> None:
    """The variable is named, by either key; the guest's file has a placeholder, its environment nothing."""
    settings: dict[str, object] = {"base_url": "https://llm.example.com/v1", "api": api}
    fields: dict[str, object] = {"settings": settings, "host_env": {"MY_KEY": KEY}}
    (settings if by == "api_key_env" else fields)[by] = "MY_KEY"
    planned = plan(**fields)
    (route,) = planned.routes
    assert route.auth == (inject,)
    assert PLACEHOLDER.encode() in content(planned, "/home/node/.pi/agent/models.json")
    assert KEY not in repr(planned) and all(KEY.encode() not in file.content for file in planned.files)
    assert planned.env == QUIET_ENV


def test_literal_key_is_the_clients_own() -> None:
    """It is in the guest's file by the operator's word, so the proxy leaves it in the request."""
    (route,) = plan(settings={"api_key": "literal"}).routes
    assert route.auth == Passthrough()


HTTPS = {"base_url": "https://llm.example.com"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"settings": {"api_key_env": "T", **HTTPS}}, "'T' is not set"),
        ({"settings": {"api_key_env": "T"}, "host_env": {"T": KEY}}, "goes over TLS only"),
        ({"settings": {"api_key_env": "T", **HTTPS}, "auth_token": "U"}, "name two variables"),
        ({"settings": {"api_key": "k", **HTTPS}, "auth_token": "U"}, "keep one"),
        ({"auth_kind": "oauth"}, "takes an API key"),
        ({"settings": {"api_key": "!id"}}, "name it in api_key_env"),
        ({"settings": {"api_key": "a$HOME"}}, "name it in api_key_env"),
        ({"settings": {"models": []}}, "models"),
        ({"settings": {"models": ["a,b"]}}, "'a,b' can't be a model's name"),
        ({"settings": {"models": [""]}}, "can't be a model's name"),
        ({"settings": {"provider": ""}}, "provider must be a text"),
        ({"settings": {"base_url": "llm.example.com"}}, "base_url"),
        ({"settings": {"base_url": "ftp://llm.example.com"}}, "base_url"),
        ({"settings": {"base_url": "https://user:pw@llm.example.com"}}, "base_url"),
        ({"settings": {"base_url": "https://llm.example.com/?key=1"}}, "base_url"),
        ({"settings": {"base_url": "https://llm.example.com:0x50"}}, "base_url"),
        ({"settings": {"base_url": "https://*.example.com"}}, "base_url"),
        ({"settings": {"base_url": "http://llm.example.com:8000/v1"}}, "use https"),
        ({"settings": {"base_url": "http://93.184.216.34:8000/v1"}}, "use https"),
        ({"settings": {"base_url": "http://192.168.1.7:11434/v1"}}, "use https"),
        ({"settings": {"base_url": "http://localhost:11434/v1"}}, "'host.bot-bottle.internal' instead"),
        ({"settings": {"base_url": "http://127.0.0.1:11434/v1"}}, "'host.bot-bottle.internal' instead"),
        ({"settings": {"base_url": "http://127.9.9.9:11434/v1"}}, "'host.bot-bottle.internal' instead"),
        ({"settings": {"base_url": "http://[::1]:11434/v1"}}, "'host.bot-bottle.internal' instead"),
    ],
)
def test_unusable(fields: dict[str, object], message: str) -> None:
    """What could only fail inside is an error that says what to write."""
    with pytest.raises(ProviderError, match=message) as caught:
        plan(**fields)
    assert KEY not in str(caught.value)


@given(
    url=st.text(max_size=40)
    | st.from_regex(r"https?://[a-z0-9.:\[\]@-]{1,20}(/[a-z?#%]{0,6})?", fullmatch=True)
)
def test_any_base_url(url: str) -> None:
    """It is an error of ours, or a route that the routes file can carry and that no loopback stands behind."""
    try:
        (route,) = plan(settings={"base_url": url}).routes
    except ProviderError:
        return
    assert load_policy(dump_policy(Policy((route,)))).routes == (route,)
    assert not route.host.startswith("127.") and route.host not in ("localhost", "::1")


@pytest.mark.parametrize(
    "url",
    ["https://me:s3cret@llm.example.com", "https://me:s3/cret@llm.example.com", "ftp://s3cret@h", "s3cret@h"],
)
def test_a_password_in_an_address_is_not_shown(url: str) -> None:
    """Whatever else is wrong with it."""
    with pytest.raises(ProviderError, match="without '@'") as caught:
        plan(settings={"base_url": url})
    assert "s3" not in str(caught.value)


def test_skills_prompt_and_scratch() -> None:
    planned = plan(skills=("review",), prompt="p")
    assert [str(skill.target) for skill in planned.skills] == ["/home/node/.pi/agent/skills/review"]
    assert content(plan(), "/home/node/.bot-bottle-prompt.txt") == b""
    assert {file.mode for file in planned.files} == {0o600}
    for path in [file.path for file in planned.files] + [skill.target for skill in planned.skills]:
        assert any(path.is_relative_to(scratch) for scratch in planned.scratch), path


@pytest.mark.parametrize(("machine", "cpu"), [("x86_64", "x64"), ("aarch64", "arm64")])
def test_tool_is_pinned(machine: str, cpu: str) -> None:
    tool = plan(machine=machine).tool
    assert tool is not None
    assert (tool.package, tool.version, tool.cpu) == ("@earendil-works/pi-coding-agent", "0.87.1", cpu)
    assert f"node-linux-{cpu}/bin/node" in tool.script


def test_a_task_is_all_that_is_said() -> None:
    """Headless, nothing is read from standard input; on a terminal the person types."""
    assert not plan(task="t").reads_stdin and plan().reads_stdin


def test_other_machines_need_the_operators_own() -> None:
    planned = plan(machine="riscv64")
    assert planned.tool is None and planned.command == "pi" == planned.argv[0]
