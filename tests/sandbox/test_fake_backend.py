"""The shipped fake behaves as the contract says, and says what it is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from bot_bottle.sandbox.contract import Backend, Resources, SandboxError, SelfTestFailed
from bot_bottle.testing.backend_ground import Ground
from bot_bottle.testing.backend_suite import BackendSuite
from bot_bottle.testing.fake_backend import FakeBackend


class TestFake(BackendSuite):
    """Everything but isolation."""

    @pytest.fixture
    def ground(self, make_ground: Callable[[Backend], Ground]) -> Ground:
        return make_ground(FakeBackend())


def test_it_enforces_nothing_and_says_so(make_ground: Callable[[Backend], Ground]) -> None:
    """Explicit limits refuse; the self-test names the fake."""
    backend = FakeBackend()
    ground = make_ground(backend)
    assert backend.unenforced(Resources()) == ["cpus", "memory_bytes", "pids"]
    for name in backend.unenforced(Resources()):
        with pytest.raises(SandboxError):
            backend.start(replace(ground.spec, resources=Resources(explicit=frozenset({name}))))
    with ground.bottle(tested=False) as bottle:
        assert "none" in bottle.self_test(1)["isolation"]


def test_it_fails_as_it_is_told(make_ground: Callable[[Backend], Ground]) -> None:
    """A hole can be feigned, for tests of what must be torn down then."""
    ground = make_ground(FakeBackend(failing_probes=["interfaces: eth0"]))
    with pytest.raises(SelfTestFailed, match="eth0"), ground.bottle():
        pass
