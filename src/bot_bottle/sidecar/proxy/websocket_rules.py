"""What the scanner makes of a WebSocket's messages: the same rules as of requests, by the policy in force."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from bot_bottle.dlp.finding import Finding
from bot_bottle.dlp.inbound.stream import InboundStream
from bot_bottle.dlp.scan import Stream
from bot_bottle.egress.config import OutboundOnMatch, Route
from bot_bottle.egress.request import RequestIdentity
from bot_bottle.egress.verdict import Deny, Hint
from bot_bottle.sidecar.proxy.gateway import Gateway
from bot_bottle.sidecar.proxy.held import MIB, Reservation
from bot_bottle.sidecar.proxy.inbound import MODES, is_exempt
from bot_bottle.sidecar.proxy.websocket_frames import POLICY
from bot_bottle.sidecar.proxy.websocket_inspect import ClientMessages, ServerMessages

_WHERE = "message"


class MessageRules:
    """Of the messages to *identity*'s route."""

    def __init__(self, gateway: Gateway, identity: RequestIdentity) -> None:
        self._gateway = gateway
        self._identity = identity

    def _route(self) -> Route:
        """A route that is gone ends the connection at the reload; until then it is not looked for here."""
        route = self._gateway.policy.find(self._identity.host)
        assert route is not None
        return route

    @property
    def holds(self) -> bool:
        route = self._route()
        return (
            route.provider is not None  # the canary is taken out there
            or self._gateway.inspector.policy_of(route) is OutboundOnMatch.REDACT
        )

    def message(self, data: bytes) -> bytes | Deny:
        return self._gateway.inspector.message(data, self._identity, self._route())

    def stream(self) -> Stream:
        return self._gateway.inspector.stream(self._route(), self._identity.host)

    def refusal(self, found: Iterable[Finding]) -> Deny | None:
        inspector, identity, route = self._gateway.inspector, self._identity, self._route()
        blocking = inspector.blocking(found, identity, route, _WHERE)
        if not blocking:
            return None
        if inspector.has_spied(blocking):
            return inspector.cut_off_deny(identity.host)
        judged = inspector.judge(blocking, route, identity, _WHERE)
        if isinstance(judged, Deny):
            return judged
        return inspector.deny(blocking[0], identity.host, _WHERE, Hint.UNREDACTABLE)

    def refused(self, deny: Deny) -> None:
        """The status in the log is the close code."""
        shown = self._gateway.inspector.shown(self._identity)
        self._gateway.log.block(replace(deny, status=POLICY), shown)


class HeldRoom:
    """Of the bottle's memory for what is held (ruling 9). Nobody waits for it here: a WebSocket that did would keep
    its pings waiting, too."""

    def __init__(self, reservation: Reservation) -> None:
        self._reservation = reservation

    def has(self, size: int) -> bool:
        wanted = -(-size // MIB) * MIB
        if self._reservation.grow(wanted, lambda _: None):
            return True
        self._reservation.give_back()
        return False

    def give_back(self) -> None:
        self._reservation.give_back()


def client_messages(
    gateway: Gateway, identity: RequestIdentity, loop: asyncio.AbstractEventLoop, *, provider: bool
) -> ClientMessages:
    """For one connection. *provider*: its memory is the provider's part."""
    return ClientMessages(
        MessageRules(gateway, identity),
        HeldRoom(Reservation(gateway.held, provider=provider, loop=loop)),
        window_bytes=gateway.limits.window_bytes,
        held_bytes=gateway.limits.held_body_bytes,
    )


def server_messages(gateway: Gateway, identity: RequestIdentity) -> ServerMessages:
    """For one connection: orders to the agent are found (but in what a provider's own API says), and what we know
    is covered."""

    def start(media_type: str) -> InboundStream:
        route = gateway.policy.find(identity.host)
        assert route is not None
        return InboundStream(
            media_type,
            known=gateway.inspector.known,
            exempt=is_exempt(route),
            mode=MODES[route.dlp.inbound_on_match],
        )

    return ServerMessages(start, lambda found: gateway.incoming.note(found, identity))
