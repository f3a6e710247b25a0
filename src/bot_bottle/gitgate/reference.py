"""``docs/reference/ask-paths.md``: the files whose change the operator is asked about, as a table. Pure."""

from __future__ import annotations

from bot_bottle.gitgate.elsewhere import TABLE, Elsewhere

_HEAD = """\
# Files that run elsewhere

Made from the code by `make docs`; do not edit. A push that changes, adds or deletes one of these waits for the
operator, unless the repository's `ask_paths` says otherwise ([manifest-keys.md](manifest-keys.md)). A list of your own
takes the place of this one; `ask_paths: []` asks about nothing.

Globs are those of gitignore(5) without `!`, whatever the case: one without a `/` but at its end holds at any depth.

| files | why | documented at |
|---|---|---|
"""


def page() -> str:
    """The whole page."""
    return _HEAD + "\n".join(map(_row, TABLE)) + "\n"


def _row(row: Elsewhere) -> str:
    globs = ", ".join(f"`{glob}`" for glob in row.globs)
    return f"| {globs} | {row.runs} | <{row.page}> |"
