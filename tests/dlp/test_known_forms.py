"""Patterns of secrets: what can't be compiled is neither shown nor lost."""

from __future__ import annotations

import pytest

from bot_bottle.dlp import known_confirm
from bot_bottle.dlp.known import Kind, Known, KnownSecrets
from bot_bottle.dlp.known_forms import compile_pattern

VALUE = b"Zq8Kv2WnX7-Hd4Jm6Pb9-Ty3Rc5Lf1"


def test_an_error_shows_no_pattern(capfd: pytest.CaptureFixture[str]) -> None:
    """Not in its message, not in what led to it, not on standard error, where RE2 would write it."""
    with pytest.raises(ValueError, match="too long for a pattern") as caught:
        compile_pattern(b"(" + VALUE)
    assert caught.value.__cause__ is None and caught.value.__context__ is None
    out, err = capfd.readouterr()
    assert "Zq8" not in out + err + repr(caught.value)


def test_a_value_that_is_too_long_is_found_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a pattern its exact form is looked for literally, each time that it is there."""

    def too_long(_pattern: bytes) -> object:
        raise ValueError

    monkeypatch.setattr(known_confirm, "compile_pattern", too_long)
    text = b"a " + VALUE + b" b " + VALUE
    hits = KnownSecrets({"LONG": Known(VALUE, Kind.ENV)}).scan(text)
    assert [(hit.start, hit.end) for hit in hits if hit.exact] == [
        (2, 2 + len(VALUE)),
        (5 + len(VALUE), len(text)),
    ]


def test_a_name_tells_kind_and_hosts() -> None:
    """What an approval depends on (ruling 14)."""
    known = KnownSecrets(
        {"A": Known(VALUE, Kind.INJECTED, frozenset({"api.example.com"})), "C": Known(VALUE, Kind.CANARY)}
    )
    assert (known.kind("A"), known.hosts("A")) == (Kind.INJECTED, frozenset({"api.example.com"}))
    assert known.is_canary("C") and not known.is_canary("A") and not known.is_canary("B")
    assert known.has("A") and not known.has("B")
    assert known.names(b"<" + VALUE + b">") == {"A", "C"}
