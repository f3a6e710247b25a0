"""A gate's process as a sidecar's parent starts it, less the confinement: a fork with its five descriptors."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import signal
import socket
import subprocess
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

import git_ground
import msgspec

from bot_bottle.gitgate.config import GateRepo, GateSpec, RepoPolicy, UrlScheme
from bot_bottle.ipc import wire
from bot_bottle.ipc.sidecar import (
    ConnectTo,
    Drain,
    FromSidecar,
    KnownValue,
    NewTokens,
    Ready,
    Refused,
    SidecarSecrets,
    SidecarSpec,
    TokensTaken,
)

TOKEN = "".join(random.Random(6).choices("abcdefghijkmnpqrstuvwxyz23456789", k=32))
GITLEAKS = Path(__file__).resolve().parents[3] / "tools/gitleaks/usr/bin/gitleaks"
QUIET = {**git_ground.QUIET, **git_ground.AUTHOR, "PATH": os.environ["PATH"]}

LAUNCH = "f" * 32

_numbers = itertools.count()


class GateGround:
    """Upstreams, a gate for some of them, and an agent's git."""

    def __init__(self, upstreams: git_ground.Ground, place: Path) -> None:
        self.upstreams, self.place = upstreams, place
        self.repos: list[GateRepo] = []
        self.log = place / "git.jsonl"
        self.known: tuple[KnownValue, ...] = ()
        self.supervise = False
        self.ask_timeout_s = 60
        self.gitleaks = GITLEAKS
        self.port = 0
        self.pid = 0
        self._control: socket.socket | None = None
        for name in ("told", "run"):
            (place / name).mkdir()

    def __enter__(self) -> GateGround:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def add(
        self, *, https: bool = False, name: str = "", policy: RepoPolicy | None = None
    ) -> git_ground.Repository:
        """A new upstream repository of that name, and the gate's entry for it."""
        name = name or f"project-{next(_numbers)}"
        made = self.upstreams.repository(name)
        url, host = (made.https, git_ground.WEB) if https else (made.ssh, git_ground.HOST)
        self.repos.append(
            GateRepo(
                name=name,
                url=url,
                scheme=UrlScheme.HTTPS if https else UrlScheme.SSH,
                host=host,
                user="" if https else "git",
                path=url.split("/", 3)[3],
                host_keys=() if https else (self.upstreams.ssh.host_key,),
                slot="GATE_TOKEN" if https else "GATE_KEY",
                policy=policy or RepoPolicy(),
            )
        )
        return made

    def start(self) -> Ready | Refused:
        """Fork a gate, after the end of an earlier one; what it says first."""
        self.kill()
        spec = SidecarSpec(
            bottle="b",
            nonce="n",
            egress_dir=str(self.place / "told"),
            run_dir=str(self.place / "run"),
            kind="gate",
            gate=GateSpec(
                repos=tuple(self.repos), gitleaks=str(self.gitleaks), ask_timeout_s=self.ask_timeout_s
            ),
            supervise=self.supervise,
            launch=LAUNCH,
            extra_ca_pem=self.upstreams.web.ca_pem,
            connect_to=(
                ConnectTo(git_ground.HOST, 22, "127.0.0.1", self.upstreams.ssh.port),
                ConnectTo(git_ground.WEB, 443, "127.0.0.1", self.upstreams.web.port),
            ),
        )
        tokens = {"GATE_KEY": self.upstreams.ssh.key, "GATE_TOKEN": TOKEN}
        secrets = SidecarSecrets(tokens=tokens, known=self.known)
        listener = socket.create_server(("127.0.0.1", self.port), backlog=1024)
        self.port = listener.getsockname()[1]
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        link, other = socket.socketpair()
        read, write = os.pipe()
        os.write(write, msgspec.json.encode(secrets))
        os.close(write)
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.pid = os.fork()
        if self.pid == 0:
            ours.close()
            other.close()
            self._live(spec, listener, theirs, link, read, log)
        for each in (listener, theirs, link, other):
            each.close()
        os.close(read)
        os.close(log)
        self._control = ours
        ours.settimeout(60)
        said, _ = wire.receive(ours, FromSidecar)
        assert isinstance(said, Ready | Refused)
        return said

    def _live(
        self,
        spec: SidecarSpec,
        listener: socket.socket,
        control: socket.socket,
        link: socket.socket,
        fd: int,
        log: int,
    ) -> NoReturn:
        status = 70
        try:
            from bot_bottle.sidecar.gate import process  # as ``sidecar.kinds`` does, in the fork

            os.setsid()
            os.dup2(log, 2)
            memory = self.place / f"memory-{os.getpid()}"
            for name in ("keys", "work"):
                (memory / name).mkdir(parents=True)
            status = process.run(
                spec,
                listener=listener,
                control=control,
                link=link,
                secrets=fd,
                log=log,
                told_dir=self.place / "told",
                run_dir=self.place / "run",
                keys_dir=memory / "keys",
                work_dir=memory / "work",
            )
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)

    def tell(self, **secrets: object) -> TokensTaken | Refused:
        """More secrets, as the host sends them while the gate runs."""
        assert self._control is not None
        read, write = os.pipe()
        os.write(write, msgspec.json.encode(SidecarSecrets(**{"tokens": {}, **secrets})))  # type: ignore[arg-type]
        os.close(write)
        wire.send(self._control, NewTokens(), (read,))
        os.close(read)
        said, _ = wire.receive(self._control, FromSidecar)
        assert isinstance(said, TokensTaken | Refused)
        return said

    def drain(self) -> int:
        """Ask it to end; its exit status."""
        assert self._control is not None
        wire.send(self._control, Drain())
        return self.wait()

    def hang_up(self) -> None:
        """The launcher is gone."""
        assert self._control is not None
        self._control.close()
        self._control = None

    def wait(self) -> int:
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def kill(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()
        if self._control is not None:
            self._control.close()
            self._control = None

    def url(self, repository: git_ground.Repository) -> str:
        """Where the agent finds it."""
        return f"http://127.0.0.1:{self.port}/{repository.path.name}"

    def git(
        self, *argv: str, cwd: Path | None = None, given: bytes | None = None, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """The agent's git, to its end; *given* is its standard input."""
        done = subprocess.run(
            ["git", *argv],
            cwd=cwd or self.place,
            env={**QUIET, **env},
            input=b"" if given is None else given,
            capture_output=True,
            timeout=120,
            check=False,
        )
        out, err = (each.decode("utf-8", "replace") for each in (done.stdout, done.stderr))
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

    def open_git(self, *argv: str, cwd: Path) -> subprocess.Popen[bytes]:
        """The agent's git, under way, first of a process group."""
        null = subprocess.DEVNULL
        return subprocess.Popen(
            ["git", *argv], cwd=cwd, env=QUIET, stdin=null, stdout=null, stderr=null, start_new_session=True
        )

    def clone(self, repository: git_ground.Repository, *argv: str) -> Path:
        """A clone through the gate, or the test fails with what git said."""
        where = self.place / f"clone-{next(_numbers)}"
        done = self.git("clone", *argv, self.url(repository), str(where))
        assert done.returncode == 0, (done.stderr, self.said())
        return where

    def commit(self, clone: Path, name: str = "file", content: str = "text\n") -> str:
        """A commit of the agent's; its id."""
        path = clone / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        for argv in (["add", "-A"], ["commit", "-q", "-m", f"change {name}"]):
            done = self.git(*argv, cwd=clone)
            assert done.returncode == 0, done.stderr
        return self.git("rev-parse", "HEAD", cwd=clone).stdout.strip()

    def said(self) -> str:
        """The gate's log so far."""
        with contextlib.suppress(FileNotFoundError):
            return self.log.read_text()
        return ""

    def records(self, event: str) -> list[dict[str, Any]]:
        """The log's, of one kind."""
        found = [json.loads(line) for line in self.said().splitlines() if line.startswith("{")]
        return [record for record in found if record["event"] == event]

    def memory_bytes(self) -> int:
        """Resident memory of the gate's process alone."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))) * 1024
