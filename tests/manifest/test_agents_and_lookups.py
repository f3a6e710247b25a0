"""Agents, the git identity, and looking names up (spec: manifest §3, 8.2, 9; rulings 28, 33)."""

from __future__ import annotations

import pytest

from bot_bottle.manifest import load
from bot_bottle.manifest.keys import TOLERATED_AGENT_KEYS
from bot_bottle.manifest.schema import Agent, Bottle, Budget, GitUser
from bot_bottle.manifest.tree import ManifestError


def test_every_key_of_an_agent(files):
    files.bottle("dev", "")
    files.agent(
        "worker",
        """
        bottle: dev
        skills: [review, My_skill.2]
        git-gate: {user: {name: W, email: w@x.example}}
        budget: {claude: 5}
        """,
        "\n  You work.\n\nWell.  \n\n",
    )
    agent = files.load(agent="worker").agent
    assert agent == Agent(
        "worker",
        "dev",
        ("review", "My_skill.2"),
        GitUser("W", "w@x.example"),
        {"claude": Budget(5)},
        "You work.\n\nWell.",
    )
    assert agent.place("skills", 1).line == 3


def test_an_empty_agent(files):
    files.agent("worker", "git-gate: {}")
    assert load.load_agent(files.index(), "worker") == Agent("worker")


@pytest.mark.parametrize("key", TOLERATED_AGENT_KEYS)
def test_keys_of_claude_code_sub_agents_are_ignored(files, key):
    files.agent("worker", f"{key}: [anything, {{at: all}}]")
    assert load.load_agent(files.index(), "worker") == Agent("worker")


@pytest.mark.parametrize(
    ("keys", "path", "says"),
    [
        (
            "egress: {}",
            "egress",
            ("unknown key 'egress'", "bottle, budget", "git-gate", "isolation", "skills"),
        ),
        ("env: {}", "env", ("unknown key 'env'",)),
        ("prompt: x", "prompt", ("unknown key 'prompt'",)),
        ("bottle: ''", "bottle", ("must not be empty",)),
        ("bottle: [dev]", "bottle", ("must be a string", "a list")),
        ("skills: review", "skills", ("array of strings", "a string")),
        ("skills: [review, 3]", "skills[1]", ("must be a string",)),
        ("skills: [../../.ssh]", "skills[0]", ("name of a directory in ~/.claude/skills",)),
        ("skills: [/etc]", "skills[0]", ("name of a directory",)),
        ("skills: [a..b]", "skills[0]", ("name of a directory",)),
        ("git-gate: 1", "git-gate", ("mapping",)),
        ("git-gate: {repos: {}}", "git-gate.repos", ("repos belong to bottles",)),
        ("git-gate: {users: {}}", "git-gate.users", ("accepted are user",)),
        ("git-gate: {user: {name: [x]}}", "git-gate.user.name", ("must be a string",)),
        ("budget: {claude: x}", "budget.claude", ("number of tokens",)),
    ],
)
def test_what_an_agent_may_not_say(files, check, keys, path, says):
    file = files.agent("worker", keys)
    with pytest.raises(ManifestError) as caught:
        load.load_agent(files.index(), "worker")
    check(caught.value, file, 2, path, *says)


# -- the git identity
@pytest.mark.parametrize(
    ("bottle", "agent", "user", "line"),
    [
        ("", "", GitUser(), ""),
        ("{name: B}", "", GitUser("B"), "name=B (bottle)"),
        ("", "{email: a}", GitUser("", "a"), "email=a (agent)"),
        ("{name: B, email: b}", "{email: a}", GitUser("B", "a"), "name=B (bottle), email=a (agent)"),
        ("{name: B}", "{name: A, email: a}", GitUser("A", "a"), "name=A (agent), email=a (agent)"),
        ("{name: B}", "{name: ''}", GitUser("B"), "name=B (bottle)"),
        ("{name: same}", "{name: same}", GitUser("same"), "name=same (agent)"),
    ],
)
def test_the_agents_identity_is_laid_over_the_bottles(files, bottle, agent, user, line):
    """Field by field, the agent's non-empty one wins; one line says whose it is."""
    files.bottle("dev", f"git-gate: {{user: {bottle}}}" if bottle else "")
    files.agent("worker", f"git-gate: {{user: {agent}}}" if agent else "")
    loaded = files.load("dev", agent="worker")
    assert (loaded.bottle.git_user, loaded.git_identity) == (user, line)


def test_the_identitys_place_is_that_of_the_file_it_came_from(files):
    files.bottle("dev", "git-gate: {user: {name: B}}")
    files.agent("worker", "git-gate: {user: {email: a}}")
    bottle = files.load("dev", agent="worker").bottle
    assert bottle.place("git-gate", "user", "name").file.endswith("dev.md")
    assert bottle.place("git-gate", "user", "email").file.endswith("worker.md")


# -- which bottles
def test_the_agents_default_holds_when_none_is_selected(files):
    files.bottle("dev", "")
    files.agent("worker", "bottle: dev")
    assert files.load(agent="worker").bottle_names == ("dev",)


def test_a_selection_replaces_the_default_even_an_undefined_one(files):
    """Bottles that do not include the agent's own are legal."""
    files.bottle("one", "")
    files.bottle("two", "")
    files.agent("worker", "bottle: gone")
    assert files.load("two", "one", agent="worker").bottle_names == ("two", "one")


def test_bottles_alone_need_no_agent(files):
    files.bottle("dev", "")
    loaded = files.load("dev")
    assert (loaded.agent, loaded.bottle) == (Agent(), Bottle())


