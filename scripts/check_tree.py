"""What must not be in a tracked file: registry hosts, a machine's own paths, unfinished work, dead links.

Run by ``make check``; prints ``path:line: what`` for each finding and exits 1 when there is one.
The words looked for are put together from pieces, so that this file does not find itself.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

REGISTRY_HOSTS = ("pypi" + ".org", "python" + "hosted.org", "registry.npm" + "js.org", "deb.deb" + "ian.org")
"""Where packages come from is set on the machine that installs them: a mirror must do (requirements.lock)."""

NAMES_REGISTRIES = ("src/bot_bottle/egress/presets/registries.py", "docs/presets.md")
"""Which hosts a route opens where it asks for a registry is data of the product, in one file, and a page of it."""

A_REGISTRY = (
    re.compile("|".join(re.escape(host) for host in REGISTRY_HOSTS)),
    "the host of a package registry",
)
FORBIDDEN = (
    A_REGISTRY,
    (re.compile(r"(?<![\w.$}~/-])/(?:work|root)/[\w.]"), "a path of one machine"),
    (re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b"), "unfinished work"),
    (re.compile(r"^(?:<{7}|>{7}) "), "a merge conflict"),
)

LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def tracked_files() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in listing.decode().split("\0") if name and (ROOT / name).is_file()]


def forbidden_words(path: Path, text: str) -> Iterator[str]:
    name = path.relative_to(ROOT).as_posix()
    rules = [rule for rule in FORBIDDEN if rule is not A_REGISTRY or name not in NAMES_REGISTRIES]
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, what in rules:
            if pattern.search(line):
                yield f"{name}:{number}: {what}: {line.strip()[:100]}"


def anchor(heading: str) -> str:
    """The fragment that forges make of a heading: lower case, no punctuation, spaces as hyphens."""
    return re.sub(r"[^\w\- ]", "", heading.lower().replace("`", "")).replace(" ", "-")


def dead_links(path: Path, text: str) -> Iterator[str]:
    """Relative links of a Markdown page to files and headings that do not exist."""
    for target in LINK.findall(FENCE.sub("", text)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, fragment = target.partition("#")
        page = (path.parent / name).resolve() if name else path
        where = f"{path.relative_to(ROOT)}: link to {target!r}"
        if not page.exists():
            yield f"{where}: no such file"
        elif fragment and page.suffix == ".md":
            headings = {anchor(found) for found in HEADING.findall(FENCE.sub("", page.read_text()))}
            if fragment not in headings:
                yield f"{where}: no such heading"


def findings() -> Iterator[str]:
    for path in tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        yield from forbidden_words(path, text)
        if path.suffix == ".md":
            yield from dead_links(path, text)


def main() -> int:
    found = list(findings())
    print("\n".join(found) or "check_tree: nothing found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
