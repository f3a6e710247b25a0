"""What is constant in the formats of credentials: read off the recipes by which the vendors' rules make their samples
(``rule.Rule.positives``), and a few that no rule has. Any fresh sample of a format has these too (ruling 54).

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from bot_bottle.dlp.registry import ALL_RULES
from bot_bottle.dlp.rule import Rule

_MIN_PREFIX = 2
_MIN_INFIX = 3
_FIELD = re.compile(r"\{[A-Za-z0-9]{1,16}(?::\d{1,5})?\}")
_OTHER_PREFIXES = (
    "ya29.a0 1//0 GOCSPX- xoxa- xoxr- xoxs- sk_live_51 sk_test_51 rk_live_51 rk_test_51 whsec_ pypi-AgEIcHlwaS5vcmc "
    "pypi-AgENdGVzdC5weXBpLm9yZw ops_eyJ glc_eyJvIjoi sntrys_eyJpYXQiOj ATATT3xFfGF0 ATCTT3xFfGN0 hvs.CAES "
    "hvb.AAAAAQ age-secret-key-1 AGE-SECRET-KEY-1 github_pat_11 sk-or-v1- sk-lf- pk-lf- sk-ant- sk- sk_ pk_"
)
_SCHEMES = ("Bearer ", "Basic ", "token ")


class Format(Struct, frozen=True):
    """One shape of credential: how it begins, and what it has further on."""

    prefix: bytes
    infixes: tuple[bytes, ...] = ()
    suffix: bytes = b""


def constant_parts(value: bytes) -> list[tuple[int, int]]:
    """From where to where *value* is what every credential of its format is."""
    found = []
    for form in FORMATS:
        if not value.startswith(form.prefix):
            continue
        found.append((0, len(form.prefix)))
        at = len(form.prefix)
        for part in form.infixes:
            start = value.find(part, at)
            if start < 0:
                break
            found.append((start, start + len(part)))
            at = start + len(part)
        if form.suffix and value.endswith(form.suffix) and len(value) - len(form.suffix) >= at:
            found.append((len(value) - len(form.suffix), len(value)))
    return found


def _formats(rules: Iterable[Rule]) -> tuple[Format, ...]:
    found = {Format(prefix.encode()) for prefix in (*_OTHER_PREFIXES.split(), *_SCHEMES)}
    for rule in rules:
        if len(rule.prefix) >= _MIN_PREFIX:
            found.add(Format(rule.prefix.encode()))
        for recipe in rule.positives:
            secret = recipe.partition("«")[2].partition("»")[0] or recipe
            first, *rest = (part.replace("{lb}", "{").replace("{rb}", "}") for part in _FIELD.split(secret))
            if len(first) >= _MIN_PREFIX and rest and "\n" not in secret:
                *infixes, suffix = (part.encode() for part in rest)
                long = tuple(infix for infix in infixes if len(infix) >= _MIN_INFIX)
                found.add(Format(first.encode(), long, suffix))
    return tuple(sorted(found, key=lambda form: form.prefix))


FORMATS = _formats(ALL_RULES)
