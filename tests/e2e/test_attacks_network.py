"""Ways around the proxy, from inside real bottles (threats A); judged by the attacker's own ears.

Everything happens in a network of the test's own (``arena``): the same probes run there outside of a bottle
and must arrive (ruling 70). Explicit means by the proxy's port, transparent past all settings.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from arena import GATEWAY, INWARD, METADATA, NAMESERVER, PUBLIC, Arena, Packet, from_outside, with_names

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a network of the test's own needs root")

PROBES = (Path(__file__).parent / "network_probes.py").read_text(encoding="utf-8")
STRANGER = 64996
"""A uid of nobody's: neither the operator nor a bottle."""
HOST_PORTS = (22, 80, 443, 2375, 3000, 5432, 5900, 11434)
_SETTINGS = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
UNSET = ("env", *(f"-u{name}" for name in _SETTINGS))
CURL = ("curl", "-sS", "-m", "20", "-o", "/dev/null", "-w", "%{http_code}\n")


@pytest.fixture
def arena() -> Iterator[Arena]:
    with Arena() as made:
        yield made


def wire_rows() -> dict[tuple[str, str, int], Packet]:
    """Each probe, and how it is seen on the wire where it gets out."""
    numbers = {"tcp": 6, "mptcp": 6, "udp": 17, "header": 17, "udplite": 136, "sctp": 132, "rawtcp": 6}
    far = [("tcp", "8.8.8.8", port) for port in (22, 25, 53, 80, 443, 853, 6379, 8443, 31337)]
    far += [("udp", "8.8.8.8", port) for port in (53, 123, 137, 443, 853, 3478, 4500, 51820)]
    for address in ("169.254.169.253", "100.100.100.200", "192.168.64.1", "172.17.0.1", "10.0.2.2"):
        far.append(("tcp", address, 80))
    for address, port in (
        ("224.0.0.251", 5353), ("224.0.0.252", 5355), ("239.255.255.250", 1900), ("255.255.255.255", 137),
        ("198.51.100.255", 137), ("ff02::fb%out0", 5353), ("ff02::1:3%out0", 5355),
    ):  # fmt: skip
        far.append(("udp", address, port))
    for address in (
        "2001:4860:4860::8888", "fd00:ec2::254", "fe80::99%out0", "64:ff9b::808:808", "2002:808:808::1",
        "::ffff:8.8.4.4",
    ):  # fmt: skip
        far += [("tcp", address, 443), ("udp", address, 443)]
    far += [(kind, "9.9.9.9", 4433) for kind in ("mptcp", "udplite", "sctp", "rawtcp", "header")]
    rows: dict[tuple[str, str, int], Packet] = {}
    for kind, address, port in far:
        rows[kind, address, port] = numbers[kind], address.partition("%")[0].removeprefix("::ffff:"), port
    rows["icmp", "8.8.8.8", 0] = 1, "8.8.8.8", 8
    rows["ping", "1.1.1.1", 0] = 1, "1.1.1.1", 8
    rows["icmp", "2001:db8::7", 0] = 58, "2001:db8::7", 128
    rows["frame", "", 0x88B5] = "frame", "", 0x88B5
    return rows


def probed(output: str) -> dict[str, str]:
    """Probe to what stopped it, as ``network_probes`` prints."""
    return dict(json.loads(output))


def test_no_packet_leaves(person, arena, world) -> None:
    """Threats A1, A3, A4, B3: whatever is sent past the proxy or by it, the wire stays silent. What a route allows
    goes on passing, by the proxy and past all settings."""
    wire = wire_rows()
    explicit = [("explicit", address, port) for kind, address, port in wire if kind == "tcp"]
    url = "https://api.example.com/x"
    script = f'python3 -c "$1" "$2"; {shlex.join(CURL)} {url}; {shlex.join([*UNSET, *CURL])} {url}'
    args = (*UNSET, "sh", "-c", script, "sh", PROBES, json.dumps([*wire, *explicit]))
    done = person.run("run", *world.flags(), "--", *args, env=world.env)
    assert done.returncode == 0, done.stderr
    assert arena.seen() == set()
    said, *statuses = done.stdout.splitlines()
    assert "answered" not in probed(said).values()
    assert statuses == ["200", "200"], done.stderr
    assert len(world.api.requests) == 2
    assert world.evil.raw == b""
    outside = from_outside(PROBES, json.dumps(list(wire)))
    missing = set(wire.values()) - arena.seen()
    assert not missing, f"these prove nothing: {missing}\n{outside}"


