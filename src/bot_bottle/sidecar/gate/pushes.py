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
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.text import printable
from bot_bottle.gitgate.decide import Ask, Push, Refuse, rejected
from bot_bottle.sidecar.gate import hook, hook_source, quarantine
from bot_bottle.sidecar.gate.access import UpstreamFailed
from bot_bottle.sidecar.gate.asking import GateQuestions
from bot_bottle.sidecar.gate.commands import Unscanned
from bot_bottle.sidecar.gate.confined import Confinement
from bot_bottle.sidecar.gate.facts import MAX_SCAN_S, CutOff, OnePush, Tools
from bot_bottle.sidecar.gate.leaks import Gitleaks
from bot_bottle.sidecar.gate.looker import Looker
from bot_bottle.sidecar.gate.mirror import Mirror
from bot_bottle.sidecar.gate.progress import Progress
from bot_bottle.sidecar.gate.upstream import Upstreams
from bot_bottle.sidecar.proxy.log import EventLog

HOOKS = "/hooks"
"""where receive-pack's sandbox has its hook"""
PYTHON = "/usr/bin/python3"
MAX_WAITING = 8
"""pushes that wait for the one that is scanned; each holds a pack on the disk"""


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


class PushJudge:
    """Of one gate. One push is scanned at a time: two would need twice the memory."""

    def __init__(
        self,
        confinement: Confinement,
        upstreams: Upstreams,
        looker: Looker,
        gitleaks: Gitleaks,
        questions: GateQuestions | None,
        events: EventLog,
        *,
        scratch: Path,
        python: str = PYTHON,
    ) -> None:
        """*questions* None: nobody can be asked. *scratch*: a directory of the gate's, on a disk."""
        self._tools = Tools(confinement, looker, gitleaks, questions is not None)
        self._upstreams, self.looker = upstreams, looker
        self._questions, self._events = questions, events
        self._scratch = scratch
        self._numbers = itertools.count()
        self._turn = asyncio.Semaphore(1)
        self._waiting = 0
        self._files = {
            f"{HOOKS}/pre-receive": hook_source.template(python, HOOKS),
            f"{HOOKS}/{hook_source.NAME}": hook_source.SOURCE,
        }

    @contextlib.asynccontextmanager
    async def session(self, mirror: Mirror, repository: Path) -> AsyncIterator[HookSession]:
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

    async def _converse(self, sock: socket.socket, mirror: Mirror, repository: Path) -> None:
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

    async def _verdict(self, body: bytes, mirror: Mirror, repository: Path, progress: Progress) -> _Verdict:
        """Every exception is a refusal, and says in the log what it was."""
        name = mirror.repo.name
        try:
            verdict = await self._judge(body, mirror, repository, progress)
        except UpstreamFailed as error:
            lines = (await self.looker.redact(str(error))).splitlines()[-20:]
            self._events.incident("git_push_failed", repo=name, reason="; ".join(lines)[:1000])
            verdict = _refused("upstream could not be asked", *lines)
        except CutOff as error:
            self._events.incident("git_cut_off", repo=name, reason=str(error), slots=error.names)
            verdict = _refused(str(error))
        except BotBottleError as error:
            reason = await self.looker.redact(printable(str(error), limit=500))  # it may name a ref
            self._events.incident("git_push_refused", repo=name, reason=reason)
            verdict = _refused(reason)
        except TimeoutError:
            self._events.incident("git_push_refused", repo=name, reason="time is up")
            verdict = _refused(f"the push could not be looked at within {MAX_SCAN_S:g} s: push in parts")
        except Exception as error:
            self._events.incident("git_push_refused", repo=name, reason=type(error).__name__)
            verdict = _refused(f"an internal error ({type(error).__name__})")
        return verdict

    async def _judge(self, body: bytes, mirror: Mirror, repository: Path, progress: Progress) -> _Verdict:
        if self.looker.is_cut_off:
            raise CutOff
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
                one = OnePush(self._tools, mirror, message.updates, place, progress)
                decision = await one.decide(pack)
            return await self._act(one, decision)

    async def _act(self, one: OnePush, decision: Push | Refuse | Ask) -> _Verdict:
        approval = ""
        if isinstance(decision, Ask):
            decision, approval = await self._ask(one, decision)
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
            if self._questions is not None:
                self._questions.used(approval)
            return _Verdict(True, result.lines)
        return _Verdict(False, ("upstream refused the push:", *result.lines))

    async def _ask(self, one: OnePush, ask: Ask) -> tuple[Push | Refuse, str]:
        """What becomes of it, and the proposal that was approved."""
        if self._questions is None:
            return rejected(ask, "this needs the operator's yes, and this bottle has no supervision"), ""
        for line in ask.lines:
            one.progress.line(await self.looker.redact(line))
        report = await self.looker.redact(ask.report)
        answer = await self._questions.ask(one.name(ask.push.updates), report, one.progress.now)
        text = await self.looker.redact(answer.text)
        event = "gitleaks_allowed" if answer.approved else "gitleaks_not_allowed"
        self._events.incident(event, **one.record, id=answer.proposal, reason=text)
        if not answer.approved:
            return rejected(ask, text), ""
        one.progress.line(f"the operator approved it (proposal {answer.proposal})")
        return ask.push, answer.proposal


def _refused(*lines: str) -> _Verdict:
    return _Verdict(False, ("refused:", *lines))
