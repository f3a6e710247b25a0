"""Every object of a push is looked at: whatever it is called, however it is encoded, wherever in it the secret is."""

from __future__ import annotations

import base64
import bz2
import gzip
import hashlib
import io
import lzma
import random
import tarfile
import zipfile
import zlib

import pytest
from gate_support import CANARY, KNOWN, commit, tag, token, tree

from bot_bottle.dlp.known import Kind, Known, KnownSecrets
from bot_bottle.dlp.patterns import Patterns
from bot_bottle.dlp.sample import make
from bot_bottle.dlp.scan import Engine
from bot_bottle.gitgate.findings import MAX_FINDINGS, Place, Scanner
from bot_bottle.gitgate.listing import Begin, Data, End
from bot_bottle.gitgate.objects import MAX_WHOLE_BYTES, ObjectScan, TooLarge
from bot_bottle.gitgate.trees import ObjectError

BLOB = "b" * 40


@pytest.fixture(scope="module")
def engine():
    known = {"THE_KEY": Known(KNOWN, Kind.OPERATOR), "BAIT": Known(CANARY, Kind.CANARY)}
    return Engine(Patterns(), KnownSecrets(known))


def looked(engine, data, *, kind="blob", path=b"dir/file", piece=50_000, object_id=BLOB):
    scan = ObjectScan(engine, {object_id: path})
    scan.take(Begin(object_id, kind, len(data)))
    for at in range(0, len(data), piece):
        scan.take(Data(data[at : at + piece]))
    scan.take(End())
    assert scan.missing([object_id]) == 0
    return scan


