"""``make bench-proxy``: the egress proxy beside mitmdump, squid and srt's, in one run on one machine."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import native
import proxies
from contestants import TOOLS, Unavailable
from proxies import ENTER, Place

from bot_bottle.sidecar.proxy.ca import CertificateAuthority


def enter_namespaces() -> None:
    """Go on in a network and a mount namespace of our own, where the host's name is 127.0.0.1."""
    if os.environ.get("BOT_BOTTLE_BENCH") != "inside":
        os.environ["BOT_BOTTLE_BENCH"] = "inside"
        argv = ["unshare", "--net", "--mount", "--propagation", "private", sys.executable, *sys.argv]
        os.execvp("unshare", argv)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.NamedTemporaryFile("w") as hosts:
        hosts.write(f"127.0.0.1 localhost {proxies.HOST}\n")
        hosts.flush()
        os.chmod(hosts.name, 0o644)
        subprocess.run(["mount", "--bind", hosts.name, "/etc/hosts"], check=True)


def quick() -> None:
    with contextlib.ExitStack() as stack:
        top = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bb-bench-")))
        top.chmod(0o755)
        programs = native.build(TOOLS / "native")
        authority = CertificateAuthority.create()
        (top / "origin-ca.pem").write_text(authority.ca_pem)
        stack.enter_context(native.origin(programs, authority, top))
        started = []
        for number, (name, enter) in enumerate(ENTER.items()):
            if ONLY and name not in ONLY:
                continue
            directory = top / name
            directory.mkdir()
            try:
                started.append(stack.enter_context(enter(Place(directory, top / "origin-ca.pem", 3128 + number))))
            except Unavailable as error:
                print(f"bench: {name} left out: {error}", file=sys.stderr)
        for _ in range(ROUNDS):
            for proxy in started:
                cost = native.load(programs, proxy, "keep", 16, SECONDS)
                print(
                    f"{proxy.name:12} {proxy.version:10} {cost['done'] / cost['seconds']:8.0f} requests/s "
                    f"{cost['cpu_s'] / cost['done'] * 1000:7.3f} ms CPU/request (core busy "
                    f"{cost['cpu_s'] / cost['seconds']:.0%}, client+origin busy {cost['other_s'] / cost['seconds']:.0%}) p50 {cost['p50_us']:.0f} us",
                    flush=True,
                )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--only", action="append")
    options = parser.parse_args()
    ROUNDS, SECONDS, ONLY = options.rounds, options.seconds, options.only
    enter_namespaces()
    quick()
