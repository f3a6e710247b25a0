"""The rules are the binary's own without its blind spots; a report is read strictly, and shows no secret."""

from __future__ import annotations

import json
import random
import string
import subprocess
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.gitgate import plan
from bot_bottle.gitgate.findings import MAX_FINDINGS, Scanner
from bot_bottle.gitgate.gitleaks import (
    MAX_REPORT_BYTES,
    ReportError,
    config,
    merge,
    parse_report,
)

BINARY = Path(__file__).resolve().parents[2] / "tools/gitleaks/usr/bin/gitleaks"
C1 = "c" * 40


def token(seed=1):
    """Random, of the form that GitHub gives."""
    rng = random.Random(seed)
    return "gh" + "p_" + "".join(rng.choices(string.ascii_letters + string.digits, k=36))


def entry(**changes):
    fields = {
        "RuleID": "github-pat", "StartLine": 3, "EndLine": 3, "StartColumn": 1, "EndColumn": 40,
        "Match": "REDACTED", "File": "a.py", "Commit": C1, "Secret": "REDACTED", "Description": "x", "Tags": [],
    }  # fmt: skip
    return {**fields, **changes}


def raw(*entries):
    return json.dumps(entries).encode()


@pytest.fixture(scope="module")
def gitleaks():
    if not BINARY.exists():
        pytest.skip("gitleaks is not in tools/: make test brings it")
    return BINARY


# -- the configuration
def test_the_rules_are_all_of_the_binary_without_allowlists_by_path(gitleaks):
    made = config(gitleaks.read_bytes())
    assert made.complete
    table = tomllib.loads(made.text)
    lists = [table["allowlist"], *(entry for rule in table["rules"] for entry in rule.get("allowlists", []))]
    assert len(table["rules"]) > 200
    assert not any({"paths", "commits"} & set(entry) for entry in lists)
    assert all(regex != "(?i)^true|false|null$" for regex in table["allowlist"]["regexes"])
    assert any("regexes" in entry for entry in lists[1:])


def default_text(*, rules=120, more=""):
    return f'title = "gitleaks config"\n{more}\n' + "".join(
        f"[[rules]]\nid = \"r{number}\"\nregex = '''a\"\\b{number}'''\nkeywords = [\"a\"]\n"
        "[[rules.allowlists]]\nregexes = ['x']\npaths = ['y']\n"
        "[[rules.allowlists]]\ncondition = 'AND'\nregexes = ['x']\npaths = ['y']\n"
        "[[rules.allowlists]]\npaths = ['y']\n"
        for number in range(rules)
    )


def test_what_held_only_together_with_a_path_goes_as_a_whole():
    made = config(b"\x7fELF\0\0" + default_text().encode() + b"\0rest")
    (rule, *_) = tomllib.loads(made.text)["rules"]
    assert rule == {"id": "r0", "regex": 'a"\\b0', "keywords": ["a"], "allowlists": [{"regexes": ["x"]}]}


@pytest.mark.parametrize(
    "binary",
    [
        b"",
        b"\0" + default_text(rules=99).encode() + b"\0",
        b"\0" + default_text(more="[broken").encode() + b"\0",
        b"\0" + default_text(more="d = 1979-05-27\n[[rules]]\nx = 1").encode() + b"\0",
        b'\0title = "gitleaks config"\nrules = 1\0',
        b'\0title = "gitleaks config"\n[rules]\nid = "a"\0',
        default_text().encode(),
    ],
)
def test_where_the_rules_are_not_found_the_default_is_used(binary):
    made = config(binary)
    assert not made.complete
    assert tomllib.loads(made.text)["extend"] == {"useDefault": True}


@given(st.binary(max_size=200))
def test_any_bytes_make_a_configuration(data):
    tomllib.loads(config(b'\0title = "gitleaks config"' + data).text)


# -- the real one
BLIND = [
    "package-lock.json",
    "a.svg",
    "node_modules/x/y.js",
    "go.sum",
    "vendor/github.com/x/y.go",
    "jquery.min.js",
    "b.zip",
]


def git(cwd, *args, stdin=None):
    env = {"PATH": "/usr/bin:/bin", "HOME": str(cwd), "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *args],
        cwd=cwd, env=env, input=stdin, capture_output=True, check=True,
    )  # fmt: skip
    return done.stdout


def commit_all(cwd, message="m"):
    git(cwd, "add", "-A", "-f")
    git(cwd, "commit", "-q", "-m", message)
    return git(cwd, "rev-parse", "HEAD").decode().strip()


@pytest.fixture
def repository(tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    git(work, "init", "-q", "-b", "main")
    (work / "first").write_text("first\n")
    commit_all(work)
    return work


def scan(gitleaks, repository, tmp_path, news, *, allow=False, text=None):
    """One run as the gate makes it; the report."""
    files = {name: tmp_path / name for name in ("config.toml", "ignore", "report.json")}
    files["config.toml"].write_text(config(gitleaks.read_bytes()).text if text is None else text)
    files["ignore"].write_text("")
    opts = " ".join(("-m", "--text", "--no-ext-diff", "--no-textconv", *news))
    argv = plan.gitleaks(
        str(gitleaks), str(repository / ".git"), opts, config=str(files["config.toml"]), ignore=str(files["ignore"]),
        report=str(files["report.json"]), allow=allow,
    )  # fmt: skip
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    subprocess.run(argv, env=env, check=True, timeout=60, capture_output=True)
    return files["report.json"].read_bytes()


def test_the_files_that_gitleaks_passes_over_by_default_are_looked_at(gitleaks, repository, tmp_path):
    """The same rules by `useDefault` find nothing in any of them."""
    for number, name in enumerate(BLIND):
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"token = '{token(number)}'\n")
    head = commit_all(repository)
    found = parse_report(scan(gitleaks, repository, tmp_path, [head]), str)
    assert {reported.finding.file for reported in found} == set(BLIND)
    default = scan(gitleaks, repository, tmp_path, [head], text="[extend]\nuseDefault = true\n")
    assert parse_report(default, str) == ()


