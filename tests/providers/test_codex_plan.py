"""What Codex is started with, as plans: command line, configuration, login, routes."""

from __future__ import annotations

import json
import tomllib
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.egress.config import Inject, PathType, Scheme
from bot_bottle.providers.codex import BYPASS, WITHOUT_PROMPT, Codex
from bot_bottle.providers.codex_login import ACCOUNT_VARIABLE, PLAN_VARIABLE, TOKEN_VARIABLE
from bot_bottle.providers.contract import (
    MAX_TASK_BYTES,
    PLACEHOLDER,
    ProviderError,
    ProviderPlan,
    ProviderRequest,
)

EXEC = ("codex", "exec", "--skip-git-repo-check", BYPASS)
RESUME = ("resume", "--last", "--include-non-interactive")
READ = "Read the file /home/node/.bot-bottle-prompt.txt and follow the instructions in it"
KEY = "key-made-for-this-test"
LOGIN = {TOKEN_VARIABLE: "token-made-for-this-test", ACCOUNT_VARIABLE: "account-1", PLAN_VARIABLE: "pro"}


def plan(**fields: object) -> ProviderPlan:
    return Codex().plan(ProviderRequest(**fields))  # type: ignore[arg-type]


def content(planned: ProviderPlan, path: str) -> bytes:
    (file,) = [file for file in planned.files if file.path == PurePosixPath(path)]
    return file.content


@pytest.mark.parametrize(
    ("fields", "argv"),
    [
        ({}, ("codex", BYPASS)),
        ({"settings": {"startup_args": ["--model", "m", 3]}}, ("codex", BYPASS, "--model", "m")),
        ({"resume": True}, ("codex", BYPASS, *RESUME)),
        ({"prompt": "be brief"}, ("codex", BYPASS, "--", f"{READ}.")),
        ({"prompt": "be brief", "resume": True}, ("codex", BYPASS, *RESUME)),
        (
            {"prompt": "p", "settings": {"startup_args": ["remote-control"]}},
            ("codex", BYPASS, "remote-control"),
        ),
        ({"prompt": "p", "argv": ("resume", "--last")}, ("codex", BYPASS, "resume", "--last")),
        ({"argv": ("--search",)}, ("codex", BYPASS, "--search")),
        ({"task": "fix it"}, (*EXEC, "--", "fix it")),
        ({"task": "fix it", "prompt": "p"}, (*EXEC, "--", f"{READ}; then do this: fix it")),
        ({"task": "fix it", "prompt": "p", "resume": True}, (*EXEC, "resume", "--last", "--", "fix it")),
        (
            {"settings": {"startup_args": ["--s"]}, "resume": True, "argv": ("--json",), "task": "--version"},
            (*EXEC, "--s", "resume", "--last", "--json", "--", "--version"),
        ),
    ],
)
def test_argv(fields: dict[str, object], argv: tuple[str, ...]) -> None:
    """Bypass, startup, resume, the person's own, and last what is said; a task makes it headless."""
    assert plan(**fields).argv == argv


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


@given(
    task=texts, prompt=texts, argv=st.lists(texts, max_size=3), startup=st.lists(texts, max_size=3),
    resume=st.booleans(),
)  # fmt: skip
def test_nothing_said_becomes_an_option(
    task: str, prompt: str, argv: list[str], startup: list[str], resume: bool
) -> None:
    """Whatever the texts are: what is said is one argument, last, behind the only ``--`` of ours; everything
    else stands in its order; nothing is lost or added."""
    made = plan(
        task=task, prompt=prompt, argv=tuple(argv), settings={"startup_args": startup}, resume=resume
    ).argv
    head = (
        *(EXEC if task else ("codex", BYPASS)),
        *startup,
        *((RESUME[:2] if task else RESUME) if resume else ()),
        *argv,
    )
    assert made[: len(head)] == head
    rest = made[len(head) :]
    says_prompt = bool(prompt) and WITHOUT_PROMPT.isdisjoint(head)
    assert bool(rest) == (bool(task) or says_prompt)
    if rest:
        mark, said = rest
        assert mark == "--"
        assert said.endswith(task)
        assert said.startswith(READ) == says_prompt or READ in task


def test_task_bound() -> None:
    assert plan(task="x" * MAX_TASK_BYTES).argv[-1] == "x" * MAX_TASK_BYTES
    with pytest.raises(ProviderError, match="put it into a file"):
        plan(task="x" * (MAX_TASK_BYTES + 1))
    with pytest.raises(ProviderError, match="NUL"):
        plan(task="a\0b")


def test_api_key() -> None:
    """The key is named, a placeholder in the client's file makes it take the right road."""
    planned = plan(auth_token="MY_KEY", host_env={"MY_KEY": KEY})
    (route,) = planned.routes
    assert (route.host, route.ports, route.provider) == ("api.openai.com", (443,), "codex")
    assert route.auth == (Inject(Scheme.BEARER, "MY_KEY"),)
    assert json.loads(content(planned, "/home/node/.codex/auth.json")) == {
        "auth_mode": "apikey", "OPENAI_API_KEY": PLACEHOLDER,
    }  # fmt: skip
    assert KEY not in repr(planned) and all(KEY.encode() not in file.content for file in planned.files)


