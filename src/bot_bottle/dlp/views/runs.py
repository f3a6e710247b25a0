"""Runs of base64, base32 and hex: from a place in one to its decoded views."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from bot_bottle.dlp.views.alphabets import BASE32, BASE64, HEX, Alphabet, characters, read_run
from bot_bottle.dlp.views.carry import OpenRun
from bot_bottle.dlp.views.packed import is_packed_whole
from bot_bottle.dlp.views.shapes import LongRuns, has_text
from bot_bottle.dlp.views.spans import GroupMap, Units
from bot_bottle.dlp.views.triggers import Signs
from bot_bottle.dlp.views.view import Where

MIN_BYTES = 8
"""decoded; less says nothing"""
_END_BYTES = 40
"""so near to the end of a text a run may go on behind a line break that isn't complete"""
_ALPHABETS = {alphabet.kind: alphabet for alphabet in (BASE64, BASE32, HEX)}


class Run(Struct, frozen=True):
    """A run of which one alignment is decoded."""

    alphabet: Alphabet
    start: int
    end: int
    phase: int
    """characters before the first group"""
    touches: bool
    """it may go on behind the text"""
    carried: OpenRun | None = None
    """it came from the block before"""
    marked: bool = True
    """not only by its shape, which random data has by chance: then text must stand in it"""


class Decoded(Struct, frozen=True):
    """A run's bytes at one alignment."""

    run: Run
    data: bytes
    fresh: int
    where: Where
    pending: int
    """characters at the end that make no whole group"""


def carried_run(text: bytes, open_run: OpenRun, fresh: int, last: bool) -> Run | None:
    """How *open_run* goes on in *text*, if only by its end; None: nothing of it is in the overlap."""
    alphabet = _ALPHABETS[open_run.kind]
    joint = _joint(text, fresh)
    start, end = read_run(alphabet, text, joint)
    start = max(start, fresh - open_run.began)
    if end <= start:
        return None
    before = len(characters(text, start, joint)) - open_run.pending
    touches = not last and _touches(text, end)
    return Run(alphabet, start, end, before % alphabet.group, touches, open_run)


def new_runs(text: bytes, found: Signs, fresh: int, taken: list[Run], last: bool) -> Iterator[Run]:
    """Runs that begin to be of interest in *text*: by a mark (which alphabet, where a group begins), or by their shape.

    ``fresh``: runs that ended well before were looked at with the block before. ``taken``: carried ones.
    """
    seen = {(run.alphabet.kind, run.start, run.end, run.phase) for run in taken}
    places = [(_ALPHABETS[kind], max(0, at), True) for kind, at in found.runs]
    # whether a mark is there, for each alignment of each run
    runs: dict[tuple[str, int, int, int], bool] = {}
    if len(text) >= 27:
        long_runs = LongRuns(text)
        places += ((alphabet, at, False) for alphabet, at in long_runs.shaped())
        for start, end, head in long_runs.heads():
            # a run that goes on from the block before was tried there
            if (start or not fresh) and end + _END_BYTES >= fresh and is_packed_whole(head):
                runs[BASE64.kind, start, end, 0] = True
    places.sort(key=lambda place: (place[0].kind, place[1]))
    reader = _Reader(text)
    for alphabet, at, marked in places:
        start, end, before = reader.read(alphabet, at)
        key = (alphabet.kind, start, end, before % alphabet.group)
        if not (fresh and end + _END_BYTES < fresh):
            runs[key] = runs.get(key, False) or marked
    for (kind, start, end, phase), marked in runs.items():
        if (kind, start, end, phase) in seen:
            continue
        touches = not last and _touches(text, end)
        yield Run(_ALPHABETS[kind], start, end, phase, touches, marked=marked)


class _Reader:
    """Runs around places that ascend: each run is read once, however many places lie in it."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._kind = ""
        self._start = self._end = self._at = self._before = 0

    def read(self, alphabet: Alphabet, at: int) -> tuple[int, int, int]:
        """The run around *at*, and how many of its characters are before *at*."""
        if alphabet.kind != self._kind or at > self._end:
            self._kind = alphabet.kind
            self._start, self._end = read_run(alphabet, self._text, at)
            self._at, self._before = self._start, 0
        self._before += len(characters(self._text, self._at, at))
        self._at = at
        return self._start, self._end, self._before


def _joint(text: bytes, fresh: int) -> int:
    """Where the fresh text begins, or the escaped line break that the border went through."""
    return (
        fresh - 1 if text[fresh - 1 : fresh] == b"\\" and text[fresh : fresh + 1] in (b"n", b"r") else fresh
    )


def _touches(text: bytes, end: int) -> bool:
    rest = text[end : end + _END_BYTES]
    return end + len(rest) == len(text) and not rest.strip(b" \t\r\n\\n")


def decode(text: bytes, run: Run, fresh: int) -> Iterator[Decoded]:
    """The run at its alignment, and at the others too if text stands there (several encodings in one run)."""
    first = _decode(text, run, fresh)
    if run.marked or has_text(first.data):
        yield first
    if len(first.data) < MIN_BYTES:
        return
    if run.carried is None and run.alphabet is not BASE32 and not first.data.isascii():
        for phase in range(run.alphabet.group):
            if phase != run.phase:
                other = _decode(text, Run(run.alphabet, run.start, run.end, phase, False), 0)
                if has_text(other.data):
                    yield other


def _decode(text: bytes, run: Run, fresh: int) -> Decoded:
    chars = characters(text, run.start, run.end)
    alphabet = run.alphabet
    units = Units(text, run.start, run.end, alphabet.stretches)
    where = GroupMap(units, run.phase, alphabet.bits).where
    usable = chars[run.phase :]
    pending = len(usable) % alphabet.group if run.touches else 0
    if pending:
        usable = usable[:-pending]
    known = 0
    if run.carried is not None:
        before = len(characters(text, run.start, _joint(text, fresh))) - run.carried.pending - run.phase
        known = before // alphabet.group * alphabet.group * alphabet.bits // 8
    return Decoded(run, alphabet.decode(usable), known, where, pending)
