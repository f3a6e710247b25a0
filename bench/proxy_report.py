"""The proxy benchmark in tables: what each costs, and what was asked of ours with what was measured."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from native import Cost

OURS = "bot-bottle"
MISSING = "–"
NAMES_GROWTH_MB = 4.0
"""What 5,000 hosts more may add when the certificate cache is full: noise of the allocator, not 5,000 leaves."""


@dataclass(frozen=True)
class Result:
    """One run; *shown* has the version and the policy of each contestant, *absent* why one is missing.

    *failures* counts the runs of peers that had to be repeated.
    """

    machine: str
    plan: dict[str, Any]
    shown: dict[str, tuple[str, str]]
    costs: dict[str, dict[str, list[Cost]]]
    absent: dict[str, str]
    failures: dict[str, int]
    idle_mb: dict[str, float]
    """Resident memory of each before anything was measured."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def median(self, name: str, what: str, value: Callable[[Cost], float]) -> float | None:
        costs = self.costs.get(name, {}).get(what)
        return statistics.median(value(cost) for cost in costs) if costs else None

    def grown_mb(self, name: str, what: str) -> float | None:
        """The most that one transfer added; the first ones are compared with the proxy that had nothing to do.

        Later ones can't be: other measures lie between.
        """
        costs = self.costs.get(name, {}).get(what)
        if not costs or name not in self.idle_mb:
            return None
        return max(costs[0].peak_mb - self.idle_mb[name], *(cost.growth_mb for cost in costs))

    def added_us(self, name: str, value: Callable[[Cost], float]) -> float | None:
        """Latency of a request on an open connection, less what it takes without a proxy."""
        with_it, without = self.median(name, "single", value), self.median("direct", "single", value)
        return None if with_it is None or without is None else with_it - without


def number(value: float | None, form: str = ".0f") -> str:
    return MISSING if value is None else format(value, form)


def row(result: Result, name: str) -> str:
    version, policy = result.shown.get(name, ("", ""))
    cells = [
        name,
        version,
        policy,
        number(result.median(name, "keep", lambda c: c.per_second)),
        number(result.median(name, "keep", lambda c: c.cpu_ms * 1000) if name != "direct" else None),
        number(result.added_us(name, lambda c: c.p50_us)),
        number(result.added_us(name, lambda c: c.p99_us)),
        number(result.median(name, "fresh", lambda c: c.cpu_ms), ".2f"),
        number(result.median(name, "down", lambda c: c.mb_per_second)),
        number(result.median(name, "up", lambda c: c.mb_per_second)),
        number(result.grown_mb(name, "down"), ".1f"),
        number(result.grown_mb(name, "up"), ".1f"),
        number(result.grown_mb(name, "slow"), ".1f"),
    ]
    return f"| {' | '.join(cells)} |"


@dataclass(frozen=True)
class Demand:
    """Something asked of ours: the measured value must be on the right side of the bound."""

    words: str
    bound: float
    at_most: bool
    measured: float | None
    form: str

    def line(self) -> str:
        side = "at most" if self.at_most else "at least"
        if self.measured is None:
            return f"| {self.words} | {side} {format(self.bound, self.form)} | not measured | |"
        met = self.measured <= self.bound if self.at_most else self.measured >= self.bound
        shown = format(self.measured, self.form)
        return f"| {self.words} | {side} {format(self.bound, self.form)} | {shown} | {'yes' if met else '**no**'} |"


def ratio(ours: float | None, theirs: float | None) -> float | None:
    return None if ours is None or not theirs else ours / theirs


def demands(result: Result) -> list[Demand]:
    """What was asked for, in the order in which it was asked for."""

    def against(peer: str, what: str, value: Callable[[Cost], float]) -> float | None:
        return ratio(result.median(OURS, what, value), result.median(peer, what, value))

    cpu: Callable[[Cost], float] = lambda c: c.cpu_ms  # noqa: E731
    rate: Callable[[Cost], float] = lambda c: c.per_second  # noqa: E731
    speed: Callable[[Cost], float] = lambda c: c.mb_per_second  # noqa: E731
    added = ratio(result.added_us(OURS, lambda c: c.p50_us), result.added_us("squid", lambda c: c.p50_us))
    growths = [result.grown_mb(OURS, what) for what in ("down", "up")]
    growth = max((value for value in growths if value is not None), default=None)
    slow = result.grown_mb(OURS, "slow")
    names = result.median(OURS, "names", lambda c: c.growth_mb)
    streaming = "mitmdump streaming"
    return [
        Demand("CPU a request, of mitmdump's", 0.1, True, against("mitmdump", "keep", cpu), ".3f"),
        Demand(
            "requests a second, 16 connections, of mitmdump's",
            8,
            False,
            against("mitmdump", "keep", rate),
            ".1f",
        ),
        Demand(
            "requests a second, 16 connections, of squid's", 0.8, False, against("squid", "keep", rate), ".2f"
        ),
        Demand("added median latency, of squid's", 1, True, added, ".2f"),
        Demand("CPU a new connection, of mitmdump's", 1 / 3, True, against("mitmdump", "fresh", cpu), ".2f"),
        Demand("CPU a new connection, of squid's", 2, True, against("squid", "fresh", cpu), ".2f"),
        Demand("MB/s down, of streaming mitmdump's", 1.3, False, against(streaming, "down", speed), ".2f"),
        Demand("MB/s up, of streaming mitmdump's", 1.3, False, against(streaming, "up", speed), ".2f"),
        Demand("memory growth in a transfer, MB", 32, True, growth, ".1f"),
        Demand("memory growth with a slow reader, MB", 8, True, slow, ".1f"),
        Demand(
            f"memory growth with {result.plan['names']} hosts more, MB", NAMES_GROWTH_MB, True, names, ".1f"
        ),
    ]


def busy(result: Result) -> str:
    """How much of their cores proxies and load used with 16 connections: who was the bottleneck."""
    names = [name for name in result.shown if result.costs[name].get("keep")]
    proxies = [result.median(name, "keep", lambda c: c.busy[0]) or 0 for name in names]
    others = [result.median(name, "keep", lambda c: c.busy[1]) or 0 for name in names]
    return (
        f"With 16 connections the proxies used {min(proxies):.0%} to {max(proxies):.0%} of their core, client "
        f"and origin at most {max(others):.0%} of theirs."
    )


def markdown(result: Result) -> str:
    plan = result.plan
    lines = [
        f"{result.machine}; medians of {plan['rounds']} interleaved rounds, of memory growth the most.",
        "",
        "| proxy | version | judged | requests/s | CPU µs a request | added µs, median | added µs, p99 "
        "| CPU ms a new connection | MB/s down | MB/s up | MB grown, down | MB grown, up | MB grown, slow reader |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
        *(row(result, name) for name in (*result.shown, "direct")),
        *(
            f"| {name} | not measured: {reason} | | | | | | | | | | | |"
            for name, reason in result.absent.items()
        ),
        "",
        busy(result),
        *(
            f"Ended early by the peer, then repeated up to twice: {what}, {times} times."
            for what, times in result.failures.items()
        ),
        "",
        "| asked of bot-bottle | bound | measured | met |",
        "|---|---|---|---|",
        *(demand.line() for demand in demands(result)),
    ]
    return "\n".join(lines)
