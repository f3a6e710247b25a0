"""Codex's login on the host: read bounded and without waiting, and handed on when it changes."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot_bottle.base.secret import Secret
from bot_bottle.ipc import wire
from bot_bottle.ipc.sidecar import (
    MAX_NEW_TOKENS_BYTES,
    NewTokens,
    Refused,
    SidecarSpec,
    TokensTaken,
    ToSidecar,
)
from bot_bottle.launch.credentials import MAX_LOGIN_BYTES, HostLogin, LoginWatch
from bot_bottle.launch.plan import LaunchError
from bot_bottle.launch.sidecar import Sidecar
from bot_bottle.providers.codex_login import ACCOUNT_VARIABLE, TOKEN_VARIABLE
from bot_bottle.providers.contract import ProviderError
from bot_bottle.sidecar.control import read_secrets

SLOTS = {"EGRESS_TOKEN_0": TOKEN_VARIABLE, "EGRESS_TOKEN_1": ACCOUNT_VARIABLE, "EGRESS_TOKEN_2": "OTHER"}


def write(path: Path, token: str, account: str = "acct") -> None:
    path.write_text(json.dumps({"tokens": {"access_token": token, "account_id": account}}))


@pytest.fixture
def login(tmp_path: Path) -> HostLogin:
    write(tmp_path / "auth.json", "first-token")
    return HostLogin(tmp_path / "auth.json")


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({}, "/home/me/.codex/auth.json"),
        ({"CODEX_HOME": ""}, "/home/me/.codex/auth.json"),
        ({"CODEX_HOME": "/srv/codex"}, "/srv/codex/auth.json"),
    ],
)
def test_where_it_is(environ: Mapping[str, str], path: str) -> None:
    assert HostLogin.of(environ, Path("/home/me")).path == Path(path)


@pytest.mark.parametrize("kind", ["absent", "directory", "fifo", "large", "no json", "loop", "dangling"])
def test_what_is_no_login(tmp_path: Path, kind: str) -> None:
    """An error that names the file and says how to sign in; a FIFO is not waited for, nothing is read whole
    that has no end."""
    path = tmp_path / "auth.json"
    match kind:
        case "directory":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
        case "large":
            path.write_bytes(b" " * (MAX_LOGIN_BYTES + 1))
        case "no json":
            path.write_text("token: first-token")
        case "loop":
            path.symlink_to(path)
        case "dangling":
            path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(ProviderError, match="codex login") as caught:
        HostLogin(path).read()
    assert str(path) in str(caught.value) and "first-token" not in str(caught.value)


def test_a_device_is_no_login() -> None:
    with pytest.raises(ProviderError, match="no regular file"):
        HostLogin(Path("/dev/zero")).read()


class Taker:
    """Stands for the sidecar."""

    def __init__(self) -> None:
        self.got: list[dict[str, str]] = []
        self.refuse = False

    def __call__(self, tokens: Mapping[str, Secret]) -> None:
        if self.refuse:
            raise LaunchError("the proxy took no new tokens")
        self.got.append({slot: token.reveal() for slot, token in tokens.items()})


@pytest.fixture
def taker() -> Taker:
    return Taker()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def watch(login: HostLogin, taker: Taker, said: list[str]) -> LoginWatch:
    return LoginWatch(login, SLOTS, login.read().variables(), taker, said.append)


def test_a_refreshed_token_is_handed_on_once(
    watch: LoginWatch, login: HostLogin, taker: Taker, said: list[str]
) -> None:
    watch.tick()
    write(login.path, "second-token")
    watch.tick()
    watch.tick()
    new = login.path.with_name("new")
    write(new, "third-token")
    new.rename(login.path)
    watch.tick()
    assert taker.got == [{"EGRESS_TOKEN_0": "second-token"}, {"EGRESS_TOKEN_0": "third-token"}]
    assert said == []


def test_what_changed_before_the_watch_began_is_seen(login: HostLogin, taker: Taker) -> None:
    """Between the launch's reading and the first tick."""
    values = login.read().variables()
    write(login.path, "second-token")
    LoginWatch(login, SLOTS, values, taker).tick()
    assert taker.got == [{"EGRESS_TOKEN_0": "second-token"}]


@pytest.mark.parametrize("content", [None, "", "{", '{"tokens": {"access_token": ""}}'])
def test_a_file_that_is_gone_or_half_written_changes_nothing(
    watch: LoginWatch, login: HostLogin, taker: Taker, said: list[str], content: str | None
) -> None:
    """It is said once, not at each tick; when the file is good again, it counts."""
    if content is None:
        login.path.unlink()
    else:
        login.path.write_text(content)
    watch.tick()
    watch.tick()
    assert taker.got == [] and len(said) == 1
    write(login.path, "second-token")
    watch.tick()
    assert taker.got == [{"EGRESS_TOKEN_0": "second-token"}]


