"""What ``start`` asks: which agent, which bottles, what name and colour. Only for what no flag answered
(ruling 29); without a terminal a missing answer ends the command and names the flag.

The order is that of the spec (cli, section 3). Screens are imported when one is shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.ids import slug
from bot_bottle.base.text import printable
from bot_bottle.cli.asking import Asker, can_show_screens, cancelled, missing
from bot_bottle.cli.trust import confirm_agent
from bot_bottle.manifest.lineage import labels, peek_default, peek_parents
from bot_bottle.manifest.load import require_agent
from bot_bottle.manifest.schema import Origin
from bot_bottle.manifest.source import Entry, Index, read
from bot_bottle.store import bottles
from bot_bottle.store.layout import Layout

if TYPE_CHECKING:
    from bot_bottle.cli.screens.frame import Model
    from bot_bottle.cli.screens.naming import Naming, NamingModal

NO_COLOR = "none"
"""``--color none``: the answer "no colour" as a flag."""


class NothingToStart(BotBottleError):
    """No agent is defined."""


@dataclass(frozen=True)
class Given:
    """What flags answered; None: not given."""

    agent: str | None
    bottles: tuple[str, ...]
    label: str | None
    color: str | None
    quiet: bool
    """``--yes``: take the defaults, ask for nothing that has one"""
    named: bool
    """the bottle is going to exist, so it wants a name; False for ``--dry-run``"""
    trust_project: bool


@dataclass(frozen=True)
class Answers:
    """Everything that a request needs."""

    agent: str
    bottles: tuple[str, ...]
    """empty: the agent's own"""
    label: str = ""
    color: str = ""
    identity: str | None = None
    """of the label; None: one is minted"""
    resume: str | None = None
    """the kept bottle of that name is to be resumed instead"""


class Questions:
    """One ``start``; *asker* is None where nobody can be asked."""

    def __init__(self, given: Given, index: Index, layout: Layout, asker: Asker | None) -> None:
        self._given = given
        self._index = index
        self._layout = layout
        self._asker = asker
        self._screens = asker if can_show_screens() else None

    def answer(self) -> Answers:
        """Ask what is missing.

        Raises ``Exit`` (cancelled, or nobody to ask), :class:`NothingToStart`, ``ManifestError``,
        ``IdentityTaken``, click's ``UsageError``.
        """
        agent = require_agent(self._index, self._agent())
        self._confirm(agent)
        return self._name(Answers(agent.name, self._bottles(agent)))

    # -- which agent
    def _agent(self) -> str:
        if self._given.agent:
            return self._given.agent
        if self._screens is None:
            raise missing("which agent?", "--agent A ('bot-bottle list available' shows them)")
        if not self._index.agents:
            raise NothingToStart("no agent is defined: make one with 'bot-bottle init'")
        from bot_bottle.cli.screens.single import SinglePicker

        entries = list(self._index.agents.values())
        picker = SinglePicker("Select agent", [_agent_label(entry) for entry in entries])
        if not self._show(picker) or picker.result is None:
            raise cancelled()
        return entries[picker.result].name

    def _confirm(self, agent: Entry) -> None:
        if agent.shadows is not None:
            confirm_agent(
                self._layout, agent.file, read(agent).sha256, self._asker,
                quiet=self._given.quiet, trusted=self._given.trust_project, remember=self._given.named,
            )  # fmt: skip

    # -- which bottles
    def _bottles(self, agent: Entry) -> tuple[str, ...]:
        if self._given.bottles:
            return self._given.bottles
        default = peek_default(self._index, agent.name)
        trusted = agent.origin is not Origin.PROJECT or self._given.trust_project
        if agent.origin is Origin.PROJECT and self._given.trust_project and default:
            return ()
        if self._screens is None or self._given.quiet:
            if default and trusted:
                return ()
            raise _no_bottle(agent, default)
        from bot_bottle.cli.screens.multi import MultiPicker

        names, lineage = self._index.bottle_names, labels(peek_parents(self._index))
        picker = MultiPicker(
            "Select bottles",
            names,
            labels=[lineage.get(name, name) for name in names],
            selected=[default] if default else [],
        )
        if not self._show(picker) or picker.result is None:
            raise cancelled()
        return picker.result

    # -- which name
    def _name(self, so_far: Answers) -> Answers:
        """Label first, until it is free; then the colour, once."""
        label, color = self._given.label, self._given.color
        if self._screens is None or self._given.quiet or not self._given.named:
            return self._unasked(so_far, label, color or "")
        from bot_bottle.cli.screens.naming import NamingModal

        notice = "" if label is None else None
        label = label or so_far.agent
        while True:
            if notice is not None:
                named = self._modal(NamingModal(label, notice=notice, color=""))
                if named is None:
                    return self._unasked(so_far, label, color or "")
                label = named.label
            identity = identity_of(label)
            taken = bottles.find_state(self._layout, identity) if identity else None
            if identity and taken is None:
                break
            if identity and taken and not taken.running and self._resume_instead(identity):
                return Answers(so_far.agent, so_far.bottles, resume=identity)
            wrong = "is already in use" if identity else "needs a letter or a digit"
            notice = f'"{printable(label)}" {wrong}'
        if color is None:
            named = self._modal(NamingModal(label, label=False))
            color = named.color if named else ""
        return Answers(so_far.agent, so_far.bottles, label, color, identity)

    def _unasked(self, so_far: Answers, label: str | None, color: str) -> Answers:
        """What flags and defaults say; a name that is taken ends it."""
        if label is None:
            return Answers(so_far.agent, so_far.bottles, color=color)
        identity = identity_of(label)
        if identity is None:
            raise click.UsageError(f"--label '{printable(label)}': it needs a letter or a digit")
        if bottles.find_state(self._layout, identity):
            raise bottles.IdentityTaken(identity, running=bottles.is_running(self._layout, identity))
        return Answers(so_far.agent, so_far.bottles, label, color, identity)

    def _modal(self, modal: NamingModal) -> Naming | None:
        """None: it can't be shown; the loop must not spin."""
        return modal.result if self._show(modal) else None

    def _resume_instead(self, identity: str) -> bool:
        assert self._asker is not None
        return self._asker.yes(f"a kept bottle is called {identity!r}: resume it instead?")

    def _show(self, model: Model) -> bool:
        if model.done:
            return True
        from bot_bottle.cli.screens.shown import show

        assert self._screens is not None
        return show(model, self._screens.descriptor)


def read_index(layout: Layout, cwd: Path) -> Index:
    """Names of agents and bottles; nothing of them is read."""
    from bot_bottle.manifest.source import resolve

    return resolve(layout.home.parent, cwd, missing_ok=True)


def identity_of(label: str) -> str | None:
    """The identity that *label* becomes; None: it has neither letter nor digit."""
    identity = slug(label)
    return identity if re.search("[a-z0-9]", identity) else None


def _agent_label(entry: Entry) -> str:
    """An agent's name, and whose it is where that matters."""
    if entry.origin is not Origin.PROJECT:
        return entry.name
    return (
        f"{entry.name} (this project's, in place of yours)"
        if entry.shadows
        else f"{entry.name} (this project's)"
    )


def _no_bottle(agent: Entry, default: str | None) -> BaseException:
    if default is None:
        return missing(f"which bottle? agent {agent.name!r} names none, and", "--bottle B")
    return missing(
        f"which bottle? a project's agent only suggests its bottle {default!r}, and",
        f"--bottle {default} or --trust-project",
    )
