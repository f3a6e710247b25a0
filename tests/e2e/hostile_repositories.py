"""The corpus of hostile repositories (threats H3, H6): made from nothing, the same on every run.

Each is a pack and the refs that a push wants to set, as an agent can send them without a git of its own; the same
objects are laid into an upstream, so that the gate fetches them. *order* is a shell command that leaves a trace
where it runs: in every way that git has ever been made to run one it is written down somewhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from hostile_objects import NULL, WHO, Hostile, Object, blob, commit, pack, tag, tree
from hostile_packs import packs

FILE, RUN, LINK, DIR, MODULE = "100644", "100755", "120000", "40000", "160000"
MAIN = "refs/heads/hostile"
CONFIG = """\
[core]
\tfsmonitor = "{order}"
\thooksPath = hooks
\tsshCommand = "{order}"
\tpager = "{order}"
\teditor = "{order}"
\tattributesFile = attributes
\talternateRefsCommand = "{order}"
\tgitProxy = "{order}"
\tworktree = /
[include]
\tpath = ../config
[filter "evil"]
\tclean = "{order}"
\tsmudge = "{order}"
\tprocess = "{order}"
\trequired = true
[diff]
\texternal = "{order}"
[diff "evil"]
\tcommand = "{order}"
\ttextconv = "{order}"
[merge "evil"]
\tdriver = "{order}"
[uploadpack]
\tpackObjectsHook = "{order}"
[receive]
\tprocReceiveRefs = refs
[gc]
\tauto = 1
[credential]
\thelper = "!{order}"
[gpg]
\tprogram = "{order}"
[remote "origin"]
\turl = "ext::sh -c {order}"
\tuploadpack = "{order}"
\treceivepack = "{order}"
\tvcs = evil
[protocol]
\tallow = always
"""
ODD_REFS = """\
refs/heads/../../hooks/pre-receive
refs/heads/a..b
refs/heads/.a
refs/heads/a.lock
refs/heads/a//b
refs/heads/a\x07b
refs/heads/a b
refs/heads/a~1
refs/heads/a:b
refs/heads/a?
refs/heads/@{{1}}
refs/heads/
HEAD
FETCH_HEAD
config
hooks/pre-receive
objects/info/alternates
../../x
refs/replace/{oid}
refs/notes/commits
refs/pull/1/head
refs/merge-requests/1/head
refs/remotes/origin/main
refs/stash
refs/for/main
"""
ATTRIBUTES = (
    "* filter=evil diff=evil merge=evil export-subst ident working-tree-encoding=UTF-16\n*.md -diff -text\n"
)


def _in_commit(name: str, root: Object, *others: Object, refused: bool | None = None) -> Hostile:
    made = commit(root)
    return Hostile(name, (made, root, *others), {MAIN: made.oid}, refused)


def _file(
    name: str, path: bytes | str, content: bytes | str, mode: str = FILE, *, refused: bool | None = None
) -> Hostile:
    data = blob(content)
    return _in_commit(name, tree((mode, path, data)), data, refused=refused)


def corpus(order: str) -> Iterator[Hostile]:
    """All of it; each name once."""
    yield from _configurations(order)
    yield from _modules(order)
    yield from _names(order)
    yield from _trees()
    yield from _commits_and_tags()
    yield from packs(MAIN)
    yield from _refs(order)


def _configurations(order: str) -> Iterator[Hostile]:
    quoted = order.replace("\\", "\\\\").replace('"', '\\"')
    config, hook = blob(CONFIG.replace("{order}", quoted)), blob(f"#!/bin/sh\n{order}\n")
    head, attributes = blob("ref: refs/heads/main\n"), blob(ATTRIBUTES)
    names = (
        "post-checkout",
        "post-receive",
        "post-update",
        "pre-auto-gc",
        "pre-receive",
        "reference-transaction",
        "update",
    )
    hooks = tree(*((RUN, name, hook) for name in names))
    elsewhere = blob("/etc\n../../../../objects\n")
    info = tree((FILE, "alternates", elsewhere), (FILE, "http-alternates", elsewhere))
    objects = tree((DIR, "info", info))
    refs = tree((DIR, "heads", tree((FILE, "main", blob("0" * 40 + "\n")))))
    inner = tree((FILE, "main", blob("0" * 40 + "\n")))
    attributes_dir = tree((FILE, "attributes", attributes), (FILE, "grafts", elsewhere))
    bare = tree(
        (FILE, "HEAD", head), (FILE, "config", config), (DIR, "hooks", hooks), (DIR, "info", attributes_dir),
        (DIR, "objects", objects), (DIR, "refs", refs),
    )  # fmt: skip
    parts = (config, hook, head, attributes, hooks, elsewhere, info, objects, refs, inner, attributes_dir)
    parts += (blob("0" * 40 + "\n"),)
    yield _in_commit("a tree that is a bare repository", bare, *parts)
    yield _in_commit("a bare repository in a directory", tree((DIR, "sub", bare)), bare, *parts)
    yield _in_commit("attributes of every driver", tree((FILE, ".gitattributes", attributes)), attributes)
    yield _file("a .gitconfig", ".gitconfig", config.body)
    yield _file("a .git file", ".git", "gitdir: /etc\n", refused=True)
    yield _file("a long line of attributes", ".gitattributes", "a " + "b " * 2000 + "\n", refused=True)
    yield _file(
        "a bundle as a file",
        "x.bundle",
        b"# v2 git bundle\n" + b"0" * 40 + b" refs/heads/x\n\n" + pack((head,)),
    )
    yield _file(
        "a pointer of Git LFS", "model.bin",
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{'ab' * 32}\nsize 12345\n", refused=True,
    )  # fmt: skip


def _modules(order: str) -> Iterator[Hostile]:
    def modules(name: str, text: str, path: str = ".gitmodules", mode: str = FILE) -> Hostile:
        data = blob(text)
        root = tree((mode, path, data), (MODULE, "sub", b"\x11" * 20))
        return _in_commit(name, root, data, refused=True)

    plain = '[submodule "{name}"]\n\tpath = {path}\n\turl = {url}\n{more}'

    def one(name: str = "x", path: str = "sub", url: str = "https://example.com/x", more: str = "") -> str:
        return plain.format(name=name, path=path, url=url, more=more)

    yield modules("submodule by ext", one(url=f'"ext::sh -c {order!r}"'))
    yield modules("submodule url as an option (CVE-2018-17456)", one(url="-u./run"))
    yield modules(
        "submodule host as an option (CVE-2017-1000117)", one(url=f"ssh://-oProxyCommand={order}/x")
    )
    yield modules("submodule path as an option", one(path="-x"))
    yield modules("submodule name above (CVE-2018-11235)", one(name="../../modules/evil"))
    yield modules("submodule update command", one(more=f"\tupdate = !{order}\n"))
    yield modules("submodule url with a line end", one(url='"https://example.com/%0ahost=x"'))
    yield modules("submodule path with CR (CVE-2025-48384)", one(path='"sub\r"'))
    yield modules(
        "submodule of a long name (CVE-2023-29007)",
        one(name="a" * 1100, more=f"\t[core]\n\tsshCommand = {order}\n"),
    )
    yield modules("submodules that are a link", "/etc/passwd", mode=LINK)
    yield modules("submodules by file", one(url="file:///etc"))
    for spelt in (".GITMODULES", "gitmod~1", "gi7eba~1", ".gitmodules ", ".gitmodu\u200cles"):
        yield modules(f"submodules spelt {spelt!a}", one(url="-u./run"), spelt)


def _names(order: str) -> Iterator[Hostile]:
    hook = blob(f"#!/bin/sh\n{order}\n")
    hooks = tree((RUN, "post-checkout", hook))
    inner = tree((DIR, "hooks", hooks))
    spelt = (
        ".git",
        ".GIT",
        ".gIt",
        "git~1",
        "GIT~1",
        ".g\u200cit",
        ".git ",
        ".git.",
        ".git::$INDEX_ALLOCATION",
        "..",
        ".",
    )
    for name in spelt:
        yield _in_commit(f"a directory {name!a}", tree((DIR, name, inner)), inner, hooks, hook, refused=True)
    yield _in_commit("a name with a slash", tree((RUN, ".git/hooks/post-checkout", hook)), hook, refused=True)
    yield _in_commit("a name with backslashes", tree((RUN, ".git\\hooks\\post-checkout", hook)), hook)
    yield _in_commit("an empty name", tree((FILE, "", hook)), hook, refused=True)
    for name in (
        b"a\nb",
        b"\x1b[2Ja\x07",
        b"\xff\xfe",
        b'"$(' + order.encode()[:40] + b')"',
        b"-rf",
        b":(top)x",
        b"\t",
    ):
        yield _in_commit(f"a file {name!r}", tree((FILE, name, hook)), hook)
    yield _in_commit("a name of 5,000 bytes", tree((FILE, b"n" * 5000, hook)), hook)
    deep, objects = tree((FILE, "x", hook)), [hook]
    for _ in range(3000):
        objects.append(deep)
        deep = tree((DIR, "d", deep))
    yield _in_commit("directories 3,000 deep", deep, *objects)


def _trees() -> Iterator[Hostile]:
    data, link = blob("x"), blob("../../../../etc")
    here = tree((FILE, "x", data))
    yield _in_commit("a link out of the tree", tree((LINK, "link", link)), link)
    yield _in_commit(
        "a link and what lies behind it (CVE-2024-32002)", tree((LINK, "a", link), (DIR, "a", here)), link, here, data,
        refused=True,
    )  # fmt: skip
    yield _in_commit(
        "two entries of one name", tree((FILE, "a", data), (FILE, "a", data)), data, refused=True
    )
    yield _in_commit("entries out of order", tree((FILE, "b", data), (FILE, "a", data)), data, refused=True)
    yield _in_commit("a mode with zeros before it", tree(("0100644", "a", data)), data, refused=True)
    yield _in_commit("a mode that none is", tree(("100777", "a", data)), data)
    yield _in_commit("an entry of zeros", tree((FILE, "a", bytes(20))), refused=True)
    yield _in_commit("a tree that ends early", Object(2, b"100644 a\0\x11\x11"), refused=True)
    yield _in_commit("a file that is a directory", tree((DIR, "a", data)), data, refused=True)
    yield _in_commit("a blob that is not there", tree((FILE, "a", b"\x22" * 20)), refused=True)
    yield _in_commit("a submodule without modules", tree((MODULE, "sub", b"\x11" * 20)))


def _commits_and_tags() -> Iterator[Hostile]:
    data = blob("x")
    root = tree((FILE, "x", data))

    def made(name: str, one: Object, *others: Object, refused: bool | None = True) -> Hostile:
        return Hostile(name, (one, root, data, *others), {MAIN: one.oid}, refused)

    def raw(name: str, body: bytes) -> Hostile:
        return made(name, Object(1, body))

    good = commit(root)
    yield made("a commit of nobody", commit(root, author=b""))
    yield made(
        "a date that overflows", commit(root, author=b"A <a@example.com> 99999999999999999999999 +0000")
    )
    yield made("a date with zeros", commit(root, author=b"A <a@example.com> 01700000000 +0000"))
    yield made("a zone that none is", commit(root, author=b"A <a@example.com> 1700000000 +zzzz"))
    yield made("an address without an end", commit(root, author=b"A <a@example.com 1700000000 +0000"))
    yield made("no room before the address", commit(root, author=b"A<a@example.com> 1700000000 +0000"))
    yield made("a commit of a tree that is not there", commit("3" * 40))
    yield made("a commit after one that is not there", commit(root, "4" * 40))
    yield made("a commit that is its blob's child", commit(root, data.oid))
    yield raw("a commit without a tree", b"author " + WHO + b"\ncommitter " + WHO + b"\n\nx\n")
    yield raw(
        "a commit with NUL in its head",
        b"tree %b\nauthor A\0 <a@example.com> 1 +0000\n\n" % root.oid.encode(),
    )
    yield raw("an empty commit", b"")
    yield made(
        "a commit of 1 MiB of head", commit(root, more=b"x-more " + b"y" * 2**20 + b"\n"), refused=None
    )
    escapes, title = b"\x1b[2J <\x1b]0;x\x07@example.com> 1 +0000", b"\x1b[2J\x1b]52;c;eA==\x07\n"
    yield made("a commit with ESC in all places", commit(root, author=escapes, message=title), refused=None)
    yield made("NUL in a message", commit(root, message=b"one\0two\n"), refused=None)
    yield made("a thousand parents", commit(root, *[good.oid] * 1000), good, refused=None)

    def tagged(name: str, one: Object, *others: Object, refused: bool | None = True) -> Hostile:
        return Hostile(name, (one, good, root, data, *others), {"refs/tags/hostile": one.oid}, refused)

    yield tagged("a tag of nobody", tag(good.oid, tagger=b""), refused=None)
    yield tagged("a tag of another kind", tag(good.oid, "blob"))
    yield tagged("a tag of no kind", tag(good.oid, "evil"))
    yield tagged("a tag of what is not there", tag("5" * 40))
    yield tagged("a tag that is named as an option", tag(good.oid, name=b"--upload-pack=x"), refused=None)
    chain = [tag(good.oid)]
    for _ in range(500):
        chain.append(tag(chain[-1].oid, "tag"))
    yield tagged("tags of tags, 500 deep", chain[-1], *chain, refused=None)
    yield Hostile("a branch that is a tree", (root, data), {MAIN: root.oid}, True)
    yield Hostile("a branch that is a tag", (chain[0], good, root, data), {MAIN: chain[0].oid}, True)
    yield Hostile("a tag that is a blob", (data,), {"refs/tags/hostile": data.oid})


def _refs(order: str) -> Iterator[Hostile]:
    data = blob("x")
    root = tree((FILE, "x", data))
    good = commit(root)
    objects = (good, root, data)
    odd = ODD_REFS.format(oid=good.oid).splitlines()
    for ref in (*odd, "refs/heads/" + "n" * 4000):
        yield Hostile(f"ref {ascii(ref)[:60]}", objects, {ref: good.oid}, True)
    bold = f"refs/heads/$({order})".replace(" ", "${IFS}")
    names = ("`x`", ";x", "|x", "'x", '"x', "-x", "--force", "\xff")
    for ref in (bold, "refs/tags/-d", *(f"refs/heads/{name}" for name in names)):
        yield Hostile(f"ref {ascii(ref)[:60]}", objects, {ref: good.oid})
    yield Hostile("ten thousand refs", objects, {f"refs/heads/many/{n}": good.oid for n in range(10_000)})
    yield Hostile("a ref to what is not sent", objects, {MAIN: "7" * 40}, True)
    yield Hostile("a ref to nothing from nothing", objects, {MAIN: NULL}, None)
    yield Hostile("options with a push", objects, {MAIN: good.oid}, None, b"",
                  {"options": ["ci.skip", f"x={order}", "merge_request.create"]})  # fmt: skip
    orphan = commit(root, "8" * 40)
    yield Hostile("a push that says it is shallow", (orphan, root, data), {MAIN: orphan.oid}, None, b"",
                  {"shallow": [orphan.oid]})  # fmt: skip
