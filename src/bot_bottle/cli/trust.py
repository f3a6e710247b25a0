"""A project's agent in the place of the operator's own: asked about once for each content of its file
(ruling 49). What it may grant is nothing either way; what it says is what the agent is told."""

from __future__ import annotations

from bot_bottle.cli.asking import Asker, cancelled, missing
from bot_bottle.store.confirmed import confirm, is_confirmed
from bot_bottle.store.layout import Layout


def confirm_agent(
    layout: Layout, file: str, sha256: str, asker: Asker | None, *, quiet: bool, trusted: bool, remember: bool
) -> None:
    """Return when the operator takes *file* with that content: now, earlier, or by ``--trust-project``
    (*trusted*). *quiet*: nothing may be asked (``--yes``); *remember*: the answer holds for later launches.

    Raises ``Exit``: declined, or nobody to ask.
    """
    if is_confirmed(layout, file, sha256):
        return
    if not trusted:
        question = f"this project's {file} takes the place of your own agent: use it?"
        if asker is None or quiet:
            raise missing(question, "--trust-project")
        if not asker.yes(question):
            raise cancelled()
    if remember:
        confirm(layout, file, sha256)
