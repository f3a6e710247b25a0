"""What Claude Code is started with, as plans: command line, environment, files, routes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.egress.config import Inject, PathType, Scheme
from bot_bottle.providers.claude import QUIET_ENV, Claude
from bot_bottle.providers.contract import (
    MAX_TASK_BYTES,
    PLACEHOLDER,
    ProviderError,
    ProviderPlan,
    ProviderRequest,
)

BYPASS = "--dangerously-skip-permissions"
PROMPT = ("--append-system-prompt-file", "/home/node/.bot-bottle-prompt.txt")
OAUTH_VALUE = "sk-ant-oat" + "01-" + "made-for-this-test"
KEY_VALUE = "sk-ant-api" + "03-" + "made-for-this-test"


def plan(**fields: object) -> ProviderPlan:
    return Claude().plan(ProviderRequest(**fields))  # type: ignore[arg-type]


def content(planned: ProviderPlan, path: str) -> bytes:
    (file,) = [file for file in planned.files if file.path == PurePosixPath(path)]
    return file.content


@pytest.mark.parametrize(
    ("fields", "argv"),
    [
        ({}, ("claude", BYPASS)),
        ({"settings": {"startup_args": ["--model", "opus"]}}, ("claude", BYPASS, "--model", "opus")),
        ({"settings": {"startup_args": ("--verbose", 3, None)}}, ("claude", BYPASS, "--verbose")),
        ({"settings": {"startup_args": "--verbose"}}, ("claude", BYPASS)),
        ({"resume": True}, ("claude", BYPASS, "--continue")),
        ({"prompt": "be brief"}, ("claude", BYPASS, *PROMPT)),
        ({"argv": ("--debug",)}, ("claude", BYPASS, "--debug")),
        ({"task": "fix it"}, ("claude", BYPASS, "-p", "--", "fix it")),
        (
            {
                "settings": {"startup_args": ["--s"]},
                "resume": True,
                "prompt": "p",
                "argv": ("--allowedTools", "Bash"),
                "task": "--version",
            },
            (
                "claude",
                BYPASS,
                "--s",
                "--continue",
                *PROMPT,
                "--allowedTools",
                "Bash",
                "-p",
                "--",
                "--version",
            ),
        ),
    ],
)
def test_argv(fields: dict[str, object], argv: tuple[str, ...]) -> None:
    """Bypass, startup, resume, prompt, the person's own, the task; a task can't become an option."""
    assert plan(**fields).argv == argv


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


@given(
    task=texts, prompt=texts, argv=st.lists(texts, max_size=3), startup=st.lists(texts, max_size=3),
    conversations=st.none() | st.lists(texts.filter(lambda name: name not in ("", ".", "..")), min_size=1, max_size=3),
)  # fmt: skip
def test_nothing_said_becomes_an_option(
    task: str, prompt: str, argv: list[str], startup: list[str], conversations: list[str] | None
) -> None:
    """Whatever the texts and the names of conversations are: each of the person's words is one argument, in its
    place, the task is one, last, behind a ``--`` of ours."""
    paths = tuple(PurePosixPath("projects", "-home-node", f"{name}.jsonl") for name in conversations or ())
    made = plan(
        task=task, prompt=prompt, argv=tuple(argv), settings={"startup_args": startup},
        resume=conversations is not None, conversations=paths,
    ).argv  # fmt: skip
    resumed = () if conversations is None else ("--continue",)
    said = ("-p", "--", task) if task else ()
    assert made == ("claude", BYPASS, *startup, *resumed, *(PROMPT if prompt else ()), *argv, *said)


ONE = "c7b71de9-d851-4bee-8759-ba546a331cc3"
TWO = "0a9d3d52-3f0e-4a8e-9d5f-5b0f2f0f4d11"


@pytest.mark.parametrize(
    ("names", "fields", "resumed"),
    [
        ([f"-home-node/{ONE}.jsonl", f"-home-node/{TWO}.jsonl"], {}, ("--resume", ONE)),
        ([f"-home-node/{ONE}.jsonl"], {"task": "go on"}, ("--continue",)),
        ([f"-home-node-workspace/{ONE}.jsonl", f"-home-node/{TWO}.jsonl"], {}, ("--resume", TWO)),
        (
            [f"-home-node-workspace/{ONE}.jsonl"],
            {"workdir": PurePosixPath("/home/node/workspace")},
            ("--resume", ONE),
        ),
        ([f"-home-node/{TWO}/subagents/agent-a.jsonl"], {}, ("--continue",)),
        ([f"-home-node/{ONE.upper()}.jsonl", f"-home-node/{ONE}.json"], {}, ("--continue",)),
        (["-home-node/--dangerous.jsonl", f"-home-node/{TWO}.jsonl"], {}, ("--resume", TWO)),
        ([], {}, ("--continue",)),
    ],
)
def test_which_conversation(names: list[str], fields: dict[str, object], resumed: tuple[str, ...]) -> None:
    """On a terminal the newest of the working directory's by its identifier; nothing else that a hostile home calls
    a file becomes an argument."""
    paths = tuple(PurePosixPath("projects", name) for name in names)
    argv = plan(resume=True, conversations=paths, **fields).argv
    assert argv[2 : 2 + len(resumed)] == resumed
    assert len(argv) == 2 + len(resumed) + (3 if "task" in fields else 0)


def test_task_bound() -> None:
    """A task that execve would not take is refused with a way out, one byte less passes."""
    assert plan(task="x" * MAX_TASK_BYTES).argv[-1] == "x" * MAX_TASK_BYTES
    with pytest.raises(ProviderError, match="put it into a file"):
        plan(task="x" * (MAX_TASK_BYTES + 1))


OAUTH = ("CLAUDE_CODE_OAUTH_TOKEN", Inject(Scheme.BEARER, "HOST_VARIABLE"))
API_KEY = ("ANTHROPIC_API_KEY", Inject(Scheme.RAW, "HOST_VARIABLE", header="x-api-key"))


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("", OAUTH_VALUE, OAUTH),
        ("", KEY_VALUE, API_KEY),
        ("oauth", "anything", OAUTH),
        ("api_key", "anything", API_KEY),
        ("api_key", OAUTH_VALUE, API_KEY),
        ("oauth", KEY_VALUE, OAUTH),
    ],
)
def test_credential_kinds(kind: str, value: str, expected: tuple[str, Inject]) -> None:
    """The kind comes from auth_kind, else from the value's prefix; it decides header and placeholder."""
    planned = plan(auth_token="HOST_VARIABLE", auth_kind=kind, host_env={"HOST_VARIABLE": value})
    variable, inject = expected
    (route,) = planned.routes
    assert route.auth == (inject,)
    assert planned.env == {**QUIET_ENV, variable: PLACEHOLDER}
    assert planned.hidden_env == {variable}


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("CLAUDE_CODE_OAUTH_TOKEN", "of-no-known-form", "CLAUDE_CODE_OAUTH_TOKEN"),
        ("ANTHROPIC_API_KEY", "of-no-known-form", "ANTHROPIC_API_KEY"),
        ("ANTHROPIC_API_KEY", OAUTH_VALUE, "CLAUDE_CODE_OAUTH_TOKEN"),
    ],
)
def test_own_variables_tell_the_kind(variable: str, value: str, expected: str) -> None:
    """Where the prefix says nothing, a variable of the client's own does; the prefix is stronger."""
    planned = plan(auth_token=variable, host_env={variable: value})
    assert planned.hidden_env == {expected}


