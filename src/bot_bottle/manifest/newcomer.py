"""The two files that ``init`` writes: an agent and a bottle for somebody who has none. Pure.

What is written loads to what was asked for; names of variables are in it, never a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot_bottle.manifest.emit import front_matter

BOTTLE_TEXT = """\
What the bottle {name} is for: write it here, for people. The keys above are listed in
docs/reference/manifest-keys.md of bot-bottle. A route that opens one host more, with a credential that the agent
never sees:

    egress:
      routes:
        - host: api.github.com
          auth: {{scheme: Bearer, token_ref: GITHUB_TOKEN}}
          matches:
            - methods: [GET]
              paths: [{{value: /repos/}}]
"""


@dataclass(frozen=True)
class NewBottle:
    """What a bottle file is made of."""

    name: str
    template: str
    auth_token: str = ""
    """name of the host variable; empty: none"""
    host_login: bool = False
    """use the login that the agent's own program keeps on this host"""
    argv: Sequence[str] = ()
    """of template ``command``"""
    hosts: Sequence[str] = ()


def bottle_file(bottle: NewBottle) -> str:
    """The text of ``bottles/NAME.md``."""
    provider: dict[str, Any] = {"template": bottle.template}
    if bottle.auth_token:
        provider["auth_token"] = bottle.auth_token
    if bottle.host_login:
        provider["forward_host_credentials"] = True
    if bottle.argv:
        provider["settings"] = {"argv": list(bottle.argv)}
    data: dict[str, Any] = {"agent_provider": provider}
    if bottle.hosts:
        data["egress"] = {"routes": [{"host": host} for host in bottle.hosts]}
    return front_matter(data, BOTTLE_TEXT.format(name=bottle.name))


def agent_file(bottle: str, skills: Sequence[str], prompt: str) -> str:
    """The text of ``agents/NAME.md``."""
    data: dict[str, Any] = {"bottle": bottle}
    if skills:
        data["skills"] = list(skills)
    return front_matter(data, f"{prompt.strip()}\n" if prompt.strip() else "")