def test_chatgpt_login() -> None:
    """Token and account are named; the guest's file has the account's identifier and no token."""
    planned = plan(forward_host_credentials=True, host_env=LOGIN)
    (route,) = planned.routes
    assert (route.host, route.ports, route.provider) == ("chatgpt.com", (443,), "codex")
    assert route.auth == (
        Inject(Scheme.BEARER, TOKEN_VARIABLE),
        Inject(Scheme.RAW, ACCOUNT_VARIABLE, "chatgpt-account-id"),
    )
    login = json.loads(content(planned, "/home/node/.codex/auth.json"))
    assert (login["auth_mode"], login["tokens"]["account_id"]) == ("chatgpt", "account-1")
    token = LOGIN[TOKEN_VARIABLE]
    assert token not in repr(planned) and all(token.encode() not in file.content for file in planned.files)


def test_routes_open_inference_only() -> None:
    """Exact hosts, paths and methods."""
    opened = set()
    for fields in ({"auth_token": "K", "host_env": {"K": KEY}}, {"forward_host_credentials": True}):
        (route,) = plan(**fields).routes
        assert all(path.type is PathType.EXACT for match in route.matches for path in match.paths)
        assert not route.allow_private and route.headers is None
        opened |= {
            (method, route.host + path.value)
            for match in route.matches
            for path in match.paths
            for method in match.methods
        }
    assert opened == {
        ("GET", "api.openai.com/v1/responses"),  # its WebSocket
        ("POST", "api.openai.com/v1/responses"),
        ("POST", "api.openai.com/v1/responses/compact"),
        ("GET", "chatgpt.com/backend-api/codex/responses"),
        ("POST", "chatgpt.com/backend-api/codex/responses"),
        ("POST", "chatgpt.com/backend-api/codex/responses/compact"),
        ("GET", "chatgpt.com/backend-api/codex/models"),
        ("GET", "chatgpt.com/backend-api/wham/accounts/check"),
    }


def test_without_credential() -> None:
    """No route; the client starts signed in all the same, and what it asks is refused with the reason."""
    planned = plan(host_env={"OPENAI_API_KEY": KEY})
    assert planned.routes == ()
    assert PLACEHOLDER.encode() in content(planned, "/home/node/.codex/auth.json")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"auth_token": "T"}, "'T' is not set"),
        ({"auth_token": "T", "host_env": {"T": f"{KEY}\n"}}, "no header can carry"),
        ({"auth_token": "T", "host_env": {"T": KEY}, "auth_kind": "oauth"}, "forward_host_credentials: true"),
        ({"auth_token": "T", "host_env": {"T": KEY}, "forward_host_credentials": True}, "keep one"),
    ],
)
def test_unusable_credentials(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ProviderError, match=message) as caught:
        plan(**fields)
    assert KEY not in str(caught.value)


def test_looking_needs_no_credential() -> None:
    (route,) = plan(auth_token="T", needs_credential=False).routes
    assert isinstance(route.auth, tuple) and route.auth[0].token == "T"


QUIET = {
    "check_for_update_on_startup": False,
    "cli_auth_credentials_store": "file",
    "analytics": {"enabled": False},
    "feedback": {"enabled": False},
    "otel": {"exporter": "none", "metrics_exporter": "none"},
    "features": {
        "plugins": False, "remote_plugin": False, "apps": False, "api_key_model_discovery": False,
        "unbounded_connection_retries": False,
    },
    "notice": {"hide_full_access_warning": True},
}  # fmt: skip


@given(name=texts)
def test_configuration_is_quiet_whatever_the_directory(name: str) -> None:
    """The file is TOML that says what is meant: the working directory is trusted, nothing else changes."""
    workdir = PurePosixPath("/home/node") / name
    made = tomllib.loads(content(plan(workdir=workdir), "/home/node/.codex/config.toml").decode())
    assert made == {**QUIET, "projects": {str(workdir): {"trust_level": "trusted"}}}


def test_label_and_colour_change_nothing() -> None:
    """The client has no theme for them."""
    assert plan(label="Research", color="red", instance="x-1") == plan()


def test_skills_prompt_and_scratch() -> None:
    """Skills go where the client looks; the prompt's file is there even when empty; no file counts as work."""
    planned = plan(skills=("review",), prompt="sei kürzer")
    assert [str(skill.target) for skill in planned.skills] == ["/home/node/.codex/skills/review"]
    assert content(planned, "/home/node/.bot-bottle-prompt.txt") == "sei kürzer".encode()
    assert content(plan(), "/home/node/.bot-bottle-prompt.txt") == b""
    assert {file.mode for file in planned.files} == {0o600}
    for path in [file.path for file in planned.files] + [skill.target for skill in planned.skills]:
        assert any(path.is_relative_to(scratch) for scratch in planned.scratch), path


@pytest.mark.parametrize(("machine", "build"), [("x86_64", "linux-x64"), ("aarch64", "linux-arm64")])
def test_tool_is_pinned(machine: str, build: str) -> None:
    tool = plan(machine=machine).tool
    assert tool is not None
    assert (tool.package, tool.version, tool.release) == ("@openai/codex", "0.169.0", f"0.169.0-{build}")
    assert tool.integrity.startswith("sha512-")


def test_a_task_is_all_that_is_said() -> None:
    """Headless, nothing is read from standard input; on a terminal the person types."""
    assert not plan(task="t").reads_stdin and plan().reads_stdin


def test_other_machines_need_the_operators_own() -> None:
    planned = plan(machine="riscv64")
    assert planned.tool is None and planned.command == "codex" == planned.argv[0]
