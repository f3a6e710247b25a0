"""The real Codex, headless and on a terminal, in a real bottle, against a fake API that plays OpenAI's hosts.

Asserted on what the fake received: the operator's own credential and no other, the tool's result out of the
bottle.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from agents_support import LOOK, Screen, client_of, installed, loud, refused_hosts
from e2e_support import eventually

from bot_bottle.providers.contract import PLACEHOLDER
from bot_bottle.testing.model_api import Refuse, Say, Text, ToolUse, Turn
from bot_bottle.testing.openai_fake import OpenAIFake
from bot_bottle.testing.scripted_api import Recorded

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm to install the pinned client"),
]

KEY = "key-made-for-this-test-of-the-operator-0001"
THEIRS = "key-of-an-attacker"
DONE = Say((Text(("All done", ", as asked.")),))


@pytest.fixture(scope="session")
def tree() -> Path:
    return installed("codex")


@pytest.fixture
def client(person, tree: Path) -> Iterator[None]:
    with client_of(person, tree):
        yield


def shell(command: str) -> Say:
    """The model reaches the shell through a tool that runs JavaScript."""
    script = f"text(JSON.stringify(await tools.exec_command({{cmd: {json.dumps(command)}}})))"
    return Say((Text(("I run it.",)), ToolUse("exec", {}, raw=script)))


def ways(person, api: OpenAIFake) -> list[str]:
    ca = person.write("api.pem", api.ca_pem)
    hosts = ("api.openai.com", "chatgpt.com")
    return [
        *(word for host in hosts for word in ("--connect-to", f"{host}:443:127.0.0.1:{api.port}")),
        *("--extra-ca", str(ca)),
    ]


def run_codex(person, api: OpenAIFake, *args: str, env: Mapping[str, str] | None = None):
    env = {"CODEX_API_KEY": KEY} if env is None else env
    return person.run("run", "--provider", "codex", *ways(person, api), *args, env=env)


def body(request: Recorded) -> str:
    """What was asked, unpacked where the client has packed it."""
    if request.header("content-encoding") == "zstd":
        return subprocess.run(
            ["zstd", "-dc"], input=request.body, capture_output=True, check=True
        ).stdout.decode()
    return request.body.decode()


@pytest.mark.parametrize("variable", ["CODEX_API_KEY", "OPENAI_API_KEY"])
def test_a_turn_with_a_tool_call(person, client, variable: str) -> None:
    """It completes the turn, knows nothing but a placeholder, and the API sees the operator's own key; what
    the tool saw of environment, processes and files holds no credential."""
    with OpenAIFake([shell(LOOK + "; cat ~/.codex/auth.json"), DONE]) as api:
        done = run_codex(person, api, "-p", "do it", env={variable: KEY})
    assert (done.returncode, done.stdout) == (0, "All done, as asked.\n"), done.stderr
    assert len(api.model_requests) == 2
    result = body(api.model_requests[-1])
    assert "marker-42" in result and PLACEHOLDER in result
    assert [request.method for request in api.requests] == [
        "GET",
        "POST",
        "POST",
    ]  # no WebSocket is had there
    for request in api.requests:
        assert request.path == "/v1/responses"
        assert request.header("authorization") == f"Bearer {KEY}"
        assert KEY not in body(request)
    assert KEY not in done.stderr
    assert f"signs in with the value of {variable}" in done.stderr


def test_standard_input_is_not_waited_for(person, client) -> None:
    """One that stays open, as a script's or CI's may, does not keep a task from being done."""
    with OpenAIFake([DONE]) as api:
        process = person.popen(
            "run", "--provider", "codex", *ways(person, api), "-p", "do it", env={"CODEX_API_KEY": KEY},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert process.wait(60) == 0
        assert process.stdout.read() == b"All done, as asked.\n"


def login(token: str, account: str = "acct-of-the-operator") -> str:
    """The host's own ``auth.json``."""
    return json.dumps(
        {
            "auth_mode": "chatgpt",
            "tokens": {"access_token": token, "account_id": account, "refresh_token": "r"},
        }
    )


TOKEN = "token-made-for-this-test-of-the-operator-0003"
CHATGPT = "---\nagent_provider: {template: codex, forward_host_credentials: true}\n---\n"


