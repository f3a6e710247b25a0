"""A forge on loopback that speaks the documented JSON of Gitea/Forgejo, GitHub and GitLab for deploy keys.

Sources: docs.gitea.com/api (``repoCreateKey`` and its siblings), docs.github.com/en/rest/deploy-keys/deploy-keys,
docs.gitlab.com/api/deploy_keys. What a test wants to go wrong is set by method: an answer instead of the deed
(``instead``), an answer after it (``after``; ``CUT``: none), a wait before either (``waits``).
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote

from bot_bottle.launch.forges import fingerprint
from bot_bottle.manifest.schema import Forge
from bot_bottle.testing.upstream import FakeUpstream, RecordedRequest, UpstreamConnection

CUT = -1
"""The status of an answer that never comes: the connection ends."""
MAX_WAIT_S = 10.0


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)


def refusal(status: int, message: object = "no") -> Answer:
    """As all three word it."""
    return Answer(status, json.dumps({"message": message}).encode())


@dataclass
class FakeForge:
    """A responder for :class:`FakeUpstream`; :meth:`serve` listens with TLS."""

    forge: Forge
    repositories: tuple[str, ...] = ("owner/name",)
    token: str = "forge-token-0123456789"  # noqa: S105 - of a forge that is none
    page_cap: int = 50
    """keys on a page, whatever is asked for"""
    keys: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    """by repository, as they are listed"""
    instead: dict[str, Answer] = field(default_factory=dict)
    after: dict[str, Answer] = field(default_factory=dict)
    waits: dict[str, threading.Event] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    """method and path of every request that came in"""
    next_id: int = 101

    def serve(self) -> FakeUpstream:
        """A context manager that listens."""
        return FakeUpstream(self)

    def titles(self) -> list[str]:
        """Of all deploy keys that there are."""
        return [str(key["title"]) for keys in self.keys.values() for key in keys]

    def add(self, repository: str, title: str, key: str, *, writes: bool = True) -> dict[str, object]:
        """Put a key there, as a person would."""
        entry: dict[str, object] = {
            "id": self.next_id,
            "title": title,
            "key": key,
            "created_at": "2026-01-02T03:04:05Z",
            "url": f"https://forge.example/keys/{self.next_id}",
        }
        if self.forge is Forge.GITLAB:
            entry |= {"can_push": writes, "fingerprint_sha256": fingerprint(key), "expires_at": None}
        else:
            entry |= {"read_only": not writes}
            entry |= {"verified": True} if self.forge is Forge.GITHUB else {"fingerprint": fingerprint(key)}
        self.next_id += 1
        self.keys.setdefault(repository, []).append(entry)
        return entry

    # -- serving
    def __call__(self, request: RecordedRequest, connection: UpstreamConnection) -> None:
        path, _, query = request.target.partition("?")
        self.calls.append((request.method, path))
        wait = self.waits.get(request.method)
        if wait is not None:
            wait.wait(MAX_WAIT_S)
        answer = self.instead.get(request.method) or self._answer(request, path, query)
        answer = self.after.get(request.method, answer)
        if answer.status == CUT:
            connection.cut()
        else:
            connection.reply(answer.status, answer.body, list(answer.headers))

    def _answer(self, request: RecordedRequest, path: str, query: str) -> Answer:
        if not self._signed_in(request):
            return refusal(401, "401 Unauthorized" if self.forge is Forge.GITLAB else "Bad credentials")
        repository, _, key_id = self._split(path)
        if repository not in self.repositories:
            return refusal(404, "Not Found")
        match request.method, key_id:
            case "POST", "":
                return self._create(repository, request.body)
            case "GET", "":
                return self._list(repository, query)
            case "DELETE", _ if key_id:
                return self._delete(repository, key_id)
        return refusal(405, "Method Not Allowed")

    def _signed_in(self, request: RecordedRequest) -> bool:
        if self.forge is Forge.GITLAB:
            return request.header("private-token") == self.token
        word = "Bearer" if self.forge is Forge.GITHUB else "token"
        return request.header("authorization") == f"{word} {self.token}"

    def _split(self, path: str) -> tuple[str, str, str]:
        """``owner/name``, the word for deploy keys, and what follows it; empty for other paths."""
        if self.forge is Forge.GITLAB:
            head, _, rest = path.removeprefix("/api/v4/projects/").partition("/")
            word, _, key_id = rest.partition("/")
            good = path.startswith("/api/v4/projects/") and word == "deploy_keys"
            return (unquote(head), word, key_id) if good else ("", "", "")
        base = "/api/v3/repos/" if self.forge is Forge.GITHUB else "/api/v1/repos/"
        steps = path.removeprefix(base).split("/")
        if not path.startswith(base) or len(steps) not in (3, 4) or steps[2] != "keys":
            return "", "", ""
        return f"{unquote(steps[0])}/{unquote(steps[1])}", "keys", steps[3] if len(steps) == 4 else ""

    def _create(self, repository: str, body: bytes) -> Answer:
        wanted = json.loads(body)
        title, key = wanted["title"], wanted["key"]
        for each in self.keys.get(repository, ()):
            if str(each["key"]).split()[:2] == key.split()[:2] or each["title"] == title:
                return self._taken()
        writes = (
            wanted.get("can_push") is True if self.forge is Forge.GITLAB else wanted.get("read_only") is False
        )
        return Answer(201, json.dumps(self.add(repository, title, key, writes=writes)).encode())

    def _taken(self) -> Answer:
        if self.forge is Forge.GITLAB:
            return refusal(400, {"deploy_key.fingerprint_sha256": ["has already been taken"]})
        if self.forge is Forge.GITHUB:
            errors = [
                {
                    "resource": "PublicKey",
                    "code": "custom",
                    "field": "key",
                    "message": "key is already in use",
                }
            ]
            return Answer(422, json.dumps({"message": "Validation Failed", "errors": errors}).encode())
        return refusal(422, "A key with the same name already exists")

    def _list(self, repository: str, query: str) -> Answer:
        asked = parse_qs(query)
        size_name = "limit" if self.forge in (Forge.GITEA, Forge.FORGEJO) else "per_page"
        size = min(int(asked.get(size_name, ["30"])[0]), self.page_cap)
        first = (int(asked.get("page", ["1"])[0]) - 1) * size
        return Answer(200, json.dumps(self.keys.get(repository, [])[first : first + size]).encode())

    def _delete(self, repository: str, key_id: str) -> Answer:
        keys = self.keys.get(repository, [])
        left = [key for key in keys if str(key["id"]) != key_id]
        if len(left) == len(keys):
            return refusal(404, "Not Found")
        self.keys[repository] = left
        return Answer(204)
