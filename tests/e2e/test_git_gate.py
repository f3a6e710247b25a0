"""The git gate in a real bottle, before a real sshd and an HTTPS server: plain git works, the key stays outside."""

from __future__ import annotations

import subprocess

import pytest
from git_ground import HOST, ROOT
from git_support import GATE, TOKEN, Gate, gate


@pytest.fixture
def at(person):
    with gate(person) as made:
        yield made


def test_clone_commit_push_and_fetch(at: Gate) -> None:
    """By SSH and by HTTPS: what is pushed is upstream, what others push is fetched, with the agent's own name."""
    inside = at.start()
    for name, repository, url in (("a", at.ssh, at.ssh.ssh), ("b", at.web, at.web.https)):
        assert inside.ok(f"git clone -q {url} {name} && cat {name}/README.md") == "hello\n"
        said = inside.ok(
            f"cd {name} && echo two >> README.md && git commit -qam 'Say two' && git push -q origin main"
            " && git rev-parse HEAD && git log -1 --format='%an <%ae>'"
        )
        oid, author = said.splitlines()
        assert author == "Agent <agent@example.com>"
        assert repository.tip() == oid
        other = repository.commit({"other.txt": "of somebody else\n"})
        assert inside.ok(f"cd {name} && git pull -q && git rev-parse HEAD && cat other.txt").split("\n")[
            :2
        ] == [
            other,
            "of somebody else",
        ]
    assert {command.split()[0] for _, command in at.ground.ssh.commands} == {
        "git-upload-pack",
        "git-receive-pack",
    }


@pytest.mark.slow
@pytest.mark.parametrize("person", ["self"], indirect=True)
def test_every_version_of_the_protocol_and_every_spelling(at: Gate) -> None:
    """0, 1 and 2; the scp form, ``ssh://`` with a port, without ``.git``; shallow and partial clones too."""
    inside = at.start()
    for version in (0, 1, 2):
        inside.ok(f"git -c protocol.version={version} clone -q {at.ssh.ssh} v{version}")
        inside.ok(
            f"cd v{version} && git commit -q --allow-empty -m v{version}"
            f" && git push -q origin HEAD:refs/heads/v{version}"
        )
        inside.ok(f"cd v{version} && git -c protocol.version={version} fetch -q origin && git fsck --strict")
    path = f"{ROOT}/{at.ssh.path.name}"
    spelt = (
        f"git@{HOST}:{path}",
        f"{HOST}:{path}",
        f"ssh://git@{HOST}:22{path}",
        f"ssh://{HOST}{path}",
        at.ssh.ssh[:-4],
    )
    for url in spelt:
        assert "refs/heads/v2" in inside.ok(f"git ls-remote {url}"), url
    inside.ok(f"git clone -q --depth 1 {at.ssh.ssh} shallow && cd shallow && git fetch -q --unshallow")
    inside.ok(
        f"git clone -q --filter=blob:none {at.ssh.ssh} partial"
        " && cd partial && git checkout -q origin/v1 && cat README.md"
    )
    inside.ok(
        f"git clone -q --mirror {at.ssh.ssh} mirror.git && cd mirror.git && git bundle create -q x.bundle --all"
    )


@pytest.mark.slow
@pytest.mark.parametrize("person", ["self"], indirect=True)
def test_what_a_push_may_do(at: Gate) -> None:
    """Several refs and tags at once, an amended branch refused, a deletion refused, each with the rule's words."""
    inside = at.start()
    inside.ok(f"git clone -q {at.ssh.ssh} a")
    inside.ok(
        "cd a && git commit -q --allow-empty -m one && git tag light && git tag -a heavy -m 'with words'"
        " && git branch one && git branch two && git push -q origin main one two light heavy"
    )
    refs = at.ssh.refs()
    assert {
        "refs/heads/main",
        "refs/heads/one",
        "refs/heads/two",
        "refs/tags/light",
        "refs/tags/heavy",
    } == set(refs)
    for push in (
        "git commit -q --amend --allow-empty -m other && git push -f origin HEAD:main; s=$?;"
        " git reset -q --hard origin/main; exit $s",
        "git push origin :one",
        "git push origin -f light^:refs/tags/light",
        "git push origin main:refs/pull/1/head",
        "git push origin main:refs/changes/1",
        "git push --mirror",
        "git push --atomic origin main:three :two",
    ):
        done = inside("cd a; " + push)
        assert done.status != 0, (push, done.said)
        assert "rejected" in done.said or "refused" in done.said, (push, done.said)
        assert at.ssh.refs() == refs, (push, done.said)


