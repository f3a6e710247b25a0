"""The facts of one push, as they are found out, each step before the next one needs it; then the decision."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot_bottle.base.errors import BotBottleError
from bot_bottle.gitgate import changes, plan
from bot_bottle.gitgate.decide import Ask, Facts, Push, Refuse, before_scan, decide
from bot_bottle.gitgate.findings import GateFinding, Place, Scanner, merged, placed
from bot_bottle.gitgate.refs import RefUpdate
from bot_bottle.sidecar.gate import leaks, quarantine
from bot_bottle.sidecar.gate.commands import Store
from bot_bottle.sidecar.gate.confined import Confinement
from bot_bottle.sidecar.gate.leaks import Gitleaks
from bot_bottle.sidecar.gate.looker import Looker
from bot_bottle.sidecar.gate.mirror import Mirror
from bot_bottle.sidecar.gate.progress import Progress
from bot_bottle.sidecar.gate.scanner import Seen, Sight, both, list_objects

MAX_SCAN_S = 3600.0
"""for the scan of one push"""
_LOGGED = 40
"""refs and findings in one record"""


@dataclass(frozen=True)
class Tools:
    """What looks at pushes."""

    confinement: Confinement
    looker: Looker
    gitleaks: Gitleaks
    supervised: bool
    """there may be an operator to ask"""


class CutOff(BotBottleError):
    """Nothing is pushed any more (ruling 54). ``names``: the secrets of which this push brought parts."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        super().__init__("cut off: parts of a credential were pushed")
        self.names = tuple(sorted(names))


@dataclass
class Scanned:
    """What both scanners say."""

    seen: Seen = field(default_factory=Seen)
    leaks: tuple[GateFinding, ...] = ()


