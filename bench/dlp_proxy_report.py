"""What scanning costs in the proxy, in tables, beside what was asked for."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from native import Cost
from proxy_report import Demand, number

ON, OFF, OUT, DIRECT = "scanning", "route's detectors off", "scanner taken out", "direct"
MIB = 1 << 20
FIRST_EVENT_BOUND_MS = 2.0
GROWTH_BOUND_MIB = 4.0


@dataclass(frozen=True)
class Stream:
    """Of one stream of events, in microseconds: from request to first event; of each, from written to read."""

    first_us: float
    event_us: list[float]


@dataclass(frozen=True)
class Memory:
    """The most that was resident with a body of 1 KB, and with a large one."""

    way: str
    what: str
    little_mb: float
    much_mb: float
    mb_per_second: float

    @property
    def grown_mib(self) -> float:
        return (self.much_mb - self.little_mb) * 1e6 / MIB


@dataclass(frozen=True)
class Result:
    """One run."""

    machine: str
    rounds: int
    growth_bytes: int
    events: dict[str, list[Stream]]
    costs: dict[str, dict[str, list[Cost]]]
    memory: list[Memory]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def median(self, name: str, what: str, value: Callable[[Cost], float]) -> float | None:
        costs = self.costs.get(name, {}).get(what)
        return statistics.median(value(cost) for cost in costs) if costs else None

    def first_us(self, name: str) -> float:
        return statistics.median(stream.first_us for stream in self.events[name])

    def event_us(self, name: str) -> list[float]:
        """Of all events, the shortest first."""
        return sorted(each for stream in self.events[name] for each in stream.event_us)


def row(result: Result, name: str) -> str:
    events = result.event_us(name)

    def cpu(what: str, form: str = ".0f") -> str:
        return number(result.median(name, what, lambda c: c.cpu_ms * 1000) if name != DIRECT else None, form)

    cells = [
        name,
        number(result.first_us(name)),
        number(statistics.median(events)),
        number(events[int(len(events) * 0.99)]),
        number(result.median(name, "small", lambda c: c.per_second)),
        cpu("small"),
        number(result.median(name, "single", lambda c: c.p50_us)),
        number(result.median(name, "chat", lambda c: c.p50_us)),
        cpu("chat"),
        number(result.median(name, "up", lambda c: c.mb_per_second)),
        number(result.median(name, "down", lambda c: c.mb_per_second)),
    ]
    return f"| {' | '.join(cells)} |"


def memory_row(memory: Memory) -> str:
    cells = [
        memory.way,
        memory.what,
        f"{memory.little_mb * 1e6 / MIB:.1f}",
        f"{memory.much_mb * 1e6 / MIB:.1f}",
        f"{memory.grown_mib:.1f}",
        f"{memory.mb_per_second:.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def demands(result: Result) -> list[Demand]:
    added_ms = (result.first_us(ON) - result.first_us(OUT)) / 1000
    event_ms = (statistics.median(result.event_us(ON)) - statistics.median(result.event_us(OUT))) / 1000
    grown = max((memory.grown_mib for memory in result.memory), default=None)
    return [
        Demand(
            "first event: added to the median by scanning, ms", FIRST_EVENT_BOUND_MS, True, added_ms, ".2f"
        ),
        Demand("every event: the same, ms", FIRST_EVENT_BOUND_MS, True, event_ms, ".2f"),
        Demand(
            f"memory of one flow: from 1 KB to {result.growth_bytes / 1e9:g} GB, MiB",
            GROWTH_BOUND_MIB,
            True,
            grown,
            ".1f",
        ),
    ]


def markdown(result: Result) -> str:
    lines = [
        f"{result.machine}; medians of {result.rounds} interleaved rounds.",
        "",
        "| proxy | first event, µs | an event, µs | an event, p99 | 512 B: requests/s | CPU µs a request "
        "| one after another, µs | 200 KB: µs | CPU µs a request | text up, MB/s | text down, MB/s |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
        *(row(result, name) for name in (ON, OFF, OUT, DIRECT)),
        "",
        f"| body of {result.growth_bytes / 1e9:g} GB | of | peak with 1 KB, MiB | with it | grown, MiB | MB/s |",
        "|---|---|---|---|---|---|",
        *map(memory_row, result.memory),
        "",
        "| asked of bot-bottle | bound | measured | met |",
        "|---|---|---|---|",
        *(demand.line() for demand in demands(result)),
    ]
    return "\n".join(lines)