def test_services_of_the_host(person, arena, world) -> None:
    """Threats A2, C7: by address and by every name that runtimes give the host, none of its services is reached."""
    places = [(address, port) for address in (GATEWAY, INWARD, METADATA, "127.0.0.1") for port in HOST_PORTS]
    places += [("::1", 5432), ("2001:db8:a::1", 5432)]
    for address, port in places:
        arena.listen(address, port)
    names = [
        f"{name}.internal" for name in ("host.docker", "host.containers", "gateway.docker", "host.bot-bottle")
    ]
    rows = [
        [kind, name, port]
        for kind in ("tcp", "explicit")
        for name in (*names, "_gateway")
        for port in HOST_PORTS
    ]
    rows += [[kind, *place] for kind in ("tcp", "udp", "explicit") for place in places]
    done = person.run("run", *world.flags(), "--", "python3", "-c", PROBES, json.dumps(rows), env=world.env)
    assert done.returncode == 0, done.stderr
    assert arena.arrived() == set()
    assert "answered" not in probed(done.stdout).values()
    for kind in ("tcp", "udp"):
        from_outside(PROBES, json.dumps([[kind, *place] for place in places]))
        assert arena.arrived() == set(places)


CHANGES = {
    "nft flush ruleset": "",
    "nft list ruleset": "",
    "ip route add 203.0.113.0/24 dev lo": "ip link set lo up",
    "ip route del local default dev lo table local": "ip route add local default dev lo table local",
    "ip address add 198.51.100.77/24 dev lo": "",
    "ip -6 address add 2001:db8:f::1/64 dev lo": "",
    "ip link set lo down": "ip link set lo up",
    "ip link add a0 type veth peer name a1": "",
    "ip rule add from all lookup 7": "",
    "iptables -F": "",
    "tc qdisc add dev lo root pfifo": "",
    "unshare --net true": "",
    "unshare --user --map-root-user --net true": "",
    "nsenter --target $PPID --net true": "",
    "sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'": "",
    "python3 -c 'import socket as s; s.socket(s.AF_NETLINK, s.SOCK_RAW, 12)'": "",
    "python3 -c 'import socket as s; s.socket(s.AF_INET, s.SOCK_RAW, 1)'": "",
}
"""What would change the bottle's network, and what has to be there for it to work outside."""


def _changes() -> list[tuple[str, str]]:
    """Those whose program this host has, by its path."""
    found = []
    for attempt, before in CHANGES.items():
        name, _, rest = attempt.partition(" ")
        path = shutil.which(name, path="/usr/sbin:/usr/bin")
        if path is not None:
            found.append((f"{path} {rest}", before))
    return found


def test_the_bottles_network_can_not_be_changed(person, arena, world) -> None:
    """Threats A5: rules, routes, interfaces and namespaces, from the agent's place and by ``exec``; afterwards
    everything is carried and refused as before."""
    changes = _changes()
    attempts = "\n".join(
        f"if {attempt}; then echo done: {shlex.quote(attempt)}; fi" for attempt, _ in changes
    )
    with at_work(person, world) as identity:
        done = person.run("exec", identity, "--", "sh", "-c", f"{attempts}; exit 0")
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert "not found" not in done.stderr
        fetched = person.run("exec", identity, "--", *UNSET, *CURL, "https://api.example.com/after")
        assert (fetched.returncode, fetched.stdout) == (0, "200\n"), fetched.stderr
        row = json.dumps([["tcp", "8.8.8.8", 22], ["explicit", "8.8.8.8", 443]])
        assert (
            "answered"
            not in probed(person.run("exec", identity, "--", "python3", "-c", PROBES, row).stdout).values()
        )
    assert arena.seen() == set()
    assert [request.target for request in world.api.requests] == ["/after"]
    for attempt, before in changes:
        subprocess.run(
            ["unshare", "--net", "sh", "-ec", f"{before or ':'}; {attempt}"], check=True, capture_output=True
        )


