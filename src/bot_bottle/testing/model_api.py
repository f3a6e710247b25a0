"""What a scripted model says: turns, and how the Anthropic Messages API writes them down. Pure; no I/O.

A script is a list of turns; the fake server plays one for each request that asks the model. Format of the
events: https://docs.anthropic.com/en/api/messages-streaming
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, assert_never


@dataclass(frozen=True)
class Text:
    """A text block; each string in ``deltas`` goes out as an event of its own."""

    deltas: tuple[str, ...]


@dataclass(frozen=True)
class ToolUse:
    """The model asks the client to run a tool, for instance ``Bash`` with ``{"command": ...}``."""

    name: str
    input: Mapping[str, Any]
    raw: str | None = None
    """free text instead of ``input``: a custom tool of OpenAI's Responses, which takes no JSON"""


@dataclass(frozen=True)
class Usage:
    """What a turn is billed with; ``input_tokens`` leaves the cached ones out, as the API does."""

    input_tokens: int = 11
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0
    output_tokens: int = 42


@dataclass(frozen=True)
class Say:
    """An answer of the model."""

    blocks: tuple[Text | ToolUse, ...]
    usage: Usage = field(default_factory=Usage)
    paced: bool = False
    """True: every content delta waits for one permit of the test, so that a client which saw delta *n*
    before it gave permit *n + 1* has proven that the way between them streams"""


@dataclass(frozen=True)
class Refuse:
    """An error of the API instead of an answer."""

    status: int
    kind: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Truncate:
    """The stream begins and the connection is closed after *events* events."""

    say: Say
    events: int


Turn = Say | Refuse | Truncate


@dataclass(frozen=True)
class Event:
    """One server-sent event. ``waits``: it goes out only after a permit, where the turn is paced."""

    name: str
    """empty: a stream without names, as Chat Completions have it"""
    data: Mapping[str, Any] | str
    waits: bool = False
    delta: str | None = None
    """what it adds to the content; None: nothing"""

    def encode(self) -> bytes:
        data = self.data if isinstance(self.data, str) else json.dumps(self.data, separators=(",", ":"))
        return (f"event: {self.name}\n" if self.name else "").encode() + f"data: {data}\n\n".encode()


def error_body(kind: str, message: str) -> dict[str, Any]:
    """The API's one error shape."""
    return {"type": "error", "error": {"type": kind, "message": message}}


def stop_reason(say: Say) -> str:
    return "tool_use" if any(isinstance(block, ToolUse) for block in say.blocks) else "end_turn"


def message(say: Say, *, message_id: str, model: str) -> dict[str, Any]:
    """The whole answer in one piece, as without ``stream``."""
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [_whole_block(block, f"{message_id}_{index}") for index, block in enumerate(say.blocks)],
        "stop_reason": stop_reason(say),
        "stop_sequence": None,
        "usage": _usage(say.usage, say.usage.output_tokens),
    }


def events(say: Say, *, message_id: str, model: str) -> Iterator[Event]:
    """The same answer as a stream. Usage is cumulative: ``message_delta`` repeats the input's numbers."""
    start = message(say, message_id=message_id, model=model)
    start |= {"content": [], "stop_reason": None, "usage": _usage(say.usage, 1)}
    yield Event("message_start", {"type": "message_start", "message": start})
    yield Event("ping", {"type": "ping"})
    for index, block in enumerate(say.blocks):
        yield from _block_events(block, index, f"{message_id}_{index}", say.paced)
    yield Event(
        "message_delta",
        {
            "type": "message_delta",
            "delta": {"stop_reason": stop_reason(say), "stop_sequence": None},
            "usage": _usage(say.usage, say.usage.output_tokens),
        },
    )
    yield Event("message_stop", {"type": "message_stop"})


def _block_events(block: Text | ToolUse, index: int, block_id: str, paced: bool) -> Iterator[Event]:
    empty: dict[str, Any]
    deltas: list[dict[str, Any]]
    match block:
        case Text():
            empty = {"type": "text", "text": ""}
            deltas = [{"type": "text_delta", "text": text} for text in block.deltas]
        case ToolUse():
            empty = {"type": "tool_use", "id": _tool_id(block_id), "name": block.name, "input": {}}
            text = json.dumps(block.input)
            half = len(text) // 2
            parts = (text[:half], text[half:])
            deltas = [{"type": "input_json_delta", "partial_json": part} for part in parts]
        case _:
            assert_never(block)
    yield Event(
        "content_block_start", {"type": "content_block_start", "index": index, "content_block": empty}
    )
    for delta in deltas:
        data = {"type": "content_block_delta", "index": index, "delta": delta}
        shown = delta.get("text", delta.get("partial_json", ""))
        yield Event("content_block_delta", data, waits=paced, delta=shown)
    yield Event("content_block_stop", {"type": "content_block_stop", "index": index})


def _whole_block(block: Text | ToolUse, block_id: str) -> dict[str, Any]:
    match block:
        case Text():
            return {"type": "text", "text": "".join(block.deltas)}
        case ToolUse():
            return {
                "type": "tool_use",
                "id": _tool_id(block_id),
                "name": block.name,
                "input": dict(block.input),
            }
        case _:
            assert_never(block)


def _tool_id(block_id: str) -> str:
    return f"toolu_{block_id}"


def _usage(usage: Usage, output_tokens: int) -> dict[str, int]:
    return {
        "input_tokens": usage.input_tokens,
        "cache_creation_input_tokens": usage.cache_creation_input_tokens,
        "cache_read_input_tokens": usage.cache_read_input_tokens,
        "output_tokens": output_tokens,
    }
