"""``pre-receive``: what it sends, that it obeys, and that whatever is unexpected refuses the push; and that the gate
believes nothing of what a hook says but its own push's place."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bot_bottle.gitgate.refs import RefsError
from bot_bottle.sidecar.gate import hook, hook_source, quarantine

OLD, NEW = "0" * 40, "1" * 40
LINES = f"{OLD} {NEW} refs/heads/main\n".encode()
REPOSITORY = Path("/run/incoming/1.git")
PLACE = b"/run/incoming/1.git/./objects/tmp_objdir-incoming-aB3dE9"
ALTERNATES = b"/run/incoming/1.git/./objects"


def _run(answer: bytes | None, *, lines: bytes = LINES, fd: str | None = None) -> tuple[int, str, bytes]:
    """Exit status, standard error, and what the gate was sent. *answer* None: it says nothing and goes."""
    ours, theirs = socket.socketpair()
    got = bytearray()

    def gate() -> None:
        while not got.endswith(lines) and (piece := ours.recv(1 << 16)):
            got.extend(piece)
        if answer is not None:
            ours.sendall(answer)
        ours.close()

    thread = threading.Thread(target=gate)
    thread.start()
    done = subprocess.run(
        [sys.executable, "-IS", hook.__file__],
        input=lines,
        env={
            "BOT_BOTTLE_HOOK_FD": fd or str(theirs.fileno()),
            "GIT_QUARANTINE_PATH": os.fsdecode(PLACE),
            "GIT_OBJECT_DIRECTORY": os.fsdecode(PLACE),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": os.fsdecode(ALTERNATES),
        },
        pass_fds=[theirs.fileno()],
        capture_output=True,
        timeout=60,
        check=False,
    )
    theirs.close()
    thread.join()
    return done.returncode, done.stderr.decode(), bytes(got)


def test_it_sends_what_git_said_and_prints_what_the_gate_says() -> None:
    status, said, got = _run(b"P one\nP two\nA\n")
    assert (status, said) == (0, "one\ntwo\n")
    head, _, body = got.partition(b"\n")
    assert int(head) == len(body)
    message = quarantine.decode(body, REPOSITORY)
    assert message.quarantine == "tmp_objdir-incoming-aB3dE9"
    assert [(u.old, u.new, u.ref) for u in message.updates] == [(OLD, NEW, "refs/heads/main")]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"P no\nR\n", "no\n"),
        (b"", "ended before it had decided"),
        (None, "ended before it had decided"),
        (b"P half", "ended before it had decided"),
        (b"A", "ended before it had decided"),
        (b"yes\n", "can't be read"),
        (b"P\n", "can't be read"),
        (b"P " + b"x" * 10_000, "can't be read"),
    ],
)
def test_everything_but_an_acceptance_is_a_refusal(answer: bytes | None, says: str) -> None:
    status, said, _ = _run(answer)
    assert status == 1
    assert says in said


@pytest.mark.parametrize("fd", ["", "x", "-1", "999"])
def test_without_its_descriptor_it_refuses(fd: str) -> None:
    done = subprocess.run(
        [sys.executable, "-IS", hook.__file__],
        input=LINES,
        env={"BOT_BOTTLE_HOOK_FD": fd},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, b"could not be asked" in done.stderr) == (1, True)


def test_more_refs_than_it_reads_are_refused() -> None:
    lines = b"".join(b"%s %s refs/heads/%d\n" % (OLD.encode(), NEW.encode(), n) for n in range(12_000))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        done = subprocess.run(
            [sys.executable, "-IS", hook.__file__],
            input=lines,
            env={"BOT_BOTTLE_HOOK_FD": str(theirs.fileno())},
            pass_fds=[theirs.fileno()],
            capture_output=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert b"too many refs" in done.stderr


def test_it_is_one_file_that_needs_next_to_nothing() -> None:
    """It starts with each push, where nothing of the installation is."""
    code = (
        "import sys; before = set(sys.modules); exec(sys.argv[1]); print(*sorted(set(sys.modules) - before))"
    )
    source = hook_source.SOURCE.decode().replace('__name__ == "__main__"', "False")
    argv = [sys.executable, "-IS", "-c", code, source]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    of_os = {"os", "os.path", "posixpath", "genericpath", "stat", "_stat", "_collections_abc"}
    assert set(done.stdout.split()) - of_os == {"__future__"}


def test_the_template_holds_no_logic() -> None:
    assert hook_source.template("/usr/bin/python3", "/hooks") == (
        b"#!/bin/sh\nexec /usr/bin/python3 -IS /hooks/hook.py\n"
    )


# -- the gate's side
def _body(
    place: bytes = PLACE, objects: bytes | None = None, alternates: bytes = ALTERNATES, lines: bytes = LINES
) -> bytes:
    return b"\0".join([place, place if objects is None else objects, alternates, lines])


BAD_PLACES = [
    b"/etc",
    b"/run/incoming/2.git/./objects/tmp_objdir-incoming-aB3dE9",
    b"/run/incoming/1.git/./objects/tmp_objdir-incoming-../../x",
    b"/run/incoming/1.git/./objects/tmp_objdir-incoming-aB3dE9/",
    b"/run/incoming/1.git/./objects/tmp_objdir-incoming-aB3dE99",
    b"/run/incoming/1.git/./objects/tmp_objdir-incoming-aB3d\xe9\xe9",
    b"/run/incoming/1.git/./objects/pack",
    b"/run/incoming/1.git/objects",
    b"tmp_objdir-incoming-aB3dE9",
    b"",
]


@pytest.mark.parametrize("place", BAD_PLACES)
def test_a_hook_can_name_no_other_place(place: bytes) -> None:
    with pytest.raises(quarantine.BadHook):
        quarantine.decode(_body(place), REPOSITORY)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        LINES,
        _body() + b"\0",
        _body(objects=b"/etc"),
        _body(objects=b""),
        _body(alternates=b"/elsewhere"),
        b"x" * (quarantine.MAX_MESSAGE_BYTES + 1),
    ],
)
def test_what_no_hook_of_ours_says_is_refused(body: bytes) -> None:
    with pytest.raises(quarantine.BadHook):
        quarantine.decode(body, REPOSITORY)


@pytest.mark.parametrize("lines", [b"", b"x\n", LINES[:-1], LINES + LINES, b"\xff" * 100 + b"\n"])
def test_ref_lines_are_read_strictly(lines: bytes) -> None:
    with pytest.raises(RefsError):
        quarantine.decode(_body(lines=lines), REPOSITORY)


def test_deleted_refs_come_without_a_quarantine() -> None:
    deletion = f"{NEW} {OLD} refs/heads/main\n".encode()
    assert quarantine.decode(_body(b"", b"", b"", deletion), REPOSITORY).quarantine == ""


# -- what lies in it
NAME = "tmp_objdir-incoming-aB3dE9"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "objects" / NAME / "pack").mkdir(parents=True)
    return tmp_path


def _put(repository: Path, *names: str) -> None:
    for name in names:
        (repository / "objects" / NAME / name).parent.mkdir(exist_ok=True)
        (repository / "objects" / NAME / name).write_bytes(b"PACK")


def test_one_pack_is_opened(repository: Path) -> None:
    _put(repository, "pack/pack-1.pack", "pack/pack-1.idx", "pack/pack-1.keep", "pack/pack-1.rev")
    with quarantine.opened(repository, NAME) as fd:
        assert fd is not None
        assert (quarantine.size(fd), os.read(fd, 9)) == (4, b"PACK")


def test_nothing_new_is_no_pack(repository: Path) -> None:
    with quarantine.opened(repository, NAME) as fd:
        assert fd is None
    with quarantine.opened(repository, "") as fd:
        assert fd is None


@pytest.mark.parametrize(
    "names",
    [
        ["pack/pack-1.pack", "pack/pack-2.pack"],
        ["pack/pack-1.pack", "info/alternates"],
        ["pack/pack-1.pack", "ab/cdef"],
        ["pack/pack-1.pack", "pack/multi-pack-index"],
        ["pack/pack-1.idx"],
        [f"pack/pack-{number}.pack" for number in range(40)],
    ],
)
def test_anything_else_in_a_quarantine_is_refused(repository: Path, names: list[str]) -> None:
    _put(repository, *names)
    with pytest.raises(quarantine.BadHook), quarantine.opened(repository, NAME):
        pass


@pytest.mark.parametrize("kind", ["pack", "directory", "quarantine", "store", "pipe", "gone"])
def test_links_and_other_files_are_not_followed(repository: Path, tmp_path: Path, kind: str) -> None:
    _put(repository, "pack/pack-1.pack")
    inside = repository / "objects" / NAME
    pack = inside / "pack/pack-1.pack"
    if kind == "pack":
        pack.unlink()
        pack.symlink_to("/etc/passwd")
    elif kind == "pipe":
        pack.unlink()
        os.mkfifo(pack)
    elif kind == "gone":
        pack.unlink()
        (inside / "pack").rmdir()
        inside.rmdir()
    else:
        moved = {"directory": inside / "pack", "quarantine": inside, "store": repository / "objects"}[kind]
        moved.rename(tmp_path / "moved")
        moved.symlink_to(tmp_path / "moved")
    with pytest.raises(quarantine.BadHook), quarantine.opened(repository, NAME):
        pass
