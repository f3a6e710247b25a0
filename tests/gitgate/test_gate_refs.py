"""A ref passes only if its name is sound, a glob allows it and none denies it; what is refused names ref and rule."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot_bottle.base.text import printable
from bot_bottle.gitgate.config import RepoPolicy
from bot_bottle.gitgate.refs import (
    MAX_REF_BYTES,
    MAX_UPDATES,
    RefsError,
    RefUpdate,
    bad_name,
    check_force,
    check_refs,
    folded,
    holds,
    is_object_id,
    parse_updates,
)

A, B, NONE = "a" * 40, "b" * 40, "0" * 40


def rule_of(ref, policy=None, upstream=None, old=NONE, new=A):
    """The one rule that refuses it, or None."""
    found = check_refs(policy or RepoPolicy(), [RefUpdate(ref, old, new)], upstream or {})
    assert len(found) <= 1
    return found[0].rule if found else None


# -- what the hook reads
def test_lines_of_the_hook_become_updates():
    data = f"{NONE} {A} refs/heads/a\n{A} {NONE} refs/heads/ü\n".encode()
    made, gone = parse_updates(data)
    assert (made.ref, made.creates, made.deletes) == ("refs/heads/a", True, False)
    assert (gone.ref, gone.creates, gone.deletes) == ("refs/heads/ü", False, True)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        f"{NONE} {A} refs/heads/a".encode(),
        b"\n",
        f"{NONE} {A}\n".encode(),
        f"{NONE} {A.upper()} refs/heads/a\n".encode(),
        f"{NONE[:-1]} {A} refs/heads/a\n".encode(),
        f"{NONE} {'a' * 64} refs/heads/a\n".encode(),
        f"{NONE} {A} refs/heads/\xff\n".encode("latin-1"),
        f"{NONE} {A} refs/heads/a\n{NONE} {B} refs/heads/a\n".encode(),
        f"{NONE} {A} refs/heads/a\n".encode() * (MAX_UPDATES + 1),
        b"\xc3\xa9" * 20 + f" {A} refs/heads/a\n".encode(),
    ],
)
def test_anything_else_is_an_error(data):
    with pytest.raises(RefsError):
        parse_updates(data)


@given(st.binary(max_size=300))
@example(f"{A} {A} x\n".encode())
def test_any_bytes_are_updates_or_an_error(data):
    """What was accepted is written back as it was read."""
    try:
        updates = parse_updates(data)
    except RefsError:
        return
    assert "".join(f"{u.old} {u.new} {u.ref}\n" for u in updates).encode() == data


# -- names
BAD = [
    "HEAD", "refs", "refs/", "heads/a", "refs/heads/", "refs//a", "/refs/heads/a", "refs/heads/a/", "a", "", "@",
    "refs/heads/.a", "refs/heads/a.lock", "refs/heads/a.LOCK/b", "refs/heads/a..b", "refs/heads/a.", "refs/heads/a b",
    "refs/heads/a~1", "refs/heads/a^", "refs/heads/a:b", "refs/heads/a?", "refs/heads/a*", "refs/heads/a[1]",
    "refs/heads/a\\b", "refs/heads/a@{1}", "refs/heads/@", "refs/heads/-d", "refs/-x/a", "refs/heads/../../config",
    "refs/heads/a\n", "refs/heads/a\x00b", "refs/heads/\x1b[2Ja", "refs/heads/a\x7f", "refs/heads/a\x85",
    "refs/heads/\u202eevil", "refs/heads/a\u200bb", "refs/heads/\ufeffa", "refs/heads/a\u2028",
    "refs/heads/HEAD", "refs/heads/head", "refs/heads/a/HEAD", "refs/heads/FETCH_HEAD", "refs/tags/ＨＥＡＤ",
    f"refs/heads/{A}", f"refs/tags/{'A' * 64}", "refs/heads/refs/heads/a", "refs/tags/REFS/x",
    "refs/heads/" + "a" * MAX_REF_BYTES, "../x", "refs/../x",
]  # fmt: skip
GOOD = [
    "refs/heads/main", "refs/heads/a/b/c", "refs/tags/v1.0", "refs/heads/x@y", "refs/heads/ünï", "refs/heads/a-b",
    "refs/heads/日本語", "refs/notes/commits", "refs/heads/refs", "refs/heads/a.lock.b", "refs/heads/header",
    "refs/stash",
]  # fmt: skip


@pytest.mark.parametrize("ref", BAD)
def test_names_that_are_refused_whatever_is_allowed(ref):
    assert rule_of(ref, RepoPolicy(allow_refs=("*", ref))) is not None


@pytest.mark.parametrize("ref", GOOD)
def test_names_that_pass(ref):
    assert bad_name(ref) is None


def test_a_name_that_git_refuses_is_refused_here_too():
    """Ours is the stricter one: what `git check-ref-format` does not take is never taken."""
    refs = [
        ref for ref in (*BAD, *GOOD, *(f"refs/heads/a{chr(c)}b" for c in range(1, 128))) if "\0" not in ref
    ]
    for ref in refs:
        taken = subprocess.run(["git", "check-ref-format", ref], check=False).returncode == 0
        assert taken or bad_name(ref) is not None, ref


# -- globs
@pytest.mark.parametrize(
    ("glob", "name", "expected"),
    [
        ("refs/heads/*", "refs/heads/a", True),
        ("refs/heads/*", "refs/heads/a/b", True),
        ("refs/heads/*", "refs/heads/", True),
        ("refs/heads/*", "refs/headsx/a", False),
        ("refs/heads/*", "xrefs/heads/a", False),
        ("refs/heads/**", "refs/heads/a/b", True),
        ("refs/heads/bot/*", "refs/heads/bot", False),
        ("refs/heads/bot/*-x", "refs/heads/bot/a-x", True),
        ("refs/heads/bot/*-x", "refs/heads/bot/a-xy", False),
        ("refs/*/v*", "refs/tags/v1", True),
        ("refs/*/v*", "refs/tags/w1", False),
        ("refs/heads/main", "refs/heads/main", True),
        ("refs/heads/main", "refs/heads/main2", False),
        ("refs/heads/Main", "refs/heads/main", False),
        ("*", "refs/heads/a", True),
        ("a*a", "a", False),
        ("ab*ba", "aba", False),
        ("refs/heads/?", "refs/heads/a", False),
        ("refs/heads/[a]", "refs/heads/a", False),
        ("", "a", False),
    ],
)
def test_globs(glob, name, expected):
    assert holds(glob, name) is expected


@given(st.lists(st.text("ab/"), min_size=1, max_size=5), st.lists(st.text("ab/*"), max_size=5))
def test_a_glob_holds_what_it_was_filled_to(parts, fill):
    """Whatever stands for its stars."""
    fill = (fill + [""] * len(parts))[: len(parts) - 1]
    name = parts[0] + "".join(f + part for f, part in zip(fill, parts[1:], strict=True))
    assert holds("*".join(parts), name)


def _slow(glob, name):
    """By the definition: is there a run for the first star so that the rest holds?"""
    if not glob:
        return not name
    if glob[0] == "*":
        return any(_slow(glob[1:], name[i:]) for i in range(len(name) + 1))
    return name[:1] == glob[0] and _slow(glob[1:], name[1:])


@given(st.text("ab*", max_size=7), st.text("ab", max_size=8))
def test_globs_are_what_their_definition_says(glob, name):
    assert holds(glob, name) is _slow(glob, name)


def test_many_stars_against_a_long_name_end():
    """A matcher that goes back would not."""
    assert holds("a*" * 500 + "b", "a" * MAX_REF_BYTES) is False


# -- a push
def test_only_branches_and_tags_by_default():
    assert rule_of("refs/heads/a/b") is None
    assert rule_of("refs/tags/v1") is None
    assert "allow_refs (refs/heads/*, refs/tags/*)" in rule_of("refs/notes/commits")
    assert "which is empty" in rule_of("refs/heads/a", RepoPolicy(allow_refs=()))


@pytest.mark.parametrize("ref", ["refs/heads/main", "refs/heads/Main", "refs/heads/ｍain"])
def test_deny_wins_whatever_the_case(ref):
    policy = RepoPolicy(deny_refs=("refs/heads/release", "refs/heads/mAin"))
    assert rule_of(ref, policy) == "matches 'refs/heads/mAin' of deny_refs"
    assert rule_of("refs/heads/main2", policy) is None


@pytest.mark.parametrize(
    "ref",
    ["refs/pull/1/head", "refs/merge-requests/1/head", "refs/replace/" + A, "refs/for/main", "refs/PULL/1/x"],
)
def test_what_a_forge_or_git_keeps_must_be_named(ref):
    """`refs/*` does not open it, its own prefix does."""
    ref = ref.replace("/head", "/heads")
    assert rule_of(ref, RepoPolicy(allow_refs=("refs/*", "*"))) is not None


def test_what_a_forge_keeps_can_be_named():
    assert rule_of("refs/for/main", RepoPolicy(allow_refs=("refs/for/*",))) is None


def test_two_names_that_a_file_system_takes_for_one():
    """Against upstream's refs, and within one push; the same name again is no collision, nor is a deletion."""
    assert "only in case" in rule_of("refs/heads/Main", upstream={"refs/heads/main": A})
    assert "only in case" in rule_of("refs/Heads/main", RepoPolicy(allow_refs=("*",)), {"refs/heads/main": A})
    assert rule_of("refs/heads/main", upstream={"refs/heads/main": A}, old=A, new=B) is None
    both = [RefUpdate("refs/heads/straße", NONE, A), RefUpdate("refs/heads/STRASSE", NONE, A)]
    (found,) = check_refs(RepoPolicy(), both, {})
    assert found.what == "refs/heads/STRASSE"
    gone = RepoPolicy(allow_delete=True)
    assert rule_of("refs/heads/Main", gone, {"refs/heads/main": A}, old=A, new=NONE) is None


