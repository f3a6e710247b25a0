"""Inheritance and composition, cell by cell of the table (spec: manifest §8; ruling 25)."""

from __future__ import annotations

import pytest

from bot_bottle.manifest import load
from bot_bottle.manifest.extends import MAX_CHAIN, Family
from bot_bottle.manifest.schema import GitUser, Literal, Shutdown, StaticKey, WorkspaceMode
from bot_bottle.manifest.tree import ManifestError, from_data

CHILD, FOLD, RUNTIME = "child over parent", "fold of parents", "runtime composition"
MODES = (CHILD, FOLD, RUNTIME)


def put_together(files, mode, base, top):
    """The effective bottle of *top* after *base* in one of the three ways."""
    if mode == CHILD:
        files.bottle("base", base)
        files.bottle("top", f"extends: base\n{top}")
        return files.effective("top")
    files.bottle("base", base)
    files.bottle("top", top)
    if mode == FOLD:
        files.bottle("both", "extends: [base, top]")
        return files.effective("both")
    return files.effective("base", "top")


def envs(bottle):
    return {name: entry.source.value for name, entry in bottle.env.items()}


@pytest.mark.parametrize("mode", MODES)
def test_env_is_merged_and_the_later_wins(files, mode):
    bottle = put_together(files, mode, "env: {A: base, B: base}", "env: {B: top, C: top}")
    assert envs(bottle) == {"A": "base", "B": "top", "C": "top"}


@pytest.mark.parametrize("mode", MODES)
def test_git_user_is_merged_by_field_and_an_empty_one_wins_nothing(files, mode):
    bottle = put_together(
        files,
        mode,
        "git-gate: {user: {name: Base, email: b@x.example}}",
        "git-gate: {user: {name: '', email: t@x.example}}",
    )
    assert bottle.git_user == GitUser("Base", "t@x.example")


BASE_REPOS = """
git-gate:
  repos:
    a: {url: 'git@h.example:a', key: {provider: static, path: /base}, host_key: base}
    b: {url: 'git@h.example:b', key: {provider: static, path: /base}}
"""


@pytest.mark.parametrize(
    ("mode", "top", "expected"),
    [
        # key omitted: inherited
        (CHILD, "git-gate: {user: {name: x}}", {"a": ("/base", "base"), "b": ("/base", "")}),
        (FOLD, "git-gate: {user: {name: x}}", {"a": ("/base", "base"), "b": ("/base", "")}),
        (RUNTIME, "git-gate: {user: {name: x}}", {"a": ("/base", "base"), "b": ("/base", "")}),
        # an empty set clears for a child alone
        (CHILD, "git-gate: {repos: {}}", {}),
        (FOLD, "git-gate: {repos: {}}", {"a": ("/base", "base"), "b": ("/base", "")}),
        (RUNTIME, "git-gate: {repos: {}}", {"a": ("/base", "base"), "b": ("/base", "")}),
        # same name: field by field, or the whole entry
        (CHILD, "git-gate: {repos: {c: {url: 'git@h.example:c', key: {provider: static, path: /top}}, "
                "a: {key: {provider: static, path: /top}}}}",
         {"a": ("/top", "base"), "b": ("/base", ""), "c": ("/top", "")}),
        (RUNTIME, "git-gate: {repos: {c: {url: 'git@h.example:c', key: {provider: static, path: /top}}, "
                  "a: {url: 'git@h.example:a', key: {provider: static, path: /top}}}}",
         {"a": ("/top", ""), "b": ("/base", ""), "c": ("/top", "")}),
        (FOLD, "git-gate: {repos: {c: {url: 'git@h.example:c', key: {provider: static, path: /top}}, "
               "a: {key: {provider: static, path: /top}}}}",
         {"a": ("/top", "base"), "b": ("/base", ""), "c": ("/top", "")}),
    ],
)  # fmt: skip
def test_repos_have_three_ways(files, mode, top, expected):
    """The order is the base's, new names come after."""
    bottle = put_together(files, mode, BASE_REPOS, top)
    found = {name: (repo.key.path, repo.host_key) for name, repo in bottle.repos.items()}
    assert list(found.items()) == list(expected.items())


