"""Clients of every TLS library trust the bottle's CA, and still verify (threat F6).

Each client runs in a bottle as the product sets it up: with the proxy variables, with the option of its own
where only that tells it of a proxy, and without either (carried). Judged by what the upstream received. The
controls: in the same bottle it rejects a server under a CA that nobody knows, and our own when told to trust
other roots only; outside it rejects an upstream whose CA it does not know, and reaches the same one when told
to trust that CA.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from trust_clients import CLIENTS, PROXY, Client
from trust_kit import STRANGER, fill, missing, path_of, run_of, trusting_only, write_roots

from bot_bottle.launch import environment
from bot_bottle.store.guest_etc import host_roots
from bot_bottle.store.java_keystore import trust_store
from bot_bottle.testing.upstream import FakeUpstream, RecordedRequest, UpstreamConnection

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/usr/bin/python3").exists(), reason="needs Python in /usr/bin"),
]

HOST = "api.example.com"
RECORDER_PORT, STRANGER_PORT = 9100, 9443
"""Inside a bottle, whose loopback is its own."""
REJECTED = re.compile(r"certificate|issuer|trust|PKIX", re.IGNORECASE)
PROXY_VARIABLES = tuple(environment.PROXY)
BOTTLE = """\
---
agent_provider: {{template: command}}
egress:
  extra_ca: ca.pem
  routes: [{{host: {host}, git: {{fetch: true}}}}]
tools: [{kit}]
---
"""


@dataclass(frozen=True)
class Ended:
    """What one run of a client came to."""

    status: int
    said: str
    asked: list[str]
    """first line of each connection to the proxy that the variables or the options named"""
    met: list[str]
    """first line of each request to the stranger"""
    received: list[str]
    """``METHOD target`` of each request that the upstream got in it, the run's own path taken off"""


Runs = dict[tuple[str, str], Ended]
"""By client and way."""


def hello(_: RecordedRequest, connection: UpstreamConnection) -> None:
    connection.reply(200, b"hello\n", [("Content-Type", "text/plain"), ("Connection", "close")])
    connection.close()


def read_results(output: str, upstream: FakeUpstream) -> Runs:
    found = {}
    for result in json.loads(output):
        client, way = result.pop("key")
        path = f"/{path_of(client, way)}"
        received = [
            f"{request.method} {request.target.removeprefix(path)}"
            for request in upstream.requests
            if request.target.startswith(path + "/")
        ]
        found[client, way] = Ended(**result, received=received)
    return found


def of(runs: Runs, kit: Path, client: Client, way: str) -> Ended:
    if why := missing(client, kit):
        pytest.skip(why)
    return runs[client.name, way]


def rejected(found: Ended) -> None:
    assert found.received == found.met == []
    assert found.status != 0, found
    assert REJECTED.search(found.said), found


each_client = pytest.mark.parametrize("client", CLIENTS, ids=[client.name for client in CLIENTS])


@pytest.fixture(scope="module")
def kit() -> Iterator[Path]:
    """A directory that anybody reads."""
    place = Path(tempfile.mkdtemp(prefix="bb-kit-", dir="/var/tmp"))
    try:
        fill(place)
        yield place
    finally:
        shutil.rmtree(place)


# -- inside
_inside: dict[int, Runs] = {}
"""By the person's uid: all runs of one bottle, done by the first test that asks."""


@pytest.fixture
def inside(person, kit: Path) -> Runs:
    if person.uid not in _inside:
        _inside[person.uid] = run_inside(person, kit)
    return _inside[person.uid]


def run_inside(person, kit: Path) -> Runs:
    spec = {
        "inside": True, "recorder_port": RECORDER_PORT, "proxy_port": environment.PROXY_PORT,
        "stranger_port": STRANGER_PORT, "stranger": f"{kit}/stranger-server.pem",
        "runs": [run for client in CLIENTS if not missing(client, kit) for run in runs_inside(client, kit)],
    }  # fmt: skip
    (kit / "inside.json").write_text(json.dumps(spec))
    (kit / "inside.json").chmod(0o644)
    with FakeUpstream(hello) as api:
        person.write(".bot-bottle/bottles/ca.pem", api.ca_pem)
        person.write(".bot-bottle/bottles/b.md", BOTTLE.format(host=HOST, kit=kit))
        way = ["--connect-to", f"{HOST}:443:127.0.0.1:{api.port}"]
        argv = ["/usr/bin/python3", f"{kit}/trust_driver.py", f"{kit}/inside.json"]
        done = person.run("run", "--bottle", "b", *way, "--", *argv, timeout_s=300)
        assert done.returncode == 0, done.stderr
        return read_results(done.stdout, api)


def runs_inside(client: Client, kit: Path) -> Iterator[dict[str, object]]:
    proxy_port = str(environment.PROXY_PORT)
    recorded = {k: v.replace(proxy_port, str(RECORDER_PORT)) for k, v in environment.PROXY.items()}
    words = {
        "host": HOST, "port": "443", "recorder": str(RECORDER_PORT), "kit": str(kit),
        "home": "/tmp/home", "pem": f"{kit}/stranger.pem", "jks": f"{kit}/stranger.jks",
    }  # fmt: skip
    yield run_of(client, "variables", words, env=recorded)
    if client.proxy_options:
        yield run_of(client, "options", words, unset=PROXY_VARIABLES, options={PROXY: client.proxy_options})
    yield run_of(client, "carried", words, unset=PROXY_VARIABLES)
    yield run_of(client, "files", words, unset=(*PROXY_VARIABLES, *environment.TRUST))
    if client.exclusive:
        yield trusting_only(client, "others", words, PROXY_VARIABLES)
    there = {**words, "host": STRANGER, "port": str(STRANGER_PORT)}
    yield run_of(client, "stranger", there)
    yield trusting_only(client, "acquainted", there)


