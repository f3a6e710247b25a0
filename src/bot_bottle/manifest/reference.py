"""Writes the reference page of every manifest key: ``python -m bot_bottle.manifest.reference``.

To standard output, or with a path to that file; a test compares the page in ``docs/reference`` with what
comes out.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bot_bottle.manifest import keys, unenforced
from bot_bottle.manifest.keys import KeyRow
from bot_bottle.manifest.unenforced import REMOVE, Row

_INTRODUCTION = """\
# Manifest keys

Made by `python -m bot_bottle.manifest.reference docs/reference/manifest-keys.md`; don't edit it by hand. What the
keys mean together is in [manifest.md](../manifest.md). In a key path `*` is a name that you choose and `[]` an item
of a list. "Enforced" says what this version does: a value that is not enforced is read, and launch refuses it with
file and line.
"""

_SECTIONS = (
    ("Bottles: `~/.bot-bottle/bottles/NAME.md`", keys.BOTTLE, unenforced.BOTTLE),
    ("Agents: `agents/NAME.md` at home or in a project", keys.AGENT, unenforced.AGENT),
    ("Settings: `~/.bot-bottle/settings.yml`", keys.SETTINGS, unenforced.SETTINGS),
)


def page() -> str:
    """The whole page."""
    parts = [_INTRODUCTION]
    for title, table, rows in _SECTIONS:
        lines = [f"## {title}", "", "| key | type | default | rule | enforced |", "|---|---|---|---|---|"]
        lines += [_line(row, rows) for row in table]
        parts.append("\n".join(lines) + "\n")
    ignored = ", ".join(f"`{key}`" for key in keys.TOLERATED_AGENT_KEYS)
    parts.append(
        f"Agents may also have these keys of Claude Code's sub-agents, which are ignored: {ignored}.\n"
    )
    return "\n".join(parts)


def _line(row: KeyRow, rows: tuple[Row, ...]) -> str:
    cells = [f"`{row.pattern}`", row.type, row.default, row.rule, _enforced(row.pattern, rows)]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _enforced(pattern: str, rows: tuple[Row, ...]) -> str:
    """By the row of the key itself or of one that it is part of."""
    if pattern == "supervise":
        return "no; said before each launch"
    covered = [row for row in rows if _is_part(pattern, _as_key(row.pattern))]
    if not covered:
        return "yes"
    row = covered[0]
    return f"in part: {row.fix}" if row.enforced and row.fix != REMOVE else "no"


def _as_key(pattern: str) -> str:
    """The merged bottle's ``budget.SCOPE.PROVIDER`` is ``budget.PROVIDER`` in a file; an item is its list's."""
    return ("budget.*" if pattern == "budget.*.*" else pattern).removesuffix("[]")


def _is_part(pattern: str, whole: str) -> bool:
    return pattern == whole or pattern.startswith(f"{whole}.")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(page(), encoding="utf-8")
    else:
        sys.stdout.write(page())