def test_deleting_needs_leave():
    assert "allow_delete" in rule_of("refs/heads/a", old=A, new=NONE)
    assert rule_of("refs/heads/a", RepoPolicy(allow_delete=True), old=A, new=NONE) is None


@pytest.mark.parametrize(
    ("ref", "old", "new", "descends", "refused"),
    [
        ("refs/heads/a", A, B, True, False),
        ("refs/heads/a", A, B, False, True),
        ("refs/heads/a", A, B, None, True),
        ("refs/heads/a", NONE, B, None, False),
        ("refs/heads/a", A, NONE, None, False),
        ("refs/heads/a", A, A, None, False),
        ("refs/notes/x", A, B, None, True),
        ("refs/tags/v", A, B, True, True),
        ("refs/Tags/v", A, B, True, True),
    ],
)
def test_force_needs_leave(ref, old, new, descends, refused):
    """A missing answer counts as no."""
    facts = {} if descends is None else {ref: descends}
    update = [RefUpdate(ref, old, new)]
    assert bool(check_force(RepoPolicy(), update, facts)) is refused
    assert check_force(RepoPolicy(allow_force=True), update, facts) == ()


@given(st.text(max_size=60))
def test_any_name_is_judged_and_shown_clean(ref):
    """No exception; what is said holds no control characters."""
    rule = rule_of(ref, RepoPolicy(allow_refs=("refs/heads/*",), deny_refs=(ref,)))
    assert rule is not None
    assert printable(rule) == rule
    assert folded(folded(ref)) == folded(ref) or bad_name(ref) is not None


def test_object_ids():
    assert is_object_id(A) and is_object_id("0" * 64)
    assert not any(is_object_id(text) for text in ("", "a" * 39, "g" * 40, "A" * 40, "a" * 50))