def test_a_repository_that_nobody_completes_is_an_error(files, check):
    file = files.bottle("dev", "git-gate: {repos: {a: {host_key: x}}}")
    check(files.refusal("dev"), file, 2, "git-gate.repos.a.url", "is missing")


@pytest.mark.parametrize("mode", MODES)
def test_routes_are_concatenated(files, mode):
    base = "egress: {routes: [{host: a.example}, {host: b.example}]}"
    bottle = put_together(files, mode, base, "egress: {routes: [{host: c.example}]}")
    assert [route.host for route in bottle.egress.routes] == ["a.example", "b.example", "c.example"]
    assert bottle.place("egress", "routes", 2).file.endswith("top.md")


@pytest.mark.parametrize("mode", MODES)
def test_two_definitions_for_one_host_are_an_error_that_names_both_places(files, check, mode):
    base = "supervise: true\negress: {routes: [{host: a.example, git: {fetch: true}}]}"
    top = "egress: {routes: [{host: x.example}, {host: A.example}]}"
    with pytest.raises(ManifestError, match="keep one") as caught:
        put_together(files, mode, base, top)
    file = files.home / ".bot-bottle/bottles/top.md"
    line = 3 if mode == CHILD else 2
    check(
        caught.value, file, line, "egress.routes[1].host", "bottles/base.md:3: egress.routes[0]", "keep one"
    )


@pytest.mark.parametrize("mode", MODES)
def test_one_definition_in_two_files_is_kept_once(files, mode):
    route = "egress: {routes: [{host: a.example, git: {fetch: true}}]}"
    assert len(put_together(files, mode, route, route).egress.routes) == 1


def test_a_diamond_is_one_ancestor(files, monkeypatch):
    """Its routes arrive once, its file is read once."""
    files.bottle("root", "egress: {routes: [{host: a.example}]}\nenv: {A: root}")
    files.bottle("left", "extends: root\nenv: {B: left}")
    files.bottle("right", "extends: root\negress: {routes: [{host: b.example}]}")
    files.bottle("dev", "extends: [left, right]")
    reads = []
    real = load.read
    monkeypatch.setattr(load, "read", lambda entry: reads.append(entry.name) or real(entry))
    bottle = files.effective("dev", "left")
    assert [route.host for route in bottle.egress.routes] == ["a.example", "b.example"]
    assert envs(bottle) == {"A": "root", "B": "left"}
    assert sorted(reads) == ["dev", "left", "right", "root"]


SCALARS = [
    ("egress: {log: 1}", "egress: {log: 0}", lambda b: b.egress.log, 1, 0),
    ("supervise: false", "supervise: true", lambda b: b.supervise, False, True),
    ("agent_provider: {template: codex}", "agent_provider: {template: claude}", lambda b: b.agent_provider.template,
     "codex", "claude"),
    ("shutdown: kill", "shutdown: freeze", lambda b: b.shutdown, Shutdown.KILL, Shutdown.FREEZE),
    ("egress: {extra_ca: /a}", "egress: {extra_ca: /b}", lambda b: b.egress.extra_ca, "/a", "/b"),
    ("egress: {on_taint: note}", "egress: {on_taint: tighten}", lambda b: b.egress.on_taint, "note", "tighten"),
    ("egress: {provider_schema: log}", "egress: {provider_schema: enforce}", lambda b: b.egress.provider_schema,
     "log", "enforce"),
    ("egress: {provider_features: [a]}", "egress: {provider_features: [b]}", lambda b: b.egress.provider_features,
     ("a",), ("b",)),
    ("egress: {upstream_proxy: {url: 'http://a:1'}}", "egress: {upstream_proxy: {url: 'http://b:1'}}",
     lambda b: b.egress.upstream_proxy.url, "http://a:1", "http://b:1"),
    ("resources: {cpus: 1}", "resources: {cpus: 3}", lambda b: b.resources.cpus, 1.0, 3.0),
    ("workspace: {mode: mount}", "workspace: {mode: none}", lambda b: b.workspace.mode, WorkspaceMode.MOUNT,
     WorkspaceMode.NONE),
]  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("base", "top", "value", "of_base", "of_top"), SCALARS, ids=[row[0] for row in SCALARS]
)
def test_the_last_that_declares_a_scalar_wins(files, mode, base, top, value, of_base, of_top):
    """One that does not declare it resets nothing to the default."""
    assert value(put_together(files, mode, base, top)) == of_top
    assert value(put_together(files, mode, base, "env: {A: x}")) == of_base


