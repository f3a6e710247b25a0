"""What the rules say of a push's changes, told once, redacted; where the objects of findings lie; LFS pointers."""

from __future__ import annotations

import hashlib

import pytest
from gate_support import NONE, A, B, C
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.base.text import printable
from bot_bottle.gitgate.changes import Change
from bot_bottle.gitgate.config import RepoPolicy
from bot_bottle.gitgate.findings import (
    MAX_LINE_CHARS,
    GateFinding,
    Place,
    Scanner,
    client_lines,
    merged,
    operator_lines,
    placed,
)
from bot_bottle.gitgate.lfs import MAX_POINTER_BYTES, is_pointer
from bot_bottle.gitgate.survey import MAX_TOUCHES, Survey

POLICY = RepoPolicy(deny_paths=("/secret/",))


def change(path, *, mode=0o100644, old=0, new=B, commit=C):
    return Change(commit, path, mode, (old,), new)


def survey(*changes, policy=POLICY, wanted=(), redact=str):
    out = Survey(policy, wanted, redact=redact)
    for one in changes:
        out.take(one)
    return out


def test_denied_and_asked_files_with_what_was_done_to_them():
    touched = survey(
        change(b"secret/a"),
        change(b"secret/b", old=0o100644),
        change(b"secret/c", mode=0, old=0o100644, new=NONE),
        change(b".github/workflows/x.yml"),
        change(b".github", mode=0o120000),
        change(b".husky", mode=0o160000, old=0o40000),
        change(b".gitmodules", old=0o100644),
        change(b"src/main.py"),
    ).touched
    assert [(t.path, t.how) for t in touched.denied] == [
        ("secret/a", "added"),
        ("secret/b", "changed"),
        ("secret/c", "deleted"),
    ]
    assert [(t.path, t.how) for t in touched.asked] == [
        (".github/workflows/x.yml", "added"),
        (".github", "added as a symbolic link"),
        (".husky", "changed as a submodule"),
        (".gitmodules", "changed"),
    ]
    assert all(t.commit == C and t.sentence.isprintable() for t in (*touched.denied, *touched.asked))


def test_a_rename_is_told_on_both_sides():
    """Without renames git says that one is gone and one is new."""
    touched = survey(change(b"secret/a", mode=0, old=0o100644, new=NONE), change(b"open/a")).touched
    assert [t.how for t in touched.denied] == ["deleted"]


def test_the_same_file_is_told_once_however_many_commits_change_it():
    touched = survey(*(change(b"secret/a", commit=commit) for commit in (C, A, B))).touched
    assert [t.commit for t in touched.denied] == [C]


def test_two_files_that_are_shown_alike_are_two():
    long = b".github/workflows/" + b"x" * 400
    touched = survey(change(long + b"1.yml"), change(long + b"2.yml")).touched
    assert len(touched.asked) == 2


def test_what_is_told_is_bounded_and_the_rest_counted():
    touched = survey(*(change(b"secret/%d" % n) for n in range(MAX_TOUCHES + 5))).touched
    assert (len(touched.denied), touched.unlisted) == (MAX_TOUCHES, 5)


def test_objects_that_are_looked_for_are_placed():
    found = survey(change(b"src/a", new=B), change(b"src/b", new=A), wanted=[B])
    assert found.places == {B: ("src/a", C)}


def test_a_path_is_told_redacted_and_fit_for_a_terminal():
    found = survey(
        change(b"secret/\x1b[2Jtoken\xff"), wanted=[B], redact=lambda text: text.replace("token", "****")
    )
    (touch,) = found.touched.denied
    assert touch.path == found.places[B][0] == "secret/\\x1b[2J****\ufffd"


@pytest.mark.parametrize(
    ("new_mode", "new", "theirs", "told"),
    [
        (0o100644, B, {b".gitmodules": (0o100644, B)}, False),
        (0o100644, B, {b".gitmodules": (0o100644, A)}, True),
        (0o100755, B, {b".gitmodules": (0o100644, B)}, True),
        (0o100644, B, {}, True),
        (0o100644, B, None, True),
        (0, NONE, {}, False),
        (0, NONE, {b".gitmodules": (0o100644, A)}, True),
        (0, NONE, None, True),
    ],
)
def test_what_a_ref_takes_over_from_upstreams_own_branch_is_no_change(new_mode, new, theirs, told):
    """A merge of it brings its workflows along; an older state of them is a change."""
    found = Survey(POLICY, redact=str)
    found.take_tip(change(b".gitmodules", mode=new_mode, old=0o100644, new=new), theirs)
    assert bool(found.touched.asked) is told


