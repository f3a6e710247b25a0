"""Which refs a push may change. A refusal names the ref and the rule.

Globs: ``*`` stands for any run of characters, ``/`` among them, as in a refspec (git-push(1); so ``refs/heads/*``
holds ``refs/heads/a/b``); it may stand anywhere and more than once, ``**`` is the same, and nothing else is special:
``?`` and ``[`` can't be in a ref's name. A glob holds the whole name. ``allow_refs`` is compared as written,
``deny_refs`` without regard to case and Unicode form: where upstream keeps refs as files on a file system that folds,
``Main`` is ``main``.

Names are held to git-check-ref-format(1), and to more: UTF-8 without invisible characters, none that git or a forge
could take for something else. What a forge keeps for itself, and ``refs/replace/``, is open only where an allowed
glob names it. Linear in the length of name and glob. No I/O.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

from msgspec import Struct

from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.text import printable
from bot_bottle.gitgate.config import RepoPolicy

MAX_REF_BYTES = 1024
"""Git itself ends at 4096 less the path of the repository; no forge takes as much."""
MAX_UPDATES = 1000
"""Refs in one push"""
_ID_CHARS = frozenset("0123456789abcdef")
_ID_LENGTHS = (40, 64)
_NOT_IN_NAMES = frozenset(" ~^:?*[\\")
_RESERVED = (
    "refs/bisect/",
    "refs/changes/",  # Gerrit: https://gerrit-review.googlesource.com/Documentation/user-upload.html
    "refs/environments/",  # GitLab: https://docs.gitlab.com/development/gitaly/
    "refs/for/",  # Gerrit, and AGit in Gitea and Forgejo: opens a review
    "refs/keep-around/",  # GitLab
    "refs/merge-requests/",  # GitLab
    "refs/meta/",  # Gerrit's configuration: https://gerrit-review.googlesource.com/Documentation/access-control.html
    "refs/pipelines/",  # GitLab
    "refs/pull/",  # GitHub, Gitea, Forgejo, Bitbucket
    "refs/remotes/",
    "refs/replace/",  # git-replace(1): other objects in the place of those that were scanned
    "refs/rewritten/",
    "refs/worktree/",
)
_SPECIAL = frozenset(
    {"head", "fetch_head", "orig_head", "merge_head", "cherry_pick_head", "revert_head", "auto_merge"}
)


class RefsError(BotBottleError):
    """What the hook was given is not a list of ref updates."""


class Refusal(Struct, frozen=True):
    """What was refused, and by which rule; both fit for a terminal."""

    what: str
    rule: str

    @property
    def sentence(self) -> str:
        return f"{self.what}: {self.rule}"


class RefUpdate(Struct, frozen=True):
    """One line of a push. Object ids are lower-case hex; zeros: there is none."""

    ref: str
    old: str
    new: str

    @property
    def creates(self) -> bool:
        return not self.old.strip("0")

    @property
    def deletes(self) -> bool:
        return not self.new.strip("0")

    @property
    def shown(self) -> str:
        """The name, fit for a terminal."""
        return printable(self.ref, limit=200)


def parse_updates(data: bytes) -> tuple[RefUpdate, ...]:
    """The standard input of ``pre-receive``: ``OLD NEW REF`` and a line end, each (githooks(5)).

    Raises :class:`RefsError` where it is anything else, and for a ref that is named twice.
    """
    if not data.endswith(b"\n"):
        raise RefsError("the list of ref updates is empty or breaks off")
    lines = data[:-1].split(b"\n")
    if len(lines) > MAX_UPDATES:
        raise RefsError(f"more than {MAX_UPDATES} refs in one push: push them in parts")
    updates = tuple(_update(line) for line in lines)
    if len({update.ref for update in updates}) != len(updates):
        raise RefsError("a ref is named twice")
    return updates


def _update(line: bytes) -> RefUpdate:
    parts = line.split(b" ", 2)
    if len(parts) != 3:
        raise RefsError("a line is not 'old new ref'")
    old, new = (_id(part) for part in parts[:2])
    if len(old) != len(new):
        raise RefsError("object ids of two kinds in one line")
    try:
        return RefUpdate(parts[2].decode("utf-8"), old, new)
    except UnicodeDecodeError:
        shown = printable(parts[2].decode("utf-8", "replace"), limit=200)
        raise RefsError(f"{shown}: a ref's name must be UTF-8") from None


def _id(raw: bytes) -> str:
    text = raw.decode("ascii", "replace")
    if not is_object_id(text):
        raise RefsError("a line does not begin with two object ids")
    return text


def is_object_id(text: str) -> bool:
    """40 (SHA-1) or 64 (SHA-256) lower-case hex digits."""
    return len(text) in _ID_LENGTHS and set(text) <= _ID_CHARS


# -- names
def bad_name(ref: str) -> str | None:
    """What is wrong with a ref's name; None: nothing."""
    if len(ref.encode("utf-8", "surrogateescape")) > MAX_REF_BYTES:
        return f"a ref's name is at most {MAX_REF_BYTES} bytes"
    if printable(ref) != ref:
        return "a ref's name holds no control, format or other invisible characters"
    if set(ref) & _NOT_IN_NAMES or ".." in ref or "@{" in ref:
        return "a ref's name holds none of space ~ ^ : ? * [ \\ .. @{ (git-check-ref-format)"
    parts = ref.split("/")
    if len(parts) < 2 or parts[0] != "refs":
        return "only what is below refs/ can be pushed"
    if not all(parts):
        return "a ref's name has no empty parts (git-check-ref-format)"
    for part in parts:
        if part.startswith(".") or part.lower().endswith(".lock") or part.endswith("."):
            return "no part of a ref's name begins or ends with '.' or ends with .lock (git-check-ref-format)"
        if part.startswith("-") or part == "@":
            return "no part of a ref's name begins with '-' or is '@': it could be taken for something else"
    return _mistakable(parts)


