"""Whatever a home holds: only regular files of the agent's conversations are copied out of it, nothing of the host's,
bounded; the copy replaces the one before whole or not at all, and comes back as it was."""

from __future__ import annotations

import errno
import os
import socket
import stat
import threading
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.base import linux
from bot_bottle.launch import transcript, transcript_files
from bot_bottle.launch.transcript import conversations_at, conversations_in, restore, save
from bot_bottle.providers.contract import GUEST_HOME, Transcript
from bot_bottle.providers.registry import PROVIDERS

CLAUDE = PROVIDERS["claude"].transcript
assert CLAUDE is not None
SECRET = "of the host's, and of nobody else's"


class Home:
    """An agent's home as it lies on the host, a state directory beside it, and a file of the host's."""

    def __init__(self, base: Path) -> None:
        self.upper = base / "upper"
        self.projects = self.upper / ".claude" / "projects"
        self.project = self.projects / "-home-node"
        self.project.mkdir(parents=True)
        self.state = base / "state"
        self.state.mkdir(mode=0o700)
        self.place = self.state / "transcript"
        self.secret = base / "secret.jsonl"
        self.secret.write_text(SECRET)

    def write(self, name: str, text: str = "said", *, mtime_s: int = 0) -> Path:
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if mtime_s:
            os.utime(path, (mtime_s, mtime_s))
        return path

    def save(self, what: Transcript = CLAUDE) -> transcript.Saved:
        return save(self.upper, what, self.place)

    def copied(self) -> dict[str, str]:
        """Path below the copy to content, for everything that is in it."""
        found = {}
        for directory, _, names in os.walk(self.place):
            for name in names:
                path = Path(directory, name)
                assert stat.S_ISREG(path.lstat().st_mode)
                found[path.relative_to(self.place).as_posix()] = path.read_text()
        return found


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_the_conversations_alone(home: Home) -> None:
    """Settings, hooks, credentials, memory and what else lies in the directory stay where they are."""
    home.write("one.jsonl", "first")
    home.write("one/subagents/agent-a.jsonl", "asked")
    home.write("one/tool-results/x.txt", "long")
    for name in ("settings.json", ".credentials.json", "hooks/run.sh", "CLAUDE.md", "history.jsonl"):
        (home.upper / ".claude" / name).parent.mkdir(exist_ok=True)
        (home.upper / ".claude" / name).write_text(SECRET)
    home.write("memory/MEMORY.md", SECRET)
    home.write("settings.json", SECRET)
    home.write("one/tool-results/run.sh", SECRET)
    saved = home.save()
    assert home.copied() == {
        "projects/-home-node/one.jsonl": "first",
        "projects/-home-node/one/subagents/agent-a.jsonl": "asked",
        "projects/-home-node/one/tool-results/x.txt": "long",
    }
    assert (saved.files, saved.bytes, saved.left_out_count) == (3, 14, 0)
    for directory, names, files in os.walk(home.state):
        for name in names:
            assert stat.S_IMODE(os.lstat(Path(directory, name)).st_mode) == 0o700
        for name in files:
            assert stat.S_IMODE(os.lstat(Path(directory, name)).st_mode) == 0o600


@pytest.mark.parametrize("template", ["claude", "codex", "pi"])
def test_what_each_agent_declares(template: str) -> None:
    """Below its own directory in the home; patterns of bounded depth, which no name that leaves could match."""
    declared = PROVIDERS[template].transcript
    assert declared is not None
    assert declared.directory.is_relative_to(GUEST_HOME) and declared.directory != GUEST_HOME
    for pattern in declared.files:
        first, *rest = pattern.split("/")
        assert "*" not in first and 1 <= len(rest) <= 5
        assert all(part and part not in (".", "..") and "*" not in part[1:] for part in (first, *rest))
        assert pattern.endswith((".jsonl", ".json", ".txt"))


def test_an_agent_without_conversations() -> None:
    assert PROVIDERS["command"].transcript is None


def _fifo(home: Home) -> None:
    os.mkfifo(home.project / "x.jsonl")


def _socket(home: Home) -> None:
    path = os.path.relpath(home.project / "x.jsonl")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path if len(path) < 100 else str(home.project / "x.jsonl"))


def _device(home: Home) -> None:
    os.mknod(home.project / "x.jsonl", stat.S_IFCHR | 0o666, os.makedev(0, 0))  # a whiteout: anybody may


def _zero(home: Home) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root makes devices")
    os.mknod(home.project / "x.jsonl", stat.S_IFCHR | 0o666, os.makedev(1, 5))


def _sparse(home: Home) -> None:
    os.truncate(home.write("x.jsonl"), 1 << 40)