# -- findings
def finding(**changes):
    fields = {
        "rule": "a-token",
        "scanner": Scanner.DLP,
        "place": Place.FILE,
        "file": "",
        "object_id": B,
        **changes,
    }
    return GateFinding(**fields)


def test_findings_get_the_file_and_commit_of_their_object():
    """Those of a commit have their own; a name keeps what it is; what is not known stays."""
    found = placed(
        [finding(), finding(object_id=A), finding(commit=A), finding(place=Place.FILE_NAME, file="x-****")],
        {B: ("src/a.py", C)},
    )
    assert [(f.file, f.commit) for f in found] == [("src/a.py", C), ("", ""), ("", A), ("x-****", C)]


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"file": "a.py", "line": 3}, "a.py:3"),
        ({"file": "a.py"}, "a.py"),
        ({}, "object bbbbbbbbbbbb"),
        ({"place": Place.MESSAGE, "line": 2}, "commit message, line 2"),
        ({"place": Place.AUTHOR}, "author"),
        ({"place": Place.REF, "file": "refs/heads/****"}, "ref name refs/heads/****"),
    ],
)
def test_each_place_has_words(changes, where):
    assert finding(**changes).where == where
    assert finding(**changes, commit=C).sentence == f"{where}: a-token (dlp), commit {'c' * 12}"


def test_what_is_the_same_twice_is_told_once_in_the_order_of_files():
    one, two = finding(file="b", line=2), finding(file="b", line=1)
    message = finding(place=Place.MESSAGE)
    assert merged([message, one, two, one]) == (two, one, message)


def test_the_client_reads_what_to_do():
    lines = client_lines([finding(file="a.py", line=3, commit=C)])
    assert lines[:2] == ("1 finding:", f"  a.py:3: a-token (dlp), commit {'c' * 12}")
    text = "\n".join(lines)
    assert "git rebase -i" in text and "gitleaks:allow" in text and "by anyone" not in text
    known = "\n".join(client_lines([finding(known=True)]))
    assert "by anyone" in known and "gitleaks:allow" not in known


def test_the_operator_reads_the_redacted_line():
    lines = operator_lines([finding(file="a.py", text="k = ********\x1b[2J"), finding(file="b.py")])
    assert lines == ["  a.py: a-token (dlp)", "      k = ********\\x1b[2J", "  b.py: a-token (dlp)"]


@given(st.text(), st.text(), st.text())
def test_whatever_stands_in_a_finding_is_one_clean_line(rule, file, text):
    one = finding(rule=rule, file=file, text=text)
    for line in (*client_lines([one]), *operator_lines([one])):
        assert printable(line) == line and len(line) <= 2 * MAX_LINE_CHARS + 10


# -- pointers
OID = hashlib.sha256(b"x").hexdigest()
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize 12345\n"


@pytest.mark.parametrize(
    "text",
    [
        POINTER,
        POINTER.replace("\n", "\r\n"),
        POINTER.rstrip(),
        "\ufeff" + POINTER,
        "\n" + POINTER,
        f"version https://hawser.github.com/spec/v1\noid sha256:{OID}\nsize 1\n",
        f"version http://git-media.io/v/2\noid {OID.upper()}\nsize 1\n",
        f"version https://git-lfs.github.com/spec/v1\next-0-foo sha256:{OID}\noid sha256:{OID}\nsize 0\n",
        f"size 1\noid sha256:{OID}\nversion https://git-lfs.github.com/spec/v2\n",
    ],
)
def test_what_a_client_takes_for_a_pointer_is_one(text):
    assert is_pointer(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "", "version https://git-lfs.github.com/spec/v1\n", f"oid sha256:{OID}\nsize 1\n",
        POINTER.replace("size ", "sizes "),
        POINTER.replace(OID, OID[:-1]), POINTER.replace("https:", "ftp:"), POINTER.replace("12345", "-1"),
        "see " + POINTER, POINTER + "x" * MAX_POINTER_BYTES,
    ],
)  # fmt: skip
def test_what_none_takes_for_a_pointer_is_none(text):
    assert not is_pointer(text.encode())


@given(st.binary(max_size=MAX_POINTER_BYTES))
def test_any_bytes_are_judged(data):
    assert is_pointer(data) in (True, False)
    assert is_pointer(POINTER.encode()[:-1] + b"\n" + data[: MAX_POINTER_BYTES - len(POINTER)]) is True
