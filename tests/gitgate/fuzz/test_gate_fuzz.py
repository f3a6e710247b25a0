"""The invariants of ``gate_fuzz_targets`` hold for mixtures of what the gate reads, cut and joined, and noise.

``make fuzz`` runs this with many more examples, and the same targets under atheris.
"""

from __future__ import annotations

import pytest
from gate_fuzz_seeds import seeds
from gate_fuzz_targets import TARGETS, Broken, hold
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

SEEDS = seeds()
PIECES = st.one_of(
    st.sampled_from(SEEDS),
    st.builds(lambda seed, at: seed[at:], st.sampled_from(SEEDS), st.integers(0, 200)),
    st.builds(lambda seed, to: seed[:to], st.sampled_from(SEEDS), st.integers(0, 200)),
    st.binary(max_size=40),
    st.text("abAB019 ~:/\\.*?[]!-\0\n", max_size=40).map(str.encode),
)
DATA = st.lists(PIECES, max_size=5).map(b"".join)


@pytest.mark.parametrize("name", TARGETS)
@given(data=DATA)
@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@example(data=b"")
def test_the_invariants_hold(name, data):
    TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
def test_each_seed_is_taken(name):
    for seed in SEEDS:
        TARGETS[name](seed)
        TARGETS[name](b"\0\1\2" + seed)


def test_what_does_not_hold_is_an_error():
    with pytest.raises(Broken):
        hold(False, "so it is")
