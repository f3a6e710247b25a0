"""``git-gate``: identity and repositories. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum

from bot_bottle.gitgate.config import Lfs, RepoPolicy, UrlScheme
from bot_bottle.gitgate.names import glob_problem
from bot_bottle.manifest.fields import (
    boolean,
    choice,
    fail,
    known_keys,
    mapping,
    optional,
    required,
    size,
    string,
    strings,
    variable,
)
from bot_bottle.manifest.keys import below
from bot_bottle.manifest.paths import Paths
from bot_bottle.manifest.remote import alias, upstream
from bot_bottle.manifest.schema import (
    DeployKey,
    Forge,
    GitUser,
    Key,
    Repo,
    StaticKey,
    TokenKey,
    Upstream,
)
from bot_bottle.manifest.tree import Node

_REPO = "git-gate.repos.*"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
_API_URL = re.compile(r"https://[A-Za-z0-9._\[\]:-]+(?:/[A-Za-z0-9._~%/-]*)?\Z")


class KeyProvider(StrEnum):
    STATIC = "static"
    GITEA = "gitea"
    FORGEJO = "forgejo"
    GITHUB = "github"
    GITLAB = "gitlab"
    TOKEN = "token"  # noqa: S105


def git_user(node: Node) -> GitUser:
    entries = known_keys(node, below("bottle", "git-gate.user"))
    return GitUser(
        name=optional(entries, "name", lambda child: string(child, empty=True), ""),
        email=optional(entries, "email", lambda child: string(child, empty=True), ""),
    )


def check_repos(node: Node, paths: Paths) -> None:
    """One file's entries: each written field must be right, but a field may be left to a parent."""
    for name, entry in mapping(node).items():
        _check_name(entry, name)
        _fields(entry, paths)


def repos(node: Node, paths: Paths) -> dict[str, Repo]:
    """The merged entries, each complete."""
    return {name: _repo(name, entry, paths) for name, entry in mapping(node).items()}


def _check_name(entry: Node, name: str) -> None:
    if not _NAME.match(name) or ".." in name or name.endswith((".git", ".lock")):
        fail(
            entry,
            f"repository name {name!r} must be letters, digits, '.', '_' and '-', "
            "and not end in .git or .lock",
        )


def _fields(entry: Node, paths: Paths) -> dict[str, object]:
    if isinstance(entry.value, dict) and "identity" in entry.value:
        fail(entry.value["identity"], "identity is gone: write key: {provider: static, path: …}")
    entries = known_keys(entry, below("bottle", _REPO), "repository key")
    readers: dict[str, Callable[[Node], object]] = {
        "url": upstream,
        "key": lambda child: _key_parts(child, paths),
        "host_key": string,
        "alias": alias,
        "allow_refs": strings,
        "deny_refs": strings,
        "allow_force": boolean,
        "allow_delete": boolean,
        "deny_paths": _path_globs,
        "ask_paths": _path_globs,
        "max_pack": size,
        "stale_ok": boolean,
        "lfs": lambda child: choice(child, Lfs),
    }
    return {key: readers[key](child) for key, child in entries.items()}


def _path_globs(node: Node) -> tuple[str, ...]:
    globs = strings(node)
    for number, glob in enumerate(globs):
        problem = glob_problem(glob)
        if problem is not None:
            fail(node.value[number], f"the glob {glob!r} {problem}")
    return globs


def _key_parts(node: Node, paths: Paths) -> tuple[KeyProvider, str, str, str]:
    """Provider, path, token_ref and api_url; what does not belong to the provider is refused."""
    entries = known_keys(node, below("bottle", f"{_REPO}.key"))
    provider = choice(required(node, entries, "provider", "static, gitea, … or token"), KeyProvider)
    accepted: tuple[str, ...] = ("provider", "token_ref", "api_url")
    if provider is KeyProvider.STATIC:
        accepted = ("provider", "path")
    elif provider is KeyProvider.TOKEN:
        accepted = ("provider", "token_ref")
    known_keys(node, accepted, f"key for provider {provider.value!r}:")
    path = token = ""
    if provider is KeyProvider.STATIC:
        path = paths.home_relative(required(node, entries, "path", "the private key file on the host"))
    else:
        token = variable(required(node, entries, "token_ref", "the host variable with the token"))
    return provider, path, token, optional(entries, "api_url", _api_url, "")


def _api_url(node: Node) -> str:
    url = string(node)
    if not _API_URL.match(url):
        fail(node, f"must be https://host[:port][/path], not {url!r}")
    return url


def _repo(name: str, entry: Node, paths: Paths) -> Repo:
    entries = mapping(entry)
    required(entry, entries, "url")
    key_node = required(entry, entries, "key", "how the gate signs in upstream")
    values = _fields(entry, paths)
    url, parts = values.pop("url"), values.pop("key")
    assert isinstance(url, Upstream) and isinstance(parts, tuple)
    if "max_pack" in values:
        values["max_pack_bytes"] = values.pop("max_pack")
    own = {key: values.pop(key) for key in ("host_key", "alias") if key in values}
    policy = RepoPolicy(**values)  # type: ignore[arg-type]
    return Repo(name, url, _key(key_node, url, parts), policy=policy, **own)  # type: ignore[arg-type]


def _key(node: Node, url: Upstream, parts: tuple[KeyProvider, str, str, str]) -> Key:
    provider, path, token, api_url = parts
    if (provider is KeyProvider.TOKEN) != (url.scheme is UrlScheme.HTTPS):
        fit = "token" if url.scheme is UrlScheme.HTTPS else "static or a forge"
        fail(node, f"provider {provider.value!r} does not fit a {url.scheme.value} url: use {fit}")
    if provider is KeyProvider.STATIC:
        return StaticKey(path)
    if provider is KeyProvider.TOKEN:
        return TokenKey(token)
    return DeployKey(Forge(provider.value), token, api_url or f"https://{url.host}")
