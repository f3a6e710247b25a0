"""One repository's deploy keys at its forge, over HTTPS (httpx): make, find, remove.

The token goes to the API's own address and nowhere else: no redirect is followed. Certificates are checked
against the host's roots. Every call ends within 30 s, whatever comes back; what comes back is bounded and
strictly read. No error holds the token.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress

import httpx

from bot_bottle.base.secret import Secret
from bot_bottle.base.text import printable
from bot_bottle.launch.forges import (
    PAGE_SIZE,
    Api,
    ForgeError,
    Listed,
    fingerprint,
    message_of,
    read_key,
    read_keys,
    says_taken,
)
from bot_bottle.manifest.schema import Forge

CALL_TIMEOUT_S = 30.0
"""From the name's resolution to the answer's last byte (spec git-gate §1)."""
MAX_ANSWER_BYTES = 1024 * 1024
"""A page of 50 deploy keys has 25 KB."""
MAX_PAGES = 40
"""2,000 keys of one repository"""

_NEEDS = {
    Forge.GITEA: "write:repository, of an administrator of the repository",
    Forge.FORGEJO: "write:repository, of an administrator of the repository",
    Forge.GITHUB: "'Administration: read and write' of the repository",
    Forge.GITLAB: "scope api, of a maintainer of the project",
}


class KeyTaken(ForgeError):
    """Title or key are there already (HTTP 422; GitLab: 400 "has already been taken")."""


class AnswerUnknown(ForgeError):
    """The forge may have done it: no answer came, or none that says so."""


class ForgeClient:
    """Talks to one API with one token. Each call is a loop and a thread of its own: the rest of a launch has none."""

    def __init__(self, api: Api, token: Secret, token_ref: str, extra_ca: str = "") -> None:
        """*token_ref*: how errors name the token. *extra_ca*: a file of further roots."""
        self._api = api
        self._token = token
        self._token_ref = token_ref
        self._extra_ca = extra_ca

    def create(self, title: str, key: str) -> Listed:
        """Register *key* (``TYPE BASE64``), which may push. Raises :class:`KeyTaken`, :class:`AnswerUnknown`,
        :class:`ForgeError`."""
        status, data = self._call("POST", self._api.keys_url, body=self._api.body(title, key))
        if says_taken(self._api.forge, status, data):
            raise KeyTaken(
                f"the forge says that the deploy key {title!r} can't be added to {self._api.repository} since "
                f"title or key exist already, or are not accepted ({self._said(data)}): look at the "
                "repository's deploy keys, and let 'bot-bottle cleanup' revoke what ended bottles left"
            )
        if status not in (200, 201):
            raise self._refusal(status, data)
        try:
            return read_key(data)
        except ForgeError as error:
            raise AnswerUnknown(str(error)) from None

    def find(self, wanted: str) -> Listed | None:
        """The deploy key with the fingerprint *wanted*. Raises :class:`ForgeError`."""
        seen: set[int] = set()
        for page in range(1, MAX_PAGES + 1):
            status, data = self._call("GET", self._api.keys_url, query=self._api.page_query(page))
            if status != 200:
                raise self._refusal(status, data)
            keys = read_keys(data)
            for key in keys:
                if fingerprint(key.key) == wanted:
                    return key
            new = {key.id for key in keys} - seen
            if not new:  # the end, or a server that knows no pages
                return None
            seen |= new
        raise ForgeError(f"{self._api.repository} has more than {MAX_PAGES * PAGE_SIZE} deploy keys")

    def delete(self, key_id: int) -> bool:
        """False: it was gone already. Raises :class:`ForgeError`."""
        status, data = self._call("DELETE", self._api.key_url(key_id))
        if status in (200, 202, 204):
            return True
        if status == 404:
            return False
        raise self._refusal(status, data)

    # -- one call
    def _call(
        self, method: str, url: str, *, query: dict[str, str] | None = None, body: object = None
    ) -> tuple[int, bytes]:
        where = httpx.URL(url).host
        trust = self._trust()
        try:
            return _Call(self._exchange(method, url, query, body, trust)).result()
        except TimeoutError:
            raise AnswerUnknown(f"{where} did not answer within {CALL_TIMEOUT_S:g} s: try again") from None
        except httpx.ConnectError as error:
            # Nothing was sent yet: a refused connection, an unknown name, a certificate that is not trusted.
            raise ForgeError(f"{where} can't be reached: {_reason(error)}") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise AnswerUnknown(f"{where} broke off: {_reason(error)}") from None

    async def _exchange(
        self, method: str, url: str, query: dict[str, str] | None, body: object, trust: ssl.SSLContext
    ) -> tuple[int, bytes]:
        headers = {**self._api.headers(self._token.reveal()), "accept-encoding": "identity"}
        async with (
            asyncio.timeout(CALL_TIMEOUT_S),
            httpx.AsyncClient(verify=trust, timeout=CALL_TIMEOUT_S, follow_redirects=False) as client,
            client.stream(method, url, params=query, json=body, headers=headers) as answer,
        ):
            data = b""
            async for block in answer.aiter_raw():
                data += block
                if len(data) > MAX_ANSWER_BYTES:
                    raise httpx.DecodingError(f"its answer has more than {MAX_ANSWER_BYTES} bytes")
            return answer.status_code, data

    def _trust(self) -> ssl.SSLContext:
        """The host's roots, as OpenSSL finds them (``SSL_CERT_FILE``), and the bottle's further ones."""
        context = ssl.create_default_context()
        if self._extra_ca:
            try:
                context.load_verify_locations(cafile=self._extra_ca)
            except OSError as error:  # ssl.SSLError is one
                raise ForgeError(f"roots can't be read from {self._extra_ca!r}: {error.strerror}") from error
        return context

    # -- what goes wrong
    def _refusal(self, status: int, data: bytes) -> ForgeError:
        api, token = self._api, self._token_ref
        if status == 429 or status >= 500:
            return AnswerUnknown(f"the forge can't now (status {status}): try again later")
        if status == 401:
            text = f"the forge does not take the token in {token}: it may have expired, so export a new one"
        elif status == 403:
            text = (
                f"the token in {token} may not manage the deploy keys of {api.repository} (or was used too "
                f"often): it needs {_NEEDS[api.forge]}"
            )
        elif status == 404:
            text = (
                f"the forge has no repository {api.repository}, or does not show it to the token in {token}: it "
                f"needs {_NEEDS[api.forge]}"
            )
        elif 300 <= status < 400:
            text = f"{httpx.URL(api.base).host} sends elsewhere: name the API's own address in api_url"
        else:
            text = f"the forge refused: {self._said(data)}"
        return ForgeError(f"{text} (status {status})")

    def _said(self, data: bytes) -> str:
        """The forge's own words, if there are any and the token is not in them."""
        text = printable(message_of(data), limit=200)
        return text if text and self._token.reveal() not in text else "it says no more"


