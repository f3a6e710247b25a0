"""Commands of the form ``VERB [NAME] [OPTIONS] [-- ARGV…]``: what stands behind ``--`` is never taken for NAME."""

from __future__ import annotations

import click

_MARK = "\0--"
"""Stands where ``--`` was, which click's parser takes out; no argument of a process can hold it."""


class Dashed(click.Command):
    """A command whose parameters ``name`` (given as *name*) and ``argv`` come apart at ``--``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            at = args.index("--") + 1
            args = [*args[:at], _MARK, *args[at:]]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        name = next(parameter.name for parameter in self.params if isinstance(parameter, click.Argument))
        assert name is not None
        argv: tuple[str, ...] = ctx.params.get("argv") or ()
        if ctx.params.get(name) == _MARK:
            ctx.params[name] = None
        ctx.params["argv"] = tuple(word for word in argv if word != _MARK)
        return super().invoke(ctx)
