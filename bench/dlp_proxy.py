"""``make bench-dlp-proxy``: what scanning costs in the proxy, beside the same proxy without it, in one run.

Three proxies of ours run on core 0, client and origin on core 1: with everything on (the default, twenty known
secrets), with the route's detectors off, and with the scanner taken out (``unscanned.py``). They take turns in every
measure of every round. Results go to ``tools/bench/dlp-proxy.json`` and, between markers, into
``docs/benchmarks.md``. Some six minutes, most of them for bodies of 2 GB.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import string
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import dlp_proxy_report
import native
from contestants import ROOT, TOOLS
from dlp_events import asking, one_stream, origin
from dlp_proxy_report import Memory, Result
from dlp_texts import chat_bodies, documents
from native import Bench, Cost
from proxies import ADDRESS, FULL, HOST, ORIGIN_PORT, PEERS, Place, Proxy, running
from proxy import enter_namespaces
from report import machine, put_between_markers

FIRST_PORT = 3228
KNOWN = 20
"""secrets that the scanner looks for"""
MIB = 1 << 20
SMALL, CHAT = 512, 200_000
OFF = "    dlp: {outbound_detectors: false, inbound_detectors: false}\n"


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    rounds: int
    streams: int
    keep_s: float
    single_s: float
    bulk_bytes: int
    growth_bytes: int


WHOLE = Plan(3, 30, 1.5, 1.0, 30_000_000, 2_000_000_000)
QUICK = Plan(1, 5, 0.3, 0.2, 4_000_000, 20_000_000)


@dataclass(frozen=True)
class Bodies:
    """Files of what is sent and fetched."""

    small: Path
    chat: Path
    text: Path
    noise: Path


def write_bodies(directory: Path) -> Bodies:
    """The same on every run."""
    chat = chat_bodies(8 * MIB)
    bodies = Bodies(*(directory / name for name in ("small", "chat", "text", "noise")))
    filler = "the parser reads the next chunk of the window and "
    small = json.dumps({"id": 4711, "query": (filler * 20)[: SMALL - 40]}).encode().ljust(SMALL)
    bodies.small.write_bytes(small)
    bodies.chat.write_bytes(chat[:CHAT])
    bodies.text.write_bytes(documents(8 * MIB))
    bodies.noise.write_bytes(random.Random(7).randbytes(8 * MIB))
    return bodies


def known_secrets() -> dict[str, str]:
    """Variables whose values the scanner looks for."""
    rng = random.Random(20)
    letters = string.ascii_letters + string.digits
    return {f"EGRESS_TOKEN_{n}": "".join(rng.choices(letters, k=40)) for n in range(KNOWN)}


@contextlib.contextmanager
def ours(name: str, place: Place, program: list[str], route: str, upstream: int) -> Iterator[Proxy]:
    """``bot-bottle proxy``, started by *program*, with *route* added to its only route."""
    routes = place.directory / "routes.yaml"
    routes.write_text((PEERS / "routes.yaml").read_text().replace("{host}", HOST) + route)
    argv = [*program, "proxy", "--routes", str(routes), "--listen", f"{ADDRESS}:{place.port}"]
    argv += ["--ca-dir", str(place.directory), "--extra-ca", str(place.upstream_ca)]
    argv += ["--connect-to", f"{HOST}:443:{ADDRESS}:{upstream}"]
    secrets = {
        **known_secrets(),
        "BENCH_TOKEN": "".join(random.Random(21).choices(string.ascii_letters, k=40)),
    }
    with running(argv, place, secrets) as pid:
        yield Proxy(name, "", FULL, pid, place.port, place.directory / "ca.pem")


@contextlib.contextmanager
def three(top: Path, upstream_ca: Path, upstream: int, first_port: int) -> Iterator[list[Proxy]]:
    """All on, off, and out, to the same origin."""
    plain = [str(Path(sys.executable).with_name("bot-bottle"))]
    without = [sys.executable, str(ROOT / "bench" / "unscanned.py")]
    with contextlib.ExitStack() as stack:
        found = []
        for number, (name, program, route) in enumerate(
            (
                (dlp_proxy_report.ON, plain, ""),
                (dlp_proxy_report.OFF, plain, OFF),
                (dlp_proxy_report.OUT, without, ""),
            )
        ):
            directory = top / f"{first_port}-{number}"
            directory.mkdir()
            place = Place(directory, upstream_ca, first_port + number)
            found.append(stack.enter_context(ours(name, place, program, route, upstream)))
        yield found


def in_turns(proxies: list[Proxy], number: int) -> list[Proxy]:
    first = number % len(proxies)
    return proxies[first:] + proxies[:first]


def measures(bodies: Bodies, plan: Plan) -> dict[str, Callable[[Bench, Proxy], Cost]]:
    small, chat = (bodies.small, "application/json"), (bodies.chat, "application/json")
    return {
        "small": lambda b, p: b.load(p, "keep", connections=16, seconds=plan.keep_s, size=SMALL, body=small),
        "single": lambda b, p: b.load(p, "keep", seconds=plan.single_s, size=SMALL, body=small),
        "chat": lambda b, p: b.load(p, "keep", seconds=plan.single_s, size=CHAT, body=chat),
        "down": lambda b, p: b.load(p, "down", size=plan.bulk_bytes, body=(bodies.text, "text")),
        "up": lambda b, p: b.load(p, "up", size=plan.bulk_bytes, body=(bodies.text, "text/plain")),
    }


def growth(bench: Bench, proxy: Proxy, bodies: Bodies, size: int) -> list[Memory]:
    """What a body of *size* adds to the peak of bodies of 1 KB, both ways, of text and of noise."""
    kinds = (
        ("up", "text", (bodies.text, "text/plain")),
        ("up", "random bytes", (bodies.noise, "application/octet-stream")),
        ("down", "text", (bodies.text, "text")),
        ("down", "random bytes", (bodies.noise, "random")),
    )
    for _ in range(3):  # all that is made once is there
        little = [bench.load(proxy, way, size=1000, body=body) for way, _, body in kinds]
    before = max(cost.peak_mb for cost in little)
    found = []
    for way, what, body in kinds:
        print(f"\rmemory: {way:5} {what:24}", end="", file=sys.stderr, flush=True)
        much = bench.load(proxy, way, size=size, body=body)
        found.append(Memory(way, what, before, much.peak_mb, much.mb_per_second))
    return found


def run_rounds(
    bench: Bench, proxies: list[Proxy], bodies: Bodies, plan: Plan
) -> dict[str, dict[str, list[Cost]]]:
    everyone = [*proxies, bench.direct()]
    costs: dict[str, dict[str, list[Cost]]] = {proxy.name: {} for proxy in everyone}
    for number in range(plan.rounds):
        for what, measure in measures(bodies, plan).items():
            for proxy in in_turns(everyone, number):
                print(f"\rround {number + 1}: {what:6} {proxy.name:24}", end="", file=sys.stderr, flush=True)
                costs[proxy.name].setdefault(what, []).append(measure(bench, proxy))
    return costs


def run_events(
    proxies: list[Proxy], direct: Proxy, port: int, plan: Plan
) -> dict[str, list[dlp_proxy_report.Stream]]:
    """Streams one after another, each proxy in its turn, on connections that stay open."""
    everyone = [*proxies, direct]
    found: dict[str, list[dlp_proxy_report.Stream]] = {proxy.name: [] for proxy in everyone}
    with contextlib.ExitStack() as stack:
        open_ones = {proxy.name: stack.enter_context(asking(proxy, port)) for proxy in everyone}
        for proxy in everyone:
            one_stream(open_ones[proxy.name])
        for number in range(plan.rounds * plan.streams):
            print(f"\revents: {number + 1:4}{'':24}", end="", file=sys.stderr, flush=True)
            for proxy in in_turns(everyone, number):
                took = one_stream(open_ones[proxy.name])
                found[proxy.name].append(dlp_proxy_report.Stream(took.first_us, took.event_us))
    return found


def run(plan: Plan) -> Result:
    with contextlib.ExitStack() as stack:
        top = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bb-bench-")))
        top.chmod(0o755)
        bodies = write_bodies(top)
        port, ca = stack.enter_context(origin(top))
        with three(top, ca, port, FIRST_PORT + 10) as proxies:
            direct = Proxy("direct", "", "", os.getpid(), 0, ca)
            events = run_events(proxies, direct, port, plan)
        programs = native.build(top / "native")
        bench = stack.enter_context(native.bench(programs, top, (bodies.text, bodies.noise)))
        proxies = stack.enter_context(three(top, bench.origin_ca, ORIGIN_PORT, FIRST_PORT))
        memory = growth(bench, proxies[0], bodies, plan.growth_bytes)
        costs = run_rounds(bench, proxies, bodies, plan)
    print(file=sys.stderr)
    return Result(machine(), plan.rounds, plan.growth_bytes, events, costs, memory)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--quick", action="store_true", help="one short round; numbers to look at, not to keep"
    )
    parser.add_argument("--no-write", action="store_true", help="only print the tables")
    parser.add_argument("--growth-bytes", type=int, help="of the large bodies; default: 2 GB")
    options = parser.parse_args()
    enter_namespaces()
    TOOLS.mkdir(parents=True, exist_ok=True)
    plan = QUICK if options.quick else WHOLE
    if options.growth_bytes:
        plan = replace(plan, growth_bytes=options.growth_bytes)
    os.sched_setaffinity(0, {native.CLIENT_CORE})
    result = run(plan)
    text = dlp_proxy_report.markdown(result)
    print(text)
    if not options.no_write:
        (TOOLS / "dlp-proxy.json").write_text(json.dumps(result.as_json(), indent=2) + "\n")
        put_between_markers(ROOT / "docs" / "benchmarks.md", "dlp-proxy", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
