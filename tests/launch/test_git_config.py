"""Every way to write a declared upstream leads to the gate, as git itself reads the file; nothing else does."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bot_bottle.gitgate.config import UrlScheme
from bot_bottle.launch.git_config import aliases, gitconfig
from bot_bottle.manifest.schema import GitUser, Repo, StaticKey, Upstream

GATE = "http://127.0.0.1:9418"


def ssh(written: str, path: str = "o/one.git", **fields: object) -> Repo:
    alias = str(fields.pop("alias", ""))
    upstream = Upstream(written, UrlScheme.SSH, "g.example", path, **fields)  # type: ignore[arg-type]
    return Repo("one", upstream, StaticKey("/k"), alias=alias)


def https(written: str, path: str, port: int | None = None, name: str = "two") -> Repo:
    return Repo(name, Upstream(written, UrlScheme.HTTPS, "h.example", path, port=port), StaticKey("/k"))


SCP = ssh("git@g.example:o/one.git", user="git", scp=True, alias="work")
PLAIN = ssh("ssh://git@g.example/o/one", "o/one", user="git")
PORT = ssh("ssh://git@g.example:2222/o/one.git", user="git", port=2222, alias="work")
SECURE = https("https://h.example/o/two.git", "o/two.git")


def git_reads(config: Path, url: str) -> str:
    """Where git goes for *url*."""
    env = {"GIT_CONFIG_GLOBAL": str(config), "GIT_CONFIG_NOSYSTEM": "1", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        ["git", "ls-remote", "--get-url", url], env=env, capture_output=True, check=True, text=True, cwd="/"
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("repo", "url"),
    [
        (SCP, "git@g.example:o/one.git"),
        (SCP, "git@g.example:o/one"),
        (SCP, "git@g.example:/o/one.git"),
        (SCP, "g.example:o/one.git"),
        (SCP, "ssh://git@g.example/o/one.git"),
        (SCP, "ssh://git@g.example:22/o/one"),
        (SCP, "ssh://g.example/o/one"),
        (SCP, "work:o/one"),
        (SCP, "git@work:o/one.git"),
        (SCP, "ssh://work/o/one.git"),
        (PLAIN, "ssh://git@g.example/o/one"),
        (PLAIN, "git@g.example:o/one.git"),
        (PORT, "ssh://git@g.example:2222/o/one.git"),
        (PORT, "ssh://g.example:2222/o/one"),
        (PORT, "work:o/one.git"),
        (PORT, "ssh://git@work:2222/o/one.git"),
        (PORT, "ssh://git@work/o/one.git"),
        (SECURE, "https://h.example/o/two.git"),
        (SECURE, "https://h.example/o/two"),
        (SECURE, "https://h.example:443/o/two.git"),
    ],
)
def test_every_spelling_of_an_upstream_is_the_gates(tmp_path: Path, repo: Repo, url: str) -> None:
    """The written URL, scp form and ssh://, user, .git, default port, host alias."""
    config = tmp_path / "gitconfig"
    config.write_text(gitconfig(GitUser(), [repo]))
    assert git_reads(config, url) == f"{GATE}/{repo.name}.git"


@pytest.mark.parametrize(
    ("repo", "url"),
    [
        (SCP, "git@g.example:o/other.git"),
        (SCP, "git@elsewhere.example:o/one.git"),
        (SCP, "https://g.example/o/one.git"),
        (SCP, "ssh://git@g.example:2222/o/one.git"),
        (PORT, "ssh://git@g.example/o/one.git"),
        (PORT, "git@g.example:o/one.git"),
        (SECURE, "https://h.example:8443/o/two.git"),
        (SECURE, "git@h.example:o/two.git"),
        (SECURE, "http://h.example/o/two.git"),
    ],
)
def test_what_is_not_declared_is_left_alone(tmp_path: Path, repo: Repo, url: str) -> None:
    """Another repository, host, port or protocol is another upstream."""
    config = tmp_path / "gitconfig"
    config.write_text(gitconfig(GitUser(), [repo]))
    assert git_reads(config, url) == url


def test_a_name_that_begins_like_another_is_its_own(tmp_path: Path) -> None:
    """git replaces the longest beginning that fits, so both are found whatever their order."""
    short, long = https("https://h.example/o/two", "o/two"), https(
        "https://h.example/o/two-more", "o/two-more", name="more"
    )  # fmt: skip
    for number, repos in enumerate(([short, long], [long, short])):
        config = tmp_path / f"gitconfig{number}"
        config.write_text(gitconfig(GitUser(), repos))
        assert git_reads(config, "https://h.example/o/two.git") == f"{GATE}/two.git"
        assert git_reads(config, "https://h.example/o/two-more") == f"{GATE}/more.git"


def test_a_name_is_read_by_git_as_it_was_written(tmp_path: Path) -> None:
    """Quotes, backslashes and comment signs are no syntax."""
    config = tmp_path / "gitconfig"
    config.write_text(gitconfig(GitUser('A "B" \\ # ; C', "a@b.example"), [SCP]))
    for key, value in (("user.name", 'A "B" \\ # ; C'), ("user.email", "a@b.example")):
        done = subprocess.run(
            ["git", "config", "--file", str(config), key], capture_output=True, check=True, text=True
        )
        assert done.stdout == f"{value}\n"


def test_nothing_to_say_is_an_empty_file() -> None:
    assert gitconfig(GitUser(), []) == ""


def test_the_written_url_comes_first_and_none_twice() -> None:
    for repo in (SCP, PLAIN, PORT, SECURE):
        made = aliases(repo)
        assert made[0] == repo.upstream.written
        assert len(made) == len(set(made))
