"""The packages that a pinned tool consists of: one, or those of an npm lock file that comes with this program."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import PurePosixPath
from typing import Any

from bot_bottle.providers.contract import Tool

_MODULES = "node_modules/"


@dataclass(frozen=True)
class Part:
    """One npm package: what npm is asked for, its pin, and where in the tool's directory it goes."""

    spec: str
    integrity: str
    place: PurePosixPath


def parts_of(tool: Tool) -> tuple[Part, ...]:
    """Every package of *tool* for its machine, the ones above others first."""
    if not tool.lock:
        spec = f"{tool.package}@{tool.release or tool.version}"
        return (Part(spec, tool.integrity, PurePosixPath()),)
    return tuple(
        Part(f"{path.rpartition(_MODULES)[2]}@{entry['version']}", entry["integrity"], PurePosixPath(path))
        for path, entry in sorted(json.loads(_lock(tool))["packages"].items())
        if _is_for(entry, tool.cpu)
    )


def pin_of(tool: Tool) -> str:
    """What stands for all of *tool*: another pin, script or machine is another tool."""
    if not (tool.lock or tool.script):
        return tool.integrity
    whole = "\0".join((tool.integrity, tool.cpu, tool.script, _lock(tool) if tool.lock else ""))
    return f"tree-sha512-{base64.b64encode(hashlib.sha512(whole.encode()).digest()).decode()}"


def _lock(tool: Tool) -> str:
    return (resources.files("bot_bottle.providers") / tool.lock).read_text("utf-8")


def _is_for(entry: Mapping[str, Any], cpu: str) -> bool:
    return "linux" in entry.get("os", ["linux"]) and cpu in entry.get("cpu", [cpu])
