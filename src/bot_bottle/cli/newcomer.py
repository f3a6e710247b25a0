"""The questions of ``init``, and the files that come out of the answers.

Each has a flag; without a terminal one that is missing ends the command with the flag's name, unless the
question has "none" for an answer. What is typed where a variable's *name* belongs may be a secret: it is
never repeated.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from bot_bottle.cli.asking import Asker, ask_until, missing
from bot_bottle.egress.hosts import BadHost, canonical_route_host
from bot_bottle.launch.plan import LaunchError
from bot_bottle.manifest.newcomer import NewBottle, agent_file, bottle_file
from bot_bottle.manifest.source import PATTERN, Index, is_name
from bot_bottle.providers.registry import PROVIDERS, pick_token_variable
from bot_bottle.store.files import make_directory, make_home, write_all
from bot_bottle.store.layout import Layout

DEFAULT_BOTTLE = "dev"
LOGIN = "login"
"""The answer that takes codex's own login instead of a variable."""

HOW_TO_GET_ONE: Mapping[str, tuple[str, ...]] = {
    "claude": (
        "a Claude subscription: run 'claude setup-token', and export what it prints as CLAUDE_CODE_OAUTH_TOKEN",
        "an API key: make one at console.anthropic.com, and export it as ANTHROPIC_API_KEY",
    ),
    "codex": (
        "an API key: make one at platform.openai.com, and export it as OPENAI_API_KEY",
        f"a ChatGPT login: run 'codex login' on this host, and answer {LOGIN!r} (--host-login)",
    ),
}


@dataclass(frozen=True)
class Flags:
    """What the command line answered; None: not given."""

    name: str | None
    bottle: str | None
    provider: str | None
    auth_token: str | None
    host_login: bool
    allow: tuple[str, ...]
    skills: tuple[str, ...]
    prompt: str | None
    argv: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """What is going to be written. ``new`` is None where the bottle is there already."""

    agent: str
    bottle: str
    skills: tuple[str, ...]
    prompt: str
    new: NewBottle | None

    def write(self, layout: Layout) -> list[Path]:
        """Write both files or none; raises :class:`LaunchError` where one is there by now."""
        files = [(layout.agents / f"{self.agent}.md", agent_file(self.bottle, self.skills, self.prompt))]
        if self.new is not None:
            files.insert(0, (layout.bottles / f"{self.new.name}.md", bottle_file(self.new)))
        make_home(layout.home)
        written: list[Path] = []
        try:
            for path, text in files:
                if not path.parent.is_dir():
                    make_directory(path.parent, 0o700)
                _write_new(path, text)
                written.append(path)
        except BaseException:
            for path in written:
                path.unlink()
            raise
        return written

    def what_next(self) -> list[str]:
        """The lines that ``init`` ends with."""
        lines = []
        token = self.new.auth_token if self.new else ""
        if token and not os.environ.get(token):
            lines.append(f"{token} is not set here; before the first start, export it:")
            lines += [f"  {line}" for line in HOW_TO_GET_ONE.get(self.new.template if self.new else "", ())]
        return [
            *lines,
            f"next: bot-bottle start {self.agent} --cwd   (works on a copy of the current directory)",
            f"change it: bot-bottle edit {self.agent}, bot-bottle edit --bottle {self.bottle}",
        ]


def _write_new(path: Path, text: str) -> None:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise LaunchError(f"{str(path)!r} is there already: choose another name, or edit it") from error
    except OSError as error:
        raise LaunchError(f"{str(path)!r} can't be made: {error.strerror}") from error
    try:
        write_all(fd, text.encode())
    except BaseException:  # half a file would be in the way the next time
        path.unlink()
        raise
    finally:
        os.close(fd)


