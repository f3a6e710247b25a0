"""Objects as git would write them, secrets that are none."""

from __future__ import annotations

import random

from bot_bottle.dlp.sample import make

KNOWN = b"correct-Horse7battery.Staple_42"
CANARY = b"Zq3vTr8-mKp1LwXy7Nb5Ds2Gh9Jf4CaE"
A, B, C, NONE = "a" * 40, "b" * 40, "c" * 40, "0" * 40
PERSON = "A U Thor <author@example.com> 1700000000 +0000"


def commit(
    *, message: str = "subject\n", author: str = "", committer: str = "", extra: str = "", parents: int = 1
) -> bytes:
    """Without an end of the line after the message but its own."""
    lines = [f"tree {A}", *(f"parent {B}" for _ in range(parents)), f"author {author} {PERSON}"]
    lines += [f"committer {committer} {PERSON}", *([f"x-note {extra}"] if extra else [])]
    return ("\n".join(lines) + f"\n\n{message}").encode()


def tag(*, name: str = "v1", tagger: str = "", message: str = "m\n", kind: str = "commit") -> bytes:
    return f"object {A}\ntype {kind}\ntag {name}\ntagger {tagger} {PERSON}\n\n{message}".encode()


def tree(*entries: tuple[int, bytes], id_bytes: int = 20) -> bytes:
    return b"".join(b"%o %s\0" % entry + b"\x11" * id_bytes for entry in entries)


def token(seed: int = 1) -> str:
    """Of the form that GitHub gives, checksum included; nobody's."""
    return make("«gh" + "p_{b62:30}{crc62}»", random.Random(seed)).text.decode()
