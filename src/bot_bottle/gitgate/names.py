"""What some checkout makes of the names in a tree: a file system folds what git keeps apart.

Two readings of a path are compared with a rule. The *plain* one folds case and Unicode compatibility forms alone.
The *worst* one is what any of these would make of it:

* HFS+ and APFS: case and normalisation folded, ignorable characters dropped (git's own list is in ``utf8.c``,
  ``is_hfs_dotgit``, CVE-2014-9390);
* NTFS: a backslash parts names, dots and spaces at the end are dropped, what follows a colon is a stream of the file
  (``is_ntfs_dotgit`` in git's ``path.c``, CVE-2019-1352, CVE-2019-1353); short names (``GITHUB~1``) are in
  ``gitgate.paths``.

Linear. No I/O.
"""

from __future__ import annotations

import re
import unicodedata

_DOTGIT = re.compile(r"(?:\.git|git~[0-9]+|gi[0-9a-f]{4}~[0-9]+)\Z")
_SAFE = re.compile(rb"[A-Za-z0-9_@+%=,()\[\]{}#!&'-]+(?:[./ ][A-Za-z0-9_@+%=,()\[\]{}#!&'-]+)*\Z")
"""most paths there are: both readings are the lower case of it. No end of a name is a dot or a space here, no name
begins with a dot, none is empty."""


def readings(path: bytes) -> tuple[str, str]:
    """The plain and the worst reading of *path*; equal for most."""
    if _SAFE.match(path):
        lower = path.decode("ascii").lower()
        return lower, lower
    text = path.decode("utf-8", "surrogateescape")
    return folded(text), _worst(text)


def folded(text: str) -> str:
    """Case and Unicode compatibility forms folded. Equal for equal names on every file system that folds."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _worst(text: str) -> str:
    if not text.isascii():
        text = folded("".join(char for char in text if unicodedata.category(char) not in ("Cf", "Cc")))
    text = text.casefold().replace("\\", "/")
    parts = (
        part.partition(":")[0].rstrip(". ") if part not in (".", "..") else part for part in text.split("/")
    )
    return "/".join(part for part in parts if part)


def bad_path(path: bytes, worst: str) -> str | None:
    """Why no commit should hold *path* at all; None: it may. *worst*: its reading."""
    parts = path.split(b"/")
    if b"" in parts or b"." in parts or b".." in parts:
        return "a name in it is empty, '.' or '..'"
    if any(_DOTGIT.match(part) or part in (".", "..") for part in worst.split("/")):
        return "some checkout takes a name in it for .git or '..'"
    return None


def glob_problem(glob: str) -> str | None:
    """Why *glob* is none; None: it is one. To be read after "a glob"."""
    if glob.startswith("!"):
        return "can't take back another one: leave the '!' out"
    if not glob.strip("/"):
        return "names no file"
    if any(part in (".", "..") for part in glob.split("/")):
        return "is written from the root of the repository, without '.' and '..'"
    return None
