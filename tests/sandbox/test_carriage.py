"""Every TCP port of a bottle is carried to its proxy: the messages to the kernel, and what they make of a bottle.

The messages are read back by ``nft`` and ``ip``, which know nothing of the code's encoder.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import pytest

from bot_bottle.base import linux, seccomp
from bot_bottle.sandbox import selftest
from bot_bottle.sandbox.backends.bubblewrap import BubblewrapBackend
from bot_bottle.sandbox.bwrap import carriage, doctor, stage
from bot_bottle.sandbox.contract import Backend, BottleSpec, SelfTestFailed
from bot_bottle.sandbox.shim import probes
from bot_bottle.sandbox.shim.origin import original_destination
from bot_bottle.testing.backend_ground import Ground, finish

NOBODY = 65534

RULES = """\
table ip bot-bottle {
	chain carriage {
		type nat hook output priority -100; policy accept;
		meta l4proto 6 ip daddr 127.1.0.0/16 redirect to :9098
		meta l4proto 6 ip daddr != 127.0.0.0/8 redirect to :9098
	}
}
table ip6 bot-bottle {
	chain carriage {
		type nat hook output priority -100; policy accept;
		meta l4proto 6 ip6 daddr != ::1 redirect to :9098
	}
}
"""


def _as_nobody(action: Callable[[], None], *, namespaces: bool = True) -> None:
    """Run *action* in a child without a privilege but over a network namespace of its own."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            stage.become(NOBODY if os.geteuid() == 0 else None)
            if namespaces:
                stage.enter_namespaces(network=True)
            action()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, "see the output above"


def _said(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=20).stdout


def _addresses() -> str:
    return _said("ip", "route", "show", "table", "local") + _said(
        "ip", "-6", "route", "show", "table", "local"
    )


def test_the_kernel_reads_what_was_meant() -> None:
    """The rules, as nft writes them, and one local route a family, whose source is loopback."""

    def action() -> None:
        listeners, trouble = carriage.listen()
        assert (len(listeners), trouble) == (2, "")
        assert _said("nft", "-nn", "list", "ruleset") == RULES
        lines = _addresses().splitlines()
        assert "local default dev lo proto static scope host src 127.0.0.1 " in lines
        assert any(line.startswith("local default dev lo proto static src ::1 ") for line in lines)

    _as_nobody(action)


