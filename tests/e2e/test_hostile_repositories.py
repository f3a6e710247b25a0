"""The corpus is what it says: its good parts are what git makes, its bad ones are what git, unasked, lets through."""

from __future__ import annotations

import base64
import subprocess

import pytest
from git_ground import ground
from git_probe import push
from hostile_objects import blob, commit, copies, pack, tag, tree
from hostile_repositories import corpus

EVERYWHERE = "touch /nonexistent/canary"


@pytest.mark.slow
def test_each_name_is_there_once_and_it_is_the_same_on_every_run() -> None:
    """Verdicts are read by name."""
    first, second = list(corpus(EVERYWHERE)), list(corpus(EVERYWHERE))
    assert len({one.name for one in first}) == len(first) > 130
    assert [one.sent for one in first] == [one.sent for one in second]


def test_well_formed_objects_are_gits(tmp_path) -> None:
    """The same bytes, so the same ids; a pack of them is unpacked by git."""
    data = blob("hello\n")
    root = tree(("100644", "a", data), ("40000", "d", tree(("100755", "x", data))))
    made = commit(root)
    marked = tag(made.oid)
    subprocess.run(["git", "init", "-q", "--bare", "."], cwd=tmp_path, check=True)
    objects = (data, tree(("100755", "x", data)), root, made, marked)
    subprocess.run(["git", "unpack-objects", "-q", "--strict"], cwd=tmp_path, input=pack(objects), check=True)
    done = subprocess.run(
        ["git", "fsck", "--strict", marked.oid], cwd=tmp_path, check=True, capture_output=True
    )
    assert b"error" not in done.stderr
    listed = subprocess.run(
        ["git", "rev-list", "--objects", marked.oid], cwd=tmp_path, capture_output=True, text=True
    )
    assert {line.split()[0] for line in listed.stdout.splitlines()} == {one.oid for one in objects}


def test_a_delta_of_copies_is_as_long_as_it_says() -> None:
    """Its result: the base, that many times."""
    delta = copies(65536, 3)
    assert delta[:6] == b"\x80\x80\x04\x80\x80\x0c" and len(delta) == 6 + 3 * 8


@pytest.mark.slow
def test_a_careless_upstream_takes_most_of_it(tmp_path) -> None:
    """Control: straight to a git without strict checks, by the same probe, nearly all arrives."""
    with ground("token") as found:
        taken = []
        for number, one in enumerate(corpus(EVERYWHERE)):
            repository = found.repository(f"p{number}")
            repository.git("config", "receive.advertisePushOptions", "true")
            order = {
                "url": f"https://127.0.0.1:{found.web.port}/{repository.path.name}",
                "refs": one.refs,
                "pack": base64.b64encode(one.sent).decode(),
                "headers": {"Authorization": "Bearer token"},
                **one.more,
            }
            result = push(order)
            if [line for line in result["report"] if line.startswith("ok ")]:
                taken.append(one.name)
    refused = [one.name for one in corpus(EVERYWHERE) if one.name not in taken]
    assert len(taken) > 75, refused
    for arrives in ("submodule by ext", "a directory '.git'", "two entries of one name", "600 MiB of zeros"):
        assert arrives in taken
