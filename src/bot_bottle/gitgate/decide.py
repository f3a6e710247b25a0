"""Whether a push goes upstream: one decision from its facts. Pure.

What is judged, in this order; the first stage that refuses gives all its reasons, the later ones none:

=============  ===========================================================================  ==================
stage          needs                                                                        else
=============  ===========================================================================  ==================
refs           sound names, ``allow_refs``, ``deny_refs``, no collision, ``allow_delete``   refused
fresh          each ref's old id is what upstream says; several refs: upstream is atomic    refused
force          a descendant, or ``allow_force``                                             refused
size           the pack is within ``max_pack_bytes``                                        refused
paths          nothing of ``deny_paths``, no name that a checkout takes for another         refused
LFS            no pointer, or ``lfs: pointers``                                             refused
secrets        both scanners ran, and found nothing but what is askable                     refused
questions      nothing marked ``gitleaks:allow`` or undecoded, nothing of ``ask_paths``     asked, or refused
=============  ===========================================================================  ==================

A fact that is missing (``None``, a scanner that is not in ``scanned``) refuses: that step failed, or was forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from bot_bottle.gitgate.config import Lfs, RepoPolicy
from bot_bottle.gitgate.findings import NAMED, GateFinding, Scanner, client_lines
from bot_bottle.gitgate.lfs import Pointer
from bot_bottle.gitgate.refs import RefUpdate, check_force, check_refs
from bot_bottle.gitgate.report import MAX_ASKED, report
from bot_bottle.gitgate.survey import Touched

_ZERO = frozenset("0")
_UNSURE = "the gate could not look at all of it, and lets nothing through unseen"


class Facts(Struct, frozen=True, kw_only=True):
    """What was found out about a push. Every default is the one that refuses."""

    upstream: Mapping[str, str] | None = None
    """upstream's refs, name to object id, as it said for this push"""
    atomic: bool = False
    """upstream takes several refs all or none"""
    descends: Mapping[str, bool] = {}
    """by ref: the new id descends from the old one"""
    pack_bytes: int | None = None
    """what the push brought"""
    touched: Touched | None = None
    pointers: tuple[Pointer, ...] | None = None
    findings: tuple[GateFinding, ...] | None = None
    """of all scanners; each with file and commit"""
    unlisted: int = 0
    """how many findings more there are"""
    scanned: frozenset[Scanner] = frozenset()
    """who looked at everything and came to its end"""
    supervised: bool = False
    """there may be an operator to ask"""


class Push(Struct, frozen=True):
    """All refs go upstream, at once, by these object ids."""

    updates: tuple[RefUpdate, ...]


class Refuse(Struct, frozen=True):
    lines: tuple[str, ...]
    """for the client; no secret, no control character"""


class Ask(Struct, frozen=True):
    """It goes if the operator says so."""

    report: str
    """for the operator: everything that the answer is about"""
    lines: tuple[str, ...]
    """for the client: what is asked about"""
    push: Push


Decision = Push | Refuse | Ask


def before_scan(policy: RepoPolicy, updates: Sequence[RefUpdate], facts: Facts) -> Refuse | None:
    """The stages that need no look at the objects: a push that fails here need not be scanned."""
    if not updates:
        return Refuse(("no ref to push",))
    if facts.upstream is None:
        return _unsure("upstream's refs are not known")
    refusals = check_refs(policy, updates, facts.upstream)
    if refusals:
        return Refuse(tuple(refusal.sentence for refusal in refusals))
    stale = _stale(updates, facts.upstream)
    if stale:
        return Refuse((*stale, "fetch, then push again"))
    if len(updates) > 1 and not facts.atomic:
        return Refuse(("upstream can't take several refs all or none: push one at a time",))
    refusals = check_force(policy, updates, facts.descends)
    if refusals:
        return Refuse(tuple(refusal.sentence for refusal in refusals))
    if facts.pack_bytes is None:
        return _unsure("the size of the push is not known")
    if facts.pack_bytes > policy.max_pack_bytes:
        return Refuse((f"{facts.pack_bytes} bytes are more than max_pack allows ({policy.max_pack_bytes})",))
    return None


def decide(name: str, policy: RepoPolicy, updates: Sequence[RefUpdate], facts: Facts) -> Decision:
    """*name*: the repository's. Every exception here is a refusal of the caller's."""
    refused = before_scan(policy, updates, facts) or _content(policy, facts)
    if refused is not None:
        return refused
    assert facts.touched is not None and facts.findings is not None
    push = Push(tuple(updates))
    if not (facts.findings or facts.touched.asked or facts.touched.unlisted):
        return push
    return _question(name, push, facts)


def rejected(ask: Ask, why: str) -> Refuse:
    """What the client reads when the answer was no, or there was none. *why*: fit for a terminal."""
    return Refuse((*ask.lines, why))


def _stale(updates: Sequence[RefUpdate], upstream: Mapping[str, str]) -> list[str]:
    """Refs that upstream has otherwise than the pusher believed."""
    found = []
    for update in updates:
        there = upstream.get(update.ref)
        if (update.old != there) if there is not None else not update.creates:
            found.append(f"{update.shown}: upstream has moved it meanwhile")
    return found


def _content(policy: RepoPolicy, facts: Facts) -> Refuse | None:
    if facts.touched is None:
        return _unsure("which files are changed is not known")
    if facts.touched.denied:
        lines = [touch.sentence for touch in facts.touched.denied]
        return Refuse((*lines[:NAMED], *_rest(len(lines) + facts.touched.unlisted)))
    if facts.pointers is None:
        return _unsure("whether there are pointers of Git LFS is not known")
    if facts.pointers and policy.lfs is not Lfs.POINTERS:
        lines = [f"{p.path or 'object ' + p.object_id[:12]}: a pointer of Git LFS" for p in facts.pointers]
        advice = (
            "what it points at does not go through the gate: commit the file itself (git lfs migrate export)"
        )
        return Refuse((*lines[:NAMED], *_rest(len(lines)), advice))
    return _secrets(facts)


def _secrets(facts: Facts) -> Refuse | None:
    missing = sorted(scanner.value for scanner in Scanner if scanner not in facts.scanned)
    if missing or facts.findings is None:
        return _unsure(f"not looked at by: {', '.join(missing) or 'anyone'}")
    hard = [finding for finding in facts.findings if not finding.askable]
    if hard or facts.unlisted:
        return Refuse(client_lines(facts.findings, facts.unlisted))
    return None


def _question(name: str, push: Push, facts: Facts) -> Decision:
    assert facts.touched is not None and facts.findings is not None
    findings, touched = facts.findings, facts.touched
    lines = [f"{finding.sentence}" for finding in findings] + [touch.sentence for touch in touched.asked]
    shown = (*lines[:NAMED], *_rest(len(lines)))
    if touched.unlisted or len(lines) > MAX_ASKED:
        return Refuse(
            (*shown, f"that is more than can be asked about at once ({MAX_ASKED}): push it in parts")
        )
    if not facts.supervised:
        return Refuse((*shown, "this needs the operator's yes, and this bottle has no supervision"))
    return Ask(report(name, push.updates, findings, touched.asked), shown, push)


def _rest(count: int) -> tuple[str, ...]:
    return (f"and {count - NAMED} more",) if count > NAMED else ()


def _unsure(what: str) -> Refuse:
    return Refuse((what, _UNSURE))
