"""A push goes only if every stage has its fact and none objects; the table of `decide`, and every combination."""

from __future__ import annotations

import itertools

import pytest
from gate_support import NONE, A, B, C
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot_bottle.gitgate.config import Lfs, RepoPolicy
from bot_bottle.gitgate.decide import Ask, Facts, Push, Refuse, before_scan, decide, rejected
from bot_bottle.gitgate.findings import NAMED, GateFinding, Place, Scanner
from bot_bottle.gitgate.lfs import Pointer
from bot_bottle.gitgate.refs import RefUpdate
from bot_bottle.gitgate.report import MAX_ASKED
from bot_bottle.gitgate.survey import Touch, Touched

MAIN = RefUpdate("refs/heads/main", A, B)
NEW = RefUpdate("refs/heads/new", NONE, B)
BOTH = frozenset(Scanner)
GOOD = Facts(
    upstream={"refs/heads/main": A},
    atomic=True,
    descends={"refs/heads/main": True},
    pack_bytes=1000,
    touched=Touched(),
    pointers=(),
    findings=(),
    scanned=BOTH,
    supervised=True,
)
HARD = GateFinding(rule="a-token", scanner=Scanner.DLP, place=Place.FILE, file="src/a.py", line=12, commit=C)
MARKED = replace(HARD, rule="b-token", scanner=Scanner.GITLEAKS, suppressed=True, text="k = ********")
CLOSED = replace(HARD, rule="undecoded zip", file="x.zip", line=None, undecoded=True)
KNOWN = replace(HARD, rule="THE_KEY", known=True)
DENIED = Touch("secret/x", "changed", "matches 'secret/' of deny_paths", C)
ASKED = Touch(".github/workflows/x.yml", "added", "GitHub Actions runs it (/.github/workflows/)", C)
POINTER = Pointer("d" * 40, "big.bin", C)


def judged(*, policy=None, updates=(MAIN,), **changes):
    return decide("repo", policy or RepoPolicy(), updates, replace(GOOD, **changes))


def test_what_nobody_objects_to_goes_with_its_object_ids():
    assert judged() == Push((MAIN,))
    assert judged(updates=(MAIN, NEW)) == Push((MAIN, NEW))


def test_a_push_of_which_nothing_is_known_is_refused():
    assert isinstance(decide("repo", RepoPolicy(), (MAIN,), Facts()), Refuse)
    assert isinstance(decide("repo", RepoPolicy(), (), GOOD), Refuse)


@pytest.mark.parametrize(
    "missing",
    [
        {"upstream": None},
        {"descends": {}},
        {"pack_bytes": None},
        {"touched": None},
        {"pointers": None},
        {"findings": None},
        {"scanned": frozenset()},
        {"scanned": frozenset({Scanner.DLP})},
        {"scanned": frozenset({Scanner.GITLEAKS})},
        {"findings": None, "scanned": frozenset()},
    ],
    ids=str,
)
def test_each_fact_that_is_missing_refuses(missing):
    """Also where there would be something to ask."""
    for more in ({}, {"findings": (MARKED,)}, {"touched": Touched(asked=(ASKED,))}):
        assert isinstance(judged(**{**more, **missing}), Refuse)


STAGES = [
    ("refs", {"policy": RepoPolicy(deny_refs=("refs/heads/main",))}, "refs/heads/main: matches"),
    ("fresh", {"upstream": {"refs/heads/main": C}}, "upstream has moved it"),
    ("force", {"descends": {"refs/heads/main": False}}, "not a fast-forward"),
    ("size", {"pack_bytes": 2**40}, "max_pack"),
    (
        "paths",
        {"touched": Touched(denied=(DENIED,))},
        "secret/x (changed, commit cccccccccccc): matches 'secret/'",
    ),
    ("lfs", {"pointers": (POINTER,)}, "big.bin: a pointer of Git LFS"),
    ("secrets", {"findings": (HARD,)}, "src/a.py:12: a-token (dlp), commit cccccccccccc"),
]


