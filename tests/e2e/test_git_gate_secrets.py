"""Secrets in a push: forty kinds in every place are refused by name, and what ``gitleaks:allow`` marks is asked."""

from __future__ import annotations

import json
import time

import pytest
from e2e_support import eventually
from git_kinds import MAKE, Kind, kinds
from git_support import Gate, Inside, gate, questions

from bot_bottle.proposals.records import Status, Tool
from bot_bottle.store.proposals import Questions

FILES = ("file", "reverted", "attributes", "suppressed by files", "merge", "base64", "utf-16", "lock file")
WHERE = {
    **dict.fromkeys(FILES, "kinds/{rule}.txt:3"),
    "lock file": "-package-lock.json:3",
    "zip": "kinds/{rule}.zip",
    "gzip": "kinds/{rule}.gz",
    "message": "commit message, line ",
    "tag": "tag message, line ",
    "file name": "file name",
    "branch name": "ref name",
    "author": "author",
    "note": "",
}
"""place of a secret, and how a refusal's line names it"""
QUICK = ("file", "message", "tag")


@pytest.fixture
def at(person):
    with gate(person) as made:
        yield made


def _make(inside: Inside, place: str, *more: str, only: list[Kind] | None = None) -> dict[str, list[str]]:
    """Commits in the bottle's clone ``a``; their ids, and the refs to push."""
    given = json.dumps({kind.rule: kind.secret for kind in only or kinds()})
    words = " ".join(f"'{word}'" for word in (place, *more))
    inside.ok("cat > ~/given.json", given)
    inside.ok("cat > ~/make.py", MAKE)
    made: dict[str, list[str]] = json.loads(inside.ok(f"cd ~/a && python3 ~/make.py {words} < ~/given.json"))
    return made


def _missing(said: str, place: str, commits: list[str], refs: list[str]) -> list[str]:
    """The kinds that no line of a refusal names with their place, rule and commit; and secrets that it shows. The names
    of branches are repeated by the agent's own git, and not every kind can be one."""
    lines = said.splitlines()
    some = kinds()
    if place == "branch name":
        lines = [line for line in lines if line.startswith("remote:")]
        said = "\n".join(lines)
        some = [kind for kind in some if kind.secret in refs]
        assert len(some) > 35
    wrong = []
    for kind in some:
        if kind.secret in said or kind.secret[-10:] in said:
            wrong.append(f"{place}: {kind.rule} is shown")
        where = WHERE[place].replace("{rule}", kind.rule)
        named = [line for line in lines if where in line and kind.rule in line.replace(where, "")]
        if place not in ("tag", "branch name", "file name"):
            named = [line for line in named if any(commit[:12] in line for commit in commits)]
        if not named:
            wrong.append(f"{place}: {kind.rule} is not named")
    return wrong


def _refused(at: Gate, inside: Inside, place: str) -> list[str]:
    made = _make(inside, place)
    before = at.ssh.refs()
    refs = " ".join(f"'{ref}'" for ref in made["refs"])
    done = inside(f"cd ~/a && git push origin {refs}", timeout_s=300)
    assert done.status != 0, (place, done.said)
    assert at.ssh.refs() == before, place
    assert not any(at.ssh.holds(kind.secret.encode()) for kind in kinds()[:3]), place
    found = _missing(done.err, place, made["commits"], made["refs"])
    return [*found, done.err[-3000:]] if found else []


def _all_places(at: Gate, places: tuple[str, ...]) -> None:
    inside = at.start()
    inside.ok(f"git clone -q {at.ssh.ssh} ~/a")
    wrong = []
    for place in places:
        inside.ok(
            "cd ~/a && git checkout -q main && git clean -qfdx"
            " && git branch | grep -v main | xargs -r git branch -qD --"
        )
        wrong += _refused(at, inside, place)
    assert not wrong, "\n".join(wrong)
    at.ssh.git("hash-object", "-w", "--stdin", given=kinds()[0].secret.encode())
    assert at.ssh.holds(kinds()[0].secret.encode())  # the search would have found it


