"""What each part of the scanner must hold for any bytes; run by hypothesis in ``make test`` and by atheris in
``make fuzz``.

Invariants: no exception but the declared one; output within its bound; offsets within the text and in order; the
same findings, and the same output, in two ways of cutting. A target takes bytes (the first few choose options) and
raises where one doesn't hold.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from functools import cache

from bot_bottle.dlp.budget import FACTOR, FLOOR_BYTES, MIN_BYTES, Budget
from bot_bottle.dlp.coding import MAX_STACKED, PIECE_BYTES, CodingError, Decoder, Limits, parse_codings
from bot_bottle.dlp.crlf import crlf_hits, without_breaks
from bot_bottle.dlp.dns import dns_findings
from bot_bottle.dlp.finding import Finding, Hit
from bot_bottle.dlp.inbound.content import content
from bot_bottle.dlp.inbound.stream import InboundStream
from bot_bottle.dlp.inbound.watch import Mode
from bot_bottle.dlp.known import Kind, Known, KnownSecrets
from bot_bottle.dlp.known_stream import spellings
from bot_bottle.dlp.normalise import normalise
from bot_bottle.dlp.patterns import Patterns
from bot_bottle.dlp.redact import Unredactable, redact
from bot_bottle.dlp.scan import ALL, Engine
from bot_bottle.dlp.views.carry import Carry
from bot_bottle.dlp.views.find import MAX_DEPTH, find_views
from bot_bottle.dlp.views.view import Undecoded, View

CODINGS = ("gzip", "deflate", "br", "zstd")
LIMITS = Limits(ratio=20, free_bytes=8192, max_bytes=200_000)
CONTENT_TYPES = (
    "text/html",
    "application/json",
    "text/event-stream",
    "",
    "application/javascript",
    "text/plain; charset=utf-16",
    "image/png",
    "text/x; charset=gb18030",
)
SECRET = b"correct-Horse7battery.Staple_42"
CANARY = b"Zq3vTr8-mKp1LwXy7Nb5Ds2Gh9Jf4CaE"


class Broken(AssertionError):
    """An invariant does not hold."""


def hold(condition: object, what: str) -> None:
    if not condition:
        raise Broken(what)


@cache
def patterns() -> Patterns:
    return Patterns()


@cache
def known() -> KnownSecrets:
    return KnownSecrets({"A": Known(SECRET, Kind.OPERATOR), "BAIT": Known(CANARY, Kind.CANARY)})


@cache
def engine() -> Engine:
    return Engine(patterns(), known())


def cut(data: bytes, seed: int) -> Iterator[bytes]:
    """*data* in pieces; the same for the same *seed*."""
    rng = random.Random(seed)
    largest = rng.choice((1, 7, 300, 5000)) if len(data) < 2000 else rng.choice((300, 5000))
    at = 0
    while at < len(data):
        size = rng.randint(1, largest)
        yield data[at : at + size]
        at += size


def options(data: bytes, count: int) -> tuple[list[int], bytes]:
    """*count* numbers, and the rest."""
    numbers = list(data[:count]) + [0] * (count - len(data[:count]))
    return numbers, data[count:]


def coding(data: bytes) -> None:
    """Content codings, stacked: pieces bounded, never over the limits, the same bytes however they came."""
    (number, seed), packed = options(data, 2)
    names = [CODINGS[number % 4]] + [CODINGS[number // 4 % 4]] * (number // 16 % 3)
    whole, pieces = _unpacked(tuple(names), [packed]), _unpacked(tuple(names), cut(packed, seed))
    hold(whole[1] == pieces[1], "refused or not by how it was cut")
    if whole[1] is None:
        hold(whole[0] == pieces[0], "other bytes by how they were cut")


def _unpacked(names: tuple[str, ...], pieces: Iterable[bytes]) -> tuple[bytes, type[Exception] | None]:
    out = bytearray()
    decoder = Decoder(names, LIMITS)
    try:
        for piece in pieces:
            for part in decoder.feed(piece):
                hold(0 < len(part) <= PIECE_BYTES, "a piece is too large or empty")
                out += part
                hold(len(out) <= LIMITS.max_bytes + PIECE_BYTES, "more than may come out")
        decoder.finish()
    except CodingError:
        return bytes(out), CodingError
    return bytes(out), None


def codings_field(data: bytes) -> None:
    """A Content-Encoding value: none, or at most three known ones."""
    names = parse_codings(data.decode("latin-1"))
    hold(names is None or (len(names) <= MAX_STACKED and set(names) <= set(CODINGS)), "an unknown coding")


def views(data: bytes) -> None:
    """All views of views: within the budget, three layers deep, their places in the text."""
    budget = Budget()
    seen = _walk(find_views(data, budget), len(data), 1)
    spare = (len(data) + 64) * FLOOR_BYTES
    hold(budget.spent <= max(MIN_BYTES, FACTOR * len(data)) + spare, "over the budget")
    hold(seen <= 4 * (max(MIN_BYTES, FACTOR * len(data)) + spare), "more was given than was spent")


def _walk(items: Iterable[View | Undecoded], size: int, depth: int) -> int:
    total = 0
    for item in items:
        hold(0 <= item.start <= item.end <= size, "a place outside of the text")
        if isinstance(item, Undecoded):
            continue
        hold(depth <= MAX_DEPTH, "too deep")
        hold(0 <= item.fresh <= len(item.data), "more overlap than data")
        ends = {0, 1, len(item.data) // 2, len(item.data)}
        for start in ends:
            for end in ends:
                if start < end <= len(item.data):
                    first, last = item.where(start, end)
                    hold(0 <= first <= last <= size, "it maps outside of the text")
        total += len(item.data) + _walk(item.views(), len(item.data), depth + 1)
    return total


def views_in_blocks(data: bytes) -> None:
    """The same of a stream in blocks with an overlap: nothing fails, all places lie in the block."""
    (number, small), text = options(data, 2)
    block, overlap = 256 + 16 * number, 64 + small // 4
    budget, carry = Budget(), Carry()
    at = 0
    while True:
        fresh = min(overlap, at)
        part = text[at - fresh : at + block]
        at += block
        _walk(find_views(part, budget, carry=carry, fresh=fresh, last=at >= len(text)), len(part), 1)
        if at >= len(text):
            return


def normalising(data: bytes) -> None:
    """Folded text maps back into the text, in order."""
    folded = normalise(data)
    if folded is None:
        return
    before = 0
    step = max(1, len(folded.data) // 50)
    for at in range(0, len(folded.data), step):
        start, end = folded.where(at, min(len(folded.data), at + step))
        hold(0 <= start <= end <= len(data), "it maps outside of the text")
        hold(start >= before, "it maps out of order")
        before = start


def pattern_scan(data: bytes) -> None:
    """Hits lie in the text, in order, and nothing is kept from one text to the next."""
    hits = patterns().scan(data)
    _ordered(hits, len(data))
    hold(hits == patterns().scan(data), "another answer the second time")


def known_scan(data: bytes) -> None:
    """The same of known secrets; an exact form covered leaves none; a stream's tail keeps what may begin."""
    (seed,), text = options(data, 1)
    hits = known().scan(text)
    for hit in hits:
        hold(0 <= hit.start < hit.end <= len(text), "a hit outside of the text")
    for start, end in known().spans(text):
        hold(0 <= start < end <= len(text), "a span outside of the text")
    replaced = known().replace(text)
    hold(not known().spans(replaced), "a form is left after replacing")
    tail = known().partial_tail(text)
    hold(0 <= tail <= len(text), "a tail longer than the text")
    at = seed % (len(SECRET) - 1) + 1
    broken = text + SECRET[:at]
    hold(known().partial_tail(broken) >= at, "a beginning is not held back")


