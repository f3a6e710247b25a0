"""gitleaks' rules without its blind spots, and its reports, read strictly. No I/O.

Measured with 8.26: its default configuration passes over lock files, SVG and other images, archives and office
documents, fonts, vendored and installed packages, by path, and over every "secret" that holds ``false`` or ``null``
(``(?i)^true|false|null$`` binds looser than it looks). An extension of the default (``[extend]``) can add to its
allowlist and takes nothing back. So the gate uses the same rules, read out of the binary that it runs, without the
allowlists that go by path or commit. Where they can't be found in the binary (another build), the default is extended
with nothing: the product's own scanner looks at all of those files anyway.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.text import printable
from bot_bottle.gitgate.findings import MAX_FINDINGS, GateFinding, Place, Scanner, shown
from bot_bottle.gitgate.refs import is_object_id

MAX_REPORT_BYTES = 64 * 1024 * 1024
"""some 60,000 findings; more is no push that anybody repairs by reading"""
_MARK = b'title = "gitleaks config"'
_MAX_CONFIG_BYTES = 4 * 1024 * 1024
_MIN_RULES = 100
"""8.20 has 184, 8.26 has 211: fewer are not all"""
_LOOSE, _TIGHT = "(?i)^true|false|null$", "^(?i:true|false|null)$"
_EXTENDED = (
    '# The rules could not be read out of the binary.\ntitle = "bot-bottle"\n\n[extend]\nuseDefault = true\n'
)

Table = dict[str, Any]


class Config(Struct, frozen=True):
    """A configuration file for gitleaks."""

    text: str
    complete: bool
    """it has no allowlist by path; False: it is the binary's default as it is"""


def config(binary: bytes) -> Config:
    """The configuration for the binary whose bytes these are."""
    for text in _candidates(binary):
        try:
            return Config("".join(_written(_without_paths(tomllib.loads(text)))), True)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            continue
    return Config(_EXTENDED, False)


def _candidates(binary: bytes) -> Iterator[str]:
    """The texts between NULs that have the mark in them."""
    at = binary.find(_MARK)
    while at >= 0:
        start = binary.rfind(b"\0", max(0, at - _MAX_CONFIG_BYTES), at) + 1
        end = binary.find(b"\0", at, at + _MAX_CONFIG_BYTES)
        if end > 0:
            yield binary[start:end].decode("utf-8", "replace")
        at = binary.find(_MARK, at + 1)


def _without_paths(table: Table) -> Table:
    """Raises ValueError where it is not the default configuration."""
    rules = table["rules"]
    if len({rule["id"] for rule in rules}) < _MIN_RULES:
        raise ValueError("too few rules")
    return {
        "title": "gitleaks' own rules, without allowlists by path",
        **_allowlists(table),
        "rules": [{**_without(rule, "allowlist", "allowlists"), **_allowlists(rule)} for rule in rules],
    }


def _allowlists(owner: Table) -> Table:
    """Those of *owner* (of the whole file, or of a rule) that are left, under their key."""
    out: Table = {}
    if "allowlist" in owner and (left := _allowlist(owner["allowlist"])):
        out["allowlist"] = left
    lists = [left for entry in owner.get("allowlists", []) if (left := _allowlist(entry))]
    return {**out, "allowlists": lists} if lists else out


def _allowlist(entry: Table) -> Table | None:
    """Without what goes by path or commit; None: nothing is left, or it held only together with that."""
    by_place = {"paths", "commits"} & set(entry)
    if by_place and str(entry.get("condition", "OR")).upper() in ("AND", "&&"):
        return None
    left = _without(entry, "paths", "commits")
    if "regexes" in left:
        left["regexes"] = [_TIGHT if regex == _LOOSE else regex for regex in left["regexes"]]
    return left if left.get("regexes") or left.get("stopwords") else None


def _without(table: Table, *keys: str) -> Table:
    return {key: value for key, value in table.items() if key not in keys}


