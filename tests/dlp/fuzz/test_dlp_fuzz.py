"""The invariants of ``fuzz_targets`` hold for mixtures of all encodings, credentials, marks and noise.

``make fuzz`` runs this with many more examples, and the same targets under atheris.
"""

from __future__ import annotations

import pytest
from fuzz_seeds import seeds
from fuzz_targets import TARGETS, Broken, hold
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

SEEDS = seeds()
MARKS = [
    b"%",
    b"%25",
    b"\\u00",
    b"\\",
    b"&#",
    b"=\n",
    b"\x1f\x8b\x08\x00",
    b"PK\x03\x04",
    b"\x28\xb5\x2f\xfd",
    b"<~",
]
MARKS += [
    b"~>",
    b"\x78\x9c",
    b"BZh91AY&SY",
    b"0x",
    b"\\x",
    b"\x00",
    b"\xe2\x80\x8b",
    b"\xcc\x81",
    b"\xf3\xa0\x81\x81",
]

PIECES = st.one_of(
    st.sampled_from(SEEDS),
    st.builds(lambda seed, at: seed[at:], st.sampled_from(SEEDS), st.integers(0, 400)),
    st.builds(lambda seed, to: seed[:to], st.sampled_from(SEEDS), st.integers(0, 400)),
    st.binary(max_size=80),
    st.builds(lambda mark, times: mark * times, st.sampled_from(MARKS), st.integers(1, 60)),
    st.text("abcXYZ019 _-=+/.:\"'\n", max_size=60).map(str.encode),
    st.text(max_size=30).map(str.encode),
)
TEXTS = st.builds(
    lambda head, parts: head + b"".join(parts), st.binary(max_size=3), st.lists(PIECES, max_size=8)
)


@pytest.mark.parametrize("name", TARGETS)
@given(data=TEXTS)
@settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@example(data=b"")
def test_property(name: str, data: bytes) -> None:
    TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
def test_each_seed(name: str) -> None:
    for seed in SEEDS:
        TARGETS[name](b"\x00\x01\x02" + seed)


def test_an_invariant_that_does_not_hold_is_told() -> None:
    """The targets can fail."""
    with pytest.raises(Broken, match="too deep"):
        hold(False, "too deep")
