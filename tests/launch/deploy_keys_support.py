"""What the tests of deploy keys have in common: a forge of each kind behind TLS, a plan for it, a state directory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot_bottle.base.secret import Secret
from bot_bottle.launch.plan import DeployKeyPlan
from bot_bottle.manifest.schema import DeployKey, Forge
from bot_bottle.manifest.tree import Place
from bot_bottle.testing.fake_forge import FakeForge
from bot_bottle.testing.upstream import FakeUpstream

IDENTITY = "dev-abc12"


@dataclass
class Ground:
    forge: FakeForge
    upstream: FakeUpstream
    state: Path
    ca: Path

    @property
    def api_url(self) -> str:
        return f"https://127.0.0.1:{self.upstream.port}"

    def plan(
        self, name: str = "one", repository: str = "owner/name", token: str = "", slot: str = "GATE_KEY_0"
    ) -> DeployKeyPlan:
        """For the forge; the manifest's place is line 4 of ``dev.md``."""
        return DeployKeyPlan(
            name,
            slot,
            DeployKey(self.forge.forge, "FORGE_TOKEN", self.api_url),
            repository,
            Secret(token or self.forge.token),
            Place("dev.md", 4, ("git-gate", "repos", name, "key")),
            str(self.ca),
        )

    def saw(self, method: str) -> int:
        """How many requests of that kind came in."""
        return sum(1 for each, _ in self.forge.calls if each == method)


@contextmanager
def ground(tmp_path: Path, forge: Forge = Forge.GITEA, **fields: object) -> Iterator[Ground]:
    """A forge that serves."""
    state = tmp_path / "state"
    state.mkdir(exist_ok=True)
    fake = FakeForge(forge, **fields)  # type: ignore[arg-type]
    with fake.serve() as upstream:
        ca = tmp_path / "ca.pem"
        ca.write_text(upstream.ca_pem)
        yield Ground(fake, upstream, state, ca)