@pytest.mark.parametrize(("name", "changes", "says"), STAGES, ids=[stage[0] for stage in STAGES])
def test_each_stage_refuses_by_itself_with_its_reason(name, changes, says):
    result = judged(**changes)
    assert isinstance(result, Refuse)
    assert any(says in line for line in result.lines), result.lines


@pytest.mark.parametrize(("first", "second"), [*itertools.combinations(range(len(STAGES)), 2)])
def test_the_earlier_stage_gives_the_reason(first, second):
    changes = {**STAGES[second][1], **STAGES[first][1]}
    if "upstream" in changes and STAGES[second][0] == "fresh":
        changes["upstream"] = STAGES[second][1]["upstream"]
    result = judged(**changes)
    assert STAGES[first][2] in " ".join(result.lines)
    assert STAGES[second][2] not in " ".join(result.lines)


@pytest.mark.parametrize(("name", "changes", "says"), STAGES, ids=[stage[0] for stage in STAGES])
def test_no_question_opens_what_a_stage_refuses(name, changes, says):
    """Whatever could be asked besides."""
    touched = changes.get("touched", Touched())
    more = {
        "touched": Touched(denied=touched.denied, asked=(ASKED,)),
        "findings": (*changes.get("findings", ()), MARKED),
    }
    assert isinstance(judged(**{**changes, **more}), Refuse)


def test_before_the_scan_the_same_stages_refuse_the_same():
    for name, changes, _ in STAGES:
        facts = {key: value for key, value in changes.items() if key != "policy"}
        early = before_scan(changes.get("policy", RepoPolicy()), (MAIN,), replace(GOOD, **facts))
        assert (early is not None) == (name in ("refs", "fresh", "force", "size"))
        if early is not None:
            assert early == judged(**changes)


def test_the_policy_opens_what_it_names():
    forced = RepoPolicy(allow_force=True)
    assert judged(policy=forced, descends={}) == Push((MAIN,))
    assert judged(policy=RepoPolicy(lfs=Lfs.POINTERS), pointers=(POINTER,)) == Push((MAIN,))
    gone = RefUpdate("refs/heads/main", A, NONE)
    assert isinstance(judged(updates=(gone,)), Refuse)
    assert judged(policy=RepoPolicy(allow_delete=True), updates=(gone,)) == Push((gone,))


@pytest.mark.parametrize(
    ("update", "upstream", "fresh"),
    [
        (NEW, {}, True),
        (NEW, {"refs/heads/new": A}, False),
        (MAIN, {"refs/heads/main": A}, True),
        (MAIN, {"refs/heads/main": C}, False),
        (MAIN, {}, False),
    ],
)
def test_what_upstream_has_otherwise_is_not_overwritten(update, upstream, fresh):
    """Also where force is allowed: the pusher has not seen it."""
    policy = RepoPolicy(allow_force=True)
    assert isinstance(judged(policy=policy, updates=(update,), upstream=upstream), Push if fresh else Refuse)


def test_several_refs_need_an_atomic_upstream():
    assert isinstance(judged(updates=(MAIN, NEW), atomic=False), Refuse)
    assert judged(atomic=False) == Push((MAIN,))


def test_every_finding_of_a_push_is_named():
    findings = tuple(replace(HARD, rule=f"rule-{number}", line=number) for number in range(1, NAMED + 1))
    lines = judged(findings=findings).lines
    assert sum("rule-" in line for line in lines) == NAMED
    more = judged(findings=(*findings, HARD), unlisted=7).lines
    assert "  and 8 more" in more and f"{NAMED + 8} findings:" in more


# -- questions
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"findings": (MARKED,)},
            ("src/a.py:12: b-token (gitleaks), commit cccccccccccc, marked", "k = ********"),
        ),
        ({"findings": (CLOSED,)}, ("x.zip: undecoded zip", "can't be unpacked")),
        (
            {"touched": Touched(asked=(ASKED,))},
            (".github/workflows/x.yml (added, commit", "GitHub Actions runs it"),
        ),
    ],
)
def test_what_needs_the_operator_is_asked_with_everything_in_the_report(changes, says):
    result = judged(**changes)
    assert isinstance(result, Ask) and result.push == Push((MAIN,))
    for text in (*says, f"refs/heads/main  {A}..{B}", "push to repo:"):
        assert text in result.report
    assert result.lines