def test_declared_by_inheritance_counts_as_declared(files):
    files.bottle("root", "agent_provider: {template: codex}\nsupervise: false")
    files.bottle("first", "agent_provider: {template: pi}")
    files.bottle("second", "extends: root")
    bottle = files.effective("first", "second")
    assert (bottle.agent_provider.template, bottle.supervise) == ("codex", False)


@pytest.mark.parametrize("mode", MODES)
def test_agent_provider_is_one_block(files, mode):
    """No deep merge: a template's settings never stand under another."""
    bottle = put_together(
        files,
        mode,
        "agent_provider: {auth_token: T, settings: {startup_args: [x]}}",
        "agent_provider: {template: codex}",
    )
    assert (bottle.agent_provider.auth_token, bottle.agent_provider.settings) == ("", {})


@pytest.mark.parametrize("mode", MODES)
def test_workspace_and_resources_are_merged_by_field_and_lists_are_joined(files, mode):
    """What a parent leaves out of the copy stays out."""
    bottle = put_together(
        files,
        mode,
        "workspace: {mode: mount, path: /a, exclude: ['*.pem'], protect: [x]}\n"
        "resources: {cpus: 1, pids: 9}\ntools: [/a, b]",
        "workspace: {path: /b, exclude: ['*.log', '*.pem']}\nresources: {pids: 8}\ntools: [b, /c]",
    )
    workspace = bottle.workspace
    assert (workspace.mode, workspace.path) == (WorkspaceMode.MOUNT, "/b")
    assert (workspace.exclude, workspace.protect) == (("*.pem", "*.log"), ("x",))
    assert (bottle.resources.cpus, bottle.resources.pids) == (1.0, 8)
    assert [getattr(tool, "path", None) or tool.name for tool in bottle.tools] == ["/a", "b", "/c"]


def test_budgets_are_scopes_and_not_merged(files):
    """Last selected … first selected, then parents: nearest first, of several the later first."""
    files.bottle("root", "budget: {claude: 1}")
    files.bottle("left", "extends: root\nbudget: {claude: 2}")
    files.bottle("right", "extends: root\nbudget: {claude: 3}")
    files.bottle("one", "extends: [left, right]\nbudget: {claude: 4, own: 5}")
    files.bottle("two", "extends: silent\nbudget: {claude: 6}")
    files.bottle("silent", "env: {A: x}")
    scopes = files.effective("one", "two").budgets
    assert [scope.bottle for scope in scopes] == ["two", "one", "right", "left", "root"]
    assert {key: value.tokens for key, value in scopes[1].budgets.items()} == {"claude": 4, "own": 5}
    assert files.effective("one", "two").place("budget", "left", "claude").line == 3


def test_a_one_element_list_is_the_string_form(files):
    files.bottle("base", "env: {A: x}")
    files.bottle("one", "extends: base")
    files.bottle("two", "extends: [base]")
    assert files.effective("one") == files.effective("two")


