"""Where manifests lie, which names there are, and the text of one file. The only module here that reads.

The layout of the file system is the trust boundary (``spec: manifest §2``): bottles come from the home
directory alone; a project may add agents, and nothing in it is followed by link, since a link in a cloned
repository could make the operator's private key an agent's prompt. Listing reads names only.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot_bottle.base.text import printable
from bot_bottle.base.yamltext import MAX_BYTES, Document, YamlError
from bot_bottle.base.yamltext import load as load_yaml
from bot_bottle.manifest.schema import Origin
from bot_bottle.manifest.tree import ManifestError, Node, Place, from_data

DIRECTORY = ".bot-bottle"
OBSOLETE = "bot-bottle.json"
PATTERN = "[a-z][a-z0-9-]*.md"
MAX_FILE_BYTES = MAX_BYTES
"""Front matter and body together."""

_STEM = re.compile(r"[a-z][a-z0-9-]*\Z")
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


@dataclass(frozen=True)
class Entry:
    """One agent or bottle by name; its content is not read yet."""

    name: str
    file: str
    origin: Origin
    shadows: str | None = None
    """the home file that a project's file of the same name hides"""
    inline: Node | None = None
    """the content, for a manifest that a program made"""


@dataclass(frozen=True)
class Index:
    """What there is. Names in sorted order; broken files are included."""

    agents: Mapping[str, Entry] = field(default_factory=dict)
    bottles: Mapping[str, Entry] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    home: str = ""
    """the home directory (``~``); empty: a program's manifest"""
    bottles_directory: str = ""

    @property
    def agent_names(self) -> tuple[str, ...]:
        return tuple(self.agents)

    @property
    def bottle_names(self) -> tuple[str, ...]:
        return tuple(self.bottles)


@dataclass(frozen=True)
class Content:
    """One file, split. ``tree`` is the front matter, ``body`` what follows, as written."""

    tree: Node
    body: str
    sha256: str


def is_name(text: str) -> bool:
    """May *text* be the name of an agent or a bottle?"""
    return bool(_STEM.match(text))


# -- listing
def resolve(home: Path, cwd: Path | None, *, missing_ok: bool = False) -> Index:
    """List what *home* (the home directory itself, not ``.bot-bottle``) and the project in *cwd* hold.

    *missing_ok* is for callers that only display: without ``.bot-bottle`` they get an empty index. Raises
    :class:`ManifestError` for a missing directory and for the obsolete single-file format.
    """
    root = home / DIRECTORY
    shown = printable(str(root))
    same = cwd is not None and _same(home, cwd)
    _refuse_obsolete(home)
    if cwd is not None and not same:
        _refuse_obsolete(cwd)
    warnings: list[str] = []
    if not root.is_dir() and not missing_ok:
        raise ManifestError(
            f"is missing: run 'bot-bottle init', or make {shown}/bottles and {shown}/agents and put a file NAME.md "
            "into each (examples/ has some to copy)",
            Place(str(root)),
        )
    bottles = _home_entries(root / "bottles", warnings)
    agents = _home_entries(root / "agents", warnings)
    if cwd is not None and not same:
        agents = {**agents, **_project_entries(cwd / DIRECTORY, agents, warnings)}
    return Index(dict(sorted(agents.items())), bottles, tuple(warnings), str(home), str(root / "bottles"))


def beside(root: Path, home: Path) -> Index:
    """What a directory with ``agents`` and ``bottles`` in it holds that is not in use: files to copy."""
    warnings: list[str] = []
    bottles = _home_entries(root / "bottles", warnings)
    agents = _home_entries(root / "agents", warnings)
    return Index(agents, bottles, tuple(warnings), str(home), str(root / "bottles"))


