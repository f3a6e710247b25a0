"""A hostile repository is copied and listed; nothing that it says is executed, nothing of it is trusted."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from bot_bottle.launch import workspace_git
from bot_bottle.launch.workspace import CopyReport, WorkspaceError, copy_in, plan_workspace
from bot_bottle.launch.workspace_copy import LeftOut
from bot_bottle.launch.workspace_git_config import clean_url, read_settings, render

GIT = shutil.which("git")
pytestmark = pytest.mark.skipif(GIT is None, reason="git is not installed")


def _git(where: Path, *words: str, check: bool = True) -> str:
    assert GIT is not None
    env = {
        "PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@a.example", "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@a.example", "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
        "GIT_CONFIG_KEY_1": "protocol.file.allow", "GIT_CONFIG_VALUE_1": "always",
    }  # fmt: skip
    done = subprocess.run([GIT, *words], cwd=where, env=env, capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout


def _repository(path: Path, *, form: str = "sha1") -> Path:
    path.mkdir(parents=True, exist_ok=True)
    _git(path, "init", "-q", "-b", "main", f"--object-format={form}")
    (path / "tracked.txt").write_text("one\n")
    (path / ".gitignore").write_text("ignored/\n*.o\n")
    _git(path, "add", ".")
    _git(path, "commit", "-q", "-m", "first")
    (path / "tracked.txt").write_text("two\n")
    (path / "new.txt").write_text("new\n")
    (path / "ignored").mkdir()
    (path / "ignored" / "big").write_text("x")
    (path / "a.o").write_text("x")
    return path


def _copy(source: Path, lower: Path, *exclude: str) -> CopyReport:
    lower.mkdir(exist_ok=True)
    return copy_in(plan_workspace(source, "copy", exclude, Path("/nonexistent/home")), lower, None)


def _names(top: Path) -> list[str]:
    found = []
    for directory, directories, files in os.walk(top):
        directories[:] = [name for name in directories if name != ".git"]
        found += [os.path.relpath(os.path.join(directory, name), top) for name in files]
    return sorted(found)


@pytest.mark.parametrize("form", ["sha1", "sha256"])
def test_tracked_and_new_files_come_along_with_the_history(tmp_path: Path, form: str) -> None:
    """Not what git ignores; inside, git sees the same history and the same changes as outside."""
    source = _repository(tmp_path / "s", form=form)
    report = _copy(source, tmp_path / "l")
    assert _names(tmp_path / "l") == [".gitignore", "new.txt", "tracked.txt"]
    assert report.files == 3 and not report.notes and report.left_out_count == 0
    assert _git(tmp_path / "l", "rev-parse", "HEAD") == _git(source, "rev-parse", "HEAD")
    assert _git(tmp_path / "l", "status", "--porcelain") == " M tracked.txt\n?? new.txt\n"
    assert _git(tmp_path / "l", "fsck", "--strict") == ""


CANARY_CONFIG = """
[core]
	fsmonitor = "{canary} fsmonitor #"
	hooksPath = {hooks}
	sshCommand = "{canary} ssh"
	pager = "{canary} pager"
	editor = "{canary} editor"
	attributesFile = {attributes}
	gitProxy = "{canary} proxy"
	askPass = {canary}
	alternateRefsCommand = "{canary} alternates"
[filter "evil"]
	clean = "{canary} clean"
	smudge = "{canary} smudge"
	process = "{canary} process"
	required = true
[diff]
	external = "{canary} external"
[diff "evil"]
	textconv = "{canary} textconv"
	command = "{canary} diff"
[merge "evil"]
	driver = "{canary} merge"
[alias]
	ls-files = "!{canary} alias"
	config = "!{canary} alias"
	status = "!{canary} alias"
[credential]
	helper = "!{canary} credential"
[uploadpack]
	packObjectsHook = "{canary} pack"
[include]
	path = {included}
[includeIf "gitdir:**"]
	path = {included}
[url "ext::{canary} "]
	insteadOf = https://
