"""Requests that agents send and responses that they get, made of the files of this machine.

Bodies have the shapes of the clients' own: Claude Code's messages with results of tools, Codex's Responses, chat
completions; then package managers, git, searches, forms and uploads. What the real clients sent in sessions
against a made-up API is added where such bodies were recorded (``--recorded DIRECTORY``).
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import subprocess
import urllib.parse
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from traffic_files import ROOT, SEED, Item, binaries, packages

B62 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Request:
    kind: str
    path: str
    query: str
    fields: Fields
    body: bytes
    items: tuple[Item, ...] = field(default=(), repr=False)

    @property
    def head(self) -> bytes:
        """What is scanned of the head: its parts apart, as the proxy joins them."""
        parts = [self.path, self.query, *(value for _, value in self.fields)]
        return "\x1e".join((*parts, *(name for name, _ in self.fields))).encode("latin-1", "replace")


@dataclass(frozen=True)
class Response:
    kind: str
    content_type: str | None
    path: str
    body: bytes
    file: str
    """what it was made of"""


def identifier(rng: random.Random, size: int) -> str:
    return "".join(rng.choices(B62, k=size))


def _uuid(rng: random.Random) -> str:
    return str(uuid.UUID(bytes=rng.randbytes(16), version=4))


def numbered(item: Item) -> str:
    """As a client's tool shows a file."""
    lines = item.text.splitlines()[:2000]
    return "\n".join(f"{number:6}\t{line[:2000]}" for number, line in enumerate(lines, 1))


def plainly(item: Item) -> str:
    return item.text[:30_000]


def listing(item: Item) -> str:
    """Lines with their file and number, as a search gives them."""
    lines = item.text.splitlines()[:400:4]
    return "\n".join(f"{item.path}:{4 * number + 1}:{line[:300]}" for number, line in enumerate(lines))


SHOWN: tuple[Callable[[Item], str], ...] = (numbered, numbered, plainly, listing)


def messages_body(rng: random.Random, items: Sequence[Item]) -> tuple[str, Fields, bytes]:
    """Anthropic's messages, as Claude Code sends them."""
    session = _uuid(rng)
    messages: list[dict[str, object]] = [
        {"role": "user", "content": f"Look at {items[0].path} and explain it"}
    ]
    for item in items:
        call = f"toolu_01{identifier(rng, 22)}"
        thinking = {"type": "thinking", "thinking": "I read it first.", "signature": _signature(rng)}
        use = {"type": "tool_use", "id": call, "name": "Read", "input": {"file_path": item.path}}
        result = {"type": "tool_result", "tool_use_id": call, "content": rng.choice(SHOWN)(item)}
        messages += [{"role": "assistant", "content": [thinking, use]}, {"role": "user", "content": [result]}]
    user = f"user_{hashlib.sha256(session.encode()).hexdigest()}_account_{_uuid(rng)}_session_{session}"
    body = {
        "model": "claude-sonnet-4-5-20250929",
        "max_tokens": 32000,
        "system": [{"type": "text", "text": "You help.", "cache_control": {"type": "ephemeral"}}],
        "messages": messages,
        "metadata": {"user_id": user},
        "stream": True,
    }
    fields = (
        ("accept", "application/json"),
        ("content-type", "application/json"),
        ("user-agent", "claude-cli/2.1.330 (external, cli)"),
        ("anthropic-version", "2023-06-01"),
        ("anthropic-beta", "claude-code-20250219,interleaved-thinking-2025-05-14"),
        ("x-stainless-package-version", "0.70.0"),
        ("x-claude-code-session-id", session),
    )
    return "/v1/messages", fields, _json(rng, body)