@pytest.mark.slow
@pytest.mark.parametrize("person", ["self"], indirect=True)
def test_what_the_bottle_declares_decides(at: Gate) -> None:
    """Force, deletion, refs and paths as the manifest says; the refusal names ref or file and rule."""
    at.write_bottle({"allow_force": True, "allow_delete": True, "deny_refs": ["refs/heads/release/*"],
                     "deny_paths": ["deploy/**"], "max_pack": "100KiB"})  # fmt: skip
    inside = at.start()
    inside.ok(f"git clone -q {at.ssh.ssh} a")
    inside.ok(
        "cd a && git push -q origin main:old && git commit -q --amend -m anew && git push -qf origin main:old"
    )
    inside.ok("cd a && git push -q origin :old")
    assert set(at.ssh.refs()) == {"refs/heads/main"}
    before = at.ssh.refs()
    for push, words in (
        ("git push origin main:release/1", "release/1"),
        ("mkdir -p deploy/x && echo a > deploy/x/run && git add . && git commit -qm d && git push origin HEAD:d; s=$?;"
         "git reset -q --hard HEAD~; exit $s", "deploy/x/run"),
        ("head -c 300000 /dev/urandom > big && git add . && git commit -qm big && git push origin HEAD:big",
         "maximum allowed size"),
    ):  # fmt: skip
        done = inside("cd a; " + push)
        assert done.status != 0 and at.ssh.refs() == before, (push, done.said)
        assert words in done.err, (words, done.err)


@pytest.mark.slow
@pytest.mark.parametrize("person", ["self"], indirect=True)
def test_files_that_run_elsewhere_are_asked_about(at: Gate) -> None:
    """Nobody is there who could answer: refused at once, and the refusal names the file (threats H5)."""
    inside = at.start()
    inside.ok(f"git clone -q {at.ssh.ssh} a")
    before = at.ssh.refs()
    for path in (
        ".github/workflows/ci.yml",
        ".gitlab-ci.yml",
        "CODEOWNERS",
        ".gitmodules",
        ".husky/pre-commit",
    ):
        done = inside(
            f"cd a && git checkout -q -B x origin/main && mkdir -p $(dirname {path}) && echo 'a: b' > {path}"
            " && git add -f . && git commit -qm x && git push origin x"
        )
        assert done.status != 0 and path in done.err, (path, done.said)
        assert at.ssh.refs() == before


def test_nothing_else_can_be_reached(at: Gate) -> None:
    """Another repository of the same server, another name at the gate: not known, and the server is not asked."""
    at.ground.repository("other")
    inside = at.start()
    asked = at.ground.ssh.accepted, len(at.ground.web.requests)
    for url in (
        f"ssh://git@{HOST}{ROOT}/other.git", f"git@{HOST}:{ROOT}/other.git", at.web.https.replace("pages", "other"),
        f"{GATE}/other.git", f"{GATE}/../other.git", f"{GATE}/project.git/../../other.git",
        f"{GATE}/", f"{at.ssh.ssh}-x",
    ):  # fmt: skip
        done = inside(
            "GIT_TERMINAL_PROMPT=0 GIT_SSH_COMMAND='ssh -o BatchMode=yes -o StrictHostKeyChecking=no'"
            f" git clone -q '{url}' x"
        )
        assert done.status != 0, (url, done.said)
    assert (at.ground.ssh.accepted, len(at.ground.web.requests)) == asked
    inside.ok(f"git ls-remote {at.ssh.ssh}")


def test_no_credential_is_inside(at: Gate) -> None:
    """Not in files, environments or memory maps that the agent can read; the same search finds what is planted."""
    inside = at.start()
    inside.ok(
        f"git clone -q {at.ssh.ssh} a && git clone -q {at.web.https} b && cd a && git push -q origin main:x"
    )
    search = (
        "cat > /dev/shm/needle; (grep -rlaFs -f /dev/shm/needle / --exclude-dir=proc --exclude-dir=sys"
        " --exclude-dir=usr --exclude=needle; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null |"
        " tr '\\0' '\\n' |"
        " grep -aF -f /dev/shm/needle); rm /dev/shm/needle"
    )
    body = at.ground.ssh.key.splitlines()[2]
    for secret in (body, TOKEN):
        assert inside(search, secret + "\n").out == "", secret
    inside.ok("echo planted-by-this-test > ~/planted")
    assert inside(search, "planted-by-this-test\n").out.endswith("/planted\n")
    assert "GATE_KEY" not in inside.ok("env; cat ~/.gitconfig")


@pytest.mark.slow
@pytest.mark.parametrize("person", ["self"], indirect=True)
def test_what_upstream_says_reaches_the_client(at: Gate) -> None:
    """Its hook's words, its refusal; then no ref has moved anywhere, and the same push works once it may."""
    inside = at.start()
    inside.ok(f"git clone -q {at.ssh.ssh} a && cd a && git commit -q --allow-empty -m one")
    at.ssh.hook("pre-receive", "echo 'house rule 7: not on Tuesdays' >&2; exit 1")
    before = at.ssh.refs()
    done = inside("cd a && git push origin main main:other")
    assert done.status != 0
    assert "house rule 7: not on Tuesdays" in done.err and "pre-receive hook declined" in done.err, done.err
    assert at.ssh.refs() == before
    assert inside.ok("cd a && git ls-remote origin").split()[0] == before["refs/heads/main"]
    at.ssh.hook("pre-receive", "exit 0")
    inside.ok("cd a && git push -q origin main main:other")
    assert at.ssh.refs()["refs/heads/other"] == at.ssh.tip() != before["refs/heads/main"]


