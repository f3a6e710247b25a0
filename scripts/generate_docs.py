"""Writes the pages that are made from the code; ``--check`` (part of ``make check``) only compares.

* ``docs/reference/cli.md``: the help of every command, as ``--help`` prints it.
* ``docs/reference/manifest-keys.md``: every key of bottles, agents and settings, and whether it is enforced.
* ``docs/reference/environment.md``: the variables of a bottle's processes.
* ``docs/presets.md``: what each preset of a route opens, and the pages that this was read from.
* ``docs/reference/json.md``: the schema of every ``--json``.
* ``docs/reference/ask-paths.md``: the files whose change the git gate asks about.
* ``docs/reference/dlp-rules.md``: the formats of credentials that are looked for.
* ``README.md``: the command table between its markers.
* ``docs/start.md``: the screens of ``start`` and their keys, between their markers.
"""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from bot_bottle.cli import records
from bot_bottle.cli.main import VERBS, cli
from bot_bottle.cli.screens import multi, naming, single
from bot_bottle.cli.screens.frame import Model, Size
from bot_bottle.dlp import reference as dlp_reference
from bot_bottle.egress.config import Match, PathType, Route
from bot_bottle.egress.presets.expand import preset_of
from bot_bottle.egress.presets.names import PRESETS
from bot_bottle.gitgate import reference as gate_reference
from bot_bottle.launch import environment
from bot_bottle.launch.git_gate import ASK_TIMEOUT_VARIABLE
from bot_bottle.launch.git_programs import GITLEAKS_VARIABLE
from bot_bottle.launch.known import PREFIXES_VARIABLE
from bot_bottle.manifest import reference
from bot_bottle.proposals.limits import TIMEOUT_VARIABLE

ROOT = Path(__file__).resolve().parent.parent
WIDTH = 100
HOST_VARIABLES = {
    PREFIXES_VARIABLE: "comma-separated: variables whose names begin so hold secrets that may not leave",
    TIMEOUT_VARIABLE: "how long a held request waits for you; seconds, 300",
    GITLEAKS_VARIABLE: "the gitleaks (8.20 or newer) that scans pushes, by its whole path; else PATH, else `tools/` "
    "of a clone",
    ASK_TIMEOUT_VARIABLE: "how long a push waits for you; whole seconds, 300",
}
"""Beside those that a manifest names."""


def context_of(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    """As on a terminal of fixed width."""
    settings = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    return click.Context(command, parent=parent, info_name=name, **settings)


def sections(context: click.Context) -> Iterator[tuple[str, str]]:
    """The words and the help of each command below *context*, groups before their members."""
    group = context.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            raise LookupError(f"the command {name!r} is listed but not there")
        below = context_of(command, name, context)
        yield below.command_path.partition(" ")[2], help_text(below)
        if isinstance(command, click.Group):
            yield from sections(below)


def help_text(context: click.Context) -> str:
    text = context.command.get_help(context)
    return "\n".join(line.rstrip() for line in text.splitlines())


def cli_page() -> str:
    top = context_of(cli, "bot-bottle", None)
    parts = [
        "# Command line",
        "",
        "Made from the code by `make docs`; do not edit.",
        "",
        "```text",
        help_text(top),
        "```",
    ]
    for words, text in sections(top):
        parts += ["", f"## {words}", "", "```text", text, "```"]
    return "\n".join(parts) + "\n"


def between_markers(text: str, name: str, body: str) -> str:
    """*text* with *body* between the comments ``NAME:begin`` and ``NAME:end``, each there once."""
    begin, end = f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->"
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"the markers {name}:begin and {name}:end must each be there once")
    head, _, rest = text.partition(begin)
    return f"{head}{begin}{body}{end}{rest.partition(end)[2]}"


def environment_page() -> str:
    parts = [
        "# Environment of a bottle",
        "",
        "Made from the code by `make docs`; do not edit.",
        "",
        "Nothing of the host's environment goes in. A manifest can't set what is marked reserved.",
        "",
        "| variable | value | |",
        "|---|---|---|",
    ]
    gate = {environment.GATE_VARIABLE: environment.GATE_URL}
    table = {**environment.BASE, **environment.PROXY, **environment.TRUST, **gate}
    for name, value in table.items():
        note = "reserved" if name in environment.RESERVED else ""
        note += "; only in a bottle with repositories" if name in gate else ""
        parts.append(f"| `{name}` | `{value}` | {note} |")
    parts += ["", "# Variables of the host that are read", "", "| variable | what it says |", "|---|---|"]
    parts += [f"| `{name}` | {what} |" for name, what in HOST_VARIABLES.items()]
    return "\n".join(parts) + "\n"


def presets_page() -> str:
    """Text between the markers; the rest of the page is written by hand."""
    names: dict[str, list[str]] = {kind: [] for kind in ("registry", "model", "forge")}
    for name, traits in PRESETS.items():
        names[traits.kind].append(name)
    text = (ROOT / "docs" / "presets.md").read_text()
    for kind, listed in names.items():
        text = between_markers(text, kind, "\n".join(map(preset_section, listed)))
    return text