def responses_body(rng: random.Random, items: Sequence[Item]) -> tuple[str, Fields, bytes]:
    """OpenAI's Responses, as Codex sends them."""
    thread = _uuid(rng)
    content = [{"type": "input_text", "text": f"Fix {items[0].path}"}]
    inputs: list[dict[str, object]] = [{"type": "message", "role": "user", "content": content}]
    for item in items:
        call = f"call_{identifier(rng, 24)}"
        arguments = json.dumps({"cmd": f"sed -n 1,200p {item.path}", "workdir": "/workspace"})
        sealed = "gAAAAAB" + base64.urlsafe_b64encode(rng.randbytes(600)).decode()
        output = f"Chunk ID: {rng.randbytes(3).hex()}\nProcess exited with code 0\nOutput:\n" + rng.choice(
            SHOWN
        )(item)
        inputs += [
            {
                "type": "reasoning",
                "id": f"rs_{rng.randbytes(25).hex()}",
                "encrypted_content": sealed,
                "summary": [],
            },
            {"type": "function_call", "name": "exec_command", "arguments": arguments, "call_id": call},
            {"type": "function_call_output", "call_id": call, "output": output},
        ]
    body = {
        "model": "gpt-5.5-codex",
        "instructions": "You are a coding agent.",
        "input": inputs,
        "store": False,
        "stream": True,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": thread,
    }
    fields = (
        ("content-type", "application/json"),
        ("user-agent", "codex_cli_rs/0.169.0 (Debian 12; x86_64)"),
        ("session_id", thread),
        ("originator", "codex_cli_rs"),
    )
    return "/v1/responses", fields, _json(rng, body)


def completions_body(rng: random.Random, items: Sequence[Item]) -> tuple[str, Fields, bytes]:
    """Chat completions, as Pi and many others send them."""
    messages: list[dict[str, object]] = [{"role": "system", "content": "You write code."}]
    for item in items:
        call = f"call_{identifier(rng, 24)}"
        function = {"name": "read", "arguments": json.dumps({"path": item.path})}
        messages += [
            {"role": "user", "content": f"read {item.path}"},
            {"role": "assistant", "tool_calls": [{"id": call, "type": "function", "function": function}]},
            {"role": "tool", "tool_call_id": call, "content": rng.choice(SHOWN)(item)},
        ]
    body = {"model": "qwen3-coder", "messages": messages, "stream": True, "seed": rng.getrandbits(31)}
    fields = (("content-type", "application/json"), ("user-agent", "OpenAI/JS 6.9.1"))
    return "/v1/chat/completions", fields, _json(rng, body)


def _signature(rng: random.Random) -> str:
    return "Er" + base64.b64encode(rng.randbytes(rng.randint(200, 900))).decode()


def _json(rng: random.Random, body: object) -> bytes:
    if rng.random() < 0.2:  # Python's clients of old
        return json.dumps(body).encode()
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


CHATS = (
    ("Anthropic messages", messages_body, 0.5),
    ("OpenAI Responses", responses_body, 0.3),
    ("OpenAI chat completions", completions_body, 0.2),
)


def chats(items: Sequence[Item], count: int) -> Iterator[Request]:
    """Conversations with one to six results of tools; each file is in one at least, as far as *count* reaches."""
    rng = random.Random(SEED + 1)
    kinds = [(name, make) for name, make, _ in CHATS]
    weights = [weight for _, _, weight in CHATS]
    for number in range(count):
        first = items[number % len(items)]
        chosen = [first, *rng.sample(items, rng.choice((0, 0, 1, 1, 2, 3, 5)))]
        rng.shuffle(chosen)
        ((name, make),) = rng.choices(kinds, weights)
        path, fields, body = make(rng, chosen)
        yield Request(
            f"{name}", path, "beta=true" if path == "/v1/messages" else "", fields, body, tuple(chosen)
        )


def commits(most: int) -> list[Item]:
    """What ``git show`` prints of this project's own history."""
    log = ["git", "-C", str(ROOT), "log", f"-{most}", "--format=%H"]
    names = subprocess.run(log, capture_output=True, text=True, check=True).stdout.split()
    show = ["git", "-C", str(ROOT), "show", "--stat", "-p"]
    return [
        Item(
            "git show",
            name[:12],
            subprocess.run([*show, name], capture_output=True, check=True).stdout[:200_000],
        )
        for name in names
    ]


