"""Who may talk to the daemon, and what happens to nonsense: it is refused, and changes nothing."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest

SPEC = {"bottle": "two", "nonce": "0", "egress_dir": "/nonexistent", "run_dir": "/nonexistent"}


def message(kind: str, **fields) -> str:
    return json.dumps({"type": kind, **fields})


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


@pytest.mark.parametrize("count", [0, 5, 40])
def test_garbage_closes_its_connection_and_changes_nothing(host, count):
    launcher, event = host.ready()
    before = descriptors(event["daemon"])
    garbage = ["{", "\xff\xfe", "null", "[" * 90_000, message("unheard-of"), message("adopt"), message("launched"),
               "x" * 160_000]  # fmt: skip
    for payload in garbage:
        assert launcher.tell("raw " + json.dumps([payload, count]))["answer"] == ""
    assert launcher.tell("status")["bottles"] == ["one"]
    assert host.alive(event["sidecar"])
    host.eventually(lambda: descriptors(event["daemon"]) == before, "no descriptor is left open")


def test_garbage_on_a_launchers_own_connection_does_not_cost_it_its_bottle(host):
    launcher, event = host.ready()
    assert "not understood" in launcher.tell("raw-own " + json.dumps(["{", 3]))["answer"]
    assert launcher.tell("status")["bottles"] == ["one"]
    assert host.alive(event["sidecar"])


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (message("status", protocol=99), "end it with 'kill {daemon}'"),
        (message("adopt", bottle="two", protocol=0), "end it with 'kill {daemon}'"),
        (message("launch-sidecar", spec=SPEC, protocol=1), "end it with 'kill {daemon}'"),
        (message("launch-sidecar", spec=SPEC), "3 descriptors came with the request"),
        (message("adopt", bottle="two"), "a pidfd has to come with the request"),
        (
            message("adopt", bottle="two", kinds=["proxy", "gate", "proxy"]),
            "a pidfd has to come with the request",
        ),
    ],
)
def test_a_request_that_does_not_fit_is_refused_with_its_reason(host, request_, words):
    """Three descriptors of /dev/null come with each: none of them is kept."""
    launcher, event = host.ready()
    before = descriptors(event["daemon"])
    answer = launcher.tell("raw " + json.dumps([request_, 3]))["answer"]
    assert words.format(**event) in json.loads(answer)["reason"]
    assert launcher.tell("status")["bottles"] == ["one"]
    host.eventually(lambda: descriptors(event["daemon"]) == before, "no descriptor is left open")


@pytest.mark.parametrize("bottle", ["../one", "", "One", "a/b", "x" * 41])
def test_a_name_that_is_no_identity_never_becomes_a_path(host, bottle):
    launcher, _ = host.ready()
    request = message("launch-sidecar", spec={**SPEC, "bottle": bottle})
    answer = launcher.tell("raw " + json.dumps([request, 4]))["answer"]
    assert "is not a bottle's identity" in json.loads(answer)["reason"]
    assert os.listdir(host.layout.run / "s") == ["one.proxy"]


def test_a_view_that_can_not_be_built_is_refused_over_the_control_socket(host):
    """The directory is a link: what is behind it would be let into the view."""
    launcher = host.launcher("two", egress_is_link=True)
    said = launcher.said()
    assert said["event"] == "refused" and "is not a directory" in said["reason"]
    launcher.end()
    host.eventually(lambda: not host.layout.state("two").exists(), "it is reaped")


@pytest.mark.skipif(os.geteuid() != 0, reason="being somebody else needs root")
def test_the_peers_uid_is_checked_where_the_files_mode_would_let_it_in(host):
    launcher, _ = host.ready()
    layout = host.layout
    layout.run.chmod(0o755)
    layout.daemon_socket.chmod(0o666)
    code = (
        "import socket, sys\ns = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\ns.connect(sys.argv[1])\n"
        's.send(b\'{"type":"status"}\')\nprint(s.recv(4096))'
    )
    stranger = 65533
    for uid, expected in ((stranger, False), (host.uid, True)):
        done = subprocess.run(
            [sys.executable, "-c", code, str(layout.daemon_socket)], user=uid, group=uid, env={}, cwd="/",
            extra_groups=None if uid is None else [], capture_output=True, check=False,
        )  # fmt: skip
        assert (b"status-is" in done.stdout) is expected
    assert f'"event":"stranger","pid":{host.daemon_pid()},"uid":{stranger}' in host.log()
    assert launcher.tell("status")["bottles"] == ["one"]


def test_the_bottle_can_not_reach_the_daemon_by_its_path(host):
    """0600 below directories that a bottle's uid may pass through at most."""
    host.ready()
    assert host.layout.daemon_socket.stat().st_mode & 0o777 == 0o600
    if host.is_root:
        code = "import socket, sys; socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect(sys.argv[1])"
        done = subprocess.run(
            [sys.executable, "-c", code, str(host.layout.daemon_socket)], user=64999, group=64999, env={},
            cwd="/", extra_groups=[], capture_output=True, check=False,
        )  # fmt: skip
        assert b"PermissionError" in done.stderr
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as control:
        control.connect(str(host.layout.daemon_socket))  # the operator's side of it, and root's
