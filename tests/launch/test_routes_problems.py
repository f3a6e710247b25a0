"""Every mistake of a routes file, with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot_bottle.launch.routes_problems import routes_problems

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("routes:\n- host: a.example\n", []),
        ("{}\n", []),
        ("log: 5\nroutes:\n- host: a_b\n- nonsense: 1\n- host: b.example\n  ports: [0]\nfoo: 1\n",
         [(1, "log"), (3, "routes[0].host"), (4, "routes[1].nonsense"), (6, "routes[2].ports[0]"), (7, "foo")]),
        ("log: 2\nroutes:\n- host: a.example\n- host: b.example\n  meter: {provider: x, format: gemini}\n",
         [(4, "routes[1]")]),
        ("routes:\n- host: a.example\n- preset: npm\n  access: all\n", [(4, "routes[1].access")]),
        ("routes:\n- preset: nmp\n", [(2, "routes[0].preset")]),
        ("routes:\n- preset: npm\n- preset: go\n- preset: npm\n", [(4, "routes[2].preset")]),
        ("routes:\n- preset: github\n", [(2, "routes[0].repos")]),
        ("routes:\n- host: a.example\n- host: a.example\n", [(3, "routes[1].host")]),
        ("routes: 5\n", [(1, "routes")]),
        ("a: [\n", [(2, "")]),
        ("- a\n", [(1, "")]),
    ],
)  # fmt: skip
def test_each_has_its_line(tmp_path: Path, text: str, expected: list[tuple[int, str]]) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text(text)
    assert [(problem.line, problem.key) for problem in routes_problems(file)] == expected


def test_what_can_t_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.yaml", tmp_path):
        (problem,) = routes_problems(path)
        assert "can't be read" in problem.message
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe")
    assert len(routes_problems(tmp_path / "bytes.yaml")) == 1


def test_the_example_has_none() -> None:
    assert routes_problems(EXAMPLES / "routes.yaml") == []
