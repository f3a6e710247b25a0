"""Invariant: what is forwarded of a client's bytes, h11, nginx and Node read as the same requests, and as those
that were judged and allowed; a request that nobody judged never arrives. Well-formed requests all pass.

Judged on the exact bytes that the upstream received. ``make test`` plays a sample, ``make test-slow`` all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import pytest
from amb_arena import Outcome, play, play_all
from amb_controls import Control, controls
from amb_corpus import mutations, sample
from amb_draft import Case, distinct
from amb_judge import Readings, judge, nonces, read_all, table
from amb_nginx import find_nginx
from amb_node import find_node
from amb_reading import multiset

MUTATIONS = 5000
CONTROLS = 500
SAMPLE = 400

pytestmark = [
    pytest.mark.skipif(find_nginx() is None, reason="nginx is not installed (scripts/setup.sh test)"),
    pytest.mark.skipif(find_node() is None, reason="node is not installed (scripts/setup.sh test)"),
]


def played(cases: Sequence[Case], good: Sequence[Control]) -> tuple[list[Outcome], list[Outcome]]:
    outcomes = play_all([*cases, *good], play)
    return outcomes[: len(cases)], outcomes[len(cases) :]


def check_mutations(
    cases: Sequence[Case], outcomes: Sequence[Outcome], readings: dict[bytes, Readings]
) -> None:
    """Every forwarded byte is read alike and as it was judged; the table of counts."""
    counts = {kind: Counter[str]() for kind in sorted({case.kind for case in cases})}
    wrong: list[str] = []
    for case, outcome in zip(cases, outcomes, strict=True):
        count = counts[case.kind]
        count["sent"] += 1
        if not outcome.received:
            count["refused"] += 1
            continue
        count["forwarded"] += 1
        problems = judge(outcome, case.sent, case.mode, readings)
        count["agreed"] += not problems
        if problems:
            wrong.append(f"{case}\n  -> {outcome.received}\n  {problems}")
    keys = nonces(outcomes, readings)
    assert len(set(keys)) == len(keys), "a WebSocket was asked for with the key of another"
    total = sum(counts.values(), Counter[str]())
    rows = [
        (kind, *(str(count[name]) for name in COLUMNS)) for kind, count in (*counts.items(), ("all", total))
    ]
    print("\n" + table(rows, ("mutations", *COLUMNS)))
    assert not wrong, "\n".join(wrong[:5])
    assert total["agreed"] == total["forwarded"]
    assert total["refused"] >= total["sent"] // 2, "too few are refused: the mutations have become tame"
    assert total["forwarded"] >= total["sent"] // 10, "too few are forwarded: nothing is compared"
    tame = [kind for kind, count in counts.items() if not count["refused"]]
    assert set(tame) <= {"split"}, f"no {tame} was refused"


COLUMNS = ("sent", "refused", "forwarded", "agreed")


def check_controls(
    good: Sequence[Control], outcomes: Sequence[Outcome], readings: dict[bytes, Readings]
) -> None:
    """Every well-formed request arrives, whole, in order and alone."""
    wrong: list[str] = []
    for control, outcome in zip(good, outcomes, strict=True):
        problems = judge(outcome, b"".join(control.pieces), control.mode, readings)
        arrived = [message for stream in outcome.received for message in readings[stream].h11.whole]
        found = [(m.method, m.target, m.hosts, m.fields, m.body) for m in arrived]
        wanted = [
            (e.method, e.target, (b"amb.example",), multiset(e.fields), e.body) for e in control.expected
        ]
        answered = outcome.said.count(b"HTTP/1.1 200 OK\r\n")
        if problems or found != wanted or answered != len(wanted):
            wrong.append(
                f"{control.name} ({control.mode}): {problems or found!r:.600}; said {outcome.said[:200]!r}"
            )
    requests = sum(len(control.expected) for control in good)
    print(f"\ncontrols: {len(good)} sent with {requests} requests, {len(good) - len(wrong)} passed")
    assert not wrong, "\n".join(wrong[:5])


def test_the_corpus_is_large_and_always_the_same():
    """At least so many inputs that differ in their bytes, and so many well-formed ones."""
    cases = mutations()
    assert len({(case.connect, case.sent) for case in cases}) == len(cases) >= MUTATIONS
    assert len({control.pieces for control in controls()}) >= CONTROLS
    assert Counter(case.mode for case in cases).most_common()[-1][1] >= 1000
    again = list(islice(distinct(mutations.__wrapped__()), 500))
    assert again == list(cases[:500])


def test_a_sample_is_read_as_it_was_judged(tmp_path: Path):
    """Some of every kind of mutation, some controls."""
    cases, good = sample(SAMPLE), tuple(controls())[::7]
    mutated, well_formed = played(cases, good)
    readings = read_all([s for outcome in (*mutated, *well_formed) for s in outcome.received], tmp_path)
    check_mutations(cases, mutated, readings)
    check_controls(good, well_formed, readings)


@pytest.mark.slow
def test_all_are_read_as_they_were_judged(tmp_path: Path):
    """Every mutation and every control."""
    cases, good = mutations(), tuple(controls())
    mutated, well_formed = played(cases, good)
    readings = read_all([s for outcome in (*mutated, *well_formed) for s in outcome.received], tmp_path)
    assert len(nonces(mutated, readings)) >= 2, "no WebSocket was asked for"
    check_mutations(cases, mutated, readings)
    check_controls(good, well_formed, readings)
