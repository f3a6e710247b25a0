"""The git gate of a trial's bottle: one repository, whose key the agent never sees.

It needs gitleaks, as every gate does; a host without it has a trial without this step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bot_bottle.gitgate.config import UrlScheme
from bot_bottle.launch.environment import GATE_URL, GATE_VARIABLE
from bot_bottle.launch.git_config import gitconfig
from bot_bottle.launch.git_gate import plan_gate
from bot_bottle.launch.git_programs import GITLEAKS_VARIABLE, ProgramMissing, find_gitleaks
from bot_bottle.launch.plan import Given, LaunchPlan
from bot_bottle.manifest.schema import Bottle, GitUser, Repo, TokenKey, Upstream
from bot_bottle.providers.contract import GUEST_HOME, GuestFile

HOST, PATH = "shared.example.com", "shared.git"
URL = f"https://{HOST}/{PATH}"
TOKEN_VARIABLE = "TRY_GIT_TOKEN"  # noqa: S105 - a name


def scanner(environ: Mapping[str, str]) -> Path | None:
    """gitleaks, where there is one that will do."""
    try:
        return find_gitleaks(environ)
    except ProgramMissing:
        return None


def with_gate(plan: LaunchPlan, token: str, gitleaks: Path, home: Path) -> LaunchPlan:
    """*plan* of a bottle that may push to :data:`URL`; *token* is what the upstream wants to see."""
    repo = Repo("shared", Upstream(URL, UrlScheme.HTTPS, HOST, PATH), TokenKey(TOKEN_VARIABLE))
    environ = {TOKEN_VARIABLE: token, GITLEAKS_VARIABLE: str(gitleaks)}
    given = Given(plan.known, plan.tokens, plan.slots)
    made = plan_gate(Bottle(repos={repo.name: repo}), environ, home, given)
    config = gitconfig(GitUser("agent", "agent@example.com"), [repo])
    file = GuestFile(GUEST_HOME / ".gitconfig", config.encode(), 0o644)
    return replace(plan, gate=made.plan, env={**plan.env, GATE_VARIABLE: GATE_URL}, files=(*plan.files, file))
