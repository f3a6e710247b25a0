"""Identities of bottles, and other names that we mint.

An identity is at once a directory name, a slug, a host name part and a queue name: 1 to 40 characters
out of ``[a-z0-9-]``, neither first nor last a dash (``spec: state, identities``).
"""

from __future__ import annotations

import os
import re
import string

from bot_bottle.base.errors import BotBottleError

MAX_IDENTITY_CHARS = 40
"""Fits every place that an identity goes into: host names end at 63, socket paths at 107 bytes."""

_IDENTITY = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?\Z")
_SUFFIX_ALPHABET = string.ascii_lowercase + string.digits


class BadIdentity(BotBottleError):
    """A string that arrived from outside is not an identity; it never becomes part of a path."""


def parse_identity(text: str) -> str:
    """Return *text* if it is an identity; raise :class:`BadIdentity` otherwise."""
    if not _IDENTITY.match(text):
        raise BadIdentity(
            f"{text!r} is not a bottle's identity: use 1 to {MAX_IDENTITY_CHARS} characters of a-z, 0-9 and -"
        )
    return text


def slug(label: str) -> str:
    """Lower-case *label*, turn every other character into ``-``, collapse and trim; may return ``""``.

    >>> slug("My Feature Run")
    'my-feature-run'
    """
    dashed = re.sub(r"[^a-z0-9]+", "-", label.lower())
    return dashed.strip("-")[:MAX_IDENTITY_CHARS].strip("-")


def mint_identity(name: str) -> str:
    """``<slug of name>-<5 random characters>``, e.g. ``dev-abc12``."""
    number = int.from_bytes(os.urandom(8), "big")
    suffix = ""
    for _ in range(5):
        number, digit = divmod(number, len(_SUFFIX_ALPHABET))
        suffix += _SUFFIX_ALPHABET[digit]
    stem = slug(name)[: MAX_IDENTITY_CHARS - 6].strip("-") or "bottle"
    return f"{stem}-{suffix}"


def mint_nonce() -> str:
    """32 random hex digits: names one launch, proves nothing, is no secret."""
    return os.urandom(16).hex()