def installs(count: int) -> Iterator[Request]:
    """Package managers ask for metadata and archives."""
    rng = random.Random(SEED + 2)
    known = packages()
    for number in range(count):
        kind, name, version, integrity = known[number % len(known)]
        digest = hashlib.sha256(f"{name}{version}".encode()).hexdigest()
        base = name.rpartition("/")[2]
        etag = ("if-none-match", f'"{rng.randbytes(16).hex()}"')
        if kind == "npm":
            fields: Fields = (
                ("user-agent", "npm/10.9.2 node/v22.14.0 linux x64 workspaces/false"),
                ("npm-session", rng.randbytes(8).hex()),
                ("pacote-integrity", integrity),
                ("pacote-pkg-id", f"registry:{name}@{version}"),
                etag,
            )
            path = rng.choice((f"/{name.replace('/', '%2f')}", f"/{name}/-/{base}-{version}.tgz"))
            yield Request("npm install", path, "", fields, b"")
        elif kind == "pip":
            agent = json.dumps(
                {"installer": {"name": "pip", "version": "25.3"}, "cpu": "x86_64", "python": "3.11.2"}
            )
            fields = (
                ("user-agent", f"pip/25.3 {agent}"),
                ("accept", "application/vnd.pypi.simple.v1+json"),
                etag,
            )
            wheel = f"{name}-{version}-cp311-cp311-manylinux_2_17_x86_64.whl"
            path = rng.choice(
                (f"/simple/{name}/", f"/packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{wheel}")
            )
            yield Request("pip install", path, "", fields, b"")
        else:
            fields = (("user-agent", "Debian APT-HTTP/1.3 (2.6.1)"), ("range", "bytes=1024-"))
            pool = f"/debian/pool/main/{name[0]}/{name}/{name}_{version}_amd64.deb"
            crate = f"/crates/{name}/{name}-{version}.crate"
            module = f"/github.com/{name}/{name}/@v/v0.0.0-20240814213{number % 1000:03}-{digest[:12]}.zip"
            by_hash = f"/debian/dists/bookworm/main/binary-amd64/by-hash/SHA256/{digest}"
            yield Request("apt, cargo, go", rng.choice((pool, crate, module, by_hash)), "", fields, b"")


def searches(items: Sequence[Item], count: int) -> Iterator[Request]:
    """Words and lines out of files as queries."""
    rng = random.Random(SEED + 3)
    for number in range(count):
        lines = [
            line.strip() for line in items[number % len(items)].text.splitlines() if len(line.strip()) > 12
        ]
        words = rng.choice(lines)[:160] if lines else "how to"
        quote = rng.choice((urllib.parse.quote_plus, urllib.parse.quote))
        query = f"q={quote(words)}&hl=en&oq={quote(words[:30])}&sei={identifier(rng, 22)}"
        fields = (("user-agent", "Mozilla/5.0 (X11; Linux x86_64)"), ("accept-language", "en"))
        yield Request("search", "/search", query, fields, b"")


def git_fetches(count: int) -> Iterator[Request]:
    """Smart HTTP: what is wanted and what is there."""
    rng = random.Random(SEED + 4)
    for _ in range(count):
        wants = [
            f"want {rng.randbytes(20).hex()} multi_ack_detailed no-done side-band-64k thin-pack ofs-delta\n"
        ]
        wants += [f"want {rng.randbytes(20).hex()}\n" for _ in range(rng.randint(0, 30))]
        haves = [f"have {rng.randbytes(20).hex()}\n" for _ in range(rng.randint(0, 200))]
        body = b"".join(_packet(line) for line in wants) + b"0000" + b"".join(_packet(line) for line in haves)
        fields = (
            ("user-agent", "git/2.39.5"),
            ("content-type", "application/x-git-upload-pack-request"),
            ("git-protocol", "version=2"),
        )
        yield Request("git fetch", "/o/r.git/git-upload-pack", "", fields, body + _packet("done\n"))


def _packet(line: str) -> bytes:
    return f"{len(line) + 4:04x}{line}".encode()


