"""All mistakes of a file at once, each with its line (``validate``)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.manifest.problems import Level, agent_problems, all_problems, bottle_problems, without
from bot_bottle.manifest.tree import Node, from_data, plain

BAD = """
    nonsense: 1
    supervise: maybe
    env: {A: 3, B: x}
    egress:
      routes:
        - host: a.example
          ports: [0]
        - host: b.example
        - host: "not a host"
        - auth: {scheme: Bearer, token_ref: T}
        - {host: c.example, http2: true}
    resources: {memory: 4, cpus: 2}
"""


def places(problems) -> list[tuple[int, str]]:
    return [(problem.line, problem.key) for problem in problems]


def test_every_mistake_of_a_bottle(files) -> None:
    """Not only the first; what is right beside them is not named."""
    files.bottle("bad", BAD)
    found = bottle_problems(files.index(), "bad")
    assert sorted(places(found)) == [
        (2, "nonsense"), (3, "supervise"), (4, "env.A"), (8, "egress.routes[0].ports[0]"),
        (10, "egress.routes[2].host"), (11, "egress.routes[3]"), (12, "egress.routes[4].http2"),
        (13, "resources.memory"),
    ]  # fmt: skip
    assert all(str(problem).startswith(f"{problem.file}:{problem.line}: ") for problem in found)


def test_what_is_not_enforced_is_a_problem(files) -> None:
    """All of it, where the file has no other mistake (ruling 50)."""
    files.bottle("much", "budget: {anthropic: 5}\nshutdown: kill\negress: {provider_schema: log}")
    found = bottle_problems(files.index(), "much")
    assert sorted(places(found)) == [(2, "budget.anthropic"), (3, "shutdown"), (4, "egress.provider_schema")]
    assert all("not enforced" in problem.message for problem in found)


def test_a_parent_s_mistake_is_named_once(files) -> None:
    """In the file that it stands in, however many extend it."""
    files.bottle("base", "supervise: maybe")
    files.bottle("one", "extends: base")
    files.bottle("two", "extends: [base, gone]")
    files.agent("worker", "bottle: one")
    found = all_problems(files.index())
    assert sorted((problem.file.rpartition("/")[2], problem.line, problem.key) for problem in found) == [
        ("base.md", 2, "supervise"),
        ("two.md", 2, "extends[1]"),
    ]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("bottle: dev", []),
        ("skills: []", []),
        ("bottle: gone", [(2, "bottle")]),
        ("bottle: dev\nskills: [../x, y]\nnonsense: 1", [(3, "skills[0]"), (4, "nonsense")]),
        ("bottle: dev\nbudget: {anthropic: 1}", [(3, "budget.anthropic")]),
        ("]", [(2, "")]),
    ],
)
def test_agents(files, keys, expected) -> None:
    files.bottle("dev", "env: {A: x}")
    files.agent("worker", keys)
    assert places(agent_problems(files.index(), "worker")) == expected


def test_settings_and_what_is_passed_over(files) -> None:
    """Settings count; a file that is no agent's is a warning."""
    files.write("settings.yml", "logs_days: 0\nnonsense: 1\ngate: exact\n")
    files.write("agents/Not A Name.md", "")
    files.write("bottles/x.md", "---\n---\n", project=True)
    found = all_problems(files.index())
    assert places(problem for problem in found if problem.level is Level.ERROR) == [
        (1, "logs_days"), (2, "nonsense")
    ]  # fmt: skip
    assert len([problem for problem in found if problem.level is Level.WARNING]) == 2
    files.write("settings.yml", "gate: exact\n")
    assert (1, "gate") in places(all_problems(files.index()))


def test_nothing_wrong(files) -> None:
    files.bottle("dev", "env: {A: x}")
    files.agent("worker", "bottle: dev", "Be brief.")
    assert all_problems(files.index()) == []


def test_a_hostile_name_is_printable(files) -> None:
    """The line of a mistake is one line, whatever the file says."""
    files.agent("worker", '"\\e[31m\\n\\u202e": 1', project=True)
    (found,) = agent_problems(files.index(), "worker")
    assert str(found).isprintable()


plain_data = st.recursive(
    st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
)


@given(st.dictionaries(st.sampled_from("abc"), plain_data, max_size=3), st.data())
def test_leaving_out_ends(data, draw) -> None:
    """Any path: the rest is smaller, or None; so finding every mistake ends."""
    tree = from_data(data, "f")
    path = draw.draw(st.lists(st.sampled_from(["a", "b", "c", 0, 1]), min_size=1, max_size=4))
    rest = without(tree, path)
    assert rest is None or size(rest) < size(tree)
    if len(path) == 1 and path[0] in data:
        assert plain(rest) == {key: value for key, value in data.items() if key != path[0]}


def size(node: Node) -> int:
    below = (
        node.value.values()
        if isinstance(node.value, dict)
        else node.value
        if isinstance(node.value, list)
        else []
    )
    return 1 + sum(map(size, below))
