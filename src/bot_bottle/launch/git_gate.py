"""The git gate of one launch: the manifest's repositories, with keys and host keys read from this host.

Starts nothing and writes nothing. What is wrong is said with the file and line of the manifest that asked for
it, before anything exists. Secrets go into slots; the gate's process gets them by a pipe (ruling 38).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.secret import Secret
from bot_bottle.gitgate.config import DEFAULT_ASK_TIMEOUT_S, GateRepo, GateSpec, RepoPolicy, UrlScheme
from bot_bottle.launch.forges import repository_of
from bot_bottle.launch.git_keys import read_private_key
from bot_bottle.launch.git_programs import find_gitleaks, require_git, require_ssh
from bot_bottle.launch.known import KnownValue
from bot_bottle.launch.known_hosts import find_host_keys, parse_host_key
from bot_bottle.launch.plan import DeployKeyPlan, GatePlan, Given, PlannedGate
from bot_bottle.manifest.schema import DeployKey, Repo, StaticKey, TokenKey, Upstream
from bot_bottle.manifest.tree import ManifestError

if TYPE_CHECKING:
    from bot_bottle.manifest.schema import Bottle

SLOT_PREFIX = "GATE_KEY_"
ASK_TIMEOUT_VARIABLE = "SUPERVISE_GITLEAKS_ALLOW_TIMEOUT_SECONDS"
MAX_ASK_TIMEOUT_S = 24 * 3600


def plan_gate(bottle: Bottle, environ: Mapping[str, str], home: Path, given: Given) -> PlannedGate:
    """The gate of *bottle*, which has repositories. *home*: the operator's.

    Raises :class:`ManifestError`, ``ProgramMissing``.
    """
    require_git()
    if any(repo.upstream.scheme is UrlScheme.SSH for repo in bottle.repos.values()):
        require_ssh()
    gitleaks = find_gitleaks(environ)
    made = [_One(bottle, repo, f"{SLOT_PREFIX}{i}", home) for i, repo in enumerate(bottle.repos.values())]
    warnings: list[str] = []
    secrets: dict[str, Secret] = {}
    own: list[KnownValue] = []
    deploy: list[DeployKeyPlan] = []
    lines: list[str] = []
    for one in made:
        secret, what = one.credential(environ, warnings)
        if secret is not None:
            secrets[one.slot] = secret
        else:
            deploy.append(one.deploy_key(environ))
            secret = deploy[-1].token
        own.append(KnownValue(one.known_name, secret, "injected"))
        lines += _lines(one.repo, what)
    ask_s, warning = read_ask_timeout(environ.get(ASK_TIMEOUT_VARIABLE))
    warnings += [warning] if warning else []
    lines.append(_asking(bottle.supervise, ask_s))
    repos = tuple(one.gate_repo() for one in made)
    spec = GateSpec(repos=repos, gitleaks=str(gitleaks), ask_timeout_s=ask_s)
    plan = GatePlan(spec, secrets, _known_to_gate(own, given), tuple(deploy), tuple(lines))
    return PlannedGate(plan, tuple(warnings))


def _known_to_gate(own: Sequence[KnownValue], given: Given) -> tuple[KnownValue, ...]:
    """All values that no push may hold: the plan's, its tokens under the variables that fill their slots, and
    the gate's own. Those are told to no other process: the bottle has never held them (ruling 42)."""
    tokens = [
        KnownValue(given.slots.get(slot, slot), token, "injected") for slot, token in given.tokens.items()
    ]
    return tuple({item.name: item for item in (*own, *tokens, *given.known)}.values())


def read_ask_timeout(text: str | None) -> tuple[int, str | None]:
    """The wait in whole seconds, and a warning where *text* is none (spec: digits only)."""
    if text is None or not text.strip():
        return DEFAULT_ASK_TIMEOUT_S, None
    if text.isascii() and text.isdigit() and 0 < int(text[:9]) <= MAX_ASK_TIMEOUT_S and len(text) < 9:
        return int(text), None
    what = f"{ASK_TIMEOUT_VARIABLE} is no whole number of seconds from 1 to {MAX_ASK_TIMEOUT_S}"
    return DEFAULT_ASK_TIMEOUT_S, f"{what}: {DEFAULT_ASK_TIMEOUT_S} are waited"


