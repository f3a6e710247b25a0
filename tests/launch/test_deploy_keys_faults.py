"""What can go wrong with a forge: each has its sentence, no key is left unknown, and no error holds the token."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from pathlib import Path

import pytest

from bot_bottle.launch import forge_client
from bot_bottle.launch.deploy_keys import DeployKeys
from bot_bottle.launch.forge_client import MAX_ANSWER_BYTES, ForgeClient, KeyTaken
from bot_bottle.launch.forges import ForgeError, api_of
from bot_bottle.launch.plan import LaunchError
from bot_bottle.launch.watching import Stopped, terminations
from bot_bottle.manifest.schema import Forge
from bot_bottle.store.deploy_keys import read_deploy_keys
from bot_bottle.testing.fake_forge import CUT, Answer, refusal
from bot_bottle.testing.upstream import FakeUpstream, RecordedRequest, UpstreamConnection

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode: what tests share is found here

from deploy_keys_support import IDENTITY, Ground, ground


def silent(_: str) -> None:
    """Nobody is told."""


def failure(here: Ground, token: str = "") -> str:
    """What a launch says that can't have its key; its error's whole chain is without the token."""
    keys = DeployKeys(here.state, IDENTITY, [here.plan(token=token)])
    with pytest.raises(LaunchError) as caught:
        keys.make(silent)
    error: BaseException | None = caught.value
    while error is not None:
        assert (token or here.forge.token) not in f"{error!r} {error.__dict__}"
        error = error.__cause__ or error.__context__
    assert keys.secrets == {} and keys.known == ()
    return str(caught.value)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refusal(401), ("does not take the token in FORGE_TOKEN", "expired")),
        (refusal(403), ("FORGE_TOKEN may not manage the deploy keys of owner/name", "write:repository")),
        (refusal(404), ("has no repository owner/name, or does not show it",)),
        (refusal(400, "what is this"), ("the forge refused: what is this",)),
        (Answer(307, b"", (("Location", "https://elsewhere.example/"),)), ("name the API's own address",)),
    ],
)
def test_a_refusal_is_said_and_leaves_nothing(
    tmp_path: Path, answer: Answer, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """With the manifest's place; the state directory has no record, since there is no key."""
    with ground(tmp_path) as here:
        here.forge.instead["POST"] = answer
        said = failure(here)
        assert said.startswith("dev.md:4: git-gate.repos.one.key: no deploy key for owner/name: ")
        for word in (*words, str(answer.status) if answer.status != 400 else "400"):
            assert word in said
        assert read_deploy_keys(here.state) == ()
        assert here.forge.calls == [("POST", "/api/v1/repos/owner/name/keys")]
    assert capsys.readouterr().err == ""


def test_a_wrong_token_is_refused_by_the_forge_itself(tmp_path: Path) -> None:
    for forge in Forge:
        with ground(tmp_path, forge) as here:
            assert "expired" in failure(here, token="another-token-0123456789")


@pytest.mark.parametrize("forge", list(Forge))
def test_a_collision_is_an_error_of_its_own(tmp_path: Path, forge: Forge) -> None:
    """422, of GitLab 400 "has already been taken": it names repository and title."""
    with ground(tmp_path, forge) as here:
        plan = here.plan()
        api = api_of(forge, here.api_url, "owner/name")
        client = ForgeClient(api, plan.token, "FORGE_TOKEN", plan.extra_ca)
        made = client.create("bot-bottle x", "ssh-ed25519 QUFBQQ==")
        with pytest.raises(KeyTaken, match=r"'bot-bottle x' can't be added to owner/name") as caught:
            client.create("bot-bottle x", made.key)
        assert here.forge.token not in str(caught.value)
        assert len(here.forge.titles()) == 1


def test_a_redirect_gets_no_token(tmp_path: Path) -> None:
    """The answer names another server of ours, which hears nothing."""
    with ground(tmp_path) as here, ground(tmp_path) as other:
        here.forge.instead["POST"] = Answer(307, b"", (("Location", f"{other.api_url}/api/v1"),))
        failure(here)
        assert other.upstream.accepted == 0


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(CUT), "broke off"),
        (refusal(502), "can't now (status 502): try again later"),
        (refusal(429), "can't now (status 429)"),
        (Answer(201, b"<html>"), "no JSON"),
        (Answer(201, b"{}"), "no deploy key"),
        (Answer(201, b'{"id": "x", "title": "t", "key": "k"}'), "no deploy key"),
        (Answer(201, b"[" * 100_000), "no JSON"),
        (Answer(201, b" " * (MAX_ANSWER_BYTES + 1)), "has more than"),
    ],
)
@pytest.mark.parametrize("forge", [Forge.GITEA, Forge.GITLAB])
def test_a_key_behind_a_bad_answer_is_found_and_revoked(
    tmp_path: Path, forge: Forge, answer: Answer, words: str
) -> None:
    """The forge has made it and does not say so: it is looked for by its fingerprint."""
    with ground(tmp_path, forge) as here:
        here.forge.after["POST"] = answer
        assert words in failure(here)
        assert (here.saw("POST"), here.saw("GET"), here.saw("DELETE")) == (1, 1, 1)
        assert here.forge.titles() == []
        assert read_deploy_keys(here.state) == ()