def uploads(items: Sequence[Item], count: int) -> Iterator[Request]:
    """Files as they are, as forms, as parts, and pictures in a conversation."""
    rng = random.Random(SEED + 5)
    pictures = list(binaries(count // 4))
    for number, (path, data) in enumerate(pictures):
        picture = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(data).decode()}
        body = json.dumps(
            {"messages": [{"role": "user", "content": [{"type": "image", "source": picture}]}]}
        ).encode()
        item = Item("binary files", path, data)
        kind = ("picture in base64", "binary upload")[number % 2]
        yield Request(kind, "/v1/messages", "", (), data if number % 2 else body, (item,))
    for number in range(count - len(pictures)):
        item = items[number % len(items)]
        if number % 3 == 0:
            body, said = item.data, "application/octet-stream"
        elif number % 3 == 1:
            body = urllib.parse.urlencode({"title": item.path, "content": item.text[:60_000]}).encode()
            said = "application/x-www-form-urlencoded"
        else:
            mark = f"----WebKitFormBoundary{identifier(rng, 16)}"
            head = (
                f'--{mark}\r\nContent-Disposition: form-data; name="f"; filename="{item.path[-40:]}"\r\n\r\n'
            )
            body = head.encode() + item.data + f"\r\n--{mark}--\r\n".encode()
            said = f"multipart/form-data; boundary={mark}"
        yield Request("upload", "/upload", "", (("content-type", said),), body, (item,))


TYPES = {
    "html": "text/html; charset=utf-8",
    "htm": "text/html",
    "md": "text/markdown; charset=utf-8",
    "json": "application/json",
    "js": "application/javascript",
    "mjs": "text/javascript",
    "cjs": "text/javascript",
    "css": "text/css",
    "xml": "application/xml",
    "svg": "image/svg+xml",
    "yml": "application/yaml",
    "yaml": "text/yaml",
    "po": "text/x-gettext-translation",
    "py": "text/x-python",
    "sh": "text/x-shellscript",
    "csv": "text/csv",
    "tex": "application/x-tex",
}


def pages(items: Sequence[Item]) -> Iterator[Response]:
    """Files as a web server gives them, by the type of their name; one of four of the others without a type."""
    for number, item in enumerate(items):
        said = TYPES.get(item.suffix)
        if said is None:
            said = None if number % 4 == 0 else "text/plain; charset=utf-8"
        yield Response(item.source, said, "/" + item.path.rpartition("/")[2], item.data, item.path)


def answers(items: Sequence[Item], count: int) -> Iterator[Response]:
    """Files inside JSON, as a forge's interface, an MCP server or a search gives them, and as events."""
    rng = random.Random(SEED + 6)
    for number in range(count):
        item = items[(7 * number) % len(items)]
        if number % 3 == 0:
            content = [{"type": "text", "text": item.text[:60_000]}]
            body = json.dumps({"jsonrpc": "2.0", "id": number, "result": {"content": content}}).encode()
            yield Response("answers of MCP servers", "application/json", "/mcp", body, item.path)
        elif number % 3 == 1:
            sealed = base64.encodebytes(item.data[:60_000]).decode()
            body = json.dumps({"path": item.path, "encoding": "base64", "content": sealed}).encode()
            yield Response(
                "files from a forge's interface",
                "application/json; charset=utf-8",
                "/contents",
                body,
                item.path,
            )
        else:
            text = item.text[:20_000]
            cuts = [text[at : at + 50] for at in range(0, len(text), 50)]
            events = [{"type": "delta", "id": identifier(rng, 12), "text": piece} for piece in cuts]
            body = "".join(f"event: delta\ndata: {json.dumps(event)}\n\n" for event in events).encode()
            yield Response("events", "text/event-stream", "/stream", body, item.path)


def downloads(count: int) -> Iterator[Response]:
    for path, data in binaries(count):
        yield Response(
            "binary files", (None, "application/octet-stream")[len(data) % 2], "/" + path, data, path
        )