@each_client
def test_with_the_proxy_variables(inside: Runs, kit: Path, client: Client) -> None:
    """It reaches the upstream; one that reads the variables asks the proxy, another one is carried."""
    found = of(inside, kit, client, "variables")
    assert client.request in found.received, found
    expected = {f"CONNECT {HOST}:443"} if client.proxy == "variable" else set()
    assert {line.rpartition(" ")[0] for line in found.asked} == expected
    assert (found.status == 0) == client.succeeds, found


@pytest.mark.parametrize(
    "client", [client for client in CLIENTS if client.proxy_options], ids=lambda client: client.name
)
def test_with_an_option_of_its_own(inside: Runs, kit: Path, client: Client) -> None:
    """It asks the proxy that its command line names."""
    found = of(inside, kit, client, "options")
    assert client.request in found.received, found
    assert [line.rpartition(" ")[0] for line in found.asked] == [f"CONNECT {HOST}:443"]
    assert found.status == 0, found


@each_client
def test_without_any_proxy_setting(inside: Runs, kit: Path, client: Client) -> None:
    """It is carried: it resolves the name, connects to what it got, and verifies."""
    found = of(inside, kit, client, "carried")
    assert client.request in found.received, found
    assert found.asked == []
    assert (found.status == 0) == client.succeeds, found


@pytest.mark.parametrize(
    "client", [client for client in CLIENTS if not client.is_pips], ids=lambda client: client.name
)
def test_by_files_alone(inside: Runs, kit: Path, client: Client) -> None:
    """Without any variable it trusts our CA if it reads the system's roots, and else rejects it.

    Not pip, nor requests, which is tried as pip brings it: Debian's reads the system's roots, others bring their own.
    """
    found = of(inside, kit, client, "files")
    if client.by_files:
        assert client.request in found.received, found
    else:
        rejected(found)


@each_client
def test_a_stranger_is_rejected_inside(inside: Runs, kit: Path, client: Client) -> None:
    """The control: what the product sets makes it trust one more CA, not any; told of that one, it arrives."""
    rejected(of(inside, kit, client, "stranger"))
    method, target = client.request.split(" ")
    known = of(inside, kit, client, "acquainted")
    assert f"{method} /{path_of(client.name, 'acquainted')}{target} HTTP/1.1" in known.met, known


@pytest.mark.parametrize(
    "client", [client for client in CLIENTS if client.exclusive], ids=lambda client: client.name
)
def test_told_to_trust_others_it_rejects_ours(inside: Runs, kit: Path, client: Client) -> None:
    """The control: the same client, the same upstream, without our CA."""
    rejected(of(inside, kit, client, "others"))


# -- outside
@pytest.fixture(scope="module")
def outside(kit: Path) -> Runs:
    """On this host, straight to an upstream under a CA that nobody knows; told of it, and not."""
    with FakeUpstream(hello, alpn=("http/1.1",), certificate_for=STRANGER) as upstream:
        words = {
            "host": STRANGER,
            "port": str(upstream.port),
            "kit": str(kit),
            "recorder": "",
            "home": f"{kit}/home",
        }
        words |= write_roots(kit, "upstream", upstream.ca_pem)
        clients = [client for client in CLIENTS if not missing(client, kit)]
        runs = [run_of(client, "stranger", words) for client in clients]
        runs += [trusting_only(client, "known", words) for client in clients]
        (kit / "outside.json").write_text(json.dumps({"inside": False, "runs": runs}))
        argv = ["/usr/bin/python3", str(kit / "trust_driver.py"), str(kit / "outside.json")]
        env = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=True, timeout=300)
        return read_results(done.stdout, upstream)


@each_client
def test_outside_a_stranger_is_rejected(outside: Runs, kit: Path, client: Client) -> None:
    """The control: it rejects, and the CA is the reason: told of it, it arrives."""
    rejected(of(outside, kit, client, "stranger"))
    known = of(outside, kit, client, "known")
    assert client.request in known.received, known


# -- the bundle
def certificates(pem: str) -> list[str]:
    found = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", pem, re.DOTALL)
    return ["".join(block.split()) for block in found]


def test_the_bundle_is_the_hosts_roots_and_ours(person, world) -> None:
    """Each root of the host and one more, the bottle's own; not the operator's, which only the proxy trusts."""
    script = "cat /etc/ssl/certs/ca-certificates.crt; echo; base64 -w0 /etc/ssl/certs/java/cacerts"
    done = person.run("run", *world.flags(), "--", "sh", "-c", script, env=world.env)
    assert done.returncode == 0, done.stderr
    bundle, _, java = done.stdout.rpartition("\n")
    inside, host = certificates(bundle), certificates(host_roots())
    assert len(host) > 10
    assert set(host) < set(inside)
    assert len(inside) == len(host) + 1
    assert not set(certificates(world.ca.read_text())) & set(inside)
    assert base64.b64decode(java) == trust_store(bundle)
