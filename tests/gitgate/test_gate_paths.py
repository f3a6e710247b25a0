"""A path that some checkout would read as a protected one is protected; others are left alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.gitgate.config import RepoPolicy
from bot_bottle.gitgate.elsewhere import RUN_ELSEWHERE, TABLE
from bot_bottle.gitgate.names import glob_problem, readings
from bot_bottle.gitgate.paths import PathRules
from bot_bottle.gitgate.reference import page

ROOT = Path(__file__).resolve().parents[2]

WORKFLOW = ".github/workflows/**"


def denied(glob, path, *, links=False):
    raw = path if isinstance(path, bytes) else path.encode("utf-8", "surrogateescape")
    verdict = PathRules((glob,), ()).judge(raw, links=links)
    return verdict is not None


@pytest.mark.parametrize(
    ("glob", "path", "expected"),
    [
        ("Makefile", "Makefile", True),
        ("Makefile", "a/b/Makefile", True),
        ("/Makefile", "a/Makefile", False),
        ("Makefile", "Makefile/x", True),
        ("Makefile", "Makefile.am", False),
        ("a/b", "a/b", True),
        ("a/b", "x/a/b", False),
        ("a/b", "a/bc", False),
        ("**/a/b", "x/y/a/b/c", True),
        ("**/a/b", "a/b", True),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("a/**/b", "ab", False),
        ("a/**", "a", False),
        ("a/**", "a/x", True),
        ("a/", "a/x", True),
        ("a/", "x/a/y", True),
        ("/a/", "x/a/y", False),
        ("*.yml", "x/y.yml", True),
        ("*.yml", "x/y.yaml", False),
        ("a*b", "a/b", False),
        ("a*b", "axyzb", True),
        ("a?b", "axb", True),
        ("a?b", "aüb", True),
        ("a?b", "a/b", False),
        ("a?b", "ab", False),
        ("a[0-9]b", "a5b", True),
        ("a[0-9]b", "axb", False),
        ("a[!0-9]b", "axb", True),
        ("a[!0-9]b", "a5b", False),
        ("a[!0-9]b", "a/b", False),
        ("a[-.]b", "a-b", True),
        ("a[-.]b", "axb", False),
        ("a[ü]b", "aüb", True),
        ("a[b", "a[b", True),
        ("a\\*b", "a*b", True),
        ("a\\*b", "axb", False),
        ("a.b", "axb", False),
        ("a(b|c)+", "ab", False),
        ("a(b|c)+", "a(b|c)+", True),
        ("ÄB.txt", "äb.TXT", True),
        ("a b", "a b", True),
        ("**", "any/thing", True),
    ],
)
def test_globs_are_those_of_gitignore(glob, path, expected):
    assert denied(glob, path) is expected


@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/x.yml",
        ".github/workflows/deep/er/x.yml",
        ".GitHub/WORKFLOWS/x.yml",
        ".git\u200chub/workflows/x.yml",
        ".github/work\ufeffflows/x.yml",
        ".github\u202e/workflows/x.yml",
        ".ＧＩＴＨＵＢ/workflows/x.yml",
        ".gitHub/wor\u212aflows/x.yml",  # the sign for kelvin
        ".github/workflow\u017f/x.yml",  # the long s
        ".github./workflows/x.yml",
        ".github /workflows. . /x.yml",
        ".github\\workflows\\x.yml",
        ".github/workflows\\x.yml",
        ".github::$INDEX_ALLOCATION/workflows/x.yml",
        ".github:$I30:$INDEX_ALLOCATION/workflows:x/x.yml",
        "GITHUB~1/workflows/x.yml",
        "GITHUB~1/WORKFL~1/x.yml",
        "github~12/workfl~3/x.yml",
        "GI7EBA~1/workflows/x.yml",
        ".github/workflows/x.yml ",
        ".github/workflows/x\n.yml",
        b".github/workflows/\xff\xfe.yml",
        b".github/workflows/\xc3",
    ],
)
def test_what_some_checkout_reads_as_a_workflow_is_one(path):
    assert denied(WORKFLOW, path)
    assert PathRules((), RUN_ELSEWHERE).judge(path if isinstance(path, bytes) else path.encode()) is not None


@pytest.mark.parametrize(
    "path",
    [
        "github/workflows/x.yml",
        ".github/workflows.md",
        ".github/workflowsx/a",
        "docs/.github/workflows/x.yml",
        ".github/ISSUE_TEMPLATE.md",
        "x.github/workflows/a",
        "GITHUX~1",
        "src/a~1.py",
        "a/../b"[:1],
    ],
)
def test_what_none_reads_so_is_left_alone(path):
    assert not denied(WORKFLOW, path)


@pytest.mark.parametrize(
    ("glob", "path", "held"),
    [
        (WORKFLOW, ".github", True),
        (WORKFLOW, ".GITHUB", True),
        (WORKFLOW, ".github/workflows", True),
        (WORKFLOW, ".github/workflows/x.yml", True),
        (WORKFLOW, ".github/other", False),
        (WORKFLOW, "workflows", False),
        ("**/.husky/pre-push", "a/.husky", True),
        ("**/.husky/pre-push", "a", False),
        ("Makefile", "a", False),
        ("a/b/c/d", "a/b", True),
    ],
)
def test_a_link_where_a_directory_of_the_glob_would_be(glob, path, held):
    """With it the files are elsewhere."""
    assert denied(glob, path, links=True) is held


def test_a_file_there_is_no_link():
    assert not denied(WORKFLOW, ".github")


@pytest.mark.parametrize(
    "path",
    [
        ".git/config", ".GIT/hooks/post-checkout", ".g\u200cit/config", ".git./config", ".git /config", "git~1/config",
        ".git::$INDEX_ALLOCATION/config", "a\\.git\\config", "a/.Git", "a//b", "/a", "a/", "./a", "a/./b", "../a",
        "a/../b", "..\\a", "a\\..\\b", "GI7EBA~1/config", "..", ".",
    ],
)  # fmt: skip
def test_names_that_no_commit_should_hold_are_denied_without_any_rule(path):
    """Another git than the gate's would write outside the work tree, or into its own directory."""
    verdict = PathRules((), ()).judge(path.encode())
    assert verdict is not None and verdict.denied