@pytest.mark.parametrize(
    ("env", "kind", "message"),
    [
        ({}, "", "'T' is not set"),
        ({"T": ""}, "", "'T' is not set"),
        ({}, "oauth", "'T' is not set"),
        ({"T": "of-no-known-form"}, "", "set auth_kind: oauth or api_key"),
        ({"T": KEY_VALUE}, "bearer", "unknown auth_kind 'bearer'"),
        ({"T": KEY_VALUE + "\n"}, "", "no header can carry"),
        ({"T": KEY_VALUE + "\r\nx: y"}, "api_key", "no header can carry"),
        ({"T": f"{KEY_VALUE} {KEY_VALUE}"}, "", "no header can carry"),
        ({"T": "sk-ant-api-é"}, "", "no header can carry"),
    ],
)
def test_unusable_credentials(env: dict[str, str], kind: str, message: str) -> None:
    """Missing, unclear or unsendable credentials are errors that name the variable, never the value."""
    with pytest.raises(ProviderError, match=message) as caught:
        plan(auth_token="T", auth_kind=kind, host_env=env)
    assert KEY_VALUE not in str(caught.value)


@pytest.mark.parametrize(("variable", "header"), [("T", "Authorization"), ("ANTHROPIC_API_KEY", "x-api-key")])
def test_looking_needs_no_credential(variable: str, header: str) -> None:
    """A plan that is only looked at names the same route whether or not the variable is set here."""
    planned = plan(auth_token=variable, host_env={}, needs_credential=False)
    (route,) = planned.routes
    assert isinstance(route.auth, tuple)
    assert [(inject.header, inject.token) for inject in route.auth] == [(header, variable)]


def test_without_credential() -> None:
    """No auth_token: no route, no placeholder."""
    planned = plan(host_env={"ANTHROPIC_API_KEY": KEY_VALUE})
    assert planned.routes == ()
    assert planned.env == QUIET_ENV
    assert planned.hidden_env == frozenset()


@pytest.mark.parametrize("value", [OAUTH_VALUE, KEY_VALUE])
def test_value_is_nowhere(value: str) -> None:
    """The credential's value is in no part of the plan."""
    planned = plan(auth_token="T", host_env={"T": value}, label="x", color="red", prompt="p", task="t")
    assert value not in repr(planned)
    assert all(value.encode() not in file.content for file in planned.files)


def test_placeholder_is_no_token() -> None:
    """Neither a vendor's prefix nor random: words, so that no detector stops the client's own request."""
    assert "sk-" not in PLACEHOLDER
    assert set(PLACEHOLDER.split("-")) <= {
        "placeholder", "the", "credential", "stays", "outside", "bottle",
    }  # fmt: skip


