"""Whatever the pieces that a message comes in, the same goes on, and no secret is ever in what a receiver has whole."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterable
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websocket_support import frame
from wsproto.frame_protocol import FrameProtocol

from bot_bottle.base.secret import Secret
from bot_bottle.dlp.finding import Finding, Severity
from bot_bottle.dlp.known import Kind, Known, KnownSecrets
from bot_bottle.dlp.patterns import Patterns
from bot_bottle.dlp.redact import redact
from bot_bottle.dlp.scan import BLOCK_BYTES, Engine
from bot_bottle.egress.verdict import Deny
from bot_bottle.egress.websocket import Deflate
from bot_bottle.sidecar.proxy.limits import DEFAULT_LIMITS
from bot_bottle.sidecar.proxy.turns import Turns
from bot_bottle.sidecar.proxy.websocket_frames import BadFrames, Frames
from bot_bottle.sidecar.proxy.websocket_inspect import ClientMessages, ServerMessages
from bot_bottle.sidecar.proxy.websocket_relay import Inspector, Peer, Relay, Stop, Uninspected

SECRET = "".join(random.Random(7).choices("abcdefghijkmnpqrstuvwxyz0123456789", k=40)).encode()
WINDOW = 4096
ENGINE = Engine(Patterns(), KnownSecrets({"T": Known(Secret(SECRET.decode()), Kind.INJECTED, frozenset())}))


class Rules:
    """A route's, with the real scanner."""

    def __init__(self, *, holds: bool) -> None:
        self.holds = holds
        self.denied: list[Deny] = []

    def message(self, data: bytes) -> bytes | Deny:
        if not self.blocking(ENGINE.scan(data)):
            return data
        return redact(ENGINE, data) if self.holds else Deny(403, "egress DLP: found")

    def stream(self):
        return ENGINE.stream()

    def refusal(self, found: Iterable[Finding]) -> Deny | None:
        return Deny(403, "egress DLP: found") if self.blocking(found) else None

    def refused(self, deny: Deny) -> None:
        self.denied.append(deny)

    @staticmethod
    def blocking(found: Iterable[Finding]) -> list[Finding]:
        return [finding for finding in found if finding.severity is Severity.BLOCK]


class Room:
    """Memory for what is held."""

    def __init__(self, size: int = 1 << 30) -> None:
        self.size = size
        self.held = 0

    def has(self, size: int) -> bool:
        self.held = max(self.held, size)
        return size <= self.size

    def give_back(self) -> None:
        self.held = 0


def client_messages(*, holds: bool, room: Room | None = None) -> ClientMessages:
    return ClientMessages(
        Rules(holds=holds),
        room or Room(),
        window_bytes=WINDOW,
        held_bytes=DEFAULT_LIMITS.websocket_message_bytes,
    )


class Wire:
    """A relay from the client's side, fed by hand; what went out is read back with wsproto."""

    def __init__(self, inspector: Inspector, *, packs: bool = False) -> None:
        deflate = Deflate() if packs else None
        self.out = bytearray()
        source = Peer(
            Frames(DEFAULT_LIMITS, client=False, deflate=deflate, compresses=False),
            lambda _: None,
            lambda: False,
        )
        sink = Peer(
            Frames(DEFAULT_LIMITS, client=True, deflate=None, compresses=True), self.out.extend, lambda: False
        )
        self.relay = Relay(source, sink, inspector, Turns(), self.finish_turn)
        self.turns = 0

    def finish_turn(self) -> None:
        self.turns += 1

    def feed(self, data: bytes) -> None:
        self.relay.take(data)
        while self.relay.is_waiting:
            self.relay.go_on()

    def messages(self) -> tuple[list[str | bytes], bytes]:
        """Those that are complete, and what there is of the next."""
        reader = FrameProtocol(False, [])
        reader.receive_bytes(bytes(self.out))
        whole: list[str | bytes] = []
        parts: list[str | bytes] = []
        for found in reader.received_frames():
            if found.opcode > 2:
                continue
            parts.append(found.payload)
            if found.message_finished and found.frame_finished:
                whole.append(type(found.payload)().join(parts))
                parts = []
        rest = b"".join(part.encode() if isinstance(part, str) else bytes(part) for part in parts)
        return whole, rest


