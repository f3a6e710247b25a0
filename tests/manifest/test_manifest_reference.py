"""The reference page is what the code makes of its own tables."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bot_bottle.manifest import reference

PAGE = Path(__file__).parents[2] / "docs/reference/manifest-keys.md"
MAKE = [sys.executable, "-m", "bot_bottle.manifest.reference"]


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == reference.page(), f"run: {' '.join(MAKE[1:])} {PAGE.name}"


def test_the_command_prints_it_or_writes_it(tmp_path):
    made = subprocess.run(MAKE, check=True, capture_output=True, text=True, timeout=60)
    assert made.stdout == reference.page()
    file = tmp_path / "page.md"
    subprocess.run([*MAKE, str(file)], check=True, timeout=60)
    assert file.read_text(encoding="utf-8") == reference.page()


def test_it_says_which_keys_are_enforced():
    rows = {
        line.split("|")[1].strip(): line.split("|")[-2].strip()
        for line in reference.page().splitlines()
        if "| `" in line
    }
    assert rows["`egress.routes[].host`"] == "yes"
    assert rows["`egress.log`"] == "yes"
    assert rows["`git-gate.repos.*.url`"] == "yes"
    assert rows["`egress.provider_schema`"] == "no"
    assert rows["`tools`"] == "in part: name a directory"
    assert rows["`supervise`"] == "no; said before each launch"