def test_without_supervision_what_would_be_asked_is_refused():
    result = judged(findings=(MARKED,), supervised=False)
    assert isinstance(result, Refuse) and "no supervision" in result.lines[-1]


def test_a_no_is_told_with_what_was_asked():
    ask = judged(findings=(MARKED,))
    assert rejected(ask, "the operator says no").lines == (*ask.lines, "the operator says no")


@pytest.mark.parametrize("finding", [KNOWN, replace(KNOWN, suppressed=True), replace(KNOWN, undecoded=True)])
def test_a_secret_of_the_bottle_is_never_asked_about(finding):
    result = judged(findings=(MARKED, finding))
    assert isinstance(result, Refuse)
    assert any("can't be let through by anyone" in line for line in result.lines)


def test_more_than_anybody_reads_is_not_asked():
    many = tuple(replace(MARKED, line=number) for number in range(MAX_ASKED))
    assert isinstance(judged(findings=many), Ask)
    assert isinstance(judged(findings=many, touched=Touched(asked=(ASKED,))), Refuse)
    assert isinstance(judged(touched=Touched(asked=(ASKED,), unlisted=1)), Refuse)
    assert isinstance(judged(findings=(MARKED,), unlisted=1), Refuse)


def test_deleted_and_new_refs_are_told_as_such():
    gone = RefUpdate("refs/heads/main", A, NONE)
    policy = RepoPolicy(allow_delete=True)
    result = judged(policy=policy, updates=(gone, NEW), findings=(MARKED,))
    assert f"refs/heads/main  {A} deleted" in result.report and f"refs/heads/new  new at {B}" in result.report


# -- every combination
@given(
    st.fixed_dictionaries(
        {
            "upstream": st.sampled_from([None, {}, {"refs/heads/main": A}, {"refs/heads/main": C}]),
            "atomic": st.booleans(),
            "descends": st.sampled_from([{}, {"refs/heads/main": True}, {"refs/heads/main": False}]),
            "pack_bytes": st.sampled_from([None, 0, 10**9]),
            "touched": st.sampled_from(
                [None, Touched(), Touched((DENIED,)), Touched((), (ASKED,)), Touched((), (), 1)]
            ),
            "pointers": st.sampled_from([None, (), (POINTER,)]),
            "findings": st.none() | st.lists(st.sampled_from([HARD, MARKED, CLOSED, KNOWN])).map(tuple),
            "unlisted": st.sampled_from([0, 1]),
            "scanned": st.frozensets(st.sampled_from(Scanner)),
            "supervised": st.booleans(),
        }
    ),
    st.sampled_from([RepoPolicy(), RepoPolicy(allow_force=True, lfs=Lfs.POINTERS)]),
    st.sampled_from([(MAIN,), (NEW,), (MAIN, NEW), ()]),
)
def test_it_goes_exactly_if_nothing_objects(fields, policy, updates):
    """By a second way of saying what `decide` says."""
    f = Facts(**fields)
    fine = (
        bool(updates) and f.upstream is not None and f.pack_bytes == 0 and (f.atomic or len(updates) == 1)
        and all((f.upstream or {}).get(update.ref, NONE) == update.old for update in updates)
        and (policy.allow_force or MAIN not in updates or f.descends.get(MAIN.ref) is True)
        and f.touched is not None and not f.touched.denied and f.pointers is not None
        and (not f.pointers or policy.lfs is Lfs.POINTERS)
        and f.scanned == BOTH and f.findings is not None and not f.unlisted
        and all(finding in (MARKED, CLOSED) for finding in f.findings)
    )  # fmt: skip
    result = decide("repo", policy, updates, f)
    if not fine:
        assert isinstance(result, Refuse)
    elif not f.findings and not f.touched.asked and not f.touched.unlisted:
        assert result == Push(updates)
    else:
        assert isinstance(result, Ask if f.supervised and not f.touched.unlisted else Refuse)
    if isinstance(result, Refuse | Ask):
        assert result.lines and all(line.isprintable() for line in result.lines)
