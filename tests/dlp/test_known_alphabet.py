"""What stripping keeps of secrets: enough of each, whatever it is made of, and no more than that."""

from __future__ import annotations

import random
import string

import pytest

from bot_bottle.dlp.known import Kind, Known, KnownSecrets
from bot_bottle.dlp.known_alphabet import MAX_POOR, MIN_FOLDED, choose
from bot_bottle.dlp.projection import ESCAPE_LETTERS, Alphabet, Bare, letters

SOURCE = random.Random(2026)
MADE_OF = {
    "all letters": string.ascii_letters + string.digits,
    "small letters": string.ascii_lowercase,
    "small letters and digits": string.ascii_lowercase + string.digits,
    "capitals": string.ascii_uppercase,
    "hexadecimal": "0123456789abcdef",
    "digits": string.digits,
    "letters of escapes": "nrtux",
    "common letters": "eaoisldc",
}


def value(characters: str, size: int) -> bytes:
    return "".join(SOURCE.choices(characters, k=size)).encode()


@pytest.mark.parametrize("made_of", sorted(set(MADE_OF) - {"letters of escapes"}))
def test_few_windows_are_poor(made_of: str) -> None:
    """Of each twelve letters four stay, but for one window in ten."""
    secrets = [value(MADE_OF[made_of], 40) for _ in range(20)]
    exact = choose([(secret, bytes(len(secret))) for secret in secrets]).exact
    for secret in secrets:
        windows = [secret[at : at + 12] for at in range(len(secret) - 11)]
        poor = [window for window in windows if len(exact.strip(window)) < 4]
        assert len(poor) <= MAX_POOR * len(windows)


@pytest.mark.parametrize("made_of", MADE_OF)
def test_letters_of_escapes_never_stay(made_of: str) -> None:
    """An escape between two characters must vanish whole."""
    secret = value(MADE_OF[made_of], 40)
    alphabets = choose([(secret, bytes(len(secret)))])
    for alphabet in (alphabets.exact, alphabets.folding):
        assert alphabet.kept.isdisjoint(ESCAPE_LETTERS)
    assert alphabets.folding.kept <= alphabets.exact.kept


@pytest.mark.parametrize("made_of", ["all letters", "small letters", "capitals", "hexadecimal"])
def test_what_is_left_when_case_does_not_count(made_of: str) -> None:
    """The same in any mix of cases, and not too little."""
    secret = value(MADE_OF[made_of], 40)
    folding = choose([(secret, bytes(len(secret)))]).folding
    mixed = bytes(SOURCE.choice((byte, ord(chr(byte).swapcase()))) for byte in secret)
    assert len({folding.strip(one).lower() for one in (secret, secret.lower(), secret.upper(), mixed)}) == 1
    assert len(folding.strip(secret)) >= MIN_FOLDED


@pytest.mark.parametrize("made_of", ["all letters", "small letters", "capitals", "hexadecimal"])
@pytest.mark.parametrize("separator", ["-", "\\n", "\\r\\n", " | ", "\\f"])
def test_any_mix_of_cases_with_separators(made_of: str, separator: str) -> None:
    """Of a value of sixteen characters or more, from its first to its last."""
    secret = value(MADE_OF[made_of], 32).decode()
    known = KnownSecrets({"S": Known(secret.encode(), Kind.ENV)})
    mixed = "".join(SOURCE.choice((letter.lower(), letter.upper())) for letter in secret)
    for spelled in (secret, secret.lower(), secret.upper(), secret.swapcase(), mixed):
        spread = separator.join(spelled[at : at + 3] for at in range(0, len(spelled), 3))
        hits = known.scan(f"before: {spread} ;".encode())
        assert (8, 8 + len(spread)) in [(hit.start, hit.end) for hit in hits], spelled


def test_the_way_back_from_stripped_text() -> None:
    """For each character that stays, at whatever distance, the offset where it stands."""
    alphabet = Alphabet(b"0123456789ABC")
    text = b"".join(value(string.printable, SOURCE.randint(1, 900)) + b"A" for _ in range(60)) + b" " * 9000
    bare = Bare(text, alphabet)
    assert [text[bare.place(index)] for index in range(len(bare.data))] == list(bare.data)
    places = [bare.place(index) for index in range(len(bare.data))]
    assert places == sorted(set(places)) and letters(bare.data) == bare.data