def test_what_was_dialled_is_known() -> None:
    """Every address and port but the bottle's own loopback, in each spelling of IPv4 over IPv6 too."""
    carried = [
        ("127.1.0.1", 22), ("127.1.255.254", 443), ("203.0.113.7", 5432), ("169.254.169.254", 80),
        ("10.0.0.1", 9099), ("10.0.0.1", 9098), ("2001:db8::1", 443), ("::1.2.3.4", 9), ("fd00::1", 1),
        ("64:ff9b::102:304", 53), ("2002:102:304::1", 65535),
    ]  # fmt: skip
    own = [
        ("127.0.0.1", 3000), ("127.0.0.2", 3000), ("127.255.0.1", 3000), ("0.0.0.0", 3000), ("::1", 3000),
        ("::", 3000),
    ]  # fmt: skip

    def dialled(address: str, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        client = socket.socket(family, socket.SOCK_STREAM)
        client.settimeout(5)
        client.connect((address, port))
        return client

    def action() -> None:
        listeners, _ = carriage.listen()
        service = socket.create_server(("", 3000))
        service6 = socket.create_server(("::1", 3000), family=socket.AF_INET6)
        for address, port in [*carried, ("::ffff:198.51.100.4", 25)]:
            with dialled(address, port) as client:
                assert client.getsockname()[0].removeprefix("::ffff:") in ("127.0.0.1", "::1")
                (ready,) = select.select([*listeners, service, service6], [], [], 5)[0]
                assert ready in listeners, address
                with ready.accept()[0] as connection:
                    assert original_destination(connection) == (address.removeprefix("::ffff:"), port)
        for address, port in own:
            with dialled(address, port):
                (ready,) = select.select([*listeners, service, service6], [], [], 5)[0]
                assert ready in (service, service6), address
                ready.accept()[0].close()

    _as_nobody(action)


def test_without_the_right_nothing_is_carried() -> None:
    """Not over a network namespace that is not the caller's: told why, nothing listens."""

    def action() -> None:
        listeners, trouble = carriage.listen()
        assert listeners == []
        assert "not permitted" in trouble

    _as_nobody(action, namespaces=False)


def test_rules_that_the_kernel_refuses_leave_no_route(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel without NAT: what was done before is taken back."""
    refused = carriage.redirection(socket.AF_INET).replace(b"redir\0", b"nosuc\0")
    monkeypatch.setattr(carriage, "redirection", lambda _family: refused)

    def action() -> None:
        before = _addresses()
        listeners, trouble = carriage.listen()
        assert listeners == []
        assert trouble.startswith("redirecting connections (nf_tables): No such file")
        assert _addresses() == before
        assert _said("nft", "list", "ruleset") == ""
        with socket.socket() as client, pytest.raises(OSError, match="unreachable"):
            client.connect(("203.0.113.7", 443))

    _as_nobody(action)


def test_a_message_that_fails_is_an_error() -> None:
    """The first failure of a packet is raised with what was attempted."""

    def action() -> None:
        route = carriage.any_address(socket.AF_INET)
        linux.netlink(linux.NETLINK_ROUTE, route, "adding")
        gone = carriage.any_address(socket.AF_INET, gone=True)
        with pytest.raises(ProcessLookupError, match="removing twice"):
            linux.netlink(linux.NETLINK_ROUTE, gone + gone, "removing twice")

    _as_nobody(action)


INSIDE = """
import socket, sys, threading
def attempt(address, *, say=b""):
    try:
        with socket.create_connection(address, 10) as s:
            s.sendall(say)
            return s.recv(99) or b"closed"
    except OSError as error:
        return error.strerror or str(error)
for address in (("open.example", 22), ("shut.example", 8443), ("203.0.113.7", 5432), ("2001:db8::5", 443)):
    print(address[0], attempt(address))
print("http by address", attempt(("203.0.113.7", 80), say=b"GET / HTTP/1.1\\r\\n\\r\\n")[9:12])
print("the shim's own port", attempt(("127.0.0.1", 9098)))
for bound in ("127.0.0.1", "127.0.0.9", "::1"):
    family = socket.AF_INET6 if ":" in bound else socket.AF_INET
    server = socket.create_server((bound, 3000), family=family)
    def serve(server=server):
        client = server.accept()[0]
        client.sendall(b"own service")
        client.close()
    threading.Thread(target=serve).start()
    print("own", attempt(("localhost" if bound == "127.0.0.1" else bound, 3000)))
u = socket.socket(type=socket.SOCK_DGRAM)
u.settimeout(5)
try:
    u.connect(("203.0.113.7", 443))
    u.send(b"x")
    print("udp", u.recv(9))
except OSError as error: print("udp", error.strerror)
"""


@dataclass
class Changed(BubblewrapBackend):
    """Bubblewrap with a field of its plan replaced."""

    change: Mapping[str, object] = field(default_factory=dict)
    _scope: str = "ca441e"

    def plan(self, spec: BottleSpec, fds: Mapping[str, int]) -> stage.Plan:
        return replace(super().plan(spec, fds), **self.change)  # type: ignore[arg-type]


def test_every_port_arrives_at_the_proxy(make_ground: Callable[[Backend], Ground]) -> None:
    """By its name, or as an address; refused is closed. The agent's own services stay its own."""
    ground = make_ground(Changed())
    with ground.bottle(tested=False) as bottle:
        assert bottle.self_test(30)["carriage"] == "every port"
        before = len(ground.proxy.heads)
        ended = finish(bottle.spawn(["python3", "-c", INSIDE]))
    assert ended.stdout.decode().splitlines() == [
        "open.example b'closed'", "shut.example b'closed'", "203.0.113.7 b'closed'", "2001:db8::5 b'closed'",
        "http by address b'403'", "the shim's own port b'closed'",
        "own b'own service'", "own b'own service'", "own b'own service'", "udp Connection refused",
    ], ended.stderr  # fmt: skip
    assert [head.split()[1].decode() for head in ground.proxy.heads[before:]] == [
        "open.example:22", "shut.example:8443", "203.0.113.7:5432", "[2001:db8::5]:443", "203.0.113.7:80",
    ]  # fmt: skip


def test_where_it_can_not_be(
    make_ground: Callable[[Backend], Ground], capfd: pytest.CaptureFixture[str]
) -> None:
    """Only 80 and 443 of names are carried then, everything else has no route, and the launch says so."""
    ground = make_ground(Changed({"every_port": False}))
    with ground.bottle(tested=False) as bottle:
        assert bottle.self_test(30)["carriage"].startswith("ports 80 and 443 of names")
        before = len(ground.proxy.heads)
        ended = finish(
            bottle.spawn(["python3", "-c", INSIDE + "print(attempt(('open.example', 80), say=b'x'))"])
        )
    said = ended.stdout.decode().splitlines()
    assert said[:4] == [
        "open.example Connection refused", "shut.example Connection refused",
        "203.0.113.7 Network is unreachable", "2001:db8::5 Network is unreachable",
    ]  # fmt: skip
    assert said[-1].startswith("b'HTTP/1.1 299"), ended.stderr
    assert [head.split()[1] for head in ground.proxy.heads[before:]] == [b"open.example:80"]
    assert "carried on ports 80 and 443 only" in capfd.readouterr().err


def test_rules_that_do_nothing_end_the_launch(
    make_ground: Callable[[Backend], Ground], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the kernel said it did, but did not: the self-test sees it."""
    real = linux.netlink

    def deaf(protocol: int, messages: bytes, attempt: str) -> None:
        if protocol == linux.NETLINK_ROUTE:
            real(protocol, messages, attempt)

    monkeypatch.setattr(linux, "netlink", deaf)
    ground = make_ground(Changed())
    with pytest.raises(SelfTestFailed, match="carriage: "), ground.bottle():
        pass


@pytest.mark.parametrize("left_out", ["names", "addresses"])
def test_one_rule_that_is_missing_ends_the_launch(
    left_out: str, make_ground: Callable[[Backend], Ground], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also on a host that has no address but loopback's, where none of its own can be tried."""
    real = carriage._destination

    def other(family: socket.AddressFamily, operator: bytes, prefix: bytes) -> bytes:
        of_names = family == socket.AF_INET and len(prefix) == 2
        of_addresses = family == socket.AF_INET and len(prefix) == 1
        if of_names if left_out == "names" else of_addresses:
            return real(family, carriage._EQUAL, b"\x7f\x09")
        return real(family, operator, prefix)

    monkeypatch.setattr(carriage, "_destination", other)
    monkeypatch.setattr(selftest, "host_addresses", lambda: ())
    ground = make_ground(Changed())
    with pytest.raises(SelfTestFailed, match="carriage: "), ground.bottle():
        pass


@pytest.mark.parametrize(
    ("reply", "is_inside", "held"),
    [(b"", True, True), (b"", False, False), (b"HTTP/1.1 403 Forbidden\r\n\r\n", True, False)],
)
def test_who_takes_a_connection_says_nothing_and_is_inside(reply: bytes, is_inside: bool, held: bool) -> None:
    """Not port 80, where our proxy says whose it is: there whoever answers is somebody else, and so is who
    takes what does not come from loopback."""

    def serve() -> None:
        with server.accept()[0] as client:
            client.recv(1000)
            client.sendall(reply)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        dialled = probes._Dialled("192.0.2.1", server.getsockname()[1], "127.0.0.1")
        thread.join()
    assert dialled.inside
    dialled.inside = is_inside
    order = probes.Order([b"nonce", b"1", b"1", b"name", b"9099", b"every"])
    if held:
        assert probes._connect(order, dialled) == "closed"
    else:
        with pytest.raises(probes._Open, match="it answered"):
            probes._connect(order, dialled)
    dialled.sock.close()


def test_a_kernel_without_ipv6(
    make_ground: Callable[[Backend], Ground], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No way out over what there is not, and no end of the self-test."""
    monkeypatch.setattr(seccomp, "_AF_INET6", seccomp._AF_INET)
    ground = make_ground(Changed())
    with ground.bottle(tested=False) as bottle:
        report = bottle.self_test(30)
    assert [report["tcp over ipv6"], report["udp over ipv6"]] == ["EAFNOSUPPORT", "EAFNOSUPPORT"]


def test_doctor_says_what_is_not_carried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A note, no failure; and nothing where all is well."""
    assert doctor.check() == []
    monkeypatch.setattr(carriage, "listen", lambda: ([], "no such kernel"))
    (problem,) = doctor.check()
    assert not problem.fatal
    assert "80 and 443 only: no such kernel" in problem.what
