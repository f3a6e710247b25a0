"""From what the fuzzers of the gate set out: one of everything that its readers take."""

from __future__ import annotations

import json

A, B = "a" * 40, "b" * 40
PERSON = "A <a@example.com> 1700000000 +0000"


def seeds() -> list[bytes]:
    """The same each time."""
    report = {
        "RuleID": "r", "StartLine": 1, "EndLine": 1, "StartColumn": 1, "EndColumn": 2, "Match": "m\x1b",
        "File": "f", "Commit": A,
    }  # fmt: skip
    rules = "".join(f"[[rules]]\nid = 'r{n}'\nregex = '''a'''\n" for n in range(101))
    return [
        b"100644 a\0" + b"\x11" * 20 + b"40000 b\0" + b"\x22" * 20,
        b"160000 module\0" + b"\x11" * 32,
        f"tree {A}\nparent {B}\nauthor {PERSON}\ncommitter {PERSON}\nx-note y\n\nsubject\n\nbody\n".encode(),
        f"object {A}\ntype commit\ntag v1\ntagger {PERSON}\n\nmessage\n".encode(),
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{'c' * 64}\nsize 12\n".encode(),
        f"{A}\n{B} some/path\n".encode(),
        f"{A} blob 3\nabc\n{B} tree 0\n\n".encode(),
        f"{A}\0:100644 000000 {A} {B} D\0path\0::100644 100644 120000 {A} {A} {B} MM\0x\0".encode(),
        f"100644 blob {A}\tpath\0".encode(),
        json.dumps([report, {**report, "StartLine": 2}]).encode(),
        rules.encode() + b"\0",
        f"{'0' * 40} {A} refs/heads/main\n{A} {B} refs/tags/v1\n".encode(),
        ".git\u200dhub/workflows\\x.yml".encode(),
        b"GITHUB~1/workflows./x::$DATA",
        b"a/**/[!b]?*.yml",
    ]