def _mistakable(parts: list[str]) -> str | None:
    """Names that are valid, and that git or a forge may read as something else."""
    rest = "/".join(parts[2:])
    if folded(parts[-1]) in _SPECIAL:
        return "a ref's name does not end like one of git's own (HEAD)"
    if rest and is_object_id(folded(rest)):
        return "a branch or tag that looks like an object id could be taken for one"
    if len(parts) > 3 and folded(parts[2]) == "refs":
        return "a branch or tag below another refs/ could be taken for that ref"
    return None


def folded(name: str) -> str:
    """Equal for two names that some file system takes for one (case, Unicode compatibility forms)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


# -- globs
def holds(glob: str, name: str) -> bool:
    """Whether *glob* stands for *name*. Each part between stars is found at its first place; that is enough."""
    first, *rest = glob.split("*")
    if not rest:
        return name == glob
    *middle, last = rest
    if len(name) < len(first) + len(last) or not (name.startswith(first) and name.endswith(last)):
        return False
    at, end = len(first), len(name) - len(last)
    for part in middle:
        found = name.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


# -- a push
def check_refs(
    policy: RepoPolicy, updates: Sequence[RefUpdate], upstream: Mapping[str, str]
) -> tuple[Refusal, ...]:
    """Names, globs, collisions and deletions. *upstream*: its refs, name to object id."""
    found = []
    names: dict[str, str] = {folded(ref): ref for ref in upstream}
    for update in updates:
        rule = _name_rule(policy, update)
        if rule is None and update.deletes and not policy.allow_delete:
            rule = "refs may not be deleted here (allow_delete: false)"
        if rule is None and not update.deletes:
            other = names.setdefault(folded(update.ref), update.ref)
            if other != update.ref:
                rule = f"differs from {printable(other, limit=200)} only in case or Unicode form"
        if rule is not None:
            found.append(Refusal(update.shown, rule))
    return tuple(found)


def _name_rule(policy: RepoPolicy, update: RefUpdate) -> str | None:
    wrong = bad_name(update.ref)
    if wrong is not None:
        return wrong
    name = folded(update.ref)
    denied = next((glob for glob in policy.deny_refs if holds(folded(glob), name)), None)
    if denied is not None:
        return f"matches {denied!r} of deny_refs"
    allowed = [glob for glob in policy.allow_refs if holds(glob, update.ref)]
    if not allowed:
        listed = printable(", ".join(policy.allow_refs), limit=200)
        return f"matches nothing of allow_refs ({listed or 'which is empty'})"
    kept = next((prefix for prefix in _RESERVED if name.startswith(prefix)), None)
    if kept is not None and not any(folded(glob).startswith(kept) for glob in allowed):
        return f"{kept} belongs to git or the forge: allow_refs must name it to open it"
    return None


def check_force(
    policy: RepoPolicy, updates: Sequence[RefUpdate], descends: Mapping[str, bool]
) -> tuple[Refusal, ...]:
    """Refs that would be set to what does not descend from what they were, unless that is allowed.

    *descends*: by ref; one that is missing does not. A tag that is set anew always counts: who has it keeps the old
    one (git-push(1), ``refs/tags/*`` is never fast-forwarded).
    """
    if policy.allow_force:
        return ()
    found = []
    for update in updates:
        if update.creates or update.deletes or update.old == update.new:
            continue
        if folded(update.ref).startswith("refs/tags/"):
            found.append(
                Refusal(update.shown, "a tag that is upstream may not be moved (allow_force: false)")
            )
        elif descends.get(update.ref) is not True:
            found.append(
                Refusal(
                    update.shown,
                    "does not descend from what is upstream: not a fast-forward (allow_force: false)",
                )
            )
    return tuple(found)