def test_chatgpt_login(person, client) -> None:
    """Token and account come out of the host's file and are set outside; inside there is a login without either
    credential, which the client takes for one, packing its requests as it does with one."""
    person.write(".codex/auth.json", login(TOKEN))
    person.write(".bot-bottle/bottles/b.md", CHATGPT)
    looking = shell(LOOK + "; cat ~/.codex/auth.json")
    with OpenAIFake([looking, DONE], account="acct-of-the-operator") as api:
        done = person.run("run", "--bottle", "b", *ways(person, api), "-p", "do it")
    assert (done.returncode, done.stdout) == (0, "All done, as asked.\n"), done.stderr
    assert len(api.model_requests) == 2
    result = body(api.model_requests[-1])
    assert "marker-42" in result and PLACEHOLDER in result
    for request in api.requests:
        assert request.header("authorization") == f"Bearer {TOKEN}"
        assert request.header("chatgpt-account-id") == "acct-of-the-operator"
        assert TOKEN not in body(request)
    assert {(request.method, request.path) for request in api.requests} == {
        ("GET", "/backend-api/codex/models"),
        ("GET", "/backend-api/wham/accounts/check"),
        ("GET", "/backend-api/codex/responses"),
        ("POST", "/backend-api/codex/responses"),
    }
    assert {request.header("content-encoding") for request in api.model_requests} == {"zstd"}
    assert TOKEN not in done.stderr


@pytest.mark.parametrize("content", [None, "{", '{"OPENAI_API_KEY": "x"}'])
def test_no_login_on_the_host(person, client, content: str | None) -> None:
    """Nothing is made; the error says how to sign in."""
    if content is not None:
        person.write(".codex/auth.json", content)
    person.write(".bot-bottle/bottles/b.md", CHATGPT)
    done = person.run("run", "--bottle", "b", "-p", "do it")
    assert done.returncode == 125
    assert "codex login" in done.stderr and ".codex/auth.json" in done.stderr
    assert person.states() == []


def test_a_refreshed_login_reaches_the_running_bottle(person, client) -> None:
    """Between two requests of one turn the host's file changes; the second one goes out with the new token."""
    person.write(".codex/auth.json", login(TOKEN))
    person.write(".bot-bottle/bottles/b.md", CHATGPT)
    refreshed = "token-made-for-this-test-of-the-operator-0004"
    waiting = shell("while ! curl -sS -o /dev/null https://chatgpt.com/backend-api/codex/models; do :; done; "
                    "for i in $(seq 60); do "
                    "curl -sS https://chatgpt.com/backend-api/codex/models >/dev/null; sleep 0.5; "
                    "test -e ../done && break; done; echo waited")  # fmt: skip
    with OpenAIFake([waiting, DONE], account="acct-of-the-operator") as api:
        process = person.popen(
            "run", "--bottle", "b", *ways(person, api), "-p", "do it",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        eventually(lambda: len(api.model_requests) == 1, "the first request")
        person.write(".codex/auth.json", login(refreshed))

        def sent() -> set[str | None]:
            return {request.header("authorization") for request in api.requests}

        eventually(lambda: f"Bearer {refreshed}" in sent(), "the new token", within_s=40)
        (state,) = person.states()
        told = person.run("exec", state, "--", "touch", "/home/node/done")
        assert told.returncode == 0, told.stderr
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, b"All done, as asked.\n"), err
    first, second = api.model_requests
    assert first.header("authorization") == f"Bearer {TOKEN}"
    assert second.header("authorization") == f"Bearer {refreshed}"
    assert second.header("chatgpt-account-id") == "acct-of-the-operator"


def test_a_refreshed_login_reaches_a_bottle_that_nobody_is_at(person, client) -> None:
    """Detached, its launching process goes on to read the host's file."""
    person.write(".codex/auth.json", login(TOKEN))
    person.write(".bot-bottle/bottles/b.md", CHATGPT)
    person.write(".bot-bottle/agents/a.md", "---\nbottle: b\n---\n")
    refreshed = "token-made-for-this-test-of-the-operator-0005"
    with OpenAIFake([], account="acct-of-the-operator") as api:
        done = person.run("start", "a", "--label", "one", "--yes", "-d", *ways(person, api))
        assert (done.returncode, done.stdout) == (0, "one\n"), done.stderr

        def token() -> str | None:
            """What the model's host is shown now."""
            url = "https://chatgpt.com/backend-api/codex/models"
            asked = person.run(
                "exec", "one", "--", "curl", "-sS", "-H", "accept: application/x-ask", "-o", "/dev/null", url
            )
            assert asked.returncode == 0, asked.stderr
            return [
                r.header("authorization") for r in api.requests if r.header("accept") == "application/x-ask"
            ][-1]

        assert token() == f"Bearer {TOKEN}"
        person.write(".codex/auth.json", login(refreshed))
        eventually(lambda: token() == f"Bearer {refreshed}", "the new token", within_s=40)
        assert person.run("stop", "one").returncode == 0


