"""Upstreams of the git gate: a real ``sshd`` and an HTTPS server over ``git http-backend``, both on loopback.

Both serve the same bare repositories, below one directory of the test's, and keep what arrived. The daemon is
Debian's, unpacked and not installed; each connection gets one of its own (``sshd -i``) as the user ``git`` of a
user namespace, so that neither a user nor a service of this machine is touched.
"""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot_bottle.testing.upstream import FakeUpstream, RecordedRequest, UpstreamConnection

TOOLS = Path(__file__).resolve().parents[2] / "tools"
HOST, WEB = "git.example.test", "code.example.test"
"""by SSH, and by HTTPS"""
ROOT = "/srv/git"
"""where the repositories lie for whoever comes by SSH"""
TIMEOUT_S = 60.0
QUIET = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    "HOME": "/nonexistent",
}
AUTHOR = {
    **{f"GIT_{who}_NAME": "A Person" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "person@example.com" for who in ("AUTHOR", "COMMITTER")},
}

_PASSWD = f"git:x:1000:1000::{ROOT}:/bin/sh\n"
_GROUP = "git:x:1000:\n"
_FORCED = """\
#!/bin/sh
printf '%s\\t%s\\n' "$GIT_PROTOCOL" "$SSH_ORIGINAL_COMMAND" >>/srv/ground/commands
while [ -e /srv/ground/hold ]; do sleep 0.05; done
exec git-shell -c "$SSH_ORIGINAL_COMMAND"
"""
_CONFIG = """\
HostKey /srv/ground/host_key
AuthorizedKeysFile /srv/ground/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
AcceptEnv GIT_PROTOCOL
PidFile none
LogLevel VERBOSE
"""


def sshd() -> Path | None:
    """The daemon: this machine's, or where ``scripts/sshd.sh`` lays it."""
    found = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    unpacked = TOOLS / "sshd/usr/sbin/sshd"
    return unpacked if unpacked.exists() else Path(found) if found else None


