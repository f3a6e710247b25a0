"""Texts of our own making, of the kinds that agents send and receive: chat bodies with code, npm metadata, minified
JavaScript. The same on every run (a fixed seed); none holds a credential.
"""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path

SEED = 20_260
SOURCES = Path(__file__).resolve().parent.parent / "src"
"""Code that people write: this project's, but for the scanner's own, which is full of what it looks for"""

_WORDS = (  # noqa: SIM905
    "parser stream buffer route window request header packet value field policy match canvas bottle sidecar proxy "
    "signal socket reader writer result error limit offset chunk frame record entry cursor screen widget event"
).split()
_KEYWORDS = (  # noqa: SIM905
    "return if else for while function var let const new typeof throw try catch switch case break"
).split()
_OPERATORS = ("=", "==", "===", "+", "-", "*", "&&", "||", "!", "<", ">", "?", ":", "=>", "+=", "%", "|0")


def chat_bodies(size: int) -> bytes:
    """Requests to a model's API, one a line: a conversation in which files were read and tools called."""
    rng = random.Random(SEED)
    files = _files()
    lines: list[bytes] = []
    total = 0
    while total < size:
        messages: list[dict[str, object]] = []
        for _ in range(rng.randint(2, 12)):
            call = f"toolu_{_id(rng, 24)}"
            messages += (
                {"role": "user", "content": _prose(rng)},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "tool_use", "id": call, "name": "Read", "input": {"path": _path(rng)}}
                    ],
                },
                {
                    "role": "user",
                    "content": [{"type": "tool_result", "tool_use_id": call, "content": rng.choice(files)}],
                },
            )
        body = {"model": "model-1", "max_tokens": 4096, "messages": messages, "prompt_cache_key": _uuid(rng)}
        lines.append(json.dumps(body).encode())
        total += len(lines[-1]) + 1
    return b"\n".join(lines)[:size]


def npm_metadata(size: int) -> bytes:
    """What a registry says of packages: versions with digests, signatures, dependencies."""
    rng = random.Random(SEED + 1)
    documents: list[bytes] = []
    total = 0
    while total < size:
        name = f"{rng.choice(_WORDS)}-{rng.choice(_WORDS)}"
        versions = {}
        for number in range(rng.randint(5, 60)):
            version = f"{number // 10}.{number % 10}.{rng.randint(0, 20)}"
            versions[version] = {
                "name": name,
                "version": version,
                "description": _prose(rng)[:90],
                "dependencies": {
                    rng.choice(_WORDS): f"^{rng.randint(0, 9)}.{rng.randint(0, 30)}.0" for _ in range(6)
                },
                "dist": {
                    "integrity": "sha512-" + base64.b64encode(rng.randbytes(64)).decode(),
                    "shasum": rng.randbytes(20).hex(),
                    "tarball": f"https://registry.example/{name}/-/{name}-{version}.tgz",
                    "fileCount": rng.randint(3, 400),
                    "unpackedSize": rng.randint(1_000, 4_000_000),
                    "signatures": [
                        {
                            "keyid": "SHA256:" + base64.b64encode(rng.randbytes(32)).decode().rstrip("="),
                            "sig": base64.b64encode(b"\x30\x45\x02\x20" + rng.randbytes(67)).decode(),
                        }
                    ],
                },
                "engines": {"node": ">=18"},
                "_nodeVersion": "20.11.1",
                "_npmVersion": "10.2.4",
            }
        documents.append(json.dumps({"name": name, "versions": versions}).encode())
        total += len(documents[-1]) + 1
    return b"\n".join(documents)[:size]


def minified_javascript(size: int) -> bytes:
    """Short names, few spaces, long lines."""
    rng = random.Random(SEED + 2)
    parts: list[str] = []
    total = 0
    while total < size:
        pick = rng.random()
        if pick < 0.40:
            piece = rng.choice("abcdefghijklmnopqrstuvwxyz") + rng.choice(("", "", "n", "r", "t"))
        elif pick < 0.52:
            piece = "." + rng.choice(_WORDS) + rng.choice(("", "s", "By", "At", "Of"))
        elif pick < 0.60:
            piece = rng.choice(_KEYWORDS) + " "
        elif pick < 0.66:
            piece = '"' + rng.choice(_WORDS) + rng.choice(("", " is not a function", ": ", "-item")) + '"'
        elif pick < 0.70:
            piece = str(rng.randint(0, 4096))
        elif pick < 0.85:
            piece = rng.choice(_OPERATORS)
        else:
            piece = rng.choice(("(", ")", "{", "}", "[", "]", ",", ";", "){", "})", "();"))
        parts.append(piece)
        total += len(piece)
    return "".join(parts).encode()[:size]


def documents(size: int) -> bytes:
    """What comes in: Markdown and HTML prose with code, for the inbound scan."""
    rng = random.Random(SEED + 3)
    files = _files()
    parts: list[str] = []
    total = 0
    while total < size:
        code = rng.choice(files)[:2000]
        prose = "\n\n".join(_prose(rng) for _ in range(6))
        if rng.random() < 0.5:
            piece = f"# {_prose(rng)[:40]}\n\n{prose}\n\n```python\n{code}\n```\n\n* {_prose(rng)}\n"
        else:
            piece = f"<h2>{_prose(rng)[:40]}</h2>\n<p>{prose}</p>\n<pre><code>{code}</code></pre>\n"
        parts.append(piece)
        total += len(piece)
    return "".join(parts).encode()[:size]


TEXTS = {
    "chat bodies with code": chat_bodies,
    "npm metadata": npm_metadata,
    "minified JavaScript": minified_javascript,
}


def _files() -> list[str]:
    return [path.read_text("utf-8") for path in sorted(SOURCES.rglob("*.py")) if "dlp" not in path.parts]


def _prose(rng: random.Random) -> str:
    words = [rng.choice(_WORDS) for _ in range(rng.randint(8, 30))]
    return f"The {' '.join(words)}, since it is {rng.choice(_WORDS)}ed once."


def _path(rng: random.Random) -> str:
    return f"/src/{rng.choice(_WORDS)}/{rng.choice(_WORDS)}_{rng.choice(_WORDS)}.py"


def _id(rng: random.Random, length: int) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    return "".join(rng.choice(letters) for _ in range(length))


def _uuid(rng: random.Random) -> str:
    raw = rng.randbytes(16).hex()
    return f"{raw[:8]}-{raw[8:12]}-4{raw[13:16]}-a{raw[17:20]}-{raw[20:]}"
