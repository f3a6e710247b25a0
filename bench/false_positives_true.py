"""Which findings are no false alarm: the file does hold something that has the format of a credential.

Such files are the examples of libraries' tests and documents. Whether a key is anybody's, nothing in its file says;
a scanner that let these pass would let others pass. Counted apart, by rules that a machine can check: the format
itself is proof (armour around DER, a signed token), or this project has planted it. A value that only *looks* like a
secret under a name of one is counted as a false alarm, whatever it was.
"""

from __future__ import annotations

import base64
import binascii
import json
import re

from bot_bottle.dlp.finding import Finding

PROVEN = (
    "private-key-pem",
    "gcp-service-account-key",
    "json-web-token",
    "putty-private-key",
    "openssh-private-key",
)
PLANTED = (
    "tests/",
    "bench/",
    "src/bot_bottle/dlp/rules/",
    "src/bot_bottle/testing/",
    "src/bot_bottle/dlp/inbound/rows/",
)
"""Places in this project that hold samples on purpose"""
_ARMOUR = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----")


def is_credential(rule: str, path: str, finding: Finding) -> bool:
    """Whether what *rule* found in *path* is a credential by its format, or a sample of ours."""
    if path.startswith(PLANTED):
        return True
    if rule not in PROVEN or finding.match is None:
        return False
    value = finding.match.reveal()
    return _is_token(value) if rule == "json-web-token" else _is_key(value)


def _is_token(value: str) -> bool:
    """Header and claims are JSON objects, and there is a signature."""
    parts = value.split(".")
    return len(parts) in (3, 5) and isinstance(_object(parts[0]), dict) and len(parts[-1]) > 16


def _object(part: str) -> object:
    try:
        return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error):
        return None


def _is_key(value: str) -> bool:
    """Armour, and behind it what begins like DER, an OpenSSH key or a cipher's text."""
    if value.startswith("PuTTY-User-Key-File-"):
        return True
    found = _ARMOUR.search(value)
    if found is None:
        return False
    rest = re.sub(r"\\+n\s*(?:\d+\\t)?|\s+\d+\t|\s", "", value[found.end() :])
    return re.match(r"[A-Za-z0-9+/]{40}|Proc-Type|Version", rest.lstrip("+-")) is not None