def preset_section(name: str) -> str:
    """One preset: its hosts, what of them is open under which word, the sources."""
    own = "" if PRESETS[name].public else "git.example.com"
    preset = preset_of(Route(own, preset=name, repos=("OWNER/NAME",)), {})
    parts = [f"### {name}", "", f"For: {preset.about}.", "", "| access | host | open |", "|---|---|---|"]
    pages: dict[str, None] = {}
    for word in PRESETS[name].access:
        for host in preset.access[word]:
            ports = "" if host.ports == (443,) else " (also port 80)"
            parts += [f"| {word} | `{host.host}`{ports} | {opened(match)} |" for match in host.matches]
            pages |= dict.fromkeys(host.pages)
    parts += [
        "",
        f"Closed: {preset.closed}.",
        "",
        "Read from: " + ", ".join(f"<{page}>" for page in pages),
        "",
    ]
    return "\n".join(parts)


def opened(match: Match) -> str:
    """One entry of ``matches`` in a cell."""
    paths = [f"`{path.value}`".replace("|", "\\|") + ENDS[path.type] for path in match.paths]
    return f"{' '.join(match.methods)}: {', '.join(paths)}"


ENDS = {PathType.PREFIX: " and below", PathType.EXACT: "", PathType.REGEX: " (expression)"}


def readme_page() -> str:
    rows = [f"| [`{name}`](docs/reference/cli.md#{name}) | {line} |" for name, line in VERBS.items()]
    table = "\n".join(["| command | what it does |", "|---|---|", *rows]) + "\n"
    return between_markers((ROOT / "README.md").read_text(), "commands", table)


def start_page() -> str:
    text = (ROOT / "docs" / "start.md").read_text()
    names, labels = ("base", "ci", "shell"), ("base", "shell -> ci", "shell")
    bottles = multi.MultiPicker("Select bottles", names, labels=labels, selected=("shell",))
    pressed(bottles, "down", "space")
    order = multi.MultiPicker("Select bottles", names, labels=labels, selected=("shell", "ci"))
    pressed(order, "tab", "J")
    label, color = naming.NamingModal("tester"), naming.NamingModal("Nightly run", label=False)
    label.paste("Nightly run")
    pressed(color, "down", "down")
    agents = single.SinglePicker("Select agent", ("reviewer", "tester", "docs-writer (this project's)"))
    screens: dict[str, Model] = {
        "agent": agents, "bottles": bottles, "order": order, "label": label, "color": color,
    }  # fmt: skip
    for name, model in screens.items():
        text = between_markers(text, f"screen-{name}", drawn(model))
    tables = [f"{title}\n\n{key_table(module.__doc__ or '')}" for title, module in KEYS.items()]
    return between_markers(text, "keys", "\n".join(tables))


KEYS = {"Agent:": single, "Bottles:": multi, "Name and colour:": naming}


def pressed(model: Model, *keys: str) -> None:
    for key in keys:
        model.press(key, key if len(key) == 1 else None)


def drawn(model: Model) -> str:
    """What is seen at 80 by 24."""
    rows = "\n".join(line.text.rstrip() for line in model.view(Size(80, 24)))
    return f"```text\n{rows}\n```\n"


def key_table(doc: str) -> str:
    """The table of keys in a module's docstring (columns under ``====``) as one of Markdown."""
    lines = doc.splitlines()
    edges = [index for index, line in enumerate(lines) if line.startswith("===")]
    starts = [match.start() for match in re.finditer("=+", lines[edges[0]])]
    spans = list(zip(starts, [*starts[1:], None], strict=True))
    rows = [
        [line[first:last].strip().replace("``", "`") for first, last in spans]
        for line in lines[edges[0] + 1 : edges[-1]]
    ]
    head, body = rows[0], [row for row in rows[1:] if not row[0].startswith("=")]
    table = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(row) + " |" for row in table) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "docs/reference/cli.md": cli_page,
    "docs/reference/manifest-keys.md": reference.page,
    "docs/reference/environment.md": environment_page,
    "docs/presets.md": presets_page,
    "docs/reference/json.md": records.page,
    "docs/reference/ask-paths.md": gate_reference.page,
    "docs/reference/dlp-rules.md": dlp_reference.page,
    "README.md": readme_page,
    "docs/start.md": start_page,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is stale")
    options = parser.parse_args()
    stale = 0
    for name, make in PAGES.items():
        path, new = ROOT / name, make()
        old = path.read_text() if path.exists() else ""
        if old == new:
            continue
        if options.check:
            stale = 1
            print(f"{name} is out of date: run 'make docs'", file=sys.stderr)
            sys.stderr.writelines(
                difflib.unified_diff(old.splitlines(True), new.splitlines(True), name, "code", n=1)
            )
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(new)
            print(f"wrote {name}")
    return stale


if __name__ == "__main__":
    sys.exit(main())
