"""The tools that an MCP server offers, pinned for a session: a description that changes later is told.

A server may show harmless descriptions when it is looked over and others when it is used. Reads JSON-RPC 2.0 results
of ``tools/list`` (MCP specification, "Tools"), in a JSON body or in the data of an event.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from bot_bottle.dlp.inbound.events import data_of

MOST_TOOLS = 1024
MOST_BODY_BYTES = 4 * 1024 * 1024


class Change(Struct, frozen=True):
    """What differs from what was pinned, by name."""

    changed: tuple[str, ...] = ()
    """described otherwise than at first: to be refused and asked about"""
    added: tuple[str, ...] = ()
    """not seen before; pinned from now on"""


def tool_digests(message: object) -> dict[str, str] | None:
    """Name and digest of each tool in a decoded JSON-RPC message (or a batch of them); None: it lists no tools."""
    if isinstance(message, list):
        found = [digests for one in message[:16] if (digests := tool_digests(one)) is not None]
        return {name: digest for digests in found for name, digest in digests.items()} if found else None
    if not isinstance(message, dict) or not isinstance(message.get("result"), dict):
        return None
    tools = message["result"].get("tools")
    if not isinstance(tools, list):
        return None
    out: dict[str, str] = {}
    for tool in tools[:MOST_TOOLS]:
        if isinstance(tool, dict) and isinstance(tool.get("name"), str):
            name = tool["name"]
            before = out.get(name, "")
            out[name] = hashlib.sha256(before.encode() + _canonical(tool)).hexdigest()
    return out


def _canonical(tool: object) -> bytes:
    """The same bytes for the same description, whatever the order of keys."""
    return msgspec.json.encode(tool, order="sorted")


def tools_in_json(body: bytes) -> dict[str, str] | None:
    """:func:`tool_digests` of a body; None also for what is no JSON or too large to be a list of tools."""
    if len(body) > MOST_BODY_BYTES:
        return None
    try:
        return tool_digests(msgspec.json.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def tools_in_event(event: bytes) -> dict[str, str] | None:
    """:func:`tool_digests` of one server-sent event."""
    return tools_in_json(data_of(event)) if b"tools" in event else None


class Pins(Struct, frozen=True):
    """Of one server (host and path), for a session."""

    digests: Mapping[str, str] = {}

    def compared(self, digests: Mapping[str, str]) -> tuple[Pins, Change]:
        """The pins after a list, and how it differs. A changed tool keeps its first pin: only :meth:`accepted` moves
        it. A tool that is missing is no change: lists come in pages."""
        changed = tuple(name for name, digest in digests.items() if self.digests.get(name, digest) != digest)
        added = tuple(name for name in digests if name not in self.digests)
        room = added[: max(0, MOST_TOOLS - len(self.digests))]
        return Pins({**self.digests, **{name: digests[name] for name in room}}), Change(changed, added)

    def accepted(self, digests: Mapping[str, str]) -> Pins:
        """The pins once the operator has agreed to these descriptions."""
        return Pins({**self.digests, **digests})
