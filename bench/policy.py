"""Proof, before anything is measured, that a proxy judges what its row says that it judges."""

from __future__ import annotations

import http.client
import ssl

from proxies import ADDRESS, CREDENTIAL, FULL, HOST, Proxy

TIMEOUT_S = 20.0


def ask(proxy: Proxy, host: str, method: str, path: str) -> tuple[int, str]:
    """One request through *proxy*, with the credential that an agent would make up; status and body."""
    context = ssl.create_default_context(cafile=str(proxy.ca))
    connection = http.client.HTTPSConnection(ADDRESS, proxy.port, timeout=TIMEOUT_S, context=context)
    connection.set_tunnel(host, 443)
    try:
        connection.request(method, path, headers={"Authorization": "Bearer placeholder"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def prove(proxy: Proxy) -> None:
    """Raise RuntimeError unless the requests of the policy pass and others do not."""
    full = proxy.policy == FULL
    status, head = ask(proxy, HOST, "GET", "/v1/echo")
    carried = (
        [CREDENTIAL, "*" * len(CREDENTIAL)] if full else ["placeholder"]
    )  # ours is covered on the way back
    if status != 200 or not any(f"uthorization: Bearer {value}\r\n" in head for value in carried):
        raise RuntimeError(f"{proxy.name}: the origin got, with status {status}: {head}")
    if not full:
        return
    for host, method, path in (
        (HOST, "GET", "/v2/echo"),
        (HOST, "DELETE", "/v1/echo"),
        ("other.test", "GET", "/v1"),
    ):
        try:
            status, _ = ask(proxy, host, method, path)
        except OSError:
            status = 403  # refused at CONNECT
        if status != 403:
            raise RuntimeError(f"{proxy.name} let {method} {host}{path} pass, with status {status}")
