"""Every bound and timeout of the proxy, with its unit and reason. Values only; tests shrink them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds on what one bottle can make its proxy hold, and on how long anything is waited for."""

    head_bytes: int = 64 * 1024
    """a header section, both ways (egress.md §4); over it 431, from an upstream 502"""
    header_count: int = 100
    """fields of one section (egress.md §4)"""
    request_line_bytes: int = 16 * 1024 + 32
    """a URL of 16 KiB with method, version and two spaces; over it 414"""
    held_bytes: int = 128 * 1024
    """of the client's, read ahead while nothing can be done with them: reading pauses above. A whole head
    plus one read"""
    window_bytes: int = 256 * 1024
    """of a request body, held until all of it is judged (egress.md §4); a longer one goes on as it clears"""
    held_body_bytes: int = 16 * 1024 * 1024
    """of a body that may have to be rewritten or asked about; over it what is found is blocked"""
    decoded_body_bytes: int = 4 * 1024 * 1024 * 1024
    """of an encoded body, read; its ratio is bounded, too (``dlp.coding``)"""
    active_requests: int = 512
    """in flight at once (ruling 67); over it 503"""
    idle_connections: int = 10_240
    """waiting for a request (ruling 67); over it the one that has waited longest is closed"""
    discarded_body_bytes: int = 1024 * 1024
    """of a refused request that are read and thrown away so that the connection can go on. Claude Code's
    telemetry, refused by path, is 313 KB"""
    interim_responses: int = 16
    """1xx before a final response; more is an upstream that never answers"""
    log_lines_per_s: int = 200
    """refusals are the bottle's to provoke: more would fill the disk; what was left out is counted"""
    log_burst_bytes: int = 32 * 1024 * 1024
    """of such records that may be written at once; 200 a second would be 15 GB a day"""
    log_bytes_per_s: int = 1024
    """in the long run: 90 MB a day. An ordinary bottle is refused a few requests a minute"""
    websocket_message_bytes: int = 16 * 1024 * 1024
    """of one message, inflated, both ways; over it the connection ends with 1009. As much as a body that is held"""
    websocket_ratio: int = 100
    """inflated to compressed bytes of one message, once it is larger than 1 MiB: as content codings have it"""
    log_traffic_burst_bytes: int = 128 * 1024 * 1024
    """of records of level 2, at most some 20 KiB a request; an operator asks for them to look at a few"""
    log_traffic_bytes_per_s: int = 4 * 1024
    """of these in the long run: 350 MB a day"""

    head_s: float = 30.0
    """from a head's first byte to its last (egress.md §4); over it 408"""
    idle_s: float = 300.0
    """a client connection without a request; clients keep theirs 5 to 120 s"""
    first_bytes_s: float = 5.0
    """after CONNECT: a protocol where the server speaks first would hang for ever (ruling 63)"""
    handshake_s: float = 15.0
    """the client's side of TLS: local, but a loaded machine starts many clients at once"""
    body_stall_s: float = 120.0
    """between two pieces of a request body; over it 408. The sender is in the bottle next door"""
    connect_s: float = 10.0
    """look-up, TCP and TLS of an upstream; over it 504"""
    try_next_address_s: float = 3.0
    """one address of several: three SYNs; a dead IPv6 route must not use up ``connect_s``"""
    response_head_s: float = 660.0
    """from the end of the request to the response's head; over it 504. Model APIs answer requests that are
    not streamed within 600 s"""
    response_stall_s: float = 3600.0
    """between two pieces of a response: server-sent events of other APIs than models' may be rare"""
    websocket_idle_s: float = 3600.0
    """without a frame from either side: agents keep one open while their operator thinks"""
    websocket_close_s: float = 5.0
    """from one side's close frame to the other's; then both are closed"""
    upstream_idle_s: float = 4.0
    """how long a finished upstream connection is reused: Node's servers close theirs after 5 s, and a
    request sent into a closing one is lost"""
    linger_s: float = 2.0
    """reading on after a last answer, so that the client sees it before a reset"""
    drain_s: float = 5.0
    """what is in flight may finish after SIGTERM (ruling 61)"""
    sweep_s: float = 0.5
    """how often deadlines are looked at: every one above is far longer"""


DEFAULT_LIMITS = Limits()
