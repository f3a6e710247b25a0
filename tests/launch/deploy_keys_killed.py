"""A launcher that dies at a named step of its deploy key's life: ``STEP STATE PORT CA FORGE TOKEN``."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot_bottle.base.secret import Secret
from bot_bottle.launch.deploy_keys import DeployKeys
from bot_bottle.launch.forge_client import ForgeClient
from bot_bottle.launch.plan import DeployKeyPlan
from bot_bottle.manifest.schema import DeployKey, Forge
from bot_bottle.manifest.tree import Place


def die(*_: object) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def after(call: Callable[..., object]) -> Callable[..., object]:
    def dying(*arguments: Any) -> object:
        call(*arguments)
        return die()

    return dying


def main() -> None:
    step, state, port, ca, forge, token = sys.argv[1:]
    if step == "before the forge is asked":
        ForgeClient.create = die  # type: ignore[method-assign]
    if step == "before its answer is read":
        ForgeClient.create = after(ForgeClient.create)  # type: ignore[method-assign,assignment]
    if step == "before it is struck off":
        ForgeClient.delete = after(ForgeClient.delete)  # type: ignore[method-assign,assignment]
    plan = DeployKeyPlan(
        "one",
        "GATE_KEY_0",
        DeployKey(Forge(forge), "FORGE_TOKEN", f"https://127.0.0.1:{port}"),
        "owner/name",
        Secret(token),
        Place("dev.md"),
        ca,
    )
    keys = DeployKeys(Path(state), "dev-abc12", [plan])
    keys.make(lambda _: None)
    if step == "while the agent runs":
        die()
    keys.revoke()


main()
