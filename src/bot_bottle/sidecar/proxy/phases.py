"""The phases of a request on its way out (``passage``), and whose request it is.

=========  =========================================================  =========================
phase      the body                                                   next
=========  =========================================================  =========================
HEAD       is not read: the head is judged, or somebody is asked      BODY, OVER
BODY       is read and held; nothing has gone, nothing is dialled     OPEN, ASKING, OVER
ASKING     is held; not read                                          HEAD, BODY, OVER
OPEN       goes as far as it was judged                               OVER
OVER       nothing more                                               --
=========  =========================================================  =========================
"""

from __future__ import annotations

from enum import IntEnum
from typing import Protocol

from bot_bottle.egress.verdict import Deny


class Phase(IntEnum):
    HEAD = 0
    BODY = 1
    ASKING = 2
    OPEN = 3
    OVER = 4


class Owner(Protocol):
    """Whose request it is."""

    def passage_opens(self) -> None:
        """It may go, as ``identity``, ``allow`` and ``framing`` now say; :meth:`Passage.take` has the body."""

    def passage_refused(self, deny: Deny) -> None: ...

    def passage_failed(self, error: Exception) -> None:
        """In a call that the owner did not make: nothing may go."""

    def passage_moves(self) -> None:
        """More of the body is wanted again."""


class Nobody:
    """The owner of a request that is over. The real one is let go: a passage and its exchange would hold each other,
    and with them their client's connection, until a collection of garbage happens to look at all there is."""

    def passage_opens(self) -> None:
        pass

    def passage_refused(self, deny: Deny) -> None:
        pass

    def passage_failed(self, error: Exception) -> None:
        pass

    def passage_moves(self) -> None:
        pass
