"""The keys that leave a bottle without ending it. Sans-I/O.

``ctrl-],d`` unless told otherwise: neither an agent nor a shell uses Ctrl-], telnet has made it the way out
of a connection, and a second key keeps a single press (vim: go to the tag) from leaving. Docker's
ctrl-p,ctrl-q would hold back every Ctrl-P, which agents and shells use for the previous line.
"""

from __future__ import annotations

from bot_bottle.base.errors import BotBottleError

DEFAULT = "ctrl-],d"
MAX_KEYS = 8
HELD_S = 1.0
"""The beginning of the sequence goes inside when nothing follows it for so long."""

_CONTROLS = {"@": 0, "[": 27, "\\": 28, "]": 29, "^": 30, "_": 31}


class BadKeys(BotBottleError):
    """No sequence of keys."""


def parse(text: str) -> bytes:
    """``ctrl-],d``: keys, separated by commas; each a character or ``ctrl-`` and one of a-z @ [ \\ ] ^ _.

    Raises :class:`BadKeys`.
    """
    keys = bytearray()
    for name in text.split(",") if text.isascii() else [""]:
        lower = name.lower()
        if len(name) == 1 and "!" <= name <= "~":
            keys.append(ord(name))
        elif lower.startswith("ctrl-") and len(name) == 6 and (name[5] in _CONTROLS or lower[5].isalpha()):
            keys.append(_CONTROLS[name[5]] if name[5] in _CONTROLS else ord(lower[5]) - 96)
        else:
            raise BadKeys(f"detach keys {text!r}: write 'ctrl-x' or characters, with commas between them")
    if len(keys) > MAX_KEYS:
        raise BadKeys(f"detach keys {text!r}: at most {MAX_KEYS} keys")
    if keys[0] >= 32:
        raise BadKeys(f"detach keys {text!r}: the first must be 'ctrl-…', or a letter could not be typed")
    return bytes(keys)


def spell(keys: bytes) -> str:
    """The same for a person's eyes: ``Ctrl-] d``."""
    return " ".join(chr(key) if key >= 32 else f"Ctrl-{chr(key + 64)}" for key in keys)


class Watcher:
    """Finds the sequence among what is typed; the part of it that may yet become one is held back."""

    def __init__(self, keys: bytes) -> None:
        self._keys = keys
        self._held = b""

    @property
    def holds(self) -> bool:
        """Something is held back: call :meth:`release` when nothing follows for :data:`HELD_S`."""
        return bool(self._held)

    def feed(self, typed: bytes) -> tuple[bytes, bool]:
        """What goes inside of *typed*, and whether the sequence was completed; the rest is dropped then."""
        data = self._held + typed
        self._held = b""
        at = data.find(self._keys)
        if at >= 0:
            return data[:at], True
        for size in range(min(len(self._keys) - 1, len(data)), 0, -1):
            if data.endswith(self._keys[:size]):
                self._held = data[-size:]
                return data[:-size], False
        return data, False

    def release(self) -> bytes:
        """What was held back."""
        held, self._held = self._held, b""
        return held
