"""Writes ``src/bot_bottle/providers/pi-lock.json``: Pi with its whole dependency tree and a node, as npm locks it.

    scripts/pin_pi.py PI_VERSION NODE_VERSION

Prints the integrity that belongs into ``providers/pi.py``. Nothing of the packages is run or unpacked.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PACKAGE = "@earendil-works/pi-coding-agent"
CPUS = {"x64", "arm64"}
TARGET = Path(__file__).resolve().parent.parent / "src" / "bot_bottle" / "providers" / "pi-lock.json"


def locked(pi: str, node: str) -> dict[str, Any]:
    """npm's own lock of the two."""
    manifest = {
        "private": True,
        "dependencies": {PACKAGE: pi},
        "optionalDependencies": {f"node-linux-{cpu}": node for cpu in sorted(CPUS)},
    }
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "package.json").write_text(json.dumps(manifest))
        argv = ["npm", "install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(argv, cwd=place, check=True, stdout=subprocess.DEVNULL)
        return dict(json.loads((Path(place) / "package-lock.json").read_text()))


def kept(package: dict[str, Any]) -> dict[str, Any] | None:
    """What the installer needs of one package, no registry's host; None: it is for other machines."""
    entry = {"version": package["version"], "integrity": package["integrity"]}
    for key, ours in (("os", {"linux"}), ("cpu", CPUS)):
        if key in package:
            values = package[key] if isinstance(package[key], list) else [package[key]]
            if ours.isdisjoint(values):
                return None
            entry[key] = values
    return entry


def main() -> int:
    """Write the lock of the two versions named in argv."""
    pi, node = sys.argv[1:]
    packages = {name: kept(package) for name, package in sorted(locked(pi, node)["packages"].items()) if name}
    lines = [f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in packages.items() if entry]
    TARGET.write_text('{\n "packages": {\n' + ",\n".join(lines) + "\n }\n}\n")
    found = packages[f"node_modules/{PACKAGE}"]
    assert found is not None
    print(found["integrity"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
