"""A value that looks like a secret is asked about, by the files that the host reads; the upstream is the witness."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from dlp_support import (
    HOSTS,
    LAUNCH,
    OWN,
    POLICY,
    SLOT,
    SLOT_VALUE,
    SUPERVISE,
    TOKEN,
    Operator,
    get,
    post,
    token,
)

from bot_bottle.base.secret import Secret
from bot_bottle.dlp.known import Kind
from bot_bottle.proposals import files
from bot_bottle.proposals.records import Status, Tool
from bot_bottle.sidecar.proxy.arming import Extra
from bot_bottle.sidecar.proxy.asking import FileQuestions
from bot_bottle.sidecar.proxy.held import Held
from bot_bottle.store.layout import Layout

OTHER = "other.example.com"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "home", tmp_path / "home", tmp_path / "run")
    layout.state("dev").mkdir(parents=True)
    for name in ("egress", "run"):
        (layout.guest("dev") / name).mkdir(parents=True)
    return layout


@pytest.fixture
def operator(layout):
    operator = Operator(layout)
    yield operator
    operator.leave()


@pytest.fixture
def start(run_proxy, upstream, to, layout) -> Callable[..., object]:
    guest = layout.guest("dev")

    def run(policy: str = POLICY, *, timeout_s: float = 30.0, **options):
        hosts = (*HOSTS, OTHER)
        options.setdefault("tokens", {SLOT: SLOT_VALUE})
        return run_proxy(
            policy,
            upstream=upstream,
            connect_to=to(upstream, *((host, 443) for host in hosts)),
            questions=lambda inspector, log: FileQuestions(
                inspector,
                log,
                bottle="dev",
                launch=LAUNCH,
                run_dir=guest / "run",
                egress_dir=guest / "egress",
                timeout_s=timeout_s,
            ),
            **options,
        )

    return run


def _tokens_events(proxy) -> list[tuple[str, str]]:
    return [
        (record["event"], record["id"])
        for record in proxy.records()
        if record["event"].startswith("egress_token")
    ]


def test_approved(start, operator, upstream):
    """Held until the answer, then it goes as it was; the value passes there from now on, and nowhere else."""
    operator.come()
    proxy = start(POLICY + f"  - host: {OTHER}\n")
    client = proxy.tls(SUPERVISE)
    body = b"a" * 1000 + TOKEN.encode()
    client.send(post(SUPERVISE, body, path="/p?q=1").data)
    (asked,) = operator.asked()
    assert upstream.accepted == 0
    assert asked.tool is Tool.EGRESS_TOKEN_ALLOW
    for line in (f"host: {SUPERVISE}", "method: POST", "path: /p", "detector: token_patterns (github-token)"):
        assert line in asked.proposed_file
    assert "aaaa********" in asked.proposed_file
    assert TOKEN not in asked.proposed_file
    operator.answer(Status.APPROVED, "a key of a test account")
    assert client.answer().status == 200
    assert upstream.requests[-1].body == body
    client.send(get(SUPERVISE, f"/g/{TOKEN}"))
    assert client.answer().status == 200
    other = proxy.tls(OTHER)
    other.send(post(OTHER, body).data)
    assert operator.asked()[0].id != asked.id
    assert len(upstream.requests) == 2
    other.close()
    events = _tokens_events(proxy)
    assert events[:2] == [("egress_token_supervise", asked.id), ("egress_token_allowed", asked.id)]
    assert operator.questions.is_acknowledged(asked.id)
    assert TOKEN not in proxy.log_path.read_text()


def test_other_flows_go_on(start, operator, upstream):
    """Who waits, waits alone."""
    operator.come()
    proxy = start()
    held = proxy.tls(SUPERVISE)
    held.send(post(SUPERVISE, TOKEN.encode()).data)
    operator.asked()
    client = proxy.tls(SUPERVISE)
    client.send(get(SUPERVISE))
    assert client.answer().status == 200
    assert len(upstream.requests) == 1


def test_rejected(start, operator, upstream):
    """403 with the operator's reason, without any secret in it; whoever comes again is told so."""
    operator.come()
    proxy = start()
    client = proxy.tls(SUPERVISE)
    client.send(post(SUPERVISE, TOKEN.encode()).data)
    operator.answer(Status.REJECTED, f"not {TOKEN} there")
    answer = client.answer()
    assert answer.status == 403
    assert answer.json()["hint"] == "the operator rejected it (not ******** there)"
    client.send(post(SUPERVISE, b"again " + TOKEN.encode()).data)
    assert client.answer().json()["hint"].startswith("the operator rejected it")
    assert operator.questions.pending() == []
    assert upstream.accepted == 0


def test_no_answer_in_time(start, operator, upstream):
    """403 after the wait; the question has expired and can't be answered any more."""
    operator.come()
    proxy = start(timeout_s=0.3)
    client = proxy.tls(SUPERVISE)
    client.send(post(SUPERVISE, TOKEN.encode()).data)
    answer = client.answer()
    assert answer.status == 403
    assert answer.json()["hint"] == "the operator was asked and did not answer in time (0.3 s)"
    assert operator.questions.pending() == []
    assert upstream.accepted == 0


