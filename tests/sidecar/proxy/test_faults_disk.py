"""A full disk, a reader that stops, one that goes away: the log suffers, no flow does.

The proxy is the real command; what the upstream answers through it shows that it goes on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from faults_support import HOST, OTHER, TIMEOUT_S, read_until, running, until

from bot_bottle.sidecar.proxy import log
from bot_bottle.sidecar.proxy.limits import Limits

POLICY = f"log: 1\nroutes:\n  - host: {HOST}\n  - host: {OTHER}\n"
MANY = {"log_lines_per_s": 1_000_000}
REFUSED = b"GET http://evil.example/" + b"x" * 400 + b" HTTP/1.1\r\nHost: evil.example\r\n\r\n"


def provoke(proxy, count):
    """So many refusals, each with its answer and a record of 600 bytes."""
    with proxy.connect() as sock:
        for _ in range(count):
            sock.sendall(REFUSED)
            read_until(sock, b'"hint"')


def records(data):
    """Every line but those that are torn; (records, torn lines)."""
    found, torn = [], 0
    for line in data.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            torn += 1
    return found, torn


def test_a_reader_that_stops_does_not_stop_the_proxy(tmp_path, plain_upstream, to):
    """Standard error is a pipe that nobody empties, for refusals, for reloads and at the end. Once it is read
    again, whole lines come."""
    reading, writing = os.pipe()
    where = to(plain_upstream, (OTHER, 80), (HOST, 80))
    try:
        with running(tmp_path, POLICY, where, limits=MANY, stderr=writing) as proxy:
            os.close(writing)
            before = proxy.descriptors()
            provoke(proxy, 600)
            (tmp_path / "routes.yaml").write_text(POLICY.replace(HOST, "third.example.com"))
            proxy.hangup()
            until(lambda: proxy.ask(HOST)[0] == 403, "the routes are read again")
            assert proxy.ask() == (200, b"hello")
            proxy.settles_at(before)
            found, torn = records(os.read(reading, 65536).rpartition(b"\n")[0])
            assert (len(found) > 50, torn) == (True, 0)
            provoke(proxy, 600)
            assert proxy.ask() == (200, b"hello")
    finally:
        os.close(reading)


def test_a_reader_that_has_gone_does_not_end_the_proxy(tmp_path, plain_upstream, to):
    reading, writing = os.pipe()
    with running(tmp_path, POLICY, to(plain_upstream, (OTHER, 80)), limits=MANY, stderr=writing) as proxy:
        os.close(writing)
        os.close(reading)
        provoke(proxy, 50)
        proxy.hangup()
        assert proxy.ask() == (200, b"hello")


def test_a_full_disk_costs_records_and_no_more(tmp_path, plain_upstream, to):
    """A tmpfs of 32 KiB in a mount namespace of the proxy's own; with room again, records come again."""
    place = tmp_path / "small"
    place.mkdir()
    script = f'mount -t tmpfs -o size=32k none {place} && exec "$@" 2>>{place}/log'
    prefix = ["unshare", "-m" if os.geteuid() == 0 else "-Urm", "sh", "-c", script, "sh"]
    with running(tmp_path, POLICY, to(plain_upstream, (OTHER, 80)), limits=MANY, prefix=prefix) as proxy:
        seen = Path(f"/proc/{proxy.pid}/root{place}/log")
        provoke(proxy, 200)
        until(lambda: seen.stat().st_size == 32 * 1024, "the disk is full")
        assert proxy.ask() == (200, b"hello")
        provoke(proxy, 20)
        os.truncate(seen, 16 * 1024)
        provoke(proxy, 1)
        proxy.hangup()
        until(lambda: b"routes read again" in seen.read_bytes(), "there is room again")
        lines = [line for line in seen.read_bytes().splitlines() if not line.startswith(b"bot-bottle: ")]
        found, torn = records(b"\n".join(lines))
        assert len(found) > 20
        assert torn <= 2, "one where it was full, one where this test has cut it"
        assert proxy.ask() == (200, b"hello")


def test_a_record_that_is_torn_spoils_no_other(tmp_path):
    """A sidecar writes to its file itself; what was lost is counted once there is room."""
    program = """
import os, resource, sys, time
from bot_bottle.sidecar.proxy.limits import Limits
from bot_bottle.sidecar.proxy.log import EventLog
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
log = EventLog(fd, Limits())
for limit in (1000, 1 << 20):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    for number in range(20):
        log.incident("an_event", number=number)
    time.sleep(1.1)
log.incident("an_event", number=99)
"""
    path = tmp_path / "log"
    subprocess.run([sys.executable, "-c", program, str(path)], check=True, timeout=TIMEOUT_S)
    found, torn = records(path.read_bytes())
    assert torn == 1
    assert [record["number"] for record in found[-22:] if record["event"] == "an_event"][-21:] == [
        *range(20),
        99,
    ]
    lost = sum(record["records"] for record in found if record["event"] == "egress_log_left_out")
    assert lost + sum(record["event"] == "an_event" for record in found) == 41


def test_what_is_lost_is_counted_until_there_is_room(monkeypatch):
    """However many seconds the pipe stays full, no record of the number takes it along; with room it comes by
    itself, though nothing else is to be said any more."""
    now = [100.0]
    monkeypatch.setattr(log, "time", SimpleNamespace(monotonic=lambda: now[0]))
    reading, writing = os.pipe2(os.O_NONBLOCK)
    events = log.EventLog(writing, Limits())
    full = os.write(writing, b" " * (1 << 20))
    for second in range(4):
        now[0] += 1
        for number in range(10):
            events.incident("an_event", number=10 * second + number)
        events.say_left_out()
    os.read(reading, full)
    events.say_left_out()
    now[0] += 1
    events.say_left_out()
    found, torn = records(os.read(reading, 65536))
    assert [(record["event"], record["records"]) for record in found] == [("egress_log_left_out", 40)]
    assert torn == 0
    os.close(reading)
    os.close(writing)
