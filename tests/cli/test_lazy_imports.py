"""What a verb does not need, it does not import: ``run`` starts as fast as without screens (ADR 0001)."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("textual", "rich", "asyncio", "bot_bottle.cli.screens", "bot_bottle.cli.questions", "yaml")


def imported(*statements: str) -> set[str]:
    """Modules that are there after *statements* in a fresh interpreter."""
    code = "; ".join(["import sys", *statements, "print('\\n'.join(sys.modules))"])
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("verb", ["run", "exec_", "list_", "stop"])
def test_fast_verbs_import_no_screen(verb: str) -> None:
    """Nor what screens stand on; what ``run`` imports late counts too."""
    found = imported(
        f"import bot_bottle.cli.main, bot_bottle.cli.commands.{verb}",
        "import bot_bottle.cli.launching, bot_bottle.cli.records",
    )
    assert {name for name in HEAVY if name in found} == set()


def test_start_imports_textual_only_to_show_a_screen() -> None:
    """A ``start`` whose flags answer everything pays for none."""
    found = imported("import bot_bottle.cli.commands.start")
    assert {name for name in found if name.partition(".")[0] in ("textual", "rich", "asyncio")} == set()


def test_the_check_can_fail() -> None:
    """The same look finds Textual where it is imported."""
    assert set(HEAVY[:4]) <= imported("import bot_bottle.cli.screens.shown")