def test_remote_control_is_not_offered(person, client) -> None:
    """The client comes as far as the service, where nothing of it is registered."""
    person.write(".codex/auth.json", login(TOKEN))
    person.write(".bot-bottle/bottles/b.md", CHATGPT)
    with OpenAIFake([], account="acct-of-the-operator") as api:
        done = person.run("run", "--bottle", "b", *ways(person, api), *loud(person), "--", "remote-control")
    assert done.returncode == 1
    assert "the connection is errored" in done.stderr
    assert {request.path for request in api.requests} <= {
        "/backend-api/codex/models", "/backend-api/wham/accounts/check",
    }  # fmt: skip
    logs = "".join(log.read_text() for log in (person.home / ".bot-bottle/logs").rglob("*.egress.log"))
    assert "/backend-api/wham/remote/control/server/enroll" in logs


def test_a_refusal_ends_it(person, client) -> None:
    """One try, the message shown, the client's own status returned: the API's refusals, and ours where there is
    no route for the key."""
    turns: list[Turn] = [Refuse(400, "invalid_request_error", "egress: no route for that")] * 9
    with OpenAIFake(turns) as api:
        done = run_codex(person, api, "-p", "do it")
    assert done.returncode == 1
    assert "egress: no route for that" in done.stderr
    assert len(api.model_requests) == 1


def test_our_refusal_is_shown_after_one_try(person, client) -> None:
    """The proxy's own, in the API's shape: here of a request whose URL carries a key."""
    other = "{name='other', base_url='https://api.openai.com/v1', wire_api='responses', query_params={api_key='x'}}"
    options = ("-c", "model_provider=other", "-c", f"model_providers.other={other}")
    with OpenAIFake([DONE]) as api:
        done = run_codex(person, api, "-p", "do it", "--", *options)
    assert done.returncode == 1
    assert "egress: credential: the URL carries a credential or identity" in done.stderr
    assert "Reconnecting" not in done.stderr
    assert api.requests == ()


def test_an_attackers_key_is_not_seen(person, client) -> None:
    """Whatever the agent sends along, the API sees the operator's key; nothing arrives where the attacker's
    stands in the URL, where the path is closed, or at the other host that the client knows."""
    curl = (
        f"curl -sS -H 'authorization: Bearer {THEIRS}' -H 'openai-organization: {THEIRS}' "
        f"-H 'chatgpt-account-id: {THEIRS}' -d '{{}}'"
    )
    targets = (
        "api.openai.com/v1/responses", f"api.openai.com/v1/responses?api_key={THEIRS}",
        "api.openai.com/v1/files", "chatgpt.com/backend-api/codex/responses",
    )  # fmt: skip
    command = "; ".join(f"{curl} 'https://{target}'" for target in targets)
    answer = Say((Text(("answered with our key",)),))
    with OpenAIFake([shell(command), answer, DONE]) as api:
        done = run_codex(person, api, "-p", "do it")
    assert done.stdout == "All done, as asked.\n", done.stderr
    assert "answered with our key" in body(api.model_requests[-1])
    assert [request.method for request in api.requests] == ["GET", "POST", "POST", "POST"]
    for request in api.requests:
        assert (request.header("host"), request.path) == ("api.openai.com", "/v1/responses")
        assert request.header("authorization") == f"Bearer {KEY}"
        head = json.dumps([request.target, dict(request.headers)])
        assert THEIRS not in head


def test_the_client_alone_is_no_work(person, client) -> None:
    """A session that only talked leaves nothing behind: the client's own files are no work."""
    with OpenAIFake([DONE]) as api:
        done = run_codex(person, api, "-p", "say it")
    assert done.returncode == 0, done.stderr
    assert person.states() == []


AGENT = "---\nskills: [lighthouse]\n---\nspeak like a lighthouse\n"
BOTTLE = "---\nagent_provider: {template: codex, auth_token: MY_KEY}\n---\n"