@contextlib.contextmanager
def at_work(person, world, *flags: str, script: str = "") -> Iterator[str]:
    """The identity of a bottle that goes on until the end of the block."""
    before = set(person.states())
    process = person.popen(
        "run", *(flags or world.flags()), "--", "sh", "-c", f"{script} echo started; exec sleep 300",
        env=world.env, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout.readline() == b"started\n"
    (identity,) = set(person.states()) - before
    yield identity
    process.terminate()
    process.wait(20)


def _reached(path: Path | str, uid: int | None = None, head: bytes = b"") -> bytes:
    """What somebody of *uid* gets on the Unix socket at *path*; raises CalledProcessError when nothing."""
    code = (
        "import socket,sys; s = socket.socket(socket.AF_UNIX); s.settimeout(10); s.connect(sys.argv[1]);"
        " s.sendall(sys.argv[2].encode()); sys.stdout.buffer.write(s.recv(65536))"
    )
    before = [] if uid is None else ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--"]
    argv = [*before, "/usr/bin/python3", "-c", code, str(path), head.decode()]
    return subprocess.run(argv, check=True, capture_output=True, timeout=30).stdout


HELD = (("0.0.0.0", 4000), ("::", 4001))
"""Services of a bottle's own."""
ASK = b"GET http://api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\n\r\n"


def test_a_sibling_is_not_reached(person, arena, world) -> None:
    """Threats A6: neither another bottle's services nor its proxy's socket, whose credentials a bottle without
    routes would like to use."""
    serve = "".join(f"python3 -m http.server -b {host} {port} >/dev/null 2>&1 & " for host, port in HELD)
    look = (
        "find / -xdev -name '*.sock' -not -path '/proc/*' 2>/dev/null; "
        "for port in 4000 4001; do for host in 127.0.0.1 [::1] {gateway}; do "
        f"{shlex.join([*CURL, '--noproxy', '*'])} http://$host:$port/ 2>/dev/null; done; done; "
        "ls {sockets}; "
        "python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect(\"{sockets}/proxy.sock\")'; exit 0"
    )
    with at_work(person, world, script=serve) as first:
        sockets = person.layout.sockets(first)
        look = look.replace("{gateway}", GATEWAY).replace("{sockets}", str(sockets))
        patient = ("curl", "-sS", "--retry-connrefused", "--retry", "9", "--noproxy", "*")
        inside = person.run("exec", first, "--", *patient, "http://127.0.0.1:4000/")
        assert "Directory listing" in inside.stdout, inside.stderr
        with at_work(person, world, "--allow", "other.example.com") as second:
            done = person.run("exec", second, "--", "sh", "-c", look)
            assert set(done.stdout.split()) <= {"/run/bot-bottle/proxy.sock", "000"}, done.stdout
            assert done.stderr.count("No such file") == 2, done.stderr
            asked = person.run("exec", second, "--", *CURL, "-k", "https://api.example.com/by-the-second")
            assert asked.stdout == "403\n"
        assert _reached(sockets / "proxy.sock", head=ASK).startswith(b"HTTP/1.1 403")
    assert world.api.requests == []
    assert arena.seen() == set()


def test_a_relay_inside_changes_nothing(person, arena, world) -> None:
    """Threats A7: CONNECTs that another process repeats, with credentials of its own, get the same verdicts."""
    relay = (
        "import socket,threading\n"
        "def copy(a, b):\n"
        "    try:\n"
        "        while data := a.recv(65536): b.sendall(data)\n"
        "    except OSError: pass\n"
        "    b.shutdown(socket.SHUT_WR)\n"
        "server = socket.create_server(('127.0.0.1', 8118)); open('/tmp/up', 'w')\n"
        "while True:\n"
        "    a, _ = server.accept(); b = socket.create_connection(('127.0.0.1', 9099))\n"
        "    for pair in ((a, b), (b, a)): threading.Thread(target=copy, args=pair, daemon=True).start()\n"
    )
    urls = [
        "https://api.example.com/", "https://evil.example.com/", "http://evil.example.com/", "http://api.example.com/",
        "https://8.8.8.8/", "https://api.example.com:22/", f"http://{GATEWAY}:22/",
    ]  # fmt: skip
    ways = {
        "direct": [],
        "relay": ["-x", "http://127.0.0.1:8118"],
        "other": ["-x", "http://me:mine@127.0.0.1:8118"],
    }
    script = f"python3 -c {shlex.quote(relay)} & until [ -e /tmp/up ]; do sleep 0.05; done; " + "".join(
        f"{shlex.join([*CURL, '-k', *way, url])}; " for url in urls for way in ways.values()
    )
    arena.listen(GATEWAY, 22)
    done = person.run("run", *world.flags(), "--", "sh", "-c", script + "kill %1; exit 0", env=world.env)
    assert done.returncode == 0, done.stderr
    said = done.stdout.split()
    verdicts = {url: set(said[3 * at : 3 * at + 3]) for at, url in enumerate(urls)}
    assert verdicts == dict(
        zip(urls, ({"200"}, {"403"}, {"403"}, {"403"}, {"403"}, {"000"}, {"403"}), strict=True)
    )
    assert [request.header("authorization") for request in world.api.requests] == [
        "Bearer real-key-of-the-operator"
    ] * 3
    assert world.evil.raw == b""
    assert arena.seen() == set()
    assert arena.arrived() == set()


def test_nobody_else_on_the_host_uses_a_bottles_proxy(person, arena, world) -> None:
    """Threats A8: its socket is refused to another uid by its mode; a proxy that listens off loopback wants to
    know who asks."""
    with at_work(person, world) as identity:
        path = person.layout.sockets(identity) / "proxy.sock"
        with pytest.raises(subprocess.CalledProcessError) as refused:
            _reached(path, STRANGER, ASK)
        assert b"Permission denied" in refused.value.stderr
        assert _reached(path, None, ASK).startswith(b"HTTP/1.1 403")
        listening = {line.split()[3] for line in _said("ss", "-Hltn").splitlines()}
        ours = {f"127.0.0.1:{upstream.port}" for upstream in (world.api, world.evil)}
        for place in listening - ours - {f"{NAMESERVER}:53"}:
            assert not _spoken(place), place
    done = person.run("proxy", "--allow", "api.example.com", "--listen", f"{GATEWAY}:0")
    assert done.returncode != 0
    assert "--proxy-auth" in done.stderr
    assert world.api.requests == []


def _spoken(place: str) -> bytes:
    """What a TCP listener of the host answers to a request of the proxy's kind."""
    address, _, port = place.rpartition(":")
    with socket.create_connection((address, int(port)), 5) as sock:
        sock.settimeout(0.5)
        sock.sendall(ASK)
        with contextlib.suppress(TimeoutError):
            return sock.recv(4096)
    return b""


def _said(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=20).stdout


USUAL = (
    "api.anthropic.com", "console.anthropic.com", "statsig.anthropic.com", "api.openai.com", "chatgpt.com",
    "github.com", "api.github.com", "objects.githubusercontent.com", "storage.googleapis.com",
    "o1.ingest.sentry.io", "browser-intake-datadoghq.com", "ocsp.digicert.com", "time.google.com",
    "host.bot-bottle.internal", "localhost.localdomain", "metadata.google.internal", "_egress.local",
)  # fmt: skip
"""Hosts that tools of this kind let through by themselves."""


def test_without_routes_nothing_goes(person, arena, tmp_path) -> None:
    """Threats A11: no host is allowed by itself; nothing is sent, nothing is looked up, and the list says so."""
    person.enter = with_names(tmp_path / "resolv.conf")
    for name in USUAL:
        arena.answers[name] = ["8.8.8.8"]
    urls = [f"{scheme}://{name}/" for name in USUAL for scheme in ("http", "https")]
    fetch = [[*before, *CURL, "-k", url] for url in urls for before in ((), UNSET)]
    script = " & ".join(map(shlex.join, fetch)) + " & wait; curl -s http://_egress.local/allowlist"
    done = person.run("run", "--", "sh", "-c", script)
    *statuses, routes = done.stdout.splitlines()
    assert json.loads(routes) == {"routes": []}
    assert len(statuses) == len(fetch)
    assert set(statuses) <= {"403", "404"}, done.stdout
    assert arena.queries == []
    assert arena.seen() == set()
    code = "import socket,sys; socket.create_connection((sys.argv[1], 443), 0.3)"
    for name in USUAL[:3]:
        subprocess.run(
            [*person.enter, "/usr/bin/python3", "-c", code, name], capture_output=True, check=False
        )
    assert {name for name, _ in arena.queries} == set(USUAL[:3])
    assert (6, "8.8.8.8", 443) in arena.seen()


@pytest.mark.slow
def test_protocols_that_are_not_carried_end(person, arena) -> None:
    """Ruling 63: on a port that a route opens, a client that waits for the server's word, and one that speaks
    something else than TLS, are closed; nobody is dialled for them. TLS there arrives."""
    server = arena.listen(PUBLIC, 22)
    person.write(
        "routes.yaml", "routes:\n- host: 1.2.3.4\n  ports: [22]\n- host: ssh.example.com\n  ports: [22]\n"
    )
    code = (
        "import socket,ssl\n"
        "for host in ('1.2.3.4', 'ssh.example.com'):\n"
        "    for say in (b'', b'SSH-2.0-x\\r\\n', b'GET / HTTP/1.1\\r\\nHost: 1.2.3.4:22\\r\\n\\r\\n'):\n"
        "        s = socket.create_connection((host, 22), 30); s.sendall(say)\n"
        "        try: print(s.recv(100))\n"
        "        except ConnectionResetError: print(b'')\n"
        "s = ssl._create_unverified_context().wrap_socket(socket.create_connection(('1.2.3.4', 22), 30))\n"
        "s.sendall(b'GET / HTTP/1.1\\r\\nHost: 1.2.3.4:22\\r\\n\\r\\n'); print(s.recv(100)[9:12])\n"
    )
    done = person.run("run", "--routes", "routes.yaml", "--", *UNSET, "python3", "-c", code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["b''"] * 6 + ["b'502'"]
    hello = b"".join(server.got)
    assert hello[:2] == b"\x16\x03"
    assert b"SSH" not in hello
