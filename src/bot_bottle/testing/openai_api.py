"""How a scripted turn is written in OpenAI's two dialects: Responses and Chat Completions. Pure; no I/O.

Formats: https://platform.openai.com/docs/api-reference/responses-streaming and
https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, assert_never

from bot_bottle.testing.model_api import Event, Say, Text, ToolUse, Usage


def openai_error(kind: str, message: str) -> dict[str, Any]:
    """The API's one error shape."""
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


# -- Responses
def response_events(say: Say, *, name: str, model: str) -> Iterator[Event]:
    """The answer as a stream of ``/v1/responses``; usage is in its last event alone."""
    response = {"id": name, "object": "response", "model": model, "status": "in_progress", "output": []}
    yield _typed("response.created", response=response)
    items = []
    for index, block in enumerate(say.blocks):
        item = _item(block, f"{name}_{index}")
        items.append(item)
        yield from _item_events(block, item, index, say.paced)
    done = {**response, "status": "completed", "output": items, "usage": _response_usage(say.usage)}
    yield _typed("response.completed", response=done)


def whole_response(say: Say, *, name: str, model: str) -> dict[str, Any]:
    """The same in one piece, as without ``stream``."""
    *_, last = response_events(say, name=name, model=model)
    assert not isinstance(last.data, str)
    return dict(last.data["response"])


def _item_events(block: Text | ToolUse, item: dict[str, Any], index: int, paced: bool) -> Iterator[Event]:
    empty = {**item, "status": "in_progress"}
    match block:
        case Text():
            empty["content"] = []
            deltas, kind = block.deltas, "response.output_text.delta"
        case ToolUse(raw=raw):
            key = "arguments" if raw is None else "input"
            empty[key] = ""
            deltas = (item[key],)
            kind = "response.function_call_arguments.delta"
            if raw is not None:
                kind = "response.custom_tool_call_input.delta"
        case _:
            assert_never(block)
    yield _typed("response.output_item.added", output_index=index, item=empty)
    for delta in deltas:
        where = {"item_id": item["id"], "output_index": index, "content_index": 0, "delta": delta}
        yield Event(kind, {"type": kind, **where}, waits=paced, delta=delta)
    yield _typed("response.output_item.done", output_index=index, item=item)


def _item(block: Text | ToolUse, name: str) -> dict[str, Any]:
    match block:
        case Text():
            content = [{"type": "output_text", "text": "".join(block.deltas), "annotations": []}]
            return {
                "id": f"msg_{name}", "type": "message", "role": "assistant", "status": "completed",
                "content": content,
            }  # fmt: skip
        case ToolUse(raw=None):
            return {
                "id": f"fc_{name}", "type": "function_call", "status": "completed", "call_id": f"call_{name}",
                "name": block.name, "arguments": json.dumps(block.input),
            }  # fmt: skip
        case ToolUse():
            return {
                "id": f"ctc_{name}", "type": "custom_tool_call", "status": "completed",
                "call_id": f"call_{name}", "name": block.name, "input": block.raw,
            }  # fmt: skip
        case _:
            assert_never(block)


def _response_usage(usage: Usage) -> dict[str, Any]:
    """OpenAI counts cached tokens among the input's."""
    cached = usage.cache_read_input_tokens
    total = usage.input_tokens + usage.cache_creation_input_tokens + cached
    return {
        "input_tokens": total,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": total + usage.output_tokens,
    }


def _typed(kind: str, **data: Any) -> Event:
    return Event(kind, {"type": kind, **data})


# -- Chat Completions
def chat_events(say: Say, *, name: str, model: str) -> Iterator[Event]:
    """The answer as a stream of ``/v1/chat/completions``, with the usage that ``include_usage`` asks for."""
    common = {"id": name, "object": "chat.completion.chunk", "created": 0, "model": model}
    yield _chunk(common, {"role": "assistant", "content": ""})
    calls = 0
    for index, block in enumerate(say.blocks):
        match block:
            case Text():
                for text in block.deltas:
                    yield _chunk(common, {"content": text}, waits=say.paced, shown=text)
            case ToolUse():
                arguments = json.dumps(block.input)
                call = {
                    "index": calls, "id": f"call_{name}_{index}", "type": "function",
                    "function": {"name": block.name, "arguments": arguments},
                }  # fmt: skip
                calls += 1
                yield _chunk(common, {"tool_calls": [call]}, waits=say.paced, shown=arguments)
            case _:
                assert_never(block)
    yield _chunk(common, {}, finish="tool_calls" if calls else "stop")
    yield Event("", {**common, "choices": [], "usage": _chat_usage(say.usage)})
    yield Event("", "[DONE]")


def whole_chat(say: Say, *, name: str, model: str) -> dict[str, Any]:
    """The same in one piece."""
    text = "".join(delta for block in say.blocks if isinstance(block, Text) for delta in block.deltas)
    calls = [
        {
            "id": f"call_{name}_{index}", "type": "function",
            "function": {"name": block.name, "arguments": json.dumps(block.input)},
        }
        for index, block in enumerate(say.blocks)
        if isinstance(block, ToolUse)
    ]  # fmt: skip
    said: dict[str, Any] = {"role": "assistant", "content": text, **({"tool_calls": calls} if calls else {})}
    choice = {"index": 0, "message": said, "finish_reason": "tool_calls" if calls else "stop"}
    common = {"id": name, "object": "chat.completion", "created": 0, "model": model}
    return {**common, "choices": [choice], "usage": _chat_usage(say.usage)}


def _chunk(
    common: dict[str, Any],
    delta: dict[str, Any],
    *,
    finish: str | None = None,
    waits: bool = False,
    shown: str | None = None,
) -> Event:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return Event("", {**common, "choices": [choice]}, waits=waits, delta=shown)


def _chat_usage(usage: Usage) -> dict[str, Any]:
    whole = _response_usage(usage)
    return {
        "prompt_tokens": whole["input_tokens"],
        "completion_tokens": whole["output_tokens"],
        "total_tokens": whole["total_tokens"],
    }
