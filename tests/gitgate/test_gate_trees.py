"""Objects are read strictly, whatever their bytes: an entry per entry of git's, or ObjectError and nothing else."""

from __future__ import annotations

import subprocess

import pytest
from gate_support import PERSON, A, B, commit, tag, tree
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.gitgate.findings import Place
from bot_bottle.gitgate.trees import (
    FILE,
    GITLINK,
    LINK,
    MAX_PARENTS,
    TREE,
    ObjectError,
    parse_commit,
    parse_tag,
    place_in_commit,
    place_in_tag,
    tree_entries,
)


@pytest.mark.parametrize("id_bytes", [20, 32])
def test_entries_of_a_tree(id_bytes):
    data = tree(
        (0o100644, b"a"), (0o120000, b"b c"), (0o40000, b"d\n"), (0o160000, b"\xff"), id_bytes=id_bytes
    )
    found = list(tree_entries(data, id_bytes))
    assert [(e.kind, e.name) for e in found] == [
        (FILE, b"a"),
        (LINK, b"b c"),
        (TREE, b"d\n"),
        (GITLINK, b"\xff"),
    ]
    assert {e.object_id for e in found} == {"11" * id_bytes}
    assert list(tree_entries(b"", id_bytes)) == []


def test_a_tree_that_git_wrote(tmp_path):
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}

    def git(*args, stdin=b""):
        return subprocess.run(
            ["git", *args], cwd=tmp_path, env=env, input=stdin, capture_output=True, check=True
        ).stdout

    git("init", "-q")
    blob = git("hash-object", "-w", "--stdin", stdin=b"x").decode().strip()
    listing = f"100644 blob {blob}\tname\n100755 blob {blob}\texe\n".encode()
    tree_id = git("mktree", stdin=listing).decode().strip()
    found = list(tree_entries(git("cat-file", "tree", tree_id), 20))
    assert [(e.mode, e.name, e.object_id) for e in found] == [
        (0o100755, b"exe", blob),
        (0o100644, b"name", blob),
    ]


ID = b"\x11" * 20


@pytest.mark.parametrize(
    "data",
    [
        b"100644 a\0" + ID[:-1], b"100644 a", b"100644", b"100644 \0" + ID, b"100644 .\0" + ID, b"100644 ..\0" + ID,
        b"100644 a/b\0" + ID, b"100648 a\0" + ID, b"644 a\0" + ID, b"1006440 a\0" + ID, b" a\0" + ID,
        b"-00644 a\0" + ID,
        b"010000 a\0" + ID, b"000000 a\0" + ID, tree((0o100644, b"a")) + b"x",
    ],
)  # fmt: skip
def test_a_tree_that_is_none(data):
    with pytest.raises(ObjectError):
        list(tree_entries(data, 20))


def test_a_commit_and_its_parts():
    data = commit(message="subject\n\nbody\n", extra="x", parents=2)
    parsed = parse_commit(data)
    assert (parsed.tree, parsed.parents) == (A, (B, B))
    assert data[parsed.message_at :] == b"subject\n\nbody\n"
    assert parse_commit(commit(parents=0)).parents == ()
    bare = commit().partition(b"\n\n")[0] + b"\n"
    assert parse_commit(bare).message_at == len(bare)


def test_a_tag_and_its_parts():
    data = tag(name="v1", message="hello\n")
    parsed = parse_tag(data)
    assert (parsed.target, parsed.target_type, parsed.name) == (A, "commit", b"v1")
    assert data[parsed.message_at :] == b"hello\n"
    without = f"object {A}\ntype blob\ntag v1\n\nm\n".encode()
    assert parse_tag(without).message_at == without.index(b"\n\n") + 2


@pytest.mark.parametrize(
    ("read", "data"),
    [
        (parse_commit, b""),
        (parse_commit, f"tree {A[:-1]}\n".encode()),
        (parse_commit, f"tree {A}\nparent x\n".encode()),
        (parse_commit, f"tree {A}\ncommitter {PERSON}\nauthor {PERSON}\n\nm".encode()),
        (parse_commit, f"tree {A}\nauthor {PERSON}\n\nm".encode()),
        (parse_commit, f"tree {A}\nauthor a\0b\ncommitter c\n\n".encode()),
        (parse_commit, commit(parents=MAX_PARENTS + 1)),
        (parse_commit, f"parent {A}\n".encode() + commit()),
        (parse_tag, b""),
        (parse_tag, f"object {A}\ntype thing\ntag x\n\n".encode()),
        (parse_tag, f"object {A}\ntag x\n\n".encode()),
        (parse_tag, commit()),
    ],
)
def test_what_is_none(read, data):
    with pytest.raises(ObjectError):
        read(data)


@pytest.mark.parametrize(
    ("data", "mark", "expected"),
    [
        (commit(message="one\ntwo MARK\n"), b"MARK", (Place.MESSAGE, 2)),
        (commit(author="MARK"), b"MARK", (Place.AUTHOR, None)),
        (commit(committer="MARK"), b"MARK", (Place.COMMITTER, None)),
        (commit(extra="MARK"), b"MARK", (Place.COMMIT, None)),
        (b"MARK", b"MARK", (Place.COMMIT, None)),
    ],
)
def test_where_in_a_commit_something_stands(data, mark, expected):
    assert place_in_commit(data, data.index(mark)) == expected


def test_where_in_a_tag_something_stands():
    data = tag(name="MARK", message="x\n\nEND")
    assert place_in_tag(data, data.index(b"MARK")) == (Place.TAG, None)
    assert place_in_tag(data, data.index(b"END")) == (Place.TAG_MESSAGE, 3)


@given(st.binary(max_size=200), st.integers(0, 250))
def test_any_bytes_are_an_object_or_an_error(data, at):
    for head in (b"", f"tree {A}\n".encode(), commit(), tag(), tree((0o100644, b"a"))):
        for read in (
            lambda d: list(tree_entries(d, 20)),
            lambda d: list(tree_entries(d, 32)),
            parse_commit,
            parse_tag,
        ):
            try:
                read(head + data)
            except ObjectError:
                pass
        assert place_in_commit(head + data, at) and place_in_tag(head + data, at)


@given(
    st.lists(st.tuples(st.sampled_from([0o100644, 0o40000]), st.binary(min_size=1, max_size=9)), max_size=5)
)
def test_what_was_read_is_written_back_equal(entries):
    """Strict: no two readings of the same bytes."""
    data = tree(*entries)
    try:
        found = list(tree_entries(data, 20))
    except ObjectError:
        return
    assert b"".join(b"%o %s\0" % (e.mode, e.name) + bytes.fromhex(e.object_id) for e in found) == data
