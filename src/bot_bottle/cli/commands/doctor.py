"""``doctor``: can this host run bottles, and if not, what mends it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import click

from bot_bottle.base import process
from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.text import printable
from bot_bottle.cli import records
from bot_bottle.cli.backends import all_backends
from bot_bottle.cli.errors import FIXABLE, OK, Exit
from bot_bottle.cli.records import Finding
from bot_bottle.providers.registry import PROVIDERS
from bot_bottle.store.directories import prepare
from bot_bottle.store.layout import Layout, default_layout

MIN_FREE_BYTES = 2 * 1024**3
"""A bottle's default limit is 20 GiB; under this a normal session fills the disk."""

BUILD_DAY_S = 1_760_000_000
"""A day before this product was made (2025-10-09): a clock before it makes every certificate invalid."""

VERSION_TIMEOUT_S = 15.0


@click.command("doctor", short_help="check this host and say how to mend what is missing")
@click.option("--json", "as_json", is_flag=True, help="One JSON array of findings on standard output.")
def command(as_json: bool) -> None:
    """Check backends, programs, directories, disk, clock and credentials (by name). Exits 1 if no backend works."""
    layout = default_layout()
    findings: list[Finding] = []
    works = False
    for check in (_directories, _backends, _programs, _disk, _clock, _trust, _credentials):
        for finding in check(layout):
            findings.append(finding)
            works = works or (check is _backends and finding.level == "ok")
    if as_json:
        records.show(findings)
    else:
        for finding in findings:
            click.echo(f"{finding.level:<5}{printable(finding.what)}")
            if finding.fix:
                click.echo(f"     -> {printable(finding.fix)}")
    raise Exit(OK if works else FIXABLE)


def _directories(layout: Layout) -> Iterator[Finding]:
    try:
        prepare(layout)
    except (BotBottleError, OSError) as error:
        yield Finding("fail", str(error), "make the directory yours, or set HOME and XDG_RUNTIME_DIR")
    else:
        yield Finding("ok", f"state in {layout.home}, sockets in {layout.run}")


def _backends(layout: Layout) -> Iterator[Finding]:
    for name, backend in all_backends(layout).items():
        problems = backend.check()
        fatal = [problem for problem in problems if problem.fatal]
        if not fatal:
            yield Finding("ok", f"backend {name} works")
        for problem in problems:
            yield Finding("fail" if problem.fatal else "note", f"{name}: {problem.what}", problem.fix)


def _programs(_layout: Layout) -> Iterator[Finding]:
    for name, why in (
        ("git", "workspaces that are repositories are copied by it"),
        ("npm", "the coding agents are installed by it; your own copy works too ('tools')"),
    ):
        if process.find_program(name) is None:
            yield Finding("note", f"{name} is not installed", f"apt install {name}: {why}")
            continue
        version = process.run([name, "--version"], timeout_s=VERSION_TIMEOUT_S, check=False)
        yield Finding(
            "ok", f"{name} {version.stdout.decode('utf-8', 'replace').strip().removeprefix('git version ')}"
        )


def _disk(layout: Layout) -> Iterator[Finding]:
    place = next((path for path in (layout.shared, *layout.shared.parents) if path.is_dir()), Path("/"))
    free = shutil.disk_usage(place).free
    text = f"{free / 1024**3:.1f} GiB free for bottles in {place}"
    if free < MIN_FREE_BYTES:
        yield Finding(
            "fail", text, f"free at least {MIN_FREE_BYTES // 1024**3} GiB there; try 'bot-bottle cleanup'"
        )
    else:
        yield Finding("ok", text)


def _clock(_layout: Layout) -> Iterator[Finding]:
    if time.time() < BUILD_DAY_S:
        yield Finding(
            "fail", f"the clock says {time.strftime('%Y-%m-%d')}", "set it: certificates depend on it"
        )
    else:
        yield Finding("ok", "the clock is plausible")


def _trust(_layout: Layout) -> Iterator[Finding]:
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    if bundle.is_file() and bundle.stat().st_size:
        yield Finding("ok", f"root certificates in {bundle}")
    else:
        yield Finding(
            "note", "no root certificates on this host", "apt install ca-certificates, or use --extra-ca"
        )


def _credentials(_layout: Layout) -> Iterator[Finding]:
    for template, provider in sorted(PROVIDERS.items()):
        names = provider.token_variables
        if not names:
            continue
        found = [name for name in names if os.environ.get(name)]
        if found:
            yield Finding("ok", f"{template}: {found[0]} is set (its value is not looked at)")
        else:
            yield Finding(
                "note", f"{template}: none of {', '.join(names)} is set", "export one before a launch"
            )
