"""Properties of names: any label gives a safe identity or is asked for again; lineage labels map back."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.base.ids import parse_identity
from bot_bottle.base.text import printable
from bot_bottle.cli.questions import identity_of
from bot_bottle.manifest.lineage import labels

label = st.text(max_size=80) | st.from_regex(r"[A-Za-z0-9 ._-]{1,60}", fullmatch=True)


@given(label)
def test_a_label_is_an_identity_or_none(text: str) -> None:
    """Never a path, never empty, never longer than 40; None exactly where no letter or digit is left."""
    identity = identity_of(text)
    if identity is None:
        assert not re.search("[a-z0-9]", text.lower())
        return
    assert parse_identity(identity) == identity
    assert "/" not in identity
    assert identity_of(identity) == identity


@given(label, st.sampled_from(["", " ", "-", "  --", "!"]))
def test_case_and_edges_do_not_matter(text: str, edge: str) -> None:
    """So a label can't be taken twice by writing it a little differently (ASCII)."""
    plain = text.encode("ascii", "ignore").decode()
    assert identity_of(plain.upper()) == identity_of(plain.lower())
    if len(plain) <= 30:
        assert identity_of(edge + plain + edge) == identity_of(plain)


name = st.from_regex(r"[a-d][a-d0-9-]{0,3}", fullmatch=True)


@given(st.dictionaries(name, st.lists(name, min_size=1, max_size=3).map(tuple), max_size=8))
def test_lineage_labels_map_back(parents: dict[str, tuple[str, ...]]) -> None:
    """Each bottle with parents has a label, no two the same, none the bare name of another; the walk ends, and
    what is shown is printable and ends with the name."""
    made = labels(parents)
    assert set(made) == set(parents)
    assert len(set(made.values())) == len(made)
    for bottle, text in made.items():
        assert printable(text) == text
        assert text == bottle or text.endswith(f" -> {bottle}")
        assert text == bottle or text not in parents
