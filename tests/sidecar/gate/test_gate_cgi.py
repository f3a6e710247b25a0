"""Invariant: a CGI head is one that RFC 3875 has, or it is refused; what git says about upstream is read or left out.

The exchange is run with small programs in git's place, each with one way of failing.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.sidecar.gate import cgi, confined, gitenv, told, version, watch
from bot_bottle.sidecar.gate.cgi import BadHead
from bot_bottle.sidecar.gate.server import ClientGone
from bot_bottle.sidecar.gate.watch import Stalled

TYPE = b"Content-Type: text/plain"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (TYPE, 200),
        (b"Status: 403 Forbidden\r\n" + TYPE, 403),
        (b"Status: 404 Not Found\r\nExpires: x\r\nSet-Cookie: a=b", 404),
        (b"status: 500 x\n" + TYPE, 500),
    ],
)
def test_heads_that_git_writes(head: bytes, status: int) -> None:
    """Fields that are not git's own stay here."""
    found, fields = cgi.parse_head(head)
    assert found == status
    assert {name for name, _ in fields} <= {b"content-type", b"expires", b"pragma", b"cache-control"}


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"Status: 200 OK",  # no type
        b"Status: 200\r\n" + TYPE,
        b"Status: 20 OK\r\n" + TYPE,
        b"Status: 2000 OK\r\n" + TYPE,
        b"Status: 100 Continue\r\n" + TYPE,
        b"Status: 600 x\r\n" + TYPE,
        b"Status: -12 x\r\n" + TYPE,
        "Status: 20٣ x\r\n".encode() + TYPE,
        b"Status: OK\r\n" + TYPE,
        b"Status: 200 OK\r\nStatus: 404 x\r\n" + TYPE,
        b"HTTP/1.1 200 OK\r\n" + TYPE,
        b" " + TYPE,
        TYPE + b"\r\n\tfolded",
        TYPE + b"\r\nContent Type: x",
        TYPE + b"\r\n: x",
        TYPE + b"\r\nPragma: a\rb",
        TYPE + b"\r\nPragma: a\0b",
        TYPE + b"\r\n" + TYPE,
    ],
)
def test_heads_that_are_none(head: bytes) -> None:
    with pytest.raises(BadHead):
        cgi.parse_head(head)


@given(st.binary(max_size=300))
def test_any_head_is_read_or_refused(head: bytes) -> None:
    """What is read can be written as it is: no control character, no second line."""
    try:
        status, fields = cgi.parse_head(head)
    except BadHead:
        return
    assert 200 <= status <= 599
    assert all(not set(value) & set(range(32)) and value == value.strip(b" \t") for _, value in fields)


# -- the exchange


class Client:
    """Remembers what it was sent; may leave, or stop reading."""

    def __init__(
        self, body: list[bytes] | None = None, *, leaves_after_s: float = 60, stops: bool = False
    ) -> None:
        self.body, self.leaves_after_s, self.stops = body, leaves_after_s, stops
        self.status = 0
        self.got = bytearray()

    async def pieces(self) -> AsyncIterator[bytes]:
        for piece in self.body or []:
            yield piece

    async def gone(self) -> None:
        await asyncio.sleep(self.leaves_after_s)
        raise ClientGone

    async def start(self, status: int, fields: cgi.Headers) -> None:
        assert not self.status
        self.status = status

    async def send(self, piece: bytes) -> None:
        if self.stops:
            await asyncio.sleep(60)
        self.got.extend(piece)


def run(client: Client, script: str, place: Path) -> int:
    box = confined.Confinement(place / "work")
    sealed = box.wrap(["sh", "-c", script], confined.Files(), gitenv.environment())
    body = None if client.body is None else client.pieces()
    return asyncio.run(cgi.exchange(sealed, body, client.gone, client.start, client.send))


HEAD = r"printf 'Content-Type: a/b\r\n\r\n';"


def test_bodies_go_in_and_answers_come_out(tmp_path: Path) -> None:
    client = Client([b"one ", b"two", b"x" * 500_000])
    assert run(client, HEAD + "cat; exit 3", tmp_path) == 3
    assert client.status == 200 and client.got == b"one two" + b"x" * 500_000


def test_what_git_does_not_read_does_not_hinder_its_answer(tmp_path: Path) -> None:
    client = Client([b"x" * 2**20] * 8)
    run(client, HEAD + "exec 0<&-; sleep 0.3; echo no", tmp_path)
    assert client.got == b"no\n"


@pytest.mark.parametrize(
    "script", ["true", "echo nothing", r"printf 'Status: x\r\n\r\n'", "head -c 100000 /dev/zero"]
)
def test_without_a_head_there_is_no_answer(tmp_path: Path, script: str) -> None:
    client = Client([])
    with pytest.raises(BadHead):
        run(client, script, tmp_path)
    assert client.status == 0


@pytest.mark.parametrize("body", [None, []], ids=["control", "transfer"])
def test_git_that_says_nothing_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: list[bytes] | None
) -> None:
    monkeypatch.setattr(cgi, "CONTROL_S", 0.5)
    monkeypatch.setattr(watch.Watch.__init__, "__kwdefaults__", {"stall_s": 0.5, "silent_s": 1.0})
    with pytest.raises(Stalled):
        run(Client(body), HEAD + "sleep 60", tmp_path)


