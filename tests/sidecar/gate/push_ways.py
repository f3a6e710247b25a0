"""Every way of a secret into a push that a scanner could miss (threats H3), each as a function that makes it."""

from __future__ import annotations

import base64
import gzip
import io
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gate_ground import GateGround

Refspecs = list[str]


@dataclass
class Writer:
    """A clone of the agent's, on a branch that begins at upstream's ``main``."""

    ground: GateGround
    clone: Path
    branch: str

    def git(self, *argv: str, given: bytes | None = None, **env: str) -> str:
        done = self.ground.git(*argv, cwd=self.clone, given=given, **env)
        assert done.returncode == 0, (argv, done.stderr)
        return done.stdout.strip()

    def write(self, name: str, content: bytes) -> None:
        path = self.clone / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def commit(self, message: str = "more", **env: str) -> str:
        self.git("add", "-A", "-f")
        self.git("commit", "-q", "--allow-empty", "-m", message, **env)
        return self.git("rev-parse", "HEAD")

    def file(self, name: str, content: bytes) -> Refspecs:
        """One commit with one file."""
        self.write(name, content)
        self.commit(f"add {self.branch}")
        return self.head()

    def head(self) -> Refspecs:
        return [f"HEAD:refs/heads/{self.branch}"]

    def raw(self, kind: str, content: bytes) -> str:
        """An object as it stands."""
        return self.git("hash-object", "-t", kind, "-w", "--stdin", "--literally", given=content)

    def header(self) -> bytes:
        """Of a commit on top of HEAD with its tree."""
        tree, parent = self.git("rev-parse", "HEAD^{tree}"), self.git("rev-parse", "HEAD")
        who = b"A <a@b.example> 1700000000 +0000"
        return b"tree %s\nparent %s\nauthor %s\ncommitter %s\n" % (tree.encode(), parent.encode(), who, who)