def _same(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return os.path.abspath(one) == os.path.abspath(other)


def _refuse_obsolete(directory: Path) -> None:
    file = directory / OBSOLETE
    if os.path.lexists(file) and not (directory / DIRECTORY).is_dir():
        raise ManifestError(
            f"the single-file format is obsolete: convert it to one Markdown file for each bottle and agent, "
            f"below {DIRECTORY}/bottles and {DIRECTORY}/agents in the home directory",
            Place(str(file)),
        )


def _home_entries(directory: Path, warnings: list[str]) -> dict[str, Entry]:
    return {
        stem: Entry(stem, str(directory / f"{stem}.md"), Origin.HOME)
        for stem in _stems(str(directory), str(directory), warnings)
    }


def _project_entries(root: Path, home: Mapping[str, Entry], warnings: list[str]) -> dict[str, Entry]:
    """Agents of a project. Bottles and settings in it are never read: one warning for each."""
    shown = printable(str(root))
    try:
        handle = os.open(root, _FLAGS | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return {}
    except OSError as error:
        warnings.append(f"{shown} is not used: {_why(error)}")
        return {}
    try:
        if _exists(handle, "bottles"):
            warnings.append(
                f"{shown}/bottles is not read: bottles are only read from $HOME/{DIRECTORY}/bottles/; move "
                "the files there or delete them"
            )
        if _exists(handle, "settings.yml"):
            warnings.append(
                f"{shown}/settings.yml is not read: settings come from $HOME/{DIRECTORY}/settings.yml only"
            )
        try:
            agents = os.open("agents", _FLAGS | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handle)
        except FileNotFoundError:
            return {}
        except OSError as error:
            warnings.append(f"{shown}/agents is not used: {_why(error)}")
            return {}
    finally:
        os.close(handle)
    try:
        stems = _stems(agents, str(root / "agents"), warnings)
    finally:
        os.close(agents)
    entries = {}
    for stem in stems:
        shadows = home[stem].file if stem in home else None
        entries[stem] = Entry(stem, str(root / "agents" / f"{stem}.md"), Origin.PROJECT, shadows)
    return entries


def _exists(handle: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=handle, follow_symlinks=False)
    except OSError:
        return False
    return True


def _stems(directory: str | int, shown: str, warnings: list[str]) -> list[str]:
    """Valid stems in sorted order; everything else is skipped with a warning."""
    try:
        names = sorted(os.listdir(directory))
    except FileNotFoundError:
        return []
    except OSError as error:
        warnings.append(f"{printable(shown)} is not used: {_why(error)}")
        return []
    stems = []
    for name in names:
        stem, suffix = os.path.splitext(name)
        if suffix == ".md" and is_name(stem):
            stems.append(stem)
        else:
            warnings.append(f"{printable(shown)}: skipped '{printable(name)}': file names must be {PATTERN}")
    return stems


# -- reading
def read(entry: Entry) -> Content:
    """The content of one entry. Raises :class:`ManifestError` with file and line."""
    if entry.inline is not None:
        return Content(entry.inline, "", "")
    return split(read_file(entry.file, follow=entry.origin is not Origin.PROJECT), entry.file)


def read_file(file: str, *, follow: bool) -> bytes:
    """A regular file of at most :data:`MAX_FILE_BYTES`. Without *follow* neither it nor the two directories
    above it (``.bot-bottle/agents``) may be links."""
    try:
        handle = os.open(file, _FLAGS) if follow else _open_beneath(file)
    except OSError as error:
        raise ManifestError(f"can't be read: {_why(error)}", Place(file)) from error
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ManifestError("is not a regular file: replace it with one", Place(file))
        data = b""
        while len(data) <= MAX_FILE_BYTES and (piece := os.read(handle, MAX_FILE_BYTES + 1)):
            data += piece
    except OSError as error:
        raise ManifestError(f"can't be read: {_why(error)}", Place(file)) from error
    finally:
        os.close(handle)
    if len(data) > MAX_FILE_BYTES:
        raise ManifestError(f"has more than {MAX_FILE_BYTES} bytes: split it", Place(file))
    return data


def _open_beneath(file: str) -> int:
    above, name = os.path.split(file)
    top, agents = os.path.split(above)
    directory = os.open(top, _FLAGS | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        below = os.open(agents, _FLAGS | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
    finally:
        os.close(directory)
    try:
        return os.open(name, _FLAGS | os.O_NOFOLLOW, dir_fd=below)
    finally:
        os.close(below)


def _why(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "it is a symbolic link, which is not followed in a project"
    if error.errno == errno.ENOTDIR:
        return "it is a symbolic link or no directory"
    return error.strerror or str(error)


def split(data: bytes, file: str) -> Content:
    """Front matter between ``---`` lines, then the body. No front matter: no keys."""
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ManifestError("is not UTF-8: save it as UTF-8", Place(file, line)) from error
    lines = text.split("\n")
    front, body = "", text
    start = next((index for index, line in enumerate(lines) if line.strip()), None)
    if start is not None and lines[start].rstrip() == "---":
        if start:
            raise ManifestError(
                "front matter must begin at the first line: remove the empty lines above it",
                Place(file, start + 1),
            )
        end = next((index for index, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
        if end is None:
            raise ManifestError("front matter is not closed: add a line '---' after the keys", Place(file, 1))
        front, body = "\n".join(lines[1:end]), "\n".join(lines[end + 1 :])
    document = parse(front, file, first_line=2)
    return Content(from_data(document.data, file, lines=document), body, hashlib.sha256(data).hexdigest())


def parse(text: str, file: str, *, first_line: int = 1) -> Document:
    """YAML of *file*; its errors get the file."""
    try:
        return load_yaml(text, first_line=first_line)
    except YamlError as error:
        raise ManifestError(error.message, Place(file, error.line, error.path)) from error
