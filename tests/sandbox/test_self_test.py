"""The self-test aborts a launch with one hole, whichever it is (ruling 44).

The holes are opened on purpose, in a network namespace of the test's own: nothing of the host is reached.
"""

from __future__ import annotations

import os
import subprocess
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from msgspec import structs

from bot_bottle.base import linux
from bot_bottle.sandbox.backends.bubblewrap import BubblewrapBackend
from bot_bottle.sandbox.bwrap import stage
from bot_bottle.sandbox.contract import Backend, BottleSpec, SelfTestFailed
from bot_bottle.sandbox.selftest import ALWAYS_PROBED, ProbeListeners, judge
from bot_bottle.testing.backend_ground import Ground

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace of the test's own needs root")


@dataclass
class Holed(BubblewrapBackend):
    """Bubblewrap with one part of its plan replaced."""

    hole: Callable[[stage.Plan], stage.Plan]

    def plan(self, spec: BottleSpec, fds: Mapping[str, int]) -> stage.Plan:
        self._scope = "401e"
        return self.hole(super().plan(spec, fds))

    _scope = "401e"


def _without(*flags: str) -> Callable[[stage.Plan], stage.Plan]:
    def hole(plan: stage.Plan) -> stage.Plan:
        return replace(plan, namespaces=[flag for flag in plan.namespaces if flag not in flags])

    return hole


def _writable_sysctl(plan: stage.Plan) -> stage.Plan:
    """A file that stands for the host's core_pattern: never that one itself."""
    kernel = plan.layers[1].work / "kernel"
    kernel.mkdir()
    (kernel / "core_pattern").write_text("", encoding="ascii")
    (kernel / "core_pattern").chmod(0o666)
    return replace(plan, extra_arguments=("--bind", str(kernel), "/proc/sys/kernel"))


HOLES: dict[str, tuple[Callable[[stage.Plan], stage.Plan], set[str]]] = {
    "the host's network": (
        lambda plan: replace(plan, own_network=False),
        {
            "tcp to the host's loopback",
            "udp to the host's loopback",
            "abstract socket of the host",
            "interfaces",
            "tcp to a public address",
            "udp dns to a public address",
            "tcp to the host at 198.51.100.1",
            "the launcher's tcp listener was reached",
            "the launcher's udp listener was reached",
            "the launcher's abstract socket listener was reached",
        },
    ),
    "the host's processes": (_without("--unshare-pid", "--as-pid-1"), {"processes of the host"}),
    "no filter": (lambda plan: replace(plan, seccomp=None), {"privileges"}),
    "namespaces in it": (
        lambda plan: replace(_without("--disable-userns")(plan), seccomp=None),
        {"privileges", "nested user namespace"},
    ),
    "capabilities": (
        lambda plan: replace(plan, extra_arguments=("--cap-add", "CAP_NET_ADMIN")),
        {"privileges"},
    ),
    "another uid": (
        lambda plan: replace(plan, extra_arguments=("--uid", "1001")),
        {"identity"},
    ),
    "a socket of the host's": (
        lambda plan: replace(
            plan, extra_arguments=("--ro-bind", str(plan.view.sockets / "proxy.sock"), "/run/docker.sock")
        ),
        {"sockets of the host"},
    ),
    "a writable sysctl": (_writable_sysctl, {"host sysctl"}),
}


def _in_own_network(action: Callable[[], None]) -> None:
    """Run *action* in a child with a network of its own: loopback, and an interface with a route."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            linux.unshare(linux.CLONE_NEWNET)
            linux.bring_up_loopback()
            for command in (
                "ip link add out0 type veth peer name out1",
                "ip address add 198.51.100.1/24 dev out0",
                "ip link set out0 up",
                "ip link set out1 up",
                "ip route add default via 198.51.100.2",
            ):
                subprocess.run(command.split(), check=True, timeout=10)
            Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").write_text("0", encoding="ascii")
            action()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, "see the output above"


@pytest.mark.parametrize("name", HOLES)
def test_one_hole_aborts(name: str, make_ground: Callable[[Backend], Ground]) -> None:
    """The failure names exactly what is open, and what the listeners saw."""
    hole, expected = HOLES[name]

    def action() -> None:
        ground = make_ground(Holed(hole))
        bottle = ground.backend.start(ground.spec)
        try:
            with pytest.raises(SelfTestFailed) as caught:
                bottle.self_test(30)
        finally:
            bottle.stop()
            ground.__exit__(None, None, None)
        named = " | ".join(caught.value.probes)
        for probe in expected:
            assert probe in named, named

    _in_own_network(action)


def test_without_a_hole_it_passes_there(make_ground: Callable[[Backend], Ground]) -> None:
    """The same place without the hole: what fails above fails because of it."""

    def action() -> None:
        ground = make_ground(Holed(lambda plan: plan))
        with ground.bottle(tested=False) as bottle:
            report = bottle.self_test(30)
            assert set(report) >= ALWAYS_PROBED | {"tcp to the host at 198.51.100.1"}
        ground.__exit__(None, None, None)

    _in_own_network(action)


def test_another_proxy_is_not_ours(make_ground: Callable[[Backend], Ground]) -> None:
    """A refusal without this launch's nonce is no refusal of ours."""
    ground = make_ground(BubblewrapBackend("401e"))
    ground.proxy.nonce = "0" * 32
    with pytest.raises(SelfTestFailed, match="not of this launch"), ground.bottle():
        pass


def _report(**changes: tuple[str, str]) -> list[bytes]:
    report = dict.fromkeys(ALWAYS_PROBED, ("held", "EPERM")) | changes
    return [b"report", *(word.encode() for name, (a, b) in report.items() for word in (name, a, b))]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        (_report(interfaces=("open", "eth0")), "interfaces: eth0"),
        (_report(interfaces=("maybe", "eth0")), "interfaces: eth0"),
        ([b"report"], "refusal: not probed"),
        ([], "refusal: not probed"),
        (_report()[:-2], "not probed"),
        ([b"report", b"\xff\x1b[2J", b"open", b"x"], "\\x1b"),
    ],
)
def test_judgement_of_reports(fields: list[bytes], named: str) -> None:
    """What is missing, unclear or open is a way out; what init says is shown escaped."""
    with ProbeListeners("f" * 32) as listeners:
        probes = structs.replace(listeners.probes(), gateways=())
        with pytest.raises(SelfTestFailed) as caught:
            judge(fields, probes)
        assert any(named in probe for probe in caught.value.probes)
        assert judge(_report(), probes)["refusal"] == "EPERM"
