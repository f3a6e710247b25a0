"""A fake Anthropic API on loopback, see :mod:`bot_bottle.testing.scripted_api`.

For tests, the benchmark and the demonstration. It answers with TLS under an authority of its own or in the
clear; a request that the script has no turn for gets an error, never a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from bot_bottle.testing.model_api import Refuse, Say, Truncate, Turn, error_body, events, message
from bot_bottle.testing.scripted_api import ApiClient, Recorded, ScriptedApi

API_HOST = "api.anthropic.com"


class AnthropicFake(ScriptedApi):
    """``with AnthropicFake([Say(...), ...]) as api: ... api.requests``."""

    model_paths = ("/v1/messages",)

    def __init__(self, turns: Sequence[Turn], *, tls: bool = True, host: str = API_HOST) -> None:
        super().__init__(turns, tls=tls, hosts=(host,))

    def answer(self, request: Recorded, client: ApiClient) -> None:
        if request.method == "POST" and request.path == "/v1/messages":
            self._answer_model(request, client)
        elif request.method == "POST" and request.path == "/v1/messages/count_tokens":
            client.reply(200, {"input_tokens": max(len(request.body) // 4, 1)})
        else:
            client.reply(404, error_body("not_found_error", f"no such path: {request.path}"))

    def _answer_model(self, request: Recorded, client: ApiClient) -> None:
        asked = request.json()
        model = str(asked.get("model", ""))
        following = self.next_turn()
        if following is None:
            client.reply(400, error_body("invalid_request_error", "the script has no further turn"))
            return
        number, turn = following
        name = f"msg_{number:04d}"
        match turn:
            case Refuse():
                client.reply(turn.status, error_body(turn.kind, turn.message), turn.headers)
            case Truncate():
                self._stream(turn.say, name, model, client, limit=turn.events)
            case Say():
                if asked.get("stream"):
                    self._stream(turn, name, model, client)
                else:
                    client.reply(200, message(turn, message_id=name, model=model))
            case _:
                assert_never(turn)

    @staticmethod
    def _stream(say: Say, name: str, model: str, client: ApiClient, limit: int | None = None) -> None:
        said = events(say, message_id=name, model=model)
        client.stream(said, {"request-id": f"req_{name}"}, limit)
