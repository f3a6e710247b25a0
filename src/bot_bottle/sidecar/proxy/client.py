"""What an exchange asks of the connection that it belongs to, and whether it may still go on."""

from __future__ import annotations

import asyncio
from typing import Protocol

from bot_bottle.egress.address import check_route_address
from bot_bottle.egress.request import RequestIdentity
from bot_bottle.egress.verdict import Allow, Deny
from bot_bottle.sidecar.proxy.gateway import Gateway
from bot_bottle.sidecar.proxy.upstream import Upstream
from bot_bottle.sidecar.proxy.websocket import WebSocket


class Client(Protocol):
    """What an exchange asks of the connection that it belongs to."""

    deadline: float
    write_paused: bool
    upstream: Upstream | None
    loop: asyncio.AbstractEventLoop

    def send(self, data: bytes) -> None: ...

    def pump(self) -> None: ...

    def exchange_over(self, *, keep_alive: bool, body_left: bool) -> None: ...

    def exchange_refused(
        self, deny: Deny, identity: RequestIdentity, *, keep_alive: bool, body_left: bool
    ) -> None: ...

    def becomes_websocket(self, websocket: WebSocket) -> None: ...

    def cut(self, *, flush: bool = False) -> None: ...


def allowed_now(gateway: Gateway, identity: RequestIdentity, upstream: Upstream | None) -> bool:
    """Whether the policy in force allows *identity*, and the address that it is connected to."""
    verdict = gateway.decide(identity)
    if not isinstance(verdict, Allow):
        return False
    if upstream is None or upstream.address is None:
        return True
    refusal = check_route_address(
        verdict.route, identity.host, upstream.address, identity.port, refuse_ports=gateway.refuse_ports
    )
    return refusal is None
