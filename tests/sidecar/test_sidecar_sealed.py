"""The sandboxes of a gate work in its real view, and hold (ruling 42): with a uid of its own, and as a user."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket

import pytest

pytestmark = [
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
]


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        sock.setblocking(False)
        yield sock


def heard(listener) -> list[bytes]:
    found = []
    with contextlib.suppress(BlockingIOError):
        while True:
            connection, _ = listener.accept()
            with connection:
                found.append(connection.recv(64))
    return found


def test_git_runs_sealed_and_a_command_with_network_sees_no_more_than_the_network(host, listener):
    """Verdicts about the network are the listener's."""
    port = listener.getsockname()[1]
    host.ready("one", entry="sealing", gitleaks="/usr/bin/true", probes={"port": port})
    found = json.loads((host.layout.guest("one") / "gate" / "results.json").read_text())
    assert found["gitleaks"] == [0, "", ""], found["gitleaks"]
    assert found["git"][0] == 0, found["git"]
    assert {"HEAD", "config", "objects", "refs"} <= set(found["mirror"])
    assert heard(listener) == [b"network"]
    for label, dialled in (("sealed", "Connection refused"), ("network", "through")):
        status, said, error = found[label]
        assert status == 0, error
        seen = json.loads(said)
        assert seen["dial"] == dialled
        assert set(seen["root"]) <= {
            "usr",
            "etc",
            "dev",
            "tmp",
            "bin",
            "sbin",
            "lib",
            "lib32",
            "lib64",
            "libx32",
        }
        assert seen["run"] == [] and "gate" not in seen["etc"]
        assert set(seen["environ"]) <= {"LANG", "LC_CTYPE", "PWD"}
        assert seen["pid"] <= 3
        assert seen["namespace"] == "Operation not permitted"
        assert seen["unix"] == "Address family not supported by protocol"
        assert seen["write"] != "through"
    assert json.loads(found["sealed"][1])["interfaces"] == ["lo"]
