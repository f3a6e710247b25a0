"""Which kept bottle ``resume`` means, where nobody named one."""

from __future__ import annotations

from bot_bottle.cli.asking import asking, can_show_screens, cancelled, missing
from bot_bottle.launch.plan import LaunchError
from bot_bottle.store import bottles
from bot_bottle.store.bottles import StateSummary
from bot_bottle.store.layout import Layout


def pick_kept(layout: Layout) -> str:
    """The identity of the kept bottle that a person at the terminal chooses, the one that was started last first.

    Raises ``Exit`` (cancelled, or nobody to ask) and :class:`LaunchError` where none is kept.
    """
    with asking() as asker:
        if asker is None or not can_show_screens():
            raise missing("which bottle?", "its identity ('bot-bottle list kept' shows them)")
        found = resumable(layout)
        if not found:
            raise LaunchError("no bottle is kept: start one with 'bot-bottle start'")
        from bot_bottle.cli.screens.shown import show
        from bot_bottle.cli.screens.single import SinglePicker

        picker = SinglePicker("Select bottle to resume", [_label(summary) for summary in found])
        if not show(picker, asker.descriptor) or picker.result is None:
            raise cancelled()
        return found[picker.result].identity


def resumable(layout: Layout) -> list[StateSummary]:
    """Bottles that ``resume`` could start again, the newest first."""
    found = [
        state for state in bottles.list_states(layout) if not state.running and state.metadata is not None
    ]
    return sorted(found, key=lambda state: (_started_at(state), state.identity), reverse=True)


def _started_at(summary: StateSummary) -> str:
    return summary.metadata.started_at if summary.metadata else ""


def _label(summary: StateSummary) -> str:
    """Identity first: that is what is typed to find it."""
    metadata = summary.metadata
    if metadata is None:
        return summary.identity
    agent = metadata.agent_name or metadata.provider
    name = f"{metadata.label} ({agent})" if metadata.label else agent
    day = metadata.started_at[:16].replace("T", " ")
    return f"{summary.identity}  {name}  {day}".rstrip()
