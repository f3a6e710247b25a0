"""How two real clients, h11 and Node's, read what the proxy sent; and playing a reply through a proxy."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import h11
from amb_arena import Lane, Line, Recorder, whole_requests
from amb_draft import HOST, ORIGINS, Mode
from amb_node import lines_through
from amb_reading import MAX_HEAD, Fields, multiset
from amb_replies import SECOND, Reply

FIRST_PATH, SECOND_PATH = b"/ok/first", b"/ok/second"


@dataclass(frozen=True)
class Answer:
    """One response as a client read it."""

    status: int
    fields: Fields
    body: bytes
    whole: bool

    @property
    def is_ours(self) -> bool:
        """The proxy's own refusal."""
        return self.whole and any(name == b"x-bot-bottle" for name, _ in self.fields)


@dataclass(frozen=True)
class ClientReading:
    """The answers to one or two requests."""

    answers: tuple[Answer, ...]
    refused: str = ""
    """the client's words about what it could not read"""
    reused: bool = False
    """the connection could take the second request"""


@dataclass(frozen=True)
class Said:
    """What a client got: to its first request, to its second (None: it could not send one)."""

    method: bytes
    first: bytes
    second: bytes | None = None


def read_with_h11(said: Said, *, ended: bool = True) -> ClientReading:
    """*ended*: the connection ends where the bytes do."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
    answers: list[Answer] = []
    reused = False
    try:
        _ask(connection, said.method, said.first)
        _next_answer(connection, answers, ended=ended and said.second is None)
        left = connection.trailing_data[0]
        reused = connection.our_state is connection.their_state is h11.DONE
        if left and answers:
            return ClientReading(tuple(answers), f"unasked bytes: {left[:60]!r}")
        if reused and said.second is not None:
            connection.start_next_cycle()
            _ask(connection, b"GET", said.second)
            _next_answer(connection, answers, ended=ended)
    except h11.ProtocolError as error:
        return ClientReading(tuple(answers), str(error) or "refused", reused)
    return ClientReading(tuple(answers), "", reused)


def parted(method: bytes, data: bytes) -> Said:
    """What came for two requests that were sent together, cut where h11 sees the first answer's end."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
    answers: list[Answer] = []
    try:
        _ask(connection, method, data)
        _next_answer(connection, answers, ended=False)
    except h11.ProtocolError:
        return Said(method, data)
    left = len(connection.trailing_data[0])
    if not left or not answers or not answers[0].whole:
        return Said(method, data)
    return Said(method, data[:-left], data[-left:])


def _ask(connection: h11.Connection, method: bytes, answer: bytes) -> None:
    connection.send(h11.Request(method=method, target="/", headers=[("Host", HOST)]))
    connection.send(h11.EndOfMessage())
    if answer:
        connection.receive_data(answer)


def _next_answer(connection: h11.Connection, answers: list[Answer], *, ended: bool) -> None:
    """Append what comes of the bytes at hand; a cut response with ``whole`` False."""
    response: h11.Response | None = None
    body = b""
    told = False
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError:
            if response is not None and told:
                answers.append(_answer(response, body, whole=False))
                return
            if told and connection.their_state is h11.ERROR and response is None:
                return  # closed before a head
            raise
        if isinstance(event, h11.Response):
            response = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            assert response is not None
            answers.append(_answer(response, body, whole=True))
            return
        elif isinstance(event, h11.InformationalResponse):
            continue
        elif event is h11.NEED_DATA and ended and not told:
            told = True
            connection.receive_data(b"")
        else:
            if response is not None:
                answers.append(_answer(response, body, whole=False))
            return


def _answer(response: h11.Response, body: bytes, *, whole: bool) -> Answer:
    return Answer(response.status_code, multiset(response.headers.raw_items()), body, whole)


def read_with_node(every: Sequence[Said]) -> list[ClientReading]:
    """As Node's ``http.request`` with a keep-alive agent reads them."""
    lines = []
    for said in every:
        second = "-" if said.second is None else b64encode(said.second).decode()
        lines.append(f"{said.method.decode()} {b64encode(said.first).decode() or '='} {second or '='}")
    if not lines:
        return []
    return [_node_reading(answer) for answer in lines_through("amb_node_responses.mjs", lines)]


def _node_reading(found: Any) -> ClientReading:
    answers = []
    for answer in found["answers"]:
        raw = [b64decode(text) for text in answer["raw"]]
        fields = multiset(zip(raw[::2], raw[1::2], strict=True))
        answers.append(Answer(answer["status"], fields, b64decode(answer["body"]), answer["whole"]))
    return ClientReading(tuple(answers), found["refused"], found["reused"])


def _request(method: bytes, path: bytes, mode: Mode) -> bytes:
    return method + b" " + ORIGINS[mode] + path + b" HTTP/1.1\r\nHost: " + HOST + b"\r\n\r\n"


async def play_reply(lane: Lane, reply: Reply) -> Said:
    """Two requests through the proxy; the upstream answers the first with *reply*."""
    lane.clear()

    def answer(recorder: Recorder) -> None:
        for _ in whole_requests(bytes(recorder.data))[recorder.answered :]:
            recorder.answered += 1
            asked = recorder.data.split(b" HTTP/1.1\r\n")[recorder.answered - 1]
            if not asked.endswith(FIRST_PATH):
                recorder.transport.write(SECOND)
                continue
            if reply.data:
                recorder.transport.write(reply.data)
            if reply.closes:
                recorder.transport.close()

    lane.answer = answer
    line = await Line.open(lane, reply.mode)
    assert isinstance(line, Line), line
    first, second = (
        _request(reply.method, FIRST_PATH, reply.mode),
        _request(b"GET", SECOND_PATH, reply.mode),
    )
    line.send(first + second if reply.at_once else first)
    await line.settled()
    said = Said(reply.method, bytes(line.said))
    if reply.at_once:
        said = parted(reply.method, said.first)
    elif not line.closed and read_with_h11(said, ended=False).reused:
        before = len(line.said)
        line.send(second)
        await line.settled()
        said = Said(reply.method, said.first, bytes(line.said[before:]))
    await line.close()
    return said
