"""What the forges' APIs for deploy keys have in common, and how each differs. Pure: URLs, bodies, readings.

Sources: Gitea and Forgejo ``/repos/{owner}/{repo}/keys`` (docs.gitea.com/api), GitHub the same
(docs.github.com/en/rest/deploy-keys), GitLab ``/projects/:id/deploy_keys`` (docs.gitlab.com/api/deploy_keys).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from bot_bottle.base.errors import BotBottleError
from bot_bottle.manifest.schema import Forge

PAGE_SIZE = 50
"""What all of them give; Gitea's own upper bound by default (``MAX_RESPONSE_ITEMS``)"""


class ForgeError(BotBottleError):
    """The forge did not do what was asked; never holds the token."""


def repository_of(forge: Forge, path: str) -> str:
    """``owner/name`` (of GitLab: with its groups) out of an upstream's path. Raises :class:`ForgeError`."""
    name = path.strip("/").removesuffix(".git")
    steps = name.split("/")
    if len(steps) < 2 or not all(steps) or (len(steps) > 2 and forge is not Forge.GITLAB):
        raise ForgeError(f"must end with owner/name for a deploy key of {forge.value}, not {path!r}")
    return name


@dataclass(frozen=True)
class Listed:
    """A deploy key, as the forge lists it."""

    id: int
    title: str
    key: str
    """``TYPE BASE64``, without a comment"""


@dataclass(frozen=True)
class Api:
    """One repository's deploy keys at one forge."""

    forge: Forge
    base: str
    """``https://host/...`` without a slash at the end"""
    repository: str

    @property
    def keys_url(self) -> str:
        if self.forge is Forge.GITLAB:
            return f"{self.base}/projects/{quote(self.repository, safe='')}/deploy_keys"
        owner, _, name = self.repository.partition("/")
        return f"{self.base}/repos/{quote(owner, safe='')}/{quote(name, safe='')}/keys"

    def key_url(self, key_id: int) -> str:
        return f"{self.keys_url}/{key_id}"

    def page_query(self, page: int) -> dict[str, str]:
        size = "limit" if self.forge in (Forge.GITEA, Forge.FORGEJO) else "per_page"
        return {"page": str(page), size: str(PAGE_SIZE)}

    def headers(self, token: str) -> dict[str, str]:
        """GitLab takes any of its access tokens as ``PRIVATE-TOKEN``; Gitea's own word is ``token``."""
        common = {"accept": "application/json", "user-agent": "bot-bottle"}
        match self.forge:
            case Forge.GITLAB:
                return common | {"private-token": token}
            case Forge.GITHUB:
                return common | {
                    "accept": "application/vnd.github+json",
                    "authorization": f"Bearer {token}",
                    "x-github-api-version": "2022-11-28",
                }
            case Forge.GITEA | Forge.FORGEJO:
                return common | {"authorization": f"token {token}"}

    def body(self, title: str, key: str) -> dict[str, object]:
        """Of the request that registers *key* (``TYPE BASE64``) for reading and writing."""
        writes = {"can_push": True} if self.forge is Forge.GITLAB else {"read_only": False}
        return {"title": title, "key": key, **writes}


def api_of(forge: Forge, api_url: str, repository: str) -> Api:
    """*api_url*: ``https://host[:port][/path]``, with the API's own path or without."""
    base = api_url.rstrip("/")
    host = urlsplit(base).hostname or ""
    if forge is Forge.GITHUB:
        if host in ("github.com", "www.github.com", "ssh.github.com"):
            base = "https://api.github.com"
        suffix = "" if host.startswith("api.") or base == "https://api.github.com" else "/api/v3"
    elif forge is Forge.GITLAB:
        if host == "altssh.gitlab.com":
            base = "https://gitlab.com"
        suffix = "/api/v4"
    else:
        suffix = "/api/v1"
    return Api(forge, base if base.endswith(suffix) else f"{base}{suffix}", repository)


def read_key(data: bytes) -> Listed:
    """The answer to a registration. Raises :class:`ForgeError`."""
    return _listed(_json(data))


def read_keys(data: bytes) -> tuple[Listed, ...]:
    """One page of a listing. Raises :class:`ForgeError`."""
    found = _json(data)
    if not isinstance(found, list):
        raise ForgeError("the forge's list of keys is no list")
    return tuple(_listed(item) for item in found)


def says_taken(forge: Forge, status: int, data: bytes) -> bool:
    """Whether a refusal means that title or key exist already: 422, of GitLab 400 "has already been taken"."""
    if status == 422:
        return True
    return forge is Forge.GITLAB and status == 400 and b"already been taken" in data


def message_of(data: bytes) -> str:
    """What a refusal says to people: Gitea, GitHub and GitLab have ``message``, GitLab's may be structured."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return ""
    said = found.get("message") if isinstance(found, dict) else None
    return said if isinstance(said, str) else json.dumps(said) if said else ""


def fingerprint(key: str) -> str:
    """``SHA256:…`` of ``TYPE BASE64`` as ``ssh-keygen -l`` has it; empty for what is no key."""
    words = key.split()
    try:
        blob = base64.b64decode(words[1], validate=True)
    except (IndexError, ValueError):
        return ""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _listed(item: object) -> Listed:
    if not isinstance(item, Mapping):
        raise ForgeError("the forge's answer is no deploy key")
    number, title, key = item.get("id"), item.get("title"), item.get("key")
    if type(number) is not int or number <= 0 or not isinstance(title, str) or not isinstance(key, str):
        raise ForgeError("the forge's answer is no deploy key")
    return Listed(number, title, " ".join(key.split()[:2]))


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise ForgeError("the forge's answer is no JSON") from None
