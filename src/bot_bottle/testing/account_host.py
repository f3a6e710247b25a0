"""A host with several accounts, as careless as one can be about whose a request is: the witness of grants.

It stores each request under every account whose secret it can find anywhere in the request's head: in any header's
value or name, in query and path, decoded as servers do and further, in either part of Basic. No real service reads
all of these; each of them is read by some. What is stored is what the account's owner could fetch later.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from bot_bottle.testing.upstream import FakeUpstream, RecordedRequest, UpstreamConnection

SESSION = "session"
"""name of the cookie that a login sets"""
LOGIN = "/login/"
"""``/login/NAME`` opens a session for that account"""


@dataclass
class AccountHost:
    """*secrets* by account name; each at least 16 characters of lower-case letters and digits, so that no
    spelling hides one. A responder for :class:`FakeUpstream`."""

    secrets: Mapping[str, str]
    stored: dict[str, list[RecordedRequest]] = field(default_factory=dict)
    """what came in, by account"""
    unclaimed: list[RecordedRequest] = field(default_factory=list)
    """what came in under none"""

    def __call__(self, request: RecordedRequest, connection: UpstreamConnection) -> None:
        owners = self.owners(request)
        for owner in owners:
            self.stored.setdefault(owner, []).append(request)
        if not owners:
            self.unclaimed.append(request)
        cookies = [
            ("Set-Cookie", f"{SESSION}={secret}; Secure")
            for name, secret in self.secrets.items()
            if LOGIN + name in request.target
        ]
        body = b"" if request.method == "HEAD" else b"stored"
        connection.reply(200, body, [("Content-Type", "text/plain"), *cookies])

    def owners(self, request: RecordedRequest) -> list[str]:
        """The accounts that *request* names in some way."""
        said = "\n".join(_said(request))
        return [name for name, secret in self.secrets.items() if secret in said]

    def of(self, account: str) -> list[RecordedRequest]:
        """What its owner finds."""
        return self.stored.get(account, [])

    def serve(self) -> FakeUpstream:
        """A context manager that listens."""
        return FakeUpstream(self)


def _said(request: RecordedRequest) -> Iterator[str]:
    """Every reading of the head, in lower case."""
    parts = [request.method, request.target, *(part for pair in request.headers for part in pair)]
    for part in parts:
        once = unquote_plus(part)
        for reading in (part, once, unquote_plus(once)):
            yield reading.lower()
            yield "".join(char for char in reading.lower() if char.isalnum())
        for word in part.replace("=", "= ").replace(",", " ").split():
            yield _decoded(word.strip(" ")).lower()
        yield _decoded(part.rpartition(" ")[2]).lower()


def _decoded(text: str) -> str:
    """Base64 taken off, where it is some."""
    try:
        return b64decode(text + "=" * (-len(text) % 4)).decode("latin-1")
    except (Base64Error, ValueError):
        return ""
