"""What git says is read exactly, however it is cut; anything else is an error, never a shorter list.

Invariants of the parsers: pieces make no difference; no exception but GitOutputError.
"""

from __future__ import annotations

import subprocess

import pytest
from gate_support import NONE, A, B, C
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.gitgate import plan
from bot_bottle.gitgate.changes import ChangeReader, entries
from bot_bottle.gitgate.listing import MAX_LINE_BYTES, BatchReader, Begin, Data, End, GitOutputError, Listing


def listed(data, piece=10_000):
    listing = Listing()
    for at in range(0, len(data), piece):
        listing.feed(data[at : at + piece])
    listing.finish()
    return listing.paths


def batch(data, piece=10_000):
    """Objects with their whole contents."""
    reader, out = BatchReader(), []
    for at in range(0, len(data), piece):
        for event in reader.feed(data[at : at + piece]):
            if isinstance(event, Begin):
                out.append([event.object_id, event.kind, event.size, b"", False])
            elif isinstance(event, Data):
                assert event.data
                out[-1][3] += event.data
            else:
                assert isinstance(event, End)
                out[-1][4] = True
    reader.finish()
    return [tuple(entry) for entry in out]


def changed(data, piece=10_000, commit=""):
    reader, out = ChangeReader(commit), []
    for at in range(0, len(data), piece):
        out += reader.feed(data[at : at + piece])
    reader.finish()
    return out


# -- with git itself
@pytest.fixture(scope="module")
def git(tmp_path_factory):
    """A repository with a merge that brings something of its own, a link, a submodule, odd names, a tag."""
    home = tmp_path_factory.mktemp("listing")
    work = home / "work"
    work.mkdir()
    env = {"PATH": "/usr/bin:/bin", "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"}
    for who in ("AUTHOR", "COMMITTER"):
        env |= {
            f"GIT_{who}_NAME": "a",
            f"GIT_{who}_EMAIL": "a@example.com",
            f"GIT_{who}_DATE": "1700000000 +0000",
        }

    def run(*args, stdin=b""):
        return subprocess.run(
            ["git", *args], cwd=work, env=env, input=stdin, capture_output=True, check=True
        ).stdout

    def commit(message, **files):
        for name, text in files.items():
            (work / name).write_text(text)
        run("add", "-A")
        run("commit", "-q", "-m", message)

    run("init", "-q", "-b", "main")
    commit("one", a="a\n", gone="x\n")
    run("checkout", "-q", "-b", "side")
    (work / "link").symlink_to("a")
    (work / "new\nline").write_text("odd\n")
    (work / "gone").unlink()
    commit("two", side="s\n")
    run("checkout", "-q", "main")
    commit("three", mine="m\n")
    run("merge", "-q", "--no-commit", "side")
    (work / "evil").write_text("e\n")
    run("add", "evil")
    run("update-index", "--add", "--cacheinfo", f"160000,{C},module")
    run("commit", "-q", "-m", "merge")
    run("tag", "-a", "v1", "-m", "tag")
    return run


def ids(git, *names):
    return [git("rev-parse", name).decode().strip() for name in names]


def step(git, made, stdin=None):
    return git(*made.args, stdin=made.stdin if stdin is None else stdin)


@pytest.mark.parametrize("piece", [1, 7, 100_000])
def test_objects_of_a_push_are_listed_and_read(git, piece):
    """All that is reachable and not known, with its content; the tag too."""
    head, tag, one = ids(git, "main", "v1", "main~2")
    paths = listed(step(git, plan.objects([head, tag], [one])), piece)
    assert head in paths and tag in paths and one not in paths
    assert {b"evil", b"link", b"mine", b"side", b"new"} <= set(paths.values())
    objects = batch(step(git, plan.batch(), "".join(f"{i}\n" for i in paths).encode()), piece)
    assert [entry[0] for entry in objects] == list(paths)
    assert all(len(content) == size and ended for _, _, size, content, ended in objects)
    assert {kind for _, kind, *_ in objects} == {"commit", "tree", "blob", "tag"}
    assert {content for _, kind, _, content, _ in objects if kind == "blob"} == {
        b"e\n",
        b"a",
        b"m\n",
        b"s\n",
        b"odd\n",
    }


@pytest.mark.parametrize("piece", [1, 50, 100_000])
def test_changes_of_commits_are_named_once_where_they_are_made(git, piece):
    commits = git("rev-list", "main")
    found = changed(step(git, plan.changes(), commits), piece)
    merge, three, two, one = ids(git, "main", "main~1", "side", "main~2")
    assert {(c.path, c.commit, c.new_mode, c.old_modes) for c in found} == {
        (b"evil", merge, 0o100644, (0, 0)),
        (b"module", merge, 0o160000, (0, 0)),
        (b"mine", three, 0o100644, (0,)),
        (b"side", two, 0o100644, (0,)),
        (b"link", two, 0o120000, (0,)),
        (b"new\nline", two, 0o100644, (0,)),
        (b"gone", two, 0, (0o100644,)),
        (b"a", one, 0o100644, (0,)),
        (b"gone", one, 0o100644, (0,)),
    }
    assert [c.gone for c in found if c.path == b"gone"] == [True, False]


