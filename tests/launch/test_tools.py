"""Installing pinned tools and finding the operator's own.

The registry is a fake ``npm`` on PATH: a program that does what npm pack does, with a tarball of the
test's. What is asserted is what lies on disk afterwards.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import signal
import stat
import subprocess
import sys
import tarfile
import threading
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from msgspec import structs

from bot_bottle.launch.tool_install import ToolError, ensure_tool, is_installed
from bot_bottle.launch.tools import GUEST_TOOLS, BoundTool, find_own, provide
from bot_bottle.providers.contract import Tool

PROGRAM = b"#!/bin/sh\necho never run\n"
CONTENT = {"package/package.json": (b"{}", 0o644), "package/bin/agent": (PROGRAM, 0o755)}


def tarball(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def member(
    name: str, data: bytes = b"", mode: int = 0o644, **fields: object
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), mode
    for field, value in fields.items():
        setattr(info, field, value)
    return info, data


GOOD = tarball(*(member(name, data, mode) for name, (data, mode) in CONTENT.items()))


def pin(data: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


def tool(integrity: str = pin(GOOD), **fields: object) -> Tool:
    values: dict[str, object] = {
        "name": "agent", "version": "1.2.3", "package": "@scope/agent-linux", "integrity": integrity,
        "program": PurePosixPath("bin/agent"), **fields,
    }  # fmt: skip
    return Tool(**values)  # type: ignore[arg-type]


class FakeNpm:
    """``npm pack`` as far as the installer goes by it; every call leaves its argv and environment."""

    def __init__(self, directory: Path) -> None:
        self.bin = directory / "bin"
        self.bin.mkdir(parents=True)
        self.calls = directory / "calls"
        self.calls.touch()
        self._tarball = directory / "served.tgz"

    def serve(self, data: bytes, before: str = "") -> None:
        self._tarball.write_bytes(data)
        npm = self.bin / "npm"
        npm.write_text(
            f"#!/bin/sh\n{{ echo \"$@\"; env; echo --; }} >> '{self.calls}'\n{before}\n"
            'for a in "$@"; do case "$a" in --pack-destination=*) d=${a#*=};; esac; done\n'
            f"cp '{self._tarball}' \"$d/scope-agent.tgz\"\n"
        )
        npm.chmod(0o755)

    def count(self) -> int:
        return self.calls.read_text().splitlines().count("--")


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeNpm:
    fake = FakeNpm(tmp_path / "npm")
    fake.serve(GOOD)
    monkeypatch.setenv("PATH", f"{fake.bin}:/usr/bin:/bin")
    return fake


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "tools"


def silent(line: str) -> None:
    """Progress that nobody reads."""


def leftovers(root: Path) -> list[str]:
    """What lies in the tool's directory besides finished installations and the lock."""
    return sorted(p.name for p in (root / "agent").iterdir() if p.name not in ("1.2.3", ".lock"))


def test_installed_once(npm: FakeNpm, root: Path) -> None:
    """The first call downloads and says so; the second one calls nothing and says nothing."""
    said: list[str] = []
    place = ensure_tool(tool(), root, said.append)
    assert place == root / "agent" / "1.2.3"
    assert (place / "bin" / "agent").read_bytes() == PROGRAM
    assert any("downloading @scope/agent-linux 1.2.3" in line for line in said)
    said.clear()
    assert ensure_tool(tool(), root, said.append) == place
    assert (npm.count(), said, leftovers(root)) == (1, [], [])


def test_sealed(npm: FakeNpm, root: Path) -> None:
    """Nothing of an installed tool can be written; only what was executable is."""
    place = ensure_tool(tool(), root, silent)
    modes = {
        str(path.relative_to(place)): stat.S_IMODE(path.stat().st_mode) for path in [place, *place.rglob("*")]
    }
    assert modes == {".": 0o555, "bin": 0o555, "bin/agent": 0o555, "package.json": 0o444, ".integrity": 0o444}


@pytest.mark.parametrize("umask", [0o077, 0o002, 0o000])
def test_directories_whatever_the_umask(npm: FakeNpm, tmp_path: Path, umask: int) -> None:
    """Those that are made can be read by every uid and written by ours alone; one that is there keeps its
    mode."""
    (tmp_path / "kept").mkdir(mode=0o711)
    before = os.umask(umask)
    try:
        place = ensure_tool(tool(), tmp_path / "kept" / "made" / "tools", silent)
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (place, *list(place.parents)[:4])]
    assert modes == [0o555, 0o755, 0o755, 0o755, 0o711]
    assert stat.S_IMODE((place / "bin" / "agent").stat().st_mode) == 0o555