HOSTILE: dict[str, tuple[Callable[[Home], object], str]] = {
    "link to a file of the host's": (lambda h: (h.project / "x.jsonl").symlink_to(h.secret), "link"),
    "link by a relative way": (lambda h: (h.project / "x.jsonl").symlink_to("../../../../secret.jsonl"), "link"),
    "link to nothing": (lambda h: (h.project / "x.jsonl").symlink_to("/nonexistent"), "link"),
    "hard link": (lambda h: os.link(h.secret, h.project / "x.jsonl"), "hard link"),
    "project that is a link": (lambda h: (h.projects / "x").symlink_to(h.secret.parent), "link"),
    "FIFO": (_fifo, "FIFO"),
    "socket": (_socket, "socket"),
    "device": (_device, "device"),
    "endless device": (_zero, "device"),
    "sparse file of a tebibyte": (_sparse, "too large"),
    "control characters": (lambda h: h.write("\x1b[2J\u202e.jsonl"), "not a name that agents give"),
    "newline in a directory's name": (
        lambda h: h.write("../a\nb/x.jsonl"),
        "not a name that agents give",
    ),
    "no UTF-8": (lambda h: h.write(os.fsdecode(b"\xff\xfe.jsonl")), "not a name that agents give"),
    "hidden": (lambda h: h.write(".x.jsonl"), "not a name that agents give"),
    "long name": (lambda h: h.write("x" * 240 + ".jsonl"), "not a name that agents give"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_home(home: Home, kind: str) -> None:
    """What is no conversation is left out, named so that a terminal obeys nothing, and the rest is copied."""
    make, why = HOSTILE[kind]
    home.write("good.jsonl", "good")
    make(home)
    saved = home.save()
    assert home.copied() == {"projects/-home-node/good.jsonl": "good"}
    assert saved.left_out_count == 1
    (line,) = saved.left_out
    assert line.endswith(f"({why})") and line.isprintable()


@pytest.mark.parametrize("part", [".claude", ".claude/projects", "."])
def test_a_way_that_is_a_link(home: Home, tmp_path: Path, part: str) -> None:
    """Nothing is copied where a directory on the way is a link to a real one."""
    home.write("good.jsonl")
    place = home.upper if part == "." else home.upper / part
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    saved = home.save()
    assert (saved.files, saved.left_out_count, home.copied()) == (0, 1, {})
    assert conversations_in(home.upper, CLAUDE) == ()


def test_nothing_there(home: Home) -> None:
    """No conversation is no news, and does not take an earlier copy away."""
    assert home.save() == transcript.Saved(0, 0, (), 0)
    assert not home.place.exists()
    kept = home.write("a.jsonl")
    home.save()
    kept.unlink()
    home.save()
    assert list(home.copied()) == ["projects/-home-node/a.jsonl"]
    home.project.rmdir()
    home.projects.rmdir()
    (home.upper / ".claude").rmdir()
    assert home.save() == transcript.Saved(0, 0, (), 0)


def test_the_newest_count_first(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all don't fit, and for the same reason of one that is too large by itself."""
    monkeypatch.setattr(transcript, "MAX_BYTES", 100)
    monkeypatch.setattr(transcript, "MAX_FILE_BYTES", 60)
    for number, size in enumerate((50, 61, 50, 40), start=1):
        home.write(f"{number}.jsonl", "x" * size, mtime_s=1_000_000 + number)
    saved = home.save()
    assert sorted(home.copied()) == ["projects/-home-node/3.jsonl", "projects/-home-node/4.jsonl"]
    assert (saved.files, saved.bytes, saved.left_out_count) == (2, 90, 2)


def test_too_many(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries and files are bounded, and it is said."""
    monkeypatch.setattr(transcript_files, "MAX_LOOKED_AT", 30)
    for number in range(40):
        home.write(f"{number}.jsonl")
    saved = home.save()
    assert saved.files == 29 and saved.left_out == ("further ones (there are more than 30 entries)",)


@pytest.mark.slow
def test_a_hundred_thousand_files(home: Home) -> None:
    """The first ten thousand are copied, and nothing else is looked at."""
    for number in range(100_000):
        os.close(os.open(home.project / f"{number}.jsonl", os.O_CREAT | os.O_WRONLY, 0o600))
    saved = home.save()
    assert saved.files == transcript_files.MAX_FILES == len(home.copied())
    assert saved.left_out_count == 1


def test_depth(home: Home) -> None:
    """Directories below what the patterns name are not entered."""
    home.write("a/" + "d/" * 60 + "subagents/deep.jsonl")
    assert home.save().files == 0


def test_the_copy_replaces_the_one_before(home: Home) -> None:
    """Whole: what is gone from the home is gone from it too; nothing else is left in the state directory."""
    first = home.write("a.jsonl", "one")
    home.save()
    first.unlink()
    home.write("b.jsonl", "two")
    (home.state / ".transcript-cut-off").mkdir()  # of a process that was killed
    home.save()
    assert home.copied() == {"projects/-home-node/b.jsonl": "two"}
    assert os.listdir(home.state) == ["transcript"]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS])
def test_a_file_system_that_cannot_swap(home: Home, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """It is replaced all the same."""

    def exchange(*_: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(linux, "exchange", exchange)
    home.write("a.jsonl", "one")
    home.save()
    home.write("a.jsonl", "two")
    home.save()
    assert home.copied() == {"projects/-home-node/a.jsonl": "two"}
    assert os.listdir(home.state) == ["transcript"]


def test_a_full_disk(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The earlier copy stays, and nothing of the new one."""
    home.write("a.jsonl", "one")
    home.save()

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(transcript, "copy_data", full)
    home.write("a.jsonl", "two")
    with pytest.raises(OSError, match="No space left"):
        home.save()
    assert home.copied() == {"projects/-home-node/a.jsonl": "one"}
    assert os.listdir(home.state) == ["transcript"]


Swap = Callable[[Home, Path], None]


def _swap_file(home: Home, aside: Path) -> None:
    """A conversation, then a link of the same name to the host's file, and back."""
    linux.exchange(home.project / "a.jsonl", aside)


def _swap_directory(home: Home, aside: Path) -> None:
    linux.exchange(home.project, aside)


@pytest.mark.parametrize("what", ["file", "directory"])
def test_names_that_change_meanwhile(home: Home, tmp_path: Path, what: str) -> None:
    """Somebody renames between each look and the next step: nothing of the host's is ever in the copy."""
    home.write("a.jsonl", "said")
    (home.secret.parent / "host").mkdir()
    (home.secret.parent / "host" / "a.jsonl").write_text(SECRET)
    aside = tmp_path / "aside"
    aside.symlink_to(home.secret if what == "file" else home.secret.parent / "host")
    swap: Swap = _swap_file if what == "file" else _swap_directory
    over = threading.Event()

    def swapping() -> None:
        while not over.is_set():
            swap(home, aside)

    thread = threading.Thread(target=swapping)
    thread.start()
    outcomes = set()
    try:
        for _ in range(300):
            home.save()
            outcomes.update(home.copied().values())
    finally:
        over.set()
        thread.join()
    assert outcomes == {"said"}


class Bottle:
    """Where a copy is put back."""

    def __init__(self) -> None:
        self.written: list[tuple[PurePosixPath, bytes, int]] = []

    def write(self, path: PurePosixPath, content: bytes, mode: int) -> None:
        self.written.append((path, content, mode))


def test_it_comes_back(home: Home) -> None:
    """At the places that it was at, readable by the bottle's user alone, the oldest first."""
    home.write("b.jsonl", "later", mtime_s=2_000)
    home.write("c/subagents/agent-x.jsonl", "earlier", mtime_s=1_000)
    home.save()
    bottle = Bottle()
    assert restore(home.place, CLAUDE, bottle.write) == 2
    project = GUEST_HOME / ".claude" / "projects" / "-home-node"
    assert bottle.written == [
        (project / "c" / "subagents" / "agent-x.jsonl", b"earlier", 0o600),
        (project / "b.jsonl", b"later", 0o600),
    ]


def test_a_copy_that_was_damaged(home: Home) -> None:
    """Only what could have been copied is put back; where there is nothing, that is an error of the system's."""
    home.write("a.jsonl", "said")
    home.save()
    (home.place / "projects" / "-home-node" / "b.jsonl").symlink_to(home.secret)
    (home.place / "settings.json").write_text("{}")
    bottle = Bottle()
    assert restore(home.place, CLAUDE, bottle.write) == 1
    assert [content for _, content, _ in bottle.written] == [b"said"]
    with pytest.raises(OSError, match="directory"):
        restore(home.state / "missing", CLAUDE, bottle.write)


def test_which_there_are(home: Home) -> None:
    """Files, not directories; the newest first, in the home and in the copy."""
    assert conversations_in(home.upper, CLAUDE) == conversations_at(home.place, CLAUDE) == ()
    home.write("b.jsonl", mtime_s=1_000)
    home.write("a.jsonl", mtime_s=3_000)
    home.write("c.jsonl", mtime_s=2_000)
    expected = tuple(PurePosixPath("projects", "-home-node", f"{name}.jsonl") for name in "acb")
    assert conversations_in(home.upper, CLAUDE) == expected
    home.save()
    assert conversations_at(home.place, CLAUDE) == expected
    assert conversations_in(home.upper / "missing", CLAUDE) == ()


names = st.text(st.sampled_from("ab.-\n\x1b *é/"), min_size=1, max_size=6)


@given(st.lists(st.tuples(names, names), max_size=6))
def test_only_what_the_patterns_name(
    tmp_path_factory: pytest.TempPathFactory, made: list[tuple[str, str]]
) -> None:
    """Whatever names a home holds: what is copied has the place and the name of a conversation."""
    home = Home(tmp_path_factory.mktemp("any"))
    for directory, name in made:
        path = home.projects / directory.replace("/", "") / f"{name.replace('/', '')}.jsonl"
        try:
            path.parent.mkdir(exist_ok=True)
            path.write_text("x")
        except OSError:
            continue
    home.save()
    for path in home.copied():
        first, project, file = path.split("/")
        assert first == "projects" and file.endswith(".jsonl")
        assert set(project + file) <= set("abcdefghijklmnopqrstuvwxyz-.") and not file.startswith(".")
