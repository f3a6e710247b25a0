"""A fake OpenAI API on loopback, see :mod:`bot_bottle.testing.scripted_api`.

It plays api.openai.com and chatgpt.com, as Codex uses them, and any server of Chat Completions, as Pi uses
one. It takes up Codex's WebSocket where it is told to, and else answers it 426; a request that the script has no
turn for gets an error.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, assert_never

from bot_bottle.testing.model_api import Refuse, Say, Text, Truncate, Turn
from bot_bottle.testing.openai_api import (
    chat_events,
    openai_error,
    response_events,
    whole_chat,
    whole_response,
)
from bot_bottle.testing.scripted_api import ApiClient, Recorded, ScriptedApi
from bot_bottle.testing.websocket_server import TextConnection

API_HOST = "api.openai.com"
CHATGPT_HOST = "chatgpt.com"

RESPONSES = ("/v1/responses", "/backend-api/codex/responses")
CHAT = "/v1/chat/completions"
ACCOUNTS = "/backend-api/wham/accounts/check"

_TITLE = Say((Text(('{"title": "A title"}',)),))


class OpenAIFake(ScriptedApi):
    """``with OpenAIFake([Say(...), ...]) as api: ... api.requests``."""

    model_paths = (*RESPONSES, CHAT)

    def __init__(
        self,
        turns: Sequence[Turn],
        *,
        tls: bool = True,
        hosts: Sequence[str] = (API_HOST, CHATGPT_HOST),
        account: str = "",
        websocket: bool = False,
    ) -> None:
        """*account*: the ChatGPT account that there is. *websocket*: Responses are had over one, too."""
        super().__init__(turns, tls=tls, hosts=hosts)
        self._account = account
        self._websocket = websocket

    def answer(self, request: Recorded, client: ApiClient) -> None:
        if request.method == "POST" and request.path in self.model_paths:
            self._answer_model(request, client)
        elif request.header("upgrade") and self._websocket and request.path in RESPONSES:
            client.converse(
                request, lambda message, connection: self._answer_message(message, client, connection)
            )
        elif request.header("upgrade"):
            client.reply(426, openai_error("invalid_request_error", "use POST"))
        elif request.method == "GET" and request.path == ACCOUNTS:
            client.reply(200, {"accounts": [self._workspace()]})
        else:
            client.reply(404, openai_error("invalid_request_error", f"no such path: {request.path}"))

    def _workspace(self) -> dict[str, str]:
        return {
            "id": self._account,
            "workspace_backend_origin": f"https://{CHATGPT_HOST}",
            "account_routing_override": "NO_CONSTRAINT",
        }

    def _answer_model(self, request: Recorded, client: ApiClient) -> None:
        asked = self._asked(request)
        model = str(asked.get("model", ""))
        if asked.get("text", {}).get("format", {}).get("type") == "json_schema":
            # Codex asks for a title of a conversation on a terminal, beside it: that must not eat the script.
            self._stream(_TITLE, "resp_title", model, False, client)
            return
        following = self.next_turn()
        if following is None:
            client.reply(400, openai_error("invalid_request_error", "the script has no further turn"))
            return
        number, turn = following
        name = f"resp_{number:04d}"
        chat = request.path == CHAT
        match turn:
            case Refuse():
                client.reply(turn.status, openai_error(turn.kind, turn.message), turn.headers)
            case Truncate():
                self._stream(turn.say, name, model, chat, client, limit=turn.events)
            case Say():
                if asked.get("stream"):
                    self._stream(turn, name, model, chat, client)
                else:
                    client.reply(200, (whole_chat if chat else whole_response)(turn, name=name, model=model))
            case _:
                assert_never(turn)

    def _answer_message(self, message: Recorded, client: ApiClient, connection: TextConnection) -> None:
        """One ``response.create``: the body of a request, with a ``type`` and without ``stream``
        (https://platform.openai.com/docs/guides/websocket-mode)."""
        asked = message.json()
        model = str(asked.get("model", ""))
        if asked.get("generate") is False:
            client.say(connection, response_events(Say(()), name="resp_warm", model=model))
            return
        following = self.next_turn()
        if following is None:
            said = openai_error("invalid_request_error", "the script has no further turn")
            connection.send(json.dumps({"type": "error", "status": 400, **said}))
            return
        number, turn = following
        name = f"resp_{number:04d}"
        match turn:
            case Refuse():
                said = openai_error(turn.kind, turn.message)
                connection.send(json.dumps({"type": "error", "status": turn.status, **said}))
            case Truncate():
                client.say(connection, response_events(turn.say, name=name, model=model), turn.events)
            case Say():
                client.say(connection, response_events(turn, name=name, model=model))
            case _:
                assert_never(turn)

    @staticmethod
    def _asked(request: Recorded) -> dict[str, Any]:
        """A compressed body is not looked into: who compresses asks for a stream (Codex with ChatGPT)."""
        return {"stream": True} if request.header("content-encoding") else dict(request.json())

    @staticmethod
    def _stream(
        say: Say, name: str, model: str, chat: bool, client: ApiClient, limit: int | None = None
    ) -> None:
        said = (chat_events if chat else response_events)(say, name=name, model=model)
        client.stream(said, {"x-request-id": f"req_{name}"}, limit)
