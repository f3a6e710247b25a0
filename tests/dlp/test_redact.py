"""What comes out of the redactor is clean, or nothing does; twice is as once, and valid JSON stays valid."""

from __future__ import annotations

import base64
import gzip
import json
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot_bottle.dlp import scan
from bot_bottle.dlp.dns import dns_findings
from bot_bottle.dlp.finding import Detector, Hit
from bot_bottle.dlp.redact import MASK, Unredactable, redact, redact_text, snippet
from bot_bottle.dlp.scan import Engine
from bot_bottle.dlp.views.triggers import Signs, signs

SECRET = b"kP3vQ9wXz7RtLm2NcB8sYd4F"
TOKEN = re.compile(rb"tok_[a-z0-9]{8,40}")


class OnePattern:
    def scan(self, text: bytes) -> list[Hit]:
        return [Hit("token", found.start(), found.end(), "a token") for found in TOKEN.finditer(text)]

    def look(self, text: bytes) -> tuple[list[Hit], Signs]:
        return self.scan(text), signs(text)


class OneSecret:
    """As it is; with anything between its characters; the bait as it is."""

    def scan(self, text: bytes, approved: scan.Approved = frozenset(), note: object = None) -> list[Hit]:
        spaced = b"[^A-Za-z0-9]{0,4}".join(re.escape(bytes([byte])) for byte in SECRET)
        hits = [
            Hit("mine", found.start(), found.end(), "a known secret", exact=found.group() == SECRET)
            for found in re.finditer(spaced, text)
        ]
        bait = re.finditer(b"tweet-tweet-tweet", text)
        return hits + [Hit("bait", found.start(), found.end(), "the canary") for found in bait]

    def is_canary(self, name: str) -> bool:
        return name == "bait"


ENGINE = Engine(OnePattern(), OneSecret())


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (b"nothing here", b"nothing here"),
        (b"use tok_abcdefgh12 now", b"use ******** now"),
        (b"tok_abcdefgh12tok_abcdefgh12", b"********_abcdefgh12"),
        (SECRET * 3, MASK),
        (b"a " + SECRET + b" b tweet-tweet-tweet c tok_abcdefgh12", b"a ******** b ******** c ********"),
        (b'{"k": "' + SECRET + b'"}', b'{"k": "********"}'),
        (b"", b""),
    ],
)
def test_each_finding_is_replaced(text: bytes, clean: bytes) -> None:
    assert redact(ENGINE, text) == clean


def test_fifty_decoys_do_not_hide_the_last_one() -> None:
    """Threat G5."""
    text = b" ".join(b"tok_decoy%06d" % number for number in range(50)) + b" " + SECRET
    assert SECRET not in redact(ENGINE, text)


def test_what_is_encoded_is_replaced_in_its_encoding() -> None:
    around = b"words before and " + SECRET + b" words behind it"
    for text in (base64.b64encode(around), around.hex().encode(), base64.b64encode(gzip.compress(around))):
        clean = redact(ENGINE, b"see " + text + b" there")
        assert clean.startswith(b"see ")
        assert clean.endswith(b" there")
        assert ENGINE.scan(clean) == ()


def test_json_stays_valid_when_a_secret_goes_over_its_strings() -> None:
    text = (
        json.dumps({"a": SECRET[:10].decode(), "b": SECRET[10:].decode()})
        .replace('", "b": "', '","')
        .encode()
    )
    text = b'["' + SECRET[:10] + b'","' + SECRET[10:] + b'"]'
    clean = redact(ENGINE, text)
    assert isinstance(json.loads(clean), list)
    assert ENGINE.scan(clean) == ()


def test_json_that_can_not_stay_valid_is_refused() -> None:
    """The secret is made of what is no string: ``true`` can't be masked."""

    class Structure(OneSecret):
        def scan(self, text: bytes, approved: scan.Approved = frozenset(), note: object = None) -> list[Hit]:
            at = text.find(b'true,"x"')
            return [Hit("mine", at, at + 8, "a known secret", exact=False)] if at >= 0 else []

    with pytest.raises(Unredactable) as refusal:
        redact(Engine(OnePattern(), Structure()), b'[true,"x"]')
    assert "true" not in str(refusal.value)


def test_what_is_found_again_and_again_is_refused() -> None:
    class Everywhere(OneSecret):
        def scan(self, text: bytes, approved: scan.Approved = frozenset(), note: object = None) -> list[Hit]:
            return [Hit("mine", 0, len(text), "a known secret", exact=False)]

    with pytest.raises(Unredactable):
        redact(Engine(OnePattern(), Everywhere()), b"anything")
    assert redact_text(Engine(OnePattern(), Everywhere()), "anything") == "[redacted]"


def test_an_error_in_a_detector_shows_nothing_in_a_log() -> None:
    class Broken(OneSecret):
        def scan(self, text: bytes, approved: scan.Approved = frozenset(), note: object = None) -> list[Hit]:
            raise RuntimeError("a bug")

    assert redact_text(Engine(OnePattern(), Broken()), SECRET.decode()) == "[redacted]"


@given(
    st.lists(
        st.sampled_from([SECRET, b"tok_abcdefgh12", b"tweet-tweet-tweet", b" ", b"x", b'"', b"\xff"]),
        max_size=30,
    )
)
@settings(deadline=None)
def test_it_is_complete_and_idempotent(parts: list[bytes]) -> None:
    clean = redact(ENGINE, b"".join(parts))
    assert ENGINE.scan(clean) == ()
    assert redact(ENGINE, clean) == clean


@given(st.text(max_size=200))
@settings(deadline=None)
def test_a_log_line_is_always_redacted_without_an_error(text: str) -> None:
    assert SECRET.decode() not in redact_text(ENGINE, text + SECRET.decode() + text)


def test_a_snippet_shows_the_surroundings_and_nothing_else() -> None:
    text = b"before it tok_abcdefgh12 then " + SECRET + b" after it and so on and on"
    start = text.index(SECRET)
    shown = snippet(ENGINE, text, start, start + len(SECRET))
    assert shown == "re it ******** then ******** after it and so on "
    assert "abcdefgh" not in shown


def test_a_snippet_at_a_border_holds_no_part_of_a_neighbour() -> None:
    """The neighbour is longer than what is shown of it."""
    text = SECRET + b"|" + b"tok_abcdefgh12" + b"|" + SECRET
    shown = snippet(ENGINE, text, text.index(b"tok_"), text.index(b"tok_") + 14)
    assert shown == "********|********|********"


def test_secrets_in_host_names_block_and_have_nothing_to_approve() -> None:
    host = SECRET.decode() + ".example.com"
    (finding,) = dns_findings(ENGINE, host, is_wildcard=False)
    assert (finding.detector, finding.match) == (Detector.DNS_EXFIL, None)
    cut = f"{SECRET[:12].decode()}.{SECRET[12:].decode()}.example.com"
    assert dns_findings(ENGINE, cut, is_wildcard=False)


def test_long_random_labels_block_below_wildcards_only() -> None:
    label = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz234567", k=48))
    assert dns_findings(ENGINE, f"{label}.example.com", is_wildcard=True)
    assert dns_findings(ENGINE, f"{label}.example.com", is_wildcard=False) == ()
    assert dns_findings(ENGINE, "registry-cache-eu-west-1.example.com", is_wildcard=True) == ()