def _written(table: Table, path: tuple[str, ...] = ()) -> Iterator[str]:
    """*table* as TOML: plain values first, then tables. Keys are bare (letters and digits)."""
    nested = {key: value for key, value in table.items() if _is_nested(value)}
    for key, value in table.items():
        if key not in nested:
            yield f"{key} = {_value(value)}\n"
    for key, value in nested.items():
        name = ".".join((*path, key))
        for entry in value if isinstance(value, list) else [value]:
            yield f"\n[[{name}]]\n" if isinstance(value, list) else f"\n[{name}]\n"
            yield from _written(entry, (*path, key))


def _is_nested(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _value(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    raise TypeError("a value that is not expected")


# -- reports
class ReportError(BotBottleError):
    """It is no report of gitleaks. The message quotes nothing of it."""


class _Entry(Struct):
    """What is read of a finding; later versions may say more (report/finding.go)."""

    RuleID: str
    StartLine: int
    EndLine: int
    StartColumn: int
    EndColumn: int
    Match: str
    File: str
    Commit: str


_DECODER = msgspec.json.Decoder(list[_Entry])


class Reported(Struct, frozen=True):
    """A finding, and what tells it from others in both runs."""

    key: tuple[str, str, str, int, int, int, int]
    finding: GateFinding


def parse_report(raw: bytes, redact: Callable[[str], str], *, of_file: bool = False) -> tuple[Reported, ...]:
    """The findings of a JSON report; of more than ``MAX_FINDINGS`` one more than that, which :func:`merge` knows as
    too many. Raises :class:`ReportError`.

    *redact*: the product's own; gitleaks has blackened what it found, which may not be all that is there. *of_file*:
    the report is of one file on standard input, and names neither file nor commit; all others name a commit.
    """
    if len(raw) > MAX_REPORT_BYTES:
        raise ReportError("gitleaks' report is too long")
    try:
        entries = _DECODER.decode(raw)
    except (msgspec.DecodeError, ValueError, RecursionError) as e:
        raise ReportError("gitleaks' report can't be read") from e
    if any(
        bool(entry.Commit or entry.File) if of_file else not is_object_id(entry.Commit) for entry in entries
    ):
        raise ReportError("gitleaks' report names a commit that is none, or a file where there is none")
    return tuple(_reported(entry, redact) for entry in entries[: MAX_FINDINGS + 1])


def _reported(entry: _Entry, redact: Callable[[str], str]) -> Reported:
    key = (
        *(entry.RuleID, entry.Commit, entry.File),
        *(entry.StartLine, entry.StartColumn, entry.EndLine, entry.EndColumn),
    )
    finding = GateFinding(
        rule=printable(entry.RuleID, limit=100),
        scanner=Scanner.GITLEAKS,
        place=Place.FILE,
        file=printable(redact(entry.File), limit=300),
        line=entry.StartLine if entry.StartLine > 0 else None,
        commit=entry.Commit,
        text=shown(redact(entry.Match)),
    )
    return Reported(key, finding)


def merge(everything: Iterable[Reported], allowed: Iterable[Reported] | None) -> tuple[GateFinding, ...]:
    """The findings of the first run (which heeds no ``gitleaks:allow``). *allowed*: those of the second, which does:
    what is missing there is marked as suppressed. None: the second was not needed.

    What only the second run has is kept too: it must not have been there. Nothing is marked where a report was cut
    off: what was lost may be no question, and a thousand marks must not hide it.
    """
    first = list(everything)
    rest = [] if allowed is None else list(allowed)
    if allowed is None or max(len(first), len(rest)) > MAX_FINDINGS:
        return tuple(entry.finding for entry in first)
    second = {entry.key: entry.finding for entry in rest}
    found = [
        entry.finding if entry.key in second else replace(entry.finding, suppressed=True) for entry in first
    ]
    known = {entry.key for entry in first}
    return (*found, *(finding for key, finding in second.items() if key not in known))
