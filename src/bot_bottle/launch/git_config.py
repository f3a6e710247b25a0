"""``~/.gitconfig`` of a bottle: who commits, and that declared upstreams are reached through the gate. Pure.

``url.<base>.insteadOf`` (git-config(1)) replaces the *beginning* of a URL, the longest one that fits. So a URL
that goes on after a declared one (``…/name-more``) is sent to the gate too, which does not know it: 404.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot_bottle.gitgate.config import UrlScheme
from bot_bottle.launch.environment import GATE_URL
from bot_bottle.manifest.schema import GitUser, Repo, Upstream

DEFAULT_PORTS = {UrlScheme.SSH: 22, UrlScheme.HTTPS: 443}


def gitconfig(user: GitUser, repos: Iterable[Repo]) -> str:
    """The file's text; empty where there is nothing to say."""
    lines: list[str] = []
    named = [(key, value) for key, value in (("name", user.name), ("email", user.email)) if value]
    if named:
        lines.append("[user]")
        lines += [f"\t{key} = {quoted(value)}" for key, value in named]
    for repo in repos:
        lines.append(f"[url {quoted(f'{GATE_URL}/{repo.name}.git')}]")
        lines += [f"\tinsteadOf = {quoted(url)}" for url in aliases(repo)]
    return "".join(f"{line}\n" for line in lines)


def quoted(value: str) -> str:
    """A value or subsection as git reads it; the manifest has refused controls."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def aliases(repo: Repo) -> tuple[str, ...]:
    """Every URL that means *repo*, the written one first: scp form and ``ssh://``, with the user and without,
    with ``.git`` and without, with the default port written out, and all that for the host alias."""
    made = (
        _https(repo.upstream) if repo.upstream.scheme is UrlScheme.HTTPS else _ssh(repo.upstream, repo.alias)
    )
    return tuple(dict.fromkeys([repo.upstream.written, *made]))


def _https(url: Upstream) -> Iterator[str]:
    for port in _ports(url):
        for path in _paths(url.path):
            yield f"https://{url.host}{port}/{path}"


def _ssh(url: Upstream, alias: str) -> Iterator[str]:
    """An scp form has no port of its own: of an upstream with another one it stands for the alias alone, whose
    port is in an ssh configuration."""
    hosts = [(url.host, _ports(url), url.port in (None, DEFAULT_PORTS[UrlScheme.SSH]))]
    if alias:
        hosts.append((alias, tuple(dict.fromkeys(("", *_ports(url)))), True))
    for host, ports, scp in hosts:
        for user in dict.fromkeys((f"{url.user}@" if url.user else "", "")):
            for path in _paths(url.path):
                rooted = path.lstrip("/")
                for port in ports:
                    yield f"ssh://{user}{host}{port}/{rooted}"
                if scp:
                    yield f"{user}{host}:{rooted}"
                    yield f"{user}{host}:/{rooted}"


def _ports(url: Upstream) -> tuple[str, ...]:
    default = DEFAULT_PORTS[url.scheme]
    return (f":{url.port}",) if url.port not in (None, default) else ("", f":{default}")


def _paths(path: str) -> tuple[str, str]:
    bare = path.rstrip("/").removesuffix(".git")
    return f"{bare}.git", bare
