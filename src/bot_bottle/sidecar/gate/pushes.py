"""One push, from its hook's question to the verdict. Whatever goes wrong on the way is a refusal.

::

    hook's message -> quarantine, frozen -> upstream's refs -> rules of refs -> both scanners, rules of files
                   -> decide: refuse | ask, then go or refuse | go -> one atomic push upstream -> verdict

Nothing is kept of a push but the operator's approvals: a gate that is killed at any step leaves either an upstream
that has all of it, or one that has nothing; the mirror takes it from there with its next refresh.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.text import printable
from bot_bottle.gitgate import changes, plan
from bot_bottle.gitgate.config import GateRepo
from bot_bottle.gitgate.decide import Ask, Facts, Push, Refuse, before_scan, decide, rejected
from bot_bottle.gitgate.findings import GateFinding, Place, Scanner, merged, placed
from bot_bottle.gitgate.refs import RefUpdate
from bot_bottle.sidecar.gate import hook, hook_source, leaks, quarantine
from bot_bottle.sidecar.gate.access import UpstreamFailed
from bot_bottle.sidecar.gate.asking import GateQuestions
from bot_bottle.sidecar.gate.commands import Store, Unscanned
from bot_bottle.sidecar.gate.confined import Confinement
from bot_bottle.sidecar.gate.leaks import Gitleaks
from bot_bottle.sidecar.gate.looker import Looker
from bot_bottle.sidecar.gate.progress import Progress
from bot_bottle.sidecar.gate.scanner import Seen, Sight, both, list_objects
from bot_bottle.sidecar.gate.upstream import PushResult, Say

HOOKS = "/hooks"
"""where receive-pack's sandbox has its hook"""
PYTHON = "/usr/bin/python3"
MAX_SCAN_S = 3600.0
"""for the scan of one push"""
MAX_WAITING = 8
"""pushes that wait for the one that is scanned; each holds a pack on the disk"""
_LOGGED = 40
"""findings in one record"""


class Upstream(Protocol):
    """``upstream.Upstreams``"""

    async def push(
        self,
        repo: GateRepo,
        updates: Sequence[RefUpdate],
        *,
        objects: Path,
        alternates: Sequence[Path] = (),
        progress: Say | None = None,
        sha256: bool = False,
    ) -> PushResult: ...


class MirrorLike(Protocol):
    """``mirror.Mirror``"""

    repo: GateRepo
    path: Path
    objects: Path
    refs: Mapping[str, str]
    is_sha256: bool

    async def refresh(self) -> None: ...


class Events(Protocol):
    """``proxy.log.EventLog``"""

    def note(self, event: str, **fields: object) -> None: ...

    def incident(self, event: str, **fields: object) -> None: ...


@dataclass(frozen=True)
class HookSession:
    """What a receive-pack is given (``smart.PushSession``)."""

    fds: tuple[int, ...]
    env: Mapping[str, str]
    files: Mapping[str, bytes]
    readable: tuple[Path, ...] = ()


@dataclass(frozen=True)
class _Verdict:
    accepted: bool
    lines: tuple[str, ...] = ()


@dataclass
class _Scanned:
    """What both scanners say."""

    seen: Seen = field(default_factory=Seen)
    leaks: tuple[GateFinding, ...] = ()