@dataclass
class Repository:
    """One bare repository of an upstream's."""

    path: Path

    @property
    def ssh(self) -> str:
        return f"ssh://git@{HOST}{ROOT}/{self.path.name}"

    @property
    def scp(self) -> str:
        return f"git@{HOST}:{ROOT}/{self.path.name}"

    @property
    def https(self) -> str:
        return f"https://{WEB}/{self.path.name}"

    def git(self, *argv: str, given: bytes | None = None, env: Mapping[str, str] | None = None) -> str:
        """Output of a git command in it."""
        done = subprocess.run(
            ["git", *argv],
            cwd=self.path,
            env={**os.environ, **QUIET, **AUTHOR, **(env or {})},
            input=given,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert done.returncode == 0, (argv, done.stderr.decode(errors="replace"))
        return done.stdout.decode(errors="replace").strip()

    def refs(self) -> dict[str, str]:
        lines = self.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def tip(self, ref: str = "refs/heads/main") -> str | None:
        return self.refs().get(ref)

    def has(self, oid: str) -> bool:
        """Whether that object is there, whatever refers to it; objects of a refused push count too."""
        argv = ["git", "cat-file", "-e", oid]
        return (
            subprocess.run(
                argv, cwd=self.path, env={**os.environ, **QUIET}, stderr=subprocess.DEVNULL
            ).returncode
            == 0
        )

    def holds(self, text: bytes) -> bool:
        """Whether any object in it, reachable or not, has *text* in it."""
        argv = ["git", "cat-file", "--batch-all-objects", "--batch"]
        data = subprocess.run(
            argv, cwd=self.path, env={**os.environ, **QUIET}, capture_output=True, timeout=TIMEOUT_S
        )
        return text in data.stdout or any(text.decode() in ref for ref in self.refs())

    def commit(
        self, files: Mapping[str, bytes | str], message: str = "more", *, ref: str = "refs/heads/main"
    ) -> str:
        """A commit on top of *ref* with *files*, made here as somebody else's push would be; its id."""
        old = self.tip(ref)
        index = {"GIT_INDEX_FILE": str(self.path / "ground-index")}
        if old:
            self.git("read-tree", old, env=index)
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            blob = self.git("hash-object", "-w", "--stdin", given=data)
            self.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{name}", env=index)
        tree = self.git("write-tree", env=index)
        Path(index["GIT_INDEX_FILE"]).unlink()
        made = self.git("commit-tree", tree, "-m", message, *(["-p", old] if old else []))
        self.git("update-ref", ref, made)
        return made

    def hook(self, name: str, script: str) -> None:
        """The upstream's own rule."""
        place = self.path / "hooks" / name
        place.parent.mkdir(exist_ok=True)
        place.write_text(f"#!/bin/sh\n{script}\n")
        place.chmod(0o755)


class Sshd:
    """A listener on loopback whose every connection is an ``sshd`` of its own; ends with the context."""

    def __init__(self, place: Path, repositories: Path) -> None:
        daemon = sshd()
        assert daemon is not None, "no sshd here: run scripts/sshd.sh"
        self._daemon, self._place, self._repositories = daemon, place, repositories
        self.key = _key_pair(place / "client_key")
        """text of the private key that may in"""
        _key_pair(place / "host_key")
        self.host_key = " ".join((place / "host_key.pub").read_text().split()[:2])
        public = (place / "client_key.pub").read_text()
        forced = place / "forced"
        forced.write_text(_FORCED)
        forced.chmod(0o755)
        (place / "authorized_keys").write_text(f'restrict,command="/srv/ground/forced" {public}')
        (place / "config").write_text(_CONFIG + self._session_programs())
        self.accepted = 0
        """connections so far, with a key or without"""
        self._children: list[subprocess.Popen[bytes]] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, args=(self._listener,), daemon=True)
        self._thread.start()

    @property
    def commands(self) -> list[tuple[str, str]]:
        """(git protocol, command) of every session that got in, in order."""
        try:
            lines = (self._place / "commands").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [tuple(line.split("\t", 1)) for line in lines]  # type: ignore[misc]

    def hold(self) -> None:
        """Sessions that begin from now on stand still until :meth:`go`."""
        (self._place / "hold").touch()

    def go(self) -> None:
        (self._place / "hold").unlink(missing_ok=True)

    def client_command(self) -> str:
        """For ``GIT_SSH_COMMAND``: whoever has the key goes straight to the daemon, with no gate between."""
        known = self._place / "known_hosts"
        known.write_text(f"[127.0.0.1]:{self.port} {self.host_key}\n")
        options = f"-F none -i {self._place}/client_key -o UserKnownHostsFile={known} -o HostName=127.0.0.1"
        return f"ssh {options} -o BatchMode=yes -o IdentitiesOnly=yes -p {self.port}"

    def close(self) -> None:
        """From now on the upstream is down."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for child in self._children:
            child.kill()
            child.wait()
        self._children.clear()

    def reopen(self) -> None:
        """Up again, on the same port."""
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=256)
        self._thread = threading.Thread(target=self._serve, args=(self._listener,), daemon=True)
        self._thread.start()

    def _session_programs(self) -> str:
        """OpenSSH 9.8 and later run other programs for a session, at a path that is built in."""
        found = self._daemon.parents[1] / "lib/openssh"
        names = {"SshdSessionPath": "sshd-session", "SshdAuthPath": "sshd-auth"}
        return "".join(f"{key} {found / name}\n" for key, name in names.items() if (found / name).exists())

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            self.accepted += 1
            with sock:
                self._children = [child for child in self._children if child.poll() is None]
                self._children.append(self._session(sock))

    def _session(self, sock: socket.socket) -> subprocess.Popen[bytes]:
        with contextlib.ExitStack() as stack:
            data = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(2)]
            for file, text in zip(data, (_PASSWD, _GROUP), strict=True):
                file.write(text.encode())
                file.seek(0)
            passwd, group = (file.fileno() for file in data)
            argv = [
                "bwrap",
                "--unshare-user",
                "--unshare-pid",
                "--unshare-ipc",
                "--uid",
                "1000",
                "--gid",
                "1000",
            ]
            argv += [
                "--die-with-parent",
                "--ro-bind",
                "/",
                "/",
                "--dev",
                "/dev",
                "--proc",
                "/proc",
                "--tmpfs",
                "/srv",
            ]
            argv += ["--bind", str(self._repositories), ROOT, "--bind", str(self._place), "/srv/ground"]
            argv += ["--ro-bind-data", str(passwd), "/etc/passwd", "--ro-bind-data", str(group), "/etc/group"]
            argv += ["--", str(self._daemon), "-i", "-e", "-f", "/srv/ground/config"]
            log = stack.enter_context((self._place / "log").open("ab"))
            libraries = next(self._daemon.parents[1].glob("lib/*-linux-gnu"), None)
            env = {"PATH": os.environ["PATH"]} | ({"LD_LIBRARY_PATH": str(libraries)} if libraries else {})
            return subprocess.Popen(
                argv, stdin=sock, stdout=sock, stderr=log, env=env, pass_fds=[passwd, group]
            )


def _key_pair(path: Path) -> str:
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)]
    subprocess.run(argv, check=True, timeout=TIMEOUT_S)
    return path.read_text()


class WebServer(FakeUpstream):
    """``git http-backend`` behind TLS, for whoever shows *token* as a password or a bearer."""

    def __init__(self, repositories: Path, token: str) -> None:
        super().__init__(self._answer, alpn=("http/1.1",))
        self._repositories, self.token = repositories, token
        self.redirect_to: str | None = None
        """set: every request is answered with 302 to here"""

    def _answer(self, request: RecordedRequest, connection: UpstreamConnection) -> None:
        if self.redirect_to is not None:
            connection.reply(302, b"", [("Location", self.redirect_to + request.target)], "Found")
        elif not self._may(request.header("authorization") or ""):
            connection.reply(401, b"", [("WWW-Authenticate", 'Basic realm="code"')], "Unauthorized")
        else:
            self._backend(request, connection)

    def _may(self, shown: str) -> bool:
        kind, _, value = shown.partition(" ")
        if kind.lower() == "basic":
            with contextlib.suppress(ValueError):
                return base64.b64decode(value).decode().partition(":")[2] == self.token
        return value == self.token

    def _backend(self, request: RecordedRequest, connection: UpstreamConnection) -> None:
        path, _, query = request.target.partition("?")
        env = {
            **QUIET,
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self._repositories),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "gate",
            "REMOTE_ADDR": "127.0.0.1",
            "REQUEST_METHOD": request.method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": request.header("content-type") or "",
            "CONTENT_LENGTH": str(len(request.body)),
            "HTTP_CONTENT_ENCODING": request.header("content-encoding") or "",
            "GIT_PROTOCOL": request.header("git-protocol") or "",
        }
        done = subprocess.run(
            ["git", "http-backend"], input=request.body, env=env, capture_output=True, timeout=TIMEOUT_S
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        fields = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n") if ": " in line]
        status = next((value for name, value in fields if name == "Status"), "200 OK")
        kept = [(name, value) for name, value in fields if name != "Status"]
        connection.reply(int(status[:3]), body, kept, status[4:])


@dataclass
class Ground:
    """Both upstreams."""

    repositories: Path
    ssh: Sshd
    web: WebServer
    made: list[Repository] = field(default_factory=list)

    def repository(self, name: str = "project") -> Repository:
        """A new bare repository with one commit on ``main``."""
        path = self.repositories / f"{name}.git"
        env = {**os.environ, **QUIET}
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(path)], check=True, env=env)
        repository = Repository(path)
        repository.git("config", "http.receivepack", "true")
        repository.commit({"README.md": "hello\n", "src/app.py": "print('one')\n"}, "Begin")
        self.made.append(repository)
        return repository

    @property
    def flags(self) -> list[str]:
        """For ``run``: where the two names lead."""
        return [
            f"--connect-to={HOST}:22:127.0.0.1:{self.ssh.port}",
            f"--connect-to={WEB}:443:127.0.0.1:{self.web.port}",
        ]


@contextlib.contextmanager
def ground(token: str) -> Iterator[Ground]:
    """*token*: what the HTTPS upstream wants to see."""
    place = Path(tempfile.mkdtemp(prefix="bb-git-", dir="/var/tmp"))
    for name in ("ssh", "git"):
        (place / name).mkdir()
    (place / "git/.config").write_text("")
    try:
        ssh = Sshd(place / "ssh", place / "git")
        try:
            with WebServer(place / "git", token) as web:
                yield Ground(place / "git", ssh, web)
        finally:
            ssh.close()
    finally:
        shutil.rmtree(place)