@pytest.mark.parametrize(
    "path", ["a", ".gitignore", ".gitattributes", "x.git/y", "git", "...", "a..b", "~", "a~1", "é\u0301"]
)
def test_names_that_may_be_there(path):
    assert PathRules((), ()).judge(path.encode()) is None


def test_deny_wins_over_ask_and_both_name_the_rule():
    rules = PathRules(("/secret/",), ("/secret/x", "Makefile"))
    denied, asked = rules.judge(b"secret/x"), rules.judge(b"Makefile")
    assert (denied.denied, denied.rule) == (True, "matches '/secret/' of deny_paths")
    assert (asked.denied, asked.rule) == (False, "matches 'Makefile' of ask_paths")
    assert rules.judge(b"other") is None


def test_the_default_is_the_built_in_list_and_empty_is_nothing():
    workflow = b".github/workflows/x.yml"
    assert PathRules.of(RepoPolicy()).judge(workflow).rule == "GitHub Actions runs it (/.github/workflows/)"
    assert PathRules.of(RepoPolicy(ask_paths=())).judge(workflow) is None
    assert PathRules.of(RepoPolicy(ask_paths=("Makefile",))).judge(workflow) is None


@pytest.mark.parametrize("glob", RUN_ELSEWHERE)
def test_every_built_in_glob_holds_a_file_of_its_own_spelling(glob):
    """Filled in with something for its stars; and nobody's sources."""
    path = glob.strip("/").replace("[jty]", "j").replace("*", "x") + ("/x" if glob.endswith("/") else "")
    assert denied(glob, path)
    assert denied(glob, path.upper())
    for ordinary in (
        "README.md",
        "src/main.py",
        "package.json",
        "Makefile",
        "docs/index.md",
        "pyproject.toml",
    ):
        assert not denied(glob, ordinary)


def test_every_built_in_row_names_who_runs_it_and_a_page():
    for row in TABLE:
        assert row.globs and row.runs and re.match(r"https://[a-z0-9.-]+/", row.page)
    assert len(set(RUN_ELSEWHERE)) == len(RUN_ELSEWHERE)


def test_the_page_lists_every_built_in_glob():
    text = page()
    assert all(f"`{glob}`" in text for glob in RUN_ELSEWHERE)
    assert (ROOT / "docs/reference/ask-paths.md").read_text() == text


@pytest.mark.parametrize("glob", ["!a", "/", "", "a/../b", "./a", "//"])
def test_globs_that_are_none(glob):
    assert glob_problem(glob)


def test_globs_that_are_some():
    assert [glob for glob in (*RUN_ELSEWHERE, "a", "**", "a/**/b", "[x") if glob_problem(glob)] == []


# -- for any bytes
@given(st.binary(max_size=80))
def test_any_path_has_two_readings_and_a_verdict(path):
    plain, worst = readings(path)
    assert "\\" not in worst
    PathRules(("a/**",), ("*.x",)).judge(path)
    PathRules((), RUN_ELSEWHERE).judge(path, links=True)
    assert plain.encode("utf-8", "surrogateescape") is not None


@given(st.text("aA.b/*?[]!-\\~1 üß", max_size=12), st.text("aAb./-~1 üß\\", min_size=1, max_size=12))
def test_any_glob_can_be_compared(glob, path):
    """It compiles, and does not hang."""
    denied(glob, path)


@given(st.text("abAB./ ~1:\u200cü", min_size=1, max_size=20))
def test_case_and_invisible_characters_make_no_difference(path):
    """A rule that holds a path holds it however it is spelled."""
    rules = PathRules(("ab/**", "b*"), ())
    verdict = rules.judge(path.encode())
    assert (rules.judge(path.upper().encode()) is None) == (verdict is None)
    if verdict is not None and "deny_paths" in verdict.rule:
        assert rules.judge(("\u200d" + path).encode()) is not None


def test_a_long_path_against_many_stars_ends():
    glob = "/".join(["**", "*a*a*a*b"] * 12)
    assert not denied(glob, "/".join(["a" * 40] * 100))
