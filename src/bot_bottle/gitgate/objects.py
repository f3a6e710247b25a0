"""Looks at every object of a push with the product's own scanner, whatever its name, type or encoding. No I/O.

::

    blob     its content; and whether it is a pointer of Git LFS
    commit   all of it: message, author, committer, other headers
    tag      the same
    tree     the names in it, and the ids of submodules; a tree that can't be read refuses the push

Memory: one block of the scanner, and as much again to show what stands around a finding; a commit or a tree as a
whole, up to :data:`MAX_WHOLE_BYTES`. What the scanner could not decode is a finding of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.text import printable
from bot_bottle.dlp.finding import Detector, Finding, Severity
from bot_bottle.dlp.redact import redact_text, snippet
from bot_bottle.dlp.scan import BLOCK_BYTES, OVERLAP_BYTES, Engine, Note, Stream, What
from bot_bottle.gitgate.findings import MAX_FINDINGS, GateFinding, Place, Scanner
from bot_bottle.gitgate.lfs import MAX_POINTER_BYTES, Pointer, is_pointer
from bot_bottle.gitgate.listing import Begin, Data, End, Event
from bot_bottle.gitgate.trees import (
    GITLINK,
    parse_commit,
    parse_tag,
    place_in_commit,
    place_in_tag,
    tree_entries,
)

MAX_WHOLE_BYTES = 32 * 1024 * 1024
"""of a commit, tag or tree; git's own limit for what it holds in memory is 512 MiB (core.bigFileThreshold)"""
_WINDOW_BYTES = 2 * (BLOCK_BYTES + OVERLAP_BYTES)
ALLOW = b"gitleaks:allow"
"""the mark of a line (https://github.com/gitleaks/gitleaks#gitleaksallow)"""
_LINE_BYTES = 64 * 1024
"""the mark is looked for so far from a finding"""
_MAX_PATH_CHARS = 300
WHAT = What()
"""entropy alone is no finding in a repository: lock files and test data are full of it"""


class TooLarge(BotBottleError):
    """A commit, tag or tree that is not held in memory."""


