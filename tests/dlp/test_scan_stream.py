"""The findings in a stream are those in the whole text, however it came in (property), and are told in time."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot_bottle.dlp import scan
from bot_bottle.dlp.finding import Detector, Finding, Hit, Severity
from bot_bottle.dlp.scan import Engine, What, form_digest
from bot_bottle.dlp.views.triggers import Signs, signs

TOKEN = re.compile(rb"tok_[a-z0-9]{8,40}")


class TokenPatterns:
    """One rule, as the real detector reports it."""

    def scan(self, text: bytes) -> list[Hit]:
        return [Hit("token", found.start(), found.end(), "a token") for found in TOKEN.finditer(text)]

    def look(self, text: bytes) -> tuple[list[Hit], Signs]:
        return self.scan(text), signs(text)


class KnownValues:
    """Values as they are, one of them the canary; hands its text on as the stripped one."""

    def __init__(self, **values: bytes) -> None:
        self._values = values

    def scan(
        self, text: bytes, approved: scan.Approved = frozenset(), note: scan.Note | None = None
    ) -> list[Hit]:
        if note is not None:
            note(text)
        return [
            Hit(name, found.start(), found.end(), "a known secret")
            for name, value in self._values.items()
            for found in re.finditer(re.escape(value), text)
        ]

    def is_canary(self, name: str) -> bool:
        return name == "bait"


ENGINE = Engine(TokenPatterns(), KnownValues(mine=b"correct.horse.battery", bait=b"tweet-tweet-tweet"))


def told(findings: Iterable[Finding]) -> list[tuple[str, int, int]]:
    return [(finding.rule, finding.start, finding.end) for finding in findings]


def in_pieces(engine: Engine, text: bytes, cuts: list[int]) -> list[Finding]:
    stream = engine.stream()
    found: list[Finding] = []
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    for start, end in itertools.pairwise(edges):
        found += stream.feed(text[start:end])
        assert stream.cleared <= end
    return [*found, *stream.finish()]


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "BLOCK_BYTES", 256)
    monkeypatch.setattr(scan, "OVERLAP_BYTES", 128)
    monkeypatch.setattr(scan, "MARGIN_BYTES", 32)


PIECES = st.lists(
    st.one_of(
        st.binary(max_size=60),
        st.sampled_from(
            [b"tok_abcdefgh1234", b"correct.horse.battery", b"tweet-tweet-tweet", b"tok_" + b"a1" * 20]
        ),
        st.text("abc \n{}", max_size=200).map(str.encode),
    ),
    max_size=40,
)


@given(pieces=PIECES, cuts=st.lists(st.integers(0, 10_000), max_size=12))
@settings(deadline=None)
@pytest.mark.usefixtures("small_blocks")
def test_chunks_change_nothing(pieces: list[bytes], cuts: list[int]) -> None:
    text = b"|".join(pieces)
    assert in_pieces(ENGINE, text, cuts) == in_pieces(ENGINE, text, [])


@given(pieces=PIECES)
@settings(deadline=None)
@pytest.mark.usefixtures("small_blocks")
def test_blocks_change_nothing_for_what_is_shorter_than_the_overlap(pieces: list[bytes]) -> None:
    text = b"|".join(pieces)
    whole = [
        ("token", found.start(), found.end())
        for found in TOKEN.finditer(text)
        if found.end() - found.start() < 96
    ]
    assert [item for item in told(in_pieces(ENGINE, text, [])) if item[0] == "token"] == whole


@pytest.mark.usefixtures("small_blocks")
def test_a_value_over_every_border_is_told_once() -> None:
    """Whatever the place of a block's end in it."""
    for before in range(0, 600):
        text = b"." * before + b"correct.horse.battery" + b"." * 700
        assert told(ENGINE.scan(text)) == [("mine", before, before + 21)]


@pytest.mark.usefixtures("small_blocks")
def test_what_is_cleared_holds_no_finding_that_is_told_later() -> None:
    text = (b"x" * 251 + b" tok_abcdefgh1234 ") * 20
    stream = ENGINE.stream()
    cleared, later = 0, []
    for at in range(0, len(text), 50):
        later += stream.feed(text[at : at + 50])
        assert all(finding.start >= cleared for finding in later)
        cleared, later = stream.cleared, []
    assert cleared > len(text) - 256 - 128


def test_detectors_that_are_off_find_nothing_but_the_canary_is_always_found() -> None:
    text = b"tok_abcdefgh1234 correct.horse.battery tweet-tweet-tweet"
    off = What(token_patterns=False, known_secrets=False)
    assert [(finding.detector, finding.rule) for finding in ENGINE.scan(text, off)] == [
        (Detector.CANARY, "canary")
    ]


def test_the_canary_has_no_value_that_could_be_approved() -> None:
    (finding,) = ENGINE.scan(b"tweet-tweet-tweet")
    assert finding.match is None
    assert "bait" not in repr(finding)