def test_the_default_of_a_projects_agent_is_only_a_suggestion(files, check):
    """A cloned repository must not choose which credentials its agent gets (ruling 33)."""
    files.bottle("dev", "")
    file = files.agent("worker", "bottle: dev", project=True)
    check(files.refusal(agent="worker"), file, 2, "bottle", "--bottle dev", "--trust-project")
    assert files.load("dev", agent="worker").bottle_names == ("dev",)
    assert files.load(agent="worker", trust_project=True).bottle_names == ("dev",)


# -- errors of look-ups
@pytest.mark.parametrize(("there", "listed"), [((), "(none)"), (("beta", "alpha"), "alpha, beta")])
def test_unknown_names(files, there, listed):
    for name in there:
        files.bottle(name, "")
        files.agent(name, "")
    agent = files.refusal(agent="nobody")
    assert str(agent) == f"agent 'nobody' is not defined. Available: {listed}"
    bottle = files.refusal("nobody")
    expected = files.home / ".bot-bottle/bottles/nobody.md"
    assert str(bottle) == f"bottle 'nobody' is not defined (no file {expected}). Available: {listed}"


@pytest.mark.parametrize(("there", "listed"), [((), "(none defined)"), (("beta", "alpha"), "alpha, beta")])
def test_an_undefined_default(files, check, there, listed):
    for name in there:
        files.bottle(name, "")
    file = files.agent("worker", "bottle: gone")
    says = ("'worker'", "'gone'", "not defined", f"Available: {listed}")
    check(files.refusal(agent="worker"), file, 2, "bottle", *says)


def test_no_bottle_at_all(files):
    file = files.agent("worker", "skills: []")
    error = files.refusal(agent="worker")
    assert error.file == str(file)
    for part in (
        "'worker'",
        "no default bottle",
        "none is selected",
        "at least one bottle",
        "bottle: <name>",
    ):
        assert part in error.message
    assert "--bottle" in files.refusal().message


def test_existence_is_told_without_reading(files):
    """``info`` and ``resume`` ask for the file alone."""
    files.agent("broken", "]")
    assert load.require_agent(files.index(), "broken").name == "broken"
    with pytest.raises(ManifestError, match="not defined"):
        load.require_agent(files.index(), "nobody")


def test_a_broken_file_blocks_no_other_agent(files):
    files.bottle("dev", "")
    files.agent("broken", "]")
    files.agent("worker", "bottle: dev")
    assert files.load(agent="worker").agent.name == "worker"


def test_warnings_of_the_index_come_along(files):
    files.bottle("dev", "")
    files.write("bottles/notes.txt", "")
    assert files.load("dev").warnings == files.index().warnings != ()


# -- a program's manifest
def test_from_mapping_obeys_the_same_rules():
    index = load.from_mapping(
        {
            "bottles": {
                "base": {"env": {"A": "x"}},
                "dev": {"extends": "base", "git-gate": {"user": {"name": "B"}}},
            },
            "agents": {
                "worker": {"bottle": "dev", "prompt": " hello ", "git-gate": {"user": {"email": "e"}}}
            },
        }
    )
    assert (index.agent_names, index.bottle_names) == (("worker",), ("base", "dev"))
    loaded = load.load(index, "worker")
    assert (loaded.agent.prompt, loaded.bottle_names) == ("hello", ("dev",))
    assert (loaded.bottle.git_user, list(loaded.bottle.env)) == (GitUser("B", "e"), ["A"])


def test_an_empty_mapping_is_an_empty_index():
    index = load.from_mapping({})
    assert (index.agent_names, index.bottle_names) == ((), ())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"bottle": {}}, "(mapping): bottle: unknown key 'bottle': accepted are agents, bottles"),
        ({"bottles": []}, "(mapping): bottles: must be a mapping"),
        ({"bottles": {"Dev": {}}}, "(mapping): bottles.Dev: name 'Dev' must match [a-z][a-z0-9-]*"),
        ({"bottles": {3: {}}}, "name 3 must match"),
        (
            {"bottles": {"dev": 3}},
            "(mapping): bottles.dev: must be a mapping of keys to values, not a number",
        ),
        ({"bottles": {"dev": {"supervise": 1}}}, "(mapping): bottles.dev.supervise: must be true or false"),
        (
            {"bottles": {"dev": {"env": {"A": b"x"}}}},
            "(mapping): bottles.dev.env.A: must be a string, not bytes",
        ),
        (
            {"bottles": {"dev": {"extends": "x"}}},
            "(mapping): bottles.dev.extends: parent bottle 'x' is not defined",
        ),
        (
            {"bottles": {"dev": {"git-gate": {"repos": {"a": {}}}}}},
            "(mapping): bottles.dev.git-gate.repos.a.url: is missing",
        ),
        ({"agents": {"a": {"prompt": 3}}}, "(mapping): agents.a.prompt: must be a string"),
        (
            {"agents": {"a": {"bottle": "x"}}},
            "agent 'a' names bottle 'x', which is not defined. Available: (none defined)",
        ),
        ({"agents": {"a": {"egress": {}}}}, "(mapping): agents.a.egress: unknown key"),
    ],
)
def test_from_mapping_validates_all_of_it_at_once(data, message):
    with pytest.raises(ManifestError) as caught:
        load.from_mapping(data)
    assert message in str(caught.value)


def test_unknown_bottles_of_a_mapping():
    index = load.from_mapping({"bottles": {"dev": {}}})
    with pytest.raises(ManifestError) as caught:
        load.load(index, None, ("x",))
    assert str(caught.value) == "bottle 'x' is not defined. Available: dev"
