"""Options that several verbs have, and what they become."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from bot_bottle.store.metadata import RunPlan

F = TypeVar("F", bound=Callable[..., Any])


def connections(command: F) -> F:
    """``--connect-to --extra-ca``: where connections go."""
    return _with(command, _CONNECTIONS)


def routes(command: F) -> F:
    """``--routes --allow --auth`` and :func:`connections`: what may leave, and where it goes."""
    return _with(command, (*_ROUTES, *_CONNECTIONS))


def _with(command: F, chosen: Sequence[Callable[[F], F]]) -> F:
    for option in reversed(chosen):
        command = option(command)
    return command


_ROUTES: tuple[Callable[[Any], Any], ...] = (
    click.option("--routes", "routes_file", metavar="FILE", help="A routes file; see 'bot-bottle proxy'."),
    click.option("--allow", metavar="HOST", multiple=True, help="Let requests to HOST[:PORT] out."),
    click.option(
        "--auth",
        metavar="HOST=SCHEME:ENV",
        multiple=True,
        help="Let requests to HOST out, with the credential in the variable ENV put in; SCHEME is Bearer, "
        "token, Basic or raw.HEADER. The agent never sees the value.",
    ),
)
_CONNECTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--connect-to",
        metavar="HOST:PORT:ADDRESS:PORT",
        multiple=True,
        help="Connect to ADDRESS:PORT where HOST:PORT is meant, as curl has it.",
    ),
    click.option(
        "--extra-ca", metavar="FILE", multiple=True, help="Trust these roots (PEM) for upstreams too."
    ),
)

detach = click.option(
    "-d", "--detach", is_flag=True, help="Print the identity once the agent runs, and leave it running."
)

raw_terminal = click.option(
    "--raw-terminal", is_flag=True, help="Show the agent's output unfiltered: it may drive your terminal."
)

DETACH_KEYS = "BOT_BOTTLE_DETACH_KEYS"
"""Variable with the keys for every command."""


def _keys(ctx: click.Context, parameter: click.Parameter, value: str) -> bytes:
    from bot_bottle.launch.detach_keys import BadKeys, parse

    try:
        return parse(value)
    except BadKeys as error:
        raise click.BadParameter(str(error), ctx, parameter) from error


def detach_keys(command: F) -> F:
    """``--detach-keys``: the way out of an attached terminal; the command gets them as bytes."""
    return click.option(
        "--detach-keys",
        "detach_keys",
        metavar="KEYS",
        envvar=DETACH_KEYS,
        default="ctrl-],d",
        show_default=True,
        callback=_keys,
        help="The keys that leave the bottle running: characters or ctrl-X, commas between them.",
    )(command)


def run_plan(
    *,
    argv: Sequence[str],
    task: str = "",
    env: Sequence[str] = (),
    routes_file: str | None = None,
    allow: Sequence[str] = (),
    auth: Sequence[str] = (),
    connect_to: Sequence[str] = (),
    extra_ca: Sequence[str] = (),
) -> RunPlan:
    """The part of a launch that flags decide; paths become absolute, so that ``resume`` finds them."""
    return RunPlan(
        argv=tuple(argv),
        task=task,
        env=dict(_pair(text) for text in env),
        routes_file=os.path.abspath(routes_file) if routes_file else "",
        allow=tuple(allow),
        auth=tuple(auth),
        connect_to=tuple(connect_to),
        extra_ca=tuple(os.path.abspath(path) for path in extra_ca),
    )


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier() or not name.isascii():
        raise click.UsageError(f"--env {text!r}: write NAME=VALUE")
    if "\0" in value:
        raise click.UsageError(f"--env {name}: a value can't hold NUL")
    return name, value