class _One:
    """One repository on its way into the plan."""

    def __init__(self, bottle: Bottle, repo: Repo, slot: str, home: Path) -> None:
        self._bottle = bottle
        self.repo = repo
        self.slot = slot
        self._home = home

    @property
    def known_name(self) -> str:
        key = self.repo.key
        return f"git-gate.repos.{self.repo.name}.key" if isinstance(key, StaticKey) else key.token_ref

    def credential(self, environ: Mapping[str, str], warnings: list[str]) -> tuple[Secret | None, str]:
        """What signs in upstream, None where it is made later; and how it is called in the preflight."""
        match self.repo.key:
            case StaticKey(path):
                try:
                    key = read_private_key(Path(path))
                except BotBottleError as error:
                    raise self._error(str(error), "key", "path") from error
                warnings += key.warnings
                return key.text, f"the {key.kind} key {path}"
            case TokenKey(variable):
                return self._variable(environ, variable), f"the token in {variable}"
            case DeployKey(forge, variable):
                return None, f"a deploy key of this launch alone, registered at {forge} with {variable}"

    def deploy_key(self, environ: Mapping[str, str]) -> DeployKeyPlan:
        key = self.repo.key
        assert isinstance(key, DeployKey)
        try:
            repository = repository_of(key.forge, self.repo.upstream.path)
        except BotBottleError as error:
            raise self._error(str(error), "url") from error
        token = self._variable(environ, key.token_ref)
        place = self._bottle.place("git-gate", "repos", self.repo.name, "key")
        return DeployKeyPlan(
            self.repo.name, self.slot, key, repository, token, place, self._bottle.egress.extra_ca or ""
        )

    def gate_repo(self) -> GateRepo:
        upstream = self.repo.upstream
        return GateRepo(
            name=self.repo.name,
            url=git_url(upstream),
            scheme=upstream.scheme,
            host=upstream.host,
            port=upstream.port,
            user=upstream.user,
            path=upstream.path,
            host_keys=self._host_keys(),
            slot=self.slot,
            policy=self.repo.policy,
        )

    def _host_keys(self) -> tuple[str, ...]:
        upstream = self.repo.upstream
        if upstream.scheme is not UrlScheme.SSH:
            return ()
        if self.repo.host_key:
            try:
                return (parse_host_key(self.repo.host_key),)
            except BotBottleError as error:
                raise self._error(str(error), "host_key") from error
        try:
            return find_host_keys(self._home / ".ssh", upstream.host, upstream.port)
        except BotBottleError as error:
            raise self._error(str(error), "url") from error

    def _variable(self, environ: Mapping[str, str], name: str) -> Secret:
        value = environ.get(name, "").strip()
        if not value:
            raise self._error(f"the variable {name!r} is not set here: export it", "key", "token_ref")
        if not (value.isascii() and value.isprintable()) or " " in value:
            raise self._error(f"the variable {name!r} holds no token: export it anew", "key", "token_ref")
        return Secret(value)

    def _error(self, message: str, *path: str) -> ManifestError:
        return ManifestError(message, self._bottle.place("git-gate", "repos", self.repo.name, *path))


def git_url(upstream: Upstream) -> str:
    """As git is given it. An scp form stays one where its path is relative to the account's home: no ``ssh://``
    says the same to every server."""
    path = upstream.path.lstrip("/")
    user = f"{upstream.user}@" if upstream.user else ""
    if upstream.scp and not upstream.path.startswith("/"):
        return f"{user}{upstream.host}:{path}"
    port = f":{upstream.port}" if upstream.port is not None else ""
    return f"{upstream.scheme.value}://{user}{upstream.host}{port}/{path}"


# -- what the operator reads
def _lines(repo: Repo, credential: str) -> list[str]:
    policy = repo.policy
    lines = [f"{repo.name}: {repo.upstream.written}, with {credential}"]
    refs = f"pushes to {', '.join(policy.allow_refs) or 'no ref'}"
    if policy.deny_refs:
        refs += f", not to {', '.join(policy.deny_refs)}"
    lines.append(f"  {refs}; every commit is scanned first{_widened(policy)}")
    if policy.deny_paths:
        lines.append(f"  may not touch {', '.join(policy.deny_paths)}")
    return lines


def _widened(policy: RepoPolicy) -> str:
    """What the manifest allows beyond the defaults."""
    said = {
        "force-pushes are allowed": policy.allow_force,
        "refs may be deleted": policy.allow_delete,
        "files that run elsewhere are not asked about": policy.ask_paths == (),
    }
    return "".join(f"; {text}" for text, holds in said.items() if holds)


def _asking(supervise: bool, timeout_s: int) -> str:
    if supervise:
        return f"files that run elsewhere and suppressed findings wait up to {timeout_s} s for you"
    return "supervise is off: files that run elsewhere and suppressed findings are refused"