def test_npm_gets_the_exact_version_and_no_secret(
    npm: FakeNpm, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One exact version, no scripts, a cache of its own; credentials of the environment stay out."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "not-for-npm")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    ensure_tool(tool(), root, silent)
    call = npm.calls.read_text()
    assert call.startswith("pack @scope/agent-linux@1.2.3 --ignore-scripts ")
    assert f"--cache={root / 'agent'}/.installing-" in call
    assert "HTTPS_PROXY=http://127.0.0.1:1" in call
    assert "not-for-npm" not in call


@pytest.mark.parametrize(
    ("integrity", "message"),
    [
        (pin(GOOD + b"\0"), "not what was pinned"),
        (pin(b""), "not what was pinned"),
        ("sha1-" + base64.b64encode(hashlib.sha1(GOOD).digest()).decode(), "no sha512 integrity"),
        ("sha512-", "no sha512 integrity"),
        (pin(GOOD)[:-4], "no sha512 integrity"),
        ("sha512-" + "*" * 88, "no sha512 integrity"),
        ("", "no sha512 integrity"),
    ],
)
def test_integrity_is_held(npm: FakeNpm, root: Path, integrity: str, message: str) -> None:
    """A tarball that is not byte for byte the pinned one leaves nothing, and a weaker pin is none."""
    with pytest.raises(ToolError, match=message):
        ensure_tool(tool(integrity), root, silent)
    assert not is_installed(tool(integrity), root)
    assert leftovers(root) == [] and not (root / "agent" / "1.2.3").exists()


def test_changed_pin_installs_again(npm: FakeNpm, root: Path) -> None:
    """The same version under another pin is another tool; the earlier one makes way."""
    ensure_tool(tool(), root, silent)
    other = tarball(member("package/bin/agent", b"other", 0o755))
    npm.serve(other)
    place = ensure_tool(tool(pin(other)), root, silent)
    assert (place / "bin" / "agent").read_bytes() == b"other"
    assert not (place / "package.json").exists()
    assert leftovers(root) == []


@pytest.mark.parametrize(
    "bad",
    [
        member("package/../../escaped", b"x"),
        member("../escaped", b"x"),
        member("/package/escaped", b"x"),
        member("escaped", b"x"),
        member("package", b"x"),
        member("package/a//b", b"x"),
        member("package/./bin/agent", b"twice", 0o755),
        member("./other/a", b"x"),
        member("other/a", b"x"),
        member("package/.integrity", b"x"),
        member("package/a\nb", b"x"),
        member("package/bin/agent", b"twice", 0o755),
        member("package/link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        member("package/link", type=tarfile.SYMTYPE, linkname="bin/agent"),
        member("package/link", type=tarfile.LNKTYPE, linkname="package/bin/agent"),
        member("package/pipe", type=tarfile.FIFOTYPE),
        member("package/dev", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
    ],
    ids=lambda bad: f"{bad[0].name!r}-{bad[0].type.decode()}",
)
def test_hostile_tarball(npm: FakeNpm, root: Path, bad: tuple[tarfile.TarInfo, bytes]) -> None:
    """Even a correctly pinned tarball makes plain files and directories below its own place, or nothing."""
    data = tarball(*(member(name, content, mode) for name, (content, mode) in CONTENT.items()), bad)
    npm.serve(data)
    before = {path for path in root.parent.rglob("*") if root not in path.parents and path != root}
    with pytest.raises(ToolError):
        ensure_tool(tool(pin(data)), root, silent)
    assert {path for path in root.parent.rglob("*") if root not in path.parents and path != root} == before
    assert leftovers(root) == [] and not (root / "agent" / "1.2.3").exists()


def test_the_same_file_twice(npm: FakeNpm, root: Path) -> None:
    """Packages are out there that name a file as ``package/./x`` and as ``package/x``."""
    data = tarball(*(member(f"package/{dot}bin/agent", PROGRAM, 0o755) for dot in ("", "./", "")))
    npm.serve(data)
    assert (ensure_tool(tool(pin(data)), root, silent) / "bin" / "agent").read_bytes() == PROGRAM


def test_setuid_falls_away(npm: FakeNpm, root: Path) -> None:
    data = tarball(member("package/bin/agent", PROGRAM, 0o6755))
    npm.serve(data)
    place = ensure_tool(tool(pin(data)), root, silent)
    assert stat.S_IMODE((place / "bin" / "agent").stat().st_mode) == 0o555


@pytest.mark.parametrize("cut", [0, 20, len(GOOD) // 2])
def test_damaged_tarball(npm: FakeNpm, root: Path, cut: int) -> None:
    data = GOOD[:cut]
    npm.serve(data)
    with pytest.raises(ToolError):
        ensure_tool(tool(pin(data)), root, silent)
    assert leftovers(root) == []


def test_program_must_be_in_it(npm: FakeNpm, root: Path) -> None:
    data = tarball(member("package/bin/agent", PROGRAM, 0o644))
    npm.serve(data)
    with pytest.raises(ToolError, match="has no program 'bin/agent'"):
        ensure_tool(tool(pin(data)), root, silent)


def test_npm_fails(npm: FakeNpm, root: Path) -> None:
    """npm's own words come through, with the other way out; a later call starts afresh."""
    npm.serve(GOOD, before="echo 'E404 no such package' >&2; exit 1")
    with pytest.raises(ToolError, match=r"E404 no such package.*'tools'"):
        ensure_tool(tool(), root, silent)
    assert leftovers(root) == []
    npm.serve(GOOD)
    ensure_tool(tool(), root, silent)


@pytest.mark.parametrize(
    ("field", "value"), [("version", "../x"), ("name", ".."), ("version", ""), ("name", "a/b")]
)
def test_pin_is_no_path(npm: FakeNpm, root: Path, field: str, value: str) -> None:
    with pytest.raises(ToolError, match="part of a path"):
        ensure_tool(tool(**{field: value}), root, silent)
    assert npm.count() == 0


def test_two_at_once(npm: FakeNpm, root: Path, tmp_path: Path) -> None:
    """The second launch waits, says so, and uses what the first one installed."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    npm.serve(GOOD, before=f"read line < '{gate}'")
    places: list[Path] = []
    waits = threading.Event()

    def second(line: str) -> None:
        assert "waiting" in line
        waits.set()

    first = threading.Thread(target=lambda: places.append(ensure_tool(tool(), root, silent)))
    first.start()
    with gate.open("w") as writing:  # opens when the first one's npm has begun to read
        other = threading.Thread(target=lambda: places.append(ensure_tool(tool(), root, second)))
        other.start()
        assert waits.wait(30)
        writing.write("go\n")
    first.join(30)
    other.join(30)
    assert places == [root / "agent" / "1.2.3"] * 2
    assert npm.count() == 1


def test_killed_installation(npm: FakeNpm, root: Path, tmp_path: Path) -> None:
    """What a killed installer left is no tool, and goes with the next installation."""
    gate, pid_file = tmp_path / "gate", tmp_path / "pid"
    os.mkfifo(gate)
    npm.serve(GOOD, before=f"echo $$ > '{pid_file}'; read line < '{gate}'")
    script = (
        "import sys; from pathlib import Path, PurePosixPath\n"
        "from bot_bottle.launch.tool_install import ensure_tool\n"
        "from bot_bottle.providers.contract import Tool\n"
        "name, version, package, integrity, program, root = sys.argv[1:]\n"
        "ensure_tool(Tool(name, version, package, integrity, PurePosixPath(program)), Path(root), print)\n"
    )
    t = tool()
    installer = subprocess.Popen(
        [sys.executable, "-c", script, t.name, t.version, t.package, t.integrity, str(t.program), str(root)],
        stdout=subprocess.DEVNULL,
    )
    with gate.open("w"):
        os.kill(installer.pid, signal.SIGKILL)
        installer.wait()
        os.kill(int(pid_file.read_text()), signal.SIGKILL)
    assert not is_installed(t, root)
    assert len(leftovers(root)) == 1
    npm.serve(GOOD)
    ensure_tool(t, root, silent)
    assert leftovers(root) == []


# -- the operator's own


def make_program(path: Path, content: bytes = PROGRAM) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("named", "lies_at"),
    [
        ("opt", "opt/agent"),
        ("opt", "opt/bin/agent"),
        ("opt", "opt/node_modules/.bin/agent"),
        ("opt/agent", "opt/agent"),
        ("opt/agent.exe", "opt/agent.exe"),
    ],
)
def test_find_own(tmp_path: Path, named: str, lies_at: str) -> None:
    program = make_program(tmp_path / lies_at)
    assert find_own("agent", [tmp_path / "elsewhere", tmp_path / named]) == program


def test_find_own_passes_over_what_can_not_run(tmp_path: Path) -> None:
    """A directory or a file without the executable bit is no program; PATH is asked only where allowed."""
    (tmp_path / "a" / "agent").mkdir(parents=True)
    make_program(tmp_path / "b" / "agent").chmod(0o644)
    assert find_own("agent", [tmp_path / "a", tmp_path / "b"]) is None


def provided(*args: Any) -> BoundTool:
    """What is provided, with everything in place that was pending."""
    bound = provide(*args)
    if bound.pending is None:
        return bound
    assert not bound.mount.source.exists()
    bound.pending.carry_out(silent)
    assert provide(*args).pending is None
    return replace(bound, pending=None)


def test_nothing_is_fetched_before_it_is_agreed_to(npm: FakeNpm, root: Path) -> None:
    """What would be installed is said, with version, size and place; asked for again, it is still the same."""
    bound = provide("agent", structs.replace(tool(), megabytes=5), [], root, silent)
    assert provide("agent", structs.replace(tool(), megabytes=5), [], root, silent) == bound
    assert bound.pending is not None
    assert bound.pending.what == f"{tool().package} 1.2.3 (5 MB) in {root}/agent/1.2.3"
    assert npm.count() == 0 and not root.exists()


def test_own_package_is_bound_whole(npm: FakeNpm, root: Path, tmp_path: Path) -> None:
    """A named program that belongs to an npm package brings that package, links resolved; no download."""
    package = tmp_path / "prefix" / "lib" / "node_modules" / "@scope" / "agent"
    make_program(package / "bin" / "agent.exe")
    (package / "package.json").write_text("{}")
    (tmp_path / "prefix" / "bin").mkdir()
    (tmp_path / "prefix" / "bin" / "agent").symlink_to(package / "bin" / "agent.exe")
    bound = provided("agent", tool(), [tmp_path / "prefix"], root, silent)
    assert bound.mount.target == GUEST_TOOLS / "agent"
    assert bound.program == GUEST_TOOLS / "agent" / "bin" / "agent.exe"
    assert (bound.mount.source / "bin" / "agent.exe").read_bytes() == PROGRAM
    assert (bound.mount.source / "package.json").exists()
    assert npm.count() == 0


def test_own_program_alone(npm: FakeNpm, root: Path, tmp_path: Path) -> None:
    """A program without a package is bound as one file, under the command's name."""
    versions = tmp_path / "share" / "versions"
    make_program(versions / "9.9.9")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "agent").symlink_to(versions / "9.9.9")
    bound = provided("agent", None, [tmp_path / "bin"], root, silent)
    assert bound.mount.target == bound.program == GUEST_TOOLS / "agent" / "agent"
    assert bound.mount.source.read_bytes() == PROGRAM


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs to start as root")
def test_what_other_uids_can_not_read_is_copied(npm: FakeNpm, root: Path, tmp_path: Path) -> None:
    """Root's bottles run as other uids: a program below a closed home is copied once, sealed, for them;
    a changed one is copied again."""
    program = make_program(tmp_path / "closed" / "agent")
    (tmp_path / "closed").chmod(0o700)
    first = provided("agent", None, [tmp_path / "closed"], root, silent)
    assert first.mount.source.is_relative_to(root)
    assert stat.S_IMODE(first.mount.source.stat().st_mode) == 0o555
    assert provided("agent", None, [tmp_path / "closed"], root, silent) == first
    program.write_bytes(PROGRAM + b"# changed\n")
    assert provided("agent", None, [tmp_path / "closed"], root, silent).mount.source != first.mount.source


def without_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it; find_program's own additions have no npm either."""
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
    return empty


def test_without_npm(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No npm, no own program: the message names both ways out."""
    without_npm(tmp_path, monkeypatch)
    with pytest.raises(ToolError, match=r"npm is needed to install agent 1\.2\.3.*'tools'"):
        provided("agent", tool(), [], root, silent)


def test_without_npm_path_is_asked(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No npm, but the operator has the program: it is used, and said so."""
    make_program(without_npm(tmp_path, monkeypatch) / "agent")
    said: list[str] = []
    bound = provided("agent", tool(), [], root, said.append)
    assert bound.mount.source.read_bytes() == PROGRAM
    assert any("npm is not installed: using your own" in line for line in said)


def test_pinned_one_is_preferred_to_path(npm: FakeNpm, root: Path) -> None:
    """What happens to be on PATH is not what was pinned."""
    make_program(npm.bin / "agent", b"other")
    bound = provided("agent", tool(), [], root, silent)
    assert (bound.mount.source / "bin" / "agent").read_bytes() == PROGRAM
    assert bound.program == GUEST_TOOLS / "agent" / "bin" / "agent"


def test_no_build_for_this_machine(npm: FakeNpm, root: Path) -> None:
    with pytest.raises(ToolError, match="no pinned build of 'agent' for this machine"):
        provided("agent", None, [], root, silent)
