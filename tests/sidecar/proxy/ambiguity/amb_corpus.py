"""All cases: every change alone, seeded pairs of changes, rows of requests; and the well-formed controls.

Everything is a function of a seed, so that a case that failed can be sent again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from random import Random

from amb_bytes import edits
from amb_connections import connection_fields, expectations, prefaces, sequences, splits, upgrades
from amb_draft import BASES, CONNECT, Case, Mode, Mutation, distinct, made
from amb_framing import chunks, codings, lengths
from amb_heads import controls, fields, first_lines, folds, line_ends
from amb_targets import hosts, paths

SEED = 20260713
PAIRS = 1200
EDITS = 1500
MODES = (Mode.TUNNEL, Mode.DIRECT, Mode.TUNNEL, Mode.TLS, Mode.DIRECT)
"""taken in turn: two of five cases in a plain tunnel, two direct, one in TLS"""


def changes() -> Iterator[Mutation]:
    for family in (
        lengths, codings, chunks, controls, line_ends, folds, fields, first_lines, hosts, connection_fields,
        expectations, upgrades,
    ):  # fmt: skip
        yield from family()
    yield from paths(SEED)


def _all() -> Iterator[Case]:
    every = list(changes())
    for number, mutation in enumerate(every):
        for turn, base in enumerate(mutation.bases):
            mode = MODES[(number + turn) % len(MODES)]
            draft = mutation.change(BASES[base])
            if draft.connect:
                mode = Mode.TUNNEL
            elif draft.lead and mode is Mode.TUNNEL:
                mode = Mode.TLS  # a plain tunnel that begins otherwise is no HTTP (ruling 63)
            if number % 2 and not draft.connect:
                draft = replace(draft, tail=b"")
            yield made(mutation.kind, f"{mutation.name} ({base})", draft, mode)
    random = Random(SEED)
    for number in range(PAIRS):
        first, second = random.sample(every, 2)
        bases = [base for base in first.bases if base in second.bases] or ["get", "post", "chunked"]
        draft = second.change(first.change(BASES[random.choice(bases)]))
        mode = Mode.TUNNEL if draft.connect else MODES[number % len(MODES)]
        yield made("two at once", f"{first.kind} {first.name} + {second.kind} {second.name}", draft, mode)
    for mutation in every[::3]:
        yield made("connect", f"{mutation.kind} {mutation.name}", mutation.change(CONNECT), Mode.DIRECT)
    yield from prefaces()
    yield from sequences(SEED, MODES)
    yield from splits(MODES)
    yield from edits(SEED, EDITS, MODES)


@lru_cache(maxsize=1)
def mutations() -> tuple[Case, ...]:
    """Every distinct mutated case, always in the same order."""
    return tuple(distinct(_all()))


def sample(size: int) -> tuple[Case, ...]:
    """*size* of them, some of every kind."""
    cases = mutations()
    step = len(cases) / size
    return tuple(cases[int(at * step)] for at in range(size))