class OnePush:
    """The facts of one push, as they are found out."""

    def __init__(
        self,
        tools: Tools,
        mirror: Mirror,
        updates: tuple[RefUpdate, ...],
        place: Path,
        progress: Progress,
    ) -> None:
        self._tools, self.mirror, self.updates, self.place = tools, mirror, updates, place
        self.progress = progress
        self.store: Store | None = None
        self.record: dict[str, object] = {
            "repo": mirror.repo.name,
            "gitleaks": tools.gitleaks.version,
            "gitleaks_sha256": tools.gitleaks.digest,
            "rules_sha256": tools.gitleaks.rules,
        }
        self._known: list[str] = []

    def name(self, updates: Sequence[RefUpdate]) -> str:
        """All that an approval is about."""
        return "\n".join([self.mirror.repo.name, *(f"{u.old} {u.new} {u.ref}" for u in updates)])

    async def decide(self, pack: int | None) -> Push | Refuse | Ask:
        """Raises whatever stands in the way of an answer."""
        async with asyncio.timeout(MAX_SCAN_S):
            return await self._decide(pack)

    async def _decide(self, pack: int | None) -> Push | Refuse | Ask:
        mirror, policy = self.mirror, self.mirror.repo.policy
        refs = "\n".join(f"{u.shown} {u.old[:12]}..{u.new[:12]}" for u in self.updates[:_LOGGED])
        self.record["refs"] = (await self._tools.looker.redact(refs)).split("\n")
        await mirror.refresh()
        upstream = dict(mirror.refs)
        self._known = sorted(set(upstream.values()))
        size = 0 if pack is None else quarantine.size(pack)
        early = Facts(
            upstream=upstream, atomic=True, descends=dict.fromkeys(self._refs(), True), pack_bytes=size
        )
        refused = before_scan(policy, self.updates, early)  # before anything of it is read
        if refused is not None:
            return refused
        self.store = await quarantine.freeze(
            self._tools.confinement, pack, self.place, (mirror.objects,), sha256=mirror.is_sha256
        )
        descends = {} if policy.allow_force else await self._descends(self.store)
        facts = Facts(upstream=upstream, atomic=True, descends=descends, pack_bytes=size)
        refused = before_scan(policy, self.updates, facts)
        if refused is not None:
            return refused
        news = [update.new for update in self.updates if not update.deletes]
        found = await self._scan(self.store, news) if news else Scanned()
        findings = merged((*found.seen.findings, *found.leaks))
        self.record["findings"] = [finding.sentence for finding in findings[:_LOGGED]]
        return decide(
            mirror.repo.name,
            policy,
            self.updates,
            Facts(
                upstream=upstream,
                atomic=True,
                descends=descends,
                pack_bytes=size,
                touched=found.seen.touched,
                pointers=found.seen.pointers,
                findings=_told_once(findings),
                unlisted=found.seen.unlisted,
                scanned=frozenset(Scanner),
                supervised=self._tools.supervised,
            ),
        )

    async def _scan(self, store: Store, news: Sequence[str]) -> Scanned:
        """Both scanners over what *news* bring."""
        listed = await list_objects(store, news, self._known)
        self.progress.line(f"scanning {len(listed.commits):,} commits, {len(listed.paths):,} objects")
        tips, theirs = await self._tips(store)
        sight = Sight(store, self._tools.looker, listed, self.mirror.repo, self.progress.say)
        work = leaks.Work(store, news, self._known, listed.large)
        seen, found = await both(
            asyncio.ensure_future(_then(sight.look(self.updates, theirs, tips), self.progress)),
            asyncio.ensure_future(
                leaks.scan(
                    self._tools.gitleaks, work, self._tools.looker, self.place / "bare", self.progress.aside
                )
            ),
        )
        if seen.parts and self._tools.looker.count_parts(seen.parts):
            raise CutOff(seen.parts)
        found += await leaks.blobs(
            self._tools.gitleaks, store, seen.loose, self._tools.looker, self.progress.aside
        )
        self.progress.aside("")
        self.record["commits"], self.record["objects"] = len(listed.commits), len(listed.paths)
        return Scanned(seen, placed(found, seen.places))

    def _refs(self) -> list[str]:
        return [update.ref for update in self.updates]

    async def _descends(self, store: Store) -> dict[str, bool]:
        """By ref; one that can't be said (what it points at is no commit) is left out, and then it does not."""
        found = {}
        for update in self.updates:
            if not (update.creates or update.deletes):
                status = await store.status(plan.descends(update.old, update.new))
                if status in (0, 1):
                    found[update.ref] = status == 0
        return found

    async def _tips(self, store: Store) -> tuple[list[RefUpdate], dict[bytes, tuple[int, str]] | None]:
        """Updates from one commit to another, and the files of upstream's own branch."""
        tips = []
        for update in self.updates:
            if not (update.creates or update.deletes):
                kinds = await store.output(plan.types((update.old, update.new)))
                if [line.split(b" ")[1:2] for line in kinds.splitlines()] == [[b"commit"], [b"commit"]]:
                    tips.append(update)
        head = self.mirror.refs.get(_head(self.mirror.path))
        if not tips or head is None:
            return tips, None
        return tips, changes.entries(await store.output(plan.entries(head)))


async def _then(look: Coroutine[None, None, Seen], progress: Progress) -> Seen:
    seen = await look
    progress.say("waiting for gitleaks")
    return seen


def _head(mirror: Path) -> str:
    """The branch that upstream's HEAD stands for, as the mirror has it; the mirror is the gate's own."""
    try:
        return (mirror / "HEAD").read_text(encoding="utf-8").strip().removeprefix("ref: ")
    except (OSError, ValueError):
        return ""


def _told_once(findings: tuple[GateFinding, ...]) -> tuple[GateFinding, ...]:
    """Without the names of trees that a whole path has told already, with its commit."""
    names = {
        (finding.rule, name)
        for finding in findings
        if finding.place is Place.FILE_NAME and finding.commit
        for name in finding.file.split("/")
    }
    return tuple(
        finding
        for finding in findings
        if finding.place is not Place.FILE_NAME or finding.commit or (finding.rule, finding.file) not in names
    )
