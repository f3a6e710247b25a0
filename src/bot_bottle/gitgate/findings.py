"""What a scanner found in a push, and how that is told: to the client, and to the operator who is asked.

A finding never holds the secret: its line has been through the product's own redaction, whoever found it, and every
text here is fit for a terminal. No I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from bot_bottle.base.text import printable

MAX_FINDINGS = 1000
"""kept of one push; that there are more is said by number"""
NAMED = 200
"""findings that the client reads in full: forty of a kind, found by both scanners, fit in"""
MAX_LINE_CHARS = 200
_SHORT_ID = 12


class Scanner(StrEnum):
    DLP = "dlp"
    GITLEAKS = "gitleaks"


class Place(StrEnum):
    """Where in a push something stands."""

    FILE = "file"
    FILE_NAME = "file name"
    MESSAGE = "commit message"
    AUTHOR = "author"
    COMMITTER = "committer"
    COMMIT = "commit header"
    TAG = "tag"
    TAG_MESSAGE = "tag message"
    REF = "ref name"
    SUBMODULE = "submodule's commit id"


class GateFinding(Struct, frozen=True, kw_only=True):
    rule: str
    """of the scanner; for a known secret the name that it is kept under"""
    scanner: Scanner
    place: Place
    file: str = ""
    """fit for a terminal; of a file, or the name that is itself the finding, redacted"""
    line: int | None = None
    """of the file or message, from 1; None: it has no lines, or they can't be counted"""
    commit: str = ""
    """the commit (or tag) that brings it; empty: not known"""
    object_id: str = ""
    """the blob, commit, tag or tree that holds it"""
    text: str = ""
    """its surroundings, redacted, fit for a terminal"""
    suppressed: bool = False
    """the line itself says ``gitleaks:allow``: a question for the operator, if nothing else is found"""
    undecoded: bool = False
    """no secret was seen: a part that can't be unpacked here may hide anything. A question for the operator"""
    known: bool = False
    """a secret that this bottle was given, or its canary: no one can let it through"""

    @property
    def askable(self) -> bool:
        """The operator may let it through."""
        return (self.suppressed or self.undecoded) and not self.known

    @property
    def where(self) -> str:
        """``src/a.py:12``, ``commit message, line 3``."""
        if self.place is Place.FILE:
            return (self.file or f"object {self.object_id[:_SHORT_ID]}") + (
                f":{self.line}" if self.line else ""
            )
        named = f" {self.file}" if self.file else ""
        return f"{self.place.value}{named}" + (f", line {self.line}" if self.line else "")

    @property
    def sentence(self) -> str:
        """File, line, rule and commit."""
        commit = f", commit {self.commit[:_SHORT_ID]}" if self.commit else ""
        marked = ", marked gitleaks:allow" if self.suppressed else ""
        return f"{self.where}: {self.rule} ({self.scanner.value}){commit}{marked}"


Located = tuple[str, str]
"""path, fit for a terminal, and commit"""


def placed(findings: Iterable[GateFinding], places: Mapping[str, Located]) -> tuple[GateFinding, ...]:
    """Each finding with the file and the commit of its object, where they are known."""
    out = []
    for finding in findings:
        located = places.get(finding.object_id)
        if located is None or finding.commit:
            out.append(finding)
        elif finding.place is Place.FILE:
            out.append(replace(finding, file=located[0] or finding.file, commit=located[1]))
        else:
            out.append(replace(finding, commit=located[1]))
    return tuple(out)


def merged(findings: Iterable[GateFinding]) -> tuple[GateFinding, ...]:
    """In the order of their places; what is the same twice is told once."""
    unique: dict[GateFinding, None] = dict.fromkeys(findings)
    return tuple(
        sorted(unique, key=lambda f: (f.place is not Place.FILE, f.file, f.line or 0, f.rule, f.commit))
    )


def shown(text: str) -> str:
    """One line of *text*, fit for a terminal."""
    return printable(text, limit=MAX_LINE_CHARS)


def client_lines(findings: Sequence[GateFinding], unlisted: int = 0) -> tuple[str, ...]:
    """What the client of a refused push reads: each finding, and what to do. *unlisted*: how many more there are."""
    count = len(findings) + unlisted
    lines = ["1 finding:" if count == 1 else f"{count} findings:"]
    lines += [f"  {shown_sentence(finding)}" for finding in findings[:NAMED]]
    if count > NAMED:
        lines.append(f"  and {count - NAMED} more")
    lines += _ADVICE
    if any(finding.known for finding in findings):
        lines.append("a secret that this bottle was given can't be let through by anyone")
    if any(not finding.known and not finding.askable for finding in findings):
        lines.append(_FALSE_ALARM)
    return tuple(lines)


_ADVICE = [
    "nothing has left. Taking it out in a further commit is not enough: rewrite the commit that brings it",
    "(git commit --amend for the last one, git rebase -i COMMIT~1 for an earlier one), then push again",
]
_FALSE_ALARM = (
    "a false alarm in a file: mark its line with gitleaks:allow in that commit; then the operator is asked"
)


def shown_sentence(finding: GateFinding) -> str:
    return printable(finding.sentence, limit=2 * MAX_LINE_CHARS)


def operator_lines(findings: Iterable[GateFinding]) -> list[str]:
    """The same for the operator: all of them, each with its redacted line."""
    lines = []
    for finding in findings:
        lines.append(f"  {shown_sentence(finding)}")
        if finding.text:
            lines.append(f"      {shown(finding.text)}")
    return lines