def test_what_a_merge_brings_in_and_what_attributes_hide(gitleaks, repository, tmp_path):
    """`-m` and `--text`; neither a pushed configuration nor a pushed ignore file counts."""
    git(repository, "checkout", "-q", "-b", "side")
    (repository / "side").write_text("side\n")
    commit_all(repository)
    git(repository, "checkout", "-q", "main")
    (repository / "other").write_text("other\n")
    commit_all(repository)
    git(repository, "merge", "-q", "--no-commit", "side")
    (repository / "evil").write_text(f"k = '{token(1)}'\n")
    (repository / "hidden").write_bytes(f"k = '{token(2)}'\n\0\n".encode())
    (repository / ".gitattributes").write_text("evil -diff\n")
    (repository / ".gitleaks.toml").write_text("[allowlist]\npaths = ['.*']\n")
    (repository / ".gitleaksignore").write_text("evil:github-pat:1\nhidden:github-pat:1\n")
    head = commit_all(repository, "merge")
    found = parse_report(scan(gitleaks, repository, tmp_path, [head]), str)
    assert {(reported.finding.file, reported.finding.commit) for reported in found} == {
        ("evil", head),
        ("hidden", head),
    }


def test_a_marked_line_is_found_by_the_first_run_alone(gitleaks, repository, tmp_path):
    (repository / "a.py").write_text(f"a = '{token(1)}'\nb = '{token(2)}'  # gitleaks:allow\n")
    head = commit_all(repository)
    everything, allowed = (
        parse_report(scan(gitleaks, repository, tmp_path, [head], allow=allow), str)
        for allow in (False, True)
    )
    assert [(f.line, f.suppressed, f.commit) for f in merge(everything, allowed)] == [
        (1, False, head),
        (2, True, head),
    ]
    assert token(1) not in str(merge(everything, allowed)) and token(2) not in str(merge(everything, allowed))


def test_a_clean_push_has_an_empty_report(gitleaks, repository, tmp_path):
    (repository / "a.py").write_text("a = 1\n")
    assert parse_report(scan(gitleaks, repository, tmp_path, [commit_all(repository)]), str) == ()


# -- reports
def test_a_report_becomes_findings_fit_for_a_terminal():
    (found,) = parse_report(
        raw(entry(File="a\x1b[2J\nb", Match="x\x07 secret", StartLine=0)),
        lambda text: text.replace("secret", "***"),
    )
    finding = found.finding
    assert (finding.rule, finding.scanner, finding.commit, finding.line) == (
        "github-pat",
        Scanner.GITLEAKS,
        C1,
        None,
    )
    assert (finding.file, finding.text) == ("a\\x1b[2J\\nb", "x\\x07 ***")


def test_a_report_of_a_file_names_no_commit_and_any_other_does():
    plain = entry(Commit="", File="")
    assert [reported.finding.line for reported in parse_report(raw(plain), str, of_file=True)] == [3]
    for data, of_file in ((raw(plain), False), (raw(entry()), True)):
        with pytest.raises(ReportError):
            parse_report(data, str, of_file=of_file)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"null", b"{}", b"[1]", b"[{}]", b"[", raw(entry(Commit="HEAD")),
        raw(entry(StartLine="1")), raw(entry(File=None)), b"[" * 100_000, raw(entry()) + b"x", b"\xff",
    ],
)  # fmt: skip
def test_anything_else_is_no_report(data):
    with pytest.raises(ReportError):
        parse_report(data, str)


def test_reports_are_bounded():
    with pytest.raises(ReportError):
        parse_report(b"[]" + b" " * MAX_REPORT_BYTES, str)
    many = raw(*(entry(StartLine=n) for n in range(1, MAX_FINDINGS + 50)))
    assert len(parse_report(many, str)) == MAX_FINDINGS + 1


def test_a_thousand_marks_hide_nothing_that_came_after_them():
    """A report that was cut off marks nothing, in either run; one that just fits does."""
    many = [entry(StartColumn=n) for n in range(MAX_FINDINGS + 1)]
    cut, whole = parse_report(raw(*many), str), parse_report(raw(*many[1:]), str)
    assert not any(f.suppressed for f in (*merge(cut, []), *merge(whole, cut)))
    assert all(f.suppressed for f in merge(whole, []))


@given(st.binary(max_size=100))
def test_any_bytes_are_a_report_or_an_error(data):
    try:
        assert parse_report(data, str) == ()
    except ReportError:
        pass


def test_two_runs_together():
    """Missing in the second: marked. Only in the second: kept, unmarked. No second run: nothing is marked."""
    one, two, three = (parse_report(raw(entry(StartLine=n)), str)[0] for n in (1, 2, 3))
    assert [(f.line, f.suppressed) for f in merge([one, two], [two, three])] == [
        (1, True),
        (2, False),
        (3, False),
    ]
    assert [(f.line, f.suppressed) for f in merge([one, two], None)] == [(1, False), (2, False)]