@pytest.mark.slow
@pytest.mark.parametrize("person", ["self"], indirect=True)
def test_upstream_has_moved_meanwhile(at: Gate) -> None:
    """git's own words for it; a fetch and a merge later it passes."""
    inside = at.start()
    inside.ok(f"git clone -q {at.ssh.ssh} a")
    moved = at.ssh.commit({"x": "of somebody else\n"})
    done = inside("cd a && git commit -q --allow-empty -m mine && git push origin main")
    assert done.status != 0 and "rejected" in done.err and "fetch first" in done.err, done.err
    assert at.ssh.tip() == moved
    inside.ok("cd a && git pull -q --rebase && git push -q origin main")
    assert at.ssh.git("rev-parse", "main^") == moved


@pytest.mark.slow
@pytest.mark.parametrize("person", ["self"], indirect=True)
def test_upstream_is_down(at: Gate) -> None:
    """A fetch and a push fail and say why; with ``stale_ok`` the last state is served; up again, all works."""
    at.write_bottle({"stale_ok": True})
    inside = at.start()
    inside.ok(f"git clone -q {at.ssh.ssh} a && git clone -q {at.web.https} b")
    at.ground.ssh.close()
    inside.ok(f"git clone -q {at.ssh.ssh} stale && cat stale/README.md")
    done = inside("cd a && git commit -q --allow-empty -m one && git push origin main")
    assert done.status != 0, done.said
    at.ground.ssh.reopen()
    inside.ok("cd a && git push -q origin main")
    assert at.ssh.git("log", "-1", "--format=%s", "main") == "one"
    at.ground.web.stop()
    done = inside("cd b && git fetch")
    assert done.status != 0 and TOKEN not in done.said, done.said


@pytest.mark.slow
@pytest.mark.parametrize("person", ["self"], indirect=True)
def test_two_pushes_to_one_ref_at_once(at: Gate) -> None:
    """One wins, the other is told so; upstream has the winner's commit."""
    inside = at.start()
    inside.ok(
        f"for n in 1 2; do git clone -q {at.ssh.ssh} c$n; (cd c$n; git commit -q --allow-empty -m c$n); done"
    )
    done = inside(
        "for n in 1 2; do (cd c$n; git push origin main >out 2>&1; echo $? >status) & done; wait; cat c?/status c?/out"
    )
    statuses = done.out.split()[:2]
    assert sorted(map(int, statuses))[0] == 0 and sorted(map(int, statuses))[1] != 0, done.said
    winner = "c1" if statuses[0] == "0" else "c2"
    assert at.ssh.git("log", "-1", "--format=%s", "main") == winner
    assert "rejected" in done.out or "refused" in done.out, done.out


@pytest.mark.slow
def test_a_workspace_that_is_copied_in(at: Gate) -> None:
    """Its remotes work as they are written there."""
    url = at.ssh.scp
    work = at.person.home / "work"
    clone = ["git", "clone", "-q", str(at.ssh.path), str(work)]
    at.ssh.git(*clone[1:])
    at.ssh.git("-C", str(work), "remote", "set-url", "origin", url)
    at.ssh.git("-C", str(work), "config", "core.sshCommand", "touch /nonexistent")
    _chown(at, "work")
    at.write_bottle(more=f"workspace: {{mode: copy, path: {work}}}\n")
    inside = at.start()
    inside.ok(
        "git commit -q --allow-empty -m 'from the workspace' && git push -q origin HEAD:main && git fetch -q"
    )
    assert at.ssh.git("log", "-1", "--format=%s", "main") == "from the workspace"


@pytest.mark.slow
def test_resume(at: Gate) -> None:
    """The next session of the bottle pushes with a gate of its own."""
    inside = at.start()
    inside.ok(f"git clone -q {at.ssh.ssh} a && cd a && git commit -q --allow-empty -m before")
    assert inside.end() == 0
    again = at.resume(inside.identity)
    again.ok("cd a && git push -q origin main && git fetch -q")
    assert at.ssh.git("log", "-1", "--format=%s", "main") == "before"


def test_without_repositories_there_is_no_gate(at: Gate) -> None:
    """No listener on its port, no socket, no process."""
    at.person.write(".bot-bottle/bottles/b.md", "---\nagent_provider: {template: command}\n---\n")
    inside = at.start()
    done = inside(f"curl -s --noproxy '*' {GATE}/project.git/info/refs; echo $?; ls /run/bot-bottle")
    assert done.out.splitlines()[0] == "7" and "gate" not in done.out, done.out


def _chown(at: Gate, name: str) -> None:
    subprocess.run(
        ["chown", "-R", f"{at.person.uid}:{at.person.uid}", str(at.person.home / name)], check=True
    )
