"""The wheel: what a user installs is built from the clone and works outside it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    argv = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    argv += ["--no-deps", "--no-build-isolation", "--wheel-dir", str(out), str(root)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (found,) = out.glob("bot_bottle-*.whl")
    return found


def test_wheel_holds_every_module_and_the_type_marker(wheel: Path, root: Path) -> None:
    """Nothing that the code reads at run time is left out: modules, the shim's programs, data, py.typed."""
    source = root / "src"
    listing = subprocess.run(
        ["git", "ls-files", "-z", "src/bot_bottle"], cwd=root, capture_output=True, text=True, check=True
    ).stdout
    wanted = {
        str(Path(name).relative_to("src")) for name in listing.split("\0") if name and (root / name).is_file()
    }
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    assert "bot_bottle/py.typed" in wanted
    assert source.is_dir()
    assert wanted - held == set()


def test_wheel_holds_no_tests_and_no_tools(wheel: Path) -> None:
    """The product's package and its metadata, nothing else."""
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"bot_bottle"}


def test_installed_wheel_runs_outside_the_clone(wheel: Path, tmp_path: Path) -> None:
    """The command of the wheel works from its own place, without the source tree on the path."""
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    code = "import bot_bottle.cli.main as m; print(m.__file__); m.main(['--version'])"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(site)!r}); {code}"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    place, version = done.stdout.splitlines()
    assert place.startswith(str(site))
    assert version.startswith("bot-bottle 0.")
