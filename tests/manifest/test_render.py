"""The preflight and ``info``: what is shown, what is left out, and that nothing secret or live is in it
(spec: cli §5; rulings 33, 48, 50)."""

from __future__ import annotations

import yaml

from bot_bottle.manifest import load
from bot_bottle.manifest.render import info_lines, preflight

FULL = """
env:
  ZETA: plain
  ASKED: '?the password'
  READ: ${HOST_SECRET}
  QUIET: placeholder
agent_provider: {template: codex, dockerfile: /img/Dockerfile}
git-gate:
  user: {email: b@x.example}
  repos: {a: {url: 'git@h.example:a', key: {provider: static, path: /keys/id}}}
egress:
  extra_ca: /ca.pem
  routes:
    - {host: a.example, auth: {scheme: Bearer, token_ref: SECRET_NAME}, ports: [8443], allow_private: true}
    - {host: b.example, auth: {scheme: passthrough}}
    - {host: c.example, auth: [{scheme: token, token_ref: T}, {scheme: raw, token_ref: U, header: x-b}]}
    - {preset: npm, dlp: {outbound_detectors: false, inbound_detectors: false}}
workspace: {mode: copy, path: /src/x}
tools: [/opt/tool, ripgrep]
"""


def test_the_whole_summary(files):
    files.bottle("base", FULL)
    files.bottle("dev", "env: {A: x}")
    home = files.agent("worker", "skills: [review]\ngit-gate: {user: {name: W}}", "prompt")
    project = files.agent("worker", "skills: [review]\ngit-gate: {user: {name: W}}", "prompt", project=True)
    text = preflight(files.load("base", "dev", agent="worker"), hidden_env=["QUIET"])
    assert text.startswith("bottles:\n- base\n- dev\n")
    summary = yaml.safe_load(text)
    assert summary["agent"] == {
        "name": "worker",
        "file": str(project),
        "origin": "project (untrusted)",
        "shadows": str(home),
        "skills": ["review"],
        "git-gate": {"user": {"name": "W"}},
    }
    assert summary["bottle"] == {
        "agent_provider": {"template": "codex", "dockerfile": "/img/Dockerfile"},
        "env": {"A": "x", "ASKED": "?the password", "READ": "${HOST_SECRET}", "ZETA": "plain"},
        "env_secrets_visible_to_the_agent": ["ASKED", "READ"],
        "git-gate": {
            "user": {"name": "W", "email": "b@x.example"},
            "repos": {"a": {"url": "git@h.example:a"}},
        },
        "egress": {
            "extra_ca": "/ca.pem",
            "routes": [
                {"host": "a.example", "ports": [8443], "auth": {"scheme": "Bearer"}, "allow_private": True},
                {"host": "b.example", "auth": {"scheme": "passthrough"}},
                {"host": "c.example", "auth": [{"scheme": "token"}, {"scheme": "raw"}]},
                {"preset": "npm"},
            ],
        },
        "workspace": {"mode": "copy", "path": "/src/x"},
        "tools": ["/opt/tool", "ripgrep"],
        "supervise": True,
    }
    supervise, unscanned = summary["notes"]
    assert "supervise is not enforced by this version" in supervise
    assert unscanned == "requests and answers are not scanned (dlp): npm"
    for hidden in ("SECRET_NAME", "/keys/id", "QUIET"):
        assert hidden not in text
    assert list(summary["bottle"]["env"]) == sorted(summary["bottle"]["env"])


def test_what_is_not_said_is_left_out(files):
    """A Claude bottle without anything: only ``supervise`` stands there always."""
    files.bottle("dev", "supervise: false")
    assert preflight(files.load("dev")) == "bottles:\n- dev\nbottle:\n  supervise: false\n"


def test_a_dockerfile_alone_shows_the_provider(files):
    files.bottle("dev", "agent_provider: {dockerfile: /D}")
    summary = yaml.safe_load(preflight(files.load("dev")))
    assert summary["bottle"]["agent_provider"] == {"template": "claude", "dockerfile": "/D"}


def test_the_same_manifest_gives_the_same_text(files):
    files.bottle("dev", FULL)
    assert preflight(files.load("dev")) == preflight(files.load("dev"))


HOSTILE = "\x1b]0;owned\x07 \u202egpj.exe"


def test_text_of_others_can_not_move_the_terminal():
    """Escapes and bidirectional controls of a prompt or value are shown, not performed."""
    index = load.from_mapping(
        {
            "bottles": {"dev": {"env": {"A": HOSTILE}}},
            "agents": {"worker": {"bottle": "dev", "prompt": HOSTILE}},
        }
    )
    loaded = load.load(index, "worker")
    for text in (preflight(loaded), *info_lines(loaded)):
        assert "\x1b" not in text and "\u202e" not in text and "\x07" not in text


def test_info_lines(files):
    files.bottle("dev", FULL)
    file = files.agent("worker", "skills: [one, two]", "\n\nFirst line " + "x" * 200 + "\nsecond")
    lines = info_lines(files.load("dev", agent="worker"), hidden_env=["QUIET"])
    prompt = lines.pop(5)
    assert prompt.startswith("prompt: 218 characters: First line xxx") and prompt.endswith("x…")
    assert lines == [
        "agent: worker",
        f"file: {file}",
        "provider: codex",
        "env: ASKED, READ, ZETA",
        "skills: one, two",
        "bottle: dev",
        "git identity: email=b@x.example (bottle)",
        "git upstreams: a git@h.example:a",
        "egress: a.example, b.example, c.example, preset npm",
    ]


def test_info_lines_of_little(files):
    files.bottle("dev", "")
    assert info_lines(files.load("dev")) == [
        "agent: (none)", "file: (none)", "provider: claude", "env: (none)", "skills: (none)", "prompt: (empty)",
        "bottle: dev", "git identity: (none)", "git upstreams: (none)", "egress: (none)",
    ]  # fmt: skip