class Dialogue:
    """One ``init``; *asker* is None where nobody can be asked."""

    def __init__(
        self, flags: Flags, index: Index, layout: Layout, asker: Asker | None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:  # fmt: skip
        self._flags = flags
        self._index = index
        self._layout = layout
        self._asker = asker
        self._environ = environ

    def ask(self) -> Plan:
        """Raises ``Exit``, click's ``UsageError``."""
        flags = self._flags
        if flags.name is None:
            self._say(
                "An agent is a prompt; its bottle says what it may reach, with whose credential.",
                "Enter takes what stands in [brackets]; every answer has a flag (bot-bottle init --help).",
            )
        name = self._answer("the agent's name (such as fixer)", flags.name, "", "NAME", self._parse_name)
        bottle = self._bottle_name()
        new = None if bottle in self._index.bottles else self._new_bottle(bottle)
        if new is None and (
            flags.provider or flags.auth_token or flags.host_login or flags.allow or flags.argv
        ):
            raise click.UsageError(
                f"bottle {bottle!r} is there already: 'bot-bottle edit --bottle {bottle}' changes it"
            )
        return Plan(name, bottle, self._skills(), self._prompt(), new)

    def _answer(
        self,
        question: str,
        given: str | None,
        default: str,
        flag: str,
        parse: Callable[[str], str],
        *,
        optional: bool = False,
    ) -> str:
        """*optional*: no answer is one, and nobody needs to be there."""
        if given is not None:
            try:
                return parse(given)
            except ValueError as error:
                raise click.UsageError(f"{flag}: {error}") from error
        if self._asker is None:
            if optional:
                return ""
            raise missing(f"{question}?", flag)
        return ask_until(self._asker, question, default, parse, empty=optional)

    def _say(self, *lines: str) -> None:
        if self._asker is not None:
            for line in lines:
                self._asker.say(f"  {line}")

    # -- the agent
    def _parse_name(self, text: str) -> str:
        file = self._layout.agents / f"{_name(text)}.md"
        if os.path.lexists(file):
            raise ValueError(
                f"{str(file)!r} is there already: choose another name, or 'bot-bottle edit {text}'"
            )
        return text

    def _skills(self) -> tuple[str, ...]:
        directory = self._layout.home.parent / ".claude" / "skills"
        try:
            there = sorted(name for name in os.listdir(directory) if (directory / name).is_dir())
        except OSError:
            there = []

        def parse(text: str) -> str:
            unknown = sorted(set(text.split()) - set(there))
            if unknown:
                known = ", ".join(there) or "none"
                raise ValueError(f"{', '.join(unknown)}: not in {str(directory)!r} (there: {known})")
            return text

        given = " ".join(self._flags.skills) if self._flags.skills else None
        if given is None and not there:
            return ()
        if given is None:
            self._say(f"skills of yours: {', '.join(there)}")
        return tuple(
            self._answer("skills, separated by spaces", given, "", "--skill", parse, optional=True).split()
        )

    def _prompt(self) -> str:
        """Empty where the person wants none: by Enter, or by ``--prompt ''``."""
        question = "what the agent is told at its start (Enter: nothing)"
        if self._flags.prompt is None and self._asker is None:
            raise missing(f"{question}?", "--prompt")
        return self._answer(question, self._flags.prompt, "", "--prompt", str, optional=True)

    # -- the bottle
    def _bottle_name(self) -> str:
        names = self._index.bottle_names
        if names and self._flags.bottle is None:
            self._say(f"bottles that are there: {', '.join(names)}; another name makes a new one")
        default = names[0] if len(names) == 1 else "" if names else DEFAULT_BOTTLE
        return self._answer("its bottle: what it may reach", self._flags.bottle, default, "--bottle", _name)

    def _new_bottle(self, name: str) -> NewBottle:
        found = [
            template for template in PROVIDERS if pick_token_variable(PROVIDERS[template], self._environ)
        ]
        default = found[0] if found else "claude"
        question = f"the coding agent: {', '.join(sorted(PROVIDERS))}"
        template = self._answer(question, self._flags.provider, default, "--provider", _template)
        token = self._credential(template)
        login = token == LOGIN
        argv = self._argv(template)
        return NewBottle(name, template, "" if login else token, login, argv, self._hosts())

    def _credential(self, template: str) -> str:
        """A variable's name, :data:`LOGIN`, or nothing for a provider that needs none."""
        provider, flags = PROVIDERS[template], self._flags
        if flags.host_login and template != "codex":
            raise click.UsageError("--host-login is codex's: leave it out")
        if flags.host_login:
            return LOGIN
        if not provider.token_variables:
            if flags.auth_token:
                raise click.UsageError(f"--auth-token: {template} needs none here; leave it out")
            return ""
        found = pick_token_variable(provider, self._environ)
        if flags.auth_token is None and found and self._asker is None:
            return found
        if flags.auth_token is None and found:
            self._say(f"{found} is set: its value stays outside the bottle, and is not looked at now")
        elif flags.auth_token is None:
            self._say(f"no credential for {template} is set here; ways to get one:")
            self._say(*HOW_TO_GET_ONE.get(template, ()))

        def parse(text: str) -> str:
            if text == LOGIN and template == "codex":
                return text
            if not (text in self._environ or _names_a_variable(text)):
                raise ValueError(
                    "that is no variable's name (capitals, digits and _, or one that is set): the name, "
                    "never the value"
                )
            return text

        question = "the variable that holds the credential"
        default = found or provider.token_variables[0]
        return self._answer(question, flags.auth_token, default, "--auth-token", parse)

    def _argv(self, template: str) -> tuple[str, ...]:
        if template != "command":
            if self._flags.argv:
                raise click.UsageError(f"what stands behind -- is for --provider command, not for {template}")
            return ()
        if self._flags.argv:
            return self._flags.argv

        def parse(text: str) -> str:
            return shlex.join(shlex.split(text))

        return tuple(
            shlex.split(
                self._answer("the program to run, with its arguments", None, "bash", "-- ARGV", parse)
            )
        )

    def _hosts(self) -> tuple[str, ...]:
        given = " ".join(self._flags.allow) if self._flags.allow else None
        question = "further hosts that it may reach, separated by spaces (Enter: none)"
        return tuple(self._answer(question, given, "", "--allow", _hosts, optional=True).split())


def _name(text: str) -> str:
    if not is_name(text) or len(text) > 64:
        raise ValueError(f"{text!r} can't be a name: it must match {PATTERN.removesuffix('.md')}")
    return text


def _template(text: str) -> str:
    if text not in PROVIDERS:
        raise ValueError(f"{text!r}: use one of {', '.join(sorted(PROVIDERS))}")
    return text


def _hosts(text: str) -> str:
    for host in text.split():
        try:
            canonical_route_host(host)
        except BadHost as error:
            raise ValueError(f"{host!r} is no host: {error}") from error
    return text


def _names_a_variable(text: str) -> bool:
    """As variables of credentials are named. A token is an identifier often enough (``ghp_`` and letters), but
    has small letters; one of 32 hexadecimal capitals would pass, so a name has an underscore too, or is short."""
    plain = text.isascii() and text.isidentifier() and text == text.upper()
    return plain and ("_" in text or len(text) < 16)