def test_nobody_is_waited_for_who_is_not_there(start, operator, upstream):
    """Refused at once with the proposal's id; a later approval lets the retry pass (ruling 52)."""
    proxy = start()
    client = proxy.tls(SUPERVISE)
    client.send(post(SUPERVISE, TOKEN.encode()).data)
    answer = client.answer()
    (asked,) = operator.asked()
    assert answer.status == 403
    assert asked.id in answer.json()["hint"]
    client.send(post(SUPERVISE, TOKEN.encode()).data)
    assert asked.id in client.answer().json()["hint"], "asked once"
    operator.answer(Status.APPROVED, "fine")
    client.send(post(SUPERVISE, TOKEN.encode()).data)
    assert client.answer().status == 200
    assert upstream.requests[-1].body == TOKEN.encode()


def test_who_leaves_is_not_waited_for(start, operator, layout, upstream):
    """The lease ends: those that wait get their answer, and the question stays."""
    operator.questions.renew_lease()
    proxy = start()
    client = proxy.tls(SUPERVISE)
    client.send(post(SUPERVISE, TOKEN.encode()).data)
    (asked,) = operator.asked()
    (layout.guest("dev") / "egress" / files.LEASE).unlink()
    assert asked.id in client.answer().json()["hint"]
    assert operator.questions.pending() == [asked]


def test_ten_equal_values_ask_once(start, operator, upstream):
    """One answer for all of them."""
    operator.come()
    proxy = start()
    clients = [proxy.tls(SUPERVISE) for _ in range(10)]
    for number, client in enumerate(clients):
        client.send(post(SUPERVISE, b"%d " % number + TOKEN.encode()).data)
    operator.asked()
    time.sleep(0.1)
    operator.answer(Status.APPROVED, "ten of them")
    assert [client.answer().status for client in clients] == [200] * 10
    assert sorted(seen.body for seen in upstream.requests) == [
        b"%d %b" % (n, TOKEN.encode()) for n in range(10)
    ]


def test_a_second_secret_is_still_caught(start, operator, upstream):
    """After the approval the request is scanned again."""
    operator.come()
    proxy = start()
    client = proxy.tls(SUPERVISE)
    client.send(post(SUPERVISE, f"{TOKEN} and {token(9)}".encode(), path=f"/{token(10)}").data)
    for _ in range(2):
        operator.answer(Status.APPROVED, "one of them")
        assert upstream.accepted == 0
        time.sleep(0.6)
    operator.answer(Status.REJECTED, "not that")
    assert client.answer().status == 403
    assert upstream.accepted == 0


def test_an_injected_credential_is_approved_for_its_own_host_only(start, operator, upstream):
    """Elsewhere nobody is even asked (ruling 14); there it can be."""
    operator.come()
    policy = POLICY.replace(
        f"  - host: {OWN}\n    provider: claude\n", f"  - host: {OWN}\n    matches: [{{methods: [POST]}}]\n"
    )
    proxy = start(policy, tokens={SLOT: SLOT_VALUE})
    client = proxy.tls(SUPERVISE)
    client.send(post(SUPERVISE, SLOT_VALUE.encode()).data)
    answer = client.answer()
    assert answer.status == 403
    assert operator.questions.pending() == []
    own = proxy.tls(OWN)
    own.send(post(OWN, SLOT_VALUE.encode()).data)
    operator.answer(Status.APPROVED, "it is its own")
    assert own.answer().status == 200
    assert upstream.requests[-1].body == SLOT_VALUE.encode()


def test_the_canary_is_never_asked_about(start, operator, upstream):
    operator.come()
    value = "Zq7_wE4rT9yU2iO0pL3kJ6hG8fD1sA5xC_vB-nM7qW4"
    proxy = start(secrets=[Extra("ORBIT_HARBOR_SECRET", Secret(value), Kind.CANARY)])
    client = proxy.tls(SUPERVISE)
    client.send(post(SUPERVISE, value.encode()).data)
    assert client.answer().status == 403
    assert operator.questions.pending() == []
    assert upstream.accepted == 0


def test_a_client_that_hangs_up_takes_its_question_back(start, operator):
    operator.come()
    proxy = start()
    client = proxy.tls(SUPERVISE)
    client.send(post(SUPERVISE, TOKEN.encode()).data)
    operator.asked()
    client.close()
    until = time.monotonic() + 10
    while operator.questions.pending() and time.monotonic() < until:
        time.sleep(0.02)
    assert operator.questions.pending() == []


def test_held_memory_is_bounded(start, operator, upstream):
    """What finds no room waits, then gets 503; what is given back lets the next in (rulings 9, 52)."""
    operator.come()
    proxy = start(held=Held(total=3_000_000, provider=1_500_000, wait_s=0.3))
    first = proxy.tls(SUPERVISE)
    first.send(post(SUPERVISE, b"x" * 900_000 + TOKEN.encode()).data)
    (asked,) = operator.asked()
    second = proxy.tls(SUPERVISE)
    second.send(post(SUPERVISE, b"y" * 900_000 + TOKEN.encode()).data)
    answer = second.answer()
    assert (answer.status, answer.json()["hint"]) == (
        503, "too much is held for a decision already: try again later"
    )  # fmt: skip
    small = proxy.tls(SUPERVISE)
    small.send(get(SUPERVISE))
    assert small.answer().status == 200
    operator.answer(Status.APPROVED, "go", asked.id)
    assert first.answer().status == 200
    third = proxy.tls(SUPERVISE)
    third.send(post(SUPERVISE, b"y" * 900_000 + TOKEN.encode()).data)
    assert third.answer().status == 200
