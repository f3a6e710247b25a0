"""Makes what judges pushes, of what the host gave a gate. Nothing is served when a part of it is missing."""

from __future__ import annotations

import shutil
from pathlib import Path

from bot_bottle.dlp.scan import Engine
from bot_bottle.dlp.views import find
from bot_bottle.ipc.sidecar import SidecarSecrets, SidecarSpec
from bot_bottle.sidecar import view
from bot_bottle.sidecar.asked import AskedFiles
from bot_bottle.sidecar.gate import leaks
from bot_bottle.sidecar.gate.asking import GateQuestions
from bot_bottle.sidecar.gate.confined import Confinement
from bot_bottle.sidecar.gate.looker import Looker
from bot_bottle.sidecar.gate.pushes import PushJudge
from bot_bottle.sidecar.gate.searched import Searched
from bot_bottle.sidecar.gate.upstream import Upstreams
from bot_bottle.sidecar.proxy.arming import make_engine
from bot_bottle.sidecar.proxy.log import EventLog


async def judge(
    spec: SidecarSpec,
    given: SidecarSecrets,
    confinement: Confinement,
    upstreams: Upstreams,
    events: EventLog,
    *,
    told: Path,
    run: Path,
    work: Path,
) -> PushJudge:
    """*told*: where the host's answers are; *run*: the gate's own directory; *work*: memory of its own.

    Raises BotBottleError when something is missing, and OSError.
    """
    assert spec.gate is not None
    scratch = run / "judged"
    shutil.rmtree(scratch, ignore_errors=True)  # of a gate that was killed
    scratch.mkdir(mode=0o700)
    searched = Searched(given)
    known = searched.secrets()
    for warning in known.warnings:
        events.note("git_not_searched", reason=warning)
    inside = Path(view.GITLEAKS)  # where a gate's view has it
    binary = inside if inside.exists() else Path(spec.gate.gitleaks)
    gitleaks = await leaks.find(confinement, binary, work)
    events.note(
        "git_scanners",
        gitleaks=gitleaks.version,
        gitleaks_sha256=gitleaks.digest,
        rules_sha256=gitleaks.rules,
        rules_complete=gitleaks.is_complete,
    )
    questions = None
    if spec.supervise:
        asked = AskedFiles(run, told, spec.launch or spec.nonce)
        questions = GateQuestions(asked, bottle=spec.bottle, timeout_s=spec.gate.ask_timeout_s)
    looker = Looker(make_engine(known), searched)  # of the patterns that the parent of all sidecars has made
    await looker.run(_prepare, looker.engine)
    return PushJudge(confinement, upstreams, looker, gitleaks, questions, events, scratch=scratch)


def _prepare(engine: Engine) -> None:
    """Databases are made when they are first asked: here, not in the first push."""
    find.prepare()
    engine.scan(b"any text")
