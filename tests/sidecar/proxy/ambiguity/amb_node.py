"""Node's reading of streams: its real server, its default parser."""

from __future__ import annotations

import json
import shutil
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from amb_reading import Message, Reading

HERE = Path(__file__).parent
TIMEOUT_S = 120


def find_node() -> str | None:
    return shutil.which("node")


def lines_through(script: str, lines: Sequence[str]) -> list[Any]:
    """Feed *lines* to a script of this directory; its answers, one JSON value a line."""
    node = find_node()
    assert node is not None
    done = subprocess.run(
        [node, str(HERE / script)],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(lines), done.stderr
    return answers


def read_with_node(streams: Sequence[bytes]) -> list[Reading]:
    if not streams:
        return []
    answers = lines_through("amb_node_requests.mjs", [b64encode(stream).decode() for stream in streams])
    return [_reading(answer) for answer in answers]


def _reading(answer: Any) -> Reading:
    whole: list[Message] = []
    paths: list[bytes] = []
    begun: Message | None = None
    refused = str(answer["refused"])
    for request in answer["requests"]:
        raw = [b64decode(text) for text in request["raw"]]
        fields = list(zip(raw[::2], raw[1::2], strict=True))
        message = Message.made(
            request["method"].encode(), b64decode(request["target"]), fields, b64decode(request["body"])
        )
        websocket = request["kind"] == "upgrade" and (b"upgrade", b"websocket") in message.fields
        if websocket and request["behind"]:
            refused = refused or f"{request['behind']} bytes behind an upgrade"
        elif (request["kind"] != "request" and not websocket) or request["trailers"]:
            refused = refused or f"{request['kind']} with {request['trailers']} trailers"
        elif request["whole"]:
            whole.append(message)
            paths.append(b64decode(request["path"]))
        else:
            begun = message
    return Reading(tuple(whole), begun, refused, tuple(paths))
