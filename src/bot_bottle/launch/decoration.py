"""Title and colours of the operator's terminal while a bottle is shown in it (spec: cli, section 11). Pure.

They are ours: what a bottle sends of this kind is dropped. Programs that draw in true colours bypass the
palette, so that the background is tinted as well.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot_bottle.base.text import printable

MAX_TITLE_CHARS = 100

_PALETTE: Mapping[str, tuple[int, str, int, str, str]] = {
    "red": (9, "#e74c3c", 1, "#c0392b", "#200808"),
    "green": (10, "#2ecc71", 2, "#27ae60", "#082008"),
    "yellow": (11, "#f1c40f", 3, "#d4ac0d", "#201808"),
    "blue": (12, "#3498db", 4, "#2471a3", "#080820"),
    "magenta": (13, "#9b59b6", 5, "#7d3c98", "#160820"),
}
"""Name to palette slot and value, companion slot and value, background."""


def colors(name: str) -> dict[str, str]:
    """The colours that :func:`begin` sets, as the relay answers for them; none for an unknown name."""
    if name not in _PALETTE:
        return {}
    slot, value, companion, other, background = _PALETTE[name]
    return {str(slot): value, str(companion): other, "background": background}


def begin(title: str, color: str) -> bytes:
    """Set title (the old one is kept on the terminal's own stack) and colours."""
    parts = []
    if title:
        parts.append(f"\x1b[22;0t\x1b]0;{printable(title, limit=MAX_TITLE_CHARS)}\x1b\\")
    if color in _PALETTE:
        slot, value, companion, other, background = _PALETTE[color]
        parts.append(f"\x1b]4;{slot};{value};{companion};{other}\x1b\\\x1b]11;{background}\x1b\\")
    return "".join(parts).encode()


def end(title: str, color: str) -> bytes:
    """Undo :func:`begin`, and leave no colour on."""
    parts = []
    if color in _PALETTE:
        slot, _, companion, _, _ = _PALETTE[color]
        parts.append(f"\x1b]104;{slot};{companion}\x1b\\\x1b]111\x1b\\")
    if title:
        parts.append("\x1b[23;0t")
    if parts:
        parts.append("\x1b[0m")
    return "".join(parts).encode()