[remote "origin"]
	url = https://user:hunter2@git.example/a/b.git?token=hunter2
	fetch = +refs/heads/*:refs/remotes/origin/*
	receivepack = {canary} receive
	uploadpack = {canary} upload
	vcs = ext
[remote "evil"]
	url = ext::{canary} remote
[branch "main"]
	remote = origin
	merge = refs/heads/main
"""


def _hostile(tmp_path: Path) -> tuple[Path, Path]:
    """A repository with everything in it that git may execute; each appends its name to one file."""
    source = _repository(tmp_path / "s")
    log = tmp_path / "executed"
    canary = tmp_path / "canary.sh"
    canary.write_text(f'#!/bin/sh\necho "$0 $1" >> {log}\nexit 1\n')
    canary.chmod(0o755)
    hooks = tmp_path / "hooks"
    for directory in (hooks, source / ".git" / "hooks"):
        directory.mkdir(exist_ok=True)
        for name in (
            "post-index-change",
            "pre-commit",
            "post-checkout",
            "reference-transaction",
            "fsmonitor",
        ):
            (directory / name).unlink(missing_ok=True)
            shutil.copy(canary, directory / name)
    (tmp_path / "attributes").write_text("* filter=evil diff=evil\n")
    (tmp_path / "included").write_text(f'[core]\n\tfsmonitor = "{canary} included #"\n')
    (source / ".gitattributes").write_text("*.txt filter=evil diff=evil merge=evil\n")
    (source / ".git" / "info" / "attributes").write_text("* filter=evil\n")
    (source / ".gitmodules").write_text(
        f'[submodule "x"]\n\tpath = x\n\turl = ext::{canary} module\n\tupdate = !{canary} update\n'
    )
    with open(source / ".git" / "config", "a") as config:
        config.write(
            CANARY_CONFIG.format(
                canary=canary, hooks=hooks, attributes=tmp_path / "attributes", included=tmp_path / "included"
            )
        )
    return source, log


def test_nothing_of_a_hostile_repository_is_executed(tmp_path: Path) -> None:
    """The canary stays silent while we copy and list, and in the copy; in the original it does sing."""
    source, log = _hostile(tmp_path)
    report = _copy(source, tmp_path / "l")
    assert report.files == 5
    copy = tmp_path / "l"
    for words in (
        ("status",),
        ("add", "-A"),
        ("diff", "--cached"),
        ("commit", "-q", "-m", "x"),
        ("log", "-p"),
    ):
        _git(copy, *words)
    assert not log.exists(), log.read_text()
    _git(source, "ls-files", "--others", check=False)
    _git(source, "add", "tracked.txt", check=False)
    heard = log.read_text()
    assert "fsmonitor" in heard or "included" in heard
    assert "process" in heard or "clean" in heard


def test_the_copys_configuration_is_ours(tmp_path: Path) -> None:
    """Only the clean remote, its branch and the format are in it; no hook, no attribute, no credential."""
    source, _ = _hostile(tmp_path)
    report = _copy(source, tmp_path / "l")
    git_dir = tmp_path / "l" / ".git"
    keys = set(_git(tmp_path, "config", "--file", str(git_dir / "config"), "--name-only", "--list").split())
    assert keys == {
        "core.repositoryformatversion", "core.filemode", "core.bare", "core.logallrefupdates",
        "remote.origin.url", "remote.origin.fetch", "branch.main.remote", "branch.main.merge",
    }  # fmt: skip
    assert _git(tmp_path / "l", "remote", "get-url", "origin") == "https://git.example/a/b.git\n"
    assert sorted(os.listdir(git_dir)) == ["HEAD", "config", "index", "info", "objects", "refs"]
    assert os.listdir(git_dir / "info") == ["exclude"]
    assert any("'evil'" in note for note in report.notes)
    everything = b"".join(path.read_bytes() for path in git_dir.rglob("*") if path.is_file())
    assert b"hunter2" not in everything


def test_links_in_a_git_directory_lead_nowhere(tmp_path: Path) -> None:
    """A link as object, ref, index, info or the objects directory brings nothing of the host's in."""
    secret = tmp_path / "secret"
    (secret / "ab").mkdir(parents=True)
    (secret / "exclude").write_text("topsecret")
    (secret / "ab" / ("0" * 38)).write_text("topsecret")
    source = _repository(tmp_path / "s")
    git_dir = source / ".git"
    (git_dir / "refs" / "heads" / "evil").symlink_to(secret / "exclude")
    (git_dir / "refs" / "evil").symlink_to(secret)
    shutil.rmtree(git_dir / "info")
    (git_dir / "info").symlink_to(secret)
    (git_dir / "objects" / "ab").exists() and shutil.rmtree(git_dir / "objects" / "ab")
    (git_dir / "objects" / "ab").symlink_to(secret / "ab")
    (git_dir / "packed-refs").symlink_to(secret / "exclude")
    os.mkfifo(git_dir / "shallow")
    _copy(source, tmp_path / "l")
    copied = b"".join(path.read_bytes() for path in (tmp_path / "l").rglob("*") if path.is_file())
    assert b"topsecret" not in copied
    assert not [path for path in (tmp_path / "l").rglob("*") if path.is_symlink()]
    shutil.rmtree(git_dir / "objects")
    (git_dir / "objects").symlink_to(secret)
    report = _copy(source, tmp_path / "l2")
    assert "new.txt" in _names(tmp_path / "l2") and not (tmp_path / "l2" / ".git").exists()
    assert any("history left out" in note for note in report.notes)


def test_borrowed_objects_leave_the_history_outside(tmp_path: Path) -> None:
    """A repository with alternates would need another one of the host's: files only, and the fix."""
    _repository(tmp_path / "other")
    _git(tmp_path, "clone", "-q", "--shared", str(tmp_path / "other"), "s")
    report = _copy(tmp_path / "s", tmp_path / "l")
    assert _names(tmp_path / "l") == [".gitignore", "tracked.txt"]
    assert not (tmp_path / "l" / ".git").exists()
    assert any("alternates" in note and "repack" in note for note in report.notes)


def test_a_worktree_becomes_a_repository(tmp_path: Path) -> None:
    """Its own HEAD and index, the repository's objects; nothing in the copy points back to the host."""
    main = _repository(tmp_path / "main")
    _git(main, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    (tmp_path / "side" / "only-here.txt").write_text("x")
    report = _copy(tmp_path / "side", tmp_path / "l")
    assert not report.notes
    assert _git(tmp_path / "l", "branch", "--show-current") == "side\n"
    assert _git(tmp_path / "l", "status", "--porcelain") == "?? only-here.txt\n"
    assert str(tmp_path / "main") not in (tmp_path / "l" / ".git" / "config").read_text()


def test_a_git_file_that_points_at_another_repository_brings_nothing(tmp_path: Path) -> None:
    """An earlier agent redirected '.git' to a repository of the operator's: that one doesn't know it."""
    private = _repository(tmp_path / "private")
    (private / "tracked.txt").write_text("private\n")
    _git(private, "commit", "-aqm", "private")
    source = tmp_path / "s"
    source.mkdir()
    (source / "file.txt").write_text("x")
    (source / "x.o").write_text("x")
    (source / ".gitignore").write_text("*.o\n")
    for pointer in (f"gitdir: {private}/.git\n", "gitdir: ../private/.git", "rubbish", "gitdir: /no/such"):
        (source / ".git").write_text(pointer)
        lower = tmp_path / "l"
        report = _copy(source, lower)
        assert _names(lower) == [".gitignore", "file.txt"], pointer
        assert not (lower / ".git").exists() and report.notes
        shutil.rmtree(lower)
    (source / ".git").unlink()
    (source / ".git").symlink_to(private / ".git")
    report = _copy(source, tmp_path / "l")
    assert not (tmp_path / "l" / ".git").exists() and "link" in report.notes[0]


def test_submodules_and_nested_repositories(tmp_path: Path) -> None:
    """Each becomes a repository of its own inside, sanitised like the top one."""
    _repository(tmp_path / "lib")
    source = _repository(tmp_path / "s")
    _git(source, "submodule", "--quiet", "add", str(tmp_path / "lib"), "mod")
    _git(source, "commit", "-qam", "module")
    nested = _repository(source / "nested")
    with open(nested / ".git" / "config", "a") as config:
        config.write("[alias]\n\tx = !true\n")
    with open(source / ".git" / "modules" / "mod" / "config", "a") as config:
        config.write('[remote "r"]\n\turl = https://u:hunter2@git.example/x\n')
    report = _copy(source, tmp_path / "l")
    lower = tmp_path / "l"
    assert "mod/tracked.txt" in _names(lower) and "nested/new.txt" in _names(lower)
    assert "nested/a.o" not in _names(lower)
    assert (lower / "mod" / ".git").is_dir() and not (lower / ".git" / "modules").exists()
    assert _git(lower / "mod", "rev-parse", "HEAD") == _git(source / "mod", "rev-parse", "HEAD")
    assert "alias" not in (lower / "nested" / ".git" / "config").read_text()
    assert "hunter2" not in (lower / "mod" / ".git" / "config").read_text()
    assert report.left_out_count == 0
    assert "nested/" in _git(lower, "status", "--porcelain")


def test_a_part_of_a_repository_obeys_its_ignore_rules(tmp_path: Path) -> None:
    """A sub-directory comes without the history; the repository's rules hold; an ignored one comes whole."""
    source = _repository(tmp_path / "s")
    (source / "part").mkdir()
    (source / "part" / "x.o").write_text("x")
    (source / "part" / "x.c").write_text("x")
    report = _copy(source / "part", tmp_path / "l")
    assert _names(tmp_path / "l") == ["x.c"] and not (tmp_path / "l" / ".git").exists()
    assert any("part of the repository" in note for note in report.notes)
    _copy(source / "ignored", tmp_path / "l2")
    assert _names(tmp_path / "l2") == ["big"]


def test_a_dotfiles_repository_at_home_is_not_asked(tmp_path: Path) -> None:
    """One that ignores everything must not empty a project below the home."""
    home = _repository(tmp_path / "home")
    (home / ".gitignore").write_text("*\n")
    (home / "project").mkdir()
    (home / "project" / "file").write_text("x")
    (tmp_path / "l").mkdir()
    report = copy_in(plan_workspace(home / "project", "copy", (), home), tmp_path / "l", None)
    assert _names(tmp_path / "l") == ["file"] and not report.notes


def test_a_damaged_index_is_an_error(tmp_path: Path) -> None:
    """What git can't list is not guessed at: ignored files might be secrets. Nothing stays behind."""
    source = _repository(tmp_path / "s")
    (source / ".git" / "index").write_bytes(b"DIRC" + b"\xff" * 200)
    with pytest.raises(WorkspaceError, match="git can't list"):
        _copy(source, tmp_path / "l")
    assert os.listdir(tmp_path / "l") == []


def test_a_history_over_the_limit(tmp_path: Path) -> None:
    """The repository's objects count, and are measured before they are copied."""
    source = _repository(tmp_path / "s")
    (tmp_path / "l").mkdir()
    with pytest.raises(WorkspaceError, match="history"):
        copy_in(plan_workspace(source, "copy", (), Path("/x")), tmp_path / "l", None, limit_bytes=100)
    assert os.listdir(tmp_path / "l") == []


def test_tracked_secrets_are_said_to_be_in_the_history(tmp_path: Path) -> None:
    """A committed .env stays outside as a file; the report is honest about the commits."""
    source = _repository(tmp_path / "s")
    (source / ".env").write_text("TOKEN=x")
    _git(source, "add", "-f", ".env")
    _git(source, "commit", "-qm", "oops")
    report = _copy(source, tmp_path / "l")
    assert ".env" not in _names(tmp_path / "l")
    assert [entry.path for entry in report.left_out] == [".env"]
    assert any("history" in note for note in report.notes)


def test_the_operators_own_ignore_file(tmp_path: Path) -> None:
    """~/.config/git/ignore holds here, too."""
    source = _repository(tmp_path / "s")
    (source / "x.swp").write_text("x")
    home = tmp_path / "home"
    (home / ".config" / "git").mkdir(parents=True)
    (home / ".config" / "git" / "ignore").write_text("*.swp\n")
    (tmp_path / "l").mkdir()
    copy_in(plan_workspace(source, "copy", (), home), tmp_path / "l", None)
    assert "x.swp" not in _names(tmp_path / "l")


def test_a_hostile_index_names_no_other_path(tmp_path: Path) -> None:
    """Entries with '..' or a '.git' part are left out, or the whole index refused by git."""
    source = _repository(tmp_path / "s")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("topsecret")
    (source / "xgitx").mkdir()
    (source / "xgitx" / "file").write_text("x")
    (source / "bb_outside_").mkdir()
    (source / "bb_outside_" / "file").write_text("x")
    _git(source, "add", ".")
    index = (source / ".git" / "index").read_bytes()
    index = index.replace(b"xgitx/file", b".git/confi").replace(b"bb_outside_/file", b"../outside//file")
    (source / ".git" / "index").write_bytes(index[:-20] + hashlib.sha1(index[:-20]).digest())
    try:
        _copy(source, tmp_path / "l")
    except WorkspaceError:
        assert os.listdir(tmp_path / "l") == []  # git itself may refuse such an index
    copied = b"".join(path.read_bytes() for path in (tmp_path / "l").rglob("*") if path.is_file())
    assert b"topsecret" not in copied


def test_a_tracked_path_behind_a_link(tmp_path: Path) -> None:
    """Where a directory of tracked files has become a link, the link comes along and nothing behind it."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("topsecret")
    source = _repository(tmp_path / "s")
    (source / "aa").mkdir()
    (source / "aa" / "file").write_text("x")
    _git(source, "add", ".")
    shutil.rmtree(source / "aa")
    (source / "aa").symlink_to(tmp_path / "outside")
    report = _copy(source, tmp_path / "l")
    assert (tmp_path / "l" / "aa").is_symlink()
    assert [(entry.path, entry.reason) for entry in report.left_out] == [
        ("aa/file", "a link or file where a directory was")
    ]


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://git.example/a.git", "https://git.example/a.git"),
        ("https://token@git.example/a.git", "https://git.example/a.git"),
        ("https://u:p@git.example:8443/a.git?k=v#f", "https://git.example:8443/a.git"),
        ("https://u:p@x@git.example/a", None),
        ("ssh://git@git.example/a.git", "ssh://git@git.example/a.git"),
        ("ssh://git:pw@git.example/a.git", "ssh://git@git.example/a.git"),
        ("ssh://-oProxyCommand=x/a", None),
        ("git@git.example:a/b.git", "git@git.example:a/b.git"),
        ("git.example:a/b.git", "git.example:a/b.git"),
        ("-oProxyCommand=x:a", None),
        ("ext::sh -c true", None),
        ("fd::7", None),
        ("/srv/git/a.git", None),
        ("../a.git", None),
        ("file:///srv/a.git", None),
        ("C:\\a", None),
        ("https://git.example/a\n[alias]", None),
        ('https://git.example/a"b', None),
        ("", None),
    ],
)
def test_clean_url(url: str, clean: str | None) -> None:
    """No credential, no local path, no helper, no option, nothing that ends a quoted value."""
    assert clean_url(url) == clean


@pytest.mark.parametrize(
    "content",
    [b"", b"[", b"\xff\xfe\x00", b"[core]\n\tx", b"[a" * 1000, b'[remote "a\\"]\n[alias]x=!y"]\n url=https://h/x\n',
     b'[branch "a]b"]\n merge=refs/heads/x\n remote=o\n[remote "o"]\n url=https://h.example/x\n',
     b'[remote "o\n"]\n url = https://h/x\n', b"\0" * 100],
)  # fmt: skip
def test_any_configuration_gives_a_plain_one(tmp_path: Path, content: bytes) -> None:
    """Whatever the text: reading it never raises, and git reads what we write, with known keys alone."""
    text = render(read_settings(content))
    (tmp_path / "config").write_text(text)
    listed = _git(tmp_path, "config", "--file", str(tmp_path / "config"), "--name-only", "--list")
    assert all(key.split(".")[0] in ("core", "extensions", "remote", "branch") for key in listed.split())


def test_rendered_values_round_trip() -> None:
    """What is taken from a configuration is what the one that we write says."""
    text = (
        '[remote "up/stream"]\n\turl = git@git.example:a/b\n[branch "feat/x"]\n\tremote = up/stream\n'
        "\tmerge = refs/heads/feat/x\n"
    )
    settings = read_settings(text.encode())
    again = read_settings(render(settings).encode())
    assert again == settings and again.branches == {"feat/x": ("up/stream", "refs/heads/feat/x")}


def test_the_environment_of_git_has_no_way_out() -> None:
    """No configuration of the operator's, no protocol."""
    env = workspace_git.environment()
    assert env["GIT_CONFIG_GLOBAL"] == "/dev/null" and env["GIT_ALLOW_PROTOCOL"] == "none"
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_directory_that_became_a_link_is_not_copied(tmp_path: Path) -> None:
    """Between looking and opening, a nested repository's directory is swapped for a link to another's."""
    _repository(tmp_path / "private")
    (tmp_path / "nested").symlink_to(tmp_path / "private")
    located = workspace_git.Located(tmp_path / "nested" / ".git", tmp_path / "nested" / ".git")
    with pytest.raises(LeftOut, match="replaced"):
        workspace_git.copy_git_dir(located, tmp_path / "copy", None, 10**9)
    assert not (tmp_path / "copy").exists()
