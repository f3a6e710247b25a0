"""Invariant: a path has one form, ``canonical_path(canonical_path(p)) == canonical_path(p)``."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.egress.paths import BadPath, canonical_path, check_query, query_pairs


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("/", "/"),
        ("/a", "/a"),
        ("/a/", "/a/"),
        ("//a///b", "/a/b"),
        ("/%61", "/a"),
        ("/%7euser", "/~user"),
        ("/a%2db", "/a-b"),
        ("/a%c3%a9", "/a%C3%A9"),
        ("/a/./b", "/a/b"),
        ("/a/../b", "/b"),
        ("/a/%2e%2e/b", "/b"),
        ("/a/%2E./b", "/b"),
        ("/../../a", "/a"),
        ("/a/..", "/"),
        ("/a/.", "/a/"),
        ("/a/b/..", "/a/"),
        ("/a//../b", "/a/b"),
        ("/a/...", "/a/..."),
        ("/.well-known/x", "/.well-known/x"),
        ("/a%252e%252e/b", "/a%252e%252e/b"),
        ("/a;x=1/b", "/a;x=1/b"),
        ("/a;x=1/./b", "/a;x=1/b"),
        ("/a[1]|^", "/a%5B1%5D%7C%5E"),
        ("/a%5b1%5D", "/a%5B1%5D"),
        ("/%20%0d%0a", "/%20%0D%0A"),
        ("/@scope+x:y,z!$&'()*=", "/@scope+x:y,z!$&'()*="),
        ("/@scope%2fname", "/@scope/name"),
        ("/@scope%2Fname", "/@scope/name"),
        ("/@s-c.o_pe%2fn.a-me/-/x.tgz", "/@s-c.o_pe/n.a-me/-/x.tgz"),
        ("/@scope%2fname/../x", "/@scope/x"),
        ("/@scope%252fname", "/@scope%252fname"),
    ],
)
def test_accepted(raw: str, canonical: str) -> None:
    """Unreserved characters decoded, then dot segments removed, then empty segments merged."""
    assert canonical_path(raw) == canonical


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "a",
        "*",
        "/a%2fb",
        "/a%2Fb",
        "/a%5cb",
        "/a%00",
        "/a\\b",
        "/a\x00",
        "/a b",
        "/a\tb",
        "/a\x7f",
        "/a#b",
        "/a?b",
        "/a\u00e9",
        '/a"b',
        "/a<b",
        "/a`b",
        "/a{b}",
        "/a%",
        "/a%2",
        "/a%zz",
        "/a%+1",
        # overlong forms of '/' and '.', and a lone Latin-1 octet
        "/a%c0%afb",
        "/%c0%ae%c0%ae/b",
        "/a%e0%80%af",
        "/a%ff",
        "/a%e9",
        # servers that strip a parameter see a dot segment
        "/a/..;/b",
        "/a/..;x=1/b",
        "/a/.;/b",
        "/a/%2e%2e;/b",
        "/a/..%3b/b",
    ],
)
def test_refused(raw: str) -> None:
    """What servers read differently is refused."""
    with pytest.raises(BadPath):
        canonical_path(raw)


PIECES = [
    "/",
    ".",
    "..",
    "a",
    "B",
    "%2e",
    "%2E",
    "%61",
    "%7e",
    "%c3%a9",
    "%25",
    "%3b",
    ";",
    "[",
    "//",
    "-",
    "%2f",
    "%41",
]


@pytest.mark.parametrize(
    "raw",
    [
        "/scope%2fname",
        "/x/@scope%2fname",
        "/@scope%2f..",
        "/@..%2fname",
        "/@scope%2f.name",
        "/@%2fname",
        "/@scope%2f",
        "/@scope%2fname%2fx",
        "/@scope%2f%2fname",
        "/@sc%6fpe%2fname",
        "/@scope%2fname;x",
        "/@scope%2fna%2ename",
        "/@scope%5cname",
        "/@scope%00name",
        "/@sc\u00f6pe%2fname",
    ],
)
def test_only_a_plain_scope_has_a_slash(raw: str) -> None:
    """What npm's clients write for a package with a scope, and no other encoded slash."""
    with pytest.raises(BadPath):
        canonical_path(raw)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(lambda pieces: "/" + "".join(pieces)))
def test_idempotent(raw: str) -> None:
    """The canonical form is its own, has no dot or empty segment, and no lower-case hexadecimal."""
    try:
        path = canonical_path(raw)
    except BadPath:
        return
    assert canonical_path(path) == path
    assert path.startswith("/")
    assert "//" not in path
    assert not {".", ".."} & set(path.split("/"))
    assert "%2F" not in path and "%5C" not in path and "%00" not in path


@given(st.text(max_size=40))
def test_any_text(raw: str) -> None:
    """Any text is refused or becomes a path that is its own canonical form."""
    try:
        path = canonical_path("/" + raw)
    except BadPath:
        return
    assert canonical_path(path) == path
    assert path.isascii()


@given(st.text(alphabet="abc-._~/", max_size=20), st.data())
def test_every_spelling(plain: str, data: st.DataObject) -> None:
    """A path with any of its unreserved characters percent-encoded has the form of the plain one."""
    spelled = "".join(
        f"%{ord(char):02x}" if char != "/" and data.draw(st.booleans()) else char for char in plain
    )
    assert canonical_path("/" + spelled) == canonical_path("/" + plain)


@pytest.mark.parametrize("raw", ["", "a=1&b=2", "a[]=x", "q=%20+%41", "a='\"<>`{}|^"])
def test_query_kept(raw: str) -> None:
    """A query goes on as it came."""
    assert check_query(raw) == raw


@pytest.mark.parametrize("raw", ["a b", "a\n", "a#b", "a\\b", "\u00e9", "a=%", "a=%4", "a=%gg", "a=\x7f"])
def test_query_refused(raw: str) -> None:
    """Characters that no URI may hold are refused."""
    with pytest.raises(BadPath):
        check_query(raw)


@pytest.mark.parametrize(
    ("raw", "pairs"),
    [
        ("a=1&b=2", [("a", "1"), ("b", "2")]),
        ("a=1;b", [("a", "1"), ("b", "")]),
        ("%61%70i_key=x%3D&+k=%ff", [("api_key", "x="), (" k", "\ufffd")]),
        ("a=b=c", [("a", "b=c")]),
        ("", [("", "")]),
    ],
)
def test_query_pairs(raw: str, pairs: list[tuple[str, str]]) -> None:
    """Names are read as the most lenient server would."""
    assert query_pairs(raw) == pairs