def test_a_host_without_descriptors_ends_no_bottle(login: HostLogin, said: list[str]) -> None:
    """The pipe for the new token can't be made (EMFILE): it is said, and tried again at the next tick."""
    got: list[Mapping[str, Secret]] = []

    def hand_on(tokens: Mapping[str, Secret]) -> None:
        got.append(tokens)
        if len(got) == 1:
            raise OSError(errno.EMFILE, "Too many open files")

    watch = LoginWatch(login, SLOTS, login.read().variables(), hand_on, said.append)
    write(login.path, "second-token")
    for _ in range(3):
        watch.tick()
    assert len(said) == 1 and "Too many open files" in said[0] and "second-token" not in said[0]
    assert [each["EGRESS_TOKEN_0"].reveal() for each in got] == ["second-token"] * 2


def test_another_account_is_not_taken_over(
    watch: LoginWatch, login: HostLogin, taker: Taker, said: list[str]
) -> None:
    write(login.path, "second-token", account="another")
    watch.tick()
    assert taker.got == [] and "another account's" in said[0] and "second-token" not in said[0]


def test_one_that_was_not_taken_is_tried_again(
    watch: LoginWatch, login: HostLogin, taker: Taker, said: list[str]
) -> None:
    write(login.path, "second-token")
    taker.refuse = True
    watch.tick()
    watch.tick()
    taker.refuse = False
    watch.tick()
    assert taker.got == [{"EGRESS_TOKEN_0": "second-token"}]
    assert said == ["the proxy took no new tokens"]


@pytest.fixture
def sidecar(tmp_path: Path):
    """The launching side with a control socket to the test instead of to a proxy."""
    spec = SidecarSpec(bottle="b", nonce="n", egress_dir="", run_dir="")
    sidecar = Sidecar(spec, tmp_path / "log")
    sidecar._control, theirs = wire.pair()
    theirs.settimeout(20)
    yield sidecar, theirs
    sidecar.close()
    theirs.close()


def answering(theirs, *answers: object) -> tuple[threading.Thread, list[dict[str, str]]]:
    """Take one message's tokens, then say *answers*."""
    got: list[dict[str, str]] = []

    def take() -> None:
        message, (pipe,) = wire.receive(theirs, ToSidecar)
        assert message == NewTokens()
        got.append(read_secrets(pipe).tokens)
        for answer in answers:
            wire.send(theirs, answer)

    thread = threading.Thread(target=take)
    thread.start()
    return thread, got


def test_a_pipe_that_is_too_small_is_not_waited_for(sidecar, monkeypatch) -> None:
    """Past ``pipe-user-pages-soft`` a user's pipes hold a page or two: the session would stand still for ever."""
    pipe2 = os.pipe2

    def small(flags: int) -> tuple[int, int]:
        ends = pipe2(flags)
        fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, 4096)
        return ends

    monkeypatch.setattr(os, "pipe2", small)
    with pytest.raises(LaunchError, match="did not fit") as caught:
        sidecar[0].replace_tokens({"EGRESS_TOKEN_0": Secret("second-token" * 1000)})
    assert "second" not in str(caught.value)


def test_the_launcher_hands_them_over_by_a_pipe(sidecar) -> None:
    """An answer that came too late for an earlier question is not taken for this one's."""
    ours, theirs = sidecar
    wire.send(theirs, Refused("of an earlier question"))
    thread, got = answering(theirs, TokensTaken())
    ours.replace_tokens({"EGRESS_TOKEN_0": Secret("second-token")})
    thread.join(20)
    assert got == [{"EGRESS_TOKEN_0": "second-token"}]


def test_a_refusal_or_an_end_is_an_error(sidecar) -> None:
    ours, theirs = sidecar
    thread, _ = answering(theirs, Refused("no slot"))
    with pytest.raises(LaunchError, match="no slot"):
        ours.replace_tokens({"EGRESS_TOKEN_0": Secret("second-token")})
    thread.join(20)
    theirs.close()
    with pytest.raises(LaunchError, match="took no new tokens") as caught:
        ours.replace_tokens({"EGRESS_TOKEN_0": Secret("second-token")})
    assert "second-token" not in str(caught.value)


def test_a_sidecar_that_talks_without_end_does_not_hold_us(sidecar) -> None:
    """Its answers are bounded by what is asked; the next one is taken for this question's, whatever it is."""
    ours, theirs = sidecar
    theirs.settimeout(0)
    with contextlib.suppress(wire.WireError):
        while True:  # until the socket holds no more
            wire.send(theirs, Refused("talk"))
    stop = threading.Event()

    def talk() -> None:
        while not stop.is_set():
            with contextlib.suppress(wire.WireError):
                wire.send(theirs, Refused("talk"))

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        with pytest.raises(LaunchError, match="talk"):
            ours.replace_tokens({"EGRESS_TOKEN_0": Secret("second-token")})
    finally:
        stop.set()
        thread.join(20)


def test_what_would_not_fit_into_the_pipe_is_not_begun(sidecar) -> None:
    """Writing would wait for a reader that has not been told yet."""
    ours, _ = sidecar
    with pytest.raises(LaunchError, match="too large"):
        ours.replace_tokens({"EGRESS_TOKEN_0": Secret("x" * MAX_NEW_TOKENS_BYTES)})