def test_what_a_ref_changes_as_a_whole_and_what_is_upstream(git):
    one, head = ids(git, "main~2", "main")
    found = changed(step(git, plan.tip_changes(one, head)), commit=head)
    assert {c.path for c in found} == {b"evil", b"module", b"mine", b"side", b"link", b"new\nline", b"gone"}
    there = entries(step(git, plan.entries(head)))
    assert there[b"module"] == (0o160000, C)
    assert all(c.gone or there[c.path] == (c.new_mode, c.new) for c in found)


def test_descent_and_types(git):
    one, head = ids(git, "main~2", "main")
    assert step(git, plan.descends(one, head)) == b""
    with pytest.raises(subprocess.CalledProcessError) as failed:
        step(git, plan.descends(head, one))
    assert failed.value.returncode == 1
    assert step(git, plan.types([head])).startswith(f"{head} commit ".encode())
    with pytest.raises(GitOutputError):
        batch(step(git, plan.batch(), f"{A}\n".encode()))


@pytest.mark.parametrize("bad", ["HEAD", "--all", "", A[:-1], "refs/heads/main", f"{A}\n--all", A.upper()])
def test_nothing_but_object_ids_is_handed_to_git(bad):
    for made in (
        lambda: plan.objects([bad], []),
        lambda: plan.objects([A], [bad]),
        lambda: plan.types([bad]),
        lambda: plan.descends(A, bad),
        lambda: plan.tip_changes(bad, A),
        lambda: plan.entries(bad),
    ):
        with pytest.raises(plan.PlanError):
            made()


def test_gitleaks_heeds_marks_only_in_its_second_run():
    first, second = (
        plan.gitleaks("/g", "/r", "-m", config="/c", ignore="/i", report="-", allow=allow)
        for allow in (False, True)
    )
    assert "--ignore-gitleaks-allow" in first and "--ignore-gitleaks-allow" not in second
    assert "--redact=100" in first and first[-2:] == ("-m", "/r")


# -- anything else
@pytest.mark.parametrize(
    "data",
    [b"x\n", f"{A}".encode(), f"{A[:-1]}\n".encode(), f"{A.upper()}\n".encode(), f"-{A}\n".encode(), b"\n",
     f"{A}\tx\n".encode(),
     f"{A} ".encode() + b"x" * MAX_LINE_BYTES + b"\n", f"{A} ".encode() + b"x" * MAX_LINE_BYTES],
)  # fmt: skip
def test_a_listing_that_is_none(data):
    with pytest.raises(GitOutputError):
        listed(data)


@pytest.mark.parametrize(
    "data",
    [
        f"{A} missing\n".encode(), f"{A} ambiguous\n".encode(), f"{A} blob 5\nabc".encode(),
        f"{A} blob 3\nabcd\n".encode(),
        f"{A} blob 3\nabc".encode(), f"{A} blob -1\n\n".encode(), f"{A} blob 3".encode(),
        f"{A} thing 3\nabc\n".encode(),
        f"{A[:-1]} blob 3\nabc\n".encode(), b"x" * 200, f"{A} blob {'9' * 16}\n".encode(), b"\n",
        f"{A} blob \xb2\n\n".encode(),
    ],
)  # fmt: skip
def test_a_batch_that_is_none(data):
    with pytest.raises(GitOutputError):
        batch(data)


def test_an_empty_object_has_a_beginning_and_an_end():
    assert batch(f"{A} blob 0\n\n{B} tree 0\n\n".encode(), 1) == [
        (A, "blob", 0, b"", True),
        (B, "tree", 0, b"", True),
    ]


@pytest.mark.parametrize(
    "data",
    [
        f":100644 100644 {A} {B} M\0x\0".encode(),  # of no commit
        f"{A}\0:100644 100644 {A} {B} M\0".encode(),
        f"{A}\0:100644 100644 {A} {B} M\0\0".encode(),
        f"{A}\0:100644 {A} {B} M\0x\0".encode(),
        f"{A}\0:100648 100644 {A} {B} M\0x\0".encode(),
        f"{A}\0:100644 100644 {A} {B[:-1]} M\0x\0".encode(),
        f"{A}\0::100644 100644 {A} {B} M\0x\0".encode(),
        f"{A}\0x\0".encode(),
        f"{A}".encode(),
        f"{A}\0:100644 100644 {A} {NONE} D\0".encode() + b"x" * (MAX_LINE_BYTES + 1),
    ],
)
def test_changes_that_are_none(data):
    with pytest.raises(GitOutputError):
        changed(data)


@pytest.mark.parametrize(
    "data", [b"x", b"x\0", f"100644 blob {A}\0".encode(), f"100644 blob {A}\t\0".encode(), f"1 blob {A}\tx\0".encode(),
             f"100644 blob {A[1:]}\tx\0".encode(), f"100644 blob {A}\tx".encode()]
)  # fmt: skip
def test_files_of_a_commit_that_are_none(data):
    with pytest.raises(GitOutputError):
        entries(data)


@given(st.binary(max_size=200), st.integers(1, 9))
def test_pieces_make_no_difference(data, piece):
    """Also after a sound beginning."""
    heads = (b"", f"{A} blob 7\n".encode(), f"{A}\0:100644 100644 {A} {B} M\0".encode())
    for read in (listed, batch, changed):
        for head in heads:
            whole, cut = outcome(read, head + data, 10_000), outcome(read, head + data, piece)
            assert whole == cut


def outcome(read, data, piece):
    try:
        return read(data, piece)
    except GitOutputError:
        return GitOutputError
