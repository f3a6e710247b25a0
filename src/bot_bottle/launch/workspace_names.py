"""Which names stay out of a workspace: what usually holds a secret, and what the manifest excludes. Pure.

A glob without a slash is matched against every part of a path, one with a slash against the path from the
workspace's top; ``*`` and ``?`` stay within a part, ``**`` spans any number of them. What matches a
directory leaves out all that is in it. ``!GLOB`` names a secret that is wanted all the same.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from functools import lru_cache

SECRET_NAMES = frozenset({
    ".env", ".npmrc", ".yarnrc", ".yarnrc.yml", ".netrc", "_netrc", ".pypirc", ".pgpass", ".my.cnf",
    ".git-credentials", ".htpasswd", ".vault-token", ".terraformrc", "terraform.rc", ".boto", ".s3cfg",
    ".dockercfg", ".aws", ".ssh", ".gnupg", ".azure", "auth.json", "credentials.json", "secrets.yml",
    "secrets.yaml", "secrets.json", "secrets.toml",
})  # fmt: skip
SECRET_PREFIXES = (
    ".env", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_xmss", "client_secret", "service-account",
)  # fmt: skip
SECRET_SUFFIXES = (
    ".env", ".pem", ".key", ".p12", ".pfx", ".p8", ".jks", ".keystore", ".kdbx", ".ppk", ".gpg", ".tfstate",
    ".tfstate.backup", ".tfvars",
)  # fmt: skip
SECRET_PATHS = frozenset({
    (".kube", "config"), (".docker", "config.json"), (".cargo", "credentials"),
    (".cargo", "credentials.toml"), ("gh", "hosts.yml"), (".config", "gcloud"), (".gem", "credentials"),
    (".m2", "settings.xml"), (".gradle", "gradle.properties"),
})  # fmt: skip
"""The last two parts of a path. All four are compared in lower case; content is not looked at: what goes
out again is the proxy's to scan."""


class Names:
    """The rules for one workspace; remembers what it said about directories."""

    def __init__(self, globs: Sequence[str] = ()) -> None:
        """*globs* is ``workspace.exclude``; entries with ``!`` name what is wanted although it looks
        secret."""
        self.exclude = tuple(glob for glob in globs if not glob.startswith("!"))
        self.wanted = tuple(glob[1:] for glob in globs if glob.startswith("!"))
        self._directories: dict[tuple[str, ...], str | None] = {(): None}

    def reason_to_leave_out(self, parts: tuple[str, ...]) -> str | None:
        """Why the path made of *parts* (at least one) stays outside; None: it comes along.

        Parts above the last are directories: every one is judged, so a whole directory can stay outside.
        """
        above = self._of_directory(parts[:-1])
        if above is not None and not (above == SECRET and self._is_wanted(parts)):
            return above
        return self._of_one(parts)

    def may_hold_wanted(self, parts: tuple[str, ...]) -> bool:
        """Whether a directory that stays outside must be looked into for what was named with ``!``."""
        return bool(self.wanted) and self.reason_to_leave_out(parts) == SECRET

    def _of_directory(self, parts: tuple[str, ...]) -> str | None:
        known = len(parts)
        while parts[:known] not in self._directories:
            known -= 1
        reason = self._directories[parts[:known]]
        for end in range(known + 1, len(parts) + 1):
            reason = reason or self._of_one(parts[:end])
            self._directories[parts[:end]] = reason
        return reason

    def _of_one(self, parts: tuple[str, ...]) -> str | None:
        if any(_matches(glob, parts) for glob in self.exclude):
            return "excluded"
        return SECRET if looks_secret(parts) and not self._is_wanted(parts) else None

    def _is_wanted(self, parts: tuple[str, ...]) -> bool:
        return any(_matches(glob, parts[:end]) for glob in self.wanted for end in range(1, len(parts) + 1))


SECRET = "secret by name"  # noqa: S105


def looks_secret(parts: tuple[str, ...]) -> bool:
    """Whether the last of *parts* is a name that usually holds a secret."""
    name = parts[-1].lower()
    if name in SECRET_NAMES or name.endswith(SECRET_SUFFIXES):
        return True
    if name.startswith(SECRET_PREFIXES):
        return not name.endswith(".pub")  # a key's public half
    return len(parts) > 1 and (parts[-2].lower(), name) in SECRET_PATHS


def _matches(glob: str, parts: tuple[str, ...]) -> bool:
    """Whether *glob* fits the whole of *parts* (without a slash: the last of them)."""
    steps = tuple(step for step in glob.split("/") if step not in ("", "."))
    if "/" not in glob.rstrip("/"):
        return bool(steps) and _compiled(steps[0]).match(parts[-1]) is not None
    reached = _closure(steps, {0})
    for part in parts:
        following = set()
        for index in reached:
            if index < len(steps) and steps[index] == "**":
                following.add(index)
            elif index < len(steps) and _compiled(steps[index]).match(part):
                following.add(index + 1)
        reached = _closure(steps, following)
        if not reached:
            return False
    return len(steps) in reached


def _closure(steps: tuple[str, ...], reached: set[int]) -> set[int]:
    """``**`` also stands for no part at all."""
    out = set(reached)
    for start in reached:
        index = start
        while index < len(steps) and steps[index] == "**":
            index += 1
            out.add(index)
    return out


@lru_cache(maxsize=1024)
def _compiled(step: str) -> re.Pattern[str]:
    # since Python 3.9 fnmatch makes each star but the last atomic: no backtracking over hostile names,
    # which end at 255 bytes anyway
    return re.compile(fnmatch.translate(step))