class PushJudge:
    """Of one gate. One push is scanned at a time: two would need twice the memory."""

    def __init__(
        self,
        confinement: Confinement,
        upstreams: Upstream,
        looker: Looker,
        gitleaks: Gitleaks,
        questions: GateQuestions | None,
        events: Events,
        *,
        scratch: Path,
        python: str = PYTHON,
    ) -> None:
        """*questions* None: nobody can be asked. *scratch*: a directory of the gate's, on a disk."""
        self._confinement, self._upstreams, self.looker = confinement, upstreams, looker
        self._gitleaks, self._questions, self._events = gitleaks, questions, events
        self._scratch = scratch
        self._numbers = itertools.count()
        self._turn = asyncio.Semaphore(1)
        self._waiting = 0
        self._files = {
            f"{HOOKS}/pre-receive": hook_source.template(python, HOOKS),
            f"{HOOKS}/{hook_source.NAME}": hook_source.SOURCE,
        }

    @contextlib.asynccontextmanager
    async def session(self, mirror: MirrorLike, repository: Path) -> AsyncIterator[HookSession]:
        """For one receive-pack in *repository*; at its end all that the push still does is ended.

        The hook's end of a socket pair goes in as a descriptor: it also says which push asks.
        """
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        task = asyncio.ensure_future(self._converse(ours, mirror, repository))
        fd = theirs.fileno()
        try:
            yield HookSession((fd,), {hook.DESCRIPTOR: str(fd)}, self._files)
        finally:
            theirs.close()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            ours.close()

    async def _converse(self, sock: socket.socket, mirror: MirrorLike, repository: Path) -> None:
        reader, writer = await asyncio.open_connection(sock=sock)
        try:
            body = await quarantine.receive(reader)
            async with Progress(writer) as progress:
                verdict = await self._verdict(body, mirror, repository, progress)
            for line in verdict.lines:
                progress.line(line)
            writer.write(b"A\n" if verdict.accepted else b"R\n")
            await writer.drain()
        except quarantine.BadHook as error:  # no hook of ours: it gets no answer
            self._events.incident("git_bad_hook", repo=mirror.repo.name, reason=str(error))
        except OSError:
            pass  # the hook has gone
        finally:
            writer.close()

    async def _verdict(
        self, body: bytes, mirror: MirrorLike, repository: Path, progress: Progress
    ) -> _Verdict:
        """Every exception is a refusal, and says in the log what it was."""
        name = mirror.repo.name
        try:
            verdict = await self._judge(body, mirror, repository, progress)
        except UpstreamFailed as error:
            self._events.incident("git_push_failed", repo=name, reason=str(error)[:1000])
            verdict = _refused("upstream could not be asked", *str(error).splitlines()[-20:])
        except BotBottleError as error:
            reason = printable(str(error), limit=500)
            self._events.incident("git_push_refused", repo=name, reason=reason)
            verdict = _refused(reason)
        except TimeoutError:
            self._events.incident("git_push_refused", repo=name, reason="time is up")
            verdict = _refused(f"the push could not be looked at within {MAX_SCAN_S:g} s: push in parts")
        except Exception as error:
            self._events.incident("git_push_refused", repo=name, reason=type(error).__name__)
            verdict = _refused(f"an internal error ({type(error).__name__})")
        return verdict

    async def _judge(self, body: bytes, mirror: MirrorLike, repository: Path, progress: Progress) -> _Verdict:
        message = quarantine.decode(body, repository)
        place = self._scratch / str(next(self._numbers))
        if self._waiting >= MAX_WAITING:
            raise Unscanned("too many pushes at once: push again later")
        self._waiting += 1
        progress.say("waiting for another push to be scanned")
        with quarantine.scratch(place), quarantine.opened(repository, message.quarantine) as pack:
            async with contextlib.AsyncExitStack() as stack:
                try:
                    await stack.enter_async_context(self._turn)
                finally:
                    self._waiting -= 1
                progress.say("reading the push")
                one = _OnePush(self, mirror, message.updates, place, progress)
                decision = await one.decide(pack)
            return await self._act(one, decision)

    async def _act(self, one: _OnePush, decision: Push | Refuse | Ask) -> _Verdict:
        if isinstance(decision, Ask):
            decision = await self._ask(one, decision)
        if isinstance(decision, Refuse):
            lines = [await self.looker.redact(line) for line in decision.lines]
            self._events.incident("git_push_refused", **one.record, reason="; ".join(lines)[:2000])
            return _refused(*lines)
        assert one.store is not None
        one.progress.say("pushing upstream")
        result = await self._upstreams.push(
            one.mirror.repo,
            decision.updates,
            objects=one.store.objects,
            alternates=one.store.alternates,
            progress=one.progress.say,
            sha256=one.mirror.is_sha256,
        )
        kind = "git_pushed" if result.ok else "git_push_refused"
        said = {} if result.ok else {"upstream": "; ".join(result.lines)[:2000]}
        (self._events.note if result.ok else self._events.incident)(kind, **one.record, **said)
        if result.ok:
            return _Verdict(True, result.lines)
        return _Verdict(False, ("upstream refused the push:", *result.lines))

    async def _ask(self, one: _OnePush, ask: Ask) -> Push | Refuse:
        if self._questions is None:
            return rejected(ask, "this needs the operator's yes, and this bottle has no supervision")
        for line in ask.lines:
            one.progress.line(await self.looker.redact(line))
        report = await self.looker.redact(ask.report)
        answer = await self._questions.ask(one.name(ask.push.updates), report, one.progress.say)
        text = await self.looker.redact(answer.text)
        event = "gitleaks_allowed" if answer.approved else "gitleaks_not_allowed"
        self._events.incident(event, **one.record, id=answer.proposal, reason=text)
        if not answer.approved:
            return rejected(ask, text)
        one.progress.line(f"the operator approved it (proposal {answer.proposal})")
        return ask.push

    async def scan(self, one: _OnePush, news: Sequence[str], known: Sequence[str]) -> _Scanned:
        """Both scanners over what *news* bring."""
        assert one.store is not None
        listed = await list_objects(one.store, news, known)
        one.progress.line(f"scanning {len(listed.commits):,} commits, {len(listed.paths):,} objects")
        tips, theirs = await one.tips()
        sight = Sight(one.store, self.looker, listed, one.mirror.repo.policy, one.progress.say)
        work = leaks.Work(one.store, news, known, listed.large)
        seen, found = await both(
            asyncio.ensure_future(_then(sight.look(one.updates, theirs, tips), one.progress)),
            asyncio.ensure_future(
                leaks.scan(self._gitleaks, work, self.looker, one.place / "bare", one.progress.aside)
            ),
        )
        one.record["commits"], one.record["objects"] = len(listed.commits), len(listed.paths)
        return _Scanned(seen, placed(found, seen.places))

    @property
    def confinement(self) -> Confinement:
        return self._confinement

    @property
    def supervised(self) -> bool:
        return self._questions is not None

    @property
    def gitleaks(self) -> Gitleaks:
        return self._gitleaks


