"""Credentials of age."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="age-secret-key",
        vendor="age",
        docs="https://github.com/FiloSottile/age",
        pattern="AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}",
        prefix="AGE-SECRET-KEY-1",
        caseless=True,
        edge=Edge.FREE,
        random=False,
        positives=("# public key: age1\n«AGE-SECRET-KEY-1{BECH:58}»\n",),
    ),
    Rule(
        name="age-hybrid-secret-key",
        vendor="age",
        docs="https://github.com/FiloSottile/age",
        pattern="AGE-SECRET-KEY-PQ-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58,}",
        prefix="AGE-SECRET-KEY-PQ-1",
        caseless=True,
        edge=Edge.FREE,
        random=False,
        positives=("«AGE-SECRET-KEY-PQ-1{BECH:58}»",),
    ),
)
