"""The page of rules is the table of rules."""

from __future__ import annotations

from pathlib import Path

from bot_bottle.dlp import reference
from bot_bottle.dlp.checks import CHECKS
from bot_bottle.dlp.registry import ALL_RULES

PAGE = Path(__file__).parents[2] / "docs/reference/dlp-rules.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == reference.page()


def test_every_rule_and_every_check_is_on_it() -> None:
    text = reference.page()
    assert all(f"| `{rule.name}` | [{rule.vendor}]({rule.docs}) |" in text for rule in ALL_RULES)
    assert set(CHECKS) <= set(reference.CHECKS_IN_WORDS)