class _OnePush:
    """The facts of one push, as they are found out."""

    def __init__(
        self,
        judge: PushJudge,
        mirror: MirrorLike,
        updates: tuple[RefUpdate, ...],
        place: Path,
        progress: Progress,
    ) -> None:
        self._judge, self.mirror, self.updates, self.place = judge, mirror, updates, place
        self.progress = progress
        self.store: Store | None = None
        self.record: dict[str, object] = {
            "repo": mirror.repo.name,
            "gitleaks": judge.gitleaks.version,
            "gitleaks_sha256": judge.gitleaks.digest,
            "rules_sha256": judge.gitleaks.rules,
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
        self.record["refs"] = (await self._judge.looker.redact(refs)).split("\n")
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
            self._judge.confinement, pack, self.place, (mirror.objects,), sha256=mirror.is_sha256
        )
        descends = {} if policy.allow_force else await self._descends(self.store)
        facts = Facts(upstream=upstream, atomic=True, descends=descends, pack_bytes=size)
        refused = before_scan(policy, self.updates, facts)
        if refused is not None:
            return refused
        news = [update.new for update in self.updates if not update.deletes]
        found = await self._judge.scan(self, news, self._known) if news else _Scanned()
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
                supervised=self._judge.supervised,
            ),
        )

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

    async def tips(self) -> tuple[list[RefUpdate], dict[bytes, tuple[int, str]] | None]:
        """Updates from one commit to another, and the files of upstream's own branch."""
        assert self.store is not None
        tips = []
        for update in self.updates:
            if not (update.creates or update.deletes):
                kinds = await self.store.output(plan.types((update.old, update.new)))
                if [line.split(b" ")[1:2] for line in kinds.splitlines()] == [[b"commit"], [b"commit"]]:
                    tips.append(update)
        head = self.mirror.refs.get(_head(self.mirror.path))
        if not tips or head is None:
            return tips, None
        return tips, changes.entries(await self.store.output(plan.entries(head)))


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
    """Without the names of trees that whole paths have told already, with their commit."""
    told = {finding.rule for finding in findings if finding.place is Place.FILE_NAME and finding.commit}
    return tuple(
        finding
        for finding in findings
        if finding.place is not Place.FILE_NAME or finding.commit or finding.rule not in told
    )


def _refused(*lines: str) -> _Verdict:
    return _Verdict(False, ("refused:", *lines))
