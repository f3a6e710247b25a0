"""Values that are refreshed while the proxy runs: every request after that goes out with them, none before."""

from __future__ import annotations

import pytest

from bot_bottle.base.secret import Secret
from bot_bottle.sidecar.proxy.write import CredentialError

API = "api.example.com"
POLICY = (
    "log: 1\nroutes:\n"
    "  - host: api.example.com\n    auth:\n"
    "      - {scheme: Bearer, token_env: TOKEN}\n"
    "      - {scheme: raw, header: x-account, token_env: ACCOUNT}\n"
)
OLD = {"TOKEN": "first-token", "ACCOUNT": "account-1"}
GET = b"GET / HTTP/1.1\r\nHost: api.example.com\r\n\r\n"


@pytest.fixture
def proxy(run_proxy, upstream, to):
    return run_proxy(POLICY, tokens=OLD, connect_to=to(upstream, (API, 443)), upstream=upstream)


def replace(proxy, **values: str) -> None:
    async def replace() -> None:
        proxy.server.replace_tokens({slot: Secret(value) for slot, value in values.items()})

    proxy.call(replace())


def seen(upstream) -> list[tuple[list[str], list[str]]]:
    return [(request.all("authorization"), request.all("x-account")) for request in upstream.requests]


def test_the_next_request_of_an_open_connection_goes_out_with_the_new_value(proxy, upstream):
    """Nothing is cut: the same client, over the same upstream connection."""
    client = proxy.tls(API)
    for value in (None, "second-token", "third-token"):
        if value:
            replace(proxy, TOKEN=value)
        client.send(GET)
        assert client.answer().status == 200
    assert seen(upstream) == [
        (["Bearer first-token"], ["account-1"]),
        (["Bearer second-token"], ["account-1"]),
        (["Bearer third-token"], ["account-1"]),
    ]
    assert upstream.accepted == 1


def test_a_request_whose_head_is_not_out_yet_gets_the_new_value(proxy, upstream):
    """The rest of the head comes after the refresh."""
    client = proxy.tls(API)
    client.send(GET[:-2])
    replace(proxy, TOKEN="second-token")
    client.send(GET[-2:])
    assert client.answer().status == 200
    assert seen(upstream) == [(["Bearer second-token"], ["account-1"])]


@pytest.mark.parametrize(
    "values",
    [
        {"OTHER": "x"},
        {"TOKEN": "second-token", "OTHER": "x"},
        {"TOKEN": ""},
        {"TOKEN": "second\r\nx-account: another"},
        {"TOKEN": "second-töken"},
        {"TOKEN": "second-token", "ACCOUNT": "a\nb"},
    ],
)
def test_all_or_nothing(proxy, upstream, values):
    """A slot that is none, or a value that no header can carry: the old ones stay, all of them."""
    with pytest.raises(CredentialError) as caught:
        replace(proxy, **values)
    assert "second" not in str(caught.value)
    client = proxy.tls(API)
    client.send(GET)
    assert client.answer().status == 200
    assert seen(upstream) == [(["Bearer first-token"], ["account-1"])]
    assert [r["event"] for r in proxy.records() if "tokens" in r["event"]] == ["egress_tokens_refused"]


def test_the_slots_stay_those_of_the_launch(proxy):
    """A later policy can't name a slot that a refresh tried to bring in."""
    with pytest.raises(CredentialError):
        replace(proxy, OTHER="x")
    with pytest.raises(CredentialError):
        proxy.reload(POLICY.replace("ACCOUNT", "OTHER"))


def test_no_value_is_logged(proxy, upstream):
    replace(proxy, TOKEN="second-token", ACCOUNT="account-2")
    client = proxy.tls(API)
    client.send(GET)
    assert client.answer().status == 200
    assert seen(upstream) == [(["Bearer second-token"], ["account-2"])]
    text = proxy.log_path.read_text()
    assert "second-token" not in text and "account-2" not in text
    (record,) = [r for r in proxy.records() if r["event"] == "egress_tokens_replaced"]
    assert record["slots"] == ["ACCOUNT", "TOKEN"]
