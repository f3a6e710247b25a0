"""HTTP without TLS in a tunnel: on port 80, and to the operator's own machine (rulings 8, 63); else it closes."""

from __future__ import annotations

import pytest

OPEN = """\
log: 1
routes:
- {{host: {host}, ports: [{port}]{private}}}
"""
PRIVATE = ", allow_private: true"


@pytest.mark.parametrize(
    ("host", "port", "private", "passes"),
    [
        ("a.example", 80, "", True),
        ("host.bot-bottle.internal", 11434, PRIVATE, True),
        ("192.168.1.7", 80, PRIVATE, True),
        ("a.example", 8000, "", False),
        ("192.168.1.7", 8000, PRIVATE, False),
        ("10.0.0.1", 443, PRIVATE, False),
    ],
)
def test_where_a_tunnel_may_be_plain(run_proxy, plain_upstream, to, host, port, private, passes):
    """A route that opens host and port is not enough: judged by what the upstream received. The control: the
    same request in absolute form, which the same route lets pass."""
    policy = OPEN.format(host=host, port=port, private=private)
    proxy = run_proxy(policy, connect_to=to(plain_upstream, (host, port)))
    authority = f"{host}:{port}".encode()
    client = proxy.tunnel(host, port)
    client.send(b"GET /tunnelled HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % authority)
    answer = client.read_all()
    assert answer.startswith(b"HTTP/1.1 200 ") if passes else answer == b""
    assert [request.target for request in plain_upstream.requests] == (["/tunnelled"] if passes else [])
    control = proxy.connect()
    control.send(
        b"GET http://%b/control HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % (authority, authority)
    )
    assert control.read_all().startswith(b"HTTP/1.1 200 ")
    assert plain_upstream.requests[-1].target == "/control"
