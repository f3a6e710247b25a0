"""A bottle with repositories, and a shell that stays open in it; what the tests of the git gate share."""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from e2e_support import processes_of
from git_ground import TOOLS, Ground, Repository, ground
from git_watch import below, named

from bot_bottle.store.metadata import read_metadata
from bot_bottle.store.proposals import Questions

TOKEN = "token-of-the-operators-for-code-example-test"
KEY_FILE = "keys/gate"
GATE = "http://127.0.0.1:9418"
_DRIVER = r"""
import json, subprocess, sys
for line in sys.stdin:
    order = json.loads(line)
    done = subprocess.run(["bash", "-c", order["script"]], input=order["given"].encode(), capture_output=True)
    said = {"status": done.returncode, "out": done.stdout.decode("utf-8", "replace"),
            "err": done.stderr.decode("utf-8", "replace")}
    print(json.dumps(said), flush=True)
"""


@dataclass(frozen=True)
class Done:
    """How a script in the bottle ended."""

    status: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


class Inside:
    """A running bottle; scripts are run by bash in it, one after the other."""

    def __init__(self, person: Any, flags: Sequence[str], env: Mapping[str, str], verb: str = "run") -> None:
        self.person = person
        before = set(person.states())
        self.process = person.popen(
            verb, *flags, "--", "python3", "-c", _DRIVER, env=env,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._answers: queue.Queue[bytes] = queue.Queue()
        self.complaints = bytearray()
        """what the command said on stderr, the preflight included"""
        for read in (self._read, self._listen):
            threading.Thread(target=read, daemon=True).start()
        started = self("true", timeout_s=60)
        assert started.status == 0, started
        new = set(person.states()) - before
        self.identity: str = new.pop() if new else flags[-1]

    def _read(self) -> None:
        for line in self.process.stdout:
            self._answers.put(line)
        self._answers.put(b"")

    def _listen(self) -> None:
        for line in self.process.stderr:
            self.complaints += line

    def send(self, script: str, given: str = "") -> None:
        """Begin; :meth:`result` waits for the end."""
        self.process.stdin.write(json.dumps({"script": script, "given": given}).encode() + b"\n")
        self.process.stdin.flush()

    def result(self, timeout_s: float = 60.0) -> Done:
        line = self._answers.get(timeout=timeout_s)
        assert line, f"the bottle ended: {self.process.wait(20)} {self.complaints.decode()}\n{self.log()}"
        return Done(**json.loads(line))

    def log(self) -> str:
        """All that gates of this person's have written down."""
        found = sorted((self.person.home / ".bot-bottle/logs").rglob("*.git.log"))
        return "".join(path.read_text() for path in found)

    def __call__(self, script: str, given: str = "", *, timeout_s: float = 60.0) -> Done:
        self.send(script, given)
        return self.result(timeout_s)

    def ok(self, script: str, given: str = "", *, timeout_s: float = 60.0) -> str:
        """What a script says that must end well."""
        done = self(script, given, timeout_s=timeout_s)
        assert done.status == 0, (script, done.said)
        return done.out

    def end(self) -> int:
        """Its status, once it is over."""
        if not self.process.stdin.closed:
            self.process.stdin.close()
        return self.process.wait(30)


@dataclass
class Gate:
    """A person, both upstreams, and the bottle that is declared for them."""

    person: Any
    ground: Ground
    ssh: Repository
    web: Repository
    env: dict[str, str]
    flags: list[str]
    running: list[Inside] = field(default_factory=list)

    def write_bottle(
        self, policy: Mapping[str, Any] | None = None, more: str = "", *, url: str | None = None
    ) -> None:
        """The bottle ``b``; *policy*: further keys of the repository ``project``."""
        keys = "".join(f", {name}: {json.dumps(value)}" for name, value in (policy or {}).items())
        self.person.write(
            ".bot-bottle/bottles/b.md",
            f"""---
agent_provider: {{template: command}}
git-gate:
  user: {{name: Agent, email: agent@example.com}}
  repos:
    project: {{url: "{url or self.ssh.ssh}", key: {{provider: static, path: ~/{KEY_FILE}}},
              host_key: "{self.ground.ssh.host_key}"{keys}}}
    pages: {{url: "{self.web.https}", key: {{provider: token, token_ref: CODE_TOKEN}}}}
{more}---
""",
        )

    def start(self, *flags: str, env: Mapping[str, str] | None = None) -> Inside:
        made = Inside(self.person, ["--bottle", "b", *self.flags, *flags], {**self.env, **(env or {})})
        self.running.append(made)
        return made

    def resume(self, identity: str) -> Inside:
        made = Inside(self.person, ["--yes", identity], self.env, "resume")
        self.running.append(made)
        return made


@contextmanager
def gate(person: Any) -> Iterator[Gate]:
    """A bottle ``b`` with ``project`` (SSH) and ``pages`` (HTTPS), each with one commit upstream."""
    with ExitStack() as stack:
        found = stack.enter_context(ground(TOKEN))
        key = person.write(KEY_FILE, found.ssh.key)
        key.chmod(0o600)
        env = {"CODE_TOKEN": TOKEN, "BOT_BOTTLE_GITLEAKS": str(stack.enter_context(_gitleaks()))}
        ca = person.write("upstream.pem", found.web.ca_pem)
        flags = [*found.flags, "--extra-ca", str(ca)]
        made = Gate(person, found, found.repository("project"), found.repository("pages"), env, flags)
        made.write_bottle()
        try:
            yield made
        finally:
            for inside in made.running:
                inside.process.terminate()
                inside.process.wait(30)


@contextmanager
def _gitleaks() -> Iterator[Path]:
    """The scanner, where any user can reach it."""
    found = TOOLS / "gitleaks/usr/bin/gitleaks"
    known = str(found) if found.exists() else shutil.which("gitleaks")
    assert known is not None, "no gitleaks here: run scripts/gitleaks.sh"
    if all(parent.stat().st_mode & 0o001 for parent in Path(known).resolve().parents):
        yield Path(known)
        return
    copy = Path(tempfile.mkdtemp(prefix="bb-gitleaks-", dir="/var/tmp"))
    copy.chmod(0o755)
    shutil.copy(known, copy)
    try:
        yield copy / "gitleaks"
    finally:
        shutil.rmtree(copy)


def gate_processes(person: Any) -> list[int]:
    """Pids of the gate processes of *person*'s bottles."""
    all_below = set().union(*map(below, processes_of(person.layout)))
    return sorted(named("bottle-gate", all_below))


def questions(at: Gate, inside: Inside) -> Questions:
    """What the gate of *inside* asks, as an operator's session sees it."""
    layout = at.person.layout
    guest = layout.guest(inside.identity)
    metadata = read_metadata(layout.state(inside.identity))
    return Questions(
        layout, inside.identity, metadata.launch_id, sidecar_uid=(guest / "gate").stat().st_uid, gate=True
    )
