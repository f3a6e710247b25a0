"""Logins that an agent's own program keeps on the host: read for a launch, and again whenever they change.

Only Codex has one that is used (``forward_host_credentials``). The file is the operator's; it is read bounded
and without waiting, whatever lies there, and what is no login is an error without a value in it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot_bottle.base import messages
from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.secret import Secret
from bot_bottle.providers.codex_login import ACCOUNT_VARIABLE, CodexLogin, parse_login
from bot_bottle.providers.contract import ProviderError

MAX_LOGIN_BYTES = 256 * 1024
"""Codex's file has about 6 KB."""


@dataclass(frozen=True)
class HostLogin:
    """Where Codex keeps the operator's login."""

    path: Path

    @classmethod
    def of(cls, environ: Mapping[str, str], home: Path) -> HostLogin:
        """By ``CODEX_HOME``, else below *home*, as Codex itself looks for it."""
        directory = environ.get("CODEX_HOME")
        return cls(Path(directory) / "auth.json" if directory else home / ".codex" / "auth.json")

    def read(self) -> CodexLogin:
        """Raises :class:`ProviderError` with a hint how to sign in."""
        try:
            return parse_login(_contents(self.path))
        except OSError as error:
            raise ProviderError(
                f"codex's login on this host, {str(self.path)!r}, can't be read: {error.strerror}: "
                "sign in with 'codex login', or name an API key in auth_token"
            ) from error
        except ProviderError as error:
            raise ProviderError(
                f"codex's login on this host, {str(self.path)!r}, can't be used: {error}"
            ) from None


def _contents(path: Path) -> bytes:
    """Raises OSError, also for what is no regular file or too large."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with os.fdopen(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(0, "it is no regular file")
        data = file.read(MAX_LOGIN_BYTES + 1)
    if len(data) > MAX_LOGIN_BYTES:
        raise OSError(0, f"it has more than {MAX_LOGIN_BYTES} bytes")
    return data


class LoginWatch:
    """Hands a login's new values on once they are there; :meth:`tick` is called every few seconds.

    A file that is gone, half written or no login changes nothing: the last good values stay. Another account is
    not taken over: a bottle keeps the identity that it was started with.
    """

    def __init__(
        self,
        login: HostLogin,
        slots: Mapping[str, str],
        values: Mapping[str, str],
        hand_on: Callable[[Mapping[str, Secret]], None],
        complain: Callable[[str], None] = messages.warning,
    ) -> None:
        """*slots*: which host variable fills each slot. *values*: what the launch has read, by host variable.
        *hand_on* gets slot to value; what it raises of ours means "once more at the next tick"."""
        self._login = login
        self._slots = {slot: variable for slot, variable in slots.items() if variable in values}
        self._known = dict(values)
        self._hand_on = hand_on
        self._complain = complain
        self._complaint = ""

    def tick(self) -> None:
        """Look at the file (some kilobytes, so no time stamp has to be trusted); raises nothing: a bottle does
        not end by this."""
        try:
            values = self._login.read().variables()
            if values[ACCOUNT_VARIABLE] != self._known[ACCOUNT_VARIABLE]:
                raise ProviderError(
                    "codex's login on this host is another account's now: this bottle keeps the one that it "
                    "was started with; start it again to change that"
                )
            changed = {
                slot: Secret(values[variable])
                for slot, variable in self._slots.items()
                if values[variable] != self._known[variable]
            }
            if changed:
                self._hand_on(changed)
                self._known = values
                messages.debug(f"codex's login was read again: {str(self._login.path)!r}")
            self._complaint = ""
        except (BotBottleError, OSError) as error:  # no descriptor left for the pipe, say
            if str(error) != self._complaint:  # once, not every few seconds
                self._complaint = str(error)
                self._complain(self._complaint)
