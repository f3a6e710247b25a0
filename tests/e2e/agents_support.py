"""Pinned agents for the tests of real clients: downloaded once into the working copy's ``tools``, then linked
into each person's own state root."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot_bottle.launch.tool_install import ensure_tool
from bot_bottle.providers.contract import ProviderRequest
from bot_bottle.providers.registry import PROVIDERS

REPOSITORY = Path(__file__).parents[2]


def installed(template: str) -> Path:
    """The directory of the pinned agent of *template*."""
    tool = PROVIDERS[template].plan(ProviderRequest(machine=os.uname().machine)).tool
    assert tool is not None
    return ensure_tool(tool, REPOSITORY / "tools", print)


@contextlib.contextmanager
def client_of(person: Any, tree: Path) -> Iterator[None]:
    """The agent in *tree* where this person's launches look for it; gone afterwards."""
    person.write(".bot-bottle/.made", "")
    place = person.layout.tools / tree.parent.name / tree.name
    place.parent.mkdir(parents=True)
    for directory in (place.parent, place.parent.parent):
        directory.chmod(0o755)
    if subprocess.run(["cp", "-al", tree, place], stderr=subprocess.DEVNULL).returncode != 0:
        shutil.rmtree(place, ignore_errors=True)
        subprocess.run(["cp", "-a", tree, place], check=True)
    try:
        yield
    finally:
        for directory, _, _ in os.walk(place):
            os.chmod(directory, 0o755)
        shutil.rmtree(place)


LOOK = (
    "id -u; env; cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n'; "
    "grep -rsha -e '-of-the-operator-' /home /etc /tmp /run; "
    "echo marker-$((40 + 2)) | tee made.txt"
)
"""A shell command that shows whatever a bottle could know of a credential, and that it ran."""
