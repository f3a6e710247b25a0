"""``explain``: would this request pass? Answered by the very code that enforces."""

from __future__ import annotations

import os
from typing import Any

import click

from bot_bottle.base import messages
from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.text import printable
from bot_bottle.cli import options, records
from bot_bottle.cli.errors import USAGE, Exit
from bot_bottle.egress.codec import load_policy
from bot_bottle.egress.config import Policy
from bot_bottle.egress.explain import explain
from bot_bottle.egress.match import compile_policy
from bot_bottle.egress.verdict import Allow, Deny
from bot_bottle.launch.plan import LaunchError
from bot_bottle.launch.policy import compose
from bot_bottle.launch.prepare import policy_routes
from bot_bottle.launch.request import LaunchRequest
from bot_bottle.store.layout import default_layout


@click.command("explain", short_help="say whether a request would pass, by which rule, with which credential")
@click.argument("url")
@click.argument("identity", required=False)
@click.option("--method", default="GET", show_default=True, help="The request's method.")
@click.option("--bottle", "bottles", metavar="B", multiple=True, help="A bottle of your manifest.")
@options.routes
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(
    url: str, identity: str | None, method: str, bottles: tuple[str, ...], as_json: bool, **routes: Any
) -> None:
    """Say whether a request for URL would pass: in the running or kept bottle IDENTITY, in a --bottle of the
    manifest, or with routes given here. Exits 1 if it would be refused, 2 if the policy can't be read.

    The address that the name resolves to is checked when a connection is made, not here.
    """
    try:
        policy, where = _policy(identity, bottles, routes)
    except BotBottleError as error:  # unreadable input is no verdict (ruling 64)
        messages.error(str(error))
        raise Exit(USAGE) from error
    found = explain(compile_policy(policy), url, method)
    verdict = found.verdict
    passes = not isinstance(verdict, Deny)
    if as_json:
        refusal = verdict if isinstance(verdict, Deny) else None
        records.show(
            records.ExplainRecord(
                url=found.url,
                method=found.method,
                passes=passes,
                rule=found.rule,
                policy=where,
                route=found.route.host if found.route else None,
                credentials=list(found.credentials),
                status=refusal.status if refusal else None,
                reason=refusal.reason if refusal else None,
                hint=str(refusal.hint) if refusal else None,
            )
        )
    else:
        click.echo(f"{'passes' if passes else 'refused'}: {printable(found.method)} {printable(found.url)}")
        click.echo(f"  policy: {where}")
        click.echo(f"  rule: {printable(found.rule)}")
        if isinstance(verdict, Deny):
            click.echo(f"  answer: {verdict.status} {printable(verdict.reason)}")
            if verdict.hint:
                click.echo(f"  hint: {verdict.hint}")
        elif isinstance(verdict, Allow):
            click.echo(f"  credential: {', '.join(found.credentials) or 'none'}")
    raise Exit(0 if passes else 1)


def _policy(identity: str | None, bottles: tuple[str, ...], routes: dict[str, Any]) -> tuple[Policy, str]:
    layout = default_layout()
    if identity:
        path = layout.egress(identity) / "routes.yaml"
        try:
            return load_policy(path.read_text("utf-8")), f"the live routes of {identity}"
        except OSError as error:
            raise LaunchError(f"no routes of a bottle {identity!r}: see 'bot-bottle list active'") from error
    request = LaunchRequest(bottles=bottles, cwd=os.getcwd(), run=options.run_plan(argv=(), **routes))
    provider, others, base = policy_routes(request, layout)
    if not (bottles or provider or others):
        raise click.UsageError("whose policy? name a bottle's IDENTITY, --bottle, --routes or --allow")
    policy = compose(provider, others, base).policy
    return policy, f"bottle {', '.join(bottles)} of the manifest" if bottles else "the routes given here"
