"""Which secrets a launch tells its sidecar of, and the bait that it lays."""

from __future__ import annotations

import string

from bot_bottle.base.secret import Secret
from bot_bottle.launch.canary import mint_canary
from bot_bottle.launch.known import PREFIXES_VARIABLE, known_values

CANARY = ("ORBIT_HARBOR_SECRET", Secret("c" * 43))


def test_a_canary_looks_like_a_secret():
    """Two different words and ``_SECRET``; 32 random bytes, URL-safe; never the same twice (egress.md §8)."""
    minted = [mint_canary() for _ in range(200)]
    for name, value in minted:
        first, second, last = name.split("_")
        assert first != second and last == "SECRET"
        assert (first + second).isalpha() and (first + second).isupper()
        assert len(value) == 43
        assert set(value.reveal()) <= set(string.ascii_letters + string.digits + "-_")
    assert len({value.reveal() for _, value in minted}) == len(minted)
    assert len({name for name, _ in minted}) > 100


def test_what_is_known():
    """The operator's variables by prefix, what the bottle was given with where it may go, and the canary."""
    environ = {
        PREFIXES_VARIABLE: " MY_KEY, TEAM_ ,,",
        "MY_KEY": "one",
        "MY_KEY_OLD": "two",
        "TEAM_TOKEN": "three",
        "TEAM_EMPTY": "",
        "OTHER": "four",
        "GIVEN": "not from here",
    }
    found = known_values(environ, {"GIVEN": "five", "TEAM_GIVEN": "six"}, {"GIVEN": ("a.example",)}, CANARY)
    assert [(item.name, item.value.reveal(), item.kind, item.hosts) for item in found] == [
        ("MY_KEY", "one", "operator", ()),
        ("MY_KEY_OLD", "two", "operator", ()),
        ("TEAM_TOKEN", "three", "operator", ()),
        ("GIVEN", "five", "env", ("a.example",)),
        ("TEAM_GIVEN", "six", "env", ()),
        (CANARY[0], "c" * 43, "canary", ()),
    ]
    assert "five" not in repr(found)


def test_no_prefix_is_no_prefix():
    """An empty list names nothing, not everything."""
    for listed in ("", ",", " , "):
        assert known_values({PREFIXES_VARIABLE: listed, "HOME": "/root"}, {}, {}, None) == ()
    assert known_values({"HOME": "/root"}, {}, {}, None) == ()
