"""All that the product's own scanner does in a gate: in one thread, one piece after the other (its databases have
scratch space for one). The loop goes on meanwhile: a binary file can take a second for its megabytes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from bot_bottle.dlp.finding import Hit
from bot_bottle.dlp.known import KnownSecrets
from bot_bottle.dlp.pieces import FragmentCount, Pieces
from bot_bottle.dlp.redact import redact_text
from bot_bottle.dlp.scan import Engine, Note
from bot_bottle.gitgate import gitleaks
from bot_bottle.gitgate.gitleaks import Reported
from bot_bottle.ipc.sidecar import SidecarSecrets
from bot_bottle.sidecar.gate.searched import Searched
from bot_bottle.sidecar.proxy.arming import EARLIER, make_engine

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Looker:
    """The engine of one gate; nobody else may use it."""

    def __init__(self, engine: Engine, searched: Searched) -> None:
        self.engine = engine
        self._searched = searched
        self._remember(searched.secrets())
        self.is_cut_off = False
        """the third part of a credential was pushed, which nobody in the bottle can have by chance (ruling 54)"""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="looker")

    async def run(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """The result of *work*, in the scanner's thread; what it raises is raised."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(work, *args, **kwargs))

    async def learn(self, given: SidecarSecrets) -> None:
        """Search for *given* too, from the next push on. Raises ValueError for what is no known value."""
        self._searched.add(given)
        known = self._searched.secrets()
        self.engine = await self.run(make_engine, known)
        self._remember(known)

    def _remember(self, known: KnownSecrets) -> None:
        self._pieces, self._fragments = Pieces(known), FragmentCount(known)

    def note(self, host: str) -> Note:
        """Remembers the pieces of known secrets that go to *host*, over objects and pushes."""
        pieces = self._pieces
        return lambda seen: pieces.note(host, seen, time.monotonic())

    def count_parts(self, names: Iterable[str]) -> bool:
        """Note that a push had parts of these known secrets; whether that is one too many."""
        hits = [Hit(name.partition(EARLIER)[0], 0, 0, "", exact=False) for name in names]
        self.is_cut_off = bool(self._fragments.note(hits)) or self.is_cut_off
        return self.is_cut_off

    async def redact(self, text: str) -> str:
        """*text* without what the scanner finds in it."""
        return await self.run(redact_text, self.engine, text)

    async def report(self, raw: bytes, *, of_file: bool = False) -> tuple[Reported, ...]:
        """A report of gitleaks, redacted again by our own rules. Raises ``gitleaks.ReportError``."""
        return await self.run(gitleaks.parse_report, raw, partial(redact_text, self.engine), of_file=of_file)

    def close(self) -> None:
        """After the last use."""
        self._thread.shutdown(wait=False, cancel_futures=True)
