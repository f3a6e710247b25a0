"""Deploy keys of one launch: made, registered at the forge, revoked at its end (spec git-gate §1).

A key is recorded before the forge is asked (``store.deploy_keys``) and struck off when the forge says that it is
gone. So a launcher that is killed at any step leaves a record, and ``cleanup`` revokes by it; a forge that did
not answer may have registered the key all the same, so it is looked for by its fingerprint. One that the forge
made later still would open for nobody: the private half is forgotten by then.

The private half is in this process and, by the pipe, in the gate; it is never written anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bot_bottle.base import messages
from bot_bottle.base.clock import utc_now
from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.secret import Secret
from bot_bottle.launch.forge_client import AnswerUnknown, ForgeClient
from bot_bottle.launch.forges import Api, ForgeError, api_of, fingerprint
from bot_bottle.launch.known import KnownValue
from bot_bottle.launch.plan import DeployKeyPlan, LaunchError, LaunchPlan
from bot_bottle.manifest.schema import Forge
from bot_bottle.store.deploy_keys import DeployKeyRecord, read_deploy_keys, write_deploy_keys

TokenOf = Callable[[DeployKeyRecord], Secret | None]
"""The token that a key can be revoked with; None: it is not here"""


class DeployKeys:
    """The keys of one launch in the state directory *state*, which the caller owns (its lock is held)."""

    def __init__(self, state: Path, identity: str, plans: Sequence[DeployKeyPlan]) -> None:
        self._state = state
        self._identity = identity
        self._plans = tuple(plans)
        self.secrets: dict[str, Secret] = {}
        """slot to private key, of those that are registered"""
        self.known: tuple[KnownValue, ...] = ()
        """the same, for no push to hold"""

    def make(self, announce: Callable[[str], None]) -> None:
        """Register a key for each repository; all of them are there, or none and the error says which failed.

        What an earlier session of this bottle left is revoked first. Raises :class:`LaunchError`.
        """
        self.revoke()
        try:
            for plan in self._plans:
                announce(f"a deploy key for {plan.repository} is registered")
                self._make(plan)
        except BaseException:
            self.revoke()
            raise

    def revoke(self) -> bool:
        """Revoke all that is recorded; what could not be is said, and stays recorded. True: nothing is left."""
        tokens = {plan.key.token_ref: plan.token for plan in self._plans}
        self.secrets, self.known = {}, ()
        return revoke_recorded(self._state, lambda key: tokens.get(key.token_ref))

    def completed(self, plan: LaunchPlan) -> LaunchPlan:
        """*plan* with the keys in their slots, kept back by the gate."""
        if plan.gate is None:
            return plan
        gate = replace(
            plan.gate,
            secrets={**plan.gate.secrets, **self.secrets},
            known=(*plan.gate.known, *self.known),
        )
        return replace(plan, gate=gate)

    def _make(self, plan: DeployKeyPlan) -> None:
        private, public = generate()
        api = api_of(plan.key.forge, plan.key.api_url, plan.repository)
        record = DeployKeyRecord(
            forge=plan.key.forge.value,
            api_url=api.base,
            repository=plan.repository,
            title=f"bot-bottle {self._identity}: {plan.name}, {utc_now()}",
            fingerprint=fingerprint(public),
            token_ref=plan.key.token_ref,
            extra_ca=plan.extra_ca,
        )
        client = ForgeClient(api, plan.token, plan.key.token_ref, plan.extra_ca)
        self._add(record)
        try:
            made = client.create(record.title, public)
        except AnswerUnknown as error:  # it stays recorded: it may be there
            raise LaunchError(f"{plan.place}: no deploy key for {plan.repository}: {error}") from error
        except ForgeError as error:
            self._strike(record)
            raise LaunchError(f"{plan.place}: no deploy key for {plan.repository}: {error}") from error
        self._add(replace(record, id=made.id))
        self.secrets[plan.slot] = private
        name = f"git-gate.repos.{plan.name}.key"
        self.known = (*self.known, KnownValue(name, private, "injected"))

    def _add(self, record: DeployKeyRecord) -> None:
        """Or take the place of the entry with that fingerprint."""
        write_deploy_keys(self._state, [*self._others(record), record])

    def _strike(self, record: DeployKeyRecord) -> None:
        write_deploy_keys(self._state, self._others(record))

    def _others(self, record: DeployKeyRecord) -> list[DeployKeyRecord]:
        return [key for key in read_deploy_keys(self._state) if key.fingerprint != record.fingerprint]


def generate() -> tuple[Secret, str]:
    """A new ed25519 pair: the private half as an OpenSSH file's text, the public one as ``TYPE BASE64``."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return Secret(private.decode()), public.decode()


def revoke_recorded(state: Path, token_of: TokenOf) -> bool:
    """Revoke every key that is recorded in *state*, whose lock the caller holds. True: none is left.

    What can't be revoked is a warning with the key's title and id, and stays recorded. Raises nothing of ours.
    """
    try:
        left = list(read_deploy_keys(state))
        for key in tuple(left):
            problem = _revoke(key, token_of(key))
            if problem:
                messages.warning(f"the deploy key {key} is not revoked: {problem}")
                continue
            left.remove(key)
            write_deploy_keys(state, left)  # after each: what is gone is not asked for again
    except BotBottleError as error:
        messages.warning(str(error))
        return False
    return not left


def tokens_of(environ: Mapping[str, str]) -> TokenOf:
    """Out of the host's environment, by the name that a key was made with."""

    def find(key: DeployKeyRecord) -> Secret | None:
        value = environ.get(key.token_ref, "").strip()
        return Secret(value) if value else None

    return find


def _revoke(key: DeployKeyRecord, token: Secret | None) -> str:
    """What is in the way; empty: it is gone."""
    if token is None:
        return (
            f"the variable {key.token_ref!r} is not set here: export it and run 'bot-bottle cleanup', or revoke "
            "the key at the forge yourself"
        )
    try:
        api = Api(Forge(key.forge), key.api_url, key.repository)
        client = ForgeClient(api, token, key.token_ref, key.extra_ca)
        number = key.id
        if not number:  # it was about to be registered when something ended
            found = client.find(key.fingerprint)
            number = found.id if found else 0
        if number and not client.delete(number):
            # "Not found" is also what a forge says of a repository that this token may not see.
            found = client.find(key.fingerprint)
            if found:
                client.delete(found.id)
    except (ForgeError, ValueError, OSError) as error:
        return f"{error}: run 'bot-bottle cleanup' later, or revoke it at the forge yourself"
    return ""
