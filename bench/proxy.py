"""``make bench-proxy``: the egress proxy beside mitmdump, squid and srt's own, in one run on one machine.

Every proxy takes up TLS from the client and makes TLS of its own to the same origin. Proxies have core 0, client
and origin core 1. The contestants take turns in each measure of each round, so that a busy moment hits them
alike. An answer that is not the one asked for ends the benchmark; a peer may try again, which is counted.
Results go to ``tools/bench/proxy.json`` and, between markers, into ``docs/benchmarks.md``. Some five minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import native
import proxy_report
from contestants import ROOT, TOOLS, Unavailable
from native import Bench, Cost, WrongAnswer
from policy import prove
from procfs import resident_mb
from proxies import ENTER, HOST, Place, Proxy
from report import machine, put_between_markers

FIRST_PORT = 3128
INSIDE = "BOT_BOTTLE_BENCH_INSIDE"
SETTLED_NAMES = 1000
"""Hosts asked for before the certificate cache is measured: more than it holds."""


MEASURES = ("down", "up", "single", "keep", "single", "down", "up", "fresh", "single")
"""Of a round, in this order: bulk first, for what it adds to a proxy that had nothing to do. What a busy moment
changes most comes more than once."""


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    rounds: int
    keep_s: float
    single_s: float
    fresh_s: float
    down_bytes: int
    up_bytes: int
    slow_s: float
    names: int


WHOLE = Plan(5, 1.5, 0.7, 1.5, 200_000_000, 100_000_000, 4.0, 5000)
QUICK = Plan(1, 0.3, 0.2, 0.3, 8_000_000, 4_000_000, 0.5, 100)

PEER_TRIES = 3
"""Squid 5.7 closes many bumped uploads half-way, without a word in its log; mitmdump and srt never did."""

Costs = dict[str, dict[str, list[Cost]]]
"""Contestant, measure, one for each round."""


def enter_namespaces() -> None:
    """Go on in a network and a mount namespace of our own, where the host's name is 127.0.0.1."""
    if os.environ.get(INSIDE) != "1":
        argv = ["unshare", "--net", "--mount", "--propagation", "private"]
        argv += [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        os.execvpe("unshare", [*argv, sys.executable, *sys.argv], {**os.environ, INSIDE: "1"})
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.NamedTemporaryFile("w") as hosts:
        hosts.write(f"127.0.0.1 localhost {HOST}\n")
        hosts.flush()
        os.chmod(hosts.name, 0o644)
        subprocess.run(["mount", "--bind", hosts.name, "/etc/hosts"], check=True)


def tried(bench: Bench, proxy: Proxy, what: str, plan: Plan, failures: dict[str, int]) -> list[Cost]:
    """Measure; where a peer fails, again, with a count of it in *failures*, and at last not at all."""
    for _ in range(PEER_TRIES):
        try:
            return [measure(bench, proxy, what, plan)]
        except WrongAnswer as error:
            if proxy.name == "bot-bottle":
                raise
            print(f"\nbench: {error}", file=sys.stderr)
            key = f"{proxy.name}, {what}"
            failures[key] = failures.get(key, 0) + 1
    return []


def measure(bench: Bench, proxy: Proxy, what: str, plan: Plan) -> Cost:
    if what == "slow":
        return bench.load(proxy, "slow", seconds=plan.slow_s, size=plan.down_bytes)
    if what == "keep":
        return bench.load(proxy, "keep", connections=16, seconds=plan.keep_s)
    if what == "single":
        return bench.load(proxy, "keep", seconds=plan.single_s)
    if what == "fresh":
        return bench.load(proxy, "fresh", connections=4, seconds=plan.fresh_s)
    if what == "down":
        return bench.load(proxy, "down", size=plan.down_bytes)
    return bench.load(proxy, "up", size=plan.up_bytes)


def takes_part(name: str, what: str) -> bool:
    """mitmdump holds whole bodies unless told to stream, so bulk is the streaming one's; the rest is not."""
    if name == "direct":
        return what in ("single", "keep", "down", "up")
    if name.startswith("mitmdump"):
        return (name == "mitmdump streaming") == (what in ("down", "up"))
    return True


def run_rounds(bench: Bench, contestants: list[Proxy], plan: Plan, failures: dict[str, int]) -> Costs:
    costs: Costs = {proxy.name: {} for proxy in [*contestants, bench.direct()]}
    for proxy in contestants:
        if takes_part(proxy.name, "down"):
            costs[proxy.name]["slow"] = tried(bench, proxy, "slow", plan, failures)
    contestants = [*contestants, bench.direct()]
    for number in range(plan.rounds):
        for what in MEASURES:
            first = number % len(contestants)
            for proxy in contestants[first:] + contestants[:first]:
                if takes_part(proxy.name, what):
                    print(
                        f"\rround {number + 1}: {what:6} {proxy.name:24}", end="", file=sys.stderr, flush=True
                    )
                    cost = tried(bench, proxy, what, plan, failures)
                    costs[proxy.name].setdefault(what, []).extend(cost)
    print(file=sys.stderr)
    for proxy in contestants:
        if proxy.name == "bot-bottle":
            bench.load(proxy, "names", size=min(SETTLED_NAMES, plan.names))
            costs[proxy.name]["names"] = [bench.load(proxy, "names", size=plan.names)]
    return costs


def run(options: argparse.Namespace) -> proxy_report.Result:
    plan = QUICK if options.quick else WHOLE
    absent: dict[str, str] = {}
    failures: dict[str, int] = {}
    contestants: list[Proxy] = []
    with contextlib.ExitStack() as stack:
        top = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bb-bench-")))
        top.chmod(0o755)
        bench = stack.enter_context(native.bench(native.build(top / "native"), top))
        for number, name in enumerate(options.only or ENTER):
            directory = top / f"proxy-{number}"
            directory.mkdir()
            try:
                place = Place(directory, bench.origin_ca, FIRST_PORT + number)
                contestants.append(stack.enter_context(ENTER[name](place)))
            except Unavailable as error:
                absent[name] = str(error)
                print(f"bench: {name} left out: {error}", file=sys.stderr)
                continue
            prove(contestants[-1])
        idle_mb = {proxy.name: resident_mb(proxy.pid) for proxy in contestants}
        costs = run_rounds(bench, contestants, plan, failures)
    shown = {proxy.name: (proxy.version, proxy.policy) for proxy in contestants}
    return proxy_report.Result(machine(), asdict(plan), shown, costs, absent, failures, idle_mb)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--quick", action="store_true", help="one short round; numbers to look at, not to keep"
    )
    parser.add_argument("--no-write", action="store_true", help="only print the tables")
    parser.add_argument("--only", action="append", choices=list(ENTER), help="measure this one (repeatable)")
    options = parser.parse_args()
    TOOLS.mkdir(parents=True, exist_ok=True)
    if os.environ.get(INSIDE) != "1" and options.only != ["bot-bottle"]:
        subprocess.run([ROOT / "scripts" / "peers.sh"], check=True)
    enter_namespaces()
    result = run(options)
    text = proxy_report.markdown(result)
    print(text)
    if not options.no_write:
        (TOOLS / "proxy.json").write_text(json.dumps(result.as_json(), indent=2) + "\n")
        put_between_markers(ROOT / "docs" / "benchmarks.md", "proxy", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
