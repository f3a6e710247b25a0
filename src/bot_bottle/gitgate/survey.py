"""What the commits of a push change that its rules speak of, and where the objects of its findings lie. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from msgspec import Struct

from bot_bottle.base.text import printable
from bot_bottle.gitgate.changes import Change
from bot_bottle.gitgate.config import RepoPolicy
from bot_bottle.gitgate.findings import Located
from bot_bottle.gitgate.paths import PathRules
from bot_bottle.gitgate.trees import GITLINK, LINK

MAX_TOUCHES = 1000
"""kept; how many more there are is counted"""
_MAX_PATH_CHARS = 300


class Touch(Struct, frozen=True):
    """One file that a rule speaks of, in the first commit seen that changes it."""

    path: str
    """fit for a terminal"""
    how: str
    """added, changed, deleted; as a link or submodule"""
    rule: str
    commit: str

    @property
    def sentence(self) -> str:
        return f"{self.path} ({self.how}, commit {self.commit[:12]}): {self.rule}"


class Touched(Struct, frozen=True):
    denied: tuple[Touch, ...] = ()
    asked: tuple[Touch, ...] = ()
    unlisted: int = 0
    """how many more there are, of both"""


class Survey:
    """Takes every change of a push: those of its commits, and those of each ref as a whole.

    ``wanted``: objects of findings and pointers, to be placed. ``redact``: takes secrets out of a path that is told.
    """

    def __init__(
        self, policy: RepoPolicy, wanted: Collection[str] = (), *, redact: Callable[[str], str]
    ) -> None:
        self._redact = redact
        self._rules = PathRules.of(policy)
        self._wanted = frozenset(wanted)
        self._denied: dict[tuple[bytes, str, str], Touch] = {}
        self._asked: dict[tuple[bytes, str, str], Touch] = {}
        self._unlisted = 0
        self.places: dict[str, Located] = {}
        """object id to path and commit, for those that were wanted"""

    def take(self, change: Change) -> None:
        """A change that a commit makes."""
        if change.new in self._wanted:
            self.places[change.new] = (self._shown(change.path), change.commit)
        verdict = self._rules.judge(change.path, links=change.new_mode & 0o170000 in (LINK, GITLINK))
        if verdict is None:
            return
        touch = Touch(self._shown(change.path), _how(change), verdict.rule, change.commit)
        kept = self._denied if verdict.denied else self._asked
        key = (change.path, touch.how, touch.rule)  # the real path: two may be shown alike
        if key in kept:
            return
        if len(self._denied) + len(self._asked) >= MAX_TOUCHES:
            self._unlisted += 1
            return
        kept[key] = touch

    def take_tip(self, change: Change, theirs: Mapping[bytes, tuple[int, str]] | None) -> None:
        """A change of a ref as a whole. *theirs*: the files of upstream's own branch (``changes.entries``): what is
        as it is there, a merge or a rebase has brought from there, and it changes nothing. None: not known."""
        if theirs is not None:
            there = theirs.get(change.path)
            if there == (change.new_mode, change.new) or (there is None and change.gone):
                return
        self.take(change)

    def _shown(self, path: bytes) -> str:
        return printable(self._redact(path.decode("utf-8", "replace")), limit=_MAX_PATH_CHARS)

    @property
    def touched(self) -> Touched:
        return Touched(tuple(self._denied.values()), tuple(self._asked.values()), self._unlisted)


def _how(change: Change) -> str:
    if change.gone:
        return "deleted"
    kind = {LINK: " as a symbolic link", GITLINK: " as a submodule"}.get(change.new_mode & 0o170000, "")
    return ("changed" if any(change.old_modes) else "added") + kind