def zipped(content, *, method=zipfile.ZIP_DEFLATED, name="inner.txt"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("other.txt", "nothing here\n" * 20)
        archive.writestr(name, content)
    return out.getvalue()


def tarred(content, mode="w"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        info = tarfile.TarInfo("a/b")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


SECRET = f"config = 1\napi = '{token()}'\nend = 2\n".encode()
ENCODED = {
    "as it is": SECRET,
    "without a line end": token().encode(),
    "after a NUL": b"\0\1\2" + SECRET,
    "utf-16 le": SECRET.decode().encode("utf-16-le"),
    "utf-16 be with a mark": b"\xfe\xff" + SECRET.decode().encode("utf-16-be"),
    "utf-32": SECRET.decode().encode("utf-32"),
    "zip, stored": zipped(SECRET, method=zipfile.ZIP_STORED),
    "zip, deflated": zipped(SECRET),
    "zip in a zip": zipped(zipped(SECRET), name="inner.zip"),
    "docx": zipped(b"<w:t>" + SECRET + b"</w:t>", name="word/document.xml"),
    "gzip": gzip.compress(SECRET),
    "bzip2": bz2.compress(SECRET),
    "xz": lzma.compress(SECRET),
    "zlib": zlib.compress(SECRET * 3),
    "tar": tarred(SECRET),
    "tar.gz": tarred(SECRET, "w:gz"),
    "tar.xz": tarred(SECRET, "w:xz"),
    "base64": base64.b64encode(SECRET),
    "base64 in lines": base64.encodebytes(SECRET * 4),
    "base64 twice": base64.b64encode(base64.b64encode(SECRET)),
    "base64 of gzip": base64.b64encode(gzip.compress(SECRET)),
    "base64 of a zip": base64.b64encode(zipped(SECRET)),
    "hex": SECRET.hex().encode(),
    "urlencoded": "".join(f"%{byte:02x}" for byte in SECRET).encode(),
    "far inside": b"x = 1\n" * 100_000 + SECRET + b"y = 2\n" * 100_000,
    "at a border": b"x" * (128 * 1024 - 15) + b"\n" + SECRET,
}


@pytest.mark.parametrize("name", ENCODED)
@pytest.mark.parametrize("piece", [1009, 1 << 20])
def test_a_secret_in_a_file_is_found_however_it_is_encoded(engine, name, piece):
    scan = looked(engine, ENCODED[name], piece=piece)
    assert scan.findings, name
    assert all(
        f.scanner is Scanner.DLP and f.place is Place.FILE and f.file == "dir/file" for f in scan.findings
    )
    assert not any(f.known or f.suppressed for f in scan.findings)
    assert token() not in str(scan.findings)


def test_a_clean_file_has_no_findings(engine):
    scan = looked(engine, b"print('hello')\n" * 50_000)
    assert (scan.findings, scan.pointers, scan.objects, scan.bytes) == ([], [], 1, 750_000)


def test_the_line_is_counted_from_the_beginning_of_the_file(engine):
    data = b"x = 1\n" * 200_000 + SECRET
    (finding,) = looked(engine, data, piece=3000).findings
    assert finding.line == 200_002
    assert finding.text.count("********") == 1


def test_the_mark_on_its_line_makes_a_finding_a_question(engine):
    """Not that on another line, not one in what is encoded, never for a known secret."""
    data = (
        f"a = '{token(1)}'  # gitleaks:allow\nb = '{token(2)}'\n# gitleaks:allow\n".encode()
        + b"c = " + base64.b64encode(f"d = '{token(3)}'".encode()) + b" # gitleaks:allow\n"
        + b"e = '" + KNOWN + b"' # gitleaks:allow\n"
    )  # fmt: skip
    found = {f.line: (f.suppressed, f.askable, f.known) for f in looked(engine, data).findings}
    assert found == {
        1: (True, True, False),
        2: (False, False, False),
        4: (False, False, False),
        5: (False, False, True),
    }


@pytest.mark.parametrize(("value", "rule"), [(KNOWN, "THE_KEY"), (CANARY, "canary")])
def test_a_secret_of_the_bottle_is_known_by_its_name(engine, value, rule):
    (finding,) = looked(engine, b"x = " + value + b"\n").findings
    assert (finding.rule, finding.known, finding.askable) == (rule, True, False)
    assert value.decode() not in str(finding)


def test_what_can_not_be_unpacked_is_a_question(engine):
    """An encrypted archive may hold anything."""
    data = bytearray(zipped(b"anything at all, it can't be read", method=zipfile.ZIP_DEFLATED))
    at = 0
    while (at := data.find(b"PK\3\4", at)) >= 0:
        data[at + 6] |= 1
        at += 4
    found = looked(engine, bytes(data)).findings
    assert found and all(f.undecoded and f.askable and not f.suppressed for f in found)
    assert found[0].rule == "undecoded zip"


# -- commits, tags, trees
def test_each_part_of_a_commit_is_named(engine):
    for part, place, line in (
        ("message", Place.MESSAGE, 3),
        ("author", Place.AUTHOR, None),
        ("committer", Place.COMMITTER, None),
        ("extra", Place.COMMIT, None),
    ):
        value = f"subject\n\n{token()}\n" if part == "message" else token()
        (finding,) = looked(engine, commit(**{part: value}), kind="commit").findings
        assert (finding.place, finding.line, finding.commit) == (place, line, BLOB), part
        assert token() not in str(finding)


def test_each_part_of_a_tag_is_named(engine):
    for part, place in (("message", Place.TAG_MESSAGE), ("tagger", Place.TAG), ("name", Place.TAG)):
        (finding,) = looked(engine, tag(**{part: token()}), kind="tag").findings
        assert (finding.place, finding.commit) == (place, BLOB), part


def test_a_name_in_a_tree_is_redacted_where_it_is_named(engine):
    data = tree((0o100644, b"a"), (0o100644, f"x-{token()}.txt".encode()), (0o040000, b"b"))
    (finding,) = looked(engine, data, kind="tree").findings
    assert (finding.place, finding.file) == (Place.FILE_NAME, "x-********.txt")


def test_the_path_of_a_file_is_redacted_too(engine):
    (finding,) = looked(engine, SECRET, path=f"a/{token(5)}".encode()).findings
    assert finding.file == "a/********"


def test_ids_of_submodules_are_looked_at(engine):
    """A submodule's commit need not exist anywhere: its id is twenty bytes of the pusher's."""
    rest = KNOWN.ljust(40, b".")
    data = b"160000 a\0" + rest[:20] + b"100644 b\0" + b"\x11" * 20 + b"160000 c\0" + rest[20:]
    found = looked(engine, data, kind="tree").findings
    assert [(f.place, f.known) for f in found] == [(Place.SUBMODULE, True)]
    assert not looked(engine, tree((0o160000, b"a")), kind="tree").findings


def test_names_of_refs_are_looked_at(engine):
    scan = ObjectScan(engine, {})
    scan.names(Place.REF, [b"refs/heads/main", f"refs/heads/{token()}".encode()])
    (finding,) = scan.findings
    assert (finding.place, finding.file) == (Place.REF, "refs/heads/********")


def test_a_format_that_a_slash_would_hide_is_found_in_a_name(engine):
    """What could be a piece of base64 behind a slash: the parts of a name are looked at by themselves too."""
    hidden = make("EZAK{b62:54}", random.Random(3)).text
    scan = ObjectScan(engine, {})
    scan.names(Place.REF, [b"refs/heads/" + hidden])
    (finding,) = scan.findings
    assert (finding.rule, finding.file) == ("easypost-key", "refs/heads/********")


@pytest.mark.parametrize(
    ("kind", "data"), [("commit", b"tree x\n"), ("tag", b"\n\n"), ("tree", b"100644 a\0short")]
)
def test_an_object_that_is_none_is_an_error(engine, kind, data):
    with pytest.raises(ObjectError):
        looked(engine, data, kind=kind)


@pytest.mark.parametrize("kind", ["commit", "tag", "tree"])
def test_what_is_held_as_a_whole_is_bounded(engine, kind):
    with pytest.raises(TooLarge):
        ObjectScan(engine, {}).take(Begin(BLOB, kind, MAX_WHOLE_BYTES + 1))


def test_an_object_that_was_not_looked_at_to_its_end_is_missing(engine):
    scan = ObjectScan(engine, {})
    scan.take(Begin(BLOB, "blob", 10))
    scan.take(Data(b"x" * 5))
    assert scan.missing([BLOB, "c" * 40]) == 2


def test_pointers_of_lfs_are_noticed(engine):
    oid = hashlib.sha256(b"x").hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 1\n".encode()
    scan = looked(engine, pointer, piece=7)
    assert [(p.object_id, p.path) for p in scan.pointers] == [(BLOB, "dir/file")]
    assert scan.wanted == {BLOB}
    assert looked(engine, pointer + b"#" * 1024).pointers == []


def test_findings_are_bounded_and_the_rest_is_counted(engine):
    data = "".join(f"k{n} = '{token(n)}'\n" for n in range(MAX_FINDINGS + 20)).encode()
    scan = looked(engine, data)
    assert (len(scan.findings), scan.unlisted) == (MAX_FINDINGS, 20)