@pytest.mark.slow
def test_forty_kinds(at: Gate) -> None:
    """In files, in a message, in a tag: each named, none shown, nothing upstream."""
    _all_places(at, QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("person", ["self"], indirect=True)
@pytest.mark.load
def test_forty_kinds_in_every_other_place(at: Gate) -> None:
    """Reverted, in a merge, packed, encoded, in names, with files that would silence a scanner."""
    _all_places(at, tuple(place for place in WHERE if place not in QUICK))


@pytest.mark.slow
def test_known_secrets_are_never_asked_about(at: Gate) -> None:
    """The gate's own key and token, in a line that is marked: refused, though an operator is there."""
    at.write_bottle(more="env: {GIVEN: {value: '${GIVEN}', allow_to: [a.example.com]}}\n")
    given = "Zk7-of-the-operators-own-4711-Qx9"
    inside = at.start(env={"GIVEN": given})
    asked = questions(at, inside)
    inside.ok(f"git clone -q {at.ssh.ssh} ~/a")
    asked.renew_lease()
    before = at.ssh.refs()
    for secret in (given, at.env["CODE_TOKEN"], at.ground.ssh.key):
        inside.ok("cat > ~/a/x.txt", f"{secret} # gitleaks:allow\n")
        asked.renew_lease()
        done = inside(
            "cd ~/a && git checkout -q -B x origin/main && git add . && git commit -qm x && git push origin x"
        )
        assert done.status != 0 and at.ssh.refs() == before, done.said
        assert secret not in done.err and "x.txt" in done.err, done.err
    assert asked.pending() == []


# -- marked lines

ANSWERS = ("approved", "rejected", "nobody", "timeout")


@pytest.mark.slow
@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("person", ["self"], indirect=True)
def test_marked_lines_are_asked_about(at: Gate, answer: str) -> None:
    """The push waits and says so; passes on approval, is refused on rejection, on time-out, and with nobody there."""
    inside = at.start(env={"SUPERVISE_GITLEAKS_ALLOW_TIMEOUT_SECONDS": "4" if answer == "timeout" else "120"})
    asked = questions(at, inside)
    inside.ok(f"git clone -q {at.ssh.ssh} ~/a")
    made = _make(inside, "file", "allow")
    if answer != "nobody":
        asked.renew_lease()
    inside.send("cd ~/a && git push origin work 2>&1")
    if answer == "nobody":
        done = inside.result(60)
        assert done.status != 0 and at.ssh.tip("refs/heads/work") is None
        _answered_later(at, inside, asked, made["commits"][0])
        return
    (proposal,) = eventually(lambda: (asked.renew_lease(), asked.pending())[1], "the push asks", 60)
    assert proposal.tool is Tool.GITLEAKS_ALLOW
    text = proposal.proposed_file
    for kind in kinds():
        assert kind.secret not in text
        assert f"kinds/{kind.rule}.txt:3" in text, text
    assert "refs/heads/work" in text and made["commits"][0][:12] in text
    assert at.ssh.tip("refs/heads/work") is None
    for _ in range(24):  # an operator who is there and does nothing
        asked.renew_lease()
        time.sleep(0.25)
    if answer != "timeout":
        asked.claim(proposal.id)
        asked.answer(proposal.id, Status(answer), "made for a test")
    done = inside.result(60)
    assert (done.status == 0) is (answer == "approved"), done.said
    assert at.ssh.tip("refs/heads/work") == (made["commits"][0] if answer == "approved" else None)
    assert "waiting for the operator" in done.out, done.out
    if answer == "rejected":
        assert "made for a test" in done.out, done.out


def _answered_later(at: Gate, inside: Inside, asked: Questions, commit: str) -> None:
    """The question stays; an approval lets the same push pass when it is tried again (ruling 52)."""
    (proposal,) = asked.pending()
    asked.claim(proposal.id)
    asked.answer(proposal.id, Status.APPROVED, "made for a test")
    inside.ok("cd ~/a && git push origin work")
    assert at.ssh.tip("refs/heads/work") == commit


def test_a_mark_does_not_cover_what_is_not_marked(at: Gate) -> None:
    """One line without it: refused, nobody is asked."""
    inside = at.start()
    asked = questions(at, inside)
    inside.ok(f"git clone -q {at.ssh.ssh} ~/a")
    first, second = kinds()[:2]
    inside.ok("cat > ~/a/x.txt", f'a = "{first.secret}" # gitleaks:allow\nb = "{second.secret}"\n')
    asked.renew_lease()
    done = inside("cd ~/a && git add . && git commit -qm x && git push origin HEAD:x")
    assert done.status != 0 and at.ssh.tip("refs/heads/x") is None
    assert "x.txt:2" in done.err and asked.pending() == [], done.err
