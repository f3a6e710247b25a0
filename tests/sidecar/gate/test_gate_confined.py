"""What a program of the gate's sandboxes can reach, told by the program itself."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from bot_bottle.sidecar.gate import confined, gitenv


@pytest.fixture
def confinement(tmp_path: Path) -> confined.Confinement:
    return confined.Confinement(tmp_path / "work")


@pytest.fixture
def objects(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "some.git")], check=True)
    return tmp_path / "some.git/objects"


async def output(sealed: confined.Sealed) -> tuple[int, str]:
    async with confined.running(sealed, stderr=asyncio.subprocess.STDOUT) as process:
        text, _ = await process.communicate()
        return process.returncode or 0, text.decode()


def shell(script: str, confinement: confined.Confinement, objects: Path, **given: object) -> str:
    argv = ["sh", "-c", script]
    return asyncio.run(output(confinement.seal(argv, objects=objects, **given)))[1]  # type: ignore[arg-type]


def test_it_sees_the_system_and_what_it_was_given(
    confinement: confined.Confinement, objects: Path, tmp_path: Path
) -> None:
    """No home, no /proc, no other file of the host's; the objects only to read."""
    (tmp_path / "secret").write_text("here")
    assert shell("ls /", confinement, objects).split() == sorted(
        ["usr", "etc", "dev", "tmp", "repo", *([objects.parts[1]] if objects.parts[1] != "tmp" else [])]
        + [name for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32") if os.path.exists(f"/{name}")]
    )
    assert "No such file" in shell(f"cat {tmp_path / 'secret'}", confinement, objects)
    assert "Read-only" in shell(f"touch {objects}/new", confinement, objects)
    shown = shell(f"cat {tmp_path / 'secret'}", confinement, objects, readable=[tmp_path / "secret"])
    assert shown == "here"


def test_it_has_an_environment_and_descriptors_of_ours(
    confinement: confined.Confinement, objects: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_TOKEN", "seen")
    names = {line.partition("=")[0] for line in shell("env", confinement, objects).splitlines()}
    assert names - {"PWD", "OLDPWD", "SHLVL", "_"} == set(gitenv.environment()) | {
        "GIT_DIR",
        "GIT_OBJECT_DIRECTORY",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    }
    argv = ["python3", "-c", "import os\nprint([f for f in range(64) if not os.system(f'true <&{f} 2>&-')])"]
    code = "import os\nfor f in range(3, 99):\n try: os.fstat(f); print(f)\n except OSError: pass"
    argv = ["/usr/bin/python3", "-ISc", code]
    assert asyncio.run(output(confinement.seal(argv, objects=objects))) == (0, "")


def test_it_has_no_network(confinement: confined.Confinement, objects: Path) -> None:
    """A listener on the host's loopback is reached from outside, and from inside only where that is asked for."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        code = f"import socket; socket.create_connection(('127.0.0.1', {port}), 5); print('in')"
        argv = ["/usr/bin/python3", "-ISc", code]
        assert "refused" in asyncio.run(output(confinement.seal(argv, objects=objects)))[1]
        with_it = confinement.wrap(argv, confined.Files(), gitenv.environment(), network=True)
        assert asyncio.run(output(with_it)) == (0, "in\n")


def test_git_works_in_it_with_settings_that_a_repository_cannot_change(
    confinement: confined.Confinement, objects: Path
) -> None:
    code, text = asyncio.run(output(confinement.seal(["git", "config", "--list"], objects=objects)))
    assert code == 0
    settings = dict(line.split("=", 1) for line in text.splitlines())
    assert {key.lower(): value for key, value in gitenv.ALL.items()}.items() <= settings.items()
    git = confinement.seal(["git", "count-objects"], objects=objects)
    assert asyncio.run(output(git)) == (0, "0 objects, 0 kilobytes\n")


def test_address_space_can_be_bounded(confinement: confined.Confinement, objects: Path) -> None:
    argv = ["/usr/bin/python3", "-ISc", "bytearray(300 * 2**20); print('had it')"]
    assert asyncio.run(output(confinement.seal(argv, objects=objects)))[1] == "had it\n"
    bounded = confinement.seal(argv, objects=objects, rlimit_as=200 * 2**20)
    assert "MemoryError" in asyncio.run(output(bounded))[1]


def test_leaving_the_context_kills_all_of_it(confinement: confined.Confinement, objects: Path) -> None:
    """Also what put itself into a session of its own; and nothing is left to be waited for."""

    async def started() -> int:
        argv = ["sh", "-c", "setsid sleep 987 & setsid sleep 987 & echo up; wait"]
        async with confined.running(confinement.seal(argv, objects=objects)) as process:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"up\n"
            assert sleepers()
        return process.returncode or 0

    def sleepers() -> list[str]:
        found = subprocess.run(["pgrep", "-f", "^sleep 987$"], capture_output=True, text=True)
        return found.stdout.split()

    assert asyncio.run(started()) == 137
    deadline = time.monotonic() + 10
    while sleepers() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert sleepers() == []
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_program_that_is_not_there_says_so(confinement: confined.Confinement, objects: Path) -> None:
    code, text = asyncio.run(output(confinement.seal(["no-such-program"], objects=objects)))
    assert code != 0 and "no-such-program" in text