class _Call(threading.Thread):
    """A coroutine in a thread of its own. What a signal's handler raises (``watching.Stopped``, Ctrl-C) comes out of
    :meth:`result`; within a loop it would land in some callback, which takes it for an error of its own."""

    def __init__(self, work: Coroutine[object, object, tuple[int, bytes]]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self._outcome: Future[tuple[int, bytes]] = Future()
        self._runs = threading.Event()

    def run(self) -> None:
        try:
            self._outcome.set_result(asyncio.run(self._main()))
        except BaseException as error:
            self._outcome.set_exception(error)

    async def _main(self) -> tuple[int, bytes]:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._runs.set()
        return await self._work

    def result(self) -> tuple[int, bytes]:
        """Of the work, or what it raised; the thread has ended in any case."""
        self.start()
        try:
            return self._outcome.result()
        finally:
            self._end()

    def _end(self) -> None:
        if not self._outcome.done() and self._runs.wait(CALL_TIMEOUT_S) and self._task is not None:
            with suppress(RuntimeError):  # it has ended meanwhile
                self._loop.call_soon_threadsafe(self._task.cancel)
        self.join(CALL_TIMEOUT_S)


def _reason(error: Exception) -> str:
    """Never the request: httpx's errors hold it, their text does not."""
    return printable(str(error) or type(error).__name__, limit=200)