@pytest.fixture(autouse=True)
def no_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn that is used up goes on at once here."""
    monkeypatch.setattr(Turns, "later", lambda *_: None)


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {len(data)})
    return [data[at:end] for at, end in zip([0, *ends], ends, strict=False)]


TEXTS = st.text(max_size=40) | st.just("x" * 200)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(TEXTS | st.binary(max_size=40), max_size=6),
    st.lists(st.integers(0, 2000), max_size=8),
    st.lists(st.integers(0, 60), max_size=6),
)
def test_property_pieces_change_nothing(
    messages: list[str | bytes], places: list[int], fragments: list[int]
) -> None:
    """However a message is cut into fragments, and the stream into reads: the same messages go out."""
    stream = b""
    for message in messages:
        data, code = (message.encode(), 1) if isinstance(message, str) else (message, 2)
        parts = cut(data, fragments)
        for index, part in enumerate(parts):
            stream += frame(code if index == 0 else 0, part, fin=index == len(parts) - 1)
            stream += frame(9, b"ping") if index % 2 else b""
    wire = Wire(Uninspected())
    for piece in cut(stream, places):
        wire.feed(piece)
    assert wire.messages() == (messages, b"")


PLACES = st.integers(0, 3 * WINDOW) | st.integers(BLOCK_BYTES - 60, BLOCK_BYTES + 60)


@settings(max_examples=60, deadline=None)
@given(PLACES, PLACES, st.lists(st.integers(0, 8 * WINDOW), max_size=6), st.booleans())
def test_property_no_message_with_a_secret_is_complete(
    before: int, behind: int, places: list[int], holds: bool
) -> None:
    """Wherever it lies and is cut: it is redacted, or the connection ends and the receiver has no end of it."""
    text = b"a" * before + b" " + SECRET + b" " + b"b" * behind
    wire = Wire(client_messages(holds=holds))
    parts = cut(text, places)
    stopped = None
    try:
        for index, part in enumerate(parts):
            wire.feed(frame(1 if index == 0 else 0, part, fin=index == len(parts) - 1))
    except Stop as stop:
        stopped = stop.code
    assert stopped == (None if holds else 1008)
    whole, rest = wire.messages()
    assert SECRET not in rest
    assert whole == ([(b"a" * before + b" ******** " + b"b" * behind).decode()] if holds else [])


@pytest.mark.parametrize("size", [0, WINDOW, WINDOW + 1, 3 * BLOCK_BYTES + 17])
@pytest.mark.parametrize("holds", [False, True])
@pytest.mark.parametrize("step", [999, 16 * 1024])
def test_clean_messages_pass_unchanged(size: int, holds: bool, step: int) -> None:
    text = (
        "".join(f"line {index} é\n" for index in range(size // 10 + 1))
        .encode()[:size]
        .decode("utf-8", "ignore")
    )
    data = text.encode()
    wire = Wire(client_messages(holds=holds))
    for at in range(0, max(1, len(data)), step):
        wire.feed(frame(1 if at == 0 else 0, data[at : at + step], fin=at + step >= len(data)))
    assert wire.messages() == ([text], b"")


def test_a_long_message_goes_on_as_it_clears() -> None:
    """Not held until its end: but for the last blocks all has gone, in pieces of a bounded size."""
    wire = Wire(client_messages(holds=False))
    data = b"clean text " * 100_000
    for at in range(0, len(data), 16 * 1024):
        wire.feed(frame(1 if at == 0 else 0, data[at : at + 16 * 1024], fin=False))
    assert len(data) - len(wire.messages()[1]) < 3 * BLOCK_BYTES


def test_memory_for_held_messages_is_bounded() -> None:
    """1013 where there is none left; it is given back with each message."""
    room = Room(20_000)
    wire = Wire(client_messages(holds=True, room=room))
    wire.feed(frame(2, bytes(15_000)))
    assert room.held == 0
    with pytest.raises(Stop) as stop:
        wire.feed(frame(2, bytes(25_000)))
    assert stop.value.code == 1013


def test_a_binary_message_is_not_redacted() -> None:
    """It closes (ruling 10): nobody knows what lengths and offsets are in it."""
    wire = Wire(client_messages(holds=True))
    wire.feed(frame(2, b"clean"))
    with pytest.raises(Stop) as stop:
        wire.feed(frame(2, b"\x00\x28" + SECRET))
    assert stop.value.code == 1008
    assert wire.messages() == ([b"clean"], b"")


@pytest.mark.parametrize("holds", [False, True])
def test_the_words_of_a_close_frame_are_looked_at(holds: bool) -> None:
    wire = Wire(client_messages(holds=holds))
    data = frame(8, b"\x0f\xa0" + SECRET)
    if holds:
        wire.feed(data)
        assert wire.relay.ended is not None and wire.relay.ended.reason == "********"
    else:
        with pytest.raises(Stop):
            wire.feed(data)


def test_the_payload_of_a_ping_goes_nowhere() -> None:
    wire = Wire(client_messages(holds=False))
    wire.feed(frame(9, SECRET) + frame(10, SECRET))
    assert SECRET not in wire.out and len(wire.out) == 6  # one empty, masked frame


def test_a_packed_secret_is_found() -> None:
    """Compression ends on the client's leg: what is judged is what it says."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = (packer.compress(b'{"a": "' + SECRET + b'"}') + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
    wire = Wire(client_messages(holds=True), packs=True)
    wire.feed(frame(1, data[:9], rsv=4, fin=False) + frame(0, data[9:]))
    assert wire.messages() == (['{"a": "********"}'], b"")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=4))
def test_property_any_bytes_are_messages_or_an_end(data: bytes, places: list[int]) -> None:
    """Nothing but the two ends that are foreseen, and the same one whatever the pieces."""

    def outcome(pieces: list[bytes]) -> tuple[object, object]:
        wire = Wire(Uninspected())
        try:
            for piece in pieces:
                wire.feed(piece)
                if wire.relay.ended is not None:
                    return wire.relay.ended, wire.messages()[0]
        except BadFrames as error:
            return error.code, wire.messages()[0]
        return None, wire.messages()[0]

    assert outcome([data]) == outcome(cut(data, places))


def test_server_messages_are_texts_of_their_own() -> None:
    """Each is begun anew; what a finding asks for ends the connection."""
    begun: list[str] = []

    class Text:
        def __init__(self, media_type: str) -> None:
            begun.append(media_type)

        def feed(self, data: bytes):
            return SimpleNamespace(data=data.replace(b"bad", b"***"), findings=(b"stop",) * (b"stop" in data))

        def finish(self):
            return SimpleNamespace(data=b".", findings=())

    messages = ServerMessages(Text, lambda found: Deny(403, "egress DLP: orders") if list(found) else None)
    messages.begin(is_text=True)
    assert messages.feed(b"a bad one") + messages.finish() == b"a *** one."
    messages.begin(is_text=False)
    with pytest.raises(Stop, match="egress DLP: orders"):
        messages.feed(b"stop")
    messages.begin(is_text=True)
    assert messages.feed(b"") + messages.feed(b" {") + messages.finish() == b" {."
    messages.begin(is_text=True)
    assert messages.finish() == b""
    assert begun == ["text/plain", "application/x-binary", "application/json"]