def test_selection_order_counts_and_each_brings_its_own_parents(files):
    files.bottle("root", "env: {A: root, R: root}")
    files.bottle("one", "extends: root\nenv: {A: one}")
    files.bottle("two", "env: {A: two}")
    assert envs(files.effective("one", "two")) == {"A": "two", "R": "root"}
    assert envs(files.effective("two", "one")) == {"A": "one", "R": "root"}


# -- errors
@pytest.mark.parametrize(
    ("extends", "path", "says"),
    [
        ("7", "extends", ("string or list of strings", "a number")),
        ("[root, 7]", "extends[1]", ("extends[1] must be a string", "a number")),
        ("nobody", "extends", ("'nobody' is not defined", "Available: dev, root")),
        ("[root, nobody]", "extends[1]", ("'nobody' is not defined", "Available: dev, root")),
        ("dev", "extends", ("extends itself", "remove the self-reference")),
        ("[root, dev]", "extends[1]", ("extends itself",)),
        ("[]", "extends", ("must not be empty",)),
        ("../agents/x", "extends", ("not defined",)),
    ],
)
def test_errors_of_extends(files, check, extends, path, says):
    files.bottle("root", "")
    file = files.bottle("dev", f"env: {{}}\nextends: {extends}")
    check(files.refusal("dev"), file, 3, path, *says)


def test_no_bottles_at_all_says_none(files):
    """Only reachable for a bottle that is not on the list itself: a program's."""
    family = Family(lambda name: from_data({"extends": "x"}, "f"), ())
    with pytest.raises(ManifestError, match=r"Available: \(none\)"):
        family.resolve("dev")


@pytest.mark.parametrize(
    ("edges", "at", "chain"),
    [
        ({"a": "b", "b": "a"}, "b", "a -> b -> a"),
        ({"a": "b", "b": "c", "c": "b"}, "c", "b -> c -> b"),
        ({"a": "[x, b]", "b": "[x, c]", "c": "[x, a]", "x": ""}, "c", "a -> b -> c -> a"),
    ],
)
def test_a_cycle_over_any_edge_names_the_chain(files, check, edges, at, chain):
    for name, value in edges.items():
        files.bottle(name, f"extends: {value}" if value else "")
    error = files.refusal("a")
    path = "extends[1]" if "[" in edges[at] else "extends"
    check(error, files.home / f".bot-bottle/bottles/{at}.md", 2, path, "in an extends cycle", chain)


def test_all_entries_of_a_list_are_checked_before_one_is_resolved(files):
    files.bottle("broken", "supervise: maybe")
    files.bottle("dev", "extends: [broken, nobody]")
    assert "'nobody' is not defined" in files.refusal("dev").message


def test_the_chain_is_bounded(files):
    """A thousand bottles in a row end as an error, not as an exhausted stack."""
    for number in range(MAX_CHAIN + 3):
        files.bottle(f"b{number}", f"extends: b{number + 1}")
    files.bottle(f"b{MAX_CHAIN + 3}", "")
    assert f"more than {MAX_CHAIN} bottles deep" in files.refusal("b0").message
    assert files.effective("b5") is not None


def test_unrelated_files_are_never_opened(files):
    files.bottle("broken", "supervise: maybe")
    files.bottle("dev", "env: {A: x}")
    assert files.effective("dev").env["A"].source == Literal("x")


def test_keys_of_inherited_repositories_keep_their_place(files):
    files.bottle("base", BASE_REPOS)
    files.bottle("dev", "extends: base\ngit-gate: {repos: {a: {key: {provider: static, path: /top}}}}")
    bottle = files.effective("dev")
    assert bottle.repos["a"].key == StaticKey("/top")
    assert bottle.place("git-gate", "repos", "a", "key").file.endswith("dev.md")
    assert str(bottle.place("git-gate", "repos", "a", "url")).endswith("base.md:4: git-gate.repos.a.url")
    assert bottle.place("git-gate", "repos", "a", "alias").line == 3