def test_nothing_is_left_where_a_bad_answer_hid_nothing(tmp_path: Path) -> None:
    with ground(tmp_path) as here:
        here.forge.instead["POST"] = refusal(500)
        failure(here)
        assert read_deploy_keys(here.state) == ()
        assert here.saw("DELETE") == 0


def test_a_forge_that_breaks_down_leaves_a_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It made the key and then answers nothing any more: the record stays, and the title is said."""
    with ground(tmp_path) as here:
        here.forge.after["POST"] = here.forge.instead["GET"] = Answer(CUT)
        failure(here)
        (record,) = read_deploy_keys(here.state)
        assert (record.id, [record.title]) == (0, here.forge.titles())
        assert record.title in capsys.readouterr().err


def test_the_first_key_goes_when_the_second_fails(tmp_path: Path) -> None:
    with ground(tmp_path) as here:
        plans = [here.plan(), here.plan("two", "owner/unknown", slot="GATE_KEY_1")]
        with pytest.raises(LaunchError, match=r"git-gate\.repos\.two\.key"):
            DeployKeys(here.state, IDENTITY, plans).make(silent)
        assert here.forge.titles() == []
        assert read_deploy_keys(here.state) == ()


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_forge_that_does_not_answer_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(forge_client, "CALL_TIMEOUT_S", 0.5)
    with ground(tmp_path) as here:
        here.forge.waits[method] = threading.Event()
        try:
            if method == "POST":
                assert "did not answer within 0.5 s" in failure(here)
                assert here.saw("GET") == 1
            else:
                keys = DeployKeys(here.state, IDENTITY, [here.plan()])
                keys.make(silent)
                assert not keys.revoke()
                assert "did not answer within 0.5 s" in capsys.readouterr().err
                assert len(read_deploy_keys(here.state)) == 1
        finally:
            here.forge.waits[method].set()


def test_an_answer_by_drops_is_given_up_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is for the whole call: a byte now and then is no progress."""
    monkeypatch.setattr(forge_client, "CALL_TIMEOUT_S", 0.5)
    over = threading.Event()

    def drip(request: object, connection: object) -> None:
        connection.send(b"HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n")  # type: ignore[attr-defined]
        while not over.wait(0.05):
            connection.send(b" ")  # type: ignore[attr-defined]

    with ground(tmp_path) as here:
        here.upstream.responder = drip
        try:
            assert "did not answer within 0.5 s" in failure(here)
        finally:
            over.set()


def test_an_untrusted_certificate_gets_no_token(tmp_path: Path) -> None:
    with ground(tmp_path) as here:
        api = api_of(Forge.GITEA, here.api_url, "owner/name")
        client = ForgeClient(api, here.plan().token, "FORGE_TOKEN")
        with pytest.raises(ForgeError, match=r"can't be reached.*certificate"):
            client.create("t", "ssh-ed25519 QUFBQQ==")
        assert here.upstream.requests == []


def test_nobody_there_is_said(tmp_path: Path) -> None:
    """No key can have been made, so none is looked for and nothing stays recorded."""
    with ground(tmp_path) as here:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        plan = here.plan()
        api = api_of(Forge.GITEA, f"https://127.0.0.1:{port}", "owner/name")
        with pytest.raises(ForgeError, match=r"127\.0\.0\.1 can't be reached"):
            ForgeClient(api, plan.token, "FORGE_TOKEN", plan.extra_ca).create("t", "ssh-ed25519 QUFBQQ==")


def test_roots_that_are_gone_are_said(tmp_path: Path) -> None:
    with ground(tmp_path) as here:
        here.ca.unlink()
        assert "roots can't be read" in failure(here)
        assert read_deploy_keys(here.state) == ()


def test_the_forges_own_words_never_carry_the_token(tmp_path: Path) -> None:
    """A forge that echoes what it was sent."""
    with ground(tmp_path) as here:
        here.forge.instead["POST"] = refusal(400, f"bad token {here.forge.token}")
        assert "it says no more" in failure(here)


def test_a_proxy_of_the_hosts_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By CONNECT, so it sees no token; it may refuse."""
    heard = []

    def refuse(request: RecordedRequest, connection: UpstreamConnection) -> None:
        heard.append((request.method, request.target))
        connection.reply(407, b"", reason="Proxy Authentication Required")

    with ground(tmp_path) as here, FakeUpstream(refuse, tls=False) as proxy:
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        assert "407" in failure(here)
        assert set(heard) == {("CONNECT", f"127.0.0.1:{here.upstream.port}")}
        assert here.forge.token.encode() not in proxy.raw
        assert here.upstream.accepted == 0


def test_a_signal_meanwhile_leaves_no_key(tmp_path: Path) -> None:
    """The operator stops a launch that waits for its forge, which has made the key already."""
    over = threading.Event()

    with ground(tmp_path) as here, terminations():

        def stopping(request: RecordedRequest, connection: UpstreamConnection) -> None:
            if request.method != "POST":
                here.forge(request, connection)
                return
            path, _, query = request.target.partition("?")
            here.forge._answer(request, path, query)
            assert len(here.forge.titles()) == 1
            os.kill(os.getpid(), signal.SIGTERM)
            over.wait(10)

        here.upstream.responder = stopping
        with pytest.raises(Stopped):
            DeployKeys(here.state, IDENTITY, [here.plan()]).make(silent)
        over.set()
        assert here.saw("DELETE") == 1
        assert here.forge.titles() == []
        assert read_deploy_keys(here.state) == ()
