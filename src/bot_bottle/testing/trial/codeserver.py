"""A git server for two small repositories: git's own http-backend behind the scripted upstream.

``demo.git`` serves fetches and pushes alike; that no push arrives is the proxy's doing, which is the point.
``shared.git`` is the git gate's upstream: whoever has the token may push.
"""

from __future__ import annotations

import secrets
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from pathlib import Path

from bot_bottle.base.process import ProcessFailed, plain_environment, run
from bot_bottle.testing.trial.inside.work import FAULT
from bot_bottle.testing.upstream import RecordedRequest, UpstreamConnection

TIMEOUT_S = 20.0

_PROGRAM = f'''"""Prints the sum of numbers.txt."""

from pathlib import Path

{FAULT}for line in Path(__file__).with_name("numbers.txt").read_text().split():
    total += int(line)
print(total)
'''


class CodeServer:
    """Both below *directory*; :meth:`respond` answers for ``demo.git``, :meth:`guarded` for the other."""

    def __init__(self, directory: Path) -> None:
        """Makes the repository; raises ``ProcessFailed`` when git can't."""
        self._root = directory
        numbers = [secrets.randbelow(10_000) for _ in range(40)]
        self.total = sum(numbers)
        """what the mended program prints: nobody can know it who did not run it"""
        work = directory / "work"
        work.mkdir(parents=True)
        (work / "total.py").write_text(_PROGRAM)
        (work / "numbers.txt").write_text("\n".join(map(str, numbers)) + "\n")
        who = ("-c", "user.name=demo", "-c", "user.email=demo@example.com")
        self._git("init", "-q", "-b", "main", str(work))
        self._git("-C", str(work), "add", "-A")
        self._git("-C", str(work), *who, "commit", "-q", "-m", "Sum the numbers")
        for name in ("demo.git", "shared.git"):
            self._git("clone", "-q", "--bare", str(work), str(directory / name))
            self._git("-C", str(directory / name), "config", "http.receivepack", "true")
        self.token = f"tryToken_{secrets.token_hex(20)}"
        self._backend = f"{self._git('--exec-path').decode().strip()}/git-http-backend"

    @property
    def _env(self) -> dict[str, str]:
        return {**plain_environment(), "HOME": str(self._root), "GIT_CONFIG_NOSYSTEM": "1"}

    def _git(self, *args: str) -> bytes:
        return run(["git", *args], timeout_s=TIMEOUT_S, env=self._env).stdout

    def shared_head(self) -> str:
        """The commit that ``main`` of the shared repository is at."""
        return self._git("-C", str(self._root / "shared.git"), "rev-parse", "main").decode().strip()

    def guarded(self, request: RecordedRequest, connection: UpstreamConnection) -> None:
        """As :meth:`respond`, for who shows the token (Basic, as git does it)."""
        if self.token.encode() not in _password(request.header("authorization") or ""):
            challenge = [("WWW-Authenticate", 'Basic realm="shared"')]
            connection.reply(401, b"", challenge, reason="Unauthorized")
            return
        self.respond(request, connection)

    def respond(self, request: RecordedRequest, connection: UpstreamConnection) -> None:
        """Run the CGI program (RFC 3875) and pass its answer on."""
        path, _, query = request.target.partition("?")
        env = {
            **self._env,
            "GIT_PROJECT_ROOT": str(self._root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": request.method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": request.header("content-type") or "",
            "CONTENT_LENGTH": str(len(request.body)),
            **_forwarded(request),
        }
        try:
            done = run([self._backend], timeout_s=TIMEOUT_S, env=env, stdin=request.body)
        except ProcessFailed as error:
            connection.reply(500, str(error).encode(), reason="Server Error")
            return
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        pairs = [line.partition(": ") for line in head.decode("latin-1").split("\r\n")]
        headers = [(name, value) for name, _, value in pairs if name != "Status"]
        status = next((int(value.split()[0]) for name, _, value in pairs if name == "Status"), 200)
        connection.reply(status, body, headers, reason="OK" if status == 200 else "Error")


def _password(field: str) -> bytes:
    try:
        return b64decode(field.removeprefix("Basic "), validate=True).partition(b":")[2]
    except (Base64Error, ValueError):
        return b""


def _forwarded(request: RecordedRequest) -> Mapping[str, str]:
    names = {"git-protocol": "GIT_PROTOCOL", "content-encoding": "HTTP_CONTENT_ENCODING"}
    values = ((variable, request.header(header)) for header, variable in names.items())
    return {variable: value for variable, value in values if value}
