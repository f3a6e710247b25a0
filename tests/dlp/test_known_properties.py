"""Any secret in any text: found with its offsets, never where it isn't, at a cost that decoys don't raise."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot_bottle.dlp.known import Kind, Known, KnownSecrets
from bot_bottle.dlp.known_public import public_mask

ALPHABET = string.ascii_letters + string.digits
SEPARATORS = (
    " ",
    "-",
    ".",
    "_",
    "/",
    "\n",
    "\r\n",
    "\\n",
    "\\t",
    "\\r\\n",
    "\\f",
    "\\b",
    "\u200b",
    "·",
    "{}",
    '", "',
)

values = st.text(ALPHABET, min_size=24, max_size=60).filter(lambda value: len(set(value)) > 12)
surroundings = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=120).map(str.encode),
    st.sampled_from(
        ['{"a": [1, 2, "', "def f(x):\n    return x", "GET /a/b?c=d&e=", "the quick brown fox "]
    ).map(str.encode),
)


def make(*secrets: bytes) -> KnownSecrets:
    return KnownSecrets({f"S{at}": Known(secret, Kind.OPERATOR) for at, secret in enumerate(secrets)})


def borders(text: bytes) -> bytes:
    """So that what is beside it can't be taken for a part of it."""
    return text + b" ~ "


@settings(max_examples=120, deadline=None)
@given(values, surroundings, surroundings)
def test_property_the_value_itself(value: str, before: bytes, after: bytes) -> None:
    """From its first to its last character."""
    secret = value.encode()
    assume(secret not in before and secret not in after)
    hits = [hit for hit in make(secret).scan(before + b"'" + secret + b"'" + after) if hit.exact]
    assert [(hit.start, hit.end) for hit in hits] == [(len(before) + 1, len(before) + 1 + len(secret))]


@settings(max_examples=150, deadline=None)
@given(values, surroundings, st.sampled_from(SEPARATORS), st.integers(1, 7))
def test_property_separators(value: str, before: bytes, separator: str, every: int) -> None:
    """Put in after each so many characters: one find, from the first to the last."""
    assume(public_mask(value.encode()).count(1) == 0 and value.encode() not in before)
    spread = separator.join(value[at : at + every] for at in range(0, len(value), every)).encode()
    start = len(borders(before))
    hits = make(value.encode()).scan(borders(before) + spread + b" ~ tail")
    assert (start, start + len(spread)) in [(hit.start, hit.end) for hit in hits]
    assert not any(hit.exact for hit in hits)


@settings(max_examples=150, deadline=None)
@given(values, surroundings, st.data())
def test_property_fragments(value: str, before: bytes, data: st.DataObject) -> None:
    """Twelve or more in a row are found where they are; eight or fewer never."""
    secret = value.encode()
    assume(public_mask(secret).count(1) == 0)
    known = make(secret)
    size = data.draw(st.integers(12, len(secret) - 1))
    at = data.draw(st.integers(0, len(secret) - size))
    start = len(borders(before))
    hits = known.scan(borders(before) + secret[at : at + size] + b" ~ ")
    assert any(hit.start <= start and hit.end == start + size for hit in hits)
    small = data.draw(st.integers(1, 8))
    pieces = b" ~ ".join(secret[at : at + small] for at in range(0, len(secret), 9))
    assert [hit for hit in known.scan(pieces) if hit.exact] == []
    assert known.scan(secret[at : at + small]) == []


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=600), st.lists(st.binary(min_size=1, max_size=80), min_size=1, max_size=5))
def test_fuzz_anything(text: bytes, secrets: list[bytes]) -> None:
    """Any values, any text: no exception, and hits lie in the text."""
    known = make(*secrets)
    seen: list[object] = []
    for data in (text, text + secrets[0] + text, secrets[0].hex().encode() + text):
        for hit in known.scan(data, note=seen.append):
            assert 0 <= hit.start < hit.end <= len(data)
        known.replace(data)
        known.partial_tail(data)
        known.names(data)