def test_an_approved_value_passes_and_a_second_one_does_not() -> None:
    first, second = ENGINE.scan(b"tok_abcdefgh1234 tok_zyxwvuts9876")
    assert first.match is not None
    left = ENGINE.scan(b"tok_abcdefgh1234 tok_zyxwvuts9876", approved=frozenset({form_digest(first.match)}))
    assert told(left) == [("token", second.start, second.end)]


def test_an_approval_covers_one_encoding_and_what_is_in_it() -> None:
    """Approved as base64 it passes as base64, and as nothing else."""
    plain = b"some words in front of correct.horse.battery and behind it"
    coded = base64.b64encode(plain)

    class Encoded(KnownValues):
        def scan(self, text: bytes, approved: scan.Approved = frozenset(), note: object = None) -> list[Hit]:
            whole = [Hit("mine", found.start(), found.end(), "encoded") for found in re.finditer(coded, text)]
            return [*whole, *super().scan(text)]

    engine = Engine(TokenPatterns(), Encoded(mine=b"correct.horse.battery"))
    (finding,) = engine.scan(b"see " + coded)
    assert finding.match is not None
    approved = frozenset({form_digest(finding.match)})
    assert engine.scan(b"see " + coded, approved=approved) == ()
    assert told(engine.scan(plain, approved=approved)) == [("mine", 23, 44)]


def test_parts_of_an_approved_value_pass_in_its_company_only() -> None:
    """Fragments, separators: dlp.md §2."""

    class Loose(KnownValues):
        def scan(self, text: bytes, approved: scan.Approved = frozenset(), note: object = None) -> list[Hit]:
            parts = re.finditer(rb"horse\.batt\b", text)
            return [
                *super().scan(text),
                *(Hit("mine", one.start(), one.end(), "a part", exact=False) for one in parts),
            ]

    engine = Engine(TokenPatterns(), Loose(mine=b"correct.horse.battery"))
    (finding,) = engine.scan(b"correct.horse.battery")
    assert finding.match is not None
    approved = frozenset({form_digest(finding.match)})
    assert engine.scan(b"correct.horse.battery, horse.batt", approved=approved) == ()
    assert told(engine.scan(b"horse.batt", approved=approved)) == [("mine", 0, 10)]


def test_a_value_is_never_shown() -> None:
    for finding in ENGINE.scan(b"tok_abcdefgh1234 correct.horse.battery"):
        assert "abcdefgh" not in repr(finding) + str(finding) + finding.reason
        assert "horse" not in repr(finding) + finding.reason


def test_pieces_of_several_texts_are_found_by_whoever_remembers() -> None:
    """What the rememberer says comes back as a finding, where it says."""
    noted: list[object] = []

    def note(seen: object) -> list[Hit]:
        noted.append(seen)
        return [Hit("mine", 1, 3, "a known secret in pieces", exact=False)] if len(noted) == 2 else []

    for expected in ([], [("mine", 1, 3)]):
        stream = ENGINE.stream(note=note)
        assert told([*stream.feed(b"one "), *stream.feed(b"two"), *stream.finish()]) == expected


def test_ten_thousand_equal_findings_are_told_in_linear_time() -> None:
    text = b"tok_abcdefgh1234 " * 10_000
    assert len(ENGINE.scan(text)) == 10_000


def test_an_empty_text_has_no_finding() -> None:
    assert ENGINE.scan(b"") == ()


def test_what_can_not_be_decoded_has_the_severity_that_was_asked_for() -> None:
    """Layers over layers, more than are looked at."""
    text = b"some words in front of tok_abcdefgh1234 and behind it"
    for _ in range(5):
        text = base64.b64encode(text)
    found = ENGINE.scan(text, What(undecoded=Severity.WARN))
    assert [(one.detector, one.severity) for one in found] == [(Detector.UNDECODED, Severity.WARN)]


def test_a_value_is_found_below_three_layers() -> None:
    text = b"some words in front of tok_abcdefgh1234 and behind it"
    for _ in range(3):
        text = base64.b64encode(text)
    (finding,) = ENGINE.scan(text)
    assert (finding.rule, finding.view) == ("token", ("base64",) * 3)


@pytest.mark.parametrize("layers", range(1, 8))
def test_what_is_not_seen_between_the_characters_does_not_hide_layers(layers: int) -> None:
    """Found, or told that it could not be looked at (ruling 53): never silence."""
    text = b"some words in front of tok_abcdefgh1234 and behind it"
    for _ in range(layers):
        text = base64.b64encode(text)
    spaced = "\u200b".join(text[at : at + 3].decode() for at in range(0, len(text), 3)).encode()
    assert ENGINE.scan(text)
    assert ENGINE.scan(spaced)
    assert ENGINE.scan(b"\xff " + spaced + b" \xfe\x80")
