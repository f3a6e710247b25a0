"""Invariant: what a client gets of an upstream's bytes, h11 and Node's client read as the same answers, or it is
the proxy's own refusal, or cut; nothing that follows a response is ever taken for the answer to the next request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from amb_arena import play_all
from amb_clients import Answer, ClientReading, Said, parted, play_reply, read_with_h11, read_with_node
from amb_judge import table
from amb_node import find_node
from amb_replies import INJECTED, SECOND, Reply, replies, reply

REPLIES = 300
SAMPLE = 200
COLUMNS = ("sent", "refused", "passed on", "cut or nothing", "agreed")

pytestmark = pytest.mark.skipif(find_node() is None, reason="node is not installed (scripts/setup.sh test)")


def problems(
    reply: Reply, said: Said, node: ClientReading, raw: tuple[ClientReading, ClientReading]
) -> list[str]:
    """*raw*: the upstream's own bytes as h11 and Node read them."""
    h11 = read_with_h11(said)
    found = [f"refused: {reading.refused}" for reading in (h11, node) if reading.refused]
    if h11.answers[: len(node.answers)] != node.answers or len(node.answers) < min(len(h11.answers), 1):
        found.append("read in two ways")
    if len(node.answers) < len(h11.answers) and node.reused:
        found.append("Node sees fewer answers")  # else it chose not to use the connection again
    first, second = (*h11.answers, None, None)[:2]
    if second is not None and not second.is_ours and (second.body, second.whole) != (b"second", True):
        found.append("the second answer is not the second answer")
    if first is not None and first.whole and not first.is_ours:
        meant = [reading.answers[0] for reading in raw if reading.answers and reading.answers[0].whole]
        if len(meant) == 2 and _short(meant[0]) == _short(meant[1]) != _short(first):
            found.append(f"the upstream meant {meant[0]}")
        if _is_forged(first) and not all(map(_is_forged, meant)):
            found.append("a forged answer was believed")
    return found


def _is_forged(answer: Answer) -> bool:
    return b"x-injected" in dict(answer.fields)


def _short(answer: Answer) -> tuple[int, bytes]:
    return answer.status, answer.body


def check(every: Sequence[Reply]) -> None:
    said = play_all(every, play_reply)
    nodes = read_with_node(said)
    bare = [Said(one.method, one.data) for one in every]
    raw = list(zip(map(read_with_h11, bare), read_with_node(bare), strict=True))
    counts = {kind: Counter[str]() for kind in sorted({one.kind for one in every})}
    wrong: list[str] = []
    for one, got, node, meant in zip(every, said, nodes, raw, strict=True):
        count = counts[one.kind]
        found = problems(one, got, node, meant)
        answers = read_with_h11(got).answers
        count["sent"] += 1
        outcome = (
            "cut or nothing"
            if not answers or not answers[0].whole
            else "refused"
            if answers[0].is_ours
            else "passed on"
        )
        count[outcome] += 1
        count["agreed"] += not found
        if found:
            wrong.append(f"{one}\n  -> {got}\n  {found}")
    total = sum(counts.values(), Counter[str]())
    rows = [
        (kind, *(str(count[name]) for name in COLUMNS)) for kind, count in (*counts.items(), ("all", total))
    ]
    print("\n" + table(rows, ("responses", *COLUMNS)))
    assert not wrong, "\n".join(wrong[:5])
    assert total["refused"] >= total["sent"] // 2
    assert total["passed on"] >= total["sent"] // 20


def test_the_replies_are_many_and_always_the_same():
    every = replies()
    assert len({(one.method, one.data, one.closes) for one in every}) == len(every) >= REPLIES
    assert replies.__wrapped__() == every


def test_a_sample_of_responses_is_read_alike():
    every = replies()
    check(every[:: len(every) // SAMPLE])


@pytest.mark.slow
def test_all_responses_are_read_alike():
    check(replies())


GOOD = reply(b"Content-Length: 5", body=b"hello")
FORGED = {
    "a forged answer behind": Said(b"GET", GOOD + INJECTED, SECOND),
    "a forged answer for the second": Said(b"GET", GOOD, INJECTED),
    "two lengths": Said(b"GET", reply(b"Content-Length: 5", b"Content-Length: 6", body=b"hello!")),
    "length and coding": Said(b"GET", reply(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n")),
    "bare LF": Said(b"GET", GOOD.replace(b"\r\n", b"\n")),
    "obs-fold": Said(b"GET", reply(b"X-B: a\r\n b", b"Content-Length: 5", body=b"hello")),
    "a list of lengths": Said(b"GET", reply(b"Content-Length: 5, 5", body=b"hello"), SECOND),
    "no status": Said(b"GET", reply(b"Content-Length: 5", body=b"hello", first=b"HTTP/1.1 OK")),
    "another body": Said(b"GET", reply(b"Content-Length: 5", body=b"hullo"), SECOND),
}  # fmt: skip


def test_the_judge_of_responses_can_say_no():
    """As if the proxy had passed these on for a plain answer."""
    plain = Reply("plain", "plain", GOOD)
    raw = Said(b"GET", GOOD)
    meant = (read_with_h11(raw), read_with_node([raw])[0])
    good = Said(b"GET", GOOD, SECOND)
    assert problems(plain, good, read_with_node([good])[0], meant) == []
    for (name, said), node in zip(FORGED.items(), read_with_node(list(FORGED.values())), strict=True):
        assert problems(plain, said, node, meant), name


def test_answers_that_came_at_once_are_parted_where_the_first_ends():
    assert parted(b"GET", GOOD + SECOND) == Said(b"GET", GOOD, SECOND)
    assert parted(b"GET", GOOD) == Said(b"GET", GOOD)
    assert parted(b"HEAD", GOOD + SECOND) == Said(b"HEAD", GOOD[:-5], b"hello" + SECOND)
