"""Fifty idle bottles at once: what each costs in memory, that each is itself, that nothing is left of them.

Numbers with CPU are ``make bench``'s; here memory and counts are asserted, with a margin.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
from e2e_support import eventually, processes_of

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

import footprint

PROXY_MIB = 25
"""Ruling 40: private memory that one more bottle's proxy may cost."""
BOTTLE_MIB = 45
"""All of ours for one more bottle: launching process, proxy, bwrap and init. Measured: 28."""
SCRIPT = (
    "echo up; read line; "
    "curl -sS -o /dev/null -w '%{http_code}\\n' https://api.example.com/$1 2>&1; read line"
)


@pytest.mark.slow
def test_many_idle_bottles_at_once(person, world):
    """Started one after the other and all held open; a request through each arrives with its own credential;
    then all are ended. Fifty where the tests run as root, ten as an ordinary user."""
    count = 50 if person.uid == 0 else 10
    bottles: list[subprocess.Popen[bytes]] = []
    try:
        for number in range(count):
            bottles.append(
                person.popen(
                    "run", *world.flags(), "--", "sh", "-c", SCRIPT, "sh", str(number),
                    env={"API_KEY": f"key-of-bottle-{number}"},
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                )
            )  # fmt: skip
            assert bottles[-1].stdout.readline() == b"up\n", bottles[-1].stderr.read()
        assert len(person.states()) == count
        launchers = [bottle.pid for bottle in bottles]
        proxies = [
            pid
            for parent in processes_of(person.layout)
            for pid in footprint.descendants(parent)
            if footprint.name_of(pid) == "bottle-proxy"
        ]
        assert len(set(proxies)) == count
        if os.geteuid() == 0:  # a sidecar lets nobody else look at it
            each = statistics.mean(map(footprint.private_kib, set(proxies))) / 1024
            around = statistics.mean(sum(footprint.by_role(pid).values()) for pid in launchers) / 1024
            print(f"\n{count} bottles: {each:.1f} MiB for the proxy, {around + each:.1f} MiB in all, each")
            assert each < PROXY_MIB
            assert each + around < BOTTLE_MIB
        for bottle in bottles:
            bottle.stdin.write(b"\n")
            bottle.stdin.flush()
            assert bottle.stdout.readline() == b"200\n"
        got = {request.target: request.header("authorization") for request in world.api.requests}
        assert got == {f"/{number}": f"Bearer key-of-bottle-{number}" for number in range(count)}
    finally:
        for bottle in bottles:
            bottle.stdin.close()
    for bottle in bottles:
        assert bottle.wait(60) in (0, 1), bottle.stderr.read()
        bottle.stdout.close()
    assert world.evil.accepted == 0
    left = [line for bottle in bottles for line in bottle.stderr.read().splitlines() if b"error" in line]
    assert left == []
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in proxies), "the proxies have ended")
    for identity in person.states():
        assert person.run("cleanup", "--yes", identity).returncode == 0
    guests = person.layout.guests
    eventually(lambda: not guests.exists() or not any(guests.iterdir()), "nothing is left of them")
