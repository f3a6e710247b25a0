"""The secrets that a gate searches pushes for: its own keys and tokens, and what the host says. More come when a login
is refreshed on the host; what was there before stays known, since it may still be good."""

from __future__ import annotations

from bot_bottle.base.secret import Secret
from bot_bottle.dlp.known import Kind, Known, KnownSecrets
from bot_bottle.ipc.sidecar import SidecarSecrets
from bot_bottle.sidecar.proxy.arming import EARLIER, KEPT_VALUES


class Searched:
    """Each by its name, the newest value first."""

    def __init__(self, given: SidecarSecrets) -> None:
        self._known: dict[str, list[Known]] = {}
        self.add(given)

    def add(self, given: SidecarSecrets) -> None:
        for name, value in given.tokens.items():
            if value.strip():
                self._put(name, Known(Secret(value), Kind.INJECTED))
        for item in given.known:
            self._put(item.name, Known(Secret(item.value), Kind(item.kind), frozenset(item.hosts)))

    def secrets(self) -> KnownSecrets:
        return KnownSecrets(
            {
                f"{name}{EARLIER}{number}" if number else name: known
                for name, values in self._known.items()
                for number, known in enumerate(values)
            }
        )

    def _put(self, name: str, known: Known) -> None:
        values = self._known.setdefault(name, [])
        if known.value not in (each.value for each in values):
            values.insert(0, known)
            del values[KEPT_VALUES:]
