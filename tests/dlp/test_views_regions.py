"""Escapes here and there in a text are read together, and yet nothing is found that spans two of their places."""

from __future__ import annotations

import random
import string

import pytest

from bot_bottle.dlp.budget import Budget
from bot_bottle.dlp.known import Kind, Known, KnownSecrets
from bot_bottle.dlp.patterns import Patterns
from bot_bottle.dlp.scan import Engine
from bot_bottle.dlp.views.find import find_views
from bot_bottle.dlp.views.view import View
from bot_bottle.testing.encoded import ENCODINGS, FILLER, look

TOKEN = b"ghp_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6"
SOURCE = random.Random(11)
VALUE = "".join(SOURCE.choices(string.ascii_letters + string.digits, k=40))
FAR = b"x = a + b;\n" * 200


def escaped(text: bytes) -> bytes:
    return b"".join(b"%%%02x" % byte for byte in text)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(Patterns.default(), KnownSecrets({"S": Known(VALUE.encode(), Kind.ENV)}))


def test_one_view_for_all_places() -> None:
    """Each place in it, with its surroundings and the way back."""
    words = [f"word-{number}@example".encode() for number in range(30)]
    text = b"".join(FAR + word.replace(b"@", b"%40") for word in words) + FAR
    views = [item for item in find_views(text, Budget()) if isinstance(item, View)]
    assert [view.kind for view in views] == ["escapes"]
    (view,) = views
    for word in words:
        at = view.data.index(word + b"x")
        start, end = view.where(at, at + len(word))
        assert text[start:end] == word.replace(b"@", b"%40")


def test_secrets_at_several_places_are_told_where_they_are(engine: Engine) -> None:
    """Three escaped ones, a page apart."""
    spelled = escaped(VALUE.encode())
    text = FAR + spelled + FAR + spelled + FAR + b"%41%42%43" + FAR + spelled
    found = [(one.start, one.end) for one in engine.scan(text) if one.match is not None]
    first = len(FAR)
    assert found == [
        (first, first + 120),
        (2 * first + 120, 2 * first + 240),
        (4 * first + 249, 4 * first + 369),
    ]


@pytest.mark.parametrize("cut", [10, 20, 30])
def test_nothing_spans_two_places(engine: Engine, cut: int) -> None:
    """Not the halves of a secret, nor a name and its value, that stand at the edges of what is read together."""
    margin = b"." * 256
    halves = b"%41" + margin + b"x" * 300 + margin + b"%41"
    at = halves.index(b"x")
    first, second = VALUE[:10].encode(), VALUE[10:20].encode()
    text = halves[: at - 10] + first + halves[at : at + 300] + second + halves[at + 310 :]
    assert not engine.scan(text)
    name, value = b"client_secret: ", SOURCE.randbytes(cut).hex().encode()
    text = (
        halves[: at - len(name)]
        + name
        + b" "
        + halves[at : at + 300]
        + value
        + halves[at + 300 + len(value) :]
    )
    assert not engine.scan(text)


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize("word", [b"0", b"ab", b"Dear"])
def test_a_word_on_the_line_before(name: str, word: bytes) -> None:
    """It shifts the groups of a run that goes over line breaks; nothing is lost by that."""
    before = FILLER[:400] + b"\n\n" + word + b"\n"
    walk = look(before + ENCODINGS[name](b"(" + TOKEN + b")") + b"\n.\n" + FILLER[:400], TOKEN)
    assert walk.found