class _Text:
    """One text on its way through the scanner, with the part around where it is."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._window = bytearray()
        self._base = 0
        self._lines_before = 0
        """line ends before the window"""

    def feed(self, data: bytes) -> tuple[Finding, ...]:
        self._window += data
        return self._stream.feed(data)

    def finish(self) -> tuple[Finding, ...]:
        return self._stream.finish()

    def trim(self) -> None:
        """Forget what is too far back. After the findings have been read."""
        extra = len(self._window) - _WINDOW_BYTES
        if extra > 0:
            self._lines_before += self._window.count(b"\n", 0, extra)
            del self._window[:extra]
            self._base += extra

    def line(self, at: int) -> int | None:
        """The number of the line that holds the byte *at*; None: it is too far back."""
        if at < self._base:
            return None
        return self._lines_before + self._window.count(b"\n", 0, at - self._base) + 1

    def around(self, engine: Engine, start: int, end: int) -> str:
        """Its surroundings, redacted."""
        if start < self._base:
            return ""
        return printable(snippet(engine, bytes(self._window), start - self._base, end - self._base))

    def is_marked(self, start: int, end: int) -> bool:
        """Whether a line of it says ``gitleaks:allow``."""
        if start < self._base:
            return False
        low, high = start - self._base, end - self._base
        first = self._window.rfind(b"\n", max(0, low - _LINE_BYTES), low) + 1
        first = max(first, low - _LINE_BYTES)
        last = self._window.find(b"\n", high, high + _LINE_BYTES)
        last = last if last >= 0 else min(len(self._window), high + _LINE_BYTES)
        return ALLOW in self._window[first:last]


class ObjectScan:
    """Takes what ``listing.BatchReader`` gives. Afterwards :attr:`findings`, :attr:`pointers` and the counts hold.

    *paths*: object id to a path of it (``listing.Listing.paths``), of blobs; others may be missing. *note* remembers
    pieces of known secrets over objects, and over pushes.
    """

    def __init__(self, engine: Engine, paths: Mapping[str, bytes], note: Note | None = None) -> None:
        self._engine = engine
        self._paths = paths
        self._note = note
        self._begin: Begin | None = None
        self._text: _Text | None = None
        self._whole = bytearray()
        self._started: set[str] = set()
        self.findings: list[GateFinding] = []
        self.unlisted = 0
        """findings beyond ``MAX_FINDINGS``"""
        self.parts: set[str] = set()
        """known secrets of which a part was there, and no whole"""
        self.pointers: list[Pointer] = []
        self.objects = 0
        self.bytes = 0

    def take(self, event: Event) -> None:
        """The next event. Raises :class:`TooLarge` and ``trees.ObjectError``: the push is refused."""
        if isinstance(event, Begin):
            self._start(event)
        elif isinstance(event, Data):
            self._more(event.data)
        else:
            assert isinstance(event, End)
            self._ended()

    def names(self, place: Place, names: Iterable[bytes]) -> None:
        """Scan *names*: of refs, or whole paths of files (``Place.FILE_NAME``)."""
        for name in names:
            self._name(place, name, commit="", object_id="")

    @property
    def wanted(self) -> frozenset[str]:
        """Objects whose file and commit are to be looked up."""
        held = [finding.object_id for finding in self.findings if not finding.commit]
        return frozenset((*held, *(pointer.object_id for pointer in self.pointers)))

    def missing(self, ids: Iterable[str]) -> int:
        """How many of *ids* were not looked at: not 0 refuses the push."""
        return sum(object_id not in self._started for object_id in ids)

    # -- one object
    def _start(self, begin: Begin) -> None:
        if begin.kind != "blob" and begin.size > MAX_WHOLE_BYTES:
            raise TooLarge(f"a {begin.kind} of {begin.size} bytes is more than the gate looks at")
        self._begin = begin
        self._whole = bytearray()
        self._text = _Text(self._engine.stream(WHAT, note=self._note)) if begin.kind == "blob" else None

    def _more(self, data: bytes) -> None:
        assert self._begin is not None
        self.bytes += len(data)
        if self._text is None:
            self._whole += data
            return
        if self._begin.size <= MAX_POINTER_BYTES:
            self._whole += data
        for at in range(0, len(data), BLOCK_BYTES):
            piece = data[at : at + BLOCK_BYTES]
            self._told(self._text, self._text.feed(piece))
            self._text.trim()

    def _ended(self) -> None:
        begin = self._begin
        assert begin is not None
        if self._text is not None:
            self._told(self._text, self._text.finish())
            if begin.size <= MAX_POINTER_BYTES and is_pointer(bytes(self._whole)):
                self.pointers.append(Pointer(begin.object_id, self._path(begin.object_id)))
        elif begin.kind == "tree":
            self._tree(begin.object_id, bytes(self._whole))
        else:
            self._commit_or_tag(begin, bytes(self._whole))
        self._started.add(begin.object_id)
        self.objects += 1
        self._begin = self._text = None
        self._whole = bytearray()

    def _told(self, text: _Text, found: Iterable[Finding]) -> None:
        """Findings in a blob."""
        assert self._begin is not None
        for finding in found:
            if finding.severity is not Severity.BLOCK:
                continue
            marked = not _is_hidden(finding) and text.is_marked(finding.start, finding.end)
            self._add(
                finding,
                place=Place.FILE,
                file=self._path(self._begin.object_id),
                line=text.line(finding.start),
                object_id=self._begin.object_id,
                text=text.around(self._engine, finding.start, finding.end),
                suppressed=marked,
            )

    def _commit_or_tag(self, begin: Begin, data: bytes) -> None:
        is_commit = begin.kind == "commit"
        (parse_commit if is_commit else parse_tag)(data)
        for finding in self._scan(data):
            if finding.severity is not Severity.BLOCK:
                continue
            place, line = (place_in_commit if is_commit else place_in_tag)(data, finding.start)
            around = printable(snippet(self._engine, data, finding.start, finding.end))
            self._add(
                finding,
                place=place,
                line=line,
                commit=begin.object_id,
                object_id=begin.object_id,
                text=around,
            )

    def _tree(self, object_id: str, data: bytes) -> None:
        id_bytes = len(object_id) // 2
        entries = list(tree_entries(data, id_bytes))
        names = [entry.name for entry in entries]
        if self._scan(b"\n".join(names)):
            for name in names:
                self._name(Place.FILE_NAME, name, commit="", object_id=object_id)
        # The commit of a submodule need not exist: its id is room for any bytes, entry after entry.
        ids = b"".join(bytes.fromhex(entry.object_id) for entry in entries if entry.kind == GITLINK)
        for finding in self._scan(ids) if ids else ():
            if finding.severity is Severity.BLOCK:
                self._add(finding, place=Place.SUBMODULE, object_id=object_id)

    def _name(self, place: Place, name: bytes, *, commit: str, object_id: str) -> None:
        """As a whole and in its parts: behind a slash some formats could be a piece of base64."""
        found = [finding for finding in self._scan(name) if finding.severity is Severity.BLOCK]
        if not found and b"/" in name:
            parts = (self._scan(part) for part in name.split(b"/"))
            found = [finding for part in parts for finding in part if finding.severity is Severity.BLOCK]
        shown = self._clean(name) if found else ""
        for finding in found:
            self._add(finding, place=place, file=shown, commit=commit, object_id=object_id)

    def _scan(self, text: bytes) -> tuple[Finding, ...]:
        stream = self._engine.stream(WHAT, note=self._note)
        return (*stream.feed(text), *stream.finish())

    def _path(self, object_id: str) -> str:
        return self._clean(self._paths.get(object_id, b""))

    def _clean(self, name: bytes) -> str:
        whole = redact_text(self._engine, name.decode("utf-8", "replace"))
        parts = [redact_text(self._engine, part) for part in whole.split("/")]
        return printable("/".join(parts), limit=_MAX_PATH_CHARS)

    def _add(
        self,
        finding: Finding,
        *,
        place: Place,
        file: str = "",
        line: int | None = None,
        commit: str = "",
        object_id: str,
        text: str = "",
        suppressed: bool = False,
    ) -> None:
        if finding.detector is Detector.KNOWN_SECRETS and finding.match is None:
            self.parts.add(finding.rule)
        if len(self.findings) >= MAX_FINDINGS:
            self.unlisted += 1
            return
        known = finding.detector in (Detector.KNOWN_SECRETS, Detector.CANARY)
        self.findings.append(
            GateFinding(
                rule=printable(_rule(finding)),
                scanner=Scanner.DLP,
                place=place,
                file=file,
                line=line,
                commit=commit,
                object_id=object_id,
                text=text,
                suppressed=suppressed and not known,
                undecoded=finding.detector is Detector.UNDECODED,
                known=known,
            )
        )


def _rule(finding: Finding) -> str:
    """The rule, and how the text was read."""
    read_as = f" in {', '.join(finding.view)}" if finding.view else ""
    if finding.detector is Detector.UNDECODED:
        return f"undecoded {finding.rule}{read_as}"
    return f"{finding.rule}{read_as}"


def _is_hidden(finding: Finding) -> bool:
    """Whoever reads the line does not see it: the mark of that line says nothing of it."""
    return any(layer != "normalised" for layer in finding.view) or finding.detector is Detector.UNDECODED
