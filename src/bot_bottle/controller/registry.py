"""Which bottles there are, and what becomes of each: pure bookkeeping, no I/O.

    (none) --register--> LAUNCHING --born--> RUNNING --finished--> (none)
               |            |  ^                |
               |            |  '--not born------'        launcher gone, from any: REAPING --reaped--> (none)
               '--adopt--> RUNNING

* A bottle has one launcher (the connection that named it) and at most one sidecar of each kind.
* It is RUNNING when the first of them is; one that has ended is not made anew in the same launch.
* A launch that failed stays LAUNCHING until its launcher says that it has finished, or is gone.
* While a bottle is REAPING its name can't be launched.
"""

from __future__ import annotations

import enum
from collections.abc import Collection
from dataclasses import dataclass, field

from bot_bottle.controller.records import Recorded
from bot_bottle.ipc.sidecar import KindName


class State(enum.Enum):
    LAUNCHING = "launching"
    RUNNING = "running"
    REAPING = "reaping"


@dataclass(eq=False)
class Sidecar:
    """One process beside a bottle. Descriptors are the daemon's to close; -1 where there is none."""

    kind: KindName
    ordered: bool = False
    """it was asked for and the answer is not there yet"""
    pidfd: int = -1
    recorded: Recorded | None = None
    """what is on disk about it"""
    link: int = -1
    link_packets: int = 0


@dataclass(eq=False)
class Launch:
    """One bottle."""

    bottle: str
    connection: int | None
    """the launcher's, by its number; None when it is gone"""
    state: State = State.LAUNCHING
    sidecars: dict[KindName, Sidecar] = field(default_factory=dict)
    """also those that have ended"""
    deadline: float | None = None
    """finished: when sidecars that have not ended are killed"""

    @property
    def ordered(self) -> bool:
        """Whether a sidecar was asked for and the answer is not there yet."""
        return any(sidecar.ordered for sidecar in self.sidecars.values())

    @property
    def alive(self) -> list[Sidecar]:
        """The sidecars that run."""
        return [sidecar for sidecar in self.sidecars.values() if sidecar.pidfd >= 0]


class Registry:
    """Bottles by name, and by their launcher's connection."""

    def __init__(self) -> None:
        self._launches: dict[str, Launch] = {}

    def __len__(self) -> int:
        return len(self._launches)

    def launches(self) -> list[Launch]:
        return list(self._launches.values())

    def bottles(self) -> tuple[str, ...]:
        """Names of what is not ending, sorted."""
        alive = (State.LAUNCHING, State.RUNNING)
        return tuple(sorted(launch.bottle for launch in self.launches() if launch.state in alive))

    def get(self, bottle: str) -> Launch | None:
        return self._launches.get(bottle)

    def of(self, connection: int) -> Launch | None:
        """The bottle that *connection* stands for."""
        for launch in self._launches.values():
            if launch.connection == connection:
                return launch
        return None

    def register(self, bottle: str, connection: int, kinds: Collection[KindName]) -> Launch | str:
        """The launch that is to have sidecars of *kinds*: a new one, or one that has none of them; else why
        not."""
        launch = self._launches.get(bottle)
        own = self.of(connection)
        if own is not None and own.bottle != bottle:
            return f"this connection stands for bottle {own.bottle!r}: open another one"
        if launch is None:
            launch = self._launches[bottle] = Launch(bottle, connection)
            return launch
        if launch.state is State.REAPING:
            return f"what an earlier launch of {bottle!r} left is being removed: try again in a moment"
        if launch.connection != connection or not launch.sidecars.keys().isdisjoint(kinds):
            return f"bottle {bottle!r} is running already: choose another label"
        return launch

    def remove(self, launch: Launch) -> None:
        self._launches.pop(launch.bottle, None)
