"""Where a credential may begin and end: behind escapes, among decoys, side by side; never inside a word."""

from __future__ import annotations

import json
import random

import pytest

from bot_bottle.dlp import sample
from bot_bottle.dlp.patterns import Patterns

RECIPES = [
    "ghp_{b62:30}{crc62}",
    "sk-proj-{b64u:74}T3BlbkFJ{b64u:74}",
    "AIza{b64u:35}",
    "glpat-{b62:20}",
    "{jwt:32}",
]


def token(recipe: str, seed: object = 0) -> bytes:
    return sample.make(recipe, random.Random(f"{recipe} {seed}")).text


def spans(text: bytes) -> list[tuple[int, int]]:
    return [(hit.start, hit.end) for hit in Patterns.default().scan(text)]


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize(
    "before",
    [
        "",
        " ",
        "\n",
        "=",
        ":",
        '"',
        "'",
        "/",
        "(",
        "\\n",
        "\\t",
        "\\r",
        "\\\\n",
        "%20",
        "%3D",
        "\\u003d",
        "\\x3d",
        "\\012",
        "\x1b[0m",
        "\0",
        "\u00e9",
        ">",
        "@",
        "`",
    ],
)
def test_what_may_stand_before(recipe: str, before: str) -> None:
    head = before.encode()
    text = token(recipe)
    assert (len(head), len(head) + len(text)) in spans(head + text)


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize(
    "after", ["", " ", "\n", '"', "'", "\\n", "&", "%20", ")", "<", ";", ",", "\0", "@host", "?"]
)
def test_what_may_stand_behind(recipe: str, after: str) -> None:
    text = token(recipe)
    assert (0, len(text)) in spans(text + after.encode())


@pytest.mark.parametrize("word", ["task-", "risk-", "disk-", "mask-"])
def test_a_prefix_inside_a_word_is_none(word: str) -> None:
    """``sk-`` ends many words."""
    text = word.encode() + token("{b62:40}")
    assert spans(text) == []


def test_every_credential_is_found_behind_any_number_of_decoys() -> None:
    decoys = [b"ghp_" + b"x" * 36, token("ghp_{b62:36}"), b"sk-proj-your-key-goes-here-your-key-goes-here"]
    head = b" ".join(decoys * 40) + b" "
    real = token(RECIPES[0])
    assert spans(head + real + b" " + head + real) == [
        (len(head), len(head) + len(real)),
        (2 * len(head) + len(real) + 1, 2 * len(head) + 2 * len(real) + 1),
    ]


def test_a_credential_glued_to_decoys_of_its_own_kind() -> None:
    """The run that both are part of is refused; what is inside is still looked at."""
    real = token("sk-ant-api03-{b64u:93}AA")
    for decoy in (b"sk-ant-api03-" + b"x" * 70 + b"-", b"this-is-only-a-long-name-of-something-" * 12):
        found = spans(decoy + real)
        assert any(start <= len(decoy) and end >= len(decoy) + len(real) for start, end in found), decoy[:20]


def test_side_by_side() -> None:
    one, two = token(RECIPES[0], 1), token(RECIPES[0], 2)
    assert spans(one + two) == [(0, len(one)), (len(one), len(one) + len(two))]
    keys = token("AKIA{b32:16}", 1) + token("AKIA{b32:16}", 2)
    assert spans(keys) == [(0, 20), (20, 40)]


def test_the_whole_of_a_private_key_as_far_as_it_is_there() -> None:
    whole = sample.make(
        "-----BEGIN RSA PRIVATE KEY-----\n{pem:900}\n-----END RSA PRIVATE KEY-----", random.Random(1)
    ).text
    assert spans(b"key: |\n" + whole + b"\nother: text\n") == [(7, 7 + len(whole))]
    escaped = json.dumps(whole.decode()).encode()
    assert spans(escaped) == [(1, len(escaped) - 1)]
    for cut in (80, 200, 700):
        assert spans(whole[:cut]) == [(0, len(whole[:cut].rstrip()))]
    assert spans(whole[:31] + b"\n") == []


def test_a_block_without_end_is_not_followed_for_ever() -> None:
    text = b"-----BEGIN PRIVATE KEY-----\n" + token("{b64:60000}")
    ((start, end),) = spans(text)
    assert start == 0 and 16000 < end < 17000


def test_the_most_particular_rule_names_it() -> None:
    url = b"https://x-access-token:" + token(RECIPES[0]) + b"@github.com/o/r.git"
    assert [hit.rule for hit in Patterns.default().scan(url)] == ["github-token"]
    assigned = b'secret_token = "' + token("glpat-{b62:20}") + b'"'
    assert [hit.rule for hit in Patterns.default().scan(assigned)] == ["gitlab-token"]