def test_prompt_skills_and_a_conversation_that_goes_on(person, client) -> None:
    """The agent file's prompt lies where the client is told to read; its skill is known to the client; after the
    end ``resume`` goes on with the same conversation."""
    person.write(".bot-bottle/bottles/b.md", BOTTLE)
    person.write(".bot-bottle/agents/a.md", AGENT)
    person.write(
        ".claude/skills/lighthouse/SKILL.md",
        "---\nname: lighthouse\ndescription: how to speak like one\n---\nblink\n",
    )
    look = shell("cat ~/.bot-bottle-prompt.txt ~/.codex/skills/lighthouse/SKILL.md; echo work > ~/made.txt")
    env = {"MY_KEY": KEY}
    with OpenAIFake([look, DONE, Say((Text(("Gone on.",)),))]) as api:
        way = ways(person, api)
        done = person.run("run", "--agent", "a", "--bottle", "b", *way, "-p", "do it", env=env)
        assert (done.returncode, done.stdout) == (0, "All done, as asked.\n"), done.stderr
        (state,) = person.states()
        again = person.run("resume", state, "--yes", "-p", "and now?", env=env)
    assert (again.returncode, "Gone on." in again.stdout) == (0, True), again.stderr
    first, second, third = (body(request) for request in api.model_requests)
    assert "how to speak like one" in first
    assert "/home/node/.bot-bottle-prompt.txt" in first
    assert "speak like a lighthouse" in second and "blink" in second
    for earlier in ("do it", "All done, as asked.", "speak like a lighthouse", "and now?"):
        assert earlier in third
    for request in api.requests:
        assert request.header("authorization") == f"Bearer {KEY}"


def test_a_conversation_goes_on_from_task_to_terminal_and_back(person, client) -> None:
    """Begun headless, gone on with on a terminal, and headless again: it is one conversation."""
    person.write(".bot-bottle/bottles/b.md", BOTTLE)
    env = {"MY_KEY": KEY}
    turns = [
        shell("echo work > ~/made.txt"),
        DONE,
        *(Say((Text((text,)),)) for text in ("Gone on.", "The end.")),
    ]
    with OpenAIFake(turns) as api:
        assert person.run("run", "--bottle", "b", *ways(person, api), "-p", "do it", env=env).returncode == 0
        (state,) = person.states()
        screen = Screen(person, "resume", state, "--yes", env=env)
        screen.until("All done, as asked.")
        screen.until("Ask Codex to do anything")
        screen.type("and now?\r")
        screen.until("Gone on.")
        screen.type("/quit\r")
        screen.until("the agent ended with status 0")
        screen.end()
        last = person.run("resume", state, "--yes", "-p", "and then?", env=env)
    assert (last.returncode, "The end." in last.stdout) == (0, True), last.stderr
    asked = [body(request) for request in api.model_requests]
    for earlier in ("do it", "All done, as asked.", "and now?", "Gone on.", "and then?"):
        assert earlier in asked[-1]


def test_on_a_terminal(person, client) -> None:
    """Interactive, in an empty home: straight to the prompt, no question; a turn completes. Nobody else is asked
    anything but for the vendor's announcement, which no setting keeps it from."""
    with OpenAIFake([shell("echo marker-$((40 + 2)) > ~/made.txt"), DONE]) as api:
        way = [*ways(person, api), *loud(person)]
        screen = Screen(person, "run", "--provider", "codex", *way, env={"CODEX_API_KEY": KEY})
        screen.until("Ask Codex to do anything")
        screen.until("YOLO mode")
        for question in ("Sign in", "Do you trust", "Press enter", "update available"):
            assert question.replace(" ", "") not in screen.shown
        screen.type("hello\r")
        screen.until("All done, as asked.", "no further turn")
        screen.end()
    assert api.played == 2
    assert "hello" in body(api.model_requests[0])
    assert {request.path for request in api.requests} == {"/v1/responses"}
    assert refused_hosts(person) == {"raw.githubusercontent.com"}


def test_a_prompt_on_a_terminal(person, client) -> None:
    """The agent file's prompt opens the conversation: the client is told to read it, and does."""
    person.write(".bot-bottle/bottles/b.md", BOTTLE)
    person.write(".bot-bottle/agents/a.md", "---\nbottle: b\n---\nspeak like a lighthouse\n")
    with OpenAIFake([shell("cat ~/.bot-bottle-prompt.txt"), Say((Text(("Blink.",)),))]) as api:
        way = ("--agent", "a", "--bottle", "b", *ways(person, api))
        screen = Screen(person, "run", *way, env={"MY_KEY": KEY})
        screen.until("Blink.")
        screen.end()
    asked = [body(request) for request in api.model_requests]
    assert "Read the file /home/node/.bot-bottle-prompt.txt and follow the instructions in it." in asked[0]
    assert any("speak like a lighthouse" in request for request in asked[1:])


def test_without_a_credential(person, client) -> None:
    """Nothing is made; the error says what to set."""
    done = person.run("run", "--provider", "codex", "-p", "do it")
    assert done.returncode == 125
    assert "export one of CODEX_API_KEY, OPENAI_API_KEY" in done.stderr
    assert person.states() == []