def _zip(data: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside.txt", data)
    return held.getvalue()


def _line(secret: bytes) -> bytes:
    return b"first\ntoken = '%s'\nlast\n" % secret


def _reverted(w: Writer, secret: bytes) -> Refspecs:
    w.write("short-lived.txt", _line(secret))
    w.commit()
    w.git("revert", "--no-edit", "HEAD")
    return w.head()


def _evil_merge(w: Writer, secret: bytes) -> Refspecs:
    """What is in neither parent."""
    w.file("left.txt", b"left\n")
    left = w.git("rev-parse", "HEAD")
    w.git("checkout", "-q", "--detach", "HEAD~1")
    w.file("right.txt", b"right\n")
    w.git("merge", "-q", "--no-commit", "--no-ff", left)
    w.write("from-nowhere.txt", _line(secret))
    w.commit("merge")
    return w.head()


def _tag(w: Writer, secret: bytes) -> Refspecs:
    w.git("tag", "-a", f"v-{w.branch}", "-m", f"release\n\n{secret.decode()}")
    return [f"refs/tags/v-{w.branch}"]


def _nested_tag(w: Writer, secret: bytes) -> Refspecs:
    w.git("tag", "-a", f"in-{w.branch}", "-m", f"inner {secret.decode()}")
    w.git("tag", "-a", f"out-{w.branch}", "-m", "outer", f"in-{w.branch}")
    return [f"refs/tags/out-{w.branch}"]


def _tag_of_blob(w: Writer, secret: bytes) -> Refspecs:
    blob = w.raw("blob", _line(secret))
    w.git("tag", "-a", f"b-{w.branch}", "-m", "a file", blob)
    return [f"refs/tags/b-{w.branch}"]


def _tag_of_tree(w: Writer, secret: bytes) -> Refspecs:
    blob = w.raw("blob", _line(secret))
    tree = w.git("mktree", given=f"100644 blob {blob}\tfile.txt\n".encode())
    w.git("tag", "-a", f"t-{w.branch}", "-m", "a tree", tree)
    return [f"refs/tags/t-{w.branch}"]


def _light_tag_of_blob(w: Writer, secret: bytes) -> Refspecs:
    blob = w.raw("blob", _line(secret))
    return [f"{blob}:refs/tags/l-{w.branch}"]


def _message(w: Writer, secret: bytes) -> Refspecs:
    w.commit(f"words\n\n{secret.decode()}")
    return w.head()


def _author(w: Writer, secret: bytes) -> Refspecs:
    w.commit(GIT_AUTHOR_NAME=secret.decode())
    return w.head()


def _committer(w: Writer, secret: bytes) -> Refspecs:
    w.commit(GIT_COMMITTER_EMAIL=f"{secret.decode()}@b.example")
    return w.head()


def _header(name: bytes, before: bytes = b"", after: bytes = b"") -> Callable[[Writer, bytes], Refspecs]:
    def make(w: Writer, secret: bytes) -> Refspecs:
        made = w.raw("commit", w.header() + name + b" " + before + secret + after + b"\n\nwords\n")
        return [f"{made}:refs/heads/{w.branch}"]

    return make


def _mergetag(w: Writer, secret: bytes) -> Refspecs:
    head = w.git("rev-parse", "HEAD").encode()
    tag = b"object %s\ntype commit\ntag x\ntagger A <a@b.example> 1700000000 +0000\n\n%s" % (head, secret)
    folded = tag.replace(b"\n", b"\n ")
    made = w.raw("commit", w.header() + b"mergetag " + folded + b"\n\nwords\n")
    return [f"{made}:refs/heads/{w.branch}"]


def _branch_name(w: Writer, secret: bytes) -> Refspecs:
    w.commit()
    return [f"HEAD:refs/heads/{w.branch}-{secret.decode()}"]


def _notes(w: Writer, secret: bytes) -> Refspecs:
    w.git("notes", f"--ref={w.branch}", "add", "-m", secret.decode())
    return [f"refs/notes/{w.branch}"]


def _attributes(w: Writer, secret: bytes) -> Refspecs:
    w.write(".gitattributes", b"* -diff -text binary\n*.secret export-ignore filter=x\n")
    return w.file("a.secret", _line(secret))


def _own_rules(w: Writer, secret: bytes) -> Refspecs:
    w.write(".gitleaks.toml", b"[allowlist]\npaths = ['''.*''']\nregexes = ['''.*''']\n")
    return w.file("config.txt", _line(secret))


def _ignored(w: Writer, secret: bytes) -> Refspecs:
    w.write("config.txt", _line(secret))
    made = w.commit()
    rules = ("github-pat", "generic-api-key")
    w.write(
        ".gitleaksignore", "".join(f"{made}:config.txt:{r}:2\nconfig.txt:{r}:2\n" for r in rules).encode()
    )
    w.commit()
    return w.head()


def _submodule(w: Writer, secret: bytes) -> Refspecs:
    url = b"https://x:%s@forge.example/a.git" % secret
    w.write(".gitmodules", b'[submodule "a"]\n\tpath = a\n\turl = %s\n' % url)
    w.git("add", ".gitmodules")
    w.git("update-index", "--add", "--cacheinfo", f"160000,{w.git('rev-parse', 'HEAD')},a")
    w.git("commit", "-q", "-m", "submodule")
    return w.head()


def _link(w: Writer, secret: bytes) -> Refspecs:
    (w.clone / "link").symlink_to(f"../{secret.decode()}")
    w.commit()
    return w.head()


def _old_content_new_name(w: Writer, secret: bytes) -> Refspecs:
    """No new blob, only a new tree."""
    w.git("mv", "README.md", f"{secret.decode()}.md")
    w.commit()
    return w.head()


def _deep(w: Writer, secret: bytes) -> Refspecs:
    return w.file("/".join(["d"] * 100) + "/f.txt", _line(secret))


def _second_root(w: Writer, secret: bytes) -> Refspecs:
    """A history of its own, merged in."""
    w.git("checkout", "-q", "--orphan", f"orphan-{w.branch}")
    w.write("root.txt", _line(secret))
    w.commit()
    other = w.git("rev-parse", "HEAD")
    w.git("checkout", "-q", "-f", "--detach", "origin/main")
    w.git("merge", "-q", "--allow-unrelated-histories", "-s", "ours", "-m", "join", other)
    return w.head()


def _file(name: str, encode: Callable[[bytes], bytes] = _line) -> Callable[[Writer, bytes], Refspecs]:
    return lambda w, secret: w.file(name, encode(secret))


_PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"

WAYS: dict[str, tuple[Callable[[Writer, bytes], Refspecs], str]] = {
    "blob": (_file("a.txt"), "a.txt:2"),
    "reverted": (_reverted, "short-lived.txt:2"),
    "evil merge": (_evil_merge, "from-nowhere.txt:2"),
    "second root": (_second_root, "root.txt:2"),
    "tag message": (_tag, "tag message"),
    "nested tag": (_nested_tag, "tag message"),
    "tag of a blob": (_tag_of_blob, "line"),
    "tag of a tree": (_tag_of_tree, ":2"),
    "tag that is a blob": (_light_tag_of_blob, ":2"),
    "commit message": (_message, "commit message, line 3"),
    "author": (_author, "author"),
    "committer": (_committer, "committer"),
    "gpgsig": (
        _header(b"gpgsig", b"-----BEGIN PGP SIGNATURE-----\n ", b"\n -----END PGP SIGNATURE-----"),
        "commit header",
    ),
    "unknown header": (_header(b"x-note"), "commit header"),
    "mergetag": (_mergetag, "commit header"),
    "file name": (lambda w, secret: w.file(f"{secret.decode()}.txt", b"x\n"), "file name"),
    "directory name": (lambda w, secret: w.file(f"{secret.decode()}/a.txt", b"x\n"), "file name"),
    "old content, new name": (_old_content_new_name, "file name"),
    "branch name": (_branch_name, "ref name"),
    "notes": (_notes, ""),
    "binary": (_file("a.png", lambda s: _PNG + b"\0" * 64 + s + b"\0" * 64), "a.png"),
    "-diff": (_attributes, "a.secret:2"),
    "UTF-16": (_file("utf16.txt", lambda s: _line(s).decode().encode("utf-16")), "utf16.txt"),
    "gzip": (_file("a.gz", lambda s: gzip.compress(_line(s))), "a.gz"),
    "zlib": (_file("a.bin", lambda s: zlib.compress(_line(s))), "a.bin"),
    "zip": (_file("a.zip", lambda s: _zip(_line(s))), "a.zip"),
    "base64": (_file("a.b64", lambda s: b"data: " + base64.b64encode(_line(s)) + b"\n"), "a.b64:1"),
    "hex": (_file("a.hex", lambda s: _line(s).hex().encode() + b"\n"), "a.hex:1"),
    "lock file": (_file("package-lock.json", lambda s: b'{"a":\n "%s"}\n' % s), "package-lock.json:2"),
    "SVG": (_file("a.svg", lambda s: b"<svg><text>%s</text></svg>\n" % s), "a.svg:1"),
    "vendored": (_file("node_modules/a/index.js", _line), "node_modules/a/index.js:2"),
    "vendored go": (_file("vendor/github.example/a/a.go", _line), "vendor/github.example/a/a.go:2"),
    "own rules": (_own_rules, "config.txt:2"),
    "own ignore file": (_ignored, "config.txt:2"),
    "submodule": (_submodule, ".gitmodules:3"),
    "link": (_link, "link:1"),
    "deep": (_deep, "d/f.txt:2"),
}
"""name to how it is made, and what the refusal says of its place"""