def test_route_opens_inference_only() -> None:
    """One exact host on its TLS port; exact paths, each with its one method."""
    (route,) = plan(auth_token="T", host_env={"T": KEY_VALUE}).routes
    assert (route.host, route.ports, route.provider) == ("api.anthropic.com", (443,), "claude")
    assert all(path.type is PathType.EXACT for match in route.matches for path in match.paths)
    assert {(method, path.value) for m in route.matches for path in m.paths for method in m.methods} == {
        ("POST", "/v1/messages"),
        ("POST", "/v1/messages/count_tokens"),
        ("GET", "/api/claude_code/settings"),
        ("GET", "/api/claude_code/policy_limits"),
    }
    assert not route.allow_private
    assert route.headers is None


def test_first_start_is_answered() -> None:
    """Onboarding, the placeholder's approval and the workdir's trust are seeded, so nothing asks."""
    planned = plan(workdir=PurePosixPath("/home/node/workspace"))
    assert json.loads(content(planned, "/home/node/.claude.json")) == {
        "hasCompletedOnboarding": True,
        "theme": "dark",
        "customApiKeyResponses": {"approved": [PLACEHOLDER[-20:]], "rejected": []},
        "projects": {"/home/node/workspace": {"hasTrustDialogAccepted": True}},
    }
    assert json.loads(content(planned, "/home/node/.claude/settings.json")) == {
        "skipDangerousModePermissionPrompt": True,
        "disableDeepLinkRegistration": "disable",
        "statusLine": {"type": "command", "command": "~/.claude/statusline.sh"},
        "theme": "dark",
    }


def test_prompt_file_is_always_written() -> None:
    """The prompt's file exists even when empty; it is passed on only when there is something in it."""
    assert content(plan(), "/home/node/.bot-bottle-prompt.txt") == b""
    assert content(plan(prompt="sei kürzer"), "/home/node/.bot-bottle-prompt.txt") == "sei kürzer".encode()


def test_theme_has_the_label_and_colour() -> None:
    planned = plan(label="Research UI", color="magenta")
    settings = json.loads(content(planned, "/home/node/.claude/settings.json"))
    assert settings["theme"] == "custom:bot-bottle-research-ui"
    theme = json.loads(content(planned, "/home/node/.claude/themes/bot-bottle-research-ui.json"))
    assert theme == {
        "name": "Research UI",
        "base": "dark",
        "overrides": {"claude": "ansi:magentaBright", "promptBorder": "ansi:magentaBright"},
    }


@pytest.mark.parametrize(
    ("label", "instance", "color", "shown"),
    [
        ("Research UI", "x-1", "", "Research UI"),
        ("", "dev-abc12", "", "dev-abc12"),
        ("", "", "", "bot-bottle"),
        ("a", "", "red", "\033[91ma\033[0m"),
        ("a", "", "no such colour", "a"),
        ("it's $(id) `id` %s \\n \"", "", "", "it's $(id) `id` %s \\n \""),
        ("two\nlines\x1b]0;title\x07", "", "", "two\\nlines\\x1b]0;title\\x07"),
        ("-n", "", "", "-n"),
    ],
)
def test_status_line(tmp_path: Path, label: str, instance: str, color: str, shown: str) -> None:
    """The script, run by a real shell, prints the label as it is: nothing in it is executed."""
    planned = plan(label=label, instance=instance, color=color)
    (file,) = [file for file in planned.files if file.path.name == "statusline.sh"]
    script = tmp_path / "statusline.sh"
    script.write_bytes(file.content)
    ran = subprocess.run(["sh", script], stdin=subprocess.DEVNULL, capture_output=True, check=True)
    assert ran.stdout.decode() == shown + "\n"
    assert file.mode == 0o700


def test_other_files_are_private() -> None:
    planned = plan(label="l", color="red", prompt="p")
    assert {file.mode for file in planned.files if file.path.name != "statusline.sh"} == {0o600}


def test_skills_are_named() -> None:
    """The plan says where each skill goes; it reads none."""
    skills = plan(skills=("review", "deploy")).skills
    assert [(skill.name, str(skill.target)) for skill in skills] == [
        ("review", "/home/node/.claude/skills/review"),
        ("deploy", "/home/node/.claude/skills/deploy"),
    ]


@pytest.mark.parametrize(("machine", "package"), [("x86_64", "linux-x64"), ("aarch64", "linux-arm64")])
def test_tool_is_pinned(machine: str, package: str) -> None:
    tool = plan(machine=machine).tool
    assert tool is not None
    assert tool.package == f"@anthropic-ai/claude-code-{package}"
    assert tool.integrity.startswith("sha512-")


def test_other_machines_need_the_operators_own() -> None:
    planned = plan(machine="riscv64")
    assert planned.tool is None
    assert planned.command == "claude" == planned.argv[0]


def test_every_file_is_scratch() -> None:
    """What the plan itself writes is never taken for work that the agent left."""
    planned = plan(label="l", color="red", prompt="p", skills=("s",))
    for path in [file.path for file in planned.files] + [skill.target for skill in planned.skills]:
        assert any(path.is_relative_to(scratch) for scratch in planned.scratch), path