@settings(max_examples=60, deadline=None)
@given(values, values, values)
def test_property_secrets_that_share_parts(first: str, second: str, shared: str) -> None:
    """One in another, and two with a part in common: each is found where it is whole, whatever the others are."""
    outer, other = (first + shared + second).encode(), (second + shared).encode()
    known = KnownSecrets(
        {
            "INNER": Known(shared.encode(), Kind.OPERATOR),
            "OUTER": Known(outer, Kind.INJECTED),
            "OTHER": Known(other, Kind.CANARY),
        }
    )
    text = b"<" + outer + b"> <" + other + b">"
    exact = {(hit.rule, text[hit.start : hit.end]) for hit in known.scan(text) if hit.exact}
    assert exact >= {("INNER", shared.encode()), ("OUTER", outer), ("OTHER", other)}


SOURCE = random.Random(71)
KEY = "".join(SOURCE.choice(ALPHABET) for _ in range(40))
LONG = b"\n".join("".join(SOURCE.choice(ALPHABET) for _ in range(64)).encode() for _ in range(60))


@pytest.mark.parametrize("size", [4, 6, 8, 11])
def test_decoys_neither_blind_nor_slow(size: int) -> None:
    """Thousands of pieces that are nearly enough, and then the secret: it is found, and no more was looked at than
    there were pieces, a few for each."""
    known = make(KEY.encode())
    decoys = b" ~ ".join(KEY[at % 28 : at % 28 + size].encode() for at in range(20_000))
    hits = known.scan(decoys + b" ~ " + KEY.encode())
    assert [hit.exact for hit in hits] == [True]
    assert hits[0].start == len(decoys) + 3
    assert known.confirmations <= 20_000 * 6


def test_real_parts_by_the_thousand_are_all_told() -> None:
    """There is no number of findings after which nothing is found."""
    known = make(KEY.encode())
    text = b" ~ ".join([KEY[3:18].encode()] * 3000)
    assert len(known.scan(text)) == 3000


def test_confirmations_are_linear() -> None:
    """Twice the text, twice the work, for a long secret whose parts are repeated."""
    counts = []
    for times in (50, 100, 200):
        known = make(LONG)
        known.scan(LONG[200:1500] * times)
        counts.append(known.confirmations)
    assert counts[1] <= counts[0] * 2.1 and counts[2] <= counts[1] * 2.1


def test_ordinary_text_is_hardly_looked_at() -> None:
    """With a thousand secrets, and random text, which has more grams by chance than any other."""
    names = {
        f"S{at}": Known("".join(SOURCE.choices(ALPHABET, k=40)).encode(), Kind.ENV) for at in range(1000)
    }
    known = KnownSecrets(names)
    text = "".join(SOURCE.choices(ALPHABET + " \n-", k=200_000)).encode()
    assert known.scan(text) == []
    assert known.confirmations < 2000


def test_several_lines(  # a key file
) -> None:
    """As a whole with any line ends, and each long line of it, as exact forms; a part of a line as a part."""
    known = make(LONG)
    for end in (b"\n", b"\r\n", b"\\n", b"\\r\\n", b" ", b""):
        text = b"x" + LONG.replace(b"\n", end) + b"y"
        assert [(hit.start, hit.end) for hit in known.scan(text) if hit.exact] == [(1, len(text) - 1)]
    line = LONG.split(b"\n")[7]
    assert [(hit.start, hit.end, hit.exact) for hit in known.scan(b"<" + line + b">")] == [(1, 65, True)]
    assert [hit.exact for hit in known.scan(b"<" + line[5:40] + b">")] == [False]


def test_longer_than_a_block() -> None:
    """As long as a variable can be: found by its parts in the blocks that it is cut into."""
    value = "".join(SOURCE.choices(ALPHABET, k=131_000)).encode()
    known = make(value)
    for at in range(0, len(value), 32768):
        hits = known.scan(value[at : at + 32768])
        assert [(hit.start, hit.end) for hit in hits] == [(0, len(value[at : at + 32768]))]
