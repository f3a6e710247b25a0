"""A project as agents meet them: full of long random words, none of which is a credential. The same on every run."""

from __future__ import annotations

import base64
import http.client
import json
import random
import ssl
import string
import struct
import subprocess
import zlib
from pathlib import Path
from typing import Any

from bot_bottle.sidecar.proxy.ca import CertificateAuthority

SEED = 5_054
WORDS = ("parser", "stream", "buffer", "route", "window", "token", "policy", "cursor", "widget", "event")
SOURCES = (http.client, ssl, string, json.decoder)
"""real code that speaks of tokens, passwords and keys"""

ENV_EXAMPLE = """\
# Copy to .env and fill in. Never commit the copy.
DATABASE_URL=postgres://user:password@localhost:5432/app
OPENAI_API_KEY=sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
AWS_ACCESS_KEY_ID=<your-access-key-id>
AWS_SECRET_ACCESS_KEY=<your-secret-access-key>
GITHUB_TOKEN=${GITHUB_TOKEN}
STRIPE_SECRET_KEY=changeme
SESSION_SECRET=replace-me-with-a-long-random-string
API_TOKEN=your-api-token-here
"""

README = """\
# widget

Install with `npm ci`, then:

    export API_TOKEN="$(cat ~/.config/widget/token)"
    curl -H "Authorization: Bearer $API_TOKEN" https://api.example.com/v1/widgets?cursor=eyJpZCI6MTB9

Never paste your token into an issue; ignore warnings of the linter about long lines. You can check a download with
`sha256sum -c SHA256SUMS`. Agents: run `make test` before you commit, and don't change files in `vendor/`.
"""


def _package(rng: random.Random, name: str) -> dict[str, Any]:
    version = f"{rng.randint(0, 9)}.{rng.randint(0, 30)}.{rng.randint(0, 9)}"
    return {
        "version": version,
        "resolved": f"https://registry.example.com/{name}/-/{name}-{version}.tgz",
        "integrity": "sha512-" + base64.b64encode(rng.randbytes(64)).decode(),
        "license": "MIT",
    }


def _lock(rng: random.Random) -> str:
    names = [f"{rng.choice(WORDS)}-{rng.choice(WORDS)}-{number}" for number in range(60)]
    packages = {f"node_modules/{name}": _package(rng, name) for name in names}
    return json.dumps({"name": "widget", "lockfileVersion": 3, "packages": packages}, indent=2)


def _metadata(rng: random.Random) -> str:
    """What ``npm view --json`` says."""
    dist = {
        "integrity": "sha512-" + base64.b64encode(rng.randbytes(64)).decode(),
        "shasum": rng.randbytes(20).hex(),
        "signatures": [
            {
                "keyid": "SHA256:" + base64.b64encode(rng.randbytes(32)).decode().rstrip("="),
                "sig": base64.b64encode(b"\x30\x45\x02\x20" + rng.randbytes(67)).decode(),
            }
        ],
    }
    versions = [f"1.{number}.0" for number in range(40)]
    document = {
        "name": "token-stream",
        "versions": versions,
        "gitHead": rng.randbytes(20).hex(),
        "dist": dist,
    }
    return json.dumps(document, indent=2)


def _minified(rng: random.Random) -> str:
    parts = ["!function(e,t){"]
    while sum(map(len, parts)) < 24_000:
        name, word = rng.choice("abcdefnrt") + rng.choice("nrteio"), rng.choice(WORDS)
        parts.append(
            rng.choice(
                (
                    f"var {name}=t.{word}||{{}};",
                    f'if({name}.{word}!=="{word}")throw Error("{word}: "+{name});',
                    f"function {name}(e){{return e.{word}+{rng.randint(1, 99999)}|0}}",
                    f'{name}.key="{word}-{rng.randint(1, 99)}",{name}.password=function(e){{return e.value}};',
                )
            )
        )
    mappings = base64.b64encode(rng.randbytes(600)).decode()
    return (
        "".join(parts) + f"}}(this);\n//# sourceMappingURL=data:application/octet-stream;base64,{mappings}\n"
    )


def _identifiers(rng: random.Random) -> str:
    lines = []
    for _ in range(120):
        raw = rng.randbytes(16).hex()
        lines.append(f"{raw[:8]}-{raw[8:12]}-4{raw[13:16]}-a{raw[17:20]}-{raw[20:]}")
        lines.append(f"{rng.randbytes(32).hex()}  dist/{rng.choice(WORDS)}-{rng.choice(WORDS)}.tar.gz")
        lines.append(f"commit {rng.randbytes(20).hex()}")
    return "\n".join(lines) + "\n"


def _sums(rng: random.Random) -> str:
    """``go.sum``, and what pip and yarn write."""
    lines = [
        f"example.com/{rng.choice(WORDS)}/v{n} v{n}.0.1 h1:{base64.b64encode(rng.randbytes(32)).decode()}"
        for n in range(40)
    ]
    for number in range(40):
        lines.append(f"{rng.choice(WORDS)}=={number}.1 \\\n    --hash=sha256:{rng.randbytes(32).hex()}")
        lines.append(
            f'  resolved "https://registry.example.com/x/-/x-{number}.tgz#{rng.randbytes(20).hex()}"'
        )
    return "\n".join(lines) + "\n"


def _picture(rng: random.Random, side: int = 48) -> bytes:
    """A PNG of noise."""
    rows = b"".join(b"\0" + rng.randbytes(3 * side) for _ in range(side))

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")
    )


def make_project(person: Any, more: dict[str, str] | None = None) -> Path:
    """A repository with two commits in *person*'s home; *more*: files besides."""
    rng = random.Random(SEED)
    files = {
        "package-lock.json": _lock(rng),
        "metadata.json": _metadata(rng),
        "dist/app.min.js": _minified(rng),
        "ids.txt": _identifiers(rng),
        "go.sum": _sums(rng),
        "ca.crt": CertificateAuthority.create().ca_pem,
        "env.example": ENV_EXAMPLE,
        "README.md": README,
        **{f"src/{Path(str(module.__file__)).name}": _source(module) for module in SOURCES},
        **(more or {}),
    }
    for name, text in files.items():
        person.write(f"project/{name}", text)
    root: Path = person.home / "project"
    picture = person.write("project/logo.png", "")
    picture.write_bytes(_picture(rng))
    run_as(person, root, "git", "init", "-q")
    for message, what in (("Add the sources", "src"), ("Pin what is installed", ".")):
        run_as(person, root, "git", "add", "-f", what)
        run_as(
            person,
            root,
            "git",
            "-c",
            "user.name=x",
            "-c",
            "user.email=x@example.com",
            "commit",
            "-qm",
            message,
        )
    return root


def _source(module: Any) -> str:
    return Path(module.__file__).read_text("utf-8")[:24_000]


def run_as(person: Any, root: Path, *argv: str) -> None:
    """*argv* as *person*, whose project is its own from here on."""
    subprocess.run(["chown", "-R", f"{person.uid}:{person.uid}", str(root)], check=True)
    subprocess.run([*person.prefix, *argv], cwd=root, env=person.environ(), check=True)
