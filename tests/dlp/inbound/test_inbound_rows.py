"""Every row finds its positives, by its own trigger, and leaves its negatives alone."""

from __future__ import annotations

import re

import pytest

from bot_bottle.dlp.inbound import triggers
from bot_bottle.dlp.inbound.fold import fold
from bot_bottle.dlp.inbound.row import Category, Form
from bot_bottle.dlp.inbound.table import ROWS
from bot_bottle.dlp.inbound.wording import rows_in

POSITIVES = [(number, text) for number, row in enumerate(ROWS) for text in row.positives]
NEGATIVES = [(number, text) for number, row in enumerate(ROWS) for text in row.negatives]


def _id(value: object) -> str:
    return ROWS[value].name if isinstance(value, int) else ""


@pytest.mark.parametrize(("number", "text"), POSITIVES, ids=_id)
def test_a_positive_is_found(number: int, text: str) -> None:
    assert number in rows_in(fold(text))


@pytest.mark.parametrize(("number", "text"), POSITIVES, ids=_id)
def test_its_trigger_fires_on_the_bytes_as_they_come(number: int, text: str) -> None:
    assert number in triggers.triggered(text.encode())


@pytest.mark.parametrize(("number", "text"), NEGATIVES, ids=_id)
def test_a_negative_is_not(number: int, text: str) -> None:
    assert number not in rows_in(fold(text))


def test_names_are_unique_and_every_category_has_a_row() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert {row.category for row in ROWS} == set(Category)
    assert {row.form for row in ROWS} == set(Form)


def test_every_row_has_positives_and_negatives() -> None:
    assert all(row.positives and row.negatives for row in ROWS)


def test_a_trigger_spans_a_bounded_number_of_bytes() -> None:
    """So the tail that is scanned again holds all that a sign can begin in."""
    for number, pattern, _ in triggers.expressions():
        _, widest = re._parser.parse(pattern).getwidth()  # type: ignore[attr-defined]
        assert widest < triggers.WIDEST, number


def test_no_trigger_looks_at_what_comes_after_it() -> None:
    for _, pattern, _ in triggers.expressions():
        assert not pattern.endswith((b"\\b", b"\\B", b"$", b"\\Z")), pattern
        assert b"(?=" not in pattern and b"(?!" not in pattern
