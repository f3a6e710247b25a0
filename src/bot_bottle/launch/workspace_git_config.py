"""The configuration that a bottle's copy of a repository gets: written here, out of a few values.

Of the original only these are taken, each judged: the object format, remotes' URLs (without user
information, queries and local paths; ``http``, ``https``, ``ssh``, ``git`` alone) and which branch
follows which. Everything that git could execute has no way in: aliases, filters, helpers, ``sshCommand``,
``fsmonitor``, hooks, includes, ``insteadOf``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot_bottle.base import process

CONFIG_TIMEOUT_S = 10.0
MAX_ENTRIES = 1000
"""Remotes and branches; a repository with more keeps the first."""

_REMOTE = re.compile(r"(?![-.])[A-Za-z0-9._/-]{1,100}(?<!\.lock)\Z")
_BRANCH = re.compile(r"(?![-./])[^\x00-\x20\x7f~^:?*\[\\\"]{1,200}\Z")
_SCHEME_URL = re.compile(r"(https?|ssh|git)://(?:([^/?#@]*)@)?([A-Za-z0-9.\[\]:_-]+)(/[^\x00-\x20\"\\?#]*)?")
_SCP_URL = re.compile(r"(?:([A-Za-z0-9._-]+)@)?([A-Za-z0-9.-]+):(?!//)([^\x00-\x20\"\\:]+)\Z")
_SSH_USER = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")


@dataclass(frozen=True)
class Settings:
    """What is taken from a repository's configuration."""

    object_format: str = "sha1"
    remotes: Mapping[str, str] = field(default_factory=dict)
    """name to URL, without credentials"""
    branches: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """branch to (remote, ref there)"""
    worktree: str = ""
    """``core.worktree``; never written"""
    obstacle: str | None = None
    """why its objects and refs can't be used by a bottle"""
    notes: tuple[str, ...] = ()


def read_settings(content: bytes) -> Settings:
    """Judge the text of a ``.git/config``; never raises: what can't be read leaves the history outside."""
    try:
        entries = _entries(content)
    except process.ProcessFailed:
        return Settings(obstacle="'.git/config' can't be read by git")
    last = dict(entries)
    notes: list[str] = []
    remotes: dict[str, str] = {}
    branches: dict[str, tuple[str, str]] = {}
    for key, value in entries:
        section, _, rest = key.partition(".")
        name, _, variable = rest.rpartition(".")
        if section == "remote" and variable == "url" and _REMOTE.match(name):
            url = clean_url(value)
            if url is None:
                notes.append(f"remote {name!r} left out: its URL is a local path or of an unknown kind")
            elif len(remotes) < MAX_ENTRIES:
                remotes.setdefault(name, url)
        elif section == "branch" and variable == "merge" and _BRANCH.match(name) and _is_ref(value):
            remote = last.get(f"branch.{name}.remote", "")
            if _REMOTE.match(remote) and len(branches) < MAX_ENTRIES:
                branches[name] = (remote, value)
    if "extensions.partialclone" in last:
        notes.append("a partial clone: objects that were never fetched are missing inside")
    return Settings(
        object_format=last.get("extensions.objectformat", "sha1").lower(),
        remotes=remotes,
        branches=branches,
        worktree=last.get("core.worktree", ""),
        obstacle=_obstacle(last),
        notes=tuple(notes[:20]),
    )


def render(settings: Settings) -> str:
    """The whole text of the configuration; every value in it was matched against a strict pattern."""
    sha256 = settings.object_format == "sha256"
    lines = [
        "[core]",
        f"\trepositoryformatversion = {1 if sha256 else 0}",
        "\tfilemode = true",
        "\tbare = false",
        "\tlogallrefupdates = true",
    ]
    if sha256:
        lines += ["[extensions]", "\tobjectFormat = sha256"]
    for name, url in settings.remotes.items():
        lines += [f'[remote "{name}"]', f'\turl = "{url}"', f"\tfetch = +refs/heads/*:refs/remotes/{name}/*"]
    for branch, (remote, ref) in settings.branches.items():
        if remote in settings.remotes:
            lines += [f'[branch "{branch}"]', f'\tremote = "{remote}"', f'\tmerge = "{ref}"']
    return "\n".join(lines) + "\n"


def clean_url(url: str) -> str | None:
    """*url* without user information (an ssh user's name stays), query and fragment; None: not taken.

    >>> clean_url("https://me:token@git.example/a/b.git?x=1")
    'https://git.example/a/b.git'
    >>> clean_url("ssh://git:pw@git.example:2222/a.git")
    'ssh://git@git.example:2222/a.git'
    >>> clean_url("ext::sh -c true") is None
    True
    """
    match = _SCHEME_URL.match(url)
    if match:
        scheme, user, host, path = match.groups()
        if match.end() < len(url) and url[match.end()] not in "?#":
            return None
        name = (user or "").partition(":")[0]
        keep = f"{name}@" if scheme == "ssh" and _SSH_USER.match(name) else ""
        return f"{scheme}://{keep}{host}{path or ''}"
    match = _SCP_URL.match(url)
    if match and "/" not in url.partition(":")[0]:
        user, host, path = match.groups()
        return f"{user}@{host}:{path}" if user else f"{host}:{path}"
    return None


def _obstacle(last: Mapping[str, str]) -> str | None:
    if last.get("core.repositoryformatversion", "0") not in ("0", "1"):
        return f"repository format {last['core.repositoryformatversion']!r} is not known"
    if last.get("extensions.objectformat", "sha1").lower() not in ("sha1", "sha256"):
        return f"object format {last['extensions.objectformat']!r} is not known"
    if last.get("extensions.refstorage", "files").lower() != "files":
        kind = last["extensions.refstorage"]
        return f"refs are stored as {kind!r}: run 'git refs migrate --ref-format=files'"
    return None


def _is_ref(value: str) -> bool:
    return value.startswith("refs/") and _BRANCH.match(value) is not None


def _entries(content: bytes) -> list[tuple[str, str]]:
    """Keys and values in order, parsed by git from its standard input; nothing is included or obeyed."""
    from_stdin = ["config", "--file", "-", "--list", "-z", "--no-includes"]
    git = process.find_program("git")
    if git is None:
        raise process.ProcessFailed("git is not installed")
    done = process.run(
        [str(git), *from_stdin], timeout_s=CONFIG_TIMEOUT_S, cwd=Path("/"), stdin=content, env={
            "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CEILING_DIRECTORIES": "/",
        },
    )  # fmt: skip
    entries = []
    for record in done.stdout.split(b"\0"):
        key, separator, value = record.decode("utf-8", "surrogateescape").partition("\n")
        if key:
            entries.append((key, value if separator else "true"))
    return entries