def _ordered(hits: list[Hit], size: int) -> None:
    before = 0
    for hit in hits:
        hold(0 <= hit.start < hit.end <= size, "a hit outside of the text")
        hold(hit.start >= before, "out of order")
        before = hit.start


def whole_scan(data: bytes) -> None:
    """The engine: the same findings however the text came, places in the text; redacting leaves none or refuses."""
    (seed,), text = options(data, 1)
    found = engine().scan(text, ALL)
    for finding in found:
        hold(0 <= finding.start <= finding.end <= len(text), "a finding outside of the text")
    stream = engine().stream(ALL)
    pieces: list[Finding] = []
    for piece in cut(text, seed):
        pieces += stream.feed(piece)
    pieces += stream.finish()
    hold(_told(found) == _told(pieces), "other findings by how it was cut")
    try:
        clean = redact(engine(), text, ALL)
    except Unredactable:
        return
    hold(redact(engine(), clean, ALL) == clean, "redacting twice changes it again")


def _told(found: Iterable[Finding]) -> list[tuple[str, int, int, tuple[str, ...]]]:
    return [(finding.rule, finding.start, finding.end, finding.view) for finding in found]


def inbound(data: bytes) -> None:
    """A response: the same output and findings however it came; nothing of a secret; binary data as it was."""
    (kind, mode, seed), text = options(data, 3)
    content_type = CONTENT_TYPES[kind % len(CONTENT_TYPES)]
    how = list(Mode)[mode % len(Mode)]
    whole = _read(content_type, how, [text])
    hold(len(whole[0]) <= len(text), "more came out than went in")
    hold(SECRET not in whole[0], "a secret came through")
    pieces = _read(content_type, how, cut(text, seed))
    hold(SECRET not in pieces[0], "a secret came through in pieces")
    if all(text[start:end].lower() in _usual() for start, end in known().spans(text)):
        hold(whole == pieces, "another answer by how it was cut")


@cache
def _usual() -> frozenset[bytes]:
    """What a stream's tail is held back for (``known_stream``): others are covered where they stand in one piece."""
    return frozenset(spelled.lower() for value in (SECRET, CANARY) for _, spelled in spellings(value))


def _read(
    content_type: str, mode: Mode, pieces: Iterable[bytes]
) -> tuple[bytes, list[tuple[str, str]], set[tuple[str, str]]]:
    """What came out; which orders were found; which secrets (a place may be told twice)."""
    stream = InboundStream(content_type, known=known(), mode=mode)
    out, found = b"", []
    for piece in pieces:
        passed = stream.feed(piece)
        out += passed.data
        found += passed.findings
    last = stream.finish()
    told = [(one.rule, one.severity.value) for one in (*found, *last.findings)]
    secrets = {one for one in told if one[0] == "response-secret"}
    return out + last.data, sorted(one for one in told if one not in secrets), secrets


def content_type(data: bytes) -> None:
    """Any field value is one of the kinds."""
    content(data.decode("latin-1"))


def line_breaks(data: bytes) -> None:
    """What is left without line breaks has none, or it is refused."""
    _ordered(crlf_hits(data), len(data))
    left = without_breaks(data)
    hold(left is None or not crlf_hits(left), "a line break is left")


def host_names(data: bytes) -> None:
    dns_findings(engine(), data.decode("latin-1"), is_wildcard=True)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "coding": coding,
    "codings-field": codings_field,
    "views": views,
    "views-in-blocks": views_in_blocks,
    "normalise": normalising,
    "patterns": pattern_scan,
    "known": known_scan,
    "scan": whole_scan,
    "inbound": inbound,
    "content-type": content_type,
    "crlf": line_breaks,
    "dns": host_names,
}
