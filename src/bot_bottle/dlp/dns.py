"""Data in host names: whoever runs the name's servers reads it in the look-up, before any request.

Names below wildcards have bounds of their own in ``egress.labels``; here is what needs to know the secrets, and
long labels that look random.
"""

from __future__ import annotations

import re

from bot_bottle.dlp.entropy import bits
from bot_bottle.dlp.finding import Detector, Finding, Severity
from bot_bottle.dlp.scan import Engine, What

LONG_LABEL_CHARS = 40
MIN_BITS = 3.5
"""a character; words run together have less, base32 and hex of random bytes more"""

_REASON = "the host name carries data"
_KNOWN_ONLY = What(token_patterns=False, undecoded=Severity.WARN)


def dns_findings(engine: Engine, host: str, *, is_wildcard: bool) -> tuple[Finding, ...]:
    """Findings in canonical *host*; all of them block, and there is nothing to approve (dlp.md §3).

    The labels are read as they are and run together: what is too long for one label is cut over several.
    """
    name = host.encode("ascii", "replace")
    if is_wildcard:
        for label in re.finditer(rb"[^.]{%d,}" % LONG_LABEL_CHARS, name):
            if bits(label.group()) >= MIN_BITS:
                return (_finding("long_label", *label.span()),)
    for text in (name, name.replace(b".", b"")):
        for finding in engine.scan(text, _KNOWN_ONLY):
            if finding.detector is Detector.CANARY:
                return (finding,)
            if finding.severity is Severity.BLOCK:
                return (_finding(finding.rule, 0, len(name)),)
    return ()


def _finding(rule: str, start: int, end: int) -> Finding:
    return Finding(Detector.DNS_EXFIL, rule, Severity.BLOCK, _REASON, start, end)