def test_a_client_that_does_not_read_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch.Watch.__init__, "__kwdefaults__", {"stall_s": 0.5, "silent_s": 1.0})
    with pytest.raises(Stalled):
        run(Client([], stops=True), HEAD + "cat /dev/zero", tmp_path)


def test_a_client_that_leaves_ends_git(tmp_path: Path) -> None:
    """And all that git started: a child in a session of its own can't write any more."""
    with pytest.raises(ClientGone):
        run(Client([], leaves_after_s=0.3), HEAD + "setsid sleep 986 & sleep 986", tmp_path)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and _running(b"sleep\x00986"):
        time.sleep(0.05)
    assert not _running(b"sleep\x00986")


def _running(words: bytes) -> bool:
    found = False
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                found = found or Path("/proc", name, "cmdline").read_bytes().startswith(words)
            except OSError:
                pass
    return found


def test_work_without_a_word_counts_as_progress_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checking git is let finish; one that never ends is not."""
    monkeypatch.setattr(watch.Watch.__init__, "__kwdefaults__", {"stall_s": 0.4, "silent_s": 30.0})
    spin = "i=0; while [ $i -lt %d ]; do i=$((i+1)); done; echo done"
    client = Client([])
    run(client, HEAD + spin % 1_500_000, tmp_path)
    assert client.got == b"done\n"
    monkeypatch.setattr(watch.Watch.__init__, "__kwdefaults__", {"stall_s": 0.4, "silent_s": 1.0})
    with pytest.raises(Stalled):
        run(Client([]), HEAD + spin % 10**12, tmp_path)


# -- what git prints

A, B = "a" * 40, "b" * 40


def test_a_listing_of_refs() -> None:
    out = f"""\
ref: refs/heads/dev\tHEAD
{A}\tHEAD
{A}\trefs/heads/dev
{B}\trefs/heads/main
{A}\trefs/tags/v1
{B}\trefs/tags/v1^{{}}
{B}\trefs/pull/1/head
{B[:39]}\trefs/heads/short
{"g" * 40}\trefs/heads/nohex
{B}\trefs/heads/a b
no tab
"""
    refs, head = told.parse_listing(out.encode(), ("refs/heads/", "refs/tags/"))
    assert refs == {"refs/heads/dev": A, "refs/heads/main": B, "refs/tags/v1": A}
    assert head == "refs/heads/dev"


def test_a_head_that_is_no_branch() -> None:
    """A branch at the same commit stands for it, the usual one first; else none does."""
    lines = f"{A}\tHEAD\n{A}\trefs/heads/b\n{A}\trefs/heads/main\n"
    assert told.parse_listing(lines.encode(), ("refs/",))[1] == "refs/heads/main"
    assert told.parse_listing(f"{A}\tHEAD\n{B}\trefs/heads/b\n".encode(), ("refs/",))[1] is None
    assert told.parse_listing(b"", ("refs/",)) == ({}, None)


@given(st.binary(max_size=400))
def test_any_listing_gives_names_that_fit_a_file_of_refs(out: bytes) -> None:
    refs, head = told.parse_listing(out, ("refs/heads/",))
    for name in (*refs, *([head] if head else [])):
        assert name.startswith("refs/heads/") and "\n" not in name and " " not in name
    assert all(told.is_object_id(oid) for oid in refs.values())


@pytest.mark.parametrize(
    ("status", "out", "refused"),
    [
        (0, "To x\n*\ta:refs/heads/x\t[new branch]\nDone\n", False),
        (0, "To x\n=\ta:refs/heads/x\t[up to date]\nDone\n", False),
        (1, "To x\n!\ta:refs/heads/x\t[remote rejected] (no)\nDone\n", True),
        (1, "To x\n \ta:refs/heads/x\ta..b\n!\ta:refs/heads/y\t[rejected] (stale info)\n", True),
        (1, "To x\n \ta:refs/heads/x\ta..b\n", None),
        (128, "", None),
    ],
)
def test_how_a_push_ended(status: int, out: str, refused: bool | None) -> None:
    """Only what git says was taken was taken; without a word it is not known."""
    assert told.parse_push(status, out, []).refused is refused


def test_what_is_said_of_a_push_has_no_meters_and_no_controls() -> None:
    errors = [
        "remote: Resolving deltas: 100% (1/1)",
        "remote: \x1b[31mno\x1b[0m pushes",
        "Writing objects: 3%",
        "To x",
    ]
    lines = told.parse_push(1, "!\tabc:refs/heads/x\t[remote rejected] (hook declined)\n", errors).lines
    assert lines == ["remote: \\x1b[31mno\\x1b[0m pushes", "refs/heads/x: [remote rejected] (hook declined)"]


@pytest.mark.parametrize(
    ("out", "expected"),
    [
        (b"git version 2.39.5\n", (2, 39, 5)),
        (b"git version 2.47.1 (Apple Git-155)", (2, 47, 1)),
        (b"git version 2.45.rc1\n", (2, 45)),
        (b"2.39.5", ()),
        (b"git version x", ()),
        (b"", ()),
    ],
)
def test_versions(out: bytes, expected: tuple[int, ...]) -> None:
    assert version.parse_version(out) == expected
