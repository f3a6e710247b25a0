"""The console script: finds the verb, imports that verb's module alone, turns its end into an exit status.

Importing a verb only when it is asked for keeps ``run`` fast (``docs/adr/0001``). Nothing is decided here.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from bot_bottle import __version__
from bot_bottle.cli import errors

VERBS: dict[str, str] = {
    "run": "run a program or an agent in a fresh bottle; never asks",
    "start": "start an agent of your manifest in a bottle",
    "resume": "start a preserved bottle again",
    "attach": "show a running bottle in this terminal",
    "init": "make a first agent and bottle, asking for what they need",
    "edit": "open an agent's or bottle's file in your editor, and check it",
    "info": "show an agent: its bottle, provider, prompt, skills and hosts",
    "validate": "check manifests, settings and routes files, with file and line",
    "list": "list agents and bottles",
    "stop": "stop a running bottle",
    "shell": "open a shell in a running bottle",
    "exec": "run a command in a running bottle",
    "logs": "show what a bottle's proxy blocked and what its sandbox said",
    "scan": "look for secrets, or for hidden orders, in files or standard input",
    "explain": "say whether a request would pass, by which rule, with which credential",
    "cleanup": "remove what killed launches and ended bottles left",
    "prune": "remove kept bottles and logs that have rested for long; show disk use",
    "doctor": "check this host and say how to mend what is missing",
    "try": "watch a scripted agent work in a bottle, then try to break out",
    "proxy": "run the egress proxy alone, without a sandbox",
}
"""Every command with its one line of help, so that ``--help`` imports none of them."""


class LazyGroup(click.Group):
    """A group that imports ``bot_bottle.cli.commands.<verb>`` when the verb is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in VERBS:
            return None
        module = import_module(f"bot_bottle.cli.commands.{_MODULES.get(cmd_name, cmd_name)}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


_MODULES = {"list": "list_", "exec": "exec_", "try": "try_"}
"""Verbs whose module can't have their name: it is a builtin or a keyword of Python."""


@click.command(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    invoke_without_command=True,
)
@click.version_option(__version__, prog_name="bot-bottle", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Run coding agents unsupervised, each in a bottle with no network route but its own proxy.

    Data goes to standard output, messages to standard error. Exit status: 0 done, 1 something you can
    mend, 2 wrong usage, 3 a bug of ours (the message names the log), 130 interrupted.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(2)


def stand_firm() -> None:
    """Make sure of what the rest takes for granted about the process.

    Where a standard descriptor is closed (``>&-``), the next file that is opened would get its number, and
    what the agent prints would go into that: a lock, the daemon's socket. The person's umask is for the
    person's files; ours have modes of their own, a bottle's programs get the usual one.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
            stream = os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False)
            setattr(sys, name, stream)
    os.umask(0o022)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and exit; never returns."""
    stand_firm()
    gc.set_threshold(50_000)  # what is imported stays: looking through it again and again takes time
    status = errors.guarded(lambda: cli.main(args=argv, prog_name="bot-bottle", standalone_mode=False))
    gc.freeze()  # nor is it looked through at the end
    sys.exit(status)
