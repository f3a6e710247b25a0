"""What leaves in pieces is found before more than half of it is out (dlp.md §2, step 4), and nothing innocent is."""

from __future__ import annotations

import random
import string

import pytest

from bot_bottle.dlp.finding import Hit
from bot_bottle.dlp.known import Kind, Known, KnownSecrets, Seen
from bot_bottle.dlp.known_pieces import could_be_a_word
from bot_bottle.dlp.pieces import INCIDENT_FRAGMENTS, KEPT_S, MAX_HOSTS, REASON, FragmentCount, Pieces

SOURCE = random.Random(4)
VALUE = "sk-ant-api03-" + "".join(SOURCE.choice(string.ascii_letters + string.digits) for _ in range(42))
PRIVATE = VALUE[13:]
WORDS = "correct-horse-battery-staple-window"
HOST = "api.example.com"


@pytest.fixture
def known() -> KnownSecrets:
    return KnownSecrets(
        {
            "TOKEN": Known(VALUE.encode(), Kind.INJECTED),
            "WORDS": Known(WORDS.encode(), Kind.OPERATOR),
            "CANARY": Known(PRIVATE[::-1].encode(), Kind.CANARY),
        }
    )


class Sender:
    """Sends texts one after the other; ``hits`` of the last one."""

    def __init__(self, known: KnownSecrets) -> None:
        self.known = known
        self.pieces = Pieces(known)
        self.now = 1000.0

    def send(self, text: str, host: str = HOST, approved: frozenset[bytes] = frozenset()) -> list[Hit]:
        seen: list[Seen] = []
        self.known.scan(text.encode(), approved, seen.append)
        return [hit for one in seen for hit in self.pieces.note(host, one, self.now)]


def cut(size: int = 6) -> list[str]:
    return [PRIVATE[at : at + size] for at in range(0, len(PRIVATE), size)]


def test_in_order(known: KnownSecrets) -> None:
    """Of seven pieces of six the fourth is more than half."""
    sender = Sender(known)
    answers = [sender.send(f"item {piece} of the list") for piece in cut()]
    assert [bool(answer) for answer in answers] == [False, False, False, True, True, True, True]
    assert {hit.rule for answer in answers for hit in answer} == {"TOKEN"}
    assert answers[3][0] == Hit("TOKEN", 5, 11, REASON, exact=False)


@pytest.mark.parametrize("seed", range(5))
def test_in_any_order_with_decoys_and_overlaps(known: KnownSecrets, seed: int) -> None:
    """Order, what is sent in between, pieces that overlap or come twice: the same."""
    source = random.Random(seed)
    pieces = [PRIVATE[at : at + 8] for at in range(0, 40, 5)] + cut()
    source.shuffle(pieces)
    sender = Sender(known)
    hit = False
    for piece in pieces:
        decoy = "".join(source.choice(string.ascii_letters + string.digits) for _ in range(20_000))
        assert sender.send(decoy) == []
        hit = hit or bool(sender.send(piece))
    assert hit


def test_in_fields_of_one_request(known: KnownSecrets) -> None:
    """All at once, each in a place of its own: each place is told."""
    text = ", ".join(f'"field{number}": "{piece}"' for number, piece in enumerate(cut()))
    hits = Sender(known).send(text)
    assert [text[hit.start : hit.end] for hit in hits] == cut()


def test_half_is_not_more_than_half(known: KnownSecrets) -> None:
    """Three pieces of seven, again and again."""
    sender = Sender(known)
    assert [hit for _ in range(5) for piece in cut()[:3] for hit in sender.send(piece)] == []


def test_what_is_refused_is_not_remembered(known: KnownSecrets) -> None:
    """It did not go out, so what went before stays as it was."""
    sender = Sender(known)
    for piece in cut()[:3]:
        sender.send(piece)
    assert sender.send(cut()[3]) != []
    assert sender.send(cut()[0]) == []


def test_destinations_are_apart(known: KnownSecrets) -> None:
    """Half to one host and half to another is half."""
    sender = Sender(known)
    hosts = ["a.example.com", "b.example.com"]
    assert [hit for piece in cut()[:6] for hit in sender.send(piece, HOST)] != []
    sender = Sender(known)
    assert [hit for at, piece in enumerate(cut()[:6]) for hit in sender.send(piece, hosts[at % 2])] == []


def test_after_ten_minutes_it_is_forgotten(known: KnownSecrets) -> None:
    """And not before."""
    for pause, is_hit in ((KEPT_S / 6, True), (KEPT_S / 2, False)):
        sender = Sender(known)
        hit = False
        for piece in cut():
            hit = bool(sender.send(piece)) or hit
            sender.now += pause
        assert hit is is_hit


def test_what_another_finding_covers_is_no_piece(known: KnownSecrets) -> None:
    """A secret that is redacted in each request would else be found in pieces for ever after."""
    sender = Sender(known)
    assert sender.send(f"here is {VALUE} for you") == []
    assert sender.send(f"and then {PRIVATE[:6]}") == []


def test_words_are_no_pieces(known: KnownSecrets) -> None:
    """A secret of words is not found in pieces: its words are in other texts too."""
    sender = Sender(known)
    for word in WORDS.split("-"):
        assert sender.send(f"the {word} of the house") == []
    assert all(map(could_be_a_word, (b"batter", b"Batter", b"BATTER", b"170000")))
    assert not any(map(could_be_a_word, (b"baTter", b"b4tter", b"BATTeR")))


def test_memory_is_bounded(known: KnownSecrets) -> None:
    """The host that was longest not written to goes first."""
    sender = Sender(known)
    for number in range(MAX_HOSTS * 2):
        sender.send(cut()[0], f"h{number}.example.com")
    kept = sender.pieces.hosts()
    assert len(kept) == MAX_HOSTS and kept[-1] == f"h{MAX_HOSTS * 2 - 1}.example.com"
    assert f"h{MAX_HOSTS - 1}.example.com" not in kept


def test_ordinary_text_has_none(known: KnownSecrets) -> None:
    """A megabyte of random letters and digits to one host."""
    sender = Sender(known)
    source = random.Random(99)
    for _ in range(16):
        text = "".join(source.choices(string.ascii_letters + string.digits, k=65536))
        assert sender.send(text) == []


def test_the_third_fragment_is_an_incident(known: KnownSecrets) -> None:
    """Of an injected credential; one request counts once; other secrets don't count (ruling 54)."""
    count = FragmentCount(known)
    part = known.scan(f"{PRIVATE[:14]} and {PRIVATE[20:34]}".encode())
    assert len(part) == 2 and not any(hit.exact for hit in part)
    assert [count.note(part) for _ in range(INCIDENT_FRAGMENTS)] == [(), (), ("TOKEN",)]
    others = FragmentCount(known)
    canary = known.scan(PRIVATE[::-1][:14].encode())
    assert canary and [others.note(canary) for _ in range(5)] == [()] * 5
    assert [others.note(known.scan(VALUE.encode())) for _ in range(5)] == [()] * 5


def test_too_many_secrets_are_said() -> None:
    """Those that are left out are named."""
    values = {
        f"S{number}": Known("".join(SOURCE.choices(string.ascii_letters, k=40)).encode(), Kind.ENV)
        for number in range(150)
    }
    warnings = KnownSecrets(values).warnings
    assert 60 < len(warnings) < 100
    assert all(
        warning.endswith("too many secrets, so it is not searched for in pieces") for warning in warnings
    )
