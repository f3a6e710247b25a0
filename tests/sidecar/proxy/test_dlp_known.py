"""What the bottle's own secrets may do: nowhere, or where they belong; the canary; parts of a credential."""

from __future__ import annotations

import base64

import pytest
from dlp_support import (
    BLOCK,
    HOSTS,
    OFF,
    OWN,
    POLICY,
    REDACT,
    SLOT,
    SLOT_VALUE,
    SUPERVISE,
    get,
    post,
    random_value,
)

from bot_bottle.base.secret import Secret
from bot_bottle.dlp.known import Kind
from bot_bottle.sidecar.proxy.arming import Extra

CANARY = random_value(11, 43)
GIVEN = random_value(12)
OPERATORS = random_value(13)
EXTRAS = [
    Extra("ORBIT_HARBOR_SECRET", Secret(CANARY), Kind.CANARY),
    Extra("GIVEN", Secret(GIVEN), Kind.ENV, (SUPERVISE, "*.wild.example")),
    Extra("MY_COMPANY_KEY", Secret(OPERATORS), Kind.OPERATOR),
    Extra("SHORT", Secret("abc"), Kind.OPERATOR),
]
WILD = "a.wild.example"
EVERY = [*HOSTS, WILD]


@pytest.fixture
def start(run_proxy, upstream, to):
    def run(**options):
        policy = POLICY + '  - host: "*.wild.example"\n'
        where = to(upstream, *((host, 443) for host in EVERY))
        options.setdefault("tokens", {SLOT: SLOT_VALUE})
        options.setdefault("secrets", EXTRAS)
        return run_proxy(policy, upstream=upstream, connect_to=where, **options)

    return run


def send(proxy, host: str, body: bytes, path: str = "/p"):
    client = proxy.tls(host)
    client.send(post(host, body, path).data)
    return client.answer()


def incidents(proxy, event: str) -> list[dict]:
    return [record for record in proxy.records() if record["event"] == event]


@pytest.mark.parametrize("host", [BLOCK, REDACT, SUPERVISE, OFF])
@pytest.mark.parametrize("place", ["body", "path"])
@pytest.mark.parametrize(
    "encode", [str, lambda text: base64.b64encode(text.encode()).decode()], ids=["as is", "base64"]
)
def test_the_canary_leaves_on_no_route_but_the_providers(start, upstream, host, place, encode):
    """Whatever its policy or detectors: a block, and an incident that does not name it. Without a canary it goes."""
    proxy = start()
    value = encode(CANARY).replace("=", "")
    body, path = (f"env: {value} end".encode(), "/p") if place == "body" else (b"x", f"/p/{value}")
    answer = send(proxy, host, body, path)
    assert answer.status == 403
    assert upstream.accepted == 0
    (found,) = incidents(proxy, "egress_canary")
    assert (found["host"], found["where"]) == (host, "body" if place == "body" else "head")
    text = proxy.log_path.read_text() + answer.body.decode()
    assert "ORBIT" not in text and CANARY not in text and "anary" not in answer.body.decode()
    control = start(secrets=[])
    assert send(control, OFF, body, path).status == 200
    assert value.encode() in upstream.raw


def test_on_the_providers_own_route_it_is_redacted_and_recorded(start, upstream):
    """An agent that prints its environment sends it to its model: no crime (egress.md §8)."""
    proxy = start()
    assert send(proxy, OWN, f"env: {CANARY} end".encode()).status == 200
    assert upstream.requests[-1].body == b"env: ******** end"
    assert incidents(proxy, "egress_canary") == []
    assert [record["detector"] for record in incidents(proxy, "egress_redacted")] == ["canary"]


@pytest.mark.parametrize("host", [SUPERVISE, WILD])
def test_a_secret_of_the_bottles_own_goes_where_it_may(start, upstream, host):
    """``allow_to`` (ruling 48)."""
    proxy = start()
    assert send(proxy, host, f"t={GIVEN}".encode()).status == 200
    assert upstream.requests[-1].body == f"t={GIVEN}".encode()
    assert send(proxy, BLOCK, f"t={GIVEN}".encode()).status == 403
    assert send(proxy, SUPERVISE, f"t={OPERATORS}".encode()).status == 403
    assert len(upstream.requests) == 1


def test_what_can_not_be_looked_for_is_named(start):
    """Too short a secret: a warning by name (ruling 12)."""
    (warning,) = start().server.warnings
    assert warning.startswith("SHORT: ")
    assert "abc" not in warning


def test_a_new_token_is_known_at_once_and_the_old_one_still(start, upstream):
    """A login that was refreshed: both values stay inside."""
    proxy = start()
    fresh = random_value(14)

    async def replace() -> None:
        proxy.server.replace_tokens({SLOT: Secret(fresh)})

    proxy.call(replace())
    for value in (SLOT_VALUE, fresh):
        assert send(proxy, BLOCK, value.encode()).status == 403
    assert upstream.accepted == 0
    assert send(proxy, OWN, b"hello").status == 200
    assert upstream.requests[-1].header("authorization") == f"Bearer {fresh}"


def test_the_third_part_of_a_credential_cuts_the_bottle_off(start, upstream):
    """Nobody inside has it: whoever guesses at it, or found it, sends nothing any more (ruling 54)."""
    proxy = start()
    part = SLOT_VALUE[5:25]
    for number in range(2):
        assert send(proxy, BLOCK, f"guess {number} {part}".encode()).status == 403
        assert send(proxy, BLOCK, b"harmless").status == 200
    answer = send(proxy, BLOCK, f"guess 3 {part}".encode())
    assert (answer.status, answer.json()["hint"]) == (403, "the operator has cut this bottle off")
    assert send(proxy, BLOCK, b"harmless").status == 403
    assert send(proxy, OWN, b"harmless").status == 400
    assert len(upstream.requests) == 2
    (found,) = incidents(proxy, "egress_cut_off")
    assert found["slots"] == [SLOT]
    assert part not in proxy.log_path.read_text()


def test_a_credential_in_pieces_over_requests(start, upstream):
    """More than half of it to one host, in any order, whatever is between (dlp.md §2.4)."""
    proxy = start()
    statuses = []
    for at in range(0, 40, 8):
        client = proxy.tls(BLOCK)
        client.send(get(BLOCK, f"/g?part={SLOT_VALUE[at : at + 8]}"))
        statuses.append(client.answer().status)
    assert 403 in statuses[:4], statuses
    sent = upstream.raw
    assert sum(SLOT_VALUE[at : at + 8].encode() in sent for at in range(0, 40, 8)) <= 3


def test_data_in_a_host_name_below_a_wildcard(start, upstream):
    """A known secret in labels: nothing is looked up (``dns_exfil``)."""
    proxy = start(resolver=_never)
    host = f"{GIVEN[:20].lower()}.{GIVEN[20:].lower()}.wild.example"
    client = proxy.tls(host)
    client.send(get(host))
    assert client.answer().status == 403
    assert upstream.accepted == 0


async def _never(host: str, port: int) -> list[str]:
    raise AssertionError("looked up")
